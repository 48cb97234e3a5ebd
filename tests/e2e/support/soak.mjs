// A long scan, watched: memory of page and worker, promises, tasks that block the page. The network is the smallest, on
// the processor, so that it is the page around it that is tested. Frames come from the fake camera, or, where there is no
// clip for it, from pictures made in the page.
import { traceTasks } from './blocking.mjs';
import { stats } from './browser.mjs';
import { rendererMib } from './memory.mjs';

/** The share of the frames after which tasks are traced: a trace of everything would itself take memory. */
const TRACED_FROM = 0.9;
/** A task longer than this makes input wait noticeably. */
export const LONG_TASK_MS = 50;
/** A call not answered by now is counted as dropped, ms. */
const ANSWER_MS = 30_000;
const MIB = 1024 * 1024;

/**
 * Reconstructs `frames` frames on an opened page; `sampled` is called about every `every` frames. `start` sets the frames
 * flowing. The answer holds the samples, and what `watch` saw.
 */
export async function soak(page, { frames, every, start, sampled = () => {} }) {
  const devtools = await page.context().newCDPSession(page);
  await page.evaluate(watch, LONG_TASK_MS);
  await start(page, frames);
  const samples = [];
  const began = Date.now();
  let endTrace = null;
  for (let last = 0; last < frames; ) {
    await page.waitForTimeout(250);
    const now = await stats(page);
    if (now.error) {
      throw new Error(`after ${now.frames} frames: ${now.error.code}: ${now.error.message}`);
    }
    if (!endTrace && now.frames >= TRACED_FROM * frames) {
      endTrace = await traceTasks(page);
    }
    if (now.frames >= last + every || now.frames >= frames) {
      last = now.frames;
      const seconds = (Date.now() - began) / 1000;
      samples.push({ ...counts(now), ...(await memory(devtools)), seconds });
      sampled(samples.at(-1));
    }
  }
  const tasks = (await endTrace?.()) ?? [];
  await page.evaluate(() => window.point3r.stop());
  const watched = await page.evaluate(() => window.watched);
  const open = await unanswered(page);
  return { samples, ...watched, open, tasks };
}

/** How many calls to the worker never get their answer: some, such as saving, may be under way when the scan stops. */
async function unanswered(page) {
  const waiting = () => page.evaluate(() => window.point3r.currentEngine.waiting.size);
  const deadline = Date.now() + ANSWER_MS;
  while ((await waiting()) > 0 && Date.now() < deadline) {
    await page.waitForTimeout(250);
  }
  return waiting();
}

const counts = ({ frames, points, pointers, wasmBytes, msPerFrame }) => ({
  frames,
  points,
  pointers,
  msPerFrame,
  wasmMib: wasmBytes / MIB,
});

async function memory(devtools) {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  const { nodes } = await devtools.send('Memory.getDOMCounters');
  return { pageMib: usedSize / MIB, nodes, residentMib: rendererMib() };
}

/** Runs in the page: long tasks, rejections nobody owned, the time between two frames of the interface. */
function watch(limit) {
  const watched = { longTasks: [], rejections: [], gaps: [] };
  window.watched = watched;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      if (duration > limit) {
        watched.longTasks.push(Math.round(duration));
      }
    }
  }).observe({ type: 'longtask' });
  window.addEventListener('unhandledrejection', (event) => watched.rejections.push(String(event.reason)));
  let before = performance.now();
  const tick = (now) => {
    watched.gaps.push(now - before);
    before = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

/** Scans with the camera; it never ends by itself. */
export async function fromCamera(page) {
  await page.getByRole('button', { name: 'Scan', exact: true }).click();
}

/** Sets pictures flowing that the page draws itself: a pattern that moves, each one different. */
export async function fromPictures(page, frames) {
  await page.evaluate(async (frames) => {
    const canvas = new OffscreenCanvas(160, 120);
    const context = canvas.getContext('2d');
    const pictures = [];
    for (let i = 0; i < frames; i += 1) {
      for (let y = 0; y < 120; y += 10) {
        for (let x = 0; x < 160; x += 10) {
          context.fillStyle = `rgb(${(x * 2 + i * 20) % 256} ${(y * 3 + i * 9) % 256} ${(x * y + i * 31) % 256})`;
          context.fillRect(x, y, 10, 10);
        }
      }
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.7 });
      pictures.push(new File([blob], `${i}.jpg`, { type: 'image/jpeg' }));
    }
    window.point3r.setSettings({ maxFrames: frames });
    await window.point3r.open(pictures);
  }, frames);
}
