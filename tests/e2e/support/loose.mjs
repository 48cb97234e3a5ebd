// Model folders behind connections that break, servers that know no ranges, or that send other bytes than they should.
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DIST } from './paths.mjs';

/**
 * To be mounted at the site's server. `behaviour` may be changed at any time: `cut` breaks connections after so many bytes,
 * `cuts` times; `ranges` answers range requests; `spoil` changes what is sent; `status` refuses.
 */
export function looseFolder(folder) {
  const usual = { cut: 0, cuts: Number.POSITIVE_INFINITY, ranges: true, spoil: (_name, bytes) => bytes, status: 200 };
  const behaviour = { ...usual };
  const requests = [];
  return {
    behaviour,
    /** Of weight files: name and range asked for. */
    requests,
    reset(change = {}) {
      Object.assign(behaviour, usual, change);
      requests.length = 0;
    },
    async handle(request, response, rest) {
      const name = basename(rest);
      const weights = name.endsWith('.safetensors');
      const range = request.headers.range ?? '';
      if (weights) {
        requests.push({ name, range });
      }
      const path = join(folder, name);
      if (!(await stat(path).catch(() => null))) {
        response.writeHead(404).end();
        return;
      }
      if (weights && behaviour.status !== 200) {
        response.writeHead(behaviour.status).end();
        return;
      }
      const content = behaviour.spoil(name, await readFile(path));
      const start = behaviour.ranges ? Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0) : 0;
      if (start > 0 && start >= content.length) {
        response.writeHead(416).end();
        return;
      }
      const part = content.subarray(start);
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': part.length,
        'cache-control': 'no-store',
        ...(start > 0 && { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
      });
      if (weights && behaviour.cut > 0 && behaviour.cuts > 0 && part.length > behaviour.cut) {
        behaviour.cuts -= 1;
        response.write(part.subarray(0, behaviour.cut), () => setTimeout(() => response.destroy(), 50));
      } else {
        response.end(part);
      }
    },
  };
}

/** To be mounted at `/assets/`: the worker's script with some lines before it. */
export function beforeWorker(lines) {
  return async (rest) => {
    if (!/^worker-.*\.js$/.test(rest)) {
      return null;
    }
    return Buffer.concat([Buffer.from(`${lines}\n`), await readFile(join(DIST, 'assets', rest))]);
  };
}
