// A checkpoint of the released size in a real browser: converted in the page, loaded onto the GPU, one frame at 224 px, and
// that frame held against the command line's on the processor. Prints time, peak memory of the wasm, bytes kept, pipelines.
//
//   node tests/e2e/checkpoint.mjs [--precision int8,int4] [--network released] [--no-frame] [--folder DIR]
//
// Needs POINT3R_BIN. The checkpoint is made by formula (3.2 GB, with the released keys) in a temporary folder and removed
// afterwards; with `--folder` it stays there for the next time. Ends with 1 when anything is over its goal.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, openPage, stats, waitForFrames } from './support/browser.mjs';
import { networkOf, writePth } from './support/checkpoint.mjs';
import { readPly } from './support/formats.mjs';
import { beforeWorker } from './support/loose.mjs';
import { rendererMib } from './support/memory.mjs';
import { POINT3R } from './support/paths.mjs';
import { serveSite } from './support/site.mjs';

const { values: given } = parseArgs({
  options: {
    precision: { type: 'string', default: 'int8,int4' },
    network: { type: 'string', default: 'released' },
    'no-frame': { type: 'boolean', default: false },
    folder: { type: 'string' },
  },
});
const SIDE = 224;
const HOUR = 3_600_000;
/** Most bytes of a wasm memory, at any time; of the model on the device; and the largest difference of a frame. */
const GOALS = { wasmMib: 300, bytes: { int8: 1.0e9, int4: 560e6 }, difference: 2e-3 };
const MIB = 1024 * 1024;
const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;
let failed = false;

function expect(what, good) {
  console.log(`${good ? 'ok  ' : 'FAIL'} ${what}`);
  failed ||= !good;
}

/** Counts, in the worker, what the graphics device is asked for. */
const COUNTING = `
self.counted = { pipelines: 0, compiling: 0, shaders: 0, buffers: 0, bytes: 0, largest: 0, peak: 0 };
{
  const wrap = (name, before) => {
    const made = GPUDevice.prototype[name];
    GPUDevice.prototype[name] = function (...args) {
      before(...args);
      return made.apply(this, args);
    };
  };
  // The answer to an error scope around a pipeline comes when the pipeline has been made. Pipelines are made one after
  // the other, so the time of one begins where that of the one before ended.
  const make = GPUDevice.prototype.createComputePipeline;
  let ended = 0;
  GPUDevice.prototype.createComputePipeline = function (...args) {
    const started = performance.now();
    this.pushErrorScope('internal');
    const made = make.apply(this, args);
    const end = () => {
      const now = performance.now();
      self.counted.compiling += now - Math.max(started, ended);
      ended = now;
    };
    this.popErrorScope().then(end, end);
    self.counted.pipelines += 1;
    return made;
  };
  wrap('createShaderModule', () => (self.counted.shaders += 1));
  wrap('createBuffer', ({ size }) => {
    self.counted.buffers += 1;
    self.counted.bytes += size;
    self.counted.largest = Math.max(self.counted.largest, size);
    self.counted.peak = Math.max(self.counted.peak, self.counted.bytes);
  });
  const destroy = GPUBuffer.prototype.destroy;
  GPUBuffer.prototype.destroy = function () {
    self.counted.bytes -= this.size;
    return destroy.apply(this);
  };
}`;

/** The checkpoint, and a folder that describes its network. */
async function checkpointIn(folder) {
  const description = join(folder, `formula-${given.network}`);
  const path = join(folder, `synthetic-${given.network}.pth`);
  if (!existsSync(join(description, 'manifest.json'))) {
    point3r('convert', '--formula', given.network, '--precision', 'int8', '--force', '-o', description, '--json');
  }
  const network = await networkOf(description);
  network.config.image_size = SIDE;
  if (!existsSync(path)) {
    const started = Date.now();
    const bytes = await writePth(path, network);
    console.log(
      `checkpoint: ${(bytes / 1e9).toFixed(2)} GB written in ${((Date.now() - started) / 1000).toFixed(0)} s`,
    );
  }
  return path;
}

const point3r = (...args) => execFileSync(POINT3R, args, { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] });

/** Some picture with edges and gradients, drawn by the browser. */
async function picture(page) {
  const base64 = await page.evaluate(async (side) => {
    const canvas = new OffscreenCanvas(side, side);
    const context = canvas.getContext('2d');
    const sky = context.createLinearGradient(0, 0, side, side);
    sky.addColorStop(0, '#27487a');
    sky.addColorStop(1, '#e8c08a');
    context.fillStyle = sky;
    context.fillRect(0, 0, side, side);
    for (let i = 0; i < 40; i++) {
      context.fillStyle = `hsl(${i * 47} 60% ${20 + ((i * 13) % 60)}%)`;
      context.fillRect((i * 71) % side, (i * 113) % side, 10 + ((i * 29) % 60), 10 + ((i * 17) % 50));
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  }, SIDE);
  return Buffer.from(base64, 'base64');
}

async function convert(page, path, precision) {
  const input = await page.evaluateHandle(() =>
    Object.assign(document.body.appendChild(document.createElement('input')), { type: 'file', hidden: true }),
  );
  await input.asElement().setInputFiles(path);
  const before = await page.evaluate(() => navigator.storage.estimate());
  let resident = 0;
  const watch = setInterval(() => {
    resident = Math.max(resident, rendererMib());
  }, 500);
  const made = await page.evaluate(
    async ({ input, precision }) => {
      const checkpoint = await window.point3r.models.readCheckpoint(input.files[0], null);
      const converted = await checkpoint.convert(precision, () => {});
      checkpoint.close();
      input.remove();
      return converted;
    },
    { input, precision },
  );
  clearInterval(watch);
  const after = await page.evaluate(() => navigator.storage.estimate());
  console.log(`\n${precision}: converted in ${made.seconds.toFixed(1)} s, page process ${resident.toFixed(0)} MiB`);
  expect(`wasm memory of the conversion ${mib(made.wasmBytes)}`, made.wasmBytes <= GOALS.wasmMib * MIB);
  const kept = after.usage - before.usage;
  expect(
    `${(made.bytes / 1e6).toFixed(1)} MB (storage grew by ${(kept / 1e6).toFixed(1)} MB)`,
    !(made.bytes > GOALS.bytes[precision]),
  );
  return made.key;
}

async function load(page, key) {
  const started = Date.now();
  await page.evaluate((key) => window.point3r.loadModel({ kept: key }), key);
  const { wasmBytes, gpuBytes } = await stats(page);
  console.log(`loaded in ${((Date.now() - started) / 1000).toFixed(1)} s, ${mib(gpuBytes)} on the GPU`);
  expect(`wasm memory after loading ${mib(wasmBytes)}`, wasmBytes <= GOALS.wasmMib * MIB);
}

/** One frame in the page, and the same natively on the processor. */
async function frame(page, folder, path, precision, image) {
  const counted = () => page.workers()[0].evaluate(() => ({ ...self.counted }));
  const before = await counted();
  const started = Date.now();
  await page.evaluate(() => window.point3r.reset());
  await page.locator('input[type=file]').first().setInputFiles(image);
  const { wasmBytes, gpuBytes, points } = await waitForFrames(page, 1, HOUR);
  const after = await counted();
  console.log(`one frame at ${SIDE} px in ${((Date.now() - started) / 1000).toFixed(1)} s, ${points} points`);
  console.log(
    `pipelines ${after.pipelines}, made in ${(after.compiling / 1000).toFixed(1)} s at most ` +
      `(${after.pipelines - before.pipelines} of them in the frame), shaders ${after.shaders}, ` +
      `GPU buffers ${mib(after.bytes)} (largest ${mib(after.largest)}, most ${mib(after.peak)}), engine says ${mib(gpuBytes)}`,
  );
  expect(`wasm memory after the frame ${mib(wasmBytes)}`, wasmBytes <= GOALS.wasmMib * MIB);
  const take = (format) =>
    page.evaluate(async (format) => {
      const bytes = new Uint8Array(await (await window.point3r.export(format)).arrayBuffer());
      let text = '';
      for (let i = 0; i < bytes.length; i += 0x8000) {
        text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
      }
      return btoa(text);
    }, format);
  const [ply, tum] = [Buffer.from(await take('ply'), 'base64'), Buffer.from(await take('tum'), 'base64')];
  const [model, out] = [join(folder, `native-${precision}`), join(folder, `out-${precision}`)];
  if (!existsSync(join(model, 'manifest.json'))) {
    point3r('convert', path, '--precision', precision, '--force', '-o', model, '--json');
  }
  await rm(out, { recursive: true, force: true });
  point3r('run', image, '--model', model, '--device', 'cpu', '--confidence', '1', '-o', out);
  const difference = compare(readPly(ply), readPly(await readFile(join(out, 'cloud.ply'))));
  expect(
    `points differ from the processor's by ${difference.toExponential(2)} (relative L2)`,
    difference <= GOALS.difference,
  );
  const poses = [tum.toString(), await readFile(join(out, 'trajectory.tum'), 'utf8')].map(poseOf);
  const off = distance(poses[0], poses[1]);
  expect(`pose differs by ${off.toExponential(2)}`, off <= GOALS.difference);
}

const poseOf = (text) =>
  text
    .split('\n')
    .find((line) => line && !line.startsWith('#'))
    .split(' ')
    .slice(1)
    .map(Number);

function distance(a, b) {
  const squares = (of) => of.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(a.map((value, i) => value - b[i])) / squares(b));
}

function compare(a, b) {
  if (a.count !== b.count) {
    console.log(`     ${a.count} points against ${b.count}`);
    return Number.POSITIVE_INFINITY;
  }
  let [error, size] = [0, 0];
  for (let i = 0; i < a.count; i++) {
    const [p, q] = [a.point(i), b.point(i)];
    for (let k = 0; k < 3; k++) {
      error += (p[k] - q[k]) ** 2;
      size += q[k] ** 2;
    }
  }
  return Math.sqrt(error / size);
}

const folder = given.folder ?? (await mkdtemp(join(tmpdir(), 'point3r-full-')));
await mkdir(folder, { recursive: true });
const site = await serveSite();
site.mount('/assets/', beforeWorker(COUNTING));
const chrome = await launch();
try {
  const path = await checkpointIn(folder);
  const image = join(folder, 'picture.png');
  for (const precision of given.precision.split(',')) {
    // A page of its own for each, so that nothing of the one before is counted.
    const { page } = await openPage(chrome.browser, `${site.url}?device=gpu`);
    await writeFile(image, await picture(page));
    const key = await convert(page, path, precision);
    if (!given['no-frame']) {
      await load(page, key);
      await frame(page, folder, path, precision, image);
    }
    await page.evaluate((key) => window.point3r.models.remove(key), key);
    await page.close();
  }
} finally {
  await chrome.close();
  await site.close();
  if (!given.folder) {
    await rm(folder, { recursive: true, force: true });
  }
}
process.exitCode = failed ? 1 : 0;
