// The panel about looking at the scene: points and colours, cleaning, cameras, the pointer memory, moving. All of it
// shows at once; nothing is computed again.
import './view.css';
import { formatLength } from '../format';
import type { PointerHistory, ViewState } from '../look';
import type { AppState, ViewSettings } from '../store';
import { LOOK } from '../strings';
import { MemoryChart } from './chart';
import { type Control, choice, segments, slider, toggle } from './controls';
import { h, send } from './dom';
import { ColourScale } from './ramp';

/** What the panel asks for besides settings. */
export type ViewRequest = 'fit' | 'resetView';

const MAX_CONFIDENCE = 50;
/** Octaves that the 8-bit confidence code covers (cloud.rs). */
const CONFIDENCE_OCTAVES = 12;

export class ViewPanel extends HTMLElement {
  private readonly controls: { [K in keyof ViewSettings]?: Control<ViewSettings[K]> } = {
    colour: choice('colour', LOOK.colour, LOOK.colours, (colour) => this.set({ colour })),
    points: toggle('points', LOOK.points, (points) => this.set({ points })),
    pointSize: slider(
      'pointSize',
      LOOK.pointSize,
      { min: 0.5, max: 8, step: 0.5, text: (v) => `${v} px` },
      (pointSize) => this.set({ pointSize }),
    ),
    confidence: slider(
      'confidence',
      LOOK.confidence,
      {
        min: 0,
        max: 100,
        step: 1,
        toValue: (position) => MAX_CONFIDENCE ** (position / 100),
        toPosition: (value) => Math.round((100 * Math.log(value)) / Math.log(MAX_CONFIDENCE)),
        text: (value) => value.toFixed(1),
      },
      (confidence) => this.set({ confidence }),
    ),
    edl: slider('edl', LOOK.edl, { min: 0, max: 1, step: 0.05, text: (v) => `${Math.round(v * 100)} %` }, (edl) =>
      this.set({ edl }),
    ),
    attenuation: toggle('attenuation', LOOK.attenuation, (attenuation) => this.set({ attenuation })),
    hideEdges: toggle('hideEdges', LOOK.hideEdges, (hideEdges) => this.set({ hideEdges })),
    hideSky: toggle('hideSky', LOOK.hideSky, (hideSky) => this.set({ hideSky })),
    cameras: toggle('cameras', LOOK.cameras, (cameras) => this.set({ cameras })),
    thumbnails: toggle('thumbnails', LOOK.thumbnails, (thumbnails) => this.set({ thumbnails })),
    pointers: choice('pointers', LOOK.pointersShown, LOOK.pointers, (pointers) => this.set({ pointers })),
    navigation: segments('navigation', LOOK.navigationLabel, LOOK.navigation, (navigation) => this.set({ navigation })),
    follow: toggle('follow', LOOK.follow, (follow) => this.set({ follow })),
    background: choice('background', LOOK.background, LOOK.backgrounds, (background) => this.set({ background })),
  };
  private readonly legend = new ColourScale(LOOK.legend);
  private readonly chart = new MemoryChart();
  private readonly ages = h(
    'p',
    { class: 'chips' },
    h('span', {}, LOOK.oldest),
    h('span', { class: 'ramp viridis' }),
    h('span', {}, LOOK.newest),
  );
  private readonly changes = h(
    'p',
    { class: 'chips' },
    ...(['added', 'fused', 'rest'] as const).map((kind) => h('span', { class: `chip ${kind}` }, LOOK[kind])),
  );
  private readonly measure = h('button', { type: 'button', 'aria-pressed': 'false' }, LOOK.measure);
  private range: [number, number] = [0, 1];

  connectedCallback(): void {
    const fit = h('button', { type: 'button' }, LOOK.fit);
    const reset = h('button', { type: 'button' }, LOOK.resetView);
    fit.addEventListener('click', () => send<ViewRequest>(this, 'p3r-look', 'fit'));
    reset.addEventListener('click', () => send<ViewRequest>(this, 'p3r-look', 'resetView'));
    this.measure.addEventListener('click', () =>
      this.set({ measuring: this.measure.getAttribute('aria-pressed') !== 'true' }),
    );
    const { controls } = this;
    this.replaceChildren(
      h('div', { class: 'view-buttons' }, fit, this.measure, reset),
      group(LOOK.moving, controls.navigation, controls.follow),
      group(
        LOOK.points,
        controls.colour,
        this.legend,
        controls.pointSize,
        controls.confidence,
        controls.edl,
        controls.points,
        controls.attenuation,
      ),
      group(LOOK.cleaning, controls.hideEdges, controls.hideSky),
      group(LOOK.camerasTitle, controls.cameras, controls.thumbnails, {
        element: h('p', { class: 'quiet' }, LOOK.pathHint),
      }),
      group(
        LOOK.memory,
        controls.pointers,
        { element: this.ages },
        { element: this.changes },
        { element: this.chart.element },
      ),
      group('', controls.background),
    );
  }

  show({ view, measurement }: AppState): void {
    const show = <K extends keyof ViewSettings>(name: K): void => this.controls[name]?.show(view[name]);
    for (const name of Object.keys(this.controls) as (keyof ViewSettings)[]) {
      show(name);
    }
    this.measure.setAttribute('aria-pressed', String(view.measuring));
    this.ages.hidden = view.pointers !== 'age';
    this.changes.hidden = view.pointers !== 'change';
    this.legend.element.hidden = view.colour === 'rgb';
    if (view.colour !== 'rgb') {
      const [low, high] = this.range.map((value) => legendText(value, view.colour, measurement.scale));
      this.legend.show(view.colour, low ?? '', high ?? '');
    }
    this.chart.mark(view.timeline === 'all' ? null : view.frame);
  }

  /** The ends of the colour scale, from the engine. */
  showState(state: ViewState, app: AppState): void {
    this.range = state.range;
    this.show(app);
  }

  showHistory(history: PointerHistory): void {
    this.chart.show(history);
  }

  private set(change: Partial<ViewSettings>): void {
    send<Partial<ViewSettings>>(this, 'p3r-view', change);
  }
}

function group(title: string, ...children: ({ element: HTMLElement } | undefined)[]): HTMLElement {
  const elements = children.flatMap((child) => (child ? [child.element] : []));
  return title ? h('fieldset', {}, h('legend', {}, title), ...elements) : h('fieldset', {}, ...elements);
}

function legendText(value: number, colour: ViewSettings['colour'], scale: number): string {
  switch (colour) {
    case 'confidence':
      return (2 ** ((CONFIDENCE_OCTAVES * value) / 255)).toPrecision(2);
    case 'frame':
      return String(Math.round(value) + 1);
    default:
      return formatLength(value * scale);
  }
}
