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

/** Positions, poses and pointers: what must be the same for two reconstructions to be the same. */
export async function trace(page) {
  return page.evaluate(async () => {
    const END = 'end_header\n';
    // Comments speak of the model that is loaded, which need not be the one that made the scan.
    const digest = async (blob) => {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      const text = new TextDecoder('latin1').decode(bytes);
      const header = text.startsWith('ply') ? text.indexOf(END) + END.length : text.length;
      const lines = text.slice(0, header).split('\n');
      const plain = lines.filter((line) => !line.startsWith('#') && !line.startsWith('comment'));
      const hash = await crypto.subtle.digest(
        'SHA-256',
        await new Blob([plain.join('\n'), bytes.subarray(header)]).arrayBuffer(),
      );
      return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
    };
    const { frames, points, pointers } = await window.point3r.stats();
    const [ply, tum] = [await window.point3r.export('ply'), await window.point3r.export('tum')];
    return { frames, points, pointers, ply: await digest(ply), tum: await digest(tum) };
  });
}
