// The worker's answers to what concerns checkpoints: reading one, and making a model of it that is kept on this device.
// Asked of a worker of its own, without an engine: a file that breaks it breaks nothing else, and to cancel is to end it.
import type { Checkpoint, WasmModule } from 'point3r-wasm';
import { breathing, fileSource, release } from './bytes';
import { Point3rError } from './errors';
import { keepManifest, localKey, sweep, weightsName } from './kept-models';
import { type Place, place } from './place';
import type { Calls, CheckpointFacts, FromWorker, Precision, Request } from './protocol';
import { hasRoomFor } from './shard-store';

export type ConvertCall = 'readCheckpoint' | 'convertCheckpoint';
export type ConvertRequest = Extract<Request, { call: ConvertCall }>;

export function isConvertRequest(request: Request): request is ConvertRequest {
  return request.call === 'readCheckpoint' || request.call === 'convertCheckpoint';
}

const MAX_CONFIG_BYTES = 1024 * 1024;
/** One conversion at a time in all tabs: what is left of a broken one is removed before the next. */
const LOCK = 'point3r-convert';

export class ConvertCalls {
  private readonly post: (message: FromWorker) => void;
  private reader: Checkpoint | null = null;
  private facts: CheckpointFacts | null = null;
  private memory: WebAssembly.Memory | undefined;

  constructor(post: (message: FromWorker) => void) {
    this.post = post;
  }

  async answer(request: ConvertRequest, wasm: () => Promise<WasmModule>): Promise<Calls[ConvertCall]['result']> {
    if (request.call === 'convertCheckpoint') {
      return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
        if (!lock) {
          throw new Point3rError('busy', 'Another tab is converting a checkpoint.', 'Wait for it to finish.');
        }
        return this.convert(request.args.precision);
      });
    }
    const { file, config } = request.args;
    const module = await wasm();
    this.memory = ((await module.default()) as { memory?: WebAssembly.Memory }).memory;
    const text = await config?.slice(0, MAX_CONFIG_BYTES).text();
    this.reader = module.CheckpointReader.open(file.name, fileSource(file), text);
    this.facts = this.reader.facts();
    return this.facts;
  }

  private async convert(precision: Precision): Promise<Calls['convertCheckpoint']['result']> {
    const { reader, facts } = this;
    if (!reader || !facts) {
      throw new Point3rError('bad-request', 'Open a checkpoint first.');
    }
    const where = await place();
    if (where?.kind !== 'files') {
      throw new Point3rError('no-storage');
    }
    const started = performance.now();
    await sweep(where);
    const needed = facts.sizes.find(([name]) => name === precision)?.[1] ?? 0;
    if (!(await hasRoomFor(needed))) {
      throw new Point3rError('storage-full', `The model takes ${Math.ceil(needed / 2 ** 20)} MiB.`);
    }
    reader.begin(precision);
    const key = localKey(`${await this.hash(reader, facts)}-${precision}`);
    const made = await this.steps(reader, facts, where);
    if (!(await keepManifest(key, made.manifest))) {
      throw new Point3rError('storage-full');
    }
    const wasmBytes = this.memory?.buffer.byteLength ?? 0;
    return { key, bytes: made.bytes, wasmBytes, seconds: (performance.now() - started) / 1000 };
  }

  /** The first half of the progress: reading the file once to hash it. Answers with what names the model. */
  private async hash(reader: Checkpoint, { name, fileBytes }: CheckpointFacts): Promise<string> {
    const breathe = breathing();
    for (;;) {
      const { done, total } = reader.hash();
      await breathe(done);
      if (done >= total) {
        return `${name}-${fileBytes}`;
      }
      this.post({ type: 'progress', stage: 'convert', done, total: 2 * total });
    }
  }

  private async steps(
    reader: Checkpoint,
    { fileBytes }: CheckpointFacts,
    where: Place,
  ): Promise<{ manifest: string; bytes: number }> {
    const full: { sha256: string; bytes: Uint8Array<ArrayBuffer> }[] = [];
    const emit = (_file: string, sha256: string, bytes: Uint8Array<ArrayBuffer>): void => {
      full.push({ sha256, bytes });
    };
    const breathe = breathing();
    let bytes = 0;
    const write = async (): Promise<void> => {
      for (let shard = full.shift(); shard; shard = full.shift()) {
        bytes += shard.bytes.length;
        await where.write(weightsName(shard.sha256), shard.bytes).catch((thrown: unknown) => {
          throw noRoom(thrown);
        });
        release(shard.bytes.buffer);
      }
    };
    try {
      for (let step = reader.step(emit); step; step = reader.step(emit)) {
        await write();
        const done = fileBytes * (1 + step.done / step.total);
        await breathe(done);
        this.post({ type: 'progress', stage: 'convert', done, total: 2 * fileBytes });
      }
      const manifest = reader.finish(emit);
      await write();
      return { manifest, bytes };
    } catch (thrown) {
      // No manifest names what has been written.
      await sweep(where).catch(() => {});
      throw thrown;
    }
  }
}

function noRoom(thrown: unknown): Point3rError {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const quota = thrown instanceof DOMException && thrown.name === 'QuotaExceededError';
  return new Point3rError(quota ? 'storage-full' : 'no-storage', text);
}
