// Bytes that the engine reads piece by piece, so that none of its memory is taken by whole files. In the worker.

/** `read` is synchronous, and throws where the bytes are not there. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return { size: bytes.byteLength, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A file on disk, or a part of one. Whoever reads much of it lets the browser `breathe` now and then. */
export function fileSource(file: Blob): ByteSource {
  const reader = new FileReaderSync();
  return {
    size: file.size,
    read: (offset, length) => new Uint8Array(reader.readAsArrayBuffer(file.slice(offset, offset + length))),
  };
}

/** Read in one go at most, about: what is read synchronously piles up until the next task. */
const BREATH_BYTES = 16 * 1024 * 1024;

/**
 * To be told, again and again, how many bytes have been read. The browser frees what was read between tasks only; detaching
 * the buffers does not help, it makes the garbage collector believe that there is nothing to do.
 */
export function breathing(): (read: number) => Promise<void> {
  let last = 0;
  return async (read) => {
    if (read - last >= BREATH_BYTES) {
      last = read;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
}

/** Frees a buffer made by the script that nobody needs any more, without waiting for the garbage collector. */
export function release(buffer: ArrayBuffer): void {
  (buffer as { transfer?: (size: number) => ArrayBuffer }).transfer?.(0);
}

/** The worker's own reader of files, which the DOM library does not describe. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
