// How the page is built: `www/` is the root, `dist/` the result. `--mode mock` replaces the wasm engine by the test double
// (`www/src/testing/`), so that the interface can be worked on without a Rust build; a production build never contains it.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { benchRuntime } from './www/build/bench.ts';
import { BASE_HEADERS, HEADERS, policies } from './www/build/headers.ts';
import { modelIndex } from './www/build/model-index.ts';
import { serviceWorker } from './www/build/offline.ts';
import { offlinePage } from './www/build/offline-page.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  root: here('./www'),
  base: './',
  appType: 'mpa',
  plugins: [
    policies,
    offlinePage(),
    modelIndex(),
    benchRuntime(here('./node_modules')),
    serviceWorker(here('./www/src/sw/main.ts')),
  ],
  resolve: {
    alias: {
      'point3r-wasm': here(mode === 'mock' ? './www/src/testing/mock-engine.ts' : './www/src/wasm/point3r.js'),
    },
  },
  worker: { format: 'es' },
  build: {
    outDir: here(mode === 'mock' ? './target/dist-mock' : './dist'),
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    // Every asset stays a file: `data:` URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      input: [here('./www/index.html'), here('./www/bench.html')],
    },
  },
  server: { headers: BASE_HEADERS },
  preview: { port: 4173, headers: HEADERS },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
}));
