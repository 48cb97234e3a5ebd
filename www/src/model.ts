// Brings a model to the engine: the manifest first, then every weight file, counted byte by byte. Runs in the worker.
// Hashes, sizes and shapes are checked by the engine, which reads one tensor at a time; here only the transport can fail.
import type { WasmEngine } from 'point3r-wasm';
import { fileSource } from './bytes';
import { accept, download, failed } from './download';
import { Point3rError } from './errors';
import { keepManifest, keptManifest } from './kept-models';
import { fileNamed, MANIFEST, type ModelSource } from './models';
import type { Keeping, ManifestReport, ModelReport, VerifyFiles } from './protocol';
import { ShardStore } from './shard-store';

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

type Progress = (done: number, total: number) => void;
type ShardReport = ManifestReport['shards'][number];

/** Loads a model; on failure the engine keeps the one it has. `anyway`: also one that seems too large for the device. */
export async function loadModel(
  engine: WasmEngine,
  { anyway = false, ...source }: ModelSource & { anyway?: boolean },
  progress: Progress,
): Promise<ModelReport> {
  const open = (text: string): ManifestReport => engine.openManifest(text, anyway);
  if ('files' in source) {
    await fromFiles(engine, source.files, open, progress);
    return engine.finishModel();
  }
  const keeping =
    'kept' in source
      ? await fromKept(engine, source.kept, open, progress)
      : await fromSite(engine, source, open, progress);
  return { ...(await engine.finishModel()), keeping };
}

/** Shard names are relative to the manifest's address. What is on this device already is not downloaded again. */
async function fromSite(
  engine: WasmEngine,
  { url, manifest: read }: Extract<ModelSource, { url: string }>,
  open: (text: string) => ManifestReport,
  progress: Progress,
): Promise<Keeping> {
  const { text, offline } = read === undefined ? await manifestText(url) : { text: read, offline: false };
  const manifest = open(text);
  const store = await ShardStore.of(manifest.shards);
  if (!offline && store.keeping === 'kept' && !(await keepManifest(url, text))) {
    store.keeping = 'full';
  }
  await addShards(engine, manifest, store, progress, (shard) => {
    const address = new URL(shard.file, url);
    if (address.origin !== new URL(url).origin) {
      throw new Point3rError('manifest-invalid', `${shard.file} points to another site.`);
    }
    return address.href;
  });
  return store.keeping;
}

/** A model that was made here. */
async function fromKept(
  engine: WasmEngine,
  key: string,
  open: (text: string) => ManifestReport,
  progress: Progress,
): Promise<Keeping> {
  const text = await keptManifest(key);
  if (text === null) {
    throw new Point3rError('model-not-found', 'It is no longer on this device.', 'Convert the checkpoint again.');
  }
  const manifest = open(text);
  const store = await ShardStore.of(manifest.shards);
  await addShards(engine, manifest, store, progress, () => {
    const advice = 'Remove the model from this device and convert the checkpoint again.';
    throw new Point3rError('shard-damaged', 'A file of it is no longer on this device, or damaged.', advice);
  });
  return 'kept';
}

async function addShards(
  engine: WasmEngine,
  manifest: ManifestReport,
  store: ShardStore,
  progress: Progress,
  addressOf: (shard: ShardReport) => string,
): Promise<void> {
  let done = 0;
  progress(done, manifest.bytes);
  for (const shard of manifest.shards) {
    await addShard(engine, shard, store, addressOf, (size) =>
      progress(done + Math.min(size, shard.bytes), manifest.bytes),
    );
    done += shard.bytes;
    progress(done, manifest.bytes);
  }
}

async function addShard(
  engine: WasmEngine,
  shard: ShardReport,
  store: ShardStore,
  addressOf: (shard: ShardReport) => string,
  progress: (size: number) => void,
): Promise<void> {
  const slot = await store.slot(shard.sha256, shard.bytes);
  try {
    if (slot.size >= shard.bytes && taken(engine, shard, slot)) {
      return;
    }
    const address = addressOf(shard);
    let resumed = slot.size > 0;
    for (;;) {
      await download(address, slot, shard.bytes, () => progress(slot.size));
      try {
        engine.addShard(shard.index, slot.source());
        await slot.keep();
        return;
      } catch (thrown) {
        throwPanic(thrown);
        // A part that was here before may have been the damaged one, or the file has changed since.
        slot.clear();
        if (!resumed) {
          throw thrown;
        }
        resumed = false;
      }
    }
  } finally {
    await slot.close();
  }
}

/** Takes a file that is on this device; one that has been damaged there is forgotten. */
function taken(
  engine: WasmEngine,
  shard: ShardReport,
  slot: { source(): ReturnType<typeof fileSource>; clear(): void },
): boolean {
  try {
    engine.addShard(shard.index, slot.source());
    return true;
  } catch (thrown) {
    throwPanic(thrown);
    slot.clear();
    return false;
  }
}

function throwPanic(thrown: unknown): void {
  if (thrown instanceof WebAssembly.RuntimeError) {
    throw thrown;
  }
}

/** The files of a folder on the user's disk; they are not kept, since they are there. */
async function fromFiles(
  engine: WasmEngine,
  files: readonly File[],
  open: (text: string) => ManifestReport,
  progress: Progress,
): Promise<void> {
  const manifest = open(await fileNamed(files, MANIFEST).slice(0, MAX_MANIFEST_BYTES).text());
  let done = 0;
  for (const shard of manifest.shards) {
    progress(done, manifest.bytes);
    engine.addShard(shard.index, fileSource(fileNamed(files, shard.file)));
    done += shard.bytes;
    // The page may want to draw.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  progress(done, manifest.bytes);
}

/** The manifest as it is now; without a network, as it was when it was last seen. */
async function manifestText(url: string): Promise<{ text: string; offline: boolean }> {
  try {
    const response = await request(url, 'model-not-found');
    const bytes = await readAtMost(response, MAX_MANIFEST_BYTES, () => {});
    return { text: new TextDecoder().decode(bytes), offline: false };
  } catch (thrown) {
    const text = thrown instanceof Point3rError && thrown.code === 'network' ? await keptManifest(url) : null;
    if (text === null) {
      throw thrown;
    }
    return { text, offline: true };
  }
}

/** Fetches the files of a golden folder; weights are optional because a folder may rely on the weight formula. */
export async function loadVerifyFiles(folder: string): Promise<VerifyFiles> {
  const base = folder.endsWith('/') ? folder : `${folder}/`;
  const file = async (name: string): Promise<Uint8Array> => {
    const response = await request(new URL(name, base).href, 'bad-request');
    return new Uint8Array(await response.arrayBuffer());
  };
  const weights = await fetch(new URL('weights.safetensors', base));
  return {
    config: new TextDecoder().decode(await file('config.json')),
    weights: weights.ok ? new Uint8Array(await weights.arrayBuffer()) : null,
    inputs: await file('inputs.safetensors'),
    expected: await file('expected.safetensors'),
  };
}

async function request(url: string, whenMissing: 'model-not-found' | 'bad-request'): Promise<Response> {
  const response = await fetch(url).catch(failed(url));
  accept(response, url, whenMissing);
  return response;
}

/** The body, cut off after `limit` bytes. */
export async function readAtMost(
  response: Response,
  limit: number,
  received: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  while (reader && length < limit) {
    let step: ReadableStreamReadResult<Uint8Array>;
    try {
      step = await reader.read();
    } catch (thrown) {
      throw new Point3rError('network', `${response.url}: ${thrown instanceof Error ? thrown.message : thrown}`);
    }
    if (step.done) {
      break;
    }
    chunks.push(step.value);
    length += step.value.byteLength;
    received(step.value.byteLength);
  }
  await reader?.cancel();
  const bytes = new Uint8Array(Math.min(length, limit));
  let offset = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes.length - offset);
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
