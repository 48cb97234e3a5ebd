// What the page and the worker say to each other. Every message is one member of a discriminated union; a call carries
// an id and is answered exactly once, a view command is not answered, an event comes from the worker unasked.
import type { ErrorCode } from './errors';
import type { LookCalls, LookCommand, ViewOptions } from './look';
import type { ModelSource } from './models';
import type { SceneReport, Shared, ShareRequest } from './share/types';
import type { TakeFormat, TakeOptions, TakeSizes } from './take';
import type { Viewpoint } from './viewer/shared-scene';

export type { ViewOptions } from './look';

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
  /** Left out where the model was opened from the user's own disk. */
  keeping?: Keeping;
}

/** Whether a model is on this device now: `full` no room for it, `unavailable` the browser keeps nothing here. */
export type Keeping = 'kept' | 'full' | 'unavailable';

export type Precision = 'int4' | 'int8' | 'f16';

/** What a checkpoint holds, and what it can become. */
export interface CheckpointFacts {
  name: string;
  licence: string;
  trained: boolean;
  parameters: number;
  inputSize: number;
  fileBytes: number;
  /** Bytes by precision. */
  sizes: [Precision, number][];
  notes: string[];
  keys: number;
}

export interface StartOptions {
  /** Longer side of the network's input; the model's own when left out. */
  size?: number;
  /** Smallest confidence of a point that is kept. */
  confidence?: number;
  /** Most bytes of points; beyond it they are merged into voxels. */
  budget?: number;
  /** Under which name the reconstruction is saved as it grows; left out, it is not. */
  save?: { id: string; name: string; began: number };
}

/** What the gate says of a camera's frame. */
export type Verdict = 'take' | 'blurred' | 'still';

/** What is to be taken back: so many frames, the frames of so many seconds, or everything after a position. */
export type UndoRequest = { frames: number } | { seconds: number } | { to: number };

/** Whether the reconstruction is being saved: `full` no room left, `unavailable` the browser keeps nothing here. */
export type Saving = 'off' | 'on' | 'full' | 'unavailable';

/** A reconstruction that was saved before the page was closed or crashed. */
export interface SavedScan {
  id: string;
  name: string;
  /** Identity of the model that made it. */
  model: string;
  frames: number;
  bytes: number;
  /** Milliseconds since 1970. */
  changed: number;
}

/** When the last frame was taken, and the size of its photograph. */
export interface LastFrame {
  time: number;
  width: number;
  height: number;
}

/** Depth in the colours that it has everywhere, and the values at their ends. */
export interface DepthPicture {
  width: number;
  height: number;
  rgba: Uint8ClampedArray<ArrayBuffer>;
  range: [number, number] | null;
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
  /** Side of the voxels that points were merged into, null if they were not. */
  voxel: number | null;
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
  /** Bytes of the points, and how many there may be before they are merged. */
  cloudBytes: number;
  cloudBudget: number | null;
  /** Side of the voxels that points were merged into, in units of the model; and how often that was done. */
  voxel: number | null;
  fusions: number;
  /** Bytes of the frames' pictures and maps. */
  mapBytes: number;
  scale: number;
  error: EngineFailure | null;
}

/** How an error travels: plain, so that it survives `postMessage`. */
export interface EngineFailure {
  code: ErrorCode;
  message: string;
  action: string;
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

export interface Calls extends LookCalls {
  create: { args: { canvas: OffscreenCanvas; device: DeviceChoice }; result: DeviceReport };
  loadModel: { args: ModelSource & { anyway?: boolean }; result: ModelReport };
  readCheckpoint: { args: { file: File; config: File | null }; result: CheckpointFacts };
  /** Of the checkpoint that was read last. `key` is what the model is kept as; `wasmBytes` the memory it took. */
  convertCheckpoint: {
    args: { precision: Precision };
    result: { key: string; bytes: number; wasmBytes: number; seconds: number };
  };
  start: { args: StartOptions; result: undefined };
  push: { args: FrameImage; result: { report: FrameReport; stats: EngineStats } };
  pause: { args: Record<string, never>; result: undefined };
  resume: { args: Record<string, never>; result: undefined };
  /** A camera's frame, which is computed only if the gate lets it pass. */
  offer: { args: FrameImage; result: { verdict: Verdict; taken: { report: FrameReport; stats: EngineStats } | null } };
  undo: { args: UndoRequest; result: EngineStats };
  continueScan: { args: Record<string, never>; result: EngineStats };
  record: { args: { position: number; name: string; began: number }; result: Uint8Array<ArrayBuffer> | undefined };
  restore: { args: { record: Uint8Array<ArrayBuffer> }; result: undefined };
  savedScan: { args: Record<string, never>; result: SavedScan | null };
  openSaved: { args: { id: string }; result: { stats: EngineStats; damaged: boolean } };
  lastFrame: { args: Record<string, never>; result: LastFrame | null };
  discardSaved: { args: { id: string }; result: undefined };
  resumeLog: { args: { id: string }; result: undefined };
  depth: { args: Record<string, never>; result: DepthPicture | null };
  reset: { args: Record<string, never>; result: undefined };
  export: { args: { format: ExportFormat }; result: Uint8Array<ArrayBuffer> };
  take: { args: { format: TakeFormat; options: TakeOptions }; result: File };
  cancelTake: { args: Record<string, never>; result: undefined };
  takeSizes: { args: TakeOptions; result: TakeSizes };
  stats: { args: Record<string, never>; result: EngineStats };
  verify: { args: { url: string }; result: VerifyReport };
  /** Shows a scene file instead of what is there. */
  openScene: { args: { bytes: Uint8Array<ArrayBuffer> }; result: SceneReport };
  /** Turns a scene file into the compact form; needs no engine. */
  packScene: { args: { bytes: Uint8Array<ArrayBuffer>; options: ShareRequest }; result: Shared };
  /** Asking again ends what was asked before: `cancelled`. */
  share: { args: ShareRequest; result: Shared };
  cancelShare: { args: Record<string, never>; result: undefined };
  viewpoint: { args: Record<string, never>; result: Viewpoint | null };
}
export type CallName = keyof Calls;
export type Request = { [K in CallName]: { type: 'call'; id: number; call: K; args: Calls[K]['args'] } }[CallName];

export type ViewCommand =
  | { type: 'view'; view: 'resize'; width: number; height: number; pixelRatio: number }
  | { type: 'view'; view: 'orbit' | 'pan'; dx: number; dy: number }
  | { type: 'view'; view: 'zoom'; factor: number }
  | { type: 'view'; view: 'fit' }
  | { type: 'view'; view: 'look'; viewpoint: Viewpoint }
  | { type: 'view'; view: 'options'; options: ViewOptions }
  | LookCommand;

export type ToWorker = Request | ViewCommand;

export type FromWorker =
  | { type: 'answer'; id: number; value: Calls[CallName]['result'] }
  | { type: 'refusal'; id: number; error: EngineFailure }
  | { type: 'progress'; stage: 'model' | 'prepare' | 'replay' | 'restore' | 'convert'; done: number; total: number }
  | { type: 'saving'; saving: Saving }
  | { type: 'taking'; share: number }
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
    case 'offer':
      return [request.args.image];
    case 'restore':
      return [request.args.record.buffer];
    case 'openScene':
    case 'packScene':
      return [request.args.bytes.buffer];
    default:
      return [];
  }
}
