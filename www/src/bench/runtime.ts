// onnxruntime-web, from its own files beside the page: never part of a bundle, loaded when the bench runs.
import type * as Ort from 'onnxruntime-web';
import type { Backend } from './protocol';

export const RUNTIME_FOLDER = 'bench/';
/** One build for the processor, one for WebGPU that needs a browser with promise integration. */
const ENTRY: Record<Backend, string> = { wasm: 'ort.wasm.min.mjs', webgpu: 'ort.jspi.min.mjs' };

export interface Session {
  run(x: Float32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Opens a model whose input is `x` and whose output `y`, on one thread. `base` is the folder of the page. */
export async function open(backend: Backend, model: Uint8Array, shape: number[], base: string): Promise<Session> {
  if (backend === 'webgpu' && !('Suspending' in WebAssembly)) {
    throw new Error('this browser cannot run it: its WebAssembly has no promise integration');
  }
  const folder = new URL(RUNTIME_FOLDER, base).href;
  const ort = (await import(/* @vite-ignore */ `${folder}${ENTRY[backend]}`)) as typeof Ort;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = folder;
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [backend],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  return {
    async run(x) {
      const { y } = await session.run({ x: new ort.Tensor('float32', x, shape) });
      if (!y) {
        throw new Error('the model gave nothing');
      }
      return (await y.getData()) as Float32Array;
    },
    close: () => session.release(),
  };
}
