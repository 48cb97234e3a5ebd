// The soak test: 1,000 frames of a scan (or as many as the first argument says), and what they cost page and worker. `cargo xtask soak`.
// Ends with 1 when memory grows that nothing accounts for, a promise is dropped or a call has no answer.
import { launch, openPage } from './support/browser.mjs';
import { launchWithCamera } from './support/camera.mjs';
import { cameraClip } from './support/clip.mjs';
import { growth, quantile } from './support/memory.mjs';
import { serveSite } from './support/site.mjs';
import { fromCamera, fromPictures, LONG_TASK_MS, soak } from './support/soak.mjs';

const FRAMES = Number(process.argv[2] ?? 1000);
/** The share of the frames after which everything that is made once has been made. */
const WARM_UP = 0.2;
/** Points are merged from here on: reached before the end of the warm-up, so that memory is to be flat after it. */
const CLOUD_BUDGET = 4 * 1024 * 1024;
/** Growth per 1,000 frames that is noise, or the frames' small pictures, MiB. */
const NOISE_MIB = 32;
/** What a point may cost: itself with room to grow, and its copy for the case of a crash. */
const BYTES_PER_POINT = 64;

const line = ({ frames, seconds, points, pointers, msPerFrame, wasmMib, pageMib, residentMib, nodes }) =>
  [frames, seconds.toFixed(0), points, pointers, msPerFrame.toFixed(0)]
    .concat(
      [wasmMib, pageMib, residentMib].map((mib) => mib.toFixed(1)),
      nodes,
    )
    .map((text) => String(text).padStart(9))
    .join('');

async function openSource() {
  const clip = cameraClip();
  if (clip.missing) {
    return { chrome: await launch(), start: fromPictures, name: `pictures, because ${clip.missing}` };
  }
  return { chrome: await launchWithCamera(clip.path), start: fromCamera, name: 'the fake camera', remove: clip.remove };
}

const site = await serveSite();
const { chrome, start, name, remove = () => {} } = await openSource();
let failed = false;
try {
  const { page, complaints } = await openPage(chrome.browser, `${site.url}?device=cpu`);
  await page.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));
  await page.evaluate((cloudBudget) => window.point3r.setSettings({ cloudBudget }), CLOUD_BUDGET);
  console.log(`${FRAMES} frames from ${name}`);
  const columns = ['frames', 'seconds', 'points', 'pointers', 'ms/frame', 'wasm MiB', 'page MiB', 'resident', 'nodes'];
  console.log(columns.map((title) => title.padStart(9)).join(''));
  const sampled = (sample) => console.log(line(sample));
  const seen = await soak(page, { frames: FRAMES, every: Math.max(1, FRAMES / 20), start, sampled });
  failed = !report(seen, complaints);
} finally {
  await chrome.close();
  await site.close();
  remove();
}
process.exitCode = failed ? 1 : 0;

function report({ samples, longTasks, rejections, gaps, open, tasks }, complaints) {
  const warm = samples.filter(({ frames }) => frames >= WARM_UP * FRAMES);
  const grows = (quantity) => growth(warm, quantity);
  const forPoints = (grows('points') * BYTES_PER_POINT) / 1024 / 1024;
  console.log(
    `\nafter warm-up, per 1,000 frames: points ${grows('points').toFixed(0)}, which may take ${forPoints.toFixed(1)} MiB`,
  );
  for (const quantity of ['wasmMib', 'pageMib', 'residentMib', 'nodes']) {
    console.log(`  ${quantity}: ${grows(quantity) >= 0 ? '+' : ''}${grows(quantity).toFixed(1)}`);
  }
  console.log(
    `frames of the interface: median ${quantile(gaps, 0.5).toFixed(1)} ms, 99 % within ${quantile(gaps, 0.99).toFixed(1)} ms`,
  );
  console.log(
    `tasks of the page over ${LONG_TASK_MS} ms by the clock: ${longTasks.length}${longTasks.length ? `, longest ${Math.max(...longTasks)} ms` : ''}`,
  );
  const [longest] = tasks;
  console.log(
    `by processor time, of ${tasks.length} tasks traced at the end: ${tasks.filter(({ cpu }) => cpu > LONG_TASK_MS).length} over ${LONG_TASK_MS} ms, longest ${longest?.cpu.toFixed(1)} ms`,
  );
  const checks = {
    'the page’s memory is flat': grows('pageMib') < NOISE_MIB / 4,
    'the elements are no more': grows('nodes') < 100,
    'wasm grows by the points alone': grows('wasmMib') < forPoints + NOISE_MIB,
    'the process grows by the points alone': grows('residentMib') < 2 * forPoints + 2 * NOISE_MIB,
    'no promise is dropped': rejections.length === 0 && open === 0,
    'nothing is complained about': complaints.length === 0,
  };
  for (const [what, holds] of Object.entries(checks)) {
    console.log(`${holds ? 'ok' : 'NOT OK'}: ${what}`);
  }
  if (open > 0) {
    console.log(`  ${open} calls to the worker without an answer`);
  }
  for (const text of [...rejections, ...complaints]) {
    console.log(`  ${text}`);
  }
  return Object.values(checks).every(Boolean);
}
