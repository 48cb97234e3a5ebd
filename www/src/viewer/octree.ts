// Voxels from an octree: the twin of `src/scene/share/octree.rs`.
import { contexts, type Decoder } from './coder';

/** Coordinates of nodes, three numbers each. */
export type Nodes = Uint16Array;

/** One level's nodes, and a hash table to find them. */
class Level {
  readonly nodes: Nodes;
  readonly count: number;
  private readonly table: Uint32Array;

  constructor(nodes: Nodes) {
    this.nodes = nodes;
    this.count = nodes.length / 3;
    let size = 4;
    while (size < 2 * this.count) {
      size *= 2;
    }
    this.table = new Uint32Array(size);
    for (let i = 0; i < this.count; i++) {
      let slot = this.slot(nodes[3 * i] ?? 0, nodes[3 * i + 1] ?? 0, nodes[3 * i + 2] ?? 0);
      while (this.table[slot]) {
        slot = (slot + 1) & (size - 1);
      }
      this.table[slot] = i + 1;
    }
  }

  private slot(x: number, y: number, z: number): number {
    const hash = (Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(z, 83492791)) >>> 0;
    return ((hash ^ (hash >>> 15)) & (this.table.length - 1)) >>> 0;
  }

  private has(x: number, y: number, z: number): number {
    for (let slot = this.slot(x, y, z); ; slot = (slot + 1) & (this.table.length - 1)) {
      const entry = this.table[slot];
      if (!entry) {
        return 0;
      }
      const at = 3 * (entry - 1);
      if (this.nodes[at] === x && this.nodes[at + 1] === y && this.nodes[at + 2] === z) {
        return 1;
      }
    }
  }

  /** Which of -x, +x, -y, +y, -z, +z is there, as bits; over the edge lies the far side. */
  beside(x: number, y: number, z: number): number {
    return (
      this.has((x - 1) & 0xffff, y, z) |
      (this.has((x + 1) & 0xffff, y, z) << 1) |
      (this.has(x, (y - 1) & 0xffff, z) << 2) |
      (this.has(x, (y + 1) & 0xffff, z) << 3) |
      (this.has(x, y, (z - 1) & 0xffff) << 4) |
      (this.has(x, y, (z + 1) & 0xffff) << 5)
    );
  }
}

function contextOf(child: number, coded: number, beside: number): number {
  let siblings = 0;
  let parents = 0;
  for (let axis = 0; axis < 3; axis++) {
    const mask = 1 << axis;
    siblings |= ((coded >> (child ^ mask)) & 1) << axis;
    parents |= ((beside >> (2 * axis + (child & mask ? 1 : 0))) & 1) << axis;
  }
  return ((child * 8 + siblings) * 8 + parents) * 2 + (coded ? 1 : 0);
}

/** Children per node from which on a level follows a surface (which has four) rather than single points. */
const FULL = 2;

/** Nodes of all levels that so many voxels may have. */
const mostNodes = (count: number): number => 4 * count + 4096;

/** Voxels, and how many levels above them are so sparse that most nodes have a single child. */
export interface Voxels {
  nodes: Nodes;
  sparse: number;
}

/** Reads `count` voxels; null where the stream holds another number of them. */
export function readVoxels(decoder: Decoder, count: number, depth: number): Voxels | null {
  const all = contexts(8 * 8 * 8 * 2);
  let nodes: Nodes = new Uint16Array(3);
  let visited = 0;
  let sparse = 0;
  for (let step = 0; step < depth; step++) {
    visited += nodes.length / 3;
    if (visited > mostNodes(count)) {
      return null;
    }
    const level = new Level(nodes);
    const next = new Uint16Array(3 * Math.min(count, 8 * level.count));
    let used = 0;
    for (let i = 0; i < level.count; i++) {
      const x = nodes[3 * i] ?? 0;
      const y = nodes[3 * i + 1] ?? 0;
      const z = nodes[3 * i + 2] ?? 0;
      const beside = level.beside(x, y, z);
      let coded = 0;
      for (let child = 0; child < 8; child++) {
        const must = child === 7 && coded === 0;
        if (must || decoder.bit(all, contextOf(child, coded, beside)) === 1) {
          coded |= 1 << child;
          if (used === next.length) {
            return null;
          }
          next[used++] = (x << 1) | (child & 1);
          next[used++] = (y << 1) | ((child >> 1) & 1);
          next[used++] = (z << 1) | (child >> 2);
        }
      }
    }
    sparse = used < 3 * FULL * level.count ? sparse + 1 : 0;
    nodes = next.subarray(0, used);
  }
  return nodes.length === 3 * count ? { nodes, sparse } : null;
}
