// A checkpoint that is dropped on the page becomes a model that is kept on this device, and is offered again. Files that
// are no checkpoints, or hostile ones, are named and cost nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { expectAccessible } from './support/axe.mjs';
import { choose, launch, openPage, screenshot, stats, waitForFrames, waitForStats } from './support/browser.mjs';
import { networkOf, writeHostile, writePth, writeSafetensors } from './support/checkpoint.mjs';
import { MOCK, POINT3R, shared, skipWithout, TINY_MODEL } from './support/paths.mjs';
import { serveSite } from './support/site.mjs';

const MINUTE = 60_000;
const FOX = shared('data/fox_portrait/images');
const skip = MOCK || (TINY_MODEL ? false : 'POINT3R_TINY_MODEL is not set');
const options = { skip, timeout: 3 * MINUTE };

let site;
let chrome;
let page;
let folder;
const path = (name) => join(folder, name);

before(async () => {
  if (skip) {
    return;
  }
  folder = await mkdtemp(join(tmpdir(), 'point3r-checkpoint-'));
  const network = await networkOf(TINY_MODEL);
  await writePth(path('tiny.pth'), network);
  await writeSafetensors(path('tiny.safetensors'), network);
  await writeHostile(path('hostile.pth'));
  site = await serveSite();
  chrome = await launch();
  ({ page } = await openPage(chrome.browser, `${site.url}?device=cpu`));
});
after(async () => {
  await chrome?.close();
  await site?.close();
  if (folder) {
    await rm(folder, { recursive: true, force: true });
  }
});

const dialog = () => page.locator('p3r-checkpoint dialog');
const told = () => dialog().getByRole('status');

/** As the operating system drops files. */
async function drop(files) {
  const bytes = await Promise.all(
    files.map(async (name) => ({ name, base64: (await readFile(path(name))).toString('base64') })),
  );
  await page.evaluate((bytes) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of bytes) {
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    }
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, bytes);
}

async function convert(precision) {
  await dialog().locator(`input[value=${precision}]`).check();
  await dialog().getByRole('button', { name: 'Convert' }).click();
  await dialog().waitFor({ state: 'hidden', timeout: MINUTE });
  await waitForStats(page, 'the model', ({ state, error }) => state === 'ready' || error, MINUTE);
  assert.equal((await stats(page)).error, null);
}

const inUse = () => page.locator('p3r-models').evaluate((element) => element.textContent);
const filesKept = () =>
  page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('models', { create: true });
    const sizes = {};
    for await (const [name, handle] of folder.entries()) {
      sizes[name] = (await handle.getFile()).size;
    }
    return sizes;
  });
const manifests = async () => Object.keys(await filesKept()).filter((name) => name.endsWith('.manifest'));

describe('a checkpoint', () => {
  for (const [file, precision] of [
    ['tiny.pth', 'int4'],
    ['tiny.safetensors', 'int8'],
  ]) {
    test(`${file} becomes ${precision}, as the command line makes it`, options, async () => {
      await drop([file]);
      await dialog().getByRole('button', { name: 'Convert' }).waitFor();
      await expectAccessible(page, 'dialog: checkpoint');
      await screenshot(page, `checkpoint-${precision}`);
      const [, licence] = await dialog().locator('dd').allTextContents();
      assert.ok(licence.length > 0);
      await convert(precision);
      assert.match(await inUse(), new RegExp(`tiny \\(${precision}\\)`));
      if (POINT3R) {
        const out = path(`out-${precision}`);
        execFileSync(POINT3R, ['convert', path(file), '--precision', precision, '-o', out, '--json']);
        const { shards } = JSON.parse(await readFile(join(out, 'manifest.json'), 'utf8'));
        const kept = await filesKept();
        assert.ok(shards.every(({ sha256, bytes }) => kept[`${sha256}.weights`] === bytes));
      }
    });
  }

  test('runs, is offered on the next visit, and can be removed', {
    ...options,
    skip: skip || skipWithout(FOX),
  }, async () => {
    await choose(page, `${FOX}/0001.jpg`);
    assert.ok((await waitForFrames(page, 1, MINUTE)).points > 0);
    const requests = site.requests.length;
    await page.reload();
    await page.waitForFunction(() => window.point3r);
    await page.evaluate(() => window.point3r.ready);
    const notice = page.locator('[data-notice=kept-model]');
    await notice.waitFor();
    assert.match(await notice.textContent(), /tiny \(int8\)/);
    await screenshot(page, 'checkpoint-offered');
    await notice.getByRole('button', { name: 'Use it now' }).click();
    await notice.waitFor({ state: 'hidden' });
    await waitForStats(page, 'the model', ({ state }) => state === 'ready', MINUTE);
    assert.match(await inUse(), /tiny \(int8\)/);
    assert.ok(!site.requests.slice(requests).some((asked) => asked.endsWith('.safetensors')));
    await choose(page, `${FOX}/0001.jpg`);
    assert.ok((await waitForFrames(page, 1, MINUTE)).points > 0);
    await page.evaluate(() => document.dispatchEvent(new CustomEvent('p3r-action', { detail: 'models' })));
    const cards = page.locator('p3r-models li', { hasText: 'made here' });
    await cards.nth(1).waitFor();
    await screenshot(page, 'checkpoint-models');
    for (const left of [1, 0]) {
      await cards.first().getByRole('button', { name: 'Remove from this device' }).click();
      await page.waitForFunction(
        (left) =>
          [...document.querySelectorAll('p3r-models li')].filter(({ textContent }) => textContent.includes('made here'))
            .length === left,
        left,
      );
    }
    await page.keyboard.press('Escape');
    assert.equal((await manifests()).length, 1, 'the page’s own model is left');
  });

  test('whose conversion is cancelled leaves nothing after the next', options, async () => {
    const before = await manifests();
    await drop(['tiny.pth']);
    await dialog().getByRole('button', { name: 'Convert' }).click();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    assert.equal((await stats(page)).error, null);
    await drop(['tiny.pth']);
    await dialog().getByRole('button', { name: 'Convert' }).waitFor();
    await convert('int4');
    const kept = await manifests();
    assert.ok(before.every((name) => kept.includes(name)));
    // The page's own model, and this one; more where the models of the tests before are still kept.
    assert.equal(kept.length, Math.max(before.length, 2));
  });
});

describe('what is no checkpoint is named, and a scan that runs goes on', () => {
  const cases = {
    'hostile.pth': ['unsupported-file', /os\.system.*nothing was run/],
    'cut.pth': ['unsupported-file', /cut short|damaged/],
    'page.pth': ['unsupported-file', /neither/],
    'absurd.safetensors': ['unsupported-file', /header is longer/],
    'offsets.safetensors': ['unsupported-file', /./],
    'foreign.safetensors': ['tensor-shape', /./],
    'numbers.safetensors': ['damaged-file', /NaN/],
    'bits.pth': ['unsupported-file', /checksum/],
  };

  before(async () => {
    if (skip) {
      return;
    }
    const [pth, safe] = await Promise.all([readFile(path('tiny.pth')), readFile(path('tiny.safetensors'))]);
    const header = JSON.parse(safe.subarray(8, 8 + Number(safe.readBigUInt64LE(0))).toString());
    const begin = 8 + Number(safe.readBigUInt64LE(0));
    const remade = (change) => {
      const copy = structuredClone(header);
      change(copy);
      const text = Buffer.from(JSON.stringify(copy));
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([length, text, safe.subarray(begin)]);
    };
    const nan = Buffer.from(safe);
    nan.writeUInt32LE(0x7fc00000, begin + header['enc_norm.bias'].data_offsets[0]);
    const flipped = Buffer.from(pth);
    flipped[flipped.length >> 1] ^= 1;
    await writeFile(path('cut.pth'), pth.subarray(0, pth.length - 1000));
    await writeFile(path('page.pth'), '<!doctype html><title>Not found</title>');
    await writeFile(path('absurd.safetensors'), Buffer.from('\xff\xff\xff\xff\xff\xff\xff\x7f{"', 'latin1'));
    await writeFile(
      path('offsets.safetensors'),
      remade((copy) => {
        copy['enc_norm.bias'].data_offsets = [0, 2 ** 52];
      }),
    );
    await writeFile(
      path('foreign.safetensors'),
      remade((copy) => {
        copy.foreign = copy['enc_norm.bias'];
        delete copy['enc_norm.bias'];
      }),
    );
    await writeFile(path('numbers.safetensors'), nan);
    await writeFile(path('bits.pth'), flipped);
  });

  for (const [file, [code, message]] of Object.entries(cases)) {
    test(file, options, async () => {
      const workers = page.workers().length;
      const before = await stats(page);
      await drop([file]);
      const convertible = dialog().getByRole('button', { name: 'Convert' });
      await Promise.race([convertible.waitFor(), told().locator('code').waitFor()]);
      if (await convertible.isVisible()) {
        await convertible.click();
      }
      await told().locator('code').getByText(code, { exact: true }).waitFor({ timeout: MINUTE });
      assert.match(await told().textContent(), message);
      if (file === 'hostile.pth') {
        await screenshot(page, 'checkpoint-hostile');
      }
      await page.keyboard.press('Escape');
      const now = await stats(page);
      assert.deepEqual([now.state, now.points, now.error], [before.state, before.points, null]);
      assert.equal(page.workers().length, workers, 'its worker is gone');
    });
  }

  test('and a video afterwards is reconstructed', { ...options, skip: skip || skipWithout(FOX) }, async () => {
    await choose(page, `${FOX}/0004.jpg`);
    assert.ok((await waitForFrames(page, 1, MINUTE)).points > 0);
  });

  test('without room for the model the conversion is refused', options, async () => {
    const devtools = await chrome.browser.newCDPSession(page);
    const origin = new URL(site.url).origin;
    const { usage } = await page.evaluate(() => navigator.storage.estimate());
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 100_000 });
    await drop(['tiny.pth']);
    // One that is not there already: what Chromium tells of the quota is made up, only writing fails.
    await dialog().locator('input[value=f16]').check();
    await dialog().getByRole('button', { name: 'Convert' }).click();
    await told().locator('code').waitFor({ timeout: MINUTE });
    assert.match(await told().textContent(), /^storage-full/);
    await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  });
});
