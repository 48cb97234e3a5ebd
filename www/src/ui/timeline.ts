// The timeline: which frames are shown, and the maps of the one it is at.
import './timeline.css';
import { formatLength, formatSeconds } from '../format';
import type { FrameMaps, PointerHistory } from '../look';
import type { UndoWhat } from '../session/types';
import type { AppState, ViewSettings } from '../store';
import { LOOK, STRINGS } from '../strings';
import { segments } from './controls';
import { h, send, setText } from './dom';
import { ColourScale } from './ramp';

const KINDS = ['picture', 'depth', 'confidence'] as const;

export class Timeline extends HTMLElement {
  private readonly mode = segments('timeline', LOOK.timelineLabel, LOOK.timeline, (timeline) => {
    send<Partial<ViewSettings>>(this, 'p3r-view', { timeline, frame: this.slider.valueAsNumber });
  });
  private readonly slider = h('input', { type: 'range', min: '0', step: '1', 'aria-label': LOOK.frame });
  private readonly label = h('output', { class: 'quiet' });
  private readonly through = h(
    'button',
    { type: 'button', 'aria-label': LOOK.lookThrough },
    LOOK.look,
    h('span', { class: 'wide' }, LOOK.through),
  );
  private readonly undoTo = h('button', { type: 'button', 'data-timeline': 'undo' }, LOOK.undoTo);
  private readonly mapsButton = h('button', { type: 'button', 'aria-expanded': 'false' }, LOOK.maps);
  private readonly canvases = KINDS.map((kind) => ({
    kind,
    canvas: h('canvas', { role: 'img', 'aria-label': LOOK[kind === 'confidence' ? 'mapConfidence' : kind] }),
    scale: kind === 'picture' ? null : new ColourScale(LOOK.mapScale[kind]),
  }));
  private readonly gone = h('p', { class: 'quiet' }, LOOK.mapsGone);
  private readonly maps = h('div', { class: 'maps', role: 'group', 'aria-label': LOOK.mapsTitle });
  private times: number[] = [];

  connectedCallback(): void {
    this.hidden = true;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', STRINGS.timeline);
    this.slider.addEventListener('input', () => {
      const frame = this.slider.valueAsNumber;
      const all = this.dataset.mode === 'all';
      send<Partial<ViewSettings>>(this, 'p3r-view', all ? { timeline: 'upto', frame } : { frame });
    });
    this.through.addEventListener('click', () => send(this, 'p3r-through', this.slider.valueAsNumber));
    this.undoTo.addEventListener('click', () => {
      send<UndoWhat>(this, 'p3r-undo', { to: this.slider.valueAsNumber });
    });
    this.mapsButton.addEventListener('click', () => this.open(!this.mapsOpen));
    for (const { kind, canvas, scale } of this.canvases) {
      const name = LOOK[kind === 'confidence' ? 'mapConfidence' : kind];
      this.maps.append(h('figure', {}, canvas, h('figcaption', {}, name, ...(scale ? [scale.element] : []))));
    }
    this.maps.append(this.gone);
    this.maps.hidden = true;
    const row = h(
      'div',
      { class: 'row' },
      this.mode.element,
      this.slider,
      this.label,
      this.through,
      this.undoTo,
      this.mapsButton,
    );
    this.replaceChildren(this.maps, row);
  }

  get mapsOpen(): boolean {
    return !this.maps.hidden;
  }

  show({ frames, view, state }: AppState): void {
    this.hidden = frames === 0 || state === 'unsupported';
    const last = Math.max(0, frames - 1);
    const frame = view.timeline === 'all' ? last : Math.min(view.frame, last);
    this.dataset.mode = view.timeline;
    // Only what goes on can be taken back, and only if something lies behind the frame chosen.
    this.undoTo.hidden = frame === last || !(state === 'running' || state === 'paused');
    this.mode.show(view.timeline);
    this.slider.max = String(last);
    this.slider.value = String(frame);
    const time = this.times[frame];
    const text = `${frame + 1} / ${frames}${time === undefined ? '' : ` · ${formatSeconds(time)}`}`;
    this.slider.setAttribute('aria-valuetext', text);
    setText(this.label, text);
  }

  showHistory(history: PointerHistory): void {
    this.times = history.times;
  }

  /** The maps of the frame the timeline is at; null while there is none. */
  showMaps(maps: FrameMaps | null, scale: number): void {
    const there = maps !== null && maps.picture.length > 0;
    this.gone.hidden = there || maps === null;
    for (const { kind, canvas, scale: legend } of this.canvases) {
      canvas.hidden = !there;
      if (there) {
        canvas.width = maps.width;
        canvas.height = maps.height;
        const pixels = new ImageData(new Uint8ClampedArray(maps[kind]), maps.width, maps.height);
        canvas.getContext('2d')?.putImageData(pixels, 0, 0);
      }
      const ends = there ? rangeOf(maps, kind, scale) : null;
      if (legend) {
        legend.element.hidden = ends === null;
        legend.show(kind === 'picture' ? 'depth' : kind, ends?.[0] ?? '', ends?.[1] ?? '');
      }
    }
  }

  private open(open: boolean): void {
    this.maps.hidden = !open;
    this.mapsButton.setAttribute('aria-expanded', String(open));
    send(this, 'p3r-maps', open);
  }
}

/** The values at the ends of a map's colours, as text. */
function rangeOf(maps: FrameMaps, kind: (typeof KINDS)[number], scale: number): string[] | null {
  if (kind === 'depth') {
    return maps.depthRange?.map((value) => formatLength(value * scale)) ?? null;
  }
  return kind === 'confidence' ? (maps.confidenceRange?.map((value) => value.toPrecision(2)) ?? null) : null;
}
