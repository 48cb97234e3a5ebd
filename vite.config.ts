// How the page is built: `www/` is the root, `dist/` the result. `--mode mock` replaces the wasm engine by the test double
// (`www/src/testing/`), so that the interface can be worked on without a Rust build; a production build never contains it.
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The development server injects inline code for hot reload, which the page's own policy rightly forbids. */
const policyOnlyWhenBuilt: Plugin = {
  name: 'content-security-policy-only-when-built',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ''),
};

export default defineConfig(({ mode }) => ({
  root: here('./www'),
  base: './',
  appType: 'mpa',
  plugins: [policyOnlyWhenBuilt],
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
  },
  preview: { port: 4173 },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
}));
