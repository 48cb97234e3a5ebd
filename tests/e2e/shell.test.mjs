// The page around the reconstruction: usable with keyboard and screen reader, dark and light, on phones, its models.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { expectAccessible } from './support/axe.mjs';
import {
  choose,
  expectError,
  launch,
  openPage,
  screenshot,
  stats,
  waitForFrames,
  waitForStats,
} from './support/browser.mjs';
import { launchWithCamera, openTiny, press, scan } from './support/camera.mjs';
import { cameraClip } from './support/clip.mjs';
import { MOCK, shared, skipWithout, TINY_MODEL } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';

const FOX = shared('data/fox_portrait/images');
const MINUTE = 60_000;
const PHONE = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const running = siteAndBrowser();
const clip = TINY_MODEL ? cameraClip() : { missing: 'POINT3R_TINY_MODEL is not set' };
after(() => clip.remove?.());

/** The states of a dialog besides the one it opens in. */
const inDialog = {
  async share(page, name) {
    const ready = () => page.waitForFunction(() => !document.querySelector('p3r-share .primary').disabled);
    await ready();
    await expectAccessible(page, 'dialog: share, with a link');
    await page.locator('p3r-share select').selectOption('qr');
    await ready();
    await page.locator('p3r-share canvas').waitFor();
    await page.locator('p3r-share summary').click();
    await expectAccessible(page, 'dialog: share, with a QR code and what to embed');
    await screenshot(page, `axe-share-${name}`);
  },
  async export(page, name) {
    const dialog = page.locator('p3r-export');
    for (const format of await dialog.locator('input[type=radio]').all()) {
      await format.check();
      await expectAccessible(page, `dialog: export, ${await format.inputValue()}`);
    }
    // A file takes a while, or fails: said within the dialog.
    await dialog.locator('input[value=mesh-glb]').check();
    await dialog.getByLabel('Confidence at least').fill('4000');
    await dialog.locator('button[type=submit]').click();
    await dialog.getByRole('status').getByText('no surface').waitFor();
    await expectAccessible(page, 'dialog: export, failed');
    await screenshot(page, `axe-export-${name}`);
  },
};

for (const [device, context] of [
  ['a desktop', {}],
  ['a phone', PHONE],
]) {
  for (const colorScheme of ['dark', 'light']) {
    test(`no accessibility violation on ${device}, ${colorScheme}, in any main state`, {
      skip: skipWithout(FOX),
      timeout: 4 * MINUTE,
    }, async () => {
      const { browser, close } = await launch({ context: { ...context, colorScheme } });
      const { page } = await openPage(browser, running.site.url);
      const checkDialog = async (action) => {
        await page.locator(`[data-action=${action}]:visible`).first().click();
        await page.locator(`p3r-${action} dialog[open]`).waitFor();
        await expectAccessible(page, `dialog: ${action}`);
        await inDialog[action]?.(page, `${device.replace('a ', '')}-${colorScheme}`);
        await page.keyboard.press('Escape');
        await page.locator(`p3r-${action} dialog`).waitFor({ state: 'hidden' });
      };
      await expectAccessible(page, 'empty');
      await checkDialog('demos');
      await choose(page, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text\n'.repeat(50)) });
      await expectError(page, 'unsupported-file');
      await expectAccessible(page, 'error');
      await page.getByRole('button', { name: 'Dismiss' }).click();
      await page.evaluate(() => window.point3r.setSettings({ maxFrames: 2 }));
      await choose(
        page,
        ['0001', '0004'].map((name) => `${FOX}/${name}.jpg`),
      );
      await waitForFrames(page, 1, MINUTE);
      await expectAccessible(page, 'running');
      await waitForStats(page, 'ready', ({ state }) => state === 'ready');
      await expectAccessible(page, 'with a cloud');
      const panel = page.locator('p3r-panel');
      if (await panel.isHidden()) {
        await page.locator('p3r-menu [data-action=settings]').click();
      }
      for (const tab of await panel.getByRole('tab').all()) {
        await tab.click();
        await expectAccessible(page, `panel: ${await tab.textContent()}`);
      }
      await panel.getByRole('button', { name: 'Close the panel' }).click();
      for (const action of ['models', 'help', 'export', 'share']) {
        await checkDialog(action);
      }
      await close();
    });
  }
}

test('no accessibility violation while scanning, held, and with a scan left by an earlier visit', {
  skip: clip.missing ?? false,
  timeout: 4 * MINUTE,
}, async () => {
  const { browser, close } = await launchWithCamera(clip.path, { context: PHONE });
  const { page } = await openTiny(browser, running.site.url);
  await scan(page, 3);
  await expectAccessible(page, 'scanning');
  await press(page, 'Pause');
  await expectAccessible(page, 'held');
  await page.reload();
  await page.waitForFunction(() => window.point3r);
  await page.evaluate(() => window.point3r.ready);
  await expectAccessible(page, 'the next visit');
  await close();
});

test('on phones the camera’s picture, the memory meter and the bars do not cover one another', {
  skip: clip.missing ?? false,
  timeout: 4 * MINUTE,
}, async () => {
  const { browser, close } = await launchWithCamera(clip.path, { context: PHONE });
  const { page } = await openTiny(browser, running.site.url);
  await page.setViewportSize({ width: 390, height: 844 });
  await scan(page, 2);
  for (const [width, height] of [
    [360, 640],
    [390, 844],
    [844, 390],
    [1024, 768],
    [1280, 800],
  ]) {
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(300);
    await screenshot(page, `scanning-${width}x${height}`);
    // What a finger would hit in the middle of each.
    const covered = await page.evaluate(() =>
      ['p3r-meter summary', 'p3r-camera video', '[data-camera=undo]', 'p3r-timeline input[type=range]']
        .map((selector) => ({ selector, element: document.querySelector(selector) }))
        .filter(({ element }) => {
          const { left, top, width, height } = element.getBoundingClientRect();
          const inside = left >= 0 && top >= 0 && left + width <= innerWidth && top + height <= innerHeight;
          const hit = document.elementFromPoint(left + width / 2, top + height / 2);
          return !inside || !hit || !(element.contains(hit) || hit.contains(element) || hit.closest('.camera-picture'));
        })
        .map(({ selector }) => selector),
    );
    assert.deepEqual(covered, [], `${width} x ${height}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.equal(overflow, 0, `${width} x ${height}: wider than the screen`);
    await page.locator('p3r-meter summary').click();
    await screenshot(page, `scanning-meter-${width}x${height}`);
    await page.locator('p3r-meter summary').click();
  }
  await close();
});

test('every button can be hit by a finger on a phone, and nothing is wider than the screen', {
  timeout: 2 * MINUTE,
}, async () => {
  const { browser, close } = await launch({ context: PHONE });
  const { page } = await openPage(browser, running.site.url);
  await page.locator('p3r-menu [data-action=settings]').click();
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('button, .button, select, summary')]
      .map((element) => ({ text: element.ariaLabel ?? element.textContent, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0 && (box.width < 43.5 || box.height < 43.5))
      .map(({ text, box }) => `${text}: ${Math.round(box.width)} x ${Math.round(box.height)}`),
  );
  assert.deepEqual(small, []);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(overflow, 0);
  await close();
});

test('the colours follow the system until one is chosen, and the choice is remembered', async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url, { wait: false });
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await back();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await back();
  assert.notEqual(dark, light);
  const theme = page.locator('p3r-menu [data-theme-choice]');
  await theme.click();
  await theme.click();
  assert.equal(await theme.getAttribute('aria-label'), 'Colours: light');
  assert.equal(await back(), light);
  await page.reload();
  assert.equal(await back(), light);
  await theme.click();
  assert.equal(await back(), dark, 'the system’s colours again');
  await page.close();
});

test('by keyboard alone: tabs of the panel by arrows, a dialog by Enter and Escape, focus returns', async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url);
  await page.locator('p3r-menu [data-action=models]').focus();
  await page.keyboard.press('Enter');
  await page.locator('p3r-models dialog[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('p3r-models dialog').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.action), 'models');
  const tabs = page.getByRole('tab');
  if ((await tabs.count()) > 1) {
    await tabs.first().focus();
    await page.keyboard.press('ArrowRight');
    assert.equal(await tabs.nth(1).getAttribute('aria-selected'), 'true');
  }
  await page.close();
});

test('the first visit shows three steps, the next one after "Got it" none', async () => {
  const { browser, close } = await launch();
  const { page } = await openPage(browser, running.site.url);
  const steps = page.locator('p3r-welcome .steps');
  assert.equal(await steps.locator('li').count(), 3);
  await page.getByRole('button', { name: 'Got it' }).click();
  assert.ok(await steps.isHidden());
  await page.reload();
  await page.waitForFunction(() => window.point3r);
  assert.ok(await steps.isHidden());
  await close();
});

describe('models', { skip: MOCK }, () => {
  let page;
  before(async () => {
    ({ page } = await openPage(running.chrome.browser, running.site.url));
  });

  test('the picker says size, licence and needs, and removes what is kept', async () => {
    await page.locator('p3r-menu [data-action=models]').click();
    const card = page.locator('p3r-models li').first();
    await card.waitFor();
    for (const name of ['Download', 'Licence', 'Needs', 'Parameters']) {
      assert.ok(await card.getByText(name).isVisible(), name);
    }
    assert.match(await card.textContent(), /MiB, on this device/);
    await card.getByRole('button', { name: 'Remove from this device' }).click();
    await card.getByText('on this device', { exact: false }).waitFor({ state: 'detached' });
    assert.doesNotMatch(await page.locator('p3r-models li').first().textContent(), /on this device/);
    await page.keyboard.press('Escape');
  });

  test('a dropped model folder is loaded', { skip: TINY_MODEL ? false : 'POINT3R_TINY_MODEL is not set' }, async () => {
    await page.locator('p3r-menu [data-action=models]').click();
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Open a model folder' }).click(),
    ]);
    await chooser.setFiles(TINY_MODEL);
    await page.getByText('untrained-tiny').waitFor({ state: 'attached' });
    await waitForStats(page, 'ready', ({ state }) => state === 'ready');
    assert.equal((await stats(page)).error, null);
  });

  test('a folder with a file missing is refused by name', {
    skip: TINY_MODEL ? false : 'POINT3R_TINY_MODEL is not set',
  }, async () => {
    const [manifest] = (await readdir(TINY_MODEL)).filter((name) => name === 'manifest.json');
    const { readFile } = await import('node:fs/promises');
    const text = (await readFile(join(TINY_MODEL, manifest))).toString();
    const code = await page.evaluate(
      (text) =>
        window.point3r.loadModel([new File([text], 'manifest.json')]).then(
          () => null,
          (error) => error.code,
        ),
      text,
    );
    assert.equal(code, 'model-not-found');
    await expectError(page, 'model-not-found');
  });
});
