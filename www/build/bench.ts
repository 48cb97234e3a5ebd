// Puts onnxruntime-web's own files beside `bench.html`, which loads them when it runs. They belong to no bundle, and the
// service worker does not keep them. Where the package is not installed the page says that it could not load them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { RUNTIME_FOLDER } from '../src/bench/runtime.ts';

const FILES = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'].concat(
  'ort.jspi.min.mjs',
  'ort-wasm-simd-threaded.jspi.mjs',
  'ort-wasm-simd-threaded.jspi.wasm',
);

/** `modules` is the folder of installed packages. */
export function benchRuntime(modules: string): Plugin {
  const folder = join(modules, 'onnxruntime-web', 'dist');
  return {
    name: 'bench-runtime',
    apply: 'build',
    generateBundle() {
      for (const name of FILES.filter((name) => existsSync(join(folder, name)))) {
        this.emitFile({
          type: 'asset',
          fileName: `${RUNTIME_FOLDER}${name}`,
          source: readFileSync(join(folder, name)),
        });
      }
    },
  };
}
