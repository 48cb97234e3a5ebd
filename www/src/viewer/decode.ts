// Decodes a shared scene in a worker, so that the page stays responsive.
import { Point3rError } from '../errors';
import type { SceneDefect, SharedScene } from './shared-scene';

const DETAILS: Record<SceneDefect, string> = {
  cut: 'The link was cut or changed on its way.',
  version: 'It is not of this version of the page.',
  'too-large': 'It announces more points than are shown.',
  contradiction: 'Its description contradicts itself.',
};

export function sceneError(defect: SceneDefect): Point3rError {
  const code = defect === 'too-large' ? 'scene-too-large' : defect === 'version' ? 'unsupported-file' : 'scene-damaged';
  return new Point3rError(code, DETAILS[defect]);
}

export function decodeScene(bytes: Uint8Array<ArrayBuffer>, maxPoints: number): Promise<SharedScene> {
  const worker = new Worker(new URL('./decode.worker.ts', import.meta.url), { type: 'module', name: 'decode' });
  return new Promise<SharedScene>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<SharedScene | SceneDefect>) =>
      typeof data === 'string' ? reject(sceneError(data)) : resolve(data);
    worker.onerror = (event) => reject(new Point3rError('out-of-memory', event.message));
    worker.postMessage({ bytes, maxPoints });
  }).finally(() => worker.terminate());
}
