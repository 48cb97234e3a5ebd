// The page's reconstruction session, published as `window.point3r`: what embedders, the console, the tests and the page's
// own controls use. It owns the engine (and its replacement after a crash), the feeding of frames and the store.
import type { Engine, EngineEvents } from './engine';
import { Point3rError, toPoint3rError } from './errors';
import type { ModelSource } from './models';
import type {
  DeviceChoice,
  EngineStats,
  ExportFormat,
  FrameImage,
  FrameReport,
  StartOptions,
  VerifyReport,
} from './protocol';
import type { AppState, PageState, Progress, Settings, Store } from './store';
import { type FrameSource, openFiles, openUrl, type PickingOptions } from './video';

export interface SessionEvents {
  /** A frame has been reconstructed and its points are on screen. */
  frame: FrameReport;
  progress: Progress;
  error: Point3rError;
  state: PageState;
}

/** What `stats()` answers. `state` is the page's, the counts are the engine's. */
export interface Stats extends Omit<EngineStats, 'state'> {
  state: PageState;
}

/** A sequence being reconstructed. */
export interface Run {
  name: string;
  /** Frames that will be reconstructed. */
  total: number;
  /** Settles when the last frame is done, or when the run was stopped or failed; never rejects (see `stats().error`). */
  finished: Promise<void>;
}

/** What the session needs from the page around it. */
export interface SessionParts {
  store: Store<AppState>;
  makeEngine(events: EngineEvents): Engine;
  /** A canvas that has not been handed to a worker before, already on screen. */
  freshCanvas(): OffscreenCanvas;
  /** Called once an engine stands, to send it the view's size and options. */
  engineReady(engine: Engine): void;
  device: DeviceChoice;
  modelUrl: string;
}

interface Feed {
  stopped: boolean;
  finished: Promise<void>;
}

export class Session {
  /** Fulfilled when the default model is loaded; rejected when the page cannot work. */
  readonly ready: Promise<void>;

  private readonly parts: SessionParts;
  private readonly target = new EventTarget();
  private engine: Engine;
  private feed: Feed | null = null;
  private resumed: { promise: Promise<void>; open(): void } | null = null;
  /** Settles when the model being loaded is there, or is not. */
  private loading: Promise<void>;
  private opening: Promise<unknown> = Promise.resolve();

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.engine = this.newEngine();
    this.ready = this.boot();
    this.loading = this.ready.catch(() => {});
  }

  /** Listens to an event; the answer stops listening. */
  on<K extends keyof SessionEvents>(type: K, listener: (detail: SessionEvents[K]) => void): () => void {
    const wrapped = (event: Event): void => listener((event as CustomEvent<SessionEvents[K]>).detail);
    this.target.addEventListener(type, wrapped);
    return () => this.target.removeEventListener(type, wrapped);
  }

  /**
   * Reconstructs a video or images. Resolves when the source is accepted and its frames begin to flow; the cloud on screen
   * is replaced only then. Rejects with a named error when it is not accepted, and leaves everything as it was.
   * While a model is loading this waits for it.
   */
  open(input: Iterable<File> | FileList | URL | string): Promise<Run> {
    const opened = this.opening.then(() => this.loading).then(() => this.openNow(input));
    this.opening = opened.catch(() => {});
    return opened;
  }

  /** Holds after the frame in work. */
  async pause(): Promise<void> {
    if (this.state !== 'running' || this.resumed) {
      return;
    }
    let open = (): void => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.resumed = { promise, open };
    this.setState('paused');
    await this.reporting(this.engine.pause());
  }

  async resume(): Promise<void> {
    if (this.state !== 'paused') {
      return;
    }
    await this.reporting(this.engine.resume());
    this.setState('running');
    this.letGo();
  }

  /** Ends the sequence after the frame in work; the cloud stays. */
  async stop(): Promise<void> {
    const feed = this.feed;
    if (!feed) {
      return;
    }
    feed.stopped = true;
    if (this.state === 'paused') {
      await this.reporting(this.engine.resume());
    }
    this.letGo();
    await feed.finished;
  }

  /** Takes back the last frames of the sequence. */
  async undo(frames = 1): Promise<void> {
    this.showCounts(await this.reporting(this.engine.undo(frames)));
  }

  /** Forgets the sequence and its cloud. After a crash or a lost device this starts a new engine. */
  async reset(): Promise<void> {
    const renew = this.state === 'lost' || this.state === 'failed';
    if (renew) {
      await this.renewEngine();
    } else {
      const feed = this.feed;
      if (feed) {
        feed.stopped = true;
      }
      // The frame in work is given up: its push is rejected, which ends the feed.
      await this.reporting(this.engine.reset());
      this.letGo();
      await feed?.finished;
    }
    this.parts.store.set({ frames: 0, pointers: 0, points: 0, msPerFrame: 0, source: '', error: null, progress: null });
  }

  async export(format: ExportFormat): Promise<Blob> {
    const type = {
      ply: 'application/octet-stream',
      tum: 'text/plain',
      intrinsics: 'application/json',
      glb: 'model/gltf-binary',
    }[format];
    return new Blob([await this.reporting(this.engine.export(format))], { type });
  }

  async stats(): Promise<Stats> {
    const { state, device, frames, pointers, points, msPerFrame, error } = this.parts.store.get();
    const shown = { state, error: error?.toFailure() ?? null };
    try {
      return { ...(await this.engine.stats()), ...shown };
    } catch {
      const known = { device: device?.backend ?? '', tier: device?.tier ?? 'none', gpuBytes: 0, wasmBytes: 0 };
      return { ...known, frames, pointers, points, msPerFrame, ...shown };
    }
  }

  /** Replaces the model by one of the page's own site (the address of its manifest), or by the files of a folder. */
  loadModel(from: string | readonly File[]): Promise<void> {
    const loaded = this.loadNow(from);
    this.loading = loaded.catch(() => {});
    return loaded;
  }

  private async loadNow(from: string | readonly File[]): Promise<void> {
    const source = this.modelSource(from);
    await this.stop();
    const before = this.state;
    this.parts.store.set({ progress: { stage: 'model', done: 0, total: 0 } });
    this.setState('loading');
    try {
      const model = await this.engine.loadModel(source);
      this.parts.store.set({ model, progress: null, error: null });
      this.setState('ready');
    } catch (thrown) {
      this.parts.store.set({ progress: null });
      if (this.state === 'loading') {
        this.setState(before === 'ready' ? 'ready' : 'failed');
      }
      throw this.report(toPoint3rError(thrown, 'network'));
    }
  }

  private modelSource(from: string | readonly File[]): ModelSource {
    if (typeof from !== 'string') {
      return { files: [...from] };
    }
    const { href, origin } = new URL(from, document.baseURI);
    if (origin !== location.origin) {
      throw this.report(new Point3rError('bad-request', 'Models are loaded from the page’s own site only.'));
    }
    return { url: href };
  }

  /** Checks the network against a golden folder, on the engine's own device. */
  verify(folder: string): Promise<VerifyReport> {
    return this.engine.verify(new URL(folder, document.baseURI).href);
  }

  setSettings(change: Partial<Settings>): void {
    const settings = { ...this.parts.store.get().settings, ...change };
    this.parts.store.set({ settings });
    const { confidence, pointSize } = settings;
    this.engine.view({ type: 'view', view: 'options', options: { confidence, pointSize } });
  }

  dismissError(): void {
    this.parts.store.set({ error: null });
  }

  /** The engine of the moment, for the view. */
  get currentEngine(): Engine {
    return this.engine;
  }

  private get state(): PageState {
    return this.parts.store.get().state;
  }

  private newEngine(): Engine {
    const gone = (error: Point3rError): void => {
      if (engine === this.engine) {
        this.loseEngine(error);
      }
    };
    const engine: Engine = this.parts.makeEngine({
      progress: (done, total) => this.setProgress({ stage: 'model', done, total }),
      crashed: gone,
      lost: gone,
    });
    return engine;
  }

  private async boot(): Promise<void> {
    try {
      const device = await this.engine.create(this.parts.freshCanvas(), this.parts.device);
      this.parts.store.set({ device });
      this.parts.engineReady(this.engine);
      this.setProgress({ stage: 'model', done: 0, total: 0 });
      const model = await this.engine.loadModel({ url: this.parts.modelUrl });
      this.parts.store.set({ model, progress: null });
      this.setState('ready');
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'crashed');
      this.parts.store.set({ progress: null });
      this.setState(error.code === 'no-webgpu' || error.code === 'no-adapter' ? 'unsupported' : 'failed');
      throw this.report(error);
    }
  }

  private async renewEngine(): Promise<void> {
    this.engine.dispose();
    this.letGo();
    await this.feed?.finished;
    this.engine = this.newEngine();
    this.parts.store.set({ model: null, device: null });
    this.setState('loading');
    const booted = this.boot();
    this.loading = booted.catch(() => {});
    await booted;
  }

  private async openNow(input: Iterable<File> | FileList | URL | string): Promise<Run> {
    if (!['ready', 'running', 'paused'].includes(this.state)) {
      throw this.report(new Point3rError('bad-request', 'The engine has stopped.', 'Press Reset, then open it again.'));
    }
    try {
      if (!this.feed) {
        this.setProgress({ stage: 'open', done: 0, total: 0 });
      }
      const { rate, maxFrames } = this.parts.store.get().settings;
      const source = await openSource(input, { rate, maxFrames });
      await this.stop();
      await this.engine.start({} satisfies StartOptions);
      this.parts.store.set({ source: source.name, frames: 0, pointers: 0, points: 0, msPerFrame: 0, error: null });
      this.setProgress({ stage: 'frames', done: 0, total: source.total });
      this.setState('running');
      const feed: Feed = { stopped: false, finished: Promise.resolve() };
      feed.finished = this.run(source, feed);
      this.feed = feed;
      return { name: source.name, total: source.total, finished: feed.finished };
    } catch (thrown) {
      if (!this.feed) {
        this.parts.store.set({ progress: null });
      }
      throw this.report(toPoint3rError(thrown, 'unsupported-file'));
    }
  }

  /** Pushes every frame, one at a time: the decoder is asked for the next only when the engine has taken the last. */
  private async run(source: FrameSource, feed: Feed): Promise<void> {
    let done = 0;
    try {
      for await (const frame of source.frames()) {
        await this.resumed?.promise;
        if (feed.stopped || this.state !== 'running') {
          frame.image.close();
          break;
        }
        this.setProgress({ stage: 'frames', done: done++, total: source.total });
        const taken = await this.take(frame);
        if (taken) {
          this.showCounts(taken.stats);
          this.emit('frame', taken.report);
        }
        this.setProgress({ stage: 'frames', done, total: source.total });
      }
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'damaged-file');
      if (error.code === 'device-lost') {
        this.setState('lost');
      }
      if (!feed.stopped || error.code !== 'bad-request') {
        this.report(error);
      }
    } finally {
      this.feed = null;
      this.letGo();
      this.parts.store.set({ progress: null });
      if (this.state === 'running' || this.state === 'paused') {
        this.setState('ready');
      }
    }
  }

  /** Pushes a frame. One that the network makes nothing of is reported and left out; the sequence goes on. */
  private async take(frame: FrameImage): Promise<Awaited<ReturnType<Engine['push']>> | null> {
    try {
      return await this.engine.push(frame);
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'damaged-file');
      if (error.code !== 'not-finite') {
        throw error;
      }
      this.report(error);
      return null;
    }
  }

  private loseEngine(error: Point3rError): void {
    // While the engine starts, `boot` reports the failure.
    if (this.state !== 'loading' || this.parts.store.get().model) {
      this.parts.store.set({ progress: null });
      this.setState('lost');
      this.report(error);
    }
    this.letGo();
  }

  private letGo(): void {
    this.resumed?.open();
    this.resumed = null;
  }

  private showCounts({ frames, pointers, points, msPerFrame }: EngineStats): void {
    this.parts.store.set({ frames, pointers, points, msPerFrame });
  }

  private setState(state: PageState): void {
    if (state !== this.state) {
      this.parts.store.set({ state });
      this.emit('state', state);
    }
  }

  private setProgress(progress: Progress): void {
    this.parts.store.set({ progress });
    this.emit('progress', progress);
  }

  /** Shows an error, once however many promises it rejects; gives it back to be thrown or not. */
  private report(error: Point3rError): Point3rError {
    if (error !== this.parts.store.get().error) {
      this.parts.store.set({ error });
      this.emit('error', error);
    }
    return error;
  }

  private async reporting<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      throw this.report(toPoint3rError(thrown, 'bad-request'));
    }
  }

  private emit<K extends keyof SessionEvents>(type: K, detail: SessionEvents[K]): void {
    this.target.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function openSource(input: Iterable<File> | FileList | URL | string, options: PickingOptions): Promise<FrameSource> {
  if (typeof input === 'string' || input instanceof URL) {
    return openUrl(new URL(input, document.baseURI), options);
  }
  return openFiles([...input], options);
}
