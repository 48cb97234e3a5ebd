// What every part of the session works on: the engine of the moment, the page's state, and how both are told of.
import type { Engine } from '../engine';
import { type Point3rError, toPoint3rError } from '../errors';
import type { ModelSource } from '../models';
import type { DeviceChoice, EngineStats } from '../protocol';
import type { AppState, PageState, Progress, Settings, Store } from '../store';
import type { SceneFile } from './scenes';
import type { SessionEvents, SessionParts } from './types';

/** Under which name a reconstruction is saved, and what it is called. `began` in seconds since 1970. */
export interface Saved {
  id: string;
  name: string;
  began: number;
}

export class Core {
  readonly parts: SessionParts;
  readonly store: Store<AppState>;
  /** Where the reconstruction on screen is being saved. */
  saved: Saved | null = null;
  /** The scene on screen, if it was opened and not made here: for another engine. */
  scene: SceneFile | null = null;
  /** The model in use, for another engine. */
  model: ModelSource & { anyway?: boolean };
  /** Where the next engine computes. */
  device: DeviceChoice;
  /** Called when another scene takes the place of the last. */
  begun: () => void = () => {};
  private inUse: Engine | null = null;
  private readonly target = new EventTarget();

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.store = parts.store;
    this.model = parts.model;
    this.device = parts.device;
  }

  get engine(): Engine {
    if (!this.inUse) {
      throw new Error('the session has no engine yet');
    }
    return this.inUse;
  }

  set engine(engine: Engine) {
    this.inUse = engine;
  }

  get state(): PageState {
    return this.store.get().state;
  }

  get settings(): Settings {
    return this.store.get().settings;
  }

  on<K extends keyof SessionEvents>(type: K, listener: (detail: SessionEvents[K]) => void): () => void {
    const wrapped = (event: Event): void => listener((event as CustomEvent<SessionEvents[K]>).detail);
    this.target.addEventListener(type, wrapped);
    return () => this.target.removeEventListener(type, wrapped);
  }

  emit<K extends keyof SessionEvents>(type: K, detail: SessionEvents[K]): void {
    this.target.dispatchEvent(new CustomEvent(type, { detail }));
  }

  showCounts({ frames, pointers, points, msPerFrame }: EngineStats): void {
    this.store.set({ frames, pointers, points, msPerFrame });
  }

  setState(state: PageState): void {
    if (state !== this.state) {
      this.store.set({ state });
      this.emit('state', state);
    }
  }

  setProgress(progress: Progress): void {
    this.store.set({ progress });
    this.emit('progress', progress);
  }

  /** Shows an error, once however many promises it rejects; gives it back to be thrown or not. */
  report(error: Point3rError): Point3rError {
    if (error !== this.store.get().error) {
      this.store.set({ error });
      this.emit('error', error);
    }
    return error;
  }

  async reporting<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      throw this.report(toPoint3rError(thrown, 'bad-request'));
    }
  }
}
