// The built site, with the golden folder and spoiled copies of the default model mounted beside it.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DIST, MOCK, shared, TINY_MODEL, tinyGolden } from './paths.mjs';
import { serve } from './server.mjs';

const MODEL = join(DIST, 'models', 'default');

/** In mock mode there is no model; the double is content with this one. */
const DOUBLE = {
  'manifest.json': Buffer.from(
    JSON.stringify({
      name: 'double',
      licence: 'none',
      trained: false,
      tensors: [{ shape: [2, 3] }],
      shards: [{ file: 'weights.bin', bytes: 1000, sha256: '' }],
    }),
  ),
  'weights.bin': Buffer.alloc(1000),
};

async function original(name) {
  const path = join(MODEL, name);
  return MOCK ? (DOUBLE[name] ?? null) : existsSync(path) ? readFile(path) : null;
}

function spoiled(change) {
  return async (name) => {
    const content = await original(name);
    return content && change(name, Buffer.from(content));
  };
}

export const SPOILED = {
  /** One flipped byte in the weights. */
  '/models/damaged/': spoiled((name, content) => {
    if (name !== 'manifest.json') {
      content[content.length - 1] ^= 0xff;
    }
    return content;
  }),
  '/models/truncated/': spoiled((name, content) => (name === 'manifest.json' ? content : content.subarray(0, -100))),
  /** The manifest claims another shape for its first tensor. */
  '/models/lying/': spoiled((name, content) => {
    if (name !== 'manifest.json') {
      return content;
    }
    const manifest = JSON.parse(content.toString());
    manifest.tensors[0].shape = manifest.tensors[0].shape.map((side) => side + 1);
    return Buffer.from(JSON.stringify(manifest));
  }),
  '/models/nonsense/': spoiled((name, content) => (name === 'manifest.json' ? Buffer.from('{"format":') : content)),
};

export async function serveSite() {
  if (!existsSync(join(DIST, 'index.html'))) {
    throw new Error(`no built site in ${DIST}: run "npm run build" first`);
  }
  const golden = tinyGolden();
  const fox = shared('data/fox_portrait/images');
  const mounts = {
    ...SPOILED,
    ...(golden && { '/golden/tiny/': golden }),
    ...(fox && { '/fox/': fox }),
    ...(TINY_MODEL && { '/models/tiny/': TINY_MODEL }),
  };
  if (MOCK) {
    mounts['/models/default/'] = original;
  }
  return serve(DIST, mounts);
}
