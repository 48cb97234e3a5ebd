// Chromium with WebGPU on a software adapter, and the page opened in it.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { readPly } from './formats.mjs';
import { RESULTS } from './paths.mjs';

const PLAIN = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WEBGPU = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
];

/** A browser of its own, with a fresh profile. `context` are playwright's context options (viewport, colour scheme, touch), `args` more of Chromium's. */
export async function launch({ webgpu = true, context = {}, args = [] } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'point3r-e2e-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [...PLAIN, ...(webgpu ? WEBGPU : ['--disable-features=WebGPU']), ...args],
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...context,
  });
  return {
    browser,
    async close() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Opens the page, collecting what it complains about; waits for the default model unless told not to. */
export async function openPage(browser, url, { wait = true } = {}) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  if (wait) {
    await page.waitForFunction(() => window.point3r, null, { timeout: 60_000 });
    await page.evaluate(() => window.point3r.ready);
  }
  return { page, complaints };
}

export const stats = (page) => page.evaluate(() => window.point3r.stats());

/** Gives the file input files, as a person would. */
export const choose = (page, files) => page.locator('input[type=file]').setInputFiles(files);

/** Asks for the stats until they are as wanted; `what` says what was waited for when they never are. */
export async function waitForStats(page, what, wanted, timeout = 60_000) {
  const deadline = Date.now() + timeout;
  for (;;) {
    const now = await stats(page);
    if (wanted(now)) {
      return now;
    }
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeout / 1000} s for ${what}: ${JSON.stringify(now)}`);
    }
    await page.waitForTimeout(200);
  }
}

/** Until so many frames are reconstructed; an error on the way is a failure. */
export async function waitForFrames(page, frames, timeout) {
  const now = await waitForStats(page, `${frames} frames`, (now) => now.frames >= frames || now.error, timeout);
  if (now.error) {
    throw new Error(`waiting for ${frames} frames: ${now.error.code}: ${now.error.message}`);
  }
  return now;
}

export async function screenshot(page, name) {
  await mkdir(RESULTS, { recursive: true });
  return page.screenshot({ path: join(RESULTS, `${name}.png`) });
}

/** Saves the cloud through the dialog, and reads what the browser downloads. */
export async function exportPly(page) {
  await page.locator('p3r-toolbar [data-action=export]').click();
  const dialog = page.locator('p3r-export dialog');
  await dialog.locator('input[value=ply]').check();
  const [download] = await Promise.all([page.waitForEvent('download'), dialog.locator('button[type=submit]').click()]);
  await page.keyboard.press('Escape');
  assert.equal(download.suggestedFilename(), 'cloud.ply');
  return readPly(await readFile(await download.path()));
}

/** The alert names the code, its sentence and what to do; `stats().error` says the same. */
export async function expectError(page, code) {
  const alert = page.locator('p3r-alert');
  await alert.locator('code').getByText(code, { exact: true }).waitFor({ state: 'visible', timeout: 15_000 });
  const { error } = await stats(page);
  assert.equal(error.code, code);
  assert.ok(error.message.length > 10 && error.action.length > 10, 'an error has a sentence and an action');
}
