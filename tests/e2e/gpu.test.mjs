// The same pictures through the page on the processor and through WebGPU: the same poses, pointers and points.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, screenshot, waitForFrames } from './support/browser.mjs';
import { TINY_MODEL } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';

const FRAMES = 3;

const running = siteAndBrowser();

/** Pictures made in the page: a pattern that moves. */
async function reconstruct(device) {
  const { page, complaints } = await openPage(running.chrome.browser, `${running.site.url}?device=${device}`);
  await page.evaluate(async (frames) => {
    await window.point3r.loadModel('models/tiny/manifest.json');
    const pictures = [];
    for (let i = 0; i < frames; i += 1) {
      const canvas = new OffscreenCanvas(128, 96);
      const context = canvas.getContext('2d');
      for (let y = 0; y < 96; y += 8) {
        for (let x = 0; x < 128; x += 8) {
          context.fillStyle = `rgb(${(x * 2 + i * 20) % 256} ${(y * 3 + i * 9) % 256} ${(x * y + i * 31) % 256})`;
          context.fillRect(x, y, 8, 8);
        }
      }
      pictures.push(new File([await canvas.convertToBlob()], `${i}.png`, { type: 'image/png' }));
    }
    await window.point3r.open(pictures);
  }, FRAMES);
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
