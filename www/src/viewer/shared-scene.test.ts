// The small viewer's reader finds in the golden link what the engine's reader finds, and refuses what was spoiled.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromBase64Url, toBase64Url } from './base64';
import { readSharedScene, type SharedScene } from './shared-scene';

const folder = new URL('../../../tests/golden/share/', import.meta.url);
const bytes = new Uint8Array(readFileSync(new URL('room.p3s', folder)));
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8'));

function read(content: Uint8Array): SharedScene {
  const scene = readSharedScene(content);
  if (typeof scene === 'string') {
    throw new Error(scene);
  }
  return scene;
}

/** FNV-1a, as links carry it. */
function hash(content: Uint8Array): number {
  return content.reduce((h, byte) => Math.imul(h ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
}

/** The bytes with a change and the right checksum. */
function changed(at: number, values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  new DataView(copy.buffer).setUint32(copy.length - 4, hash(copy.subarray(0, -4)), true);
  return copy;
}

describe('the compact form', () => {
  it('reads as the engine reads it', () => {
    const scene = read(bytes);
    expect([scene.title, scene.count]).toEqual([expected.title, expected.count]);
    expect(1e6 * scene.voxel).toBeCloseTo(expected.spacing, 0);
    expect(hash(scene.colors)).toBe(expected.colors);
    const close = (a: ArrayLike<number>, b: number[], digits = 5): void =>
      b.forEach((v, i) => void expect(a[i]).toBeCloseTo(v / 1e6, digits));
    close(scene.positions.subarray(0, 3), expected.first);
    close(scene.positions.subarray(-3), expected.last);
    const sums = [0, 1, 2].map((axis) => scene.positions.reduce((sum, v, i) => sum + (i % 3 === axis ? v : 0), 0));
    sums.forEach((sum, axis) => void expect(Math.abs(sum - expected.sums[axis])).toBeLessThan(0.6));
    expect(scene.path).toHaveLength(expected.path.length);
    for (const [i, centre] of scene.path.entries()) {
      close(centre, expected.path[i]);
    }
    close(scene.viewpoint?.eye ?? [], expected.eye);
    close(scene.viewpoint?.target ?? [], expected.target);
  });

  it('refuses what was cut or changed', () => {
    for (let at = 0; at < bytes.length; at += 7) {
      expect(readSharedScene(bytes.subarray(0, at))).toBeTypeOf('string');
      const copy = bytes.slice();
      copy[at] = (copy[at] ?? 0) ^ 0x40;
      expect(readSharedScene(copy)).toBeTypeOf('string');
    }
  });

  it.each([
    ['version', 3, [0x39], 'version'],
    ['flags', 4, [0xf1], 'contradiction'],
    ['depth 0', 5, [0], 'contradiction'],
    ['depth 17', 5, [17], 'contradiction'],
    ['colours', 6, [0x11], 'contradiction'],
    ['10^9 points', 8, [0, 0xca, 0x9a, 0x3b], 'too-large'],
    ['no points', 8, [0, 0, 0, 0], 'contradiction'],
    ['too many points', 8, [0, 0x40, 0, 0], 'contradiction'],
    ['too few points', 8, [9, 0, 0, 0], 'contradiction'],
    ['10^9 cameras', 12, [0, 0xca, 0x9a, 0x3b], 'too-large'],
    ['NaN', 16, [0, 0, 0xc0, 0x7f], 'contradiction'],
    ['infinite voxel', 28, [0, 0, 0x80, 0x7f], 'contradiction'],
  ] as const)('refuses a link with wrong %s', (_name, at, values, defect) => {
    expect(readSharedScene(changed(at, [...values]))).toBe(defect);
  });
});

describe('base64 for addresses', () => {
  it('keeps all bytes', () => {
    for (const length of [0, 1, 2, 3, 100, 70_000]) {
      const content = Uint8Array.from({ length }, (_, i) => (i * 31) % 256);
      const text = toBase64Url(content);
      expect(text).toMatch(/^[\w-]*$/);
      expect(fromBase64Url(text)).toEqual(content);
    }
  });

  it('refuses other characters and impossible lengths', () => {
    for (const text of ['a', 'abcde', 'ab+/', 'a b', 'äöüß', '%41', 'abc=']) {
      expect(fromBase64Url(text)).toBeNull();
    }
  });
});
