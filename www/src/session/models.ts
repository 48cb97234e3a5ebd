// Models of the session: loading one that may not fit, checkpoints that become models, and what was made here before.
import type { Engine, EngineEvents } from '../engine';
import { Point3rError, toPoint3rError } from '../errors';
import { forgetModel, localModels } from '../kept-models';
import type { ModelSource } from '../models';
import type { Calls, CheckpointFacts, ModelReport, Precision } from '../protocol';
import { STRINGS } from '../strings';
import type { Core } from './core';

/** A checkpoint that was read. `close` ends whatever is being done with it. */
export interface OpenCheckpoint {
  facts: CheckpointFacts;
  /** Makes a model of it, kept on this device; `loadModel({ kept: key })` uses it. */
  convert(precision: Precision, progress: (share: number) => void): Promise<Calls['convertCheckpoint']['result']>;
  close(): void;
}

export class Models {
  private readonly core: Core;
  private readonly exchange: () => Promise<void>;

  /** `exchange` replaces the engine by one on `core.device` with `core.model`, and carries the reconstruction over. */
  constructor(core: Core, exchange: () => Promise<void>) {
    this.core = core;
    this.exchange = exchange;
  }

  /** Loads a model; one that does not fit the device only as the user chooses. */
  async bring(source: ModelSource): Promise<ModelReport> {
    try {
      return await this.load(source);
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'network');
      if (error.code !== 'model-too-large') {
        throw thrown;
      }
      const onGpu = this.core.store.get().device?.backend === 'gpu';
      switch (await this.core.parts.chooseFit?.(error, onGpu)) {
        case 'anyway':
          return this.load({ ...source, anyway: true });
        case 'cpu':
          return this.onProcessor(source);
        default:
          throw error;
      }
    }
  }

  private async load(source: ModelSource & { anyway?: boolean }): Promise<ModelReport> {
    const report = await this.core.engine.loadModel(source);
    this.core.model = source;
    const note = { full: STRINGS.modelNotKeptFull, unavailable: STRINGS.modelNotKept, kept: '' }[
      report.keeping ?? 'kept'
    ];
    this.core.store.set(note ? { note } : {});
    return report;
  }

  private async onProcessor(source: ModelSource): Promise<ModelReport> {
    const before = { device: this.core.device, model: this.core.model };
    Object.assign(this.core, { device: 'cpu', model: source });
    try {
      await this.exchange();
    } catch (thrown) {
      Object.assign(this.core, before);
      throw thrown;
    }
    const { model } = this.core.store.get();
    if (!model) {
      throw new Point3rError('crashed', 'The engine on the processor has no model.');
    }
    return model;
  }

  /** Reads a checkpoint in a worker of its own: whatever it does there, the engine in use does not notice. */
  async readCheckpoint(file: File, config: File | null): Promise<OpenCheckpoint> {
    let told: (share: number) => void = () => {};
    const nothing = (): void => {};
    const events: EngineEvents = {
      progress: (_stage, done, total) => told(done / total),
      saving: nothing,
      taking: nothing,
      crashed: nothing,
      lost: nothing,
    };
    const worker: Engine = this.core.parts.makeEngine(events);
    try {
      const facts = await worker.readCheckpoint(file, config);
      return {
        facts,
        async convert(precision, progress) {
          told = progress;
          const made = await worker.convertCheckpoint(precision).catch((thrown: unknown) => {
            throw ofCheckpoint(thrown);
          });
          // Half a gigabyte that took minutes to make should not be the first to go when the disk fills up.
          void navigator.storage.persist?.().catch(() => {});
          return made;
        },
        close: () => worker.dispose(),
      };
    } catch (thrown) {
      worker.dispose();
      throw ofCheckpoint(thrown);
    }
  }

  /** Tells the page of the model that was made here last, unless it is in use. */
  async offer(): Promise<void> {
    const [newest] = await localModels().catch(() => []);
    const inUse = 'kept' in this.core.model ? this.core.model.kept : null;
    this.core.store.set({ keptModel: newest && newest.key !== inUse ? newest : null });
  }

  async remove(key: string): Promise<void> {
    await forgetModel(key);
    await this.offer();
  }
}

/** A worker that broke on a file says nothing about the engine in use. */
function ofCheckpoint(thrown: unknown): Point3rError {
  const error = toPoint3rError(thrown, 'unsupported-file');
  if (error.code !== 'crashed') {
    return error;
  }
  return new Point3rError('out-of-memory', error.detail, 'Convert it with “point3r convert” and open the folder.');
}
