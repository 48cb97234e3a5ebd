// Looking at the scene through the page's own controls: what is switched shows on the canvas, and nothing is computed again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, openPage, screenshot, stats, waitForFrames, waitForStats } from './support/browser.mjs';
import { inkShare, readPly } from './support/formats.mjs';
import { TINY_MODEL } from './support/paths.mjs';
import { openPattern } from './support/pattern.mjs';
import { siteAndBrowser } from './support/running.mjs';

const FRAMES = 5;
const options = {
  skip: TINY_MODEL ? false : 'there is no model small enough (POINT3R_TINY_MODEL names its folder)',
  timeout: 300_000,
};

const running = siteAndBrowser();
let page;
let complaints;

test('there is a scene to look at', options, async () => {
  ({ page, complaints } = await openPage(running.chrome.browser, `${running.site.url}?device=cpu`));
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));
  await openPattern(page, FRAMES);
  await waitForFrames(page, FRAMES, 240_000);
  await waitForStats(page, 'the end', ({ state }) => state === 'ready');
  await page.evaluate(() => window.point3r.view.set({ edl: 0 }));
});

const view = () => page.evaluate(() => window.point3r.view.settings);
const viewState = () => page.evaluate(() => window.point3r.view.state());

/** The canvas, once it has come to rest. */
async function canvas(of = page) {
  let last = null;
  for (let i = 0; i < 20; i += 1) {
    await of.waitForTimeout(250);
    const now = await of.locator('p3r-viewport canvas').screenshot();
    if (last?.equals(now)) {
      return now;
    }
    last = now;
  }
  return last;
}

async function slide(label, value) {
  await page.locator('p3r-view').getByRole('slider', { name: label }).fill(String(value));
}

test('each colour mode shows another picture, with the ends of its scale', options, async () => {
  const seen = [];
  const panel = page.locator('p3r-view');
  for (const colour of ['rgb', 'depth', 'confidence', 'frame', 'height']) {
    await panel.getByLabel('Colour by').selectOption(colour);
    const shot = await canvas();
    assert.ok(inkShare(shot) > 0.02, `${colour}: nothing is drawn`);
    assert.ok(!seen.some((other) => other.equals(shot)), `${colour} looks like another mode`);
    seen.push(shot);
    const legend = panel.locator('.legend');
    assert.equal(await legend.isVisible(), colour !== 'rgb');
    if (colour !== 'rgb') {
      const ends = await legend.locator('span:not(.ramp)').allTextContents();
      assert.ok(ends.every((text) => /\d/.test(text)) && ends[0] !== ends[1], `${colour}: ${ends}`);
    }
    await screenshot(page, `view-${colour}`);
  }
  await panel.getByLabel('Colour by').selectOption('rgb');
  assert.ok((await canvas()).equals(seen[0]), 'back to the picture');
});

test('sliders and switches act at once and without a new frame', options, async () => {
  const { frames, points } = await stats(page);
  const plain = await canvas();
  const changes = {
    pointSize: () => slide('Point size', 6),
    edl: () => slide('Shading of edges', 0.6),
    attenuation: () => page.getByLabel('Shrink with distance').uncheck(),
    cameras: () => page.getByLabel('Camera path', { exact: true }).uncheck(),
    thumbnails: () => page.getByLabel('Pictures in the cameras').check(),
    background: async () => {
      const { background } = await view();
      const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
      assert.equal(background, 'auto');
      await page.getByRole('combobox', { name: 'Background' }).selectOption(dark ? 'light' : 'dark');
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    await change();
    assert.ok(!(await canvas()).equals(plain), `${name} changes nothing`);
    await screenshot(page, `view-${name}`);
    await page.getByRole('button', { name: 'Reset these' }).click();
    await page.evaluate(() => window.point3r.view.set({ edl: 0 }));
    assert.ok((await canvas()).equals(plain), `after ${name} the view is not as before`);
  }
  const before = inkShare(plain);
  await page.getByLabel('Points', { exact: true }).uncheck();
  assert.ok(inkShare(await canvas()) < before / 2, 'points are still drawn');
  await page.getByLabel('Points', { exact: true }).check();
  await page.getByLabel('Hide points floating at edges').check();
  await page.getByLabel('Hide sky').check();
  assert.deepEqual([(await view()).hideEdges, (await view()).hideSky], [true, true]);
  await page.getByRole('button', { name: 'Reset these' }).click();
  await page.evaluate(() => window.point3r.view.set({ edl: 0 }));
  await slide('Confidence at least', 100);
  assert.ok((await view()).confidence > 40);
  await slide('Confidence at least', 0);
  assert.equal((await view()).confidence, 1);
  const now = await stats(page);
  assert.deepEqual([now.frames, now.points], [frames, points]);
});

test('the timeline shows this frame, up to here or all, and the maps of the frame', options, async () => {
  const timeline = page.locator('p3r-timeline');
  const slider = timeline.getByRole('slider');
  await page.getByLabel('Camera path', { exact: true }).uncheck();
  const all = inkShare(await canvas());
  await slider.fill('1');
  assert.deepEqual([(await view()).timeline, (await view()).frame], ['upto', 1]);
  assert.equal(await slider.getAttribute('aria-valuetext').then((text) => text.startsWith(`2 / ${FRAMES}`)), true);
  const upTo = inkShare(await canvas());
  await timeline.getByRole('radio', { name: 'This frame' }).check({ force: true });
  const only = inkShare(await canvas());
  console.log(`ink: all ${all.toFixed(3)}, up to the second ${upTo.toFixed(3)}, the second alone ${only.toFixed(3)}`);
  assert.ok(only < upTo && upTo < all && only > 0);

  await timeline.getByRole('button', { name: 'Maps' }).click();
  const maps = () =>
    timeline.locator('canvas').evaluateAll((all) => all.map((c) => [c.width, c.height, c.toDataURL()]));
  await page.waitForFunction(() => document.querySelector('p3r-timeline canvas')?.width > 0);
  await page.waitForTimeout(300);
  const second = await maps();
  assert.equal(new Set(second.map(([, , url]) => url)).size, 3, 'picture, depth and confidence differ');
  await screenshot(page, 'view-timeline');
  await slider.press('ArrowRight');
  await page.waitForTimeout(500);
  assert.notEqual((await maps())[0][2], second[0][2], 'another frame, another picture');
  assert.match(await timeline.locator('figcaption').nth(1).textContent(), /\d.*m.*\d.*m/);
  await timeline.getByRole('button', { name: 'Maps' }).click();
  await timeline.getByRole('radio', { name: 'All' }).check({ force: true });
  await page.getByLabel('Camera path', { exact: true }).check();
});

test('a click on a camera looks through it', options, async () => {
  await page.evaluate(() => window.point3r.view.fit());
  await page.waitForTimeout(300);
  const box = await page.locator('p3r-viewport').boundingBox();
  const found = await page.evaluate(async ({ width, height }) => {
    for (let y = 4; y < height; y += 5) {
      for (let x = 4; x < width; x += 5) {
        const frame = await window.point3r.view.frameAt(x, y);
        if (frame !== null) {
          return { x, y, frame };
        }
      }
    }
    return null;
  }, box);
  assert.ok(found, 'no camera is on the screen');
  await page.mouse.click(box.x + found.x, box.y + found.y);
  await page.waitForTimeout(500);
  const trajectory = await page.evaluate(async () => (await window.point3r.export('tum')).text());
  const pose = trajectory
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    [found.frame].split(' ')
    .map(Number);
  const { eye } = await viewState();
  const off = Math.hypot(...eye.map((value, i) => value - pose[i + 1]));
  assert.ok(off < 1e-3, `the eye is ${off} away from the camera`);
  await screenshot(page, 'view-through');
  await page.evaluate(() => window.point3r.view.fit());
});

test('pointers are shown by age and by what happened, with their number over time', options, async () => {
  const without = await canvas();
  const pointers = page.locator('p3r-view').getByRole('combobox', { name: 'Show pointers' });
  await pointers.selectOption('age');
  const age = await canvas();
  await screenshot(page, 'view-pointers-age');
  await pointers.selectOption('change');
  const change = await canvas();
  await screenshot(page, 'view-pointers-change');
  assert.ok(!age.equals(without) && !change.equals(without) && !age.equals(change));
  const history = await page.evaluate(() => window.point3r.view.history());
  const now = await stats(page);
  assert.equal(history.pointers.length, FRAMES);
  assert.equal(history.pointers.at(-1), now.pointers);
  for (let i = 1; i < FRAMES; i += 1) {
    assert.equal(history.pointers[i], history.pointers[i - 1] + history.added[i]);
  }
  const label = await page.locator('.chart').getAttribute('aria-label');
  assert.ok(label.endsWith(`: ${now.pointers}`), label);
  await pointers.selectOption('off');
});

test('walking moves the eye, a drag turns the head, and keys do what the help says', options, async () => {
  const start = await viewState();
  await page.locator('p3r-viewport').focus();
  await page.keyboard.down('w');
  await page.waitForTimeout(700);
  await page.keyboard.up('w');
  await page.waitForTimeout(200);
  const walked = await viewState();
  const forward = start.target.map((value, i) => value - start.eye[i]);
  const way = walked.eye.map((value, i) => value - start.eye[i]);
  const along = forward.reduce((sum, value, i) => sum + value * way[i], 0);
  assert.ok(along > 0 && Math.hypot(...way) > 1e-3, `walked ${way}`);
  await page.waitForTimeout(400);
  assert.deepEqual((await viewState()).eye, walked.eye, 'the key was let go');

  await page.getByRole('radio', { name: 'Walk' }).check({ force: true });
  await page.mouse.move(500, 400);
  await page.mouse.down();
  await page.mouse.move(560, 420, { steps: 4 });
  await page.mouse.up();
  await page.waitForTimeout(300);
  const turned = await viewState();
  assert.ok(Math.hypot(...turned.eye.map((v, i) => v - walked.eye[i])) < 1e-4, 'the eye stays');
  assert.ok(Math.hypot(...turned.target.map((v, i) => v - walked.target[i])) > 1e-3, 'the head turns');
  await page.getByRole('radio', { name: 'Orbit' }).check({ force: true });

  await page.locator('p3r-viewport').focus();
  await page.keyboard.press('2');
  assert.equal((await view()).colour, 'depth');
  await page.keyboard.press('1');
  await page.keyboard.press(',');
  assert.deepEqual([(await view()).timeline, (await view()).frame], ['upto', FRAMES - 2]);
  await page.keyboard.press('Escape');
  assert.equal((await view()).timeline, 'all');
  await page.keyboard.press('c');
  assert.equal((await view()).cameras, false);
  await page.keyboard.press('c');
  await page.keyboard.press('p');
  assert.equal((await view()).pointers, 'age');
  await page.keyboard.press('p');
  await page.keyboard.press('p');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Help' }).waitFor();
  await screenshot(page, 'view-help');
  await page.keyboard.press('m');
  assert.equal((await view()).measuring, false, 'keys are not meant for the view while a dialog is open');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Help' }).waitFor({ state: 'hidden' });
  await page.keyboard.press('f');
});

/** A place of the canvas where a point is drawn, from the right or from the left. */
const spot = (side) =>
  page.evaluate(async (side) => {
    const { width, height } = document.querySelector('p3r-viewport').getBoundingClientRect();
    for (let i = 0; i < width; i += 7) {
      for (let y = height * 0.3; y < height * 0.7; y += 11) {
        const x = side === 'right' ? width - i : i;
        const picked = await window.point3r.view.pick(x, y);
        if (picked) {
          return { x, y, ...picked };
        }
      }
    }
    return null;
  }, side);

test('two clicks measure, and the true length sets the scale of what is exported', options, async () => {
  await page.waitForTimeout(300);
  await page.getByRole('button', { name: 'Measure' }).click();
  const tool = page.locator('p3r-measure');
  assert.match(await tool.textContent(), /Click a point/);
  const box = await page.locator('p3r-viewport').boundingBox();
  const plain = await canvas();
  const [left, right] = [await spot('left'), await spot('right')];
  assert.ok(left && right, 'no points to measure');
  await page.mouse.click(box.x + left.x, box.y + left.y);
  await tool.getByText('Click the other end').waitFor();
  await page.mouse.click(box.x + right.x, box.y + right.y);
  await tool.getByText('Distance:').waitFor();
  const expected = Math.hypot(...left.position.map((value, i) => value - right.position[i]));
  const { distance, scale } = await page.evaluate(() => window.point3r.view.measurement);
  assert.ok(Math.abs(distance / expected - 1) < 1e-4 && scale === 1, `${distance}, not ${expected}`);
  assert.ok(!(await canvas()).equals(plain), 'the line is drawn');
  await screenshot(page, 'view-measure');

  const extent = async () => {
    const bytes = await page.evaluate(async () => [
      ...new Uint8Array(await (await window.point3r.export('ply')).arrayBuffer()),
    ]);
    const ply = readPly(Buffer.from(bytes));
    return Math.max(...Array.from({ length: ply.count }, (_, i) => Math.abs(ply.point(i)[2])));
  };
  const before = await extent();
  await tool.getByRole('spinbutton').fill('2.5');
  await tool.getByRole('button', { name: 'Set scale' }).click();
  await tool.getByText('Distance: 2.50 m').waitFor();
  const factor = 2.5 / expected;
  assert.ok(Math.abs((await stats(page)).scale / factor - 1) < 1e-4);
  assert.ok(Math.abs((await extent()) / before / factor - 1) < 1e-3, 'the export is not to scale');
  const refused = await page.evaluate(() =>
    window.point3r.view.setMeasuredLength(-1).then(
      () => null,
      ({ code }) => code,
    ),
  );
  assert.equal(refused, 'bad-request');
  await tool.getByRole('button', { name: 'Reset scale' }).click();
  await waitForStats(page, 'no scale', (now) => now.scale === 1);

  await page.mouse.click(box.x + box.width - 2, box.y + 2);
  await tool.getByText('There is no point there').waitFor();
  await tool.getByRole('button', { name: 'Stop measuring' }).click();
  assert.equal(await tool.isVisible(), false);
  assert.deepEqual((await page.evaluate(() => window.point3r.view.measurement)).ends, []);
});

test(
  'the meter tells what takes how much, and that points were merged when the budget was reached',
  options,
  async () => {
    const meter = page.locator('p3r-meter');
    await meter.locator('summary').click();
    const now = await stats(page);
    await page.waitForTimeout(1500);
    const shown = await meter.locator('dd').allTextContents();
    assert.ok(
      shown.includes(now.pointers.toLocaleString('en')) && shown.includes(now.points.toLocaleString('en')),
      shown.join(),
    );
    assert.ok(
      shown.some((text) => text.includes('CPU')),
      'the backend',
    );
    assert.equal(await meter.locator('.fused').isVisible(), false);
    await screenshot(page, 'view-meter');

    const budget = Math.round(now.cloudBytes * 0.6);
    await page.evaluate((cloudBudget) => window.point3r.setSettings({ cloudBudget }), budget);
    await openPattern(page, FRAMES);
    await waitForStats(page, 'frames', ({ frames, state }) => frames === FRAMES && state === 'ready', 240_000);
    const merged = await stats(page);
    assert.equal(merged.cloudBudget, budget);
    assert.ok(merged.cloudBytes <= budget && merged.voxel > 0 && merged.fusions >= 1, JSON.stringify(merged));
    await meter.locator('.fused').waitFor();
    assert.match(await meter.locator('.fused').textContent(), /one point per/);
    assert.ok(inkShare(await canvas()) > 0.02);
    await screenshot(page, 'view-merged');
    await meter.locator('summary').click();
    await page.evaluate(() => window.point3r.setSettings({ cloudBudget: 256 * 1024 * 1024 }));
  },
);

test('nothing of this was complained about', options, () => assert.deepEqual(complaints, []));

test('on a phone the panel is a sheet, nothing is cut off, and a tap measures', options, async () => {
  const phone = await launch({
    context: {
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 2,
      hasTouch: true,
      isMobile: true,
      colorScheme: 'dark',
    },
  });
  const opened = await openPage(phone.browser, `${running.site.url}?device=cpu`);
  const small = opened.page;
  await small.emulateMedia({ reducedMotion: 'reduce' });
  assert.equal((await small.evaluate(() => window.point3r.stats())).error, null);
  await small.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));
  await openPattern(small, 3);
  await waitForFrames(small, 3, 240_000);
  await waitForStats(small, 'the end', ({ state }) => state === 'ready');
  assert.equal((await stats(small)).cloudBudget, 64 * 1024 * 1024, 'phones have less');
  await canvas(small);
  await screenshot(small, 'view-phone');
  await small.evaluate(() => document.dispatchEvent(new CustomEvent('p3r-action', { detail: 'settings' })));
  await small.getByLabel('Colour by').selectOption('height');
  await canvas(small);
  await screenshot(small, 'view-phone-panel');
  const width = await small.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(width, 360);
  await small.evaluate(() => document.dispatchEvent(new CustomEvent('p3r-action', { detail: 'settings' })));
  await small.evaluate(() => window.point3r.view.set({ measuring: true }));
  const box = await small.locator('p3r-viewport').boundingBox();
  await small.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
  await small
    .locator('p3r-measure')
    .getByText(/other end|no point/)
    .waitFor();
  await screenshot(small, 'view-phone-measure');
  assert.deepEqual(opened.complaints, []);
  await phone.close();
});
