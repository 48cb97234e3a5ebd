// Keeps models on this device, so that the page works offline and a lost engine gets its weights back at once. Kept are
// manifests by address and weight files by hash, and only such whose hash the engine has verified. Used in the worker.

const NAME = 'point3r-models';
/** Kept files may fill the browser's quota for this site up to this share. */
const QUOTA_SHARE = 0.5;
/** Keys of the cache must look like addresses; nothing is ever fetched from these. */
const KEYS = 'https://kept.invalid/';

const manifestKey = (url: string): string => `${KEYS}manifest?${encodeURIComponent(url)}`;
const shardKey = (sha256: string): string => `${KEYS}weights?${sha256}`;

export async function keptManifest(url: string): Promise<string | null> {
  const response = await match(manifestKey(url));
  return response ? response.text() : null;
}

export async function keptShard(sha256: string): Promise<Uint8Array | null> {
  const response = await match(shardKey(sha256));
  return response ? new Uint8Array(await response.arrayBuffer()) : null;
}

/** Keeps the manifest, and forgets the weight files that only its earlier version had. */
export async function keepManifest(url: string, text: string): Promise<void> {
  const before = await keptManifest(url);
  if (before === text) {
    return;
  }
  await put(manifestKey(url), text);
  if (before !== null) {
    await dropUnused(hashes(before));
  }
}

export async function keepShard(sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  if (await hasRoomFor(bytes.byteLength)) {
    await put(shardKey(sha256), bytes);
  }
}

export async function forgetShard(sha256: string): Promise<void> {
  await (await open())?.delete(shardKey(sha256));
}

/** Forgets a model, except for weight files that another kept one shares. */
export async function forgetModel(url: string): Promise<void> {
  const text = await keptManifest(url);
  if (text !== null) {
    await (await open())?.delete(manifestKey(url));
    await dropUnused(hashes(text));
  }
}

/** Whether everything of this model is on the device. */
export async function isKept(url: string): Promise<boolean> {
  const text = await keptManifest(url);
  if (text === null) {
    return false;
  }
  const found = await Promise.all(hashes(text).map((sha256) => match(shardKey(sha256))));
  return found.every(Boolean);
}

async function dropUnused(candidates: string[]): Promise<void> {
  const cache = await open();
  if (!cache) {
    return;
  }
  const used = new Set<string>();
  for (const request of await cache.keys()) {
    if (request.url.startsWith(`${KEYS}manifest?`)) {
      const text = await (await cache.match(request))?.text();
      for (const sha256 of hashes(text ?? '')) {
        used.add(sha256);
      }
    }
  }
  await Promise.all(candidates.filter((sha256) => !used.has(sha256)).map((sha256) => cache.delete(shardKey(sha256))));
}

/** The hashes of a manifest's weight files; of a text that is no manifest, none. */
export function hashes(manifest: string): string[] {
  try {
    const shards: unknown = JSON.parse(manifest)?.shards;
    return Array.isArray(shards)
      ? shards.map((shard) => shard?.sha256).filter((sha256) => typeof sha256 === 'string' && sha256 !== '')
      : [];
  } catch {
    return [];
  }
}

async function hasRoomFor(bytes: number): Promise<boolean> {
  try {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    return usage + bytes <= quota * QUOTA_SHARE;
  } catch {
    return false;
  }
}

async function match(key: string): Promise<Response | undefined> {
  return (await open())?.match(key);
}

/** Keeping is a convenience: where it fails (private window, disk full), the next visit downloads again. */
async function put(key: string, body: BodyInit): Promise<void> {
  try {
    await (await open())?.put(key, new Response(body));
  } catch {
    await (await open())?.delete(key).catch(() => {});
  }
}

async function open(): Promise<Cache | null> {
  try {
    return await caches.open(NAME);
  } catch {
    return null;
  }
}
