// A folder of scan logs in memory, for unit tests: it can be full, and its files can be open elsewhere.
import type { LogFile, LogFolder } from '../scan-log';

export class MemoryFolder implements LogFolder {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly locked = new Set<string>();
  /** Most bytes of a file. */
  room = 1e6;

  async open(name: string, create: boolean): Promise<LogFile> {
    if (this.locked.has(name) || !(create || this.files.has(name))) {
      throw new DOMException('locked or absent', 'NoModificationAllowedError');
    }
    if (!this.files.has(name)) {
      this.files.set(name, new Uint8Array());
    }
    return this.handle(name);
  }

  async list(): Promise<{ name: string; changed: number }[]> {
    return [...this.files.keys()].reverse().map((name, i) => ({ name, changed: 100 - i }));
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
  }

  private handle(name: string): LogFile {
    this.locked.add(name);
    const content = () => this.files.get(name) ?? new Uint8Array();
    return {
      read(into, { at }) {
        const part = content().subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: (bytes, { at }) => {
        if (at + bytes.length > this.room) {
          throw new DOMException('no room', 'QuotaExceededError');
        }
        const grown = new Uint8Array(Math.max(content().length, at + bytes.length));
        grown.set(content());
        grown.set(bytes, at);
        this.files.set(name, grown);
        return bytes.length;
      },
      truncate: (size) => void this.files.set(name, content().slice(0, size)),
      getSize: () => content().length,
      flush: () => {},
      close: () => void this.locked.delete(name),
    };
  }
}
