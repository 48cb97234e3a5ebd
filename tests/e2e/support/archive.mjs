// Independent readers of exported files: zip archives, GLB, COLMAP's binary model, NumPy arrays.
import { inflateRawSync } from 'node:zlib';

/** Files of a zip by name, by its directory; throws when directory, headers and contents disagree. */
export function readZip(bytes) {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const [count, size, start] = [
    bytes.readUInt16LE(end + 10),
    bytes.readUInt32LE(end + 12),
    bytes.readUInt32LE(end + 16),
  ];
  if (start + size !== end) {
    throw new Error(`the directory is said to lie at ${start} + ${size}, the end at ${end}`);
  }
  const files = new Map();
  for (let at = start, i = 0; i < count; i++) {
    if (bytes.readUInt32LE(at) !== 0x02014b50) {
      throw new Error(`no directory entry at ${at}`);
    }
    const [method, crc, packed, length] = [10, 16, 20, 24].map((k) =>
      k === 10 ? bytes.readUInt16LE(at + k) : bytes.readUInt32LE(at + k),
    );
    const [nameLength, extra, comment] = [28, 30, 32].map((k) => bytes.readUInt16LE(at + k));
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const body = bytes.subarray(from, from + packed);
    const content = method === 8 ? inflateRawSync(body) : body;
    if (content.length !== length || crc32(content) !== crc) {
      throw new Error(`${name} is damaged`);
    }
    files.set(name, content);
    at += 46 + nameLength + extra + comment;
  }
  return files;
}

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) {
    c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  return c >>> 0;
});

function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c = TABLE[(c ^ byte) & 0xff] ^ (c >>> 8);
  }
  return (c ^ 0xffffffff) >>> 0;
}

/** The JSON and the binary part of a GLB. */
export function readGlb(bytes) {
  const length = bytes.readUInt32LE(12);
  if (bytes.toString('latin1', 0, 4) !== 'glTF' || bytes.readUInt32LE(8) !== bytes.length) {
    throw new Error('not a GLB, or of another length than it says');
  }
  const json = JSON.parse(bytes.toString('utf8', 20, 20 + length));
  return { json, binary: bytes.subarray(28 + length) };
}

/** Number of images and points of a COLMAP model, its camera, and the names of its images. */
export function readColmap(files) {
  const cameras = files.get('sparse/0/cameras.bin');
  const camera = {
    model: cameras.readInt32LE(12),
    width: Number(cameras.readBigUInt64LE(16)),
    height: Number(cameras.readBigUInt64LE(24)),
  };
  const images = files.get('sparse/0/images.bin');
  const names = [];
  let at = 8;
  for (let i = 0; i < Number(images.readBigUInt64LE(0)); i++) {
    const end = images.indexOf(0, at + 64);
    names.push(images.toString('latin1', at + 64, end));
    at = end + 9 + 24 * Number(images.readBigUInt64LE(end + 1));
  }
  const points = files.get('sparse/0/points3D.bin');
  const count = Number(points.readBigUInt64LE(0));
  if (at !== images.length || points.length !== 8 + 51 * count) {
    throw new Error('a COLMAP file has another length than it says');
  }
  return { camera, names, points: count };
}

/** Shape of a `<f4` array. */
export function readNpy(bytes) {
  const length = bytes.readUInt16LE(8);
  const [, rows, columns] = /'shape': \((\d+), (\d+)\)/.exec(bytes.toString('latin1', 10, 10 + length));
  if (bytes.length !== 10 + length + 4 * rows * columns) {
    throw new Error('an array has another length than its shape');
  }
  return [Number(rows), Number(columns)];
}
