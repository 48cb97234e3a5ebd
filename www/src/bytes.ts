// Bytes that the engine reads piece by piece, so that none of its memory is taken by whole files. In the worker.

/** `read` is synchronous, and throws where the bytes are not there. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return { size: bytes.byteLength, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A file on disk, or a part of one. What was read is to be copied before the next piece is read. */
export function fileSource(file: Blob): ByteSource {
  const reader = new FileReaderSync();
  let last = new ArrayBuffer(0);
  return {
    size: file.size,
    read(offset, length) {
      release(last);
      last = reader.readAsArrayBuffer(file.slice(offset, offset + length));
      return new Uint8Array(last);
    },
  };
}

/** Frees a buffer that nobody needs any more; left to the garbage collector, gigabytes pile up while a file is read. */
export function release(buffer: ArrayBuffer): void {
  (buffer as { transfer?: (size: number) => ArrayBuffer }).transfer?.(0);
}

/** The worker's own reader of files, which the DOM library does not describe. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
