// How the page loads, measured in the browser: what has been downloaded when something is first painted, when input is
// answered, what blocks it until then. The processor can be slowed down, as the usual audits do.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { launch } from './browser.mjs';
import { DIST } from './paths.mjs';

/** Runs before the page: long tasks, and the moment the first button answers. */
function watch() {
  window.loading = { blocked: 0, longest: 0, interactive: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      window.loading.blocked += Math.max(0, duration - 50);
      window.loading.longest = Math.max(window.loading.longest, duration);
    }
  }).observe({ type: 'longtask', buffered: true });
  const look = () => {
    // The elements stand and are listened to once the session is published.
    if (window.point3r) {
      window.loading.interactive = performance.now();
    } else {
      setTimeout(look, 5);
    }
  };
  look();
}

/** A cold profile; `slowdown` divides the speed of the processor for the page. */
export async function loading(url, slowdown) {
  const { browser, close } = await launch();
  try {
    const page = await browser.newPage();
    await page.addInitScript(watch);
    const devtools = await browser.newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
    await page.goto(url);
    await page.waitForFunction(() => window.point3r);
    const ready = await page.evaluate(() => window.point3r.ready.then(() => performance.now()));
    const measured = await page.evaluate(() => {
      const paint = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
      const resources = performance.getEntriesByType('resource');
      const before = resources
        .filter(({ responseEnd }) => responseEnd <= paint)
        .map(({ name }) => new URL(name).pathname);
      return { ...window.loading, paint, before };
    });
    const files = ['/index.html', ...measured.before.filter((path) => !/\.(wasm|safetensors)$/.test(path))];
    return { ...measured, ready, files, gzip: files.reduce((sum, path) => sum + gzipped(path), 0) };
  } finally {
    await close();
  }
}

function gzipped(path) {
  try {
    return gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length;
  } catch {
    return 0;
  }
}
