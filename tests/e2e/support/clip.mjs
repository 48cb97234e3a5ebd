// The picture of the fake camera: a recording where there is one, else a room made by `point3r synth`. Chromium reads
// motion JPEG and begins anew at its end.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { POINT3R, shared } from './paths.mjs';

function has(program) {
  try {
    execFileSync(program, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** `{ path, remove }` of a clip, or the reason why there is none. */
export function cameraClip() {
  if (!has('ffmpeg')) {
    return { missing: 'there is no ffmpeg to make the camera’s picture with' };
  }
  const folder = mkdtempSync(join(tmpdir(), 'point3r-clip-'));
  const path = join(folder, 'camera.mjpeg');
  const recording = shared('data/redkitchen_video/redkitchen_handheld.mp4');
  if (recording) {
    encode(['-i', recording], path);
  } else if (POINT3R && existsSync(POINT3R)) {
    encode(['-framerate', '10', '-i', join(world(folder), '%06d.png')], path);
  } else {
    return {
      missing: 'there is neither a recording (POINT3R_SHARED) nor the program `point3r` (POINT3R_BIN) to make one',
    };
  }
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function encode(input, path) {
  const output = ['-vf', 'scale=640:480,fps=30', '-c:v', 'mjpeg', '-q:v', '4', '-f', 'mjpeg', path];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...input, ...output]);
}

/** Pictures of a walk through a made-up room. */
function world(folder) {
  const out = join(folder, 'world');
  const options = ['--kind', 'indoor', '--scenes', '1', '--frames', '60', '--seed', '7', '--size', '320x240'];
  execFileSync(POINT3R, ['synth', '-o', out, ...options], { stdio: 'ignore' });
  const found = readdirSync(out, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    /\.(jpg|png)$/.test(name),
  );
  const colour = found
    .filter(({ parentPath }) => parentPath.endsWith('color'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (colour.length === 0) {
    throw new Error(`point3r synth wrote no pictures into ${out}`);
  }
  return colour[0].parentPath;
}
