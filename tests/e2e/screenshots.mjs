// Pictures of the page in its states, to be looked at: `cargo xtask screenshots [folder]`. On a desktop and on a phone, dark
// and light. A state that this build does not have is left out, with a line that says so.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { choose, launch, openPage, waitForStats } from './support/browser.mjs';
import { launchWithCamera, openTiny, press, scan } from './support/camera.mjs';
import { cameraClip } from './support/clip.mjs';
import { ROOT, shared, TINY_MODEL } from './support/paths.mjs';
import { SHOTS } from './support/shots.mjs';
import { serveSite } from './support/site.mjs';

const OUT = resolve(process.argv[2] ?? join(ROOT, 'target', 'screenshots'));
const VIDEO = shared('data/redkitchen_video/redkitchen_handheld.mp4');
const FRAMES = 6;

const DEVICES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

/** A cloud to look at: the first demo's scene where scenes can be opened, else a recording. */
async function fill(page) {
  const { demos } = await (await page.request.get(new URL('demos/index.json', page.url()).href)).json();
  const scene = await page.evaluate(
    async (path) =>
      window.point3r.open(new URL(`demos/${path}`, document.baseURI)).then(
        () => true,
        () => false,
      ),
    demos[0].scene,
  );
  if (scene) {
    await waitForStats(page, 'the scene', ({ points }) => points > 0);
    return;
  }
  await page.evaluate(() => window.point3r.dismissError());
  await reconstruct(page);
}

/** Frames with pictures, depth and pointers, from a recording or from a demo's pictures. */
async function reconstruct(page) {
  await page.evaluate(() => window.point3r.reset());
  await page.evaluate((maxFrames) => window.point3r.setSettings({ maxFrames }), FRAMES);
  if (VIDEO) {
    await choose(page, VIDEO);
  } else {
    await page.locator('[data-action=demos]:visible').first().click();
    await page.locator('p3r-demos [data-how=reconstruct]').first().click();
  }
  await waitForStats(page, 'a cloud', ({ frames, state }) => frames >= FRAMES && state === 'ready', 300_000);
}

/** A scan with the camera: running, and held. */
async function scanning(device, colorScheme, context) {
  if (clip.missing) {
    console.log(`scanning is left out: ${clip.missing}`);
    return;
  }
  const { browser, close } = await launchWithCamera(clip.path, { context: { ...context, colorScheme } });
  const { page } = await openTiny(browser, site.url);
  await scan(page, 8);
  await page.locator('p3r-camera').getByRole('button', { name: 'Depth' }).click();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(OUT, `scan-${device}-${colorScheme}.png`) });
  await press(page, 'Pause');
  await page.waitForTimeout(1000);
  await page.screenshot({ path: join(OUT, `scan-held-${device}-${colorScheme}.png`) });
  taken += 2;
  await close();
}

async function withoutWebGpu(device, colorScheme, context) {
  const { browser, close } = await launch({ webgpu: false, context: { ...context, colorScheme } });
  const { page } = await openPage(browser, 'about:blank', { wait: false });
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }));
  await page.goto(site.url);
  await page.getByRole('heading', { name: 'This page needs WebGPU' }).waitFor();
  await page.screenshot({ path: join(OUT, `error-no-webgpu-${device}-${colorScheme}.png`) });
  taken += 1;
  await close();
}

const clip = TINY_MODEL ? cameraClip() : { missing: 'POINT3R_TINY_MODEL is not set' };
const site = await serveSite();
await mkdir(OUT, { recursive: true });
let taken = 0;
for (const [device, context] of Object.entries(DEVICES)) {
  for (const colorScheme of ['dark', 'light']) {
    const { browser, close } = await launch({ context: { ...context, colorScheme } });
    const { page } = await openPage(browser, site.url);
    let holds = 'nothing';
    for (const { name, of, act } of SHOTS) {
      if (of !== holds && of !== 'nothing') {
        await (of === 'scene' ? fill : reconstruct)(page);
        holds = of;
      }
      try {
        const undo = await act(page, { device, site });
        await page.waitForTimeout(700);
        await page.screenshot({ path: join(OUT, `${name}-${device}-${colorScheme}.png`) });
        taken += 1;
        await undo?.();
      } catch (thrown) {
        console.log(`${name} (${device}, ${colorScheme}) is left out: ${String(thrown.message).split('\n')[0]}`);
        await page.keyboard.press('Escape');
      }
    }
    await close();
    await scanning(device, colorScheme, context);
    await withoutWebGpu(device, colorScheme, context);
  }
}
await site.close();
clip.remove?.();
console.log(`${taken} pictures in ${OUT}`);
