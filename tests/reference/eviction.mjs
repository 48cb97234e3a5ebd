// Compares the eviction policies of the pointer cap, and no cap, on a recording with known poses and depth.
// `node tests/reference/eviction.mjs [--caps 64,128] [--every 5]`: runs `point3r run` and `point3r eval` on the RedKitchen
// folders (POINT3R_SHARED or ../shared, data/redkitchen_rgbd and data/redkitchen_video) with the default weights, prints a table.
// The video shows what the folder's first 30 pictures were taken from: frame 20 k of it is picture k.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { values: options } = parseArgs({
  options: { caps: { type: 'string', default: '64,128' }, every: { type: 'string', default: '5' } },
});
const DATA = join(process.env.POINT3R_SHARED ?? join(ROOT, '..', 'shared'), 'data');
const RGBD = join(DATA, 'redkitchen_rgbd');
const VIDEO = join(DATA, 'redkitchen_video', 'redkitchen_handheld.mp4');
const PROGRAM = process.env.POINT3R_BIN ?? join(ROOT, 'target', 'release', 'point3r');
const FOLDER_PICTURES = 20;
const KNOWN_PICTURES = 30;

if (!existsSync(RGBD) || !existsSync(VIDEO)) {
  console.log(`skipped: there is no RedKitchen recording in ${DATA}`);
  process.exit(0);
}

const point3r = (...args) =>
  execFileSync(PROGRAM, args, { cwd: ROOT, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] }).toString();

function score(predictions, frames) {
  const metrics = (task, name) => {
    const shared = ['eval', task, '--data', RGBD, '--pred', predictions, '--json', '--frames', String(frames)];
    const { overall } = JSON.parse(point3r(...shared));
    return overall.find((row) => row.name === name).metrics;
  };
  const pose = metrics('pose', 'prediction');
  const depth = metrics('video-depth', 'prediction, scale');
  return {
    ate: pose['ATE m'],
    rotation: pose['rot vs frame 0 deg'],
    translation: pose['trans vs frame 0 m'],
    depth: depth.AbsRel,
  };
}

/** Every `step`-th frame of a run as a run of its own; depth pictures are named by the frame of the video. */
function thinned(run, step, count, out) {
  mkdirSync(join(out, 'depth'), { recursive: true });
  const lines = readFileSync(join(run, 'trajectory.tum'), 'utf8').split('\n');
  const comments = lines.filter((line) => line.startsWith('#'));
  const poses = lines.filter((line) => line && !line.startsWith('#'));
  const name = (i) => `${String(i).padStart(6, '0')}.png`;
  const kept = Array.from({ length: count }, (_, i) => {
    copyFileSync(join(run, 'depth', name(i * FOLDER_PICTURES)), join(out, 'depth', name(i)));
    return poses[i * step];
  });
  writeFileSync(join(out, 'trajectory.tum'), `${[...comments, ...kept].join('\n')}\n`);
  copyFileSync(join(run, 'intrinsics.json'), join(out, 'intrinsics.json'));
}

const every = Number(options.every);
if (!Number.isInteger(every) || every < 1 || FOLDER_PICTURES % every !== 0) {
  console.error(`error: --every must divide ${FOLDER_PICTURES}`);
  process.exit(2);
}
const caps = options.caps.split(',').map(Number);
const runs = [[0, 'oldest'], ...caps.flatMap((cap) => ['oldest', 'redundant'].map((policy) => [cap, policy]))];
const work = mkdtempSync(join(tmpdir(), 'point3r-eviction-'));
try {
  console.log('| recording | cap | policy | pointers | ATE, m | rotation, deg | translation, m | depth AbsRel | ms per frame |');
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const [recording, input] of [
    ['pictures', [join(RGBD, 'color')]],
    ['video', [VIDEO, '--every', options.every]],
  ]) {
    for (const [cap, policy] of runs) {
      const out = join(work, `${recording}-${cap}-${policy}`);
      const limit = ['--max-pointers', String(cap), '--eviction', policy];
      point3r('run', ...input, '--device', 'cpu', ...limit, '-o', out);
      const { pointers, msPerFrame, frames } = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
      const known = recording === 'video' ? join(out, 'known') : out;
      if (recording === 'video') {
        thinned(out, FOLDER_PICTURES / every, KNOWN_PICTURES, known);
      }
      const found = score(known, recording === 'video' ? KNOWN_PICTURES : frames);
      const figures = [found.ate, found.rotation, found.translation, found.depth].map((value) => value.toFixed(3));
      const cells = [recording, cap || 'none', cap ? policy : '', pointers, ...figures, msPerFrame.toFixed(0)];
      console.log(`| ${cells.join(' | ')} |`);
      rmSync(out, { recursive: true });
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
