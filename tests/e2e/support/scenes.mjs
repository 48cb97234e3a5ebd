// Scene files for tests: parts of GLB and the compact form, and bytes that no reader may accept.

/** A GLB of these points (glTF axes), coloured by where they are. */
export function glb(positions, change = (json) => json) {
  const colors = positions.map((p) => p.map((v) => 0.5 + 0.4 * Math.sin(3 * v)));
  const body = Buffer.from(Float32Array.from([...positions, ...colors].flat()).buffer);
  const json = change({
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ mode: 0, attributes: { POSITION: 0, COLOR_0: 1 } }] }],
    accessors: [0, body.length / 2].map((byteOffset) => ({
      bufferView: 0,
      byteOffset,
      componentType: 5126,
      type: 'VEC3',
      count: positions.length,
    })),
    bufferViews: [{ buffer: 0, byteLength: body.length }],
    buffers: [{ byteLength: body.length }],
  });
  const text = Buffer.from(JSON.stringify(json));
  const head = (length, kind) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(length);
    bytes.write(kind, 4, 'latin1');
    return bytes;
  };
  const parts = [head(text.length, 'JSON'), text, head(body.length, 'BIN\0'), body];
  const start = Buffer.from('glTF\u0002\0\0\0\0\0\0\0', 'latin1');
  start.writeUInt32LE(12 + parts.reduce((sum, part) => sum + part.length, 0), 8);
  return Buffer.concat([start, ...parts]);
}

/** A small generator with a seed, so that a failure can be repeated. */
export function generator(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

/** The compact form's checksum over everything before it. */
function seal(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes.subarray(0, -4)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  bytes.writeUInt32LE(hash >>> 0, bytes.length - 4);
  return bytes;
}

const PROPERTIES = 'property float x\nproperty float y\nproperty float z\n';
const ply = (format, count, body, properties = PROPERTIES) =>
  Buffer.concat([Buffer.from(`ply\nformat ${format} 1.0\nelement vertex ${count}\n${properties}end_header\n`), body]);

/** Files that must all be refused by name: `count` of them, from `compact`, a good scene in the compact form. */
export function hostileFiles(count, compact, random) {
  const points = Array.from({ length: 50 }, (_, i) => [i, i % 7, -i]);
  const good = glb(points);
  const set = (path, value) => (json) => {
    const keys = path.split('/');
    const last = keys.pop();
    keys.reduce((at, key) => at[key], json)[last] = value;
    return json;
  };
  const large = () => 10 ** (9 + random(9));
  const makers = [
    () => {
      const bytes = Buffer.from(compact);
      bytes[random(bytes.length)] ^= 1 << random(8);
      return bytes;
    },
    () => compact.subarray(0, 5 + random(compact.length - 5)),
    () => {
      const bytes = Buffer.from(compact);
      bytes.writeUInt32LE(1e9 + random(1e9), 8 + 4 * random(2));
      return seal(bytes);
    },
    () => {
      const bytes = Buffer.from(compact);
      bytes.writeFloatLE([Number.NaN, Number.POSITIVE_INFINITY, -1e30][random(3)], 16 + 4 * random(4));
      return seal(bytes);
    },
    () => {
      // A few thousand bytes that decode to "everything is there".
      const bytes = Buffer.alloc(40_000 + random(10_000), random(2) ? 0xff : 0x77);
      compact.copy(bytes, 0, 0, 32);
      bytes.set([0, 16, 0x88, 0], 4);
      bytes.writeUInt32LE(900_000, 8);
      bytes.writeUInt32LE(0, 12);
      return seal(bytes);
    },
    () => good.subarray(0, 4 + random(good.length - 4)),
    () => glb(points, set('accessors/0/count', large())),
    () => glb(points, set('accessors/0/byteOffset', large())),
    () => glb(points, set('bufferViews/0/byteOffset', large())),
    () => glb(points, set('bufferViews/0/byteStride', [0, 3, 2 ** 31][random(3)])),
    () => glb(points, set('nodes/0/children', [0])),
    () => glb(points, set('nodes', Array(25_000 + random(1000)).fill({ mesh: 0 }))),
    () =>
      glb(points, set('buffers/0/uri', ['javascript:alert(1)', 'data:;base64,AAAA', 'https://x.example/'][random(3)])),
    () => glb(points, set('extensionsRequired', ['KHR_draco_mesh_compression'])),
    () => glb(points.map(() => [Number.NaN, 0, 0])),
    () => ply('binary_little_endian', large(), Buffer.alloc(random(100))),
    () => ply('ascii', 1000, Buffer.from('1 2 3\n'.repeat(random(999)))),
    () => ply('binary_big_endian', 10, Buffer.alloc(120), 'property float x\nproperty nonsense y\nproperty float z\n'),
    () => ply('ascii', 1, Buffer.from('1'.repeat(100_000 + random(100_000)))),
    () => Buffer.concat([Buffer.from('ply\n'), Buffer.alloc(200_000, 'comment x\n')]),
  ];
  return Array.from({ length: count }, (_, i) => makers[i % makers.length]());
}

/** Addresses that must all be refused by name, as what follows the page's own. */
export function hostileLinks(count, random) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const text = (length) => Array.from({ length }, () => letters[random(64)]).join('');
  const name = () => ['scene', 'video', 'model'][random(3)];
  const makers = [
    () => `#s=${text(4 * (1 + random(50)))}`,
    () => `#s=UDNTMQ${text(2 + 4 * random(500))}`,
    () => `#s=${text(20)}%${text(20)}`,
    () => `#s=${text(1 + 4 * random(20))}`,
    () => `#s=${'A'.repeat(1_500_000 + random(100_000))}`,
    () => `?${name()}=javascript:alert(${random(99)})`,
    () => `?${name()}=data:application/octet-stream;base64,${text(40)}`,
    () => `?${name()}=http://192.168.0.${random(255)}/${text(5)}.glb`,
    () => `?${name()}=https://user:${text(5)}@example.org/a.glb`,
    () => `?${name()}=file:///etc/${text(5)}`,
    () => `?${name()}=blob:https://example.org/${text(10)}`,
    () => `?${name()}=https://example.org/${'a'.repeat(2100 + random(1000))}`,
    () => `?scene=/no-such-${text(6)}.glb`,
  ];
  return Array.from({ length: count }, (_, i) => makers[i % makers.length]());
}
