// The page's reconstruction session, published as `window.point3r`: what embedders, the console, the tests and the page's
// own controls use. What happens to the engine is in `session/engines.ts`, what happens to frames in `session/runner.ts`.
import type { Camera } from './camera/camera';
import type { Engine } from './engine';
import { Point3rError, toPoint3rError } from './errors';
import type { DepthPicture, VerifyReport } from './protocol';
import { Core } from './session/core';
import { Engines, type ModelChoice } from './session/engines';
import type { Models } from './session/models';
import type { Recovery } from './session/recovery';
import type { Runner } from './session/runner';
import { discardSaved, openSaved } from './session/saved';
import { sceneIn } from './session/scenes';
import { takeAway } from './session/take';
import type { Run, SessionEvents, SessionParts, Stats, UndoWhat } from './session/types';
import { SceneView } from './session/view';
import type { Shared, ShareRequest } from './share/types';
import type { AppState, PageState, Settings, ViewSettings } from './store';
import type { TakeFormat, TakeOptions, TakeSizes } from './take';
import { type FrameSource, openFiles, openUrl, type PickingOptions } from './video';
import type { Viewpoint } from './viewer/shared-scene';

export type { Run, SessionEvents, SessionParts, Stats, UndoWhat } from './session/types';

export class Session {
  /** Fulfilled when the default model is loaded; rejected when the page cannot work. */
  readonly ready: Promise<void>;
  /** Looking at the scene. */
  readonly view: SceneView;

  /** Models, and checkpoints that become some. */
  readonly models: Models;

  private readonly parts: SessionParts;
  private readonly core: Core;
  private readonly engines: Engines;
  private readonly runner: Runner;
  private readonly recovery: Recovery;
  private opening: Promise<unknown> = Promise.resolve();

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.core = new Core(parts);
    this.view = new SceneView(parts.store, () => this.engine);
    this.core.begun = () => this.view.forget();
    this.engines = new Engines(this.core, this.view);
    this.models = this.engines.models;
    this.runner = this.engines.runner;
    this.recovery = this.engines.recovery;
    this.ready = this.engines.start();
  }

  /** Listens to an event; the answer stops listening. */
  on<K extends keyof SessionEvents>(type: K, listener: (detail: SessionEvents[K]) => void): () => void {
    return this.core.on(type, listener);
  }

  /**
   * Reconstructs a video or images, or shows a scene (GLB, PLY). Resolves when the source is accepted and its frames begin to flow; the cloud on screen
   * is replaced only then. Rejects with a named error when it is not accepted, and leaves everything as it was.
   * While a model is loading this waits for it.
   */
  open(input: Iterable<File> | FileList | URL | string): Promise<Run> {
    return this.queued(() => this.openNow(input));
  }

  /** Scans with the camera, from an empty cloud. Rejects with a named error when there is none to be had. */
  scan(): Promise<Run> {
    return this.queued(async () => {
      await this.engines.needModel();
      this.core.scene = null;
      return this.runner.scan();
    });
  }

  /** Goes on with the reconstruction that is there, with the camera: after Stop, or after it was opened again. */
  continueScan(): Promise<Run> {
    return this.queued(() => this.runner.continueScan());
  }

  /** The camera that is on. */
  get camera(): Camera | null {
    return this.runner.live.camera;
  }

  /** Degrees clockwise by which the camera's pictures are turned to be as the scan began. */
  get cameraTurn(): number {
    return this.runner.live.source?.turn ?? 0;
  }

  /** The depth of the last frame, in colours; null before the first. */
  depth(): Promise<DepthPicture | null> {
    return this.engine.depth();
  }

  /** Holds after the frame in work. */
  pause(): Promise<void> {
    return this.runner.pause();
  }

  /** Goes on. Where the camera was unplugged it is opened again; where the scan was ended, see `continueScan`. */
  async resume(): Promise<void> {
    if (this.state === 'ready' && this.core.store.get().continuable) {
      await this.continueScan();
    } else {
      await this.runner.resume();
    }
  }

  /** Ends the sequence after the frame in work; the cloud stays. */
  async stop(): Promise<void> {
    await this.engines.stop();
  }

  /** Takes back frames: so many, those of the last seconds (`{ seconds }`), or all after a position (`{ to }`). */
  async undo(what: UndoWhat = 1): Promise<void> {
    await this.recovery.over;
    if (this.core.store.get().opened) {
      throw this.report(
        new Point3rError('bad-request', 'An opened scene cannot be undone.', 'Reset shows an empty view again.'),
      );
    }
    const { feed } = this.runner;
    feed?.hold('undo');
    const { progress } = this.core.store.get();
    try {
      const request = typeof what === 'number' ? { frames: what } : what;
      this.core.showCounts(await this.reporting(this.engine.undo(request)));
    } finally {
      this.core.store.set({ progress: feed ? progress : null });
      feed?.release('undo');
    }
  }

  /** Forgets the sequence, its cloud and what was saved of it. After a crash this starts a new engine. */
  async reset(): Promise<void> {
    await this.recovery.over;
    const ended = this.runner.end();
    if (this.state === 'lost' || this.state === 'failed') {
      this.recovery.askNoMore();
      this.engine.dispose();
      await ended;
      await this.engines.renew();
    } else {
      // The frame in work is given up: its push is rejected, which ends the feed.
      await this.reporting(this.engine.reset());
      await ended;
    }
    this.core.saved = null;
    this.core.scene = null;
    const nothing = { frames: 0, pointers: 0, points: 0, msPerFrame: 0, source: '', continuable: false, opened: false };
    this.core.store.set({ ...nothing, error: null, progress: null, saving: 'off', note: '' });
    this.view.forget();
  }

  /** Shows the scan that an earlier visit left (`stats` and store tell of it); `continueScan` goes on with it. */
  openSaved(): Promise<void> {
    return this.queued(async () => {
      await this.runner.stop();
      this.core.scene = null;
      await openSaved(this.core);
      this.view.forget();
    });
  }

  /** Deletes the scan that an earlier visit left. */
  discardSaved(): Promise<void> {
    return discardSaved(this.core);
  }

  dismissNote(): void {
    this.core.store.set({ note: '' });
  }

  /**
   * Makes a file of what is there, also while frames are computed or after the device is lost. Formats of many files come
   * as a zip. One at a time; `cancelExport` rejects it with `cancelled`.
   */
  export(format: TakeFormat, options: TakeOptions = {}): Promise<File> {
    return takeAway(this.core, format, options);
  }

  /** Stops the export that is going on. */
  async cancelExport(): Promise<void> {
    await this.engine.cancelTake();
  }

  /** About how many bytes each format would take; absent where only making it can tell. */
  exportSizes(options: TakeOptions = {}): Promise<TakeSizes> {
    return this.engine.takeSizes(options);
  }

  async stats(): Promise<Stats> {
    const { state, device, frames, pointers, points, msPerFrame, error } = this.parts.store.get();
    const shown = { state, error: error?.toFailure() ?? null };
    try {
      return { ...(await this.engine.stats()), ...shown };
    } catch {
      const nothing = {
        gpuBytes: 0,
        wasmBytes: 0,
        cloudBytes: 0,
        cloudBudget: null,
        voxel: null,
        fusions: 0,
        mapBytes: 0,
      };
      const known = { device: device?.backend ?? '', tier: device?.tier ?? 'none', ...nothing, scale: 1 };
      return { ...known, frames, pointers, points, msPerFrame, ...shown };
    }
  }

  /**
   * Replaces the model by one of the page's own site (the address of its manifest), by the files of a folder, or by one
   * that was made here (`{ kept }`).
   */
  loadModel(from: ModelChoice): Promise<void> {
    return this.engines.load(from);
  }

  /** Packs what is there into the compact form of links, within a budget of bytes; asking again cancels what was asked. */
  async share(request: ShareRequest): Promise<Shared> {
    try {
      return await this.engine.share({ confidence: this.view.settings.confidence, ...request });
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'bad-request');
      throw error.code === 'cancelled' ? error : this.report(error);
    }
  }

  /** Ends the packing that is going on. */
  cancelShare(): Promise<void> {
    return this.engine.cancelShare();
  }

  /** What the scene on screen is called. */
  get sceneTitle(): string {
    return this.parts.store.get().source.replace(/\.[a-z0-9]{2,4}$/i, '');
  }

  /** Where the viewer stands and looks at; null without a view. */
  viewpoint(): Promise<Viewpoint | null> {
    return this.engine.viewpoint();
  }

  look(viewpoint: Viewpoint): void {
    this.engine.view({ type: 'view', view: 'look', viewpoint });
  }

  /** Checks the network against a golden folder, on the engine's own device. */
  verify(folder: string): Promise<VerifyReport> {
    return this.engine.verify(new URL(folder, document.baseURI).href);
  }

  /** How frames are picked, for the next video; and, for short, confidence and point size of the view. */
  setSettings({ confidence, pointSize, ...change }: Partial<Settings> & Partial<ViewSettings>): void {
    this.parts.store.set({ settings: { ...this.parts.store.get().settings, ...change } });
    if (confidence !== undefined) {
      this.view.set({ confidence });
    }
    if (pointSize !== undefined) {
      this.view.set({ pointSize });
    }
  }

  /** Calls after every change of the page's state. */
  onState(listener: (state: AppState) => void): () => void {
    return this.parts.store.subscribe(listener);
  }

  /** Shows what `work` is rejected with, and passes it on. */
  reportingFailure<T>(work: Promise<T>): Promise<T> {
    return this.reporting(work);
  }

  dismissError(): void {
    this.parts.store.set({ error: null });
  }

  /** The engine of the moment, for the view. */
  get currentEngine(): Engine {
    return this.engine;
  }

  private get engine(): Engine {
    return this.core.engine;
  }

  private get state(): PageState {
    return this.core.state;
  }

  /** One opening after another, none before the model is there; its error is reported. */
  private queued<T>(work: () => Promise<T>): Promise<T> {
    const allowed = (): Promise<T> => {
      if (!['ready', 'running', 'paused'].includes(this.state)) {
        const advice = 'Press Reset, then open it again.';
        return Promise.reject(new Point3rError('bad-request', 'The engine has stopped.', advice));
      }
      return work();
    };
    const done = this.opening
      .then(() => this.engines.loading)
      .then(() => this.recovery.over)
      .then(() => this.reporting(allowed()))
      .catch((thrown: unknown) => {
        if (!this.runner.feed) {
          this.parts.store.set({ progress: null });
        }
        throw thrown;
      });
    this.opening = done.catch(() => {});
    return done;
  }

  private async openNow(input: Iterable<File> | FileList | URL | string): Promise<Run> {
    if (!this.runner.feed) {
      this.core.setProgress({ stage: 'open', done: 0, total: 0 });
    }
    const { rate, maxFrames } = this.core.settings;
    const given = typeof input === 'string' || input instanceof URL ? new URL(input, document.baseURI) : [...input];
    let source: FrameSource;
    try {
      const scene = await sceneIn(given);
      if (scene) {
        await this.runner.stop();
        const { cameras } = await this.engines.showScene(scene);
        return { name: this.parts.store.get().source, total: cameras, finished: Promise.resolve() };
      }
      source = await openSource(given, { rate, maxFrames });
    } catch (thrown) {
      throw toPoint3rError(thrown, 'unsupported-file');
    }
    await this.engines.needModel();
    this.core.scene = null;
    return this.runner.begin(source);
  }

  private report(error: Point3rError): Point3rError {
    return this.core.report(error);
  }

  private reporting<T>(work: Promise<T>): Promise<T> {
    return this.core.reporting(work);
  }
}

function openSource(input: readonly File[] | URL, options: PickingOptions): Promise<FrameSource> {
  return input instanceof URL ? openUrl(input, options) : openFiles(input, options);
}
