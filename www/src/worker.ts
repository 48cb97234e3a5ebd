// The worker's entry: connects the engine host with the worker's message port and its error events.
import type { WasmModule } from 'point3r-wasm';
import { EngineHost } from './host';
import type { FromWorker, ToWorker } from './protocol';

/** The part of `DedicatedWorkerGlobalScope` that is used here (the DOM library describes windows). */
interface WorkerScope {
  postMessage(message: FromWorker, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
  requestAnimationFrame(callback: () => void): number;
  setInterval(callback: () => void, milliseconds: number): number;
}

const scope = self as unknown as WorkerScope;

const host = new EngineHost(
  {
    post: (message, transfer = []) => scope.postMessage(message, transfer),
    nextFrame: (callback) => scope.requestAnimationFrame(callback),
    everySecond: (callback) => scope.setInterval(callback, 1000),
  },
  () => import('point3r-wasm') as Promise<WasmModule>,
);

scope.addEventListener('message', (event) => void host.receive(event.data));
scope.addEventListener('error', (event) => host.noticePanic(event.error));
scope.addEventListener('unhandledrejection', (event) => host.noticePanic(event.reason));
