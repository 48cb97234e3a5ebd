// The same pictures through the page on the processor and through WebGPU: the same poses, pointers and points.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, screenshot, waitForFrames } from './support/browser.mjs';
import { TINY_MODEL } from './support/paths.mjs';
import { openPattern } from './support/pattern.mjs';
import { siteAndBrowser } from './support/running.mjs';

const FRAMES = 3;

const running = siteAndBrowser();

async function reconstruct(device) {
  const { page, complaints } = await openPage(running.chrome.browser, `${running.site.url}?device=${device}`);
  await page.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));
  await openPattern(page, FRAMES);
  const stats = await waitForFrames(page, FRAMES, 240_000);
  const trajectory = await page.evaluate(async () => (await window.point3r.export('tum')).text());
  await page.waitForTimeout(500);
  // The notice is about computing on the processor, not about the adapter.
  assert.equal(await page.locator('[data-notice=software]').isVisible(), device === 'cpu');
  await screenshot(page, `tiny-${device}`);
  assert.deepEqual(complaints, []);
  await page.close();
  const lines = trajectory.split('\n').filter((line) => line && !line.startsWith('#'));
  return { stats, poses: lines.map((line) => line.split(' ').map(Number)) };
}

test('WebGPU and the processor reconstruct the same', {
  skip: TINY_MODEL ? false : 'there is no model small enough (POINT3R_TINY_MODEL names its folder)',
  timeout: 600_000,
}, async () => {
  const cpu = await reconstruct('cpu');
  const gpu = await reconstruct('gpu');
  console.log(`ms per frame: cpu ${cpu.stats.msPerFrame.toFixed(0)}, gpu ${gpu.stats.msPerFrame.toFixed(0)}`);
  assert.equal(cpu.stats.device, 'cpu');
  assert.equal(gpu.stats.device, 'gpu');
  assert.equal(gpu.stats.pointers, cpu.stats.pointers);
  assert.equal(gpu.stats.points, cpu.stats.points);
  assert.ok(gpu.stats.gpuBytes > 20e6, 'the weights are on the device');
  assert.equal(gpu.poses.length, FRAMES);
  for (const [i, pose] of gpu.poses.entries()) {
    const error = Math.max(...pose.map((value, k) => Math.abs(value - cpu.poses[i][k])));
    assert.ok(error < 1e-3, `pose ${i} differs by ${error}`);
  }
});
