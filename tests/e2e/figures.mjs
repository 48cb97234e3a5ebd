// Prints what the built page costs: sizes of what is downloaded, wasm memory after loading the default model, time to ready,
// time per frame, and how it loads: bytes before the first paint, time to interactive, also with the processor slowed down 4 times.
// `npm run build && npm run figures`; with `--json` for programs.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { launch, openPage, stats, waitForFrames } from './support/browser.mjs';
import { loading } from './support/loading.mjs';
import { DIST } from './support/paths.mjs';
import { serveSite } from './support/site.mjs';
import { fromPictures } from './support/soak.mjs';

const RUNS = 3;
/** Enough for the pointer memory to fill: later frames take longer than the first ones. */
const FRAMES = 40;
const SLOWDOWN = 4;

function sizes(path) {
  const bytes = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

function sum(all) {
  const total = { raw: 0, gzip: 0, brotli: 0 };
  for (const one of all) {
    for (const key of Object.keys(total)) {
      total[key] += one[key];
    }
  }
  return total;
}

/** mediabunny is fetched with the first video, everything else with the page. */
function downloads() {
  const folder = join(DIST, 'assets');
  const files = readdirSync(folder);
  const page = files.filter((name) => !name.startsWith('bench-'));
  const of = (wanted) => sum(page.filter(wanted).map((name) => sizes(join(folder, name))));
  const isDecoder = (name) => name.endsWith('.js') && readFileSync(join(folder, name), 'utf8').includes('matroska');
  return {
    'wasm engine': of((name) => name.endsWith('.wasm')),
    'page (html, js, css)': sum([
      sizes(join(DIST, 'index.html')),
      of((name) => /\.(js|css)$/.test(name) && !isDecoder(name)),
    ]),
    'service worker': sizes(join(DIST, 'sw.js')),
    'video demuxer (with the first video)': of(isDecoder),
  };
}

function modelBytes() {
  const folder = join(DIST, 'models', 'default');
  return existsSync(folder)
    ? readdirSync(folder).reduce((n, name) => n + readFileSync(join(folder, name)).length, 0)
    : 0;
}

/** Cold profile every time; the wasm memory never shrinks, so its size at ready is the peak of loading. */
async function timeToReady(url) {
  const chrome = await launch();
  try {
    const { page } = await openPage(chrome.browser, url, { wait: false });
    await page.waitForFunction(() => window.point3r);
    const ready = await page.evaluate(() => window.point3r.ready.then(() => performance.now()));
    return { ready, ...(await stats(page)) };
  } finally {
    await chrome.close();
  }
}

/** Milliseconds of the network for one frame of the default model, after some: a running mean of the last few. */
async function timePerFrame(url) {
  const chrome = await launch();
  try {
    const { page } = await openPage(chrome.browser, url);
    await fromPictures(page, FRAMES);
    const { msPerFrame, pointers } = await waitForFrames(page, FRAMES);
    return { ms: msPerFrame, pointers };
  } finally {
    await chrome.close();
  }
}

const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const bytes = (count) => (count < 1024 * 1024 ? kib(count) : mib(count));
const mib = (bytes) => `${(bytes / 1024 / 1024).toFixed(2)} MiB`;

/** The middle one of some cold starts, by time to interactive. */
async function median(url, slowdown) {
  const runs = [];
  for (let i = 0; i < RUNS; i++) {
    runs.push(await loading(url, slowdown));
  }
  return runs.sort((a, b) => a.interactive - b.interactive)[RUNS >> 1];
}

const site = await serveSite();
try {
  const files = downloads();
  const runs = [];
  for (let i = 0; i < RUNS; i++) {
    runs.push(await timeToReady(site.url));
  }
  runs.sort((a, b) => a.ready - b.ready);
  const middle = runs[RUNS >> 1];
  const figures = {
    files,
    modelBytes: modelBytes(),
    wasmBytes: Math.max(...runs.map(({ wasmBytes }) => wasmBytes)),
    gpuBytes: middle.gpuBytes,
    readyMs: Math.round(middle.ready),
    device: middle.device,
    tier: middle.tier,
    perFrame: await timePerFrame(site.url),
    loading: { full: await median(site.url, 1), slowed: await median(site.url, SLOWDOWN) },
  };
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(figures));
  } else {
    for (const [name, size] of Object.entries(files)) {
      console.log(`${name}: ${bytes(size.raw)} raw, ${bytes(size.gzip)} gzip, ${bytes(size.brotli)} brotli`);
    }
    console.log(`default model: ${mib(figures.modelBytes)}`);
    console.log(`peak wasm heap while loading the default model: ${mib(figures.wasmBytes)}`);
    console.log(
      `navigation to ready: ${figures.readyMs} ms (median of ${RUNS} cold starts, local server, ${middle.device}, ${middle.tier} adapter)`,
    );
    const { ms, pointers } = figures.perFrame;
    console.log(`frame ${FRAMES}, default model, ${middle.device}, ${pointers} pointers: ${ms.toFixed(0)} ms`);
    for (const [speed, { paint, interactive, ready, blocked, longest, gzip, files }] of [
      ['full speed', figures.loading.full],
      [`processor slowed ${SLOWDOWN} times`, figures.loading.slowed],
    ]) {
      console.log(`${speed}: first paint ${paint.toFixed(0)} ms after ${kib(gzip)} gzip in ${files.length} files,`);
      console.log(`  interactive ${interactive.toFixed(0)} ms, ready ${ready.toFixed(0)} ms,`);
      console.log(`  blocked ${blocked.toFixed(0)} ms in tasks over 50 ms (longest ${longest.toFixed(0)} ms)`);
    }
  }
} finally {
  await site.close();
}
