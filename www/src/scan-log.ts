// The running reconstruction as an append-only file of the browser's private file system (OPFS), in the worker. Whatever
// happens to page or browser, every frame written is there afterwards. What a record holds is the engine's business
// (`src/scene_log.rs`); here it is only appended, and read back record by record.
import type { WasmEngine } from 'point3r-wasm';
import { Point3rError } from './errors';
import type { SavedScan, Saving } from './protocol';

/** What is used of a `FileSystemSyncAccessHandle`. */
export interface LogFile {
  read(into: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}

/** The folder of the logs. `open` rejects when another tab has the file open, or when there is no private file system. */
export interface LogFolder {
  open(name: string, create: boolean): Promise<LogFile>;
  /** Names and times of last change, newest first. */
  list(): Promise<{ name: string; changed: number }[]>;
  remove(name: string): Promise<void>;
}

const HEAD_BYTES = 24;
/** What tells how many frames a record leaves. */
const COUNT_BYTES = 28;
/** Scans kept besides the one being written. */
const KEPT = 1;

type Records = Pick<WasmEngine, 'recordBytes' | 'framesAfter'>;

export class ScanLog {
  private readonly folder: LogFolder;
  private readonly told: (saving: Saving) => void;
  private file: LogFile | null = null;
  private name = '';
  private end = 0;

  constructor(folder: LogFolder, told: (saving: Saving) => void) {
    this.folder = folder;
    this.told = told;
  }

  /** Begins a new file; old ones are let go of, but for the last. */
  async begin(name: string, record: Uint8Array<ArrayBuffer>): Promise<void> {
    this.close();
    try {
      await this.removeOld(name);
      this.file = await this.folder.open(name, true);
    } catch {
      this.told('unavailable');
      return;
    }
    this.name = name;
    this.end = 0;
    this.file.truncate(0);
    this.append(record);
    if (this.file) {
      this.told('on');
    }
  }

  /** Goes on with a file that another worker wrote. */
  async resume(name: string, records: Records): Promise<void> {
    this.close();
    try {
      this.file = await this.folder.open(name, false);
    } catch {
      this.told('unavailable');
      return;
    }
    this.name = name;
    this.end = wholeRecords(this.file, records).end;
    this.file.truncate(this.end);
    this.told('on');
  }

  /** When there is no room left, the file ends with the last whole record, and nothing more is written. */
  append(record: Uint8Array<ArrayBuffer> | undefined): void {
    if (!this.file || !record) {
      return;
    }
    try {
      if (this.file.write(record, { at: this.end }) !== record.length) {
        throw new Error('not all was written');
      }
      this.end += record.length;
    } catch {
      this.file.truncate(this.end);
      this.close();
      this.told('full');
    }
  }

  close(): void {
    this.file?.flush();
    this.file?.close();
    this.file = null;
  }

  /** Forgets the scan being written. */
  async discardCurrent(): Promise<void> {
    if (this.name !== '') {
      this.close();
      await this.discard(this.name);
      this.name = '';
      this.told('off');
    }
  }

  async discard(name: string): Promise<void> {
    await this.folder.remove(name).catch(() => {});
  }

  /** The newest scan with at least one frame that no other tab is working on. */
  async saved(engine: Records & Pick<WasmEngine, 'beginInfo'>): Promise<SavedScan | null> {
    for (const { name, changed } of await this.folder.list().catch(() => [])) {
      const file = name === this.name ? null : await this.folder.open(name, false).catch(() => null);
      if (!file) {
        continue;
      }
      try {
        const { end, frames, first } = wholeRecords(file, engine);
        if (first && frames > 0) {
          const begin = engine.beginInfo(first);
          return { id: name, name: begin.name, model: begin.model, frames, bytes: end, changed };
        }
      } catch {
        // Of another version, or no log at all: not offered.
      } finally {
        file.close();
      }
    }
    return null;
  }

  /** Gives every whole record to `take`, then stays open to be continued. Answers whether the file had a damaged end. */
  async read(
    name: string,
    records: Records,
    take: (record: Uint8Array, share: number) => Promise<void>,
  ): Promise<boolean> {
    this.close();
    let file: LogFile;
    try {
      file = await this.folder.open(name, false);
    } catch (thrown) {
      throw new Point3rError('busy', `The saved scan could not be opened: ${String(thrown)}`);
    }
    const size = file.getSize();
    let at = 0;
    try {
      for (let record = recordAt(file, at, records); record; record = recordAt(file, at, records)) {
        try {
          await take(record, at / size);
        } catch (thrown) {
          if (at === 0) {
            throw thrown;
          }
          break;
        }
        at += record.length;
      }
    } catch (thrown) {
      file.close();
      throw thrown;
    }
    file.truncate(at);
    this.file = file;
    this.name = name;
    this.end = at;
    this.told('on');
    return at < size;
  }

  private async removeOld(name: string): Promise<void> {
    const others = (await this.folder.list()).filter((other) => other.name !== name);
    await Promise.all(others.slice(KEPT).map((other) => this.discard(other.name)));
  }
}

/** The record at this place; null at the end of what is whole. */
function recordAt(file: LogFile, at: number, records: Records): Uint8Array<ArrayBuffer> | null {
  const length = lengthAt(file, at, records);
  if (length === null) {
    return null;
  }
  const record = new Uint8Array(length);
  return file.read(record, { at }) === length ? record : null;
}

function lengthAt(file: LogFile, at: number, records: Records): number | null {
  const head = new Uint8Array(HEAD_BYTES);
  if (file.read(head, { at }) !== HEAD_BYTES) {
    return null;
  }
  try {
    const length = records.recordBytes(head);
    return at + length <= file.getSize() ? length : null;
  } catch {
    return null;
  }
}

/** Walks over the records without reading what is in them. */
function wholeRecords(file: LogFile, engine: Records): { end: number; frames: number; first: Uint8Array | null } {
  const first = recordAt(file, 0, engine);
  let end = 0;
  let frames = 0;
  const start = new Uint8Array(COUNT_BYTES);
  for (let length = first?.length ?? null; length !== null; length = lengthAt(file, end, engine)) {
    const read = file.read(start, { at: end });
    frames = engine.framesAfter(start.subarray(0, read), frames);
    end += length;
  }
  return { end, frames, first };
}

/** The private file system's folder of scans; made when first written to. */
export function privateFolder(): LogFolder {
  const folder = async (): Promise<FileSystemDirectoryHandle> => {
    const root = await navigator.storage.getDirectory();
    return root.getDirectoryHandle('scans', { create: true });
  };
  return {
    async open(name, create) {
      const handle = (await (await folder()).getFileHandle(name, { create })) as FileSystemFileHandle & {
        createSyncAccessHandle(): Promise<LogFile>;
      };
      return handle.createSyncAccessHandle();
    },
    async list() {
      const found: { name: string; changed: number }[] = [];
      const entries = (await folder()) as unknown as { values(): AsyncIterable<FileSystemFileHandle> };
      for await (const handle of entries.values()) {
        if (handle.kind === 'file' && handle.name.endsWith('.p3rlog')) {
          found.push({ name: handle.name, changed: (await handle.getFile()).lastModified });
        }
      }
      return found.sort((a, b) => b.changed - a.changed);
    },
    async remove(name) {
      await (await folder()).removeEntry(name);
    },
  };
}
