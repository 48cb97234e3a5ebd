// Builds `sw.js`, the service worker, with the list of every file of the page and its hash written into it. Models and
// demos are not in the list: they are large, and kept only when they are used. Nor is the bench, which needs a network.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Plugin } from 'vite';
import type { Asset } from '../src/sw/assets.ts';

const OUTPUT = 'sw.js';
/** Stands in the source of the service worker for the list. */
const PLACE = '__POINT3R_ASSETS__';
const LEFT_OUT = /^(models|demos|bench)\/|^_headers$|^bench\.html$|^assets\/bench-/;

export function serviceWorker(source: string): Plugin {
  let publicDir = '';
  return {
    name: 'service-worker',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      publicDir = config.publicDir;
    },
    buildStart() {
      this.emitFile({ type: 'chunk', id: source, fileName: OUTPUT });
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const assets: Asset[] = filesIn(publicDir)
          .filter((name) => !LEFT_OUT.test(name))
          .map((name) => asset(name, readFileSync(join(publicDir, name))));
        for (const [name, output] of Object.entries(bundle)) {
          if (name !== OUTPUT && !LEFT_OUT.test(name)) {
            assets.push(asset(name, output.type === 'chunk' ? output.code : output.source));
          }
        }
        assets.sort((a, b) => (a.url < b.url ? -1 : 1));
        const worker = bundle[OUTPUT];
        if (worker?.type !== 'chunk' || !worker.code.includes(PLACE) || /^\s*(import|export)\b/m.test(worker.code)) {
          this.error('the service worker must be one self-contained file that names its list of assets');
        }
        worker.code = worker.code.replaceAll(PLACE, JSON.stringify(assets));
      },
    },
  };
}

function asset(url: string, content: string | Uint8Array): Asset {
  return { url, integrity: `sha256-${createHash('sha256').update(content).digest('base64')}` };
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}
