// The session's engine from its start to its end: booted with the model or a first scene, replaced when its device is
// lost, given another model.
import type { Engine } from '../engine';
import { Point3rError, toPoint3rError } from '../errors';
import type { ModelSource } from '../models';
import type { SceneReport } from '../share/types';
import type { PageState } from '../store';
import type { Core } from './core';
import { Models } from './models';
import { Recovery } from './recovery';
import { Runner } from './runner';
import { lookForSaved, showSaving } from './saved';
import { type SceneFile, showScene } from './scenes';
import { showTaking } from './take';
import type { SessionParts } from './types';
import type { SceneView } from './view';

/** A model by its manifest's address on the page's own site, by the files of its folder, or made here. */
export type ModelChoice = string | readonly File[] | { kept: string };

export class Engines {
  readonly runner: Runner;
  readonly recovery: Recovery;
  readonly models: Models;
  /** Settles when the model being loaded is there, or is not. */
  loading: Promise<void> = Promise.resolve();

  private readonly core: Core;
  private readonly view: SceneView;
  /** Engines that were lost before they were in use. */
  private readonly stillborn = new Map<Engine, Point3rError>();

  constructor(core: Core, view: SceneView) {
    this.core = core;
    this.view = view;
    this.runner = new Runner(core, (error) => this.recover(error));
    this.recovery = new Recovery({
      core,
      make: (undrawn) => this.replacement(undrawn),
      deviceIsBack: async () => (await navigator.gpu.requestAdapter()) !== null,
      feed: () => this.runner.feed,
      giveUp: (error) => this.giveUp(error),
    });
    this.models = new Models(core, () => this.recovery.exchange());
  }

  /** Starts the first engine, or another one after a crash. */
  start(): Promise<void> {
    this.core.engine = this.newEngine();
    const booted = this.boot();
    this.loading = booted.catch(() => {});
    return booted;
  }

  /** Starts another engine in the place of the last. */
  async renew(): Promise<void> {
    this.parts.store.set({ model: null, device: null });
    this.core.setState('loading');
    await this.start();
  }

  /** Ends what is fed, once no recovery is going on. */
  async stop(): Promise<void> {
    await this.recovery.over;
    await this.runner.stop();
  }

  /** Replaces the model. */
  load(from: ModelChoice): Promise<void> {
    const loaded = this.loadNow(from);
    this.loading = loaded.catch(() => {});
    return loaded;
  }

  private async loadNow(from: ModelChoice): Promise<void> {
    const source = this.modelSource(from);
    await this.stop();
    const before = this.state;
    this.parts.store.set({ progress: { stage: 'model', done: 0, total: 0 } });
    this.core.setState('loading');
    try {
      const model = await this.models.bring(source);
      this.parts.store.set({ model, progress: null, error: null });
      this.core.setState('ready');
      await this.models.offer();
    } catch (thrown) {
      this.parts.store.set({ progress: null });
      if (this.state === 'loading') {
        this.core.setState(before === 'ready' ? 'ready' : 'failed');
      }
      throw this.core.report(toPoint3rError(thrown, 'network'));
    }
  }

  private modelSource(from: ModelChoice): ModelSource {
    if (typeof from === 'object' && 'kept' in from) {
      return { kept: from.kept };
    }
    if (typeof from !== 'string') {
      return { files: [...from] };
    }
    const { href, origin } = new URL(from, document.baseURI);
    if (origin !== location.origin) {
      throw this.core.report(new Point3rError('bad-request', 'Models are loaded from the page’s own site only.'));
    }
    return { url: href };
  }

  private newEngine(): Engine {
    const gone = (error: Point3rError): void => {
      if (engine === this.core.engine) {
        this.loseEngine(error);
      } else {
        this.stillborn.set(engine, error);
      }
    };
    const engine: Engine = this.parts.makeEngine({
      progress: (stage, done, total) => this.core.setProgress({ stage, done, total }),
      saving: (saving) => showSaving(this.core, saving),
      taking: (share) => showTaking(this.core, share),
      crashed: gone,
      lost: gone,
    });
    return engine;
  }

  private async boot(): Promise<void> {
    try {
      const device = await this.engine.create(this.parts.freshCanvas(), this.core.device);
      this.parts.store.set({ device });
      this.parts.engineReady(this.engine);
      this.view.introduce(this.engine);
      const scene = await this.showFirst();
      if (!scene) {
        await this.needModel();
      }
      this.core.setState('ready');
      if (!scene) {
        lookForSaved(this.core);
        void this.models.offer();
      }
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'crashed');
      this.parts.store.set({ progress: null });
      this.core.setState(error.code === 'no-webgpu' || error.code === 'no-adapter' ? 'unsupported' : 'failed');
      throw this.core.report(error);
    }
  }

  /** Shows the scene that the page was opened with; whether there was one to be shown. */
  private async showFirst(): Promise<boolean> {
    const { first } = this.parts;
    if (!first) {
      return false;
    }
    delete this.parts.first;
    try {
      const file = await first;
      if (file) {
        await this.showScene(file);
      }
      return file !== null;
    } catch (thrown) {
      this.core.report(toPoint3rError(thrown, 'scene-damaged'));
      return true;
    } finally {
      this.parts.store.set({ progress: null });
    }
  }

  /** Shows a scene instead of what is there. */
  async showScene(file: SceneFile): Promise<SceneReport> {
    const report = await showScene(this.core, file);
    this.view.forget();
    this.core.emit('scene', report);
    return report;
  }

  /** Loads the model unless there is one. */
  async needModel(): Promise<void> {
    if (!this.parts.store.get().model) {
      this.core.setProgress({ stage: 'model', done: 0, total: 0 });
      const model = await this.models.bring(this.core.model);
      this.parts.store.set({ model, progress: null });
    }
  }

  private loseEngine(error: Point3rError): void {
    // While the engine starts, `boot` reports the failure.
    if (this.state === 'loading' && !this.parts.store.get().model) {
      return;
    }
    if (error.code === 'device-lost') {
      this.recover(error).catch(() => {});
    } else {
      this.giveUp(error);
    }
  }

  private async recover(error: Point3rError): Promise<boolean> {
    const recovered = await this.recovery.start(error);
    const lostAgain = this.stillborn.get(this.engine);
    this.stillborn.clear();
    if (lostAgain) {
      // Whoever waits for this recovery learns first that it is over.
      setTimeout(() => this.loseEngine(lostAgain), 0);
    }
    return recovered;
  }

  /** The engine is gone for good: what is on screen stays, and can be exported while the worker answers. */
  private giveUp(error: Point3rError): void {
    this.parts.store.set({ progress: null });
    this.core.setState('lost');
    this.core.report(error);
    // Its end is reported by the run itself.
    this.runner.end().catch(() => {});
  }

  /** An engine with view and model, not in use yet. */
  private async replacement(undrawn: boolean): Promise<Engine> {
    const engine = this.newEngine();
    try {
      const device = await engine.create(this.parts.freshCanvas(), undrawn ? 'cpu' : this.core.device);
      if (!device.rendering && !undrawn) {
        throw new Point3rError('no-adapter');
      }
      this.parts.engineReady(engine);
      this.view.introduce(engine);
      const model = await engine.loadModel(this.core.model);
      this.parts.store.set({ device, model });
      return engine;
    } catch (thrown) {
      engine.dispose();
      throw thrown;
    }
  }

  private get parts(): SessionParts {
    return this.core.parts;
  }

  private get engine(): Engine {
    return this.core.engine;
  }

  private get state(): PageState {
    return this.core.state;
  }
}
