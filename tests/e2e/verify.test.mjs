// The network inside Chromium against the reference tensors of the tiny golden: on the processor and through WebGPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from './support/browser.mjs';
import { tinyGolden } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';

const running = siteAndBrowser();

for (const device of ['cpu', 'gpu']) {
  const skip = tinyGolden() ? false : 'the tiny golden is absent (set POINT3R_SHARED)';
  test(`the tiny golden is met in the page on ${device}`, { skip, timeout: 600_000 }, async () => {
    const { page } = await openPage(running.chrome.browser, `${running.site.url}?device=${device}`);
    assert.equal((await page.evaluate(() => window.point3r.stats())).device.slice(0, 3), device);
    const report = await page.evaluate(() => window.point3r.verify('golden/tiny/'));
    console.log(device, JSON.stringify(report).slice(0, 2000));
    assert.equal(report.passed, true);
    await page.close();
  });
}
