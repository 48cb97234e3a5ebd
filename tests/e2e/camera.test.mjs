// Scanning with a camera in a real Chromium: frames flow, are held, taken back, gone on with; what a camera can do wrong
// has a name; and neither an unplugged camera, a turned phone nor a hidden page costs anything.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectError, exportPly, launch, screenshot, stats, waitForStats } from './support/browser.mjs';
import { frames, launchWithCamera, MINUTES, openTiny, press, scan, trace } from './support/camera.mjs';
import { cameraClip } from './support/clip.mjs';
import { inkShare } from './support/formats.mjs';
import { TINY_MODEL } from './support/paths.mjs';
import { serveSite } from './support/site.mjs';

const clip = TINY_MODEL ? cameraClip() : { missing: 'there is no model small enough (POINT3R_TINY_MODEL names it)' };
const options = { skip: clip.missing ?? false, timeout: 6 * MINUTES };
after(() => clip.remove?.());

let site;
before(async () => {
  site = await serveSite();
});
after(() => site?.close());

/** Stays so for a while. */
async function holds(page, milliseconds, what) {
  const first = what(await stats(page));
  await page.waitForTimeout(milliseconds);
  assert.deepEqual(what(await stats(page)), first);
  return first;
}

/** Near and far have the same colours in the camera's picture, in the maps of the timeline, and in their legends. */
async function sameColours(page) {
  const { over, map, range, facts } = await page.evaluate(async () => {
    const { point3r } = window;
    const last = (await point3r.stats()).frames - 1;
    const [over, map] = [await point3r.depth(), await point3r.view.frame(last)];
    return { over: [...over.rgba], map: [...map.depth], range: over.range, facts: map.depthRange };
  });
  // A frame may have been taken in between: then the next comparison holds.
  assert.equal(over.length, map.length);
  if (JSON.stringify(range) === JSON.stringify(facts)) {
    assert.deepEqual(over, map);
  }
  const legend = page.locator('p3r-camera').getByRole('img', { name: 'Colours of the depth' });
  assert.match(await legend.textContent(), /\d.*\d/, 'the colours have values at their ends');
}

describe('a scan', options, () => {
  let chrome;
  before(async () => {
    if (!clip.missing) {
      chrome = await launchWithCamera(clip.path);
    }
  });
  after(() => chrome?.close());

  test('of 30 frames and more is held, taken back, gone on with, and exported', options, async () => {
    const { page, complaints } = await openTiny(chrome.browser, site.url);
    await page.evaluate(() => {
      window.seen = { taken: 0, verdicts: {} };
      window.point3r.on('frame', () => window.seen.taken++);
      window.point3r.on('verdict', (verdict) => {
        window.seen.verdicts[verdict] = (window.seen.verdicts[verdict] ?? 0) + 1;
      });
    });
    await scan(page, 12);
    const camera = page.locator('p3r-camera');
    assert.ok(await camera.isVisible());
    await camera.getByRole('button', { name: 'Depth' }).click();
    await frames(page, 15);
    const overlay = await camera.locator('canvas').evaluate(({ width, height }) => [width, height]);
    assert.ok(overlay[0] > 16 && overlay[1] > 16, `the depth is ${overlay}`);
    await sameColours(page);
    await screenshot(page, 'scan-depth');

    await press(page, 'Pause');
    assert.equal((await stats(page)).state, 'paused');
    await page.waitForTimeout(1500); // the frame in work
    const held = await holds(page, 1500, (now) => now.frames);

    await press(page, 'Undo');
    await waitForStats(page, 'one frame less', (now) => now.frames === held - 1);
    const { points } = await stats(page);
    const undoTo = page.getByRole('button', { name: 'Undo to here' });
    assert.ok(!(await undoTo.isVisible()), 'nothing lies behind the last frame');
    await page.locator('p3r-timeline input[type=range]').fill('4');
    await undoTo.click();
    await waitForStats(page, 'the first five frames', (now) => now.frames === 5);
    assert.ok((await stats(page)).points < points);
    assert.equal((await stats(page)).state, 'paused');

    await press(page, 'Resume');
    await frames(page, 9);
    const before = (await stats(page)).frames;
    await camera.getByRole('button', { name: 'Undo 2 s' }).click();
    await page.waitForTimeout(300);
    const after = await stats(page);
    assert.equal(after.error, null);
    await frames(page, Math.max(before, 30));
    await press(page, 'Stop');
    const end = await waitForStats(page, 'ready', ({ state }) => state === 'ready');
    assert.equal(end.error, null);
    assert.ok(end.frames >= 30 && end.pointers > 0);
    assert.ok(!(await camera.isVisible()), 'the camera is off');
    assert.equal((await exportPly(page)).count, end.points);
    const seen = await page.evaluate(() => window.seen);
    assert.ok(seen.taken > end.frames, 'frames that were taken back are counted');
    assert.equal(seen.verdicts.take, seen.taken);
    console.log(`${end.frames} frames, ${Math.round(end.msPerFrame)} ms each, verdicts`, seen.verdicts);
    assert.ok(inkShare(await page.locator('p3r-viewport').screenshot()) > 0.005);
    await screenshot(page, 'scan-end');

    await press(page, 'Continue');
    await frames(page, end.frames + 3);
    await page.evaluate(() => window.point3r.stop());
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test('pauses while the page is hidden, and goes on by itself', options, async () => {
    const { page } = await openTiny(chrome.browser, site.url);
    await scan(page, 2);
    const hide = (hidden) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await hide(true);
    assert.equal((await stats(page)).state, 'paused');
    await page.waitForTimeout(1500);
    const held = await holds(page, 1000, (now) => now.frames);
    await hide(false);
    await frames(page, held + 2);
    await press(page, 'Pause');
    await hide(true);
    await hide(false);
    assert.equal((await stats(page)).state, 'paused', 'what the user has paused stays so');
    await page.close();
  });

  test('that is closed is there after a reload, can be continued, and deleted', options, async () => {
    const fresh = await launchWithCamera(clip.path);
    const { page } = await openTiny(fresh.browser, site.url);
    await scan(page, 8);
    await press(page, 'Pause');
    await page.waitForTimeout(1500);
    await page.evaluate(() => window.point3r.undo(2));
    await page.evaluate(() => window.point3r.view.setScale(2.5));
    const before = await trace(page);
    assert.equal(before.scale, 2.5);
    assert.ok(before.frames >= 5);
    await page.reload();
    await page.waitForFunction(() => window.point3r);
    await page.evaluate(() => window.point3r.ready);
    await page.locator('[data-notice=saved]').getByText(`, ${before.frames} frames,`).waitFor();
    await screenshot(page, 'saved-offer');
    await page.locator('[data-saved=open]').click();
    await waitForStats(page, 'the saved scan', (now) => now.frames === before.frames);
    assert.deepEqual(await trace(page), before);
    // The model of this page is another one, and trained: the file tells of the one that made the scan.
    const head = await page.evaluate(async () => (await window.point3r.export('tum')).text());
    assert.match(head, /^# untrained weights/m);
    await page.waitForTimeout(1500);
    assert.ok(inkShare(await page.locator('p3r-viewport').screenshot()) > 0.005, 'it is drawn');
    await screenshot(page, 'saved-opened');

    await press(page, 'Continue');
    await expectError(page, 'bad-request'); // the model of this page is another one
    await page.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));
    await press(page, 'Continue');
    await frames(page, before.frames + 3);
    await page.evaluate(() => window.point3r.stop());
    const after = await trace(page);
    assert.equal((await stats(page)).error, null);

    await page.reload();
    await page.waitForFunction(() => window.point3r);
    await page.evaluate(() => window.point3r.ready);
    await page.locator('[data-saved=open]').click();
    await waitForStats(page, 'the continued scan', (now) => now.frames === after.frames);
    assert.deepEqual(await trace(page), after);
    await press(page, 'Reset');
    await waitForStats(page, 'nothing', (now) => now.frames === 0);
    await page.reload();
    await page.waitForFunction(() => window.point3r);
    await page.evaluate(() => window.point3r.ready);
    await page.waitForTimeout(1000);
    assert.equal(await page.locator('[data-saved=open]').isVisible(), false, 'a scan that was reset is forgotten');
    await fresh.close();
  });

  test('on a phone', options, async () => {
    const context = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
    const phone = await launchWithCamera(clip.path, { context });
    const { page } = await openTiny(phone.browser, site.url);
    await scan(page, 6);
    await page.waitForTimeout(700);
    await screenshot(page, 'scan-phone');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, 'the page is wider than the phone');
    await phone.close();
  });
});

test('a phone that is turned during the scan goes on with pictures as the scan began', options, async () => {
  const chrome = await launch();
  const { page, complaints } = await openTiny(chrome.browser, site.url);
  // A camera whose picture turns with the screen, as phones do it.
  await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    let step = 0;
    const draw = (turned) => {
      [canvas.width, canvas.height] = turned ? [320, 240] : [240, 320];
      context.translate(canvas.width / 2, canvas.height / 2);
      // The scene stands upright in both; turned, the device was rolled to the left.
      for (let i = 0; i < 60; i++) {
        context.fillStyle = `hsl(${(i * 47) % 360} 70% ${30 + (i % 5) * 10}%)`;
        context.fillRect(((i * 53 + step * 6) % 400) - 200, ((i * 37) % 320) - 160, 30, 22);
      }
      context.setTransform(1, 0, 0, 1, 0, 0);
      step += 1;
    };
    window.turned = false;
    setInterval(() => draw(window.turned), 40);
    draw(false);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(25);
  });
  await scan(page, 4);
  const devtools = await page.context().newCDPSession(page);
  const orient = (type, angle) =>
    devtools.send('Emulation.setDeviceMetricsOverride', {
      width: 1280,
      height: 800,
      deviceScaleFactor: 1,
      mobile: false,
      screenOrientation: { type, angle },
    });
  const before = (await stats(page)).frames;
  await orient('landscapePrimary', 90);
  await page.evaluate(() => {
    window.turned = true;
  });
  const during = await frames(page, before + 5);
  assert.equal(during.error, null);
  assert.equal(await page.evaluate(() => window.point3r.cameraTurn), 90);
  await orient('portraitPrimary', 0);
  await page.evaluate(() => {
    window.turned = false;
  });
  const back = await frames(page, during.frames + 4);
  assert.equal(back.error, null);
  assert.equal(await page.evaluate(() => window.point3r.cameraTurn), 0);
  // Every frame has the shape of the first.
  const { network } = JSON.parse(await page.evaluate(async () => (await window.point3r.export('intrinsics')).text()));
  assert.ok(!network || network.height > network.width, JSON.stringify(network));
  await page.evaluate(() => window.point3r.stop());
  assert.deepEqual(complaints, []);
  await chrome.close();
});

test('a camera that does not move is told to move on, and gives a frame now and then', options, async () => {
  const chrome = await launch();
  const { page } = await openTiny(chrome.browser, site.url);
  await page.evaluate(() => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    setInterval(() => {
      for (let i = 0; i < 40; i++) {
        context.fillStyle = `hsl(${i * 47} 60% 50%)`;
        context.fillRect((i * 53) % 280, (i * 37) % 140, 30, 22);
      }
    }, 40);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(25);
    window.verdicts = [];
    window.point3r.on('verdict', (verdict) => window.verdicts.push(verdict));
  });
  await scan(page, 1);
  await page.locator('p3r-camera [data-advice]').getByText('Move on').waitFor();
  await screenshot(page, 'scan-still');
  await frames(page, 3);
  const verdicts = await page.evaluate(() => window.verdicts);
  const taken = verdicts.filter((verdict) => verdict === 'take').length;
  assert.ok(taken <= verdicts.length / 3, `${taken} of ${verdicts.length} frames were taken`);
  await chrome.close();
});

test('a camera that is unplugged pauses the scan, and Resume goes on when it is back', options, async () => {
  const chrome = await launchWithCamera(clip.path, { ask: true });
  const origin = new URL(site.url).origin;
  await chrome.browser.grantPermissions(['camera'], { origin });
  const { page } = await openTiny(chrome.browser, site.url);
  await scan(page, 4);
  const devtools = await page.context().newCDPSession(page);
  const permit = (setting) =>
    devtools.send('Browser.setPermission', { permission: { name: 'camera' }, setting, origin });
  // The browser ends the track, as when the plug is pulled.
  await permit('denied');
  await expectError(page, 'camera-ended');
  const held = await stats(page);
  assert.equal(held.state, 'paused');
  assert.ok(held.frames >= 4);
  await screenshot(page, 'error-camera-ended');
  await press(page, 'Resume');
  await expectError(page, 'camera-denied');
  assert.equal((await stats(page)).state, 'paused');
  await permit('granted');
  await press(page, 'Resume');
  await waitForStats(page, 'the scan to go on', ({ state, error }) => state === 'running' && !error);
  const on = await frames(page, held.frames + 3);
  assert.equal(on.state, 'running');
  assert.equal(on.error, null);

  await permit('denied');
  await expectError(page, 'camera-ended');
  await press(page, 'Stop');
  const end = await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  assert.equal((await exportPly(page)).count, end.points);
  await chrome.close();
});

describe('a camera that cannot be had is named, and what is on screen stays', () => {
  async function refusal(chrome, code, prepare = async () => {}) {
    const { page } = await openTiny(chrome.browser, site.url);
    await prepare(page);
    await press(page, 'Scan');
    await expectError(page, code);
    assert.equal((await stats(page)).state, 'ready');
    await screenshot(page, `error-${code}`);
    await chrome.close();
  }

  test('denied', options, async () => {
    await refusal(await launchWithCamera(clip.path, { ask: true }), 'camera-denied');
  });
  test('none', options, async () => {
    await refusal(await launch({ args: ['--use-fake-ui-for-media-stream'] }), 'camera-none');
  });
  test('in use', options, async () => {
    await refusal(await launchWithCamera(clip.path), 'camera-in-use', (page) =>
      page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('taken', 'NotReadableError'));
      }),
    );
  });
});

test('without MediaStreamTrackProcessor the frames come from a video element', options, async () => {
  const chrome = await launchWithCamera(clip.path);
  const { page, complaints } = await openTiny(chrome.browser, site.url);
  await page.evaluate(() => {
    delete window.MediaStreamTrackProcessor;
  });
  await scan(page, 5);
  await page.evaluate(() => window.point3r.stop());
  assert.deepEqual(complaints, []);
  await chrome.close();
});
