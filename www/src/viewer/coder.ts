// The decoder of the compact scene form: the twin of `src/scene/share/coder.rs`, bit for bit.

/** Two estimates of P(bit = 0) per context, 16 bits each, one after the other. */
export type Contexts = Uint16Array;

export function contexts(count: number): Contexts {
  return new Uint16Array(2 * count).fill(1 << 15);
}

/** Contexts of a value of `bits` bits. */
export interface Tree {
  contexts: Contexts;
  bits: number;
}

export function tree(bits: number): Tree {
  return { contexts: contexts(1 << bits), bits };
}

/** Contexts of signed numbers: how many bits, then their sign. */
export interface Numbers {
  size: Tree;
  sign: Contexts;
}

export function numbers(): Numbers {
  return { size: tree(6), sign: contexts(1) };
}

const TOP = 1 << 24;

export class Decoder {
  private readonly bytes: Uint8Array;
  private at = 0;
  private code = 0;
  private range = 0xffffffff;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    for (let i = 0; i < 4; i++) {
      this.code = ((this.code << 8) | this.byte()) >>> 0;
    }
  }

  bit(all: Contexts, index: number): number {
    const quick = all[2 * index] ?? 0;
    const slow = all[2 * index + 1] ?? 0;
    const bound = (this.range >>> 12) * ((quick + slow) >>> 5);
    let bit = 0;
    if (this.code >= bound) {
      bit = 1;
      this.code -= bound;
      this.range -= bound;
      all[2 * index] = quick - (quick >>> 4);
      all[2 * index + 1] = slow - (slow >>> 7);
    } else {
      this.range = bound;
      all[2 * index] = quick + ((0xffff - quick) >>> 4);
      all[2 * index + 1] = slow + ((0xffff - slow) >>> 7);
    }
    while (this.range < TOP) {
      this.range = (this.range << 8) >>> 0;
      this.code = ((this.code << 8) | this.byte()) >>> 0;
    }
    return bit;
  }

  tree({ contexts: all, bits }: Tree): number {
    let node = 1;
    for (let i = 0; i < bits; i++) {
      node = 2 * node + this.bit(all, node);
    }
    return node - (1 << bits);
  }

  /** Null where the number has more bits than any that is written. */
  number({ size, sign }: Numbers): number | null {
    const bits = this.tree(size);
    if (bits > 31) {
      return null;
    }
    let magnitude = bits > 0 ? 1 : 0;
    for (let i = 1; i < bits; i++) {
      magnitude = 2 * magnitude + this.bit(contexts(1), 0);
    }
    return bits > 0 && this.bit(sign, 0) === 1 ? -magnitude : magnitude;
  }

  /** Missing bytes are zeros: the encoder leaves them out. */
  private byte(): number {
    return this.bytes[this.at++] ?? 0;
  }
}
