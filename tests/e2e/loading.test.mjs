// How a model arrives: over connections that break, from servers without ranges, without room, without a place to keep
// it; once only; and not at all where it does not fit, unless the user says so.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { expectError, launch, openPage, screenshot, stats } from './support/browser.mjs';
import { beforeWorker, looseFolder } from './support/loose.mjs';
import { DIST, MOCK, TINY_MODEL } from './support/paths.mjs';
import { serveSite } from './support/site.mjs';

const MINUTE = 60_000;
const URL_OF_MODEL = 'models/loose/manifest.json';
const skip = MOCK || (TINY_MODEL ? false : 'POINT3R_TINY_MODEL is not set');
const options = { skip, timeout: 3 * MINUTE };

let site;
let chrome;
let page;
let loose;
let whole;

/** The code of the error, or the name of the model. */
const load = (from = URL_OF_MODEL) =>
  page.evaluate(
    (url) =>
      window.point3r.loadModel(url).then(
        () => '',
        (error) => error.code,
      ),
    from,
  );

const note = () => page.locator('[data-notice=note]').textContent();

/** A page of another origin would have other storage: a new one here has the same, unless it is emptied. */
async function reopen(query = '?device=cpu') {
  await page?.close();
  ({ page } = await openPage(chrome.browser, site.url + query));
}

async function empty() {
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    await root.removeEntry('models', { recursive: true }).catch(() => {});
    await caches.delete('point3r-models');
  });
}

/** The service worker would answer with the worker's script as it is deployed. */
async function unregister() {
  await page.evaluate(async () => {
    for (const registration of await navigator.serviceWorker.getRegistrations()) {
      await registration.unregister();
    }
    for (const name of await caches.keys()) {
      await caches.delete(name);
    }
  });
}

before(async () => {
  if (skip) {
    return;
  }
  site = await serveSite();
  loose = looseFolder(TINY_MODEL);
  site.mount('/models/loose/', loose);
  const { shards } = JSON.parse(await readFile(join(TINY_MODEL, 'manifest.json'), 'utf8'));
  whole = shards[0].bytes;
  chrome = await launch();
});
after(async () => {
  await chrome?.close();
  await site?.close();
});
beforeEach(async () => {
  if (!skip) {
    await reopen();
    await empty();
    await reopen();
    loose.reset();
  }
});

describe('a download', () => {
  test('that breaks again and again goes on where it broke, and the next visit asks for nothing', options, async () => {
    const cut = Math.ceil(whole / 5);
    loose.reset({ cut });
    assert.equal(await load(), '');
    const ranges = loose.requests.map(({ range }) => range);
    assert.equal(ranges.length, 5);
    assert.equal(ranges[0], '');
    assert.ok(ranges.slice(1).every((range, i) => Number(/^bytes=(\d+)-$/.exec(range)[1]) <= cut * (i + 1)));
    await reopen();
    loose.reset({ status: 500 });
    assert.equal(await load(), '');
    assert.deepEqual(loose.requests, []);
  });

  test('that fails is named, and goes on where it broke on the next visit', options, async () => {
    loose.reset({ cut: Math.ceil(whole / 2), cuts: 1 });
    const asked = load();
    await page.waitForFunction(() => window.point3r.stats().then(({ state }) => state === 'loading'));
    // Not from the request on: its answer may not have been decided on yet.
    while (loose.behaviour.cuts > 0) {
      await page.waitForTimeout(20);
    }
    loose.behaviour.status = 503;
    assert.equal(await asked, 'network');
    await expectError(page, 'network');
    assert.equal((await stats(page)).state, 'ready');
    await reopen();
    loose.reset();
    assert.equal(await load(), '');
    assert.equal(loose.requests.length, 1);
    assert.match(loose.requests[0].range, /^bytes=\d{5,}-$/);
  });

  test('from a server without ranges begins anew', options, async () => {
    loose.reset({ cut: Math.ceil(whole / 2), cuts: 2, ranges: false });
    assert.equal(await load(), '');
    assert.equal(loose.requests.length, 3);
  });

  test('whose first part was another file is done again from its beginning', options, async () => {
    loose.reset({
      cut: Math.ceil(whole / 2),
      cuts: 1,
      spoil: (_name, bytes) => (loose.requests.length === 1 ? bytes.map((byte) => byte ^ 1) : bytes),
    });
    assert.equal(await load(), 'shard-damaged');
    assert.equal(loose.requests.length, 2);
    // Nothing of it was kept: the next attempt asks for all of it.
    loose.reset();
    assert.equal(await load(), '');
    assert.deepEqual(
      loose.requests.map(({ range }) => range),
      [''],
    );
  });

  test('of a part that was damaged on the device is done again', options, async () => {
    assert.equal(await load(), '');
    await reopen();
    await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('models');
      for await (const [name, handle] of folder.entries()) {
        if (name.endsWith('.weights')) {
          const writable = await handle.createWritable({ keepExistingData: true });
          await writable.write({ type: 'write', position: 100_000, data: new Uint8Array(64).fill(7) });
          await writable.close();
        }
      }
    });
    loose.reset();
    assert.equal(await load(), '');
    assert.equal(loose.requests.length, 1);
  });

  test('that is damaged, or shorter than announced, is named', options, async () => {
    loose.reset({ spoil: (name, bytes) => (name.endsWith('.json') ? bytes : bytes.map((byte) => byte ^ 1)) });
    assert.equal(await load(), 'shard-damaged');
    loose.reset({ spoil: (name, bytes) => (name.endsWith('.json') ? bytes : bytes.subarray(0, -100)) });
    assert.equal(await load(), 'shard-truncated');
    assert.equal((await stats(page)).state, 'ready');
  });
});

describe('the place for models', () => {
  test('without room: the model is used, not kept, and the page says so', options, async () => {
    const devtools = await chrome.browser.newCDPSession(page);
    const origin = new URL(site.url).origin;
    const { usage } = await page.evaluate(() => navigator.storage.estimate());
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + whole / 2 });
    assert.equal(await load(), '');
    assert.match(await note(), /no room to keep it/);
    await screenshot(page, 'model-not-kept');
    loose.reset();
    assert.equal(await load(), '');
    assert.equal(loose.requests.length, 1, 'it was not kept');
    await devtools.send('Storage.overrideQuotaForOrigin', { origin });
    loose.reset();
    assert.equal(await load(), '');
    loose.reset();
    assert.equal(await load(), '');
    assert.deepEqual(loose.requests, [], 'with room it is kept');
  });

  const refuse = (what) => `${what} = () => Promise.reject(new DOMException('private', 'SecurityError'));`;
  const noFiles = refuse('StorageManager.prototype.getDirectory');

  test('without private files is the browser’s cache', options, async () => {
    site.mount('/assets/', beforeWorker(noFiles));
    await unregister();
    await reopen();
    assert.equal(await load(), '');
    await reopen();
    loose.reset();
    assert.equal(await load(), '');
    assert.deepEqual(loose.requests, []);
    site.mount('/assets/', beforeWorker(''));
  });

  test('without any, as in private windows: the model is used and the page says so', options, async () => {
    site.mount('/assets/', beforeWorker(noFiles + refuse('CacheStorage.prototype.open')));
    await unregister();
    await reopen();
    assert.equal(await load(), '');
    assert.match(await note(), /keeps nothing/);
    loose.reset();
    assert.equal(await load(), '');
    assert.equal(loose.requests.length, 1);
    site.mount('/assets/', beforeWorker(''));
  });
});

describe('a model that does not fit', () => {
  const choice = (value) => page.locator(`p3r-question button[data-choice=${value}]`);

  async function needing(needs) {
    const manifest = JSON.parse(await readFile(join(TINY_MODEL, 'manifest.json'), 'utf8'));
    manifest.needs = { ...manifest.needs, ...needs };
    site.mount('/models/large/', async (name) =>
      name === 'manifest.json' ? Buffer.from(JSON.stringify(manifest)) : readFile(join(TINY_MODEL, name)),
    );
  }

  test('is not downloaded before the user has chosen', options, async () => {
    await needing({ gpu_mib: 9000 });
    const asked = load('models/large/manifest.json');
    await page.getByText('This model may be too large').waitFor();
    await screenshot(page, 'model-too-large');
    assert.ok(!site.requests.some((path) => path.startsWith('/models/large/') && path.endsWith('.safetensors')));
    await page.getByRole('button', { name: 'Do not load it' }).click();
    assert.equal(await asked, 'model-too-large');
    await expectError(page, 'model-too-large');
    assert.equal((await stats(page)).state, 'ready');
  });

  test('is loaded all the same when asked for, or another is chosen', options, async () => {
    await needing({ gpu_mib: 9000 });
    const asked = load('models/large/manifest.json');
    await choice('anyway').click();
    assert.equal(await asked, '');
    const again = load('models/large/manifest.json');
    await choice('smaller').click();
    assert.equal(await again, 'model-too-large');
    await page.locator('p3r-models dialog[open]').waitFor();
  });

  test('a graphics device with small buffers: computed on the processor when the user says so', options, async () => {
    const limit = 'get: () => 128 << 20';
    const limits = ['maxStorageBufferBindingSize', 'maxBufferSize'].map(
      (name) => `Object.defineProperty(GPUSupportedLimits.prototype, '${name}', { ${limit} });`,
    );
    site.mount('/assets/', beforeWorker(limits.join('\n')));
    await unregister();
    await page.close();
    const manifest = JSON.parse(await readFile(join(DIST, 'models', 'default', 'manifest.json'), 'utf8'));
    manifest.needs.max_binding_mib = 200;
    site.mount('/models/default/manifest.json', async () => Buffer.from(JSON.stringify(manifest)));
    const before = site.requests.length;
    ({ page } = await openPage(chrome.browser, `${site.url}?device=gpu`, { wait: false }));
    // The page's own model is asked for first.
    const question = page.locator('p3r-question dialog');
    assert.match(await question.textContent(), /a buffer of this graphics device 128 MiB at most/);
    assert.ok(!site.requests.slice(before).some((path) => path.endsWith('.safetensors')));
    await choice('cpu').click();
    await page.evaluate(() => window.point3r.ready);
    const now = await stats(page);
    assert.deepEqual([now.device, now.state, now.error], ['cpu', 'ready', null]);
    assert.equal(await load(), '', 'and the next model is loaded without a question');
    site.mount('/assets/', beforeWorker(''));
    site.mount('/models/default/manifest.json', async () => null);
  });
});
