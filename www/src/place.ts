// Where models are kept on this device: the private file system (OPFS), else the Cache API, else nowhere (some private
// windows). The page lists and removes, the worker reads and writes: synchronous handles are the worker's alone.
import type { ByteSource } from './bytes';
import { fileSource, memorySource } from './bytes';

/** What is used of a `FileSystemSyncAccessHandle`. */
export interface SyncFile {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

export interface Place {
  readonly kind: 'files' | 'cache';
  names(): Promise<string[]>;
  /** Null where there is no such file. */
  size(name: string): Promise<number | null>;
  text(name: string): Promise<string | null>;
  source(name: string): Promise<ByteSource | null>;
  /** Rejects when there is no room; nothing of the file is left then. */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  remove(name: string): Promise<void>;
  /** For writing piece by piece; null where that is not possible, or another tab has it open. */
  open(name: string): Promise<SyncFile | null>;
}

const FOLDER = 'models';
const CACHE = 'point3r-models';
/** Keys of the cache must look like addresses; nothing is ever fetched from these. */
const KEYS = 'https://kept.invalid/';
const BYTES = 'x-bytes';

let found: Promise<Place | null> | null = null;

/** The place of this browser; null where nothing can be kept. */
export function place(): Promise<Place | null> {
  found ??= filePlace()
    .catch(() => cachePlace())
    .catch(() => null);
  return found;
}

async function filePlace(): Promise<Place> {
  const root = await navigator.storage.getDirectory();
  // Asked for every time: the user may empty the site's storage while the page is open.
  const folder = () => root.getDirectoryHandle(FOLDER, { create: true });
  await folder();
  const inWorker = typeof document === 'undefined';
  if (inWorker && !('createSyncAccessHandle' in FileSystemFileHandle.prototype)) {
    throw new Error('no synchronous files');
  }
  const file = async (name: string): Promise<File | null> => {
    try {
      return await (await (await folder()).getFileHandle(name)).getFile();
    } catch {
      return null;
    }
  };
  const open = async (name: string): Promise<SyncFile | null> => {
    try {
      const handle = (await (await folder()).getFileHandle(name, { create: true })) as FileSystemFileHandle & {
        createSyncAccessHandle(): Promise<SyncFile>;
      };
      return await handle.createSyncAccessHandle();
    } catch {
      return null;
    }
  };
  const remove = async (name: string): Promise<void> => {
    await (await folder()).removeEntry(name).catch(() => {});
  };
  return {
    kind: 'files',
    async names() {
      const names: string[] = [];
      for await (const name of ((await folder()) as unknown as { keys(): AsyncIterable<string> }).keys()) {
        names.push(name);
      }
      return names;
    },
    size: async (name) => (await file(name))?.size ?? null,
    text: async (name) => (await file(name))?.text().catch(() => null) ?? null,
    async source(name) {
      const kept = await file(name);
      return kept && fileSource(kept);
    },
    async write(name, bytes) {
      const handle = await open(name);
      if (!handle) {
        throw new Error(`${name} is in use`);
      }
      try {
        handle.truncate(0);
        writeAll(handle, bytes, 0);
        handle.flush();
        handle.close();
      } catch (thrown) {
        handle.close();
        await remove(name);
        throw thrown;
      }
    },
    remove,
    open,
  };
}

/** Throws what the browser throws, or `QuotaExceededError` where it only writes less. */
export function writeAll(file: SyncFile, bytes: Uint8Array, at: number): void {
  if (file.write(bytes, { at }) !== bytes.byteLength) {
    throw new DOMException('Not everything could be written.', 'QuotaExceededError');
  }
}

async function cachePlace(): Promise<Place> {
  const cache = await caches.open(CACHE);
  return {
    kind: 'cache',
    names: async () => (await cache.keys()).map(({ url }) => decodeURIComponent(url.slice(KEYS.length))),
    async size(name) {
      const bytes = (await cache.match(KEYS + encodeURIComponent(name)))?.headers.get(BYTES);
      return bytes ? Number(bytes) : null;
    },
    text: async (name) => (await cache.match(KEYS + encodeURIComponent(name)))?.text() ?? null,
    async source(name) {
      const response = await cache.match(KEYS + encodeURIComponent(name));
      return response ? memorySource(new Uint8Array(await response.arrayBuffer())) : null;
    },
    async write(name, bytes) {
      await cache.put(
        KEYS + encodeURIComponent(name),
        new Response(bytes, { headers: { [BYTES]: `${bytes.length}` } }),
      );
    },
    async remove(name) {
      await cache.delete(KEYS + encodeURIComponent(name));
    },
    open: async () => null,
  };
}
