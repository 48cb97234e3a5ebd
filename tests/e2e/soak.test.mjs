// The short form of the soak test (`cargo xtask soak` is the long one): 60 frames.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from './support/browser.mjs';
import { growth } from './support/memory.mjs';
import { TINY_MODEL } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';
import { fromPictures, soak } from './support/soak.mjs';

const FRAMES = 60;
const running = siteAndBrowser();

test('sixty frames: no promise is dropped, no element left behind, the page is never blocked by us', {
  skip: TINY_MODEL ? false : 'POINT3R_TINY_MODEL is not set',
  timeout: 240_000,
}, async () => {
  const { page, complaints } = await openPage(running.chrome.browser, `${running.site.url}?device=cpu`);
  await page.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));
  const { samples, rejections, longTasks, open, tasks } = await soak(page, {
    frames: FRAMES,
    every: 10,
    start: fromPictures,
  });
  const last = samples.at(-1);
  assert.equal(last.frames, FRAMES);
  assert.deepEqual(rejections, []);
  assert.equal(open, 0, 'calls of the engine without an answer');
  const settled = samples.slice(2);
  assert.ok(growth(settled, 'nodes') < 1000, `elements grow: ${settled.map(({ nodes }) => nodes)}`);
  assert.ok(growth(settled, 'pageMib') < 20, `the page grows: ${settled.map(({ pageMib }) => pageMib.toFixed(1))} MiB`);
  const most = tasks[0]?.cpu.toFixed(1);
  console.log(`tasks over 50 ms by the clock: ${longTasks.length}; longest by processor time: ${most} ms`);
  assert.deepEqual(complaints, []);
  await page.close();
});
