// The page's state: one immutable value, replaced as a whole, with whoever wants to know told once per change.

import type { CameraOptions } from './camera/camera';
import type { Point3rError } from './errors';
import type { KeptModel } from './kept-models';
import type { ColourMode, Navigation, PointersShown, TimelineMode } from './look';
import type { DeviceReport, ModelReport, SavedScan, Saving, Verdict } from './protocol';
import type { TakeFormat } from './take';

/** `loading` engine or model, `lost` graphics device or engine gone (export still works), `failed` never became usable. */
export type PageState = 'loading' | 'unsupported' | 'ready' | 'running' | 'paused' | 'lost' | 'failed';

export interface Progress {
  stage: 'engine' | 'model' | 'prepare' | 'open' | 'frames' | 'recover' | 'replay' | 'restore' | 'convert';
  done: number;
  total: number;
}

export interface Settings {
  /** Frames per second taken from a video. */
  rate: number;
  maxFrames: number;
  /** Most bytes of points; beyond it they are merged into voxels. */
  cloudBudget: number;
  /** The camera of the next scan. */
  camera: CameraOptions;
}

/** How the scene is looked at (`ViewOptions` says what each means). */
export interface ViewSettings {
  points: boolean;
  pointSize: number;
  attenuation: boolean;
  edl: number;
  colour: ColourMode;
  confidence: number;
  hideEdges: boolean;
  hideSky: boolean;
  /** `auto` is that of the page. */
  background: 'auto' | 'dark' | 'light';
  cameras: boolean;
  thumbnails: boolean;
  pointers: PointersShown;
  timeline: TimelineMode;
  frame: number;
  navigation: Navigation;
  follow: boolean;
  /** Clicks on points measure. */
  measuring: boolean;
}

/** A measured line. */
export interface Measurement {
  /** None, one or two ends, in units of the model. */
  ends: [number, number, number][];
  /** What a unit of the model is. */
  scale: number;
  /** Between the ends, scaled. */
  distance: number | null;
}

export interface AppState {
  state: PageState;
  device: DeviceReport | null;
  model: ModelReport | null;
  source: string;
  frames: number;
  pointers: number;
  points: number;
  msPerFrame: number;
  progress: Progress | null;
  error: Point3rError | null;
  settings: Settings;
  /** A newer version of the page has been downloaded and waits to be used. */
  updateReady: boolean;
  /** A camera is on. */
  live: boolean;
  /** What the gate made of the camera's last frame. */
  verdict: Verdict | null;
  saving: Saving;
  /** A reconstruction of an earlier visit that can be opened. */
  savedScan: SavedScan | null;
  /** Whether the reconstruction that is there, at rest, could go on with a camera. */
  continuable: boolean;
  /** What is on screen was opened as a file or link: its frames have no pictures, and cannot be taken back. */
  opened: boolean;
  /** The file being made, and the share of it that is there. */
  taking: { format: TakeFormat; share: number } | null;
  /** A model that was made here on an earlier visit, to be offered. */
  keptModel: KeptModel | null;
  /** One line that the user should know and may dismiss. */
  note: string;
  view: ViewSettings;
  measurement: Measurement;
}

export const INITIAL_VIEW: ViewSettings = {
  points: true,
  pointSize: 2,
  attenuation: true,
  edl: 0.2,
  colour: 'rgb',
  confidence: 1,
  hideEdges: false,
  hideSky: false,
  background: 'auto',
  cameras: true,
  thumbnails: false,
  pointers: 'off',
  timeline: 'all',
  frame: 0,
  navigation: 'orbit',
  follow: false,
  measuring: false,
};

/** Points may take this much: less on phones, whose tabs are ended when they take too much. */
export function defaultCloudBudget(): number {
  const phone = 'matchMedia' in globalThis && matchMedia('(pointer: coarse) and (max-width: 60rem)').matches;
  return (phone ? 64 : 256) * 1024 * 1024;
}

export const INITIAL: AppState = {
  state: 'loading',
  device: null,
  model: null,
  source: '',
  frames: 0,
  pointers: 0,
  points: 0,
  msPerFrame: 0,
  progress: { stage: 'engine', done: 0, total: 0 },
  error: null,
  updateReady: false,
  settings: {
    rate: 2,
    maxFrames: 64,
    cloudBudget: defaultCloudBudget(),
    camera: { facing: 'environment', deviceId: '', height: 720 },
  },
  live: false,
  verdict: null,
  saving: 'off',
  savedScan: null,
  continuable: false,
  opened: false,
  taking: null,
  keptModel: null,
  note: '',
  view: INITIAL_VIEW,
  measurement: { ends: [], scale: 1, distance: null },
};

export class Store<T extends object> {
  private value: T;
  private readonly listeners = new Set<(value: T) => void>();

  constructor(initial: T) {
    this.value = initial;
  }

  get(): T {
    return this.value;
  }

  set(change: Partial<T>): void {
    this.value = { ...this.value, ...change };
    for (const listener of this.listeners) {
      listener(this.value);
    }
  }

  /** Calls at once and then after every change. */
  subscribe(listener: (value: T) => void): () => void {
    this.listeners.add(listener);
    listener(this.value);
    return () => this.listeners.delete(listener);
  }
}
