// What the page and the worker say to each other. Every message is one member of a discriminated union; a call carries
// an id and is answered exactly once, a view command is not answered, an event comes from the worker unasked.
import type { ErrorCode } from './errors';
import type { ModelSource } from './models';

export type DeviceChoice = 'auto' | 'cpu' | 'gpu';
export type ExportFormat = 'ply' | 'tum' | 'intrinsics' | 'glb';

export interface DeviceReport {
  /** Where the network runs. */
  backend: 'cpu' | 'gpu';
  tier: 'hardware' | 'software' | 'none';
  adapter: string;
  rendering: boolean;
  note: string;
}

export interface ManifestReport {
  name: string;
  licence: string;
  trained: boolean;
  bytes: number;
  shards: { index: number; file: string; bytes: number; sha256: string }[];
}

export interface ModelReport {
  name: string;
  trained: boolean;
  parameters: number;
  inputSize: number;
}

export interface StartOptions {
  /** Longer side of the network's input; the model's own when left out. */
  size?: number;
  /** Smallest confidence of a point that is kept. */
  confidence?: number;
}

export interface FrameReport {
  index: number;
  /** Seconds. */
  time: number;
  /** Camera to world: tx ty tz qw qx qy qz. */
  pose: number[];
  pointers: number;
  added: number;
  merged: number;
  points: number;
  msPerFrame: number;
  stages: Record<string, number>;
  bytes: number;
}

export interface EngineStats {
  state: string;
  device: string;
  tier: string;
  frames: number;
  pointers: number;
  points: number;
  msPerFrame: number;
  gpuBytes: number;
  wasmBytes: number;
  error: EngineFailure | null;
}

/** How an error travels: plain, so that it survives `postMessage`. */
export interface EngineFailure {
  code: ErrorCode;
  message: string;
  action: string;
}

export interface ViewOptions {
  pointSize?: number;
  confidence?: number;
  background?: 'dark' | 'light';
}

export interface VerifyFiles {
  config: string;
  weights: Uint8Array | null;
  inputs: Uint8Array;
  expected: Uint8Array;
}

/** The table of `point3r verify`; its rows are for reading, `passed` is the verdict. */
export interface VerifyReport {
  passed: boolean;
  [row: string]: unknown;
}

export type Rotation = 0 | 90 | 180 | 270;

/** One frame on its way to the worker. `image` is transferred, and closed by the worker. */
export interface FrameImage {
  image: VideoFrame | ImageBitmap;
  /** Clockwise turn that brings the image upright. */
  rotation: Rotation;
  time: number;
}

export interface Calls {
  create: { args: { canvas: OffscreenCanvas; device: DeviceChoice }; result: DeviceReport };
  loadModel: { args: ModelSource; result: ModelReport };
  start: { args: StartOptions; result: undefined };
  push: { args: FrameImage; result: { report: FrameReport; stats: EngineStats } };
  pause: { args: Record<string, never>; result: undefined };
  resume: { args: Record<string, never>; result: undefined };
  undo: { args: { frames: number }; result: EngineStats };
  reset: { args: Record<string, never>; result: undefined };
  export: { args: { format: ExportFormat }; result: Uint8Array<ArrayBuffer> };
  stats: { args: Record<string, never>; result: EngineStats };
  verify: { args: { url: string }; result: VerifyReport };
}
export type CallName = keyof Calls;
export type Request = { [K in CallName]: { type: 'call'; id: number; call: K; args: Calls[K]['args'] } }[CallName];

export type ViewCommand =
  | { type: 'view'; view: 'resize'; width: number; height: number; pixelRatio: number }
  | { type: 'view'; view: 'orbit' | 'pan'; dx: number; dy: number }
  | { type: 'view'; view: 'zoom'; factor: number }
  | { type: 'view'; view: 'fit' }
  | { type: 'view'; view: 'options'; options: ViewOptions };

export type ToWorker = Request | ViewCommand;

export type FromWorker =
  | { type: 'answer'; id: number; value: Calls[CallName]['result'] }
  | { type: 'refusal'; id: number; error: EngineFailure }
  | { type: 'progress'; stage: 'model'; done: number; total: number }
  | { type: 'crashed'; message: string }
  | { type: 'lost'; error: EngineFailure };

/** True for the message that the wasm panic hook posts by itself, past the worker's own code. */
export function isPanic(message: unknown): message is { code: 'crashed'; message: string } {
  return typeof message === 'object' && message !== null && 'code' in message && message.code === 'crashed';
}

/** The objects inside a request that must change hands instead of being copied. */
export function transferables(request: Request): Transferable[] {
  switch (request.call) {
    case 'create':
      return [request.args.canvas];
    case 'push':
      return [request.args.image];
    default:
      return [];
  }
}
