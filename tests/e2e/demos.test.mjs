// The demonstrations: each scene opens at once, its pictures go through the network, offline too once seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, screenshot, waitForStats } from './support/browser.mjs';
import { inkShare } from './support/formats.mjs';
import { MOCK, TINY_MODEL } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';

const MINUTE = 60_000;
const running = siteAndBrowser();

async function openDemo(page, id, how) {
  await page.locator('p3r-toolbar [data-action=demos]').click();
  await page.locator(`p3r-demos img[src*="/${id}/"]`).waitFor();
  await page.locator(`p3r-demos li:has(img[src*="/${id}/"]) [data-how=${how}]`).click();
}

test('three scenes made by this project open at once, with all their points', {
  skip: MOCK,
  timeout: 3 * MINUTE,
}, async (t) => {
  const { page, complaints } = await openPage(running.chrome.browser, running.site.url);
  if (!(await page.evaluate(() => Boolean(customElements.get('p3r-share'))))) {
    t.skip('this build opens no scenes');
    return page.close();
  }
  const { demos } = await (await page.request.get(`${running.site.url}demos/index.json`)).json();
  assert.equal(demos.length, 3);
  for (const { id, points } of demos) {
    await openDemo(page, id, 'look');
    await waitForStats(page, `the points of ${id}`, (now) => now.points === points, 30_000);
    await page.waitForTimeout(1500);
    assert.ok(inkShare(await page.locator('p3r-viewport').screenshot()) > 0.05, `${id} is hardly drawn`);
    await screenshot(page, `demo-${id}`);
  }
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the pictures of a demo are reconstructed', {
  skip: TINY_MODEL ? false : 'POINT3R_TINY_MODEL is not set',
  timeout: 3 * MINUTE,
}, async () => {
  const { page } = await openPage(running.chrome.browser, `${running.site.url}?device=cpu`);
  await page.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));
  await openDemo(page, 'table', 'reconstruct');
  const now = await waitForStats(page, 'three frames', ({ frames }) => frames >= 3, 2 * MINUTE);
  assert.equal(now.error, null);
  await page.evaluate(() => window.point3r.stop());
  await page.close();
});
