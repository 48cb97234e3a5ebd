// Brings a model folder to the engine: the manifest first, then every shard, counted byte by byte. Runs in the worker.
// Hashes, sizes and shapes are checked by the engine; here only the transport can fail.
import type { WasmEngine } from 'point3r-wasm';
import { Point3rError } from './errors';
import { forgetShard, keepManifest, keepShard, keptManifest, keptShard } from './model-cache';
import { fileNamed, MANIFEST, type ModelSource } from './models';
import type { ManifestReport, ModelReport, VerifyFiles } from './protocol';

const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

type Progress = (done: number, total: number) => void;

/** Loads a model; on failure the engine keeps the one it has. */
export async function loadModel(engine: WasmEngine, source: ModelSource, progress: Progress): Promise<ModelReport> {
  await ('url' in source ? fromSite(engine, source, progress) : fromFiles(engine, source.files, progress));
  return engine.finishModel();
}

/** Shard names are relative to the manifest's address. What is on this device already is not downloaded again. */
async function fromSite(
  engine: WasmEngine,
  { url, manifest: read }: Extract<ModelSource, { url: string }>,
  progress: Progress,
): Promise<void> {
  const { text, offline } = read === undefined ? await manifestText(url) : { text: read, offline: false };
  const manifest = engine.openManifest(text);
  if (!offline) {
    await keepManifest(url, text);
  }
  let done = 0;
  progress(done, manifest.bytes);
  for (const shard of manifest.shards) {
    if (await addKept(engine, shard)) {
      done += shard.bytes;
      progress(Math.min(done, manifest.bytes), manifest.bytes);
      continue;
    }
    const address = new URL(shard.file, url);
    if (address.origin !== new URL(url).origin) {
      throw new Point3rError('manifest-invalid', `${shard.file} points to another site.`);
    }
    const response = await request(address.href, 'model-not-found');
    // One byte more than announced is enough to tell that the file is not the one of the manifest.
    const bytes = await readAtMost(response, shard.bytes + 1, (count) => {
      done += count;
      progress(Math.min(done, manifest.bytes), manifest.bytes);
    });
    engine.addShard(shard.index, bytes);
    await keepShard(shard.sha256, bytes);
  }
}

/** The files of a folder on the user's disk; they are not kept, since they are there. */
async function fromFiles(engine: WasmEngine, files: readonly File[], progress: Progress): Promise<void> {
  const text = await fileNamed(files, MANIFEST).slice(0, MAX_MANIFEST_BYTES).text();
  const manifest = engine.openManifest(text);
  let done = 0;
  for (const shard of manifest.shards) {
    progress(done, manifest.bytes);
    const file = fileNamed(files, shard.file).slice(0, shard.bytes + 1);
    engine.addShard(shard.index, new Uint8Array(await file.arrayBuffer()));
    done += shard.bytes;
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

/** Takes a weight file that is on this device; one that has been damaged there is forgotten. */
async function addKept(engine: WasmEngine, shard: ManifestReport['shards'][number]): Promise<boolean> {
  const bytes = await keptShard(shard.sha256);
  if (!bytes) {
    return false;
  }
  try {
    engine.addShard(shard.index, bytes);
    return true;
  } catch (thrown) {
    if (thrown instanceof WebAssembly.RuntimeError) {
      throw thrown;
    }
    await forgetShard(shard.sha256);
    return false;
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
  let response: Response;
  try {
    response = await fetch(url);
  } catch (thrown) {
    throw new Point3rError('network', `${url}: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
  if (response.status === 404 || response.status === 410) {
    throw new Point3rError(whenMissing, url);
  }
  if (!response.ok) {
    throw new Point3rError('network', `${url}: status ${response.status}`);
  }
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
