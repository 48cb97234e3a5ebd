// What a file is, told by its first bytes (names and MIME types lie), and whether it is all there.
import type { ErrorCode } from './errors';

export type FileKind = 'mp4' | 'webm' | 'image' | 'unknown';

/** How many bytes `fileKind` wants to see. */
export const HEAD_BYTES = 64;

export function fileKind(head: Uint8Array): FileKind {
  const ascii = (from: number, to: number): string => String.fromCharCode(...head.subarray(from, to));
  if (ascii(4, 8) === 'ftyp') {
    return /^(avif|avis|heic|heix|hevc|mif1|msf1)/.test(ascii(8, 12)) ? 'image' : 'mp4';
  }
  // QuickTime files may begin without `ftyp`.
  if (['moov', 'mdat', 'wide', 'free', 'skip'].includes(ascii(4, 8))) {
    return 'mp4';
  }
  if (ascii(0, 4) === '\x1a\x45\xdf\xa3') {
    return 'webm';
  }
  const image =
    ascii(0, 3) === '\xff\xd8\xff' ||
    ascii(0, 4) === '\x89PNG' ||
    ascii(0, 4) === 'GIF8' ||
    ascii(0, 2) === 'BM' ||
    (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP');
  return image ? 'image' : 'unknown';
}

/** Null when the container is complete, else what is wrong with it. */
export async function containerDefect(file: Blob, kind: 'mp4' | 'webm'): Promise<ErrorCode | null> {
  return kind === 'mp4' ? mp4Defect(file) : webmDefect(file);
}

/** Walks the top-level boxes: the last one must end where the file ends, and one must be the index (`moov`). */
async function mp4Defect(file: Blob): Promise<ErrorCode | null> {
  let offset = 0;
  let hasIndex = false;
  while (offset < file.size) {
    const header = new DataView(await file.slice(offset, offset + 16).arrayBuffer());
    if (header.byteLength < 8) {
      // A few stray bytes behind the last box do no harm once the index has been seen.
      return hasIndex ? null : 'damaged-file';
    }
    const size32 = header.getUint32(0);
    let size = size32;
    if (size32 === 0) {
      size = file.size - offset;
    } else if (size32 === 1 && header.byteLength === 16) {
      size = Number(header.getBigUint64(8));
    }
    hasIndex ||= header.getUint32(4) === 0x6d6f6f76; // "moov"
    if (size < 8 || offset + size > file.size) {
      return 'damaged-file';
    }
    offset += size;
  }
  return hasIndex ? null : 'damaged-file';
}

/** The Segment of a recording may be of unknown size; a known size must fit into the file. */
async function webmDefect(file: Blob): Promise<ErrorCode | null> {
  const head = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  const ebml = readVint(head, 4);
  if (!ebml?.known) {
    return 'damaged-file';
  }
  const segment = ebml.end + ebml.value;
  const id = head.subarray(segment, segment + 4);
  const size = readVint(head, segment + 4);
  if (String.fromCharCode(...id) !== '\x18\x53\x80\x67' || !size) {
    return 'damaged-file';
  }
  return size.known && size.end + size.value > file.size ? 'damaged-file' : null;
}

/** An EBML variable-length integer: its value, where it ends, and whether it means "unknown". */
function readVint(bytes: Uint8Array, at: number): { value: number; end: number; known: boolean } | null {
  const first = bytes[at];
  if (!first) {
    return null;
  }
  const length = Math.clz32(first) - 23;
  const mask = 0xff >> length;
  let value = first & mask;
  let allOnes = value === mask;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) {
      return null;
    }
    value = value * 256 + byte;
    allOnes &&= byte === 0xff;
  }
  return { value, end: at + length, known: !allOnes };
}
