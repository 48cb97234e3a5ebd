// QR codes (ISO/IEC 18004): bytes, error correction level L, versions 1 to 40. Level L because links are long and screens
// are clean.

const PER_BLOCK = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30,
  30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
] as const;
const BLOCKS = [
  1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19,
  20, 21, 22, 24, 25,
] as const;

/** Bytes that the largest code holds. */
export const MAX_QR_BYTES = 2953;

/** Square of modules, row by row; 1 is dark. */
export interface QrCode {
  size: number;
  modules: Uint8Array;
}

/** Null where the text has too many bytes. */
export function qrCode(text: string): QrCode | null {
  const bytes = new TextEncoder().encode(text);
  for (let version = 1; version <= 40; version++) {
    const lengthBits = version < 10 ? 8 : 16;
    if (4 + lengthBits + 8 * bytes.length <= 8 * dataCodewords(version)) {
      return best(version, codewords(bytes, version, lengthBits));
    }
  }
  return null;
}

function rawCodewords(version: number): number {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const align = Math.floor(version / 7) + 2;
    modules -= (25 * align - 10) * align - 55 + (version >= 7 ? 36 : 0);
  }
  return modules >> 3;
}

function dataCodewords(version: number): number {
  return rawCodewords(version) - (PER_BLOCK[version - 1] ?? 0) * (BLOCKS[version - 1] ?? 0);
}

/** Data with padding, split into blocks with their error correction, interleaved. */
function codewords(bytes: Uint8Array, version: number, lengthBits: number): Uint8Array {
  const data = new Uint8Array(dataCodewords(version));
  let at = 0;
  const put = (value: number, bits: number): void => {
    for (let i = bits - 1; i >= 0; i--, at++) {
      data[at >> 3] = (data[at >> 3] ?? 0) | (((value >> i) & 1) << (7 - (at & 7)));
    }
  };
  put(4, 4);
  put(bytes.length, lengthBits);
  for (const byte of bytes) {
    put(byte, 8);
  }
  for (let i = Math.ceil((at + Math.min(4, 8 * data.length - at)) / 8), odd = false; i < data.length; i++, odd = !odd) {
    data[i] = odd ? 0x11 : 0xec;
  }
  const count = BLOCKS[version - 1] ?? 1;
  const check = PER_BLOCK[version - 1] ?? 0;
  const short = Math.floor(data.length / count);
  const longFrom = count - (data.length % count);
  const divisor = reedSolomonDivisor(check);
  const blocks: { data: Uint8Array; check: Uint8Array }[] = [];
  for (let block = 0, start = 0; block < count; block++) {
    const part = data.subarray(start, start + short + (block >= longFrom ? 1 : 0));
    blocks.push({ data: part, check: reedSolomonRest(part, divisor) });
    start += part.length;
  }
  const out: number[] = [];
  for (let i = 0; i <= short; i++) {
    out.push(...blocks.flatMap(({ data: part }) => (i < part.length ? [part[i] ?? 0] : [])));
  }
  for (let i = 0; i < check; i++) {
    out.push(...blocks.map((block) => block.check[i] ?? 0));
  }
  return Uint8Array.from(out);
}

/** Product in GF(2^8) modulo 0x11d. */
function multiply(x: number, y: number): number {
  let z = 0;
  for (let i = 7; i >= 0; i--) {
    z = (z << 1) ^ ((z >> 7) * 0x11d);
    z ^= ((y >> i) & 1) * x;
  }
  return z;
}

function reedSolomonDivisor(degree: number): Uint8Array {
  const result = new Uint8Array(degree);
  result[degree - 1] = 1;
  for (let i = 0, root = 1; i < degree; i++, root = multiply(root, 2)) {
    for (let j = 0; j < degree; j++) {
      result[j] = multiply(result[j] ?? 0, root) ^ (result[j + 1] ?? 0);
    }
  }
  return result;
}

function reedSolomonRest(data: Uint8Array, divisor: Uint8Array): Uint8Array {
  const rest = new Uint8Array(divisor.length);
  for (const byte of data) {
    const factor = byte ^ (rest[0] ?? 0);
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    for (const [i, coefficient] of divisor.entries()) {
      rest[i] = (rest[i] ?? 0) ^ multiply(coefficient, factor);
    }
  }
  return rest;
}

class Grid {
  readonly size: number;
  readonly modules: Uint8Array;
  readonly fixed: Uint8Array;

  constructor(version: number) {
    this.size = 4 * version + 17;
    this.modules = new Uint8Array(this.size ** 2);
    this.fixed = new Uint8Array(this.size ** 2);
    this.functionPatterns(version);
  }

  set(x: number, y: number, dark: boolean | number): void {
    if (x >= 0 && y >= 0 && x < this.size && y < this.size) {
      this.modules[y * this.size + x] = dark ? 1 : 0;
      this.fixed[y * this.size + x] = 1;
    }
  }

  private functionPatterns(version: number): void {
    const { size } = this;
    for (let i = 0; i < size; i++) {
      this.set(6, i, i % 2 === 0);
      this.set(i, 6, i % 2 === 0);
    }
    const centres = alignments(version, size);
    const last = centres.length - 1;
    for (const [i, x] of centres.entries()) {
      for (const [j, y] of centres.entries()) {
        if (!((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0))) {
          this.square(x, y, 2, (ring) => ring !== 1);
        }
      }
    }
    for (const [x, y] of [
      [3, 3],
      [size - 4, 3],
      [3, size - 4],
    ] as const) {
      this.square(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    }
    this.format(0);
    if (version >= 7) {
      let rest = version;
      for (let i = 0; i < 12; i++) {
        rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
      }
      const bits = (version << 12) | rest;
      for (let i = 0; i < 18; i++) {
        const [a, b] = [size - 11 + (i % 3), Math.floor(i / 3)];
        this.set(a, b, (bits >> i) & 1);
        this.set(b, a, (bits >> i) & 1);
      }
    }
  }

  private square(x: number, y: number, reach: number, dark: (ring: number) => boolean): void {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        this.set(x + dx, y + dy, dark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  }

  /** Level L and the mask, twice. */
  format(mask: number): void {
    const { size } = this;
    const data = (1 << 3) | mask;
    let rest = data;
    for (let i = 0; i < 10; i++) {
      rest = (rest << 1) ^ ((rest >> 9) * 0x537);
    }
    const bits = ((data << 10) | rest) ^ 0x5412;
    const bit = (i: number): number => (bits >> i) & 1;
    for (let i = 0; i <= 5; i++) {
      this.set(8, i, bit(i));
    }
    this.set(8, 7, bit(6));
    this.set(8, 8, bit(7));
    this.set(7, 8, bit(8));
    for (let i = 9; i < 15; i++) {
      this.set(14 - i, 8, bit(i));
    }
    for (let i = 0; i < 8; i++) {
      this.set(size - 1 - i, 8, bit(i));
    }
    for (let i = 8; i < 15; i++) {
      this.set(8, size - 15 + i, bit(i));
    }
    this.set(8, size - 8, 1);
  }

  /** Puts the bits in zigzag columns from the right, through the mask. */
  fill(data: Uint8Array, mask: number): void {
    const { size } = this;
    let bit = 0;
    for (let right = size - 1; right >= 1; right -= 2) {
      if (right === 6) {
        right = 5;
      }
      for (let step = 0; step < size; step++) {
        for (let j = 0; j < 2; j++) {
          const x = right - j;
          const y = ((right + 1) & 2) === 0 ? size - 1 - step : step;
          const at = y * size + x;
          if (!this.fixed[at]) {
            const value = bit < 8 * data.length ? ((data[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1 : 0;
            this.modules[at] = value ^ (masked(mask, x, y) ? 1 : 0);
            bit += 1;
          }
        }
      }
    }
  }
}

function alignments(version: number, size: number): number[] {
  if (version === 1) {
    return [];
  }
  const count = Math.floor(version / 7) + 2;
  const step = version === 32 ? 26 : Math.ceil((4 * version + 4) / (2 * count - 2)) * 2;
  const centres = [6];
  for (let at = size - 7; centres.length < count; at -= step) {
    centres.splice(1, 0, at);
  }
  return centres;
}

function masked(mask: number, x: number, y: number): boolean {
  switch (mask) {
    case 0:
      return (x + y) % 2 === 0;
    case 1:
      return y % 2 === 0;
    case 2:
      return x % 3 === 0;
    case 3:
      return (x + y) % 3 === 0;
    case 4:
      return (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0;
    case 5:
      return ((x * y) % 2) + ((x * y) % 3) === 0;
    case 6:
      return (((x * y) % 2) + ((x * y) % 3)) % 2 === 0;
    default:
      return (((x + y) % 2) + ((x * y) % 3)) % 2 === 0;
  }
}

/** How hard a pattern is to read: long runs, blocks of one colour, unbalanced colours. */
function penalty({ size, modules }: QrCode): number {
  let sum = 0;
  let dark = 0;
  const at = (x: number, y: number): number => modules[y * size + x] ?? 0;
  for (let i = 0; i < size; i++) {
    for (const pick of [(j: number) => at(j, i), (j: number) => at(i, j)]) {
      for (let j = 1, run = 1; j <= size; j++) {
        if (j < size && pick(j) === pick(j - 1)) {
          run += 1;
        } else {
          sum += run >= 5 ? run - 2 : 0;
          run = 1;
        }
      }
    }
    for (let j = 0; j < size; j++) {
      dark += at(j, i);
      const same = at(j, i) === at(j + 1, i) && at(j, i) === at(j, i + 1) && at(j, i) === at(j + 1, i + 1);
      sum += i + 1 < size && j + 1 < size && same ? 3 : 0;
    }
  }
  return sum + 10 * Math.floor(Math.abs((20 * dark) / size ** 2 - 10));
}

function best(version: number, data: Uint8Array): QrCode {
  let found: QrCode | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let mask = 0; mask < 8; mask++) {
    const grid = new Grid(version);
    grid.format(mask);
    grid.fill(data, mask);
    const cost = penalty(grid);
    if (!found || cost < least) {
      [found, least] = [{ size: grid.size, modules: grid.modules }, cost];
    }
  }
  return found ?? { size: 0, modules: new Uint8Array() };
}
