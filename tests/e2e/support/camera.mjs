// A browser with a fake camera, and the page with the smallest model on the processor, ready to scan.
import { launch, openPage, waitForFrames } from './browser.mjs';

export const MINUTES = 60_000;

/** Chromium whose camera shows the clip. `ask`: permission is the context's to give and to take. */
export function launchWithCamera(clip, { ask = false, context = {}, args: more = [] } = {}) {
  const args = [...more, '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${clip}`];
  return launch({ args: ask ? args : [...args, '--use-fake-ui-for-media-stream'], context });
}

export async function openTiny(browser, url, device = 'cpu') {
  const opened = await openPage(browser, `${url}?device=${device}`);
  await loadTiny(opened.page);
  return opened;
}

export const loadTiny = (page) => page.evaluate(() => window.point3r.loadModel('models/tiny/manifest.json'));

/** Presses a button of the toolbar. */
export const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** Waits until so many frames are there; an error on the way is a failure. */
export const frames = (page, count, timeout = 3 * MINUTES) => waitForFrames(page, count, timeout);

export async function scan(page, count) {
  await press(page, 'Scan');
  return frames(page, count);
}

/** Points, poses and what files say of them: what must be the same for two reconstructions to be the same. */
export async function trace(page) {
  return page.evaluate(async () => {
    const digest = async (blob) => {
      const hash = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    const { frames, points, pointers, scale } = await window.point3r.stats();
    const [ply, tum] = [await window.point3r.export('ply'), await window.point3r.export('tum')];
    return { frames, points, pointers, scale, ply: await digest(ply), tum: await digest(tum) };
  });
}
