// Reads the compact scene form of links and offline pages (docs/formats.md): the twin of `src/scene/share.rs`. The bytes
// are untrusted: announced counts are held against the bytes that are there, and a checksum against what was cut.
import { Decoder, numbers } from './coder';
import { readColors, usableDepths } from './colors';
import { readVoxels } from './octree';

export type Vector = [number, number, number];

/** Where a viewer stands and what it turns around. "Up" is -y. */
export interface Viewpoint {
  eye: Vector;
  target: Vector;
}

export interface SharedScene {
  title: string;
  count: number;
  /** x y z per point: x right, y down, z forward. */
  positions: Float32Array<ArrayBuffer>;
  /** sRGB bytes. */
  colors: Uint8Array<ArrayBuffer>;
  /** Side of a voxel: each point is at most half of that from its place, per axis. */
  voxel: number;
  /** How far neighbouring points are apart, roughly: at least a voxel. */
  spacing: number;
  /** Camera centres in order. */
  path: Vector[];
  viewpoint: Viewpoint | null;
}

export type SceneDefect = 'cut' | 'version' | 'too-large' | 'contradiction';

const MAX_POINTS = 4 << 20;
const MAX_DENSITY = 24;
const HEADER = 32;

/** The scene, or what is wrong with it. */
export function readSharedScene(bytes: Uint8Array, maxPoints = MAX_POINTS): SharedScene | SceneDefect {
  if (bytes.length < HEADER + 4) {
    return 'cut';
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x50335331) {
    return 'version';
  }
  const end = bytes.length - 4;
  if (checksum(bytes, end) !== view.getUint32(end, true)) {
    return 'cut';
  }
  const flags = view.getUint8(4);
  const depth = view.getUint8(5);
  const [luma, chroma] = [view.getUint8(6) >> 4, view.getUint8(6) & 15];
  const count = view.getUint32(8, true);
  const cameras = view.getUint32(12, true);
  const vector = (at: number): Vector => [
    view.getFloat32(at, true),
    view.getFloat32(at + 4, true),
    view.getFloat32(at + 8, true),
  ];
  if (count > Math.min(maxPoints, MAX_POINTS, end * MAX_DENSITY) || cameras > Math.min(20_000, end)) {
    return 'too-large';
  }
  const origin = vector(16);
  const voxel = view.getFloat32(28, true);
  const placed = origin.every((v) => Math.abs(v) < 1e9) && voxel > 0 && voxel < 1e6;
  if ((flags & ~1) !== 0 || depth < 1 || depth > 16 || !usableDepths(luma, chroma) || !placed || count === 0) {
    return 'contradiction';
  }
  const start = HEADER + (flags & 1 ? 24 : 0);
  const titleEnd = start + view.getUint8(7);
  if (titleEnd > end) {
    return 'cut';
  }
  const viewpoint = flags & 1 ? usable({ eye: vector(HEADER), target: vector(HEADER + 12) }) : null;
  const decoder = new Decoder(bytes.subarray(titleEnd, end));
  const voxels = readVoxels(decoder, count, depth);
  if (!voxels) {
    return 'contradiction';
  }
  const colors = readColors(decoder, count, luma, chroma);
  const positions = new Float32Array(3 * count);
  for (let i = 0; i < positions.length; i++) {
    positions[i] = (origin[i % 3] ?? 0) + ((voxels.nodes[i] ?? 0) + 0.5) * voxel;
  }
  const path = readPath(decoder, cameras, origin, (voxel * 2 ** depth) / 16384);
  if (!path) {
    return 'contradiction';
  }
  const title = cleanTitle(new TextDecoder().decode(bytes.subarray(start, titleEnd)));
  return { title, count, positions, colors, voxel, spacing: voxel * 2 ** voxels.sparse, path, viewpoint };
}

/** One line of bounded length. */
export function cleanTitle(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is to be removed
  const visible = text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, ' ');
  return [...visible.trim()].slice(0, 120).join('');
}

/** FNV-1a of the first `end` bytes. */
function checksum(bytes: Uint8Array, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < end; i++) {
    hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  }
  return hash >>> 0;
}

export function usable(viewpoint: Viewpoint): Viewpoint | null {
  const { eye, target } = viewpoint;
  const finite = [...eye, ...target].every((v) => Number.isFinite(v) && Math.abs(v) < 1e9);
  return finite && eye.some((v, i) => Math.abs(v - (target[i] ?? 0)) > 1e-6) ? viewpoint : null;
}

/** Frame, milliseconds, position and rotation per camera, each as the difference to the one before. */
function readPath(decoder: Decoder, count: number, origin: Vector, unit: number): Vector[] | null {
  const fields = Array.from({ length: 8 }, numbers);
  const before = new Array<number>(8).fill(0);
  const path: Vector[] = [];
  for (let camera = 0; camera < count; camera++) {
    for (const [index, field] of fields.entries()) {
      const change = decoder.number(field);
      const value = (before[index] ?? 0) + (change ?? 0);
      if (change === null || Math.abs(value) > 1 << 29) {
        return null;
      }
      before[index] = value;
    }
    path.push(origin.map((v, axis) => v + (before[2 + axis] ?? 0) * unit) as Vector);
  }
  return path;
}
