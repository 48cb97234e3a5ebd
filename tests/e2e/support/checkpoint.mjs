// Checkpoints for tests, as PyTorch and safetensors write them, of any network that a model folder describes: released
// keys, weights by formula (`src/weights/formula.rs`). Written tensor by tensor, so that the full size takes no memory.
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Name and shape of every tensor of a model folder, and the gain of its formula. */
export async function networkOf(folder) {
  const { tensors, config } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  return {
    tensors: tensors.map(({ name, shape }) => ({ name, shape })),
    gain: config.weight_generator?.head4_gain ?? 0.2,
    config,
  };
}

const count = ({ shape }) => shape.reduce((product, side) => product * side, 1);

/** The formula's values of one tensor, f32. */
export function formula({ name, shape }, gain) {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) {
    seed = Math.imul(seed ^ byte, 0x01000193);
  }
  const norm = shape.length === 1 && name.endsWith('.weight');
  const scale = Math.fround(scaleOf(name, shape, gain));
  const values = new Float32Array(count({ shape }));
  for (let i = 0; i < values.length; i++) {
    let x = (Math.imul(i, 0x9e3779b9) + seed) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    const u = Math.fround((x >>> 8) * 2 ** -23 - 1);
    values[i] = norm ? 1 + Math.fround(u * scale) : u * scale;
  }
  return values;
}

function scaleOf(name, shape, gain) {
  const transposed = /\.act_postprocess\.[01]\.1\.weight$/.test(name);
  switch (shape.length) {
    case 1:
      return name.endsWith('.weight') ? 0.125 : 0.0625;
    case 2:
      return Math.sqrt(3 / shape[1]);
    case 4: {
      const [first, input, height, width] = shape;
      if (transposed) {
        return Math.sqrt(3 / first);
      }
      const last = name.startsWith('downstream_head.dpt_') && name.endsWith('.head.4.weight');
      return (name.includes('.resConfUnit') ? 0.5 : last ? gain : 1) * Math.sqrt(3 / (input * height * width));
    }
    default:
      return 0.5;
  }
}

const bytesOf = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** Writes a `.safetensors` checkpoint; answers with its bytes. */
export async function writeSafetensors(path, { tensors, gain }) {
  const header = {};
  let offset = 0;
  for (const tensor of tensors) {
    const end = offset + 4 * count(tensor);
    header[tensor.name] = { dtype: 'F32', shape: tensor.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = await open(path, 'w');
  await file.write(length);
  await file.write(text);
  for (const tensor of tensors) {
    await file.write(bytesOf(formula(tensor, gain)));
  }
  await file.close();
  return 8 + text.length + offset;
}

/** Writes a `.pth` as `torch.save({'args': ..., 'model': OrderedDict})` lays it out: a zip of a pickle and raw storages. */
export async function writePth(path, { tensors, gain, config }) {
  const file = await open(path, 'w');
  const entries = [];
  let at = 0;
  const add = async (name, bytes) => {
    const crc = crc32(bytes);
    const title = Buffer.from(`archive/${name}`);
    // PyTorch begins every storage at a multiple of 64.
    const padding = (64 - ((at + 30 + title.length + 4) % 64)) % 64;
    const extra = Buffer.alloc(4 + padding);
    extra.write('FB', 0, 'latin1');
    extra.writeUInt16LE(padding, 2);
    const local = zipHeader(0x04034b50, crc, bytes.length, title.length, extra.length);
    await file.write(Buffer.concat([local, title, extra]));
    await file.write(bytes);
    entries.push({ title, crc, size: bytes.length, at });
    at += local.length + title.length + extra.length + bytes.length;
  };
  await add(
    'data.pkl',
    pickle(tensors, `Point3R(enc_depth=${config.enc_depth}, img_size=(${config.image_size}, ${config.image_size}))`),
  );
  await add('byteorder', Buffer.from('little'));
  for (const [key, tensor] of tensors.entries()) {
    await add(`data/${key}`, bytesOf(formula(tensor, gain)));
  }
  await add('version', Buffer.from('3\n'));
  const directory = Buffer.concat(entries.map(directoryEntry));
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  await file.write(Buffer.concat([directory, end]));
  await file.close();
  return at + directory.length + end.length;
}

function zipHeader(magic, crc, size, name, extra) {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(magic, 0);
  header.writeUInt16LE(10, 4);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(size, 18);
  header.writeUInt32LE(size, 22);
  header.writeUInt16LE(name, 26);
  header.writeUInt16LE(extra, 28);
  return header;
}

function directoryEntry({ title, crc, size, at }) {
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(10, 6);
  entry.writeUInt32LE(crc, 16);
  entry.writeUInt32LE(size, 20);
  entry.writeUInt32LE(size, 24);
  entry.writeUInt16LE(title.length, 28);
  entry.writeUInt32LE(at, 42);
  return Buffer.concat([entry, title]);
}

/** Protocol 2: what `torch.save` writes for a dictionary with a text and an ordered dictionary of tensors. */
function pickle(tensors, text) {
  const parts = [Buffer.from([0x80, 2])];
  const op = (...bytes) => parts.push(Buffer.from(bytes));
  const global = (module, name) => parts.push(Buffer.from(`c${module}\n${name}\n`));
  const string = (value) => {
    const bytes = Buffer.from(value);
    const head = Buffer.alloc(5);
    head.write('X', 0, 'latin1');
    head.writeUInt32LE(bytes.length, 1);
    parts.push(head, bytes);
  };
  const integer = (value) => {
    const bytes = Buffer.alloc(5);
    bytes.write('J', 0, 'latin1');
    bytes.writeInt32LE(value, 1);
    parts.push(bytes);
  };
  op(0x7d, 0x28); // } (
  string('args');
  string(text);
  string('model');
  global('collections', 'OrderedDict');
  op(0x29, 0x52, 0x28); // ) R (
  for (const [key, tensor] of tensors.entries()) {
    string(tensor.name);
    global('torch._utils', '_rebuild_tensor_v2');
    op(0x28, 0x28); // ( (
    string('storage');
    global('torch', 'FloatStorage');
    string(String(key));
    string('cpu');
    integer(count(tensor));
    op(0x74, 0x51); // t Q
    integer(0);
    op(0x28);
    tensor.shape.forEach(integer);
    op(0x74, 0x28);
    tensor.shape.forEach((_, axis) => {
      integer(tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    });
    op(0x74, 0x89); // t NEWFALSE
    global('collections', 'OrderedDict');
    op(0x29, 0x52, 0x74, 0x52); // ) R t R
  }
  op(0x75, 0x75, 0x2e); // u u .
  return Buffer.concat(parts);
}

/** A `.pth` whose pickle asks for a call. */
export async function writeHostile(path) {
  const calls = Buffer.concat([
    Buffer.from('\x80\x02cos\nsystem\nX', 'latin1'),
    Buffer.from([4, 0, 0, 0]),
    Buffer.from('true\x85R.', 'latin1'),
  ]);
  const title = Buffer.from('archive/data.pkl');
  const crc = crc32(calls);
  const directory = directoryEntry({ title, crc, size: calls.length, at: 0 });
  const local = Buffer.concat([zipHeader(0x04034b50, crc, calls.length, title.length, 0), title, calls]);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  const file = await open(path, 'w');
  await file.write(Buffer.concat([local, directory, end]));
  await file.close();
}

const TABLES = Array.from({ length: 8 }, () => new Int32Array(256));
for (let i = 0; i < 256; i++) {
  let c = i;
  for (let k = 0; k < 8; k++) {
    c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  }
  TABLES[0][i] = c;
}
for (let i = 0; i < 256; i++) {
  for (let t = 1; t < 8; t++) {
    const before = TABLES[t - 1][i];
    TABLES[t][i] = (before >>> 8) ^ TABLES[0][before & 255];
  }
}

/** Checksum of zip files, eight bytes at a time. */
function crc32(bytes) {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let crc = -1;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    const low = crc ^ (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    crc =
      t7[low & 255] ^
      t6[(low >>> 8) & 255] ^
      t5[(low >>> 16) & 255] ^
      t4[low >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) {
    crc = t0[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  }
  return (crc ^ -1) >>> 0;
}
