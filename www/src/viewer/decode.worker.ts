// Decodes a shared scene off the page's thread.
import { readSharedScene } from './shared-scene';

interface Scope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
}

interface Request {
  bytes: Uint8Array;
  maxPoints: number;
}

const scope = self as unknown as Scope;

scope.addEventListener('message', ({ data }) => {
  const scene = readSharedScene(data.bytes, data.maxPoints);
  scope.postMessage(scene, typeof scene === 'string' ? [] : [scene.positions.buffer, scene.colors.buffer]);
});
