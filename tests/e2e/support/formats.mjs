// Independent readers of what the page produces: binary PLY, and PNG screenshots.
import { inflateSync } from 'node:zlib';

const SIZES = {
  char: 1,
  uchar: 1,
  int8: 1,
  uint8: 1,
  short: 2,
  ushort: 2,
  int: 4,
  uint: 4,
  float: 4,
  float32: 4,
  double: 8,
};

/** Header and points of a little-endian binary PLY; throws when bytes and header disagree. */
export function readPly(bytes) {
  const end = bytes.indexOf('end_header\n');
  const header = bytes.subarray(0, end).toString('latin1').split('\n');
  if (header[0] !== 'ply' || !header.includes('format binary_little_endian 1.0')) {
    throw new Error(`not a binary PLY: ${header.slice(0, 2)}`);
  }
  const count = Number(/^element vertex (\d+)$/m.exec(header.join('\n'))?.[1]);
  const properties = header
    .filter((line) => line.startsWith('property '))
    .map((line) => ({ type: line.split(' ')[1], name: line.split(' ')[2] }));
  const stride = properties.reduce((sum, { type }) => sum + SIZES[type], 0);
  const body = bytes.subarray(end + 'end_header\n'.length);
  if (body.length !== count * stride) {
    throw new Error(`the PLY announces ${count} points of ${stride} bytes but holds ${body.length} bytes`);
  }
  const offset = (name) => {
    const at = properties.findIndex((property) => property.name === name);
    return properties.slice(0, at).reduce((sum, { type }) => sum + SIZES[type], 0);
  };
  const point = (i) => ['x', 'y', 'z'].map((name) => body.readFloatLE(i * stride + offset(name)));
  return { count, names: properties.map(({ name }) => name), point };
}

/** Vertices and triangles of a binary PLY mesh whose vertices begin with x y z; throws when bytes and header disagree. */
export function readMesh(bytes) {
  const end = bytes.indexOf('end_header\n') + 'end_header\n'.length;
  const header = bytes.toString('latin1', 0, end);
  const [, before, faces] = /element vertex \d+\n([\s\S]*)element face (\d+)\nproperty list uchar int/.exec(header);
  const count = Number(/element vertex (\d+)/.exec(header)[1]);
  const types = [...before.matchAll(/property (\w+)/g)].map(([, type]) => SIZES[type]);
  const stride = types.reduce((sum, size) => sum + size, 0);
  const start = end + count * stride;
  if (bytes.length !== start + Number(faces) * 13) {
    throw new Error(`the mesh announces ${count} vertices and ${faces} triangles but holds ${bytes.length} bytes`);
  }
  const vertices = Array.from({ length: count }, (_, i) =>
    [0, 4, 8].map((at) => bytes.readFloatLE(end + i * stride + at)),
  );
  const triangles = Array.from({ length: Number(faces) }, (_, i) => {
    const at = start + 13 * i;
    if (bytes[at] !== 3) {
      throw new Error(`face ${i} has ${bytes[at]} corners`);
    }
    return [1, 5, 9].map((offset) => bytes.readInt32LE(at + offset));
  });
  return { vertices, triangles };
}

/** 8-bit RGB or RGBA pixels of a PNG. */
export function readPng(bytes) {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const channels = { 2: 3, 6: 4 }[bytes[25]];
  const parts = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT') {
      parts.push(bytes.subarray(at + 8, at + 8 + length));
    }
    at += length + 12;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const row = width * channels;
  const pixels = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x++) {
      const left = x >= channels ? pixels[y * row + x - channels] : 0;
      const up = y > 0 ? pixels[(y - 1) * row + x] : 0;
      const corner = y > 0 && x >= channels ? pixels[(y - 1) * row + x - channels] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[y * row + x] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  return { width, height, channels, pixels };
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** The share of pixels that differ from the top left one: zero on an empty canvas. */
export function inkShare(png) {
  const { width, height, channels, pixels } = readPng(png);
  let ink = 0;
  for (let i = 0; i < pixels.length; i += channels) {
    const difference = [0, 1, 2].reduce((sum, k) => sum + Math.abs(pixels[i + k] - pixels[k]), 0);
    ink += difference > 24 ? 1 : 0;
  }
  return ink / (width * height);
}
