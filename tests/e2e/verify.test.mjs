// The network inside Chromium against the reference tensors of the tiny golden: on the processor and through WebGPU.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openPage } from './support/browser.mjs';
import { tinyGolden } from './support/paths.mjs';
import { serveSite } from './support/site.mjs';

let site;
let chrome;
before(async () => {
  site = await serveSite();
  chrome = await launch();
});
after(async () => {
  await chrome?.close();
  await site?.close();
});

for (const device of ['cpu', 'gpu']) {
  const skip = tinyGolden() ? false : 'the tiny golden is absent (set POINT3R_SHARED)';
  test(`the tiny golden is met in the page on ${device}`, { skip, timeout: 600_000 }, async () => {
    const { page } = await openPage(chrome.browser, `${site.url}?device=${device}`);
    assert.equal((await page.evaluate(() => window.point3r.stats())).device.slice(0, 3), device);
    const report = await page.evaluate(() => window.point3r.verify('golden/tiny/'));
    console.log(device, JSON.stringify(report).slice(0, 2000));
    assert.equal(report.passed, true);
    await page.close();
  });
}
