// Where the built site, the recordings and the golden tensors lie. What is absent is reported, never silently passed over.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The built site: `npm run build`, or another one named by POINT3R_DIST. */
export const DIST = resolve(ROOT, process.env.POINT3R_DIST ?? 'dist');
/** The test double instead of the wasm engine (`npm run build:mock`). */
export const MOCK = process.env.POINT3R_MOCK === '1';
export const RESULTS = join(ROOT, 'test-results');

/** Model folder of the smallest network, which even a software adapter computes in seconds; or null. */
export const TINY_MODEL = process.env.POINT3R_TINY_MODEL ?? null;

/** The command line program, or null. */
export const POINT3R = process.env.POINT3R_BIN ?? null;

const SHARED = resolve(process.env.POINT3R_SHARED ?? join(ROOT, '..', 'shared'));

/** A file or folder of the shared test material, or null. */
export function shared(path) {
  const full = join(SHARED, path);
  return existsSync(full) ? full : null;
}

/** The tiny golden: the shared one, else the copy under version control. */
export function tinyGolden() {
  const copy = join(ROOT, 'tests', 'golden', 'tiny');
  return shared('golden/tiny') ?? (existsSync(copy) ? copy : null);
}

/** A reason to skip (printed by the runner), or false. */
export function skipWithout(...paths) {
  return paths.every(Boolean) ? false : 'the recordings are absent (set POINT3R_SHARED to their folder)';
}
