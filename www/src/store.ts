// The page's state: one immutable value, replaced as a whole, with whoever wants to know told once per change.

import type { CameraOptions } from './camera/camera';
import type { Point3rError } from './errors';
import type { DeviceReport, ModelReport, SavedScan, Saving, Verdict } from './protocol';

/** `loading` engine or model, `lost` graphics device or engine gone (export still works), `failed` never became usable. */
export type PageState = 'loading' | 'unsupported' | 'ready' | 'running' | 'paused' | 'lost' | 'failed';

export interface Progress {
  stage: 'engine' | 'model' | 'open' | 'frames' | 'recover' | 'replay' | 'restore';
  done: number;
  total: number;
}

export interface Settings {
  /** Frames per second taken from a video. */
  rate: number;
  maxFrames: number;
  /** Smallest confidence drawn; 1 draws everything. */
  confidence: number;
  /** Size of a point in CSS pixels. */
  pointSize: number;
  /** The camera of the next scan. */
  camera: CameraOptions;
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
  /** One line that the user should know and may dismiss. */
  note: string;
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
    confidence: 1,
    pointSize: 2,
    camera: { facing: 'environment', deviceId: '', height: 720 },
  },
  live: false,
  verdict: null,
  saving: 'off',
  savedScan: null,
  continuable: false,
  note: '',
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
