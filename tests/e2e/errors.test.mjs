// What goes wrong in a real Chromium has a name and an advice, and never costs the cloud so far.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import {
  choose,
  expectError,
  exportPly,
  openPage,
  screenshot,
  stats,
  waitForFrames,
  waitForStats,
} from './support/browser.mjs';
import { inkShare } from './support/formats.mjs';
import { shared, skipWithout } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';

const VIDEO = shared('data/redkitchen_video/redkitchen_handheld.mp4');
const WEBM = shared('data/redkitchen_video/redkitchen_handheld.webm');
const UNDECODABLE = shared('data/dynamic_video/lady-running.mp4');
const FOX = shared('data/fox_portrait/images');
/** A software adapter and a processor without threads take their time. */
const MINUTES = 60_000;

const running = siteAndBrowser();

describe('a wrong input is named, and the cloud so far stays', () => {
  let page;
  let before8;
  before(async () => {
    if (!VIDEO) {
      return;
    }
    ({ page } = await openPage(running.chrome.browser, running.site.url));
    await page.evaluate(() => window.point3r.setSettings({ maxFrames: 2 }));
    await choose(page, VIDEO);
    await waitForFrames(page, 2, 5 * MINUTES);
    await waitForStats(page, 'ready', ({ state }) => state === 'ready');
    before8 = await stats(page);
    assert.ok(before8.points > 0);
  });
  after(() => page?.close());

  async function expectCloudKept() {
    await waitForStats(page, 'ready', ({ state }) => state === 'ready', MINUTES);
    const now = await stats(page);
    assert.equal(now.points, before8.points);
    assert.equal(now.frames, before8.frames);
    assert.equal((await exportPly(page)).count, before8.points);
    const canvas = await page.locator('p3r-viewport').screenshot();
    assert.ok(inkShare(canvas) > 0.005, 'the cloud is no longer drawn');
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.locator('p3r-alert').waitFor({ state: 'hidden' });
  }

  const options = { skip: skipWithout(VIDEO, UNDECODABLE), timeout: 3 * MINUTES };

  test('a text file', options, async () => {
    await choose(page, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a video\n'.repeat(100)) });
    await expectError(page, 'unsupported-file');
    await screenshot(page, 'error-unsupported-file');
    await expectCloudKept();
  });

  test('a text file that calls itself mp4', options, async () => {
    await choose(page, {
      name: 'holiday.mp4',
      mimeType: 'video/mp4',
      buffer: Buffer.from('not a video\n'.repeat(100)),
    });
    await expectError(page, 'unsupported-file');
    await expectCloudKept();
  });

  test('a codec the browser does not know', options, async () => {
    await choose(page, UNDECODABLE);
    await expectError(page, 'undecodable-video');
    await screenshot(page, 'error-undecodable-video');
    await expectCloudKept();
  });

  test('an mp4 that ends too early', options, async () => {
    const whole = await readFile(VIDEO);
    await choose(page, { name: 'cut.mp4', mimeType: 'video/mp4', buffer: whole.subarray(0, whole.length >> 1) });
    await expectError(page, 'damaged-file');
    await expectCloudKept();
  });

  test('a webm that ends too early', options, async () => {
    const whole = await readFile(WEBM);
    await choose(page, { name: 'cut.webm', mimeType: 'video/webm', buffer: whole.subarray(0, whole.length >> 1) });
    await expectError(page, 'damaged-file');
    await expectCloudKept();
  });

  test('a broken image', options, async () => {
    const buffer = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(500)]);
    await choose(page, { name: 'photo.jpg', mimeType: 'image/jpeg', buffer });
    await expectError(page, 'image-damaged');
    await expectCloudKept();
  });

  test('a video and an image at once', options, async () => {
    const image = { name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('\x89PNG\r\n\x1a\n', 'latin1') };
    await choose(page, [{ name: 'v.mp4', mimeType: 'video/mp4', buffer: await readFile(UNDECODABLE) }, image]);
    await expectError(page, 'bad-request');
    await expectCloudKept();
  });

  for (const [folder, code] of [
    ['damaged', 'shard-damaged'],
    ['truncated', 'shard-truncated'],
    ['lying', 'tensor-shape'],
    ['nonsense', 'manifest-invalid'],
    ['absent', 'model-not-found'],
  ]) {
    test(`a model that is ${folder}`, options, async () => {
      // Its hashes are those of the default model: what is kept of that would do.
      await page.evaluate(async () => {
        const root = await navigator.storage.getDirectory();
        await root.removeEntry('models', { recursive: true }).catch(() => {});
      });
      const refusal = await page.evaluate(
        (url) =>
          window.point3r.loadModel(url).then(
            () => null,
            (error) => error.code,
          ),
        `models/${folder}/manifest.json`,
      );
      assert.equal(refusal, code);
      await expectError(page, code);
      if (code === 'shard-damaged') {
        await screenshot(page, 'error-shard-damaged');
      }
      await expectCloudKept();
    });
  }

  test('and a video opened afterwards is reconstructed', { skip: options.skip, timeout: 5 * MINUTES }, async () => {
    await page.evaluate(() => {
      window.again = 0;
      window.point3r.on('frame', () => window.again++);
    });
    await choose(page, WEBM);
    await page.waitForFunction(() => window.again >= 2, null, { timeout: 4 * MINUTES, polling: 250 });
    assert.equal((await stats(page)).error, null);
  });
});

test('a crashed engine: the cloud is still shown and exported, and Reset brings a new engine', {
  skip: skipWithout(FOX),
  timeout: 6 * MINUTES,
}, async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url);
  await choose(page, `${FOX}/0001.jpg`);
  const { points } = await waitForFrames(page, 1, 2 * MINUTES);
  await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  await page.waitForTimeout(1000);
  // The browser's own report of a trap inside the wasm.
  const trap = () =>
    self.dispatchEvent(new ErrorEvent('error', { error: new WebAssembly.RuntimeError('unreachable') }));
  await page.workers()[0].evaluate(trap);
  await expectError(page, 'crashed');
  assert.equal((await stats(page)).state, 'lost');
  await screenshot(page, 'error-crashed');
  assert.equal((await exportPly(page)).count, points);
  assert.ok(inkShare(await page.locator('p3r-viewport').screenshot()) > 0.005);
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await waitForStats(page, 'a new engine', ({ state, points }) => state === 'ready' && points === 0);
  assert.equal((await stats(page)).error, null);
  await choose(page, `${FOX}/0004.jpg`);
  await waitForFrames(page, 1, 2 * MINUTES);
  await page.close();
});
