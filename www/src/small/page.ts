// The page without its engine: a scene in the small viewer. Used when the page is embedded, and where the browser has no
// WebGPU; wasm is loaded only if a file must be converted first.
import './small.css';
import { WorkerEngine } from '../engine';
import { type Point3rError, toPoint3rError } from '../errors';
import { fetchAsked, looksLikeScene } from '../share/fetch';
import { hasScene, MAX_LINK_POINTS, type PageLink } from '../share/link';
import { SHARE_TEXT, STRINGS } from '../strings';
import { h, setText } from '../ui/dom';
import { QuestionDialog } from '../ui/question';
import { decodeScene } from '../viewer/decode';
import type { SharedScene, Viewpoint } from '../viewer/shared-scene';
import { type SmallViewer, showScene } from '../viewer/viewer';

/** Bytes of the compact form that a file is converted to: some four million points. */
const CONVERT_BUDGET = 4_000_000;
const MAX_POINTS = 4 << 20;

export interface SmallEvents {
  scene(scene: SharedScene): void;
  error(error: Point3rError): void;
  moved(viewpoint: Viewpoint): void;
}

export class SmallPage {
  private readonly events: SmallEvents;
  private readonly question: QuestionDialog;
  private readonly heading = h('h1');
  private readonly note = h('p', { class: 'small-note', role: 'status' });
  private readonly stage = h('div', { class: 'small-page' });
  private canvas: HTMLCanvasElement | null = null;
  private viewer: SmallViewer | null = null;

  constructor(events: SmallEvents, without: 'bar-link' | '' = '') {
    this.events = events;
    document.body.classList.add('is-small');
    const all = h('button', { type: 'button' }, SHARE_TEXT.showAll);
    all.addEventListener('click', () => this.viewer?.fit());
    const bar = h('div', { class: 'small-bar' }, this.heading, all);
    if (without !== 'bar-link') {
      const full = new URL(location.href);
      full.searchParams.delete('embed');
      full.searchParams.delete('origin');
      bar.append(h('a', { class: 'button', href: full.href, target: '_blank', rel: 'noopener' }, SHARE_TEXT.openFull));
    }
    if (!customElements.get('p3r-question')) {
      customElements.define('p3r-question', QuestionDialog);
    }
    const question = document.createElement('p3r-question');
    if (!(question instanceof QuestionDialog)) {
      throw new Error('<p3r-question> is another element');
    }
    this.question = question;
    this.note.hidden = true;
    this.stage.append(bar, this.note);
    document.body.append(this.stage, question);
  }

  /** Shows what the link names. */
  async openLink(link: PageLink): Promise<void> {
    if (!hasScene(link)) {
      this.say(SHARE_TEXT.noScene);
      return;
    }
    const opened = link.inline
      ? this.openBytes(link.inline, MAX_LINK_POINTS)
      : link.scene && this.openAddress(link.scene);
    await opened;
    if (link.view) {
      this.viewer?.look(link.view);
    }
  }

  async openAddress(address: URL): Promise<void> {
    await this.reporting(async () => {
      this.say(SHARE_TEXT.loadingScene);
      const ask = (question: Parameters<QuestionDialog['ask']>[0]): Promise<boolean> => this.question.ask(question);
      const bytes = await fetchAsked(
        address,
        (question) => ask({ ...question, kind: 'scene' }),
        () => {},
      );
      await this.show(bytes, MAX_POINTS);
    });
  }

  async openBytes(bytes: Uint8Array<ArrayBuffer>, maxPoints = MAX_POINTS): Promise<void> {
    await this.reporting(async () => {
      this.say(SHARE_TEXT.loadingScene);
      await this.show(bytes, maxPoints);
    });
  }

  look(viewpoint: Viewpoint): void {
    this.viewer?.look(viewpoint);
  }

  fit(): void {
    this.viewer?.fit();
  }

  viewpoint(): Viewpoint | null {
    return this.viewer?.viewpoint() ?? null;
  }

  /** Shows a line, or with none hides it. */
  say(text: string, error = false): void {
    this.note.hidden = text === '';
    this.note.classList.toggle('is-error', error);
    this.note.setAttribute('role', error ? 'alert' : 'status');
    setText(this.note, text);
  }

  fail(error: Point3rError): void {
    this.say(`${error.message} ${error.action}`, true);
    this.note.dataset.code = error.code;
    this.events.error(error);
  }

  private async show(bytes: Uint8Array<ArrayBuffer>, maxPoints: number): Promise<void> {
    const compact = isCompact(bytes) ? bytes : await convert(bytes);
    const scene = await decodeScene(compact, maxPoints);
    // A context cannot be emptied: another scene gets another canvas.
    const canvas = h('canvas', { tabindex: '0', role: 'application', 'aria-label': STRINGS.canvas });
    this.canvas?.remove();
    this.canvas = canvas;
    this.stage.prepend(canvas);
    this.viewer = showScene(canvas, scene, () => {
      const viewpoint = this.viewpoint();
      if (viewpoint) {
        this.events.moved(viewpoint);
      }
    });
    setText(this.heading, scene.title);
    if (scene.title) {
      document.title = `${scene.title} · ${STRINGS.title}`;
    }
    this.say('');
    this.events.scene(scene);
  }

  private async reporting(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'scene-damaged');
      this.fail(error);
      throw error;
    }
  }
}

function isCompact(bytes: Uint8Array): boolean {
  return looksLikeScene(bytes) && bytes[0] === 0x50;
}

/** GLB and PLY are read by the engine's own code, in a worker, without a model or a graphics device. */
async function convert(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const worker = new Worker(new URL('../worker.ts', import.meta.url), { type: 'module', name: 'convert' });
  const engine = new WorkerEngine(worker, { progress() {}, saving() {}, taking() {}, crashed() {}, lost() {} });
  try {
    return (await engine.packScene(bytes, { budget: CONVERT_BUDGET })).bytes;
  } finally {
    engine.dispose();
  }
}
