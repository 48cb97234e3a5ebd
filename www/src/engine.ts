// The engine as the page knows it, and its implementation by a worker. The page never sees wasm, `postMessage` or ids.
import { Point3rError } from './errors';
import type { LookCalls } from './look';
import type { ModelSource } from './models';
import {
  type CallName,
  type Calls,
  type CheckpointFacts,
  type DepthPicture,
  type DeviceChoice,
  type DeviceReport,
  type EngineStats,
  type ExportFormat,
  type FrameImage,
  type FrameReport,
  type FromWorker,
  isPanic,
  type LastFrame,
  type ModelReport,
  type Precision,
  type Request,
  type SavedScan,
  type Saving,
  type StartOptions,
  transferables,
  type UndoRequest,
  type VerifyReport,
  type ViewCommand,
} from './protocol';
import type { SceneReport, Shared, ShareRequest } from './share/types';
import type { TakeFormat, TakeOptions, TakeSizes } from './take';
import type { Viewpoint } from './viewer/shared-scene';

/** One engine lives from `create` to `dispose`. After a crash only `export` and `dispose` are of use. */
export interface Engine {
  /** Compiles the engine, opens the devices and binds the canvas. Must be called first, once. */
  create(canvas: OffscreenCanvas, device: DeviceChoice): Promise<DeviceReport>;
  /** Loads a model folder. On failure the previous model stays in use. */
  loadModel(source: ModelSource & { anyway?: boolean }): Promise<ModelReport>;
  /** Reads what a checkpoint holds; without `create`, best in an engine of its own. */
  readCheckpoint(file: File, config: File | null): Promise<CheckpointFacts>;
  /** Makes a model of the checkpoint that was read, kept on this device. */
  convertCheckpoint(precision: Precision): Promise<Calls['convertCheckpoint']['result']>;
  /** Begins a new sequence with an empty cloud. */
  start(options: StartOptions): Promise<void>;
  /** Reconstructs one frame; one at a time. The image is handed over. */
  push(frame: FrameImage): Promise<{ report: FrameReport; stats: EngineStats }>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Reconstructs a live camera's frame if it is worth it; one at a time. The image is handed over. */
  offer(frame: FrameImage): Promise<Calls['offer']['result']>;
  /** Takes frames back, after the one in work; any number of them. */
  undo(what: UndoRequest): Promise<EngineStats>;
  /** Takes up the reconstruction that is there: after `stop`, or after it was restored. */
  continueScan(): Promise<EngineStats>;
  /** The bytes that restore the reconstruction in another engine: -1 its beginning, then frame by frame until undefined. */
  record(position: number, name: string, began: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  restore(record: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The last reconstruction that was saved, if there is one. */
  savedScan(): Promise<SavedScan | null>;
  openSaved(id: string): Promise<Calls['openSaved']['result']>;
  discardSaved(id: string): Promise<void>;
  /** Goes on saving into a file that another engine wrote. */
  resumeLog(id: string): Promise<void>;
  lastFrame(): Promise<LastFrame | null>;
  /** The last frame's depth in colours. */
  depth(): Promise<DepthPicture | null>;
  /** Forgets the sequence and its cloud; the model stays. */
  reset(): Promise<void>;
  /** The formats of one file, also after a crash. */
  export(format: ExportFormat): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes any file, giving way to everything else; one at a time. */
  take(format: TakeFormat, options: TakeOptions): Promise<File>;
  /** Stops the file being made: its promise is rejected with `cancelled`. */
  cancelTake(): Promise<void>;
  takeSizes(options: TakeOptions): Promise<TakeSizes>;
  stats(): Promise<EngineStats>;
  /** Runs the golden folder at this address on the engine's own device. */
  verify(url: string): Promise<VerifyReport>;
  /** What is asked about the view: points, frames, history, scale. */
  look<K extends keyof LookCalls>(call: K, args: LookCalls[K]['args']): Promise<LookCalls[K]['result']>;
  /** Shows a scene file instead of what is there. The bytes are handed over. */
  openScene(bytes: Uint8Array<ArrayBuffer>): Promise<SceneReport>;
  /** Turns a scene file into the compact form; also before `create`. The bytes are handed over. */
  packScene(bytes: Uint8Array<ArrayBuffer>, options: ShareRequest): Promise<Shared>;
  /** Packs what is there. */
  share(request: ShareRequest): Promise<Shared>;
  /** Ends the packing that is going on: its promise is rejected with `cancelled`. */
  cancelShare(): Promise<void>;
  /** Where the viewer stands; null without a view. */
  viewpoint(): Promise<Viewpoint | null>;
  /** Camera and appearance; not answered. */
  view(command: ViewCommand): void;
  dispose(): void;
}

export interface EngineEvents {
  /** The share of the file being made that is there. */
  taking(share: number): void;
  /** Bytes of the model loaded so far, frames of a replay, per cent of a saved scan, bytes of a checkpoint (twice). */
  progress(stage: 'model' | 'prepare' | 'replay' | 'restore' | 'convert', done: number, total: number): void;
  saving(saving: Saving): void;
  /** The engine is gone: every call in flight has been rejected with `crashed`. */
  crashed(error: Point3rError): void;
  /** The graphics device is gone: nothing is drawn any more, the cloud can still be exported. */
  lost(error: Point3rError): void;
}

/** What is needed of a `Worker`, so that tests can stand in for it. */
export interface WorkerPort {
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
  terminate(): void;
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Point3rError): void;
}

/** The engine in a worker: every call is a promise, settled by the worker's answer or by its crash. */
export class WorkerEngine implements Engine {
  private readonly port: WorkerPort;
  private readonly events: EngineEvents;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private crash: Point3rError | null = null;

  constructor(port: WorkerPort, events: EngineEvents) {
    this.port = port;
    this.events = events;
    port.onmessage = (event) => this.receive(event.data);
    port.onerror = (event) => this.crashed(event.message ?? 'the worker could not be started');
  }

  create(canvas: OffscreenCanvas, device: DeviceChoice) {
    return this.call('create', { canvas, device });
  }
  loadModel(source: ModelSource & { anyway?: boolean }) {
    return this.call('loadModel', source);
  }
  readCheckpoint(file: File, config: File | null) {
    return this.call('readCheckpoint', { file, config });
  }
  convertCheckpoint(precision: Precision) {
    return this.call('convertCheckpoint', { precision });
  }
  start(options: StartOptions): Promise<void> {
    return this.call('start', options);
  }
  push(frame: FrameImage) {
    return this.call('push', frame);
  }
  pause(): Promise<void> {
    return this.call('pause', {});
  }
  resume(): Promise<void> {
    return this.call('resume', {});
  }
  offer(frame: FrameImage) {
    return this.call('offer', frame);
  }
  undo(what: UndoRequest) {
    return this.call('undo', what);
  }
  continueScan() {
    return this.call('continueScan', {});
  }
  record(position: number, name: string, began: number) {
    return this.call('record', { position, name, began }, true);
  }
  restore(record: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.call('restore', { record });
  }
  savedScan() {
    return this.call('savedScan', {});
  }
  openSaved(id: string) {
    return this.call('openSaved', { id });
  }
  discardSaved(id: string): Promise<void> {
    return this.call('discardSaved', { id });
  }
  resumeLog(id: string): Promise<void> {
    return this.call('resumeLog', { id });
  }
  lastFrame() {
    return this.call('lastFrame', {});
  }
  depth() {
    return this.call('depth', {});
  }
  reset(): Promise<void> {
    return this.call('reset', {});
  }
  export(format: ExportFormat) {
    // The worker's JavaScript outlives a Rust panic and still hands out the cloud.
    return this.call('export', { format }, true);
  }
  take(format: TakeFormat, options: TakeOptions) {
    return this.call('take', { format, options });
  }
  cancelTake(): Promise<void> {
    return this.call('cancelTake', {});
  }
  takeSizes(options: TakeOptions) {
    return this.call('takeSizes', options);
  }
  stats() {
    return this.call('stats', {});
  }
  verify(url: string) {
    return this.call('verify', { url });
  }
  look<K extends keyof LookCalls>(call: K, args: LookCalls[K]['args']): Promise<LookCalls[K]['result']> {
    return this.call(call, args as Calls[K]['args']);
  }
  openScene(bytes: Uint8Array<ArrayBuffer>) {
    return this.call('openScene', { bytes });
  }
  packScene(bytes: Uint8Array<ArrayBuffer>, options: ShareRequest) {
    return this.call('packScene', { bytes, options });
  }
  share(request: ShareRequest) {
    return this.call('share', request);
  }
  cancelShare(): Promise<void> {
    return this.call('cancelShare', {});
  }
  viewpoint() {
    return this.call('viewpoint', {});
  }
  view(command: ViewCommand): void {
    this.port.postMessage(command, []);
  }
  dispose(): void {
    this.port.terminate();
    this.rejectAll(new Point3rError('crashed', 'The engine was closed.'));
  }

  private call<K extends CallName>(call: K, args: Calls[K]['args'], evenAfterCrash = false) {
    return new Promise<Calls[K]['result']>((resolve, reject) => {
      if (this.crash && !evenAfterCrash) {
        reject(this.crash);
        return;
      }
      const id = this.nextId++;
      // The compiler cannot see that `call` and `args` belong together; the signature above guarantees it.
      const request = { type: 'call', id, call, args } as Request;
      this.waiting.set(id, { resolve: resolve as (value: never) => void, reject });
      try {
        this.port.postMessage(request, transferables(request));
      } catch (thrown) {
        this.waiting.delete(id);
        reject(new Point3rError('bad-request', String(thrown)));
      }
    });
  }

  private receive(message: FromWorker | { code: 'crashed'; message: string }): void {
    if (isPanic(message)) {
      this.crashed(message.message);
      return;
    }
    switch (message.type) {
      case 'progress':
        this.events.progress(message.stage, message.done, message.total);
        break;
      case 'taking':
        this.events.taking(message.share);
        break;
      case 'saving':
        this.events.saving(message.saving);
        break;
      case 'crashed':
        this.crashed(message.message);
        break;
      case 'lost':
        this.events.lost(Point3rError.fromFailure(message.error));
        break;
      case 'answer':
        this.settle(message.id)?.resolve(message.value as never);
        break;
      case 'refusal':
        this.settle(message.id)?.reject(Point3rError.fromFailure(message.error));
        break;
    }
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private crashed(message: string): void {
    if (this.crash) {
      return;
    }
    this.crash = new Point3rError('crashed', message);
    this.rejectAll(this.crash);
    this.events.crashed(this.crash);
  }

  private rejectAll(error: Point3rError): void {
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const one of waiting) {
      one.reject(error);
    }
  }
}
