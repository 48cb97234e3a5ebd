// After the first visit the page needs no network; a newer version waits until it is asked for.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { choose, launch, openPage, stats, waitForFrames } from './support/browser.mjs';
import { DIST, MOCK, shared, skipWithout } from './support/paths.mjs';
import { serve } from './support/server.mjs';

const FOX = shared('data/fox_portrait/images');
const MINUTE = 60_000;

/** A pretended next version: the service worker lists a file with another hash, which this is. */
const NEXT = Buffer.from('// the next version\n');
let nextIsOut = false;
let nextWorker;

before(async () => {
  const { createHash } = await import('node:crypto');
  const worker = await readFile(join(DIST, 'sw.js'), 'utf8');
  const integrity = `sha256-${createHash('sha256').update(NEXT).digest('base64')}`;
  nextWorker = Buffer.from(worker.replace(/("url":"theme\.js","integrity":")[^"]*/, `$1${integrity}`));
  assert.ok(nextWorker.includes(integrity));
});

const site = () =>
  serve(DIST, {
    '/sw.js': async () => (nextIsOut ? nextWorker : null),
    '/theme.js': async () => (nextIsOut ? NEXT : null),
  });

/** Until the page is controlled, all its files are kept. */
const workerReady = (page) =>
  page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated', null, { timeout: MINUTE });

test('with the server gone the page opens, loads its model and reconstructs', {
  skip: MOCK || skipWithout(FOX),
  timeout: 3 * MINUTE,
}, async () => {
  const served = await site();
  const { browser, close } = await launch();
  const { page, complaints } = await openPage(browser, served.url);
  await workerReady(page);
  await served.close();
  await page.goto(`${served.url}?again=1`);
  await page.waitForFunction(() => window.point3r, null, { timeout: MINUTE });
  await page.evaluate(() => window.point3r.ready);
  await choose(page, `${FOX}/0001.jpg`);
  const { points, error } = await waitForFrames(page, 1, MINUTE);
  assert.ok(points > 0);
  assert.equal(error, null);
  // The browser itself complains that the manifest could not be fetched; the page does not.
  assert.deepEqual(
    complaints.filter((text) => !text.includes('ERR_CONNECTION_REFUSED')),
    [],
  );
  await close();
});

test('a model is downloaded once', { skip: MOCK, timeout: 2 * MINUTE }, async () => {
  const served = await site();
  const { browser, close } = await launch();
  const { page } = await openPage(browser, served.url);
  const weights = () => served.requests.filter((path) => path.endsWith('.safetensors')).length;
  const first = weights();
  assert.ok(first > 0);
  await page.reload();
  await page.waitForFunction(() => window.point3r);
  await page.evaluate(() => window.point3r.ready);
  assert.equal(weights(), first);
  await close();
  await served.close();
});

test('a newer version is offered, and used when asked for', { timeout: 2 * MINUTE }, async () => {
  const served = await site();
  const { browser, close } = await launch();
  const { page } = await openPage(browser, served.url);
  await workerReady(page);
  const kept = () =>
    page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('point3r-page-')));
  const [before] = await kept();
  assert.ok(!(await page.locator('[data-notice=update]').isVisible()));
  nextIsOut = true;
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  const useNow = page.getByRole('button', { name: 'Use it now' });
  await useNow.waitFor({ timeout: MINUTE });
  assert.equal(
    await page.evaluate(async () => (await fetch('theme.js')).text()).then((text) => text === String(NEXT)),
    false,
  );
  await Promise.all([page.waitForEvent('load'), useNow.click()]);
  await page.waitForFunction(() => window.point3r, null, { timeout: MINUTE });
  await page.evaluate(() => window.point3r.ready);
  assert.equal(await page.evaluate(async () => (await fetch('theme.js')).text()), String(NEXT));
  const after = await kept();
  assert.equal(after.length, 1, 'the old version is gone');
  assert.notEqual(after[0], before);
  assert.equal((await stats(page)).error, null);
  nextIsOut = false;
  await close();
  await served.close();
});
