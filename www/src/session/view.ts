// `window.point3r.view`: everything about looking at the scene. Holds the view's settings in the store and keeps the
// engine equal to them, also a new engine after a crash.
import type { Engine } from '../engine';
import { Point3rError } from '../errors';
import type { FrameMaps, Picked, PointerHistory, ViewOptions, ViewState } from '../look';
import { type AppState, INITIAL_VIEW, type Measurement, type Store, type ViewSettings } from '../store';
import { onScheme, scheme } from '../theme';

export class SceneView {
  private readonly store: Store<AppState>;
  private readonly engine: () => Engine;

  constructor(store: Store<AppState>, engine: () => Engine) {
    this.store = store;
    this.engine = engine;
    onScheme(() => this.send({ background: this.background() }));
  }

  /** The settings of the moment. */
  get settings(): ViewSettings {
    return this.store.get().view;
  }

  /** Changes some settings; they show at once, nothing is computed again. */
  set(change: Partial<ViewSettings>): void {
    const before = this.settings;
    const view = { ...before, ...change };
    this.store.set({ view });
    const { background, ...rest } = change;
    this.send({ ...rest, ...(background === undefined ? {} : { background: this.background() }) });
    if (before.measuring && !view.measuring) {
      this.clearMeasurement();
    }
  }

  /** All settings as they were at first. */
  reset(): void {
    const { timeline, frame, measuring } = this.settings;
    this.set({ ...INITIAL_VIEW, timeline, frame, measuring });
  }

  /** Shows everything. */
  fit(): void {
    this.engine().view({ type: 'view', view: 'fit' });
  }

  /** Turns, moves or comes closer, as a person would: CSS pixels, or a factor. */
  move(by: { orbit?: [number, number]; pan?: [number, number]; zoom?: number }): void {
    if (by.orbit) {
      this.engine().view({ type: 'view', view: 'orbit', dx: by.orbit[0], dy: by.orbit[1] });
    }
    if (by.pan) {
      this.engine().view({ type: 'view', view: 'pan', dx: by.pan[0], dy: by.pan[1] });
    }
    if (by.zoom) {
      this.engine().view({ type: 'view', view: 'zoom', factor: by.zoom });
    }
  }

  /** Walks until told otherwise: to the right, down, forward (-1, 0 or 1 each). */
  walk(direction: [number, number, number], hurry = false): void {
    this.engine().view({ type: 'view', view: 'walk', direction, hurry });
  }

  /** Looks through the camera of a frame, counted from 0. */
  lookThrough(frame: number): void {
    this.engine().view({ type: 'view', view: 'lookThrough', frame });
  }

  /** The point drawn at a place of the view, CSS pixels from its top left; null where there is none. */
  pick(x: number, y: number): Promise<Picked | null> {
    return this.engine().look('pick', { x, y });
  }

  /** The frame whose frustum is drawn there, or null. */
  frameAt(x: number, y: number): Promise<number | null> {
    return this.engine().look('frameAt', { x, y });
  }

  /** Picture, depth and confidence of a frame. */
  frame(frame: number): Promise<FrameMaps | null> {
    return this.engine().look('frame', { frame });
  }

  /** The memory over time. */
  history(): Promise<PointerHistory> {
    return this.engine().look('history', {});
  }

  /** Where the viewer stands, and the range that colours show. */
  state(): Promise<ViewState | null> {
    return this.engine().look('viewState', {});
  }

  /** What is being measured: ends in units of the model, distance in metres (or whatever the scale made of them). */
  get measurement(): Measurement {
    return this.store.get().measurement;
  }

  /** Adds an end: the second completes a distance, a third begins anew. */
  measure(end: [number, number, number]): void {
    const { ends } = this.measurement;
    this.showMeasured(ends.length === 1 ? [...ends, end] : [end]);
  }

  clearMeasurement(): void {
    this.showMeasured([]);
  }

  /** Says how long the measured distance is in truth. Sets the scale of the scene, which exports apply. */
  async setMeasuredLength(length: number): Promise<void> {
    const { ends, scale } = this.measurement;
    const measured = distanceOf(ends, scale);
    if (!measured || !(length > 0) || !Number.isFinite(length)) {
      throw new Point3rError('bad-request', 'Measure a distance first, then give its length as a positive number.');
    }
    await this.setScale((scale * length) / measured);
  }

  /** Sets what a unit of the model is; lengths that are shown and exported are multiplied by it. */
  async setScale(scale: number): Promise<void> {
    await this.engine().look('setScale', { scale });
    const { ends } = this.measurement;
    this.store.set({ measurement: { ends, scale, distance: distanceOf(ends, scale) } });
  }

  /** Takes over the scale that the engine knows: that of a scene which was opened. */
  noteScale(scale: number): void {
    const { ends } = this.measurement;
    if (scale !== this.measurement.scale) {
      this.store.set({ measurement: { ends, scale, distance: distanceOf(ends, scale) } });
    }
  }

  /** Tells a new engine everything. */
  introduce(engine: Engine): void {
    const { background: _, measuring: __, ...options } = this.settings;
    const animate = !matchMedia('(prefers-reduced-motion: reduce)').matches;
    engine.view({ type: 'view', view: 'options', options: { ...options, background: this.background(), animate } });
  }

  /** A new scene: nothing of the old one is looked at any more. */
  forget(): void {
    this.store.set({ measurement: { ends: [], distance: null, scale: 1 } });
    this.set({ timeline: 'all', frame: 0 });
    this.engine().view({ type: 'view', view: 'measured', ends: [] });
  }

  private showMeasured(ends: [number, number, number][]): void {
    const { scale } = this.measurement;
    this.store.set({ measurement: { ends, scale, distance: distanceOf(ends, scale) } });
    this.engine().view({ type: 'view', view: 'measured', ends: ends.flat() });
  }

  private background(): 'dark' | 'light' {
    const { background } = this.settings;
    return background === 'auto' ? scheme() : background;
  }

  private send({ measuring: _, ...options }: ViewOptions & { measuring?: boolean }): void {
    if (Object.keys(options).length > 0) {
      this.engine().view({ type: 'view', view: 'options', options });
    }
  }
}

/** Length of a measured line, or null where there is none. */
export function distanceOf(ends: readonly (readonly number[])[], scale: number): number | null {
  const [a, b] = ends;
  return a && b ? scale * Math.hypot(...a.map((value, i) => value - (b[i] ?? 0))) : null;
}
