// Links that name a video or a model, and a link handed to the system, in a real Chromium.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { expectError, openPage, screenshot, stats, waitForFrames, waitForStats } from './support/browser.mjs';
import { DIST, shared, skipWithout, TINY_MODEL } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';
import { generator, glb } from './support/scenes.mjs';

const VIDEO = shared('data/redkitchen_video/redkitchen_handheld.mp4');
const OWN = 'models/default/manifest.json';
const MINUTES = 60_000;

const random = generator(3);
const POINTS = Array.from({ length: 900 }, () => [random(100) / 50 - 1, random(100) / 50 - 1, -1 - random(100) / 50]);

const running = siteAndBrowser((site) => {
  site.mount('/clips/', async (name) => {
    if (name === 'walk.mp4' && VIDEO) {
      return readFile(VIDEO);
    }
    return name === 'notes.mp4' ? Buffer.from('this is no video\n'.repeat(200)) : null;
  });
  site.mount('/room/', async (name) => (name === 'room.glb' ? glb(POINTS) : null));
});

/** Opens an address and waits until the page has done what it asks for; with every request on the way. */
async function follow(rest) {
  const { page, complaints } = await openPage(running.chrome.browser, 'about:blank', { wait: false });
  const asked = [];
  page.context().on('request', (request) => asked.push(request.url()));
  await page.goto(running.site.url + rest);
  await page.waitForFunction(() => window.point3r, null, { timeout: MINUTES });
  return { page, complaints, asked };
}

const ready = (page) => page.evaluate(() => window.point3r.ready);

/** Answers the question about the link. */
async function answer(page, host, button) {
  const question = page.locator('p3r-question dialog');
  await question.getByText(host).waitFor({ timeout: 20_000 });
  await question.getByRole('button', { name: button, exact: true }).click();
}

test('?video= of the page’s own site is reconstructed without a question', {
  skip: skipWithout(VIDEO),
  timeout: 4 * MINUTES,
}, async () => {
  const { page, complaints } = await follow('?video=/clips/walk.mp4');
  await ready(page);
  const now = await waitForFrames(page, 2, 2 * MINUTES);
  assert.ok(now.points > 0);
  assert.equal(await page.evaluate(() => window.point3r.sceneTitle), 'walk');
  await screenshot(page, 'link-video');
  await page.evaluate(() => window.point3r.stop());
  assert.deepEqual(complaints, []);
  await page.close();
});

test('?video= that is no video, is not there, or is declined, is named, and the page is usable', {
  timeout: 3 * MINUTES,
}, async () => {
  for (const [address, code] of [
    ['/clips/notes.mp4', 'unsupported-file'],
    ['/clips/absent.mp4', 'network'],
    ['javascript:alert(1)', 'link-refused'],
    ['https://elsewhere.example/walk.mp4', 'link-refused'],
  ]) {
    const { page, asked } = await follow(`?video=${encodeURIComponent(address)}`);
    await ready(page);
    if (address.startsWith('https:')) {
      await answer(page, 'elsewhere.example', 'Do not load');
    }
    await expectError(page, code);
    const { state, frames } = await stats(page);
    assert.deepEqual([state, frames], ['ready', 0], address);
    assert.ok(!(await page.locator('progress:visible').count()), `${address}: something still seems to be loading`);
    assert.deepEqual(
      asked.filter((url) => !url.startsWith(running.site.url)),
      [],
    );
    await page.close();
  }
});

test('?model= loads the model it names, and its manifest once', {
  skip: TINY_MODEL ? false : 'there is no model small enough (POINT3R_TINY_MODEL names it)',
  timeout: MINUTES,
}, async () => {
  const before = running.site.requests.length;
  const { page, complaints } = await follow('?model=/models/tiny/manifest.json');
  await ready(page);
  const asked = running.site.requests.slice(before).filter((path) => path.startsWith('/models/'));
  assert.deepEqual(
    asked.filter((path) => path.endsWith('manifest.json')),
    ['/models/tiny/manifest.json'],
    'the manifest is read once, and that of no other model',
  );
  const name = JSON.parse(await readFile(join(TINY_MODEL, 'manifest.json'))).name;
  await page.getByRole('button', { name: 'Model', exact: true }).first().click();
  await page.locator('p3r-models dialog').getByText(name).first().waitFor();
  assert.deepEqual(complaints, []);
  await page.close();
});

test('?model= that is damaged, absent or declined is named, and the page’s own model is there', {
  timeout: 3 * MINUTES,
}, async () => {
  for (const [address, code] of [
    ['/models/absent/manifest.json', 'model-not-found'],
    ['/models/nonsense/manifest.json', 'manifest-invalid'],
    ['data:application/json,{}', 'link-refused'],
    ['https://elsewhere.example/manifest.json', 'link-refused'],
  ]) {
    const { page } = await openPage(running.chrome.browser, 'about:blank', { wait: false });
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${running.site.url}?model=${encodeURIComponent(address)}`);
    if (address.startsWith('https:')) {
      await answer(page, 'elsewhere.example', 'Do not load');
    }
    await page.waitForFunction(() => window.point3r, null, { timeout: MINUTES });
    await ready(page);
    await expectError(page, code);
    assert.equal((await stats(page)).state, 'ready', address);
    const { name } = JSON.parse(await readFile(join(DIST, OWN)));
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByRole('button', { name: 'Model', exact: true }).first().click();
    await page.locator('p3r-models dialog').getByText(name).first().waitFor();
    assert.deepEqual(
      asked.filter((url) => url.startsWith('https://elsewhere')),
      [],
    );
    await page.close();
  }
});

test('the link is handed to the system where it takes links; a refusal is told, who closes it is left alone', {
  timeout: MINUTES,
}, async () => {
  const { page } = await openPage(running.chrome.browser, 'about:blank', { wait: false });
  await page.addInitScript(() => {
    window.sent = [];
    window.refusal = null;
    navigator.share = async (what) => {
      window.sent.push(what);
      if (window.refusal) {
        throw new DOMException('no', window.refusal);
      }
    };
  });
  await page.goto(`${running.site.url}?scene=/room/room.glb`);
  await page.waitForFunction(() => window.point3r);
  await ready(page);
  await waitForStats(page, 'the scene', ({ points }) => points === POINTS.length);
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  const dialog = page.locator('p3r-share');
  await dialog.locator('input[type=text]').fill('A room');
  const send = dialog.getByRole('button', { name: 'Send with …' });
  const settled = () => page.waitForFunction(() => !document.querySelector('p3r-share .primary').disabled);
  await settled();
  await dialog.locator('select').selectOption('qr');
  await settled();
  const link = await dialog.locator('textarea').first().inputValue();
  assert.ok(link.startsWith(`${running.site.url}#s=`));
  await screenshot(page, 'share-send');

  const told = dialog.getByText('The system did not take the link');
  await send.click();
  assert.deepEqual(await page.evaluate(() => window.sent), [{ title: 'A room', url: link }]);
  for (const [refusal, isTold] of [
    ['AbortError', false],
    ['NotAllowedError', true],
  ]) {
    await page.evaluate((refusal) => {
      window.refusal = refusal;
    }, refusal);
    await send.click();
    assert.equal(await page.evaluate(() => window.sent.length), isTold ? 3 : 2);
    assert.equal(await told.isVisible(), isTold, refusal);
  }
  await page.close();
});
