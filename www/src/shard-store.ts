// Where the weight files of a model arrive: piece by piece in files of the private file system, where a broken download
// goes on later; else in memory, one file at a time. In the worker.
import { type ByteSource, memorySource } from './bytes';
import { missingBytes, weightsName } from './kept-models';
import { type Place, place, type SyncFile, writeAll } from './place';
import type { Keeping } from './protocol';

/** One weight file. */
export interface Slot {
  /** Bytes that are there. */
  readonly size: number;
  append(chunk: Uint8Array): void;
  clear(): void;
  source(): ByteSource;
  /** The engine has checked it. */
  keep(): Promise<void>;
  close(): Promise<void>;
}

/** Kept files may fill the browser's quota for this site up to this share. */
const QUOTA_SHARE = 0.9;

/** Whether so many more bytes may be kept, as the browser tells; some tell a made-up quota, so writing may still fail. */
export async function hasRoomFor(bytes: number): Promise<boolean> {
  try {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    return usage + bytes <= quota * QUOTA_SHARE;
  } catch {
    return true; // Writing will tell.
  }
}

export class ShardStore {
  /** Why the model will not be on the device, if it will not. */
  keeping: Keeping;
  private readonly where: Place | null;

  private constructor(where: Place | null, keeping: Keeping) {
    this.where = where;
    this.keeping = keeping;
  }

  static async of(files: readonly { sha256: string; bytes: number }[]): Promise<ShardStore> {
    const where = await place();
    if (!where) {
      return new ShardStore(null, 'unavailable');
    }
    // Half a model on the device is of no use.
    const room = await hasRoomFor(await missingBytes(where, files));
    return new ShardStore(where, room ? 'kept' : 'full');
  }

  async slot(sha256: string, bytes: number): Promise<Slot> {
    const name = weightsName(sha256);
    const there = await this.where?.size(name);
    if (this.where && (this.keeping === 'kept' || there === bytes)) {
      const file = await this.where.open(name);
      if (file) {
        const full = async (): Promise<void> => {
          this.keeping = 'full';
          await this.where?.remove(name);
        };
        return new FileSlot(file, bytes, full);
      }
    }
    const kept = there === bytes ? await this.where?.source(name) : null;
    return new MemorySlot(bytes, kept ?? null, async (all) => {
      // A file that another tab is downloading is not written here.
      if (this.where?.kind === 'cache' && this.keeping === 'kept') {
        await this.where.write(name, all).catch(() => {
          this.keeping = 'full';
        });
      }
    });
  }
}

class MemorySlot implements Slot {
  private bytes: Uint8Array<ArrayBuffer> | null = null;
  private readonly expected: number;
  private readonly kept: (all: Uint8Array<ArrayBuffer>) => Promise<void>;
  private found: ByteSource | null;
  private length = 0;

  constructor(expected: number, found: ByteSource | null, kept: (all: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.expected = expected;
    this.found = found;
    this.kept = kept;
  }

  get size(): number {
    return this.found?.size ?? this.length;
  }

  append(chunk: Uint8Array): void {
    // One byte more than expected is enough to tell that it is another file.
    this.bytes ??= new Uint8Array(this.expected + 1);
    const part = chunk.subarray(0, this.bytes.length - this.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  clear(): void {
    this.found = null;
    this.length = 0;
  }

  source(): ByteSource {
    return this.found ?? memorySource((this.bytes ?? new Uint8Array()).subarray(0, this.length));
  }

  async keep(): Promise<void> {
    if (!this.found && this.bytes) {
      await this.kept(this.bytes.subarray(0, this.length));
    }
  }

  async close(): Promise<void> {
    this.bytes = null;
  }
}

class FileSlot implements Slot {
  private readonly file: SyncFile;
  private readonly expected: number;
  private readonly full: () => Promise<void>;
  private length: number;
  /** Takes over when there is no room for the file. */
  private memory: MemorySlot | null = null;

  constructor(file: SyncFile, expected: number, full: () => Promise<void>) {
    this.file = file;
    this.expected = expected;
    this.full = full;
    this.length = file.getSize();
  }

  get size(): number {
    return this.memory?.size ?? this.length;
  }

  append(chunk: Uint8Array): void {
    if (!this.memory) {
      const part = chunk.subarray(0, Math.max(0, this.expected + 1 - this.length));
      try {
        writeAll(this.file, part, this.length);
        this.length += part.length;
        return;
      } catch {
        this.memory = new MemorySlot(this.expected, null, async () => {});
        this.memory.append(this.read(0, this.length));
        this.file.truncate(0);
      }
    }
    this.memory.append(chunk);
  }

  clear(): void {
    this.length = 0;
    this.file.truncate(0);
    this.memory?.clear();
  }

  source(): ByteSource {
    return this.memory?.source() ?? { size: this.length, read: (offset, length) => this.read(offset, length) };
  }

  async keep(): Promise<void> {
    this.file.flush();
  }

  async close(): Promise<void> {
    this.file.close();
    if (this.memory) {
      await this.full();
    }
  }

  private read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const count = this.file.read(bytes, { at: offset });
    return bytes.subarray(0, count);
  }
}
