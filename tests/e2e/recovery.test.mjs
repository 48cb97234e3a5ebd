// A lost graphics device, for real: the process that has it is ended. The page brings back device, cloud and scan by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { exportPly, screenshot, stats, waitForStats } from './support/browser.mjs';
import { frames, launchWithCamera, MINUTES, openTiny, press, scan, trace } from './support/camera.mjs';
import { cameraClip } from './support/clip.mjs';
import { inkShare } from './support/formats.mjs';
import { TINY_MODEL } from './support/paths.mjs';
import { endGpuProcesses, WITHOUT_PROC } from './support/processes.mjs';
import { serveSite } from './support/site.mjs';

const clip = TINY_MODEL ? cameraClip() : { missing: 'there is no model small enough (POINT3R_TINY_MODEL names it)' };
const options = { skip: clip.missing ?? WITHOUT_PROC, timeout: 6 * MINUTES };
after(() => clip.remove?.());

let site;
before(async () => {
  site = await serveSite();
});
after(() => site?.close());

/** Chromium keeps graphics from a site that lost it twice within two minutes, unless told not to. */
const TRUSTING = ['--disable-domain-blocking-for-3d-apis'];

async function loseDevice(page, times) {
  assert.ok(endGpuProcesses() > 0, 'no GPU process was found');
  await page.waitForFunction((times) => window.recoveries === times, times, { timeout: 3 * MINUTES, polling: 200 });
}

const countRecoveries = (page) =>
  page.evaluate(() => {
    window.recoveries = 0;
    window.point3r.on('recovered', () => window.recoveries++);
  });

/** The camera path, a line per frame. */
const trajectory = (page) =>
  page.evaluate(async () => {
    const text = await (await window.point3r.export('tum')).text();
    return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  });

/** The share of the canvas that is drawn, by what lies over it undisturbed. */
async function drawn(page) {
  await page.waitForTimeout(2000);
  const over = '#stage > :not(p3r-viewport), p3r-viewport > :not(canvas) { visibility: hidden !important }';
  return inkShare(await page.locator('p3r-viewport').screenshot({ style: over }));
}

test('a scan that loses its device twice is drawn again and goes on, nothing lost', options, async () => {
  const chrome = await launchWithCamera(clip.path, { args: TRUSTING });
  const { page } = await openTiny(chrome.browser, site.url);
  await countRecoveries(page);
  await scan(page, 5);
  assert.ok((await drawn(page)) > 0.005);
  for (const times of [1, 2]) {
    const before = await stats(page);
    await loseDevice(page, times);
    const after = await stats(page);
    assert.ok(after.frames >= before.frames, `${after.frames} of ${before.frames} frames are left`);
    assert.equal(after.error, null);
    await frames(page, before.frames + 4);
    assert.ok((await drawn(page)) > 0.005, 'the cloud is not drawn again');
    assert.ok(await page.locator('[data-notice=note]').isVisible(), 'the user is told');
    await screenshot(page, `recovered-${times}`);
  }
  await press(page, 'Stop');
  const end = await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  assert.equal((await exportPly(page)).count, end.points);

  // It was saved all along: also the frames before the losses.
  const ended = await trace(page);
  await page.reload();
  await page.waitForFunction(() => window.point3r);
  await page.evaluate(() => window.point3r.ready);
  await page.locator('[data-saved=open]').click();
  await waitForStats(page, 'the saved scan', (now) => now.frames === ended.frames);
  assert.deepEqual(await trace(page), ended);
  await chrome.close();
});

test('a scan computed through WebGPU that loses its device is computed there again and goes on', {
  ...options,
  timeout: 10 * MINUTES,
}, async () => {
  const chrome = await launchWithCamera(clip.path, { args: TRUSTING });
  const { page } = await openTiny(chrome.browser, site.url, 'gpu');
  assert.equal((await stats(page)).device, 'gpu');
  await countRecoveries(page);
  const running = await scan(page, 2);
  const path = await trajectory(page);
  await loseDevice(page, 1);
  const after = await stats(page);
  assert.equal(after.error, null);
  assert.equal(after.device, 'gpu', 'the network runs elsewhere now');
  assert.ok(after.frames >= running.frames, `${after.frames} of ${running.frames} frames are left`);
  assert.ok(after.gpuBytes > running.gpuBytes / 2, 'the weights are on the device again');
  const note = page.locator('[data-notice=note]');
  assert.match(await note.textContent(), /graphics device was lost.*recovered and goes on/);
  await screenshot(page, 'recovered-gpu');
  const on = await frames(page, after.frames + 1, 4 * MINUTES);
  assert.equal(on.device, 'gpu');
  assert.ok((await drawn(page)) > 0.005, 'the cloud is drawn');
  await press(page, 'Stop');
  const end = await waitForStats(page, 'ready', ({ state }) => state === 'ready', 2 * MINUTES);
  assert.equal((await exportPly(page)).count, end.points);
  assert.deepEqual((await trajectory(page)).slice(0, path.length), path, 'the frames before the loss are the same');
  await chrome.close();
});

test('a paused scan stays paused, and at rest the cloud is the same', options, async () => {
  const chrome = await launchWithCamera(clip.path, { args: TRUSTING });
  const { page } = await openTiny(chrome.browser, site.url);
  await countRecoveries(page);
  await scan(page, 4);
  await press(page, 'Pause');
  await page.waitForTimeout(1500);
  const paused = await trace(page);
  await loseDevice(page, 1);
  assert.equal((await stats(page)).state, 'paused');
  assert.deepEqual(await trace(page), paused);
  await press(page, 'Stop');
  await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  await loseDevice(page, 2);
  assert.equal((await stats(page)).state, 'ready');
  assert.deepEqual(await trace(page), paused);
  assert.ok((await drawn(page)) > 0.005);
  await press(page, 'Continue');
  await frames(page, paused.frames + 2);
  await chrome.close();
});

test('a device that the browser does not give back: the scan goes on undrawn, and says so', options, async () => {
  const chrome = await launchWithCamera(clip.path);
  const { page } = await openTiny(chrome.browser, site.url);
  await countRecoveries(page);
  await scan(page, 3);
  await loseDevice(page, 1);
  assert.ok((await drawn(page)) > 0.005);
  await loseDevice(page, 2);
  const after = await stats(page);
  assert.equal(after.tier, 'none', 'Chromium gives the device back: nothing is tested here');
  await frames(page, after.frames + 3);
  await page.locator('[data-notice=note]').getByText('not back yet').waitFor();
  await screenshot(page, 'recovered-undrawn');
  await press(page, 'Stop');
  const end = await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  assert.equal((await exportPly(page)).count, end.points);
  await chrome.close();
});
