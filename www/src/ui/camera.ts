// The camera while a scan runs: its picture in a corner, the depth over it if wanted, what the gate thinks of the frames,
// torch and the undo of the last two seconds.
import './camera.css';
import type { Camera } from '../camera/camera';
import { formatLength } from '../format';
import type { DepthPicture, Verdict } from '../protocol';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';
import { ColourScale } from './ramp';

/** What the element needs of the session. */
export interface CameraSession {
  readonly camera: Camera | null;
  readonly cameraTurn: number;
  depth(): Promise<DepthPicture | null>;
  on(type: 'frame', listener: () => void): () => void;
}

/** Advice shows only once it has been true for so long: a single frame is no reason to say anything. */
const ADVICE_AFTER_MS = 500;
const ADVICE: Partial<Record<Verdict, string>> = { blurred: STRINGS.holdStill, still: STRINGS.moveOn };
const UNDO_SECONDS = 2;

export class CameraView extends HTMLElement {
  private readonly video = h('video', { 'aria-label': STRINGS.cameraPicture });
  private readonly depth = h('canvas', { 'aria-hidden': 'true' });
  private readonly legend = new ColourScale(STRINGS.depthScale);
  private readonly advice = h('span', { 'data-advice': '' });
  private readonly torch = toggle('torch', STRINGS.torch);
  private readonly overlay = toggle('depth', STRINGS.depthOverlay);
  private readonly undo = h('button', { type: 'button', 'data-camera': 'undo' }, STRINGS.undoSeconds);
  private session: CameraSession | null = null;
  private shown: Camera | null = null;
  private verdict: Verdict | null = null;
  private since = 0;
  private scale = 1;
  private timer: ReturnType<typeof setTimeout> | null = null;

  connectedCallback(): void {
    this.hidden = true;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', STRINGS.cameraName);
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.autoplay = true;
    this.depth.hidden = true;
    this.legend.element.hidden = true;
    this.advice.hidden = true;
    const buttons = h('div', { class: 'camera-buttons' }, this.undo, this.overlay, this.torch);
    const picture = h('div', { class: 'camera-picture' }, this.video, this.depth, this.advice);
    this.replaceChildren(picture, this.legend.element, buttons);
    this.overlay.addEventListener('click', () => {
      this.depth.hidden = !press(this.overlay);
      this.legend.element.hidden = true;
      this.drawDepth();
    });
    this.torch.addEventListener('click', () => this.switchTorch());
    this.undo.addEventListener('click', () => send(this, 'p3r-undo', { seconds: UNDO_SECONDS }));
  }

  attach(session: CameraSession): void {
    this.session = session;
    session.on('frame', () => this.drawDepth());
  }

  show({ live, verdict, state, frames, measurement }: AppState): void {
    this.scale = measurement.scale;
    const camera = live ? (this.session?.camera ?? null) : null;
    this.hidden = camera === null;
    if (camera !== this.shown) {
      this.shown = camera;
      this.video.srcObject = camera?.stream ?? null;
      this.torch.hidden = !camera?.hasTorch;
      this.torch.setAttribute('aria-pressed', 'false');
      this.depth.width = 0;
    }
    this.undo.disabled = frames === 0;
    this.advise(state === 'running' ? verdict : null);
  }

  private advise(verdict: Verdict | null): void {
    if (verdict !== this.verdict) {
      this.verdict = verdict;
      this.since = performance.now();
    }
    const text = verdict ? ADVICE[verdict] : undefined;
    const due = this.since + ADVICE_AFTER_MS - performance.now();
    this.advice.hidden = !text || due > 0;
    setText(this.advice, text ?? '');
    if (this.timer !== null) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    if (text && due > 0) {
      this.timer = setTimeout(() => this.advise(this.verdict), due);
    }
  }

  private drawDepth(): void {
    const { session } = this;
    if (this.depth.hidden || !session?.camera) {
      return;
    }
    // A turned phone shows an upright picture, while the depth lies as the scan began.
    const turned = session.cameraTurn !== 0;
    session
      .depth()
      .then((picture) => {
        this.depth.width = picture && !turned ? picture.width : 0;
        if (picture && !turned) {
          this.depth.height = picture.height;
          const image = new ImageData(picture.rgba, picture.width, picture.height);
          this.depth.getContext('2d')?.putImageData(image, 0, 0);
        }
        this.showRange(this.depth.width > 0 ? (picture?.range ?? null) : null);
      })
      // The engine is gone: the next frame draws again.
      .catch(() => {});
  }

  private showRange(range: [number, number] | null): void {
    this.legend.element.hidden = range === null || this.depth.hidden;
    const [low, high] = (range ?? []).map((value) => formatLength(value * this.scale));
    this.legend.show('depth', low ?? '', high ?? '');
  }

  private switchTorch(): void {
    const on = press(this.torch);
    this.shown?.setTorch(on).then((done) => {
      if (!done) {
        this.torch.setAttribute('aria-pressed', String(!on));
      }
    });
  }
}

function toggle(name: string, text: string): HTMLButtonElement {
  return h('button', { type: 'button', 'data-camera': name, 'aria-pressed': 'false' }, text);
}

/** Flips a toggle; whether it is pressed now. */
function press(button: HTMLButtonElement): boolean {
  const pressed = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', String(pressed));
  return pressed;
}
