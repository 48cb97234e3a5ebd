import { describe, expect, test } from 'vitest';
import { containerDefect, fileKind } from './container';

const bytes = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));

function box(type: string, payload: number, claimed = payload + 8): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(8 + payload);
  new DataView(out.buffer).setUint32(0, claimed);
  out.set(bytes(type), 4);
  return out;
}

describe('fileKind goes by content', () => {
  const cases: [string, string, ReturnType<typeof fileKind>][] = [
    ['mp4', '\0\0\0\x20ftypisom', 'mp4'],
    ['mov', '\0\0\0\x14ftypqt  ', 'mp4'],
    ['mov without ftyp', '\0\0\0\x08wide\0\0\0\0mdat', 'mp4'],
    ['webm', '\x1a\x45\xdf\xa3\x9f', 'webm'],
    ['avif', '\0\0\0\x20ftypavif', 'image'],
    ['heic', '\0\0\0\x20ftypheic', 'image'],
    ['jpeg', '\xff\xd8\xff\xe0', 'image'],
    ['png', '\x89PNG\r\n\x1a\n', 'image'],
    ['webp', 'RIFF\0\0\0\0WEBP', 'image'],
    ['wav is not webp', 'RIFF\0\0\0\0WAVE', 'unknown'],
    ['text', 'not a video', 'unknown'],
    ['nothing', '', 'unknown'],
  ];
  test.each(cases)('%s', (_name, head, kind) => {
    expect(fileKind(bytes(head))).toBe(kind);
  });
});

describe('an mp4 is complete when its boxes are', () => {
  const defect = (...parts: Uint8Array<ArrayBuffer>[]) => containerDefect(new Blob(parts), 'mp4');
  test('complete', async () => {
    expect(await defect(box('ftyp', 8), box('moov', 100), box('mdat', 500))).toBeNull();
  });
  test('last box to the end of the file (size 0)', async () => {
    expect(await defect(box('ftyp', 8), box('moov', 100), box('mdat', 500, 0))).toBeNull();
  });
  test('cut inside the media', async () => {
    expect(await defect(box('ftyp', 8), box('moov', 100), box('mdat', 500, 100_000))).toBe('damaged-file');
  });
  test('cut before the index', async () => {
    expect(await defect(box('ftyp', 8), box('mdat', 500))).toBe('damaged-file');
  });
  test('a box of impossible size does not loop', async () => {
    expect(await defect(box('ftyp', 8, 3), box('moov', 100))).toBe('damaged-file');
  });
  test('64-bit sizes', async () => {
    const large = box('mdat', 508, 1);
    new DataView(large.buffer).setBigUint64(8, 516n);
    expect(await defect(box('moov', 4), large)).toBeNull();
    new DataView(large.buffer).setBigUint64(8, 2n ** 60n);
    expect(await defect(box('moov', 4), large)).toBe('damaged-file');
  });
});

describe('a webm is complete when its segment fits', () => {
  const webm = (size: string, payload: number) =>
    containerDefect(
      new Blob([bytes(`\x1a\x45\xdf\xa3\x84abcd\x18\x53\x80\x67${size}`), new Uint8Array(payload)]),
      'webm',
    );
  test('complete', async () => {
    expect(await webm('\x01\0\0\0\0\0\0\x64', 100)).toBeNull();
  });
  test('cut', async () => {
    expect(await webm('\x01\0\0\0\0\0\0\x64', 99)).toBe('damaged-file');
  });
  test('a live recording says no size', async () => {
    expect(await webm('\x01\xff\xff\xff\xff\xff\xff\xff', 5)).toBeNull();
  });
  test('header only', async () => {
    expect(await containerDefect(new Blob([bytes('\x1a\x45\xdf\xa3')]), 'webm')).toBe('damaged-file');
  });
});
