// The models on this device: manifests by their key, which is an address or `local:` and a name, and weight files by
// hash, which models may share. Every file is checked by the engine whenever it is used. On the page and in the worker.
import { type Place, place } from './place';

/** Keys of models that were made here from a checkpoint. */
const LOCAL = 'local:';

/** A model that was made here from a checkpoint. */
export interface KeptModel {
  key: string;
  name: string;
  licence: string;
  trained: boolean;
  parameters: number;
  bytes: number;
  memoryMib: number;
  /** Milliseconds since 1970. */
  saved: number;
}

/** What is read of a manifest (`src/weights/manifest.rs` is its definition); checked by the engine, not here. */
interface Weights {
  sha256: string;
  bytes: number;
}

interface Record_ {
  key: string;
  text: string;
  saved: number;
}

export const weightsName = (sha256: string): string => `${sha256}.weights`;

async function recordName(key: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return `${Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')}.manifest`;
}

export const localKey = (name: string): string => LOCAL + name;

export async function keptManifest(key: string): Promise<string | null> {
  const where = await place();
  const record = where && (await readRecord(where, await recordName(key)));
  return record?.key === key ? record.text : null;
}

/** Keeps the manifest, and forgets the weight files that only its earlier version had. Whether it is kept now. */
export async function keepManifest(key: string, text: string): Promise<boolean> {
  const where = await place();
  if (!where) {
    return false;
  }
  const before = await keptManifest(key);
  if (before !== text) {
    const record: Record_ = { key, text, saved: Date.now() };
    try {
      await where.write(await recordName(key), new TextEncoder().encode(JSON.stringify(record)));
    } catch {
      return false;
    }
    await dropUnused(where, before === null ? [] : weights(before));
  }
  return true;
}

/** Forgets a model, except for weight files that another kept one shares. */
export async function forgetModel(key: string): Promise<void> {
  const where = await place();
  const text = await keptManifest(key);
  if (where && text !== null) {
    await where.remove(await recordName(key));
    await dropUnused(where, weights(text));
  }
}

/** Whether everything of this model is on the device. */
export async function isKept(key: string): Promise<boolean> {
  const where = await place();
  const text = await keptManifest(key);
  return where !== null && text !== null && (await missingBytes(where, weights(text))) === 0;
}

/** Bytes of these files that are not on the device. */
export async function missingBytes(where: Place, files: readonly Weights[]): Promise<number> {
  const sizes = await Promise.all(files.map(({ sha256 }) => where.size(weightsName(sha256))));
  return files.reduce((sum, { bytes }, index) => sum + (sizes[index] === bytes ? 0 : bytes), 0);
}

/** The models that were made here and are whole, newest first. */
export async function localModels(): Promise<KeptModel[]> {
  const where = await place();
  if (!where) {
    return [];
  }
  const models: KeptModel[] = [];
  for (const { key, text, saved } of await records(where)) {
    if (key.startsWith(LOCAL) && (await missingBytes(where, weights(text))) === 0) {
      const model = described(key, text, saved);
      if (model) {
        models.push(model);
      }
    }
  }
  return models.sort((a, b) => b.saved - a.saved);
}

/** Removes weight files that no model has: of a conversion that was broken off. */
export async function sweep(where: Place): Promise<void> {
  const names = await where.names();
  const files = names.filter((name) => name.endsWith('.weights')).map((name) => name.slice(0, -'.weights'.length));
  await dropUnused(
    where,
    files.map((sha256) => ({ sha256, bytes: 0 })),
  );
}

async function dropUnused(where: Place, candidates: readonly Weights[]): Promise<void> {
  if (candidates.length > 0) {
    const used = new Set((await records(where)).flatMap(({ text }) => weights(text).map(({ sha256 }) => sha256)));
    const unused = candidates.filter(({ sha256 }) => !used.has(sha256));
    await Promise.all(unused.map(({ sha256 }) => where.remove(weightsName(sha256))));
  }
}

async function records(where: Place): Promise<Record_[]> {
  const names = (await where.names()).filter((name) => name.endsWith('.manifest'));
  const found = await Promise.all(names.map((name) => readRecord(where, name)));
  return found.filter((record) => record !== null);
}

async function readRecord(where: Place, name: string): Promise<Record_ | null> {
  try {
    const { key, text, saved } = JSON.parse((await where.text(name)) ?? '') as Partial<Record_>;
    return typeof key === 'string' && typeof text === 'string' ? { key, text, saved: Number(saved) || 0 } : null;
  } catch {
    return null;
  }
}

/** The weight files of a manifest; of a text that is no manifest, none. */
export function weights(manifest: string): Weights[] {
  try {
    const shards: unknown = JSON.parse(manifest)?.shards;
    const sound = (shard: Partial<Weights> | null): boolean => /^[0-9a-f]{64}$/.test(shard?.sha256 ?? '');
    return Array.isArray(shards)
      ? shards.filter(sound).map(({ sha256, bytes }) => ({ sha256, bytes: Number(bytes) || 0 }))
      : [];
  } catch {
    return [];
  }
}

function described(key: string, text: string, saved: number): KeptModel | null {
  try {
    const { name, licence, trained, tensors, needs } = JSON.parse(text);
    const product = (shape: number[]): number => shape.reduce((count, side) => count * side, 1);
    return {
      key,
      name: String(name),
      licence: String(licence),
      trained: trained === true,
      parameters: tensors.reduce((sum: number, { shape }: { shape: number[] }) => sum + product(shape), 0),
      bytes: weights(text).reduce((sum, { bytes }) => sum + bytes, 0),
      memoryMib: Number(needs?.gpu_mib) || 0,
      saved,
    };
  } catch {
    return null;
  }
}
