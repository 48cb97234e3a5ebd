// `bench.html` computes the same as onnxruntime-web, and nothing of it is downloaded with the page.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DIST, MOCK } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';

const running = siteAndBrowser();

test('the block of every precision gives what onnxruntime-web gives on the processor', {
  skip: MOCK && 'the test double has no network',
  timeout: 180_000,
}, async () => {
  const page = await running.chrome.browser.newPage();
  await page.goto(`${running.site.url}bench.html?run=1&backend=wasm&tokens=37&rounds=1`);
  await page.waitForFunction(() => window.result, null, { timeout: 150_000 });
  const { rows, failed } = await page.evaluate(() => window.result);
  assert.deepEqual(failed, []);
  assert.deepEqual(
    rows.map(({ precision, agrees }) => [precision, agrees]),
    [
      ['f32', true],
      ['int8', true],
      ['int4', true],
    ],
  );
  for (const row of rows) {
    // Their own sums differ from ours in the last digits, and ours are what both are held to.
    assert.ok(row.theirDifference > 0 && row.theirDifference < 1e-5, JSON.stringify(row));
    assert.ok(row.ours.length === 1 && row.theirs.length === 1 && row.ratio > 0, JSON.stringify(row));
  }
  assert.equal(await page.locator('tbody tr').count(), 3);
  await page.close();
});

test('the service worker keeps nothing of the bench, and no script of the page holds the other runtime', async () => {
  const worker = await readFile(join(DIST, 'sw.js'), 'utf8');
  assert.match(worker, /"url":"index\.html"/);
  assert.doesNotMatch(worker, /bench/);
  const kept = [...worker.matchAll(/"url":"([^"]+\.js)"/g)].map(([, url]) => url);
  assert.ok(kept.length > 3);
  for (const url of kept) {
    assert.doesNotMatch(await readFile(join(DIST, url), 'utf8'), /onnxruntime|InferenceSession/, url);
  }
});
