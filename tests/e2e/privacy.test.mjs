// What the page may do is said by its headers, and what it does is watched: no request to another site, and none at all
// while frames are reconstructed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose, openPage, waitForFrames, waitForStats } from './support/browser.mjs';
import { shared, skipWithout } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';

const FOX = shared('data/fox_portrait/images');
const MINUTE = 60_000;
const running = siteAndBrowser();

test('headers and page say the same policy: no eval, nothing inline, the camera for this site alone', async () => {
  const response = await fetch(running.site.url);
  const policy = response.headers.get('content-security-policy');
  assert.ok(policy, 'no policy is served');
  assert.ok((await response.text()).includes(policy), 'the page itself carries another policy');
  const directives = new Map(policy.split('; ').map((text) => [text.split(' ')[0], text.split(' ').slice(1)]));
  assert.deepEqual(directives.get('default-src'), ["'none'"]);
  assert.deepEqual(directives.get('script-src'), ["'self'", "'wasm-unsafe-eval'"]);
  assert.deepEqual(directives.get('style-src'), ["'self'"]);
  assert.ok(!policy.includes("'unsafe-eval'") && !policy.includes("'unsafe-inline'"));
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
  const permissions = response.headers.get('permissions-policy');
  assert.match(permissions, /camera=\(self\)/);
  assert.match(permissions, /microphone=\(\)/);
  assert.match(permissions, /geolocation=\(\)/);
});

test('the policy is in force: eval and inline script do nothing', async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url, { wait: false });
  const evaluated = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.inlineRan = true';
    document.head.append(script);
    const style = document.createElement('style');
    style.textContent = 'h1 { color: rgb(1, 2, 3) }';
    document.head.append(style);
    return [window.inlineRan ?? false, getComputedStyle(document.querySelector('h1')).color === 'rgb(1, 2, 3)'];
  });
  assert.deepEqual(evaluated, [false, false]);
  await page.close();
});

test('between ready and the end of a reconstruction there is no request at all', {
  skip: skipWithout(FOX),
  timeout: 4 * MINUTE,
}, async () => {
  const { page } = await openPage(running.chrome.browser, running.site.url);
  // The service worker keeps the page's own files meanwhile; they have been here before.
  await page.waitForFunction(() => navigator.serviceWorker.controller, null, { timeout: MINUTE });
  const asked = [];
  page.context().on('request', (request) => asked.push(request.url()));
  const served = running.site.requests.length;
  await choose(
    page,
    ['0001', '0004'].map((name) => `${FOX}/${name}.jpg`),
  );
  await waitForFrames(page, 2, 3 * MINUTE);
  await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  assert.deepEqual(
    asked.filter((url) => !url.startsWith('blob:')),
    [],
  );
  assert.deepEqual(running.site.requests.slice(served), []);
  await page.close();
});
