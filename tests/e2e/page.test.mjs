// The page in a real Chromium: a video or photographs become a cloud, and the controls do what they say.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import {
  choose,
  exportPly,
  launch,
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
const FOX = shared('data/fox_portrait/images');
/** A software adapter and a processor without threads take their time. */
const MINUTES = 60_000;

const running = siteAndBrowser();

async function drop(page, path, name, type) {
  const base64 = (await readFile(path)).toString('base64');
  await page.evaluate(
    async ({ base64, name, type }) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name, { type }));
      document
        .querySelector('main')
        .dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    },
    { base64, name, type },
  );
}

/** Fingers that go down at some points and are lifted at others. */
async function touchOf(page) {
  const devtools = await page.context().newCDPSession(page);
  const send = (type, touchPoints) => devtools.send('Input.dispatchTouchEvent', { type, touchPoints });
  return async (from, to) => {
    await send('touchStart', from);
    for (const share of [0.25, 0.5, 0.75, 1]) {
      const between = from.map(({ x, y }, i) => ({ x: x + share * (to[i].x - x), y: y + share * (to[i].y - y) }));
      await send('touchMove', between);
    }
    await send('touchEnd', []);
  };
}

test('a WebGPU adapter exists, else these tests would pass on nothing', async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url, { wait: false });
  const adapter = await page.evaluate(async () => {
    const found = await navigator.gpu?.requestAdapter();
    return found && { fallback: found.info.isFallbackAdapter, vendor: found.info.vendor };
  });
  assert.ok(adapter, 'no WebGPU adapter');
  console.log('adapter', adapter);
  await page.close();
});

test('the empty page is ready, says what the weights are, and asks nothing of other sites', async () => {
  const foreign = [];
  const { page, complaints } = await openPage(running.chrome.browser, 'about:blank', { wait: false });
  page.on('request', (request) => {
    if (!request.url().startsWith(running.site.url) && !request.url().startsWith('blob:')) {
      foreign.push(request.url());
    }
  });
  await page.goto(running.site.url);
  await page.waitForFunction(() => window.point3r);
  await page.evaluate(() => window.point3r.ready);
  assert.equal(await page.locator('input[type=file]').count(), 1);
  const { trained } = JSON.parse(
    await (await page.request.get(`${running.site.url}models/default/manifest.json`)).text(),
  );
  assert.equal(await page.locator('[data-notice=untrained]').isVisible(), !trained);
  const now = await stats(page);
  assert.equal(now.state, 'ready');
  assert.equal(now.tier, 'software');
  assert.ok(await page.locator('[data-notice=software]').isVisible());
  await screenshot(page, 'empty');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForTimeout(300);
  await screenshot(page, 'empty-dark');
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('redkitchen_handheld.mp4 becomes a drawn cloud of at least 8 frames, frame by frame, and a PLY', {
  skip: skipWithout(VIDEO),
  timeout: 10 * MINUTES,
}, async () => {
  const { page, complaints } = await openPage(running.chrome.browser, running.site.url);
  await page.evaluate(() => {
    window.seen = [];
    window.point3r.on('frame', (report) => window.seen.push(report));
  });
  await drop(page, VIDEO, 'redkitchen_handheld.mp4', 'video/mp4');
  await waitForFrames(page, 1, 3 * MINUTES);
  const early = await stats(page);
  assert.equal(early.state, 'running', 'later frames are still being computed when the first is there');
  assert.ok(early.points > 0);
  await waitForFrames(page, 8, 8 * MINUTES);
  await page.evaluate(() => window.point3r.stop());
  const now = await stats(page);
  assert.equal(now.error, null);
  assert.equal(now.state, 'ready');
  assert.ok(now.frames >= 8, `${now.frames} frames`);
  assert.ok(now.pointers > 0 && now.msPerFrame > 0);
  const seen = await page.evaluate(() => window.seen);
  assert.deepEqual(
    seen.map(({ index }) => index),
    seen.map((_, i) => i),
    'frames arrive in order',
  );
  assert.ok(seen.every(({ pose }) => pose.length === 7 && pose.every(Number.isFinite)));

  await page.keyboard.press('f');
  await page.waitForTimeout(1500);
  await screenshot(page, 'redkitchen');
  const canvas = await page.locator('p3r-viewport').screenshot();
  assert.ok(inkShare(canvas) > 0.01, `only ${(100 * inkShare(canvas)).toFixed(2)} % of the canvas is drawn`);
  const ply = await exportPly(page);
  assert.equal(ply.count, now.points);
  assert.ok(ply.names.includes('red'));
  assert.ok([0, ply.count >> 1, ply.count - 1].every((i) => ply.point(i).every(Number.isFinite)));
  console.log(
    `${now.frames} frames, ${now.points} points, ${now.pointers} pointers, ${Math.round(now.msPerFrame)} ms per frame on ${now.device}`,
  );
  assert.deepEqual(complaints, []);
  await page.close();
});

test('pause holds, resume goes on, stop keeps the cloud, reset empties it', {
  skip: skipWithout(VIDEO),
  timeout: 8 * MINUTES,
}, async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url);
  await choose(page, VIDEO);
  await waitForFrames(page, 1, 3 * MINUTES);
  await page.getByRole('button', { name: 'Pause' }).click();
  assert.equal((await stats(page)).state, 'paused');
  // The frame in work may still come; after it, none.
  const { msPerFrame } = await stats(page);
  await page.waitForTimeout(msPerFrame + 1000);
  const held = (await stats(page)).frames;
  await page.waitForTimeout(2 * msPerFrame + 500);
  assert.equal((await stats(page)).frames, held);
  await screenshot(page, 'paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await waitForFrames(page, held + 1, 3 * MINUTES);
  await page.getByRole('button', { name: 'Stop' }).click();
  await waitForStats(page, 'ready', ({ state }) => state === 'ready', 2 * MINUTES);
  assert.ok((await stats(page)).points > 0);
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await waitForStats(page, 'an empty cloud', ({ points }) => points === 0);
  const refusal = await page.evaluate(() =>
    window.point3r.export('ply').then(
      () => null,
      ({ code }) => code,
    ),
  );
  assert.equal(refusal, 'empty-cloud');
  await page.close();
});

test('portrait photographs on a phone, by touch', { skip: skipWithout(FOX), timeout: 8 * MINUTES }, async () => {
  const phone = await launch({
    context: {
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 2,
      hasTouch: true,
      isMobile: true,
      colorScheme: 'dark',
    },
  });
  const { page, complaints } = await openPage(phone.browser, running.site.url);
  await screenshot(page, 'phone-empty');
  await choose(
    page,
    ['0001', '0008', '0021'].map((name) => `${FOX}/${name}.jpg`),
  );
  await waitForFrames(page, 3, 6 * MINUTES);
  const now = await stats(page);
  assert.equal(now.error, null);
  assert.equal(now.frames, 3);
  await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(overflow, 0, 'the page is wider than the phone');
  await page.evaluate(() => window.point3r.currentEngine.view({ type: 'view', view: 'fit' }));
  await page.waitForTimeout(1500);
  await screenshot(page, 'phone-fox');
  assert.ok(inkShare(await page.locator('p3r-viewport').screenshot()) > 0.005);
  const touch = await touchOf(page);
  const view = page.locator('p3r-viewport');
  const { x, y, width, height } = await view.boundingBox();
  const centre = { x: x + width / 2, y: y + height / 2 };
  const around = (distance) => [-1, 1].map((side) => ({ x: centre.x + side * distance, y: centre.y }));
  for (const [gesture, from, to] of [
    ['one finger', [centre], [{ x: centre.x + 60, y: centre.y + 20 }]],
    ['a pinch', around(30), around(90)],
  ]) {
    const still = await view.screenshot();
    await touch(from, to);
    await page.waitForTimeout(1000);
    assert.ok(!(await view.screenshot()).equals(still), `${gesture} changes nothing`);
  }
  assert.deepEqual(complaints, []);
  await phone.close();
});

test('open() takes an address of this site, and refuses one that is neither that nor https', {
  skip: skipWithout(FOX),
  timeout: 3 * MINUTES,
}, async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url);
  const codes = await page.evaluate(async () => {
    const code = (address) =>
      window.point3r.open(address).then(
        () => 'accepted',
        (error) => error.code,
      );
    return [await code('http://example.org/a.mp4'), await code('absent.mp4'), await code('icon.svg')];
  });
  assert.deepEqual(codes, ['bad-request', 'network', 'unsupported-file']);
  const run = await page.evaluate(async () => {
    const { name, total, finished } = await window.point3r.open('fox/0001.jpg');
    await finished;
    return { name, total };
  });
  assert.deepEqual(run, { name: '0001.jpg', total: 1 });
  assert.equal((await stats(page)).frames, 1);
  await page.close();
});

test('dragging turns the view', { skip: skipWithout(FOX), timeout: 5 * MINUTES }, async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url);
  await choose(page, `${FOX}/0001.jpg`);
  await waitForFrames(page, 1, 4 * MINUTES);
  await page.waitForTimeout(1500);
  const still = await page.locator('p3r-viewport').screenshot();
  for (const [gesture, button] of [
    ['orbit', 'left'],
    ['pan', 'right'],
  ]) {
    await page.mouse.move(640, 400);
    await page.mouse.down({ button });
    await page.mouse.move(560, 430, { steps: 4 });
    await page.mouse.up({ button });
    await page.waitForTimeout(1000);
    const moved = await page.locator('p3r-viewport').screenshot();
    assert.ok(!moved.equals(still), `${gesture} changes nothing`);
  }
  await page.mouse.wheel(0, -400);
  await page.waitForTimeout(1000);
  await screenshot(page, 'fox-moved');
  await page.close();
});

test('reset in the middle of a frame gives the frame up without an error', {
  skip: skipWithout(VIDEO),
  timeout: 4 * MINUTES,
}, async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url);
  await choose(page, VIDEO);
  await waitForFrames(page, 1, 2 * MINUTES);
  await page.evaluate(() => window.point3r.reset());
  const now = await stats(page);
  assert.deepEqual([now.state, now.frames, now.points, now.error], ['ready', 0, 0, null]);
  await page.close();
});

test('without WebGPU a full page says which browsers have it, and nothing is downloaded', async () => {
  const plain = await launch({ webgpu: false });
  const served = running.site.requests.length;
  const page = await plain.browser.newPage();
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }));
  await page.goto(running.site.url);
  await page.getByRole('heading', { name: 'This page needs WebGPU' }).waitFor();
  await screenshot(page, 'no-webgpu');
  assert.equal(await page.locator('input[type=file]').count(), 1);
  const requested = running.site.requests.slice(served);
  assert.ok(!requested.some((path) => /\.wasm$|models\/|worker/.test(path)), `downloaded ${requested}`);
  await plain.close();
});
