// The script of a downloaded web page: shows the scene that the page itself holds. It asks the network for nothing.
import { OFFLINE_TEXT } from '../strings';
import { fromBase64Url } from './base64';
import { readSharedScene } from './shared-scene';
import { showScene } from './viewer';

function start(): string {
  const bytes = fromBase64Url((document.getElementById('scene')?.textContent ?? '').trim());
  const scene = bytes ? readSharedScene(bytes) : 'cut';
  const canvas = document.querySelector('canvas');
  const button = document.querySelector('button');
  if (typeof scene === 'string' || !canvas || !button) {
    return OFFLINE_TEXT.damaged;
  }
  canvas.setAttribute('role', 'application');
  canvas.setAttribute('aria-label', OFFLINE_TEXT.canvas);
  button.textContent = OFFLINE_TEXT.showAll;
  try {
    const viewer = showScene(canvas, scene);
    button.addEventListener('click', () => viewer.fit());
    // For tests, and for the curious.
    Object.assign(window, { point3rScene: scene, point3rViewer: viewer });
  } catch {
    return OFFLINE_TEXT.cannotDraw;
  }
  return '';
}

const problem = start();
if (problem) {
  const note = document.createElement('p');
  note.textContent = problem;
  note.setAttribute('role', 'alert');
  document.body.append(note);
}
