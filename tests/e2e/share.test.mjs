// Scenes in a real Chromium: opened by file and by link, shared as link, QR code and web page, embedded in another page.
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import jsQR from 'jsqr';
import { launch, openPage, screenshot, stats } from './support/browser.mjs';
import { inkShare, readPly } from './support/formats.mjs';
import { RESULTS } from './support/paths.mjs';
import { siteAndBrowser } from './support/running.mjs';
import { generator, glb, hostileFiles, hostileLinks } from './support/scenes.mjs';
import { serve } from './support/server.mjs';

/** A wavy sheet before a camera at the origin, glTF axes. */
const SHEET = Array.from({ length: 6000 }, (_, i) => {
  const [u, v] = [(i % 100) / 50 - 1, Math.floor(i / 100) / 30 - 1];
  return [u, v, -2 - 0.2 * Math.sin(4 * u)];
});

const running = siteAndBrowser((site) =>
  site.mount('/sheet/', async (name) => (name === 'sheet.glb' ? glb(SHEET) : null)),
);

const open = (page, bytes, name) =>
  page.evaluate(
    async ({ base64, name }) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const begin = performance.now();
      try {
        await window.point3r.open([new File([bytes], name)]);
        return { code: null, took: performance.now() - begin };
      } catch (error) {
        return { code: error.code, message: error.message, action: error.action, took: performance.now() - begin };
      }
    },
    { base64: bytes.toString('base64'), name },
  );

async function exported(page) {
  const base64 = await page.evaluate(async () => {
    const bytes = new Uint8Array(await (await window.point3r.export('ply')).arrayBuffer());
    let text = '';
    for (const byte of bytes) {
      text += String.fromCharCode(byte);
    }
    return btoa(text);
  });
  return readPly(Buffer.from(base64, 'base64'));
}

/** Packs the scene on screen; the answer has its bytes as base64url. */
const pack = (page, request) =>
  page.evaluate(async (request) => {
    const { bytes, ...rest } = await window.point3r.share(request);
    let text = '';
    for (const byte of bytes) {
      text += String.fromCharCode(byte);
    }
    return { ...rest, text: btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') };
  }, request);

/** How far the points of `a` are from their nearest in `b`, per axis, at most; and the other way round. */
function apart(a, b) {
  const points = (ply) => Array.from({ length: ply.count }, (_, i) => ply.point(i));
  const worst = (from, to) => {
    const cells = new Map();
    const side = 0.25;
    const key = (p) => p.map((v) => Math.floor(v / side)).join();
    for (const p of to) {
      cells.set(key(p), [...(cells.get(key(p)) ?? []), p]);
    }
    return from.reduce((most, p) => {
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 27; i++) {
        const near = [(i % 3) - 1, (Math.floor(i / 3) % 3) - 1, Math.floor(i / 9) - 1];
        for (const q of cells.get(key(p.map((v, axis) => v + near[axis] * side))) ?? []) {
          least = Math.min(least, Math.max(...p.map((v, axis) => Math.abs(v - q[axis]))));
        }
      }
      return Math.max(most, least);
    }, 0);
  };
  return [worst(points(a), points(b)), worst(points(b), points(a))];
}

/** The scene made by a page of its own, to be used by other tests. */
async function sheetLink(budget) {
  const { page } = await openPage(running.chrome.browser, `${running.site.url}?scene=/sheet/sheet.glb`);
  const view = { eye: [0.5, -0.4, -0.6], target: [0, 0, 2] };
  const shared = await pack(page, { budget, title: 'A sheet', viewpoint: view });
  const ply = await exported(page);
  await page.close();
  return { ...shared, ply, view };
}

test('a linked GLB is on screen before any model is asked for, and PLY and GLB open by drop', async () => {
  const { page, complaints } = await openPage(running.chrome.browser, 'about:blank', { wait: false });
  const asked = [];
  page.on('request', (request) => asked.push(request.url().slice(running.site.url.length)));
  await page.goto(`${running.site.url}?scene=/sheet/sheet.glb&view=0,0,-1,0,0,2`);
  await page.waitForFunction(() => window.point3r);
  await page.evaluate(() => window.point3r.ready);
  assert.equal((await stats(page)).points, SHEET.length);
  await page.waitForTimeout(1000);
  assert.ok(inkShare(await page.locator('p3r-viewport').screenshot()) > 0.02, 'the sheet is drawn');
  assert.deepEqual(
    asked.filter((path) => path.startsWith('models/')),
    [],
    'no model was asked for',
  );
  const { eye, target } = await page.evaluate(() => window.point3r.viewpoint());
  assert.ok(Math.abs(eye[2] + 1) < 1e-3 && Math.abs(target[2] - 2) < 1e-3, 'the view of the link is taken');

  // What was opened has no pictures to replay: there is nothing to take back.
  assert.ok(await page.locator('p3r-toolbar [data-action=undo]').isDisabled());
  assert.equal(await page.evaluate(() => window.point3r.undo().catch(({ code }) => code)), 'bad-request');
  assert.equal((await stats(page)).points, SHEET.length);
  await page.evaluate(() => window.point3r.dismissError());

  assert.equal((await open(page, glb(SHEET.slice(0, 500)), 'other.glb')).code, null);
  assert.equal((await stats(page)).points, 500);
  const text =
    'ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\n';
  assert.equal((await open(page, Buffer.from(`${text}0 0 1\n1 0 1\n`), 'two.ply')).code, null);
  assert.equal((await exported(page)).count, 2);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a share link opened in a fresh profile shows the same cloud, within half a voxel', async () => {
  for (const budget of [1500, 12_000]) {
    const { text, voxel, points, ply, view } = await sheetLink(budget);
    const fresh = await launch();
    try {
      const asked = [];
      const { page, complaints } = await openPage(fresh.browser, 'about:blank', { wait: false });
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(`${running.site.url}#s=${text}`);
      await page.waitForFunction(() => window.point3r);
      await page.evaluate(() => window.point3r.ready);
      const copy = await exported(page);
      assert.equal(copy.count, points);
      const [forth, back] = apart(ply, copy);
      console.log(`${text.length} characters: ${points} points, voxel ${voxel.toFixed(4)}, off by ${forth.toFixed(4)}`);
      assert.ok(Math.max(forth, back) <= voxel / 2 + 1e-4, `${forth} and ${back} with voxels of ${voxel}`);
      const found = await page.evaluate(() => window.point3r.viewpoint());
      const off = [...found.eye, ...found.target].map((v, i) => Math.abs(v - [...view.eye, ...view.target][i]));
      assert.ok(Math.max(...off) < 1e-3, 'the view came with it');
      assert.ok(
        asked.every((address) => address.startsWith(running.site.url) && !address.includes('models/default')),
        'nothing but the page itself was asked for',
      );
      assert.deepEqual(complaints, []);
    } finally {
      await fresh.close();
    }
  }
});

test('the dialog makes links of the size it says, a readable QR code, and a page that opens without a network', {
  timeout: 120_000,
}, async () => {
  const { page, complaints } = await openPage(running.chrome.browser, `${running.site.url}?scene=/sheet/sheet.glb`);
  await page.getByRole('button', { name: 'Share' }).click();
  const dialog = page.locator('p3r-share');
  const ready = () => page.waitForFunction(() => !document.querySelector('p3r-share .primary').disabled);
  const link = () => dialog.locator('textarea').first().inputValue();
  await ready();
  await dialog.locator('input[type=text]').fill('My </script> & "room"');
  for (const [size, most] of [
    ['chat', 16_384],
    ['mail', 131_072],
    ['large', 1_048_576],
    ['qr', 2953],
  ]) {
    await dialog.locator('select').selectOption(size);
    await ready();
    assert.ok((await link()).length <= most, `${size}: ${(await link()).length} characters`);
    assert.ok((await link()).startsWith(`${running.site.url}#s=`));
  }
  const { data, width, height } = await dialog.locator('canvas').evaluate((canvas) => {
    const { width, height } = canvas;
    return { data: [...canvas.getContext('2d').getImageData(0, 0, width, height).data], width, height };
  });
  assert.equal(jsQR(Uint8ClampedArray.from(data), width, height)?.data, await link());
  await screenshot(page, 'share-qr');

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download as a web page' }).click(),
  ]);
  const file = join(RESULTS, 'offline.html');
  await writeFile(file, await readFile(await download.path()));
  assert.ok((await stat(file)).size < 5_000_000);
  assert.deepEqual(complaints, []);
  await page.close();

  const offline = await launch({ webgpu: false });
  try {
    await offline.browser.setOffline(true);
    const asked = [];
    const viewer = await openPage(offline.browser, 'about:blank', { wait: false });
    viewer.page.on('request', (request) => asked.push(request.url()));
    await viewer.page.goto(pathToFileURL(file).href);
    await viewer.page.waitForFunction(() => window.point3rScene);
    assert.equal(await viewer.page.title(), 'My </script> & "room"');
    assert.ok((await viewer.page.evaluate(() => window.point3rScene.count)) > 5000);
    await viewer.page.waitForTimeout(500);
    assert.ok(inkShare(await screenshot(viewer.page, 'share-offline')) > 0.02, 'the scene is drawn');
    const before = await viewer.page.evaluate(() => window.point3rViewer.viewpoint());
    await viewer.page.locator('canvas').press('ArrowLeft');
    const after = await viewer.page.evaluate(() => window.point3rViewer.viewpoint());
    assert.notDeepEqual(after, before, 'the keys turn the view');
    assert.deepEqual(asked, [pathToFileURL(file).href], 'the page asks for nothing');
    assert.deepEqual(viewer.complaints, []);
  } finally {
    await offline.close();
  }
});

test('packing a large scene gives way to everything else, and stops when nobody wants it', {
  timeout: 120_000,
}, async () => {
  const { page } = await openPage(running.chrome.browser, `${running.site.url}?scene=/sheet/sheet.glb`);
  const seen = await page.evaluate(async (count) => {
    const header = `ply\nformat binary_little_endian 1.0\nelement vertex ${count}\n${['x', 'y', 'z']
      .map((axis) => `property float ${axis}\n`)
      .join('')}end_header\n`;
    const positions = new Float32Array(3 * count);
    for (let i = 0; i < count; i++) {
      const [u, v] = [(i % 1000) / 500 - 1, Math.floor(i / 1000) / 500 - 1];
      positions.set([u, v, 2 + 0.2 * Math.sin(4 * u) + 0.1 * Math.sin(9 * v)], 3 * i);
    }
    const { point3r } = window;
    await point3r.open([new File([header, positions], 'large.ply')]);
    const budget = 700_000;
    const pack = () =>
      point3r.share({ budget }).then(
        ({ points }) => points,
        ({ code }) => code,
      );
    // Calls that are answered while it packs.
    let answered = 0;
    let done = false;
    const whole = pack().finally(() => {
      done = true;
    });
    while (!done) {
      await point3r.stats();
      answered += done ? 0 : 1;
    }
    const first = pack();
    await point3r.stats();
    const second = pack();
    const third = pack();
    await point3r.stats();
    await point3r.cancelShare();
    return {
      answered,
      points: await whole,
      outdated: await Promise.all([first, second, third]),
      error: (await point3r.stats()).error,
    };
  }, 1_000_000);
  console.log(`${seen.answered} calls were answered while ${seen.points} points were packed`);
  assert.ok(seen.answered >= 20, `${seen.answered} calls were answered meanwhile`);
  assert.ok(seen.points > 100_000);
  assert.deepEqual(seen.outdated, ['cancelled', 'cancelled', 'cancelled']);
  assert.equal(seen.error, null, 'who cancels needs no error');
  assert.ok((await pack(page, { budget: 6000 })).points > 1000);

  // The dialog: what was asked first is given up for the size chosen since, and all of it once it is closed.
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  const dialog = page.locator('p3r-share');
  await dialog.locator('select').selectOption('large');
  await dialog.locator('select').selectOption('qr');
  await page.waitForFunction(() => !document.querySelector('p3r-share .primary').disabled);
  assert.ok((await dialog.locator('textarea').first().inputValue()).length <= 2953);
  await dialog.locator('select').selectOption('large');
  await page.keyboard.press('Escape');
  assert.equal((await stats(page)).error, null);
  assert.ok(await page.locator('p3r-alert').isHidden());
  await page.close();
});

test('without WebGPU a shared scene still opens, compact or GLB', async () => {
  const { text } = await sheetLink(6000);
  const chrome = await launch({ webgpu: false });
  try {
    for (const rest of [`#s=${text}`, '?scene=/sheet/sheet.glb']) {
      const { page } = await openPage(chrome.browser, running.site.url + rest, { wait: false });
      await page.locator('.small-page canvas').waitFor({ timeout: 30_000 });
      await page.waitForTimeout(500);
      assert.ok(inkShare(await screenshot(page, 'share-without-webgpu')) > 0.02, rest);
      await page.close();
    }
  } finally {
    await chrome.close();
  }
});

test('an embedded page answers the pages that its address lists, and no other', async () => {
  const { text, points } = await sheetLink(6000);
  const host = await serve(RESULTS, {
    '/host.html': async () =>
      Buffer.from('<!doctype html><meta charset="utf-8"><iframe width="800" height="500"></iframe>'),
  });
  const origin = new URL(host.url).origin;
  try {
    const { page } = await openPage(running.chrome.browser, `${host.url}host.html`, { wait: false });
    await page.evaluate(() => {
      window.heard = [];
      window.addEventListener('message', ({ data, origin }) => window.heard.push({ ...data, origin }));
      let next = 0;
      window.ask = (message) =>
        new Promise((resolve) => {
          const id = ++next;
          window.addEventListener('message', ({ data }) => data.id === id && resolve(data));
          document.querySelector('iframe').contentWindow.postMessage({ ...message, id }, '*');
        });
    });
    const show = async (allowed) => {
      await page.evaluate(
        (address) => {
          document.querySelector('iframe').src = address;
        },
        `${running.site.url}?embed=1&origin=${encodeURIComponent(allowed)}#s=${text}`,
      );
    };
    await show(origin);
    await page.waitForFunction(() => window.heard.some(({ point3r }) => point3r === 'scene'), null, {
      timeout: 20_000,
    });
    const scene = await page.evaluate(() => window.heard.find(({ point3r }) => point3r === 'scene'));
    assert.deepEqual([scene.title, scene.points, scene.origin], ['A sheet', points, new URL(running.site.url).origin]);
    const view = { eye: [1, -1, -1], target: [0, 0, 2] };
    const ask = (message) => page.evaluate((message) => window.ask(message), message);
    assert.equal((await ask({ point3r: 'look', viewpoint: view })).value, null);
    const { value } = await ask({ point3r: 'viewpoint' });
    assert.ok([...value.eye, ...value.target].every((v, i) => Math.abs(v - [...view.eye, ...view.target][i]) < 1e-4));
    assert.equal((await ask({ point3r: 'look', viewpoint: { eye: [0, 0], target: 'x' } })).error.code, 'bad-request');
    assert.equal((await ask({ point3r: 'open', address: 'javascript:alert(1)' })).error.code, 'link-refused');
    assert.equal((await ask({ point3r: 'export' })).error.code, 'bad-request');
    const opened = await page.evaluate(
      async (base64) =>
        window.ask({ point3r: 'open', bytes: Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer }),
      glb(SHEET.slice(0, 300)).toString('base64'),
    );
    assert.equal(opened.value, null, JSON.stringify(opened));
    await screenshot(page, 'share-embedded');

    await page.evaluate(() => {
      window.heard = [];
    });
    await show('https://someone-else.example');
    await page.frameLocator('iframe').locator('.small-page canvas').waitFor();
    const silent = await page.evaluate(() =>
      Promise.race([
        window.ask({ point3r: 'viewpoint' }),
        new Promise((resolve) => setTimeout(() => resolve('silence'), 1500)),
      ]),
    );
    assert.equal(silent, 'silence');
    assert.deepEqual(await page.evaluate(() => window.heard), []);
    await page.close();
  } finally {
    await host.close();
  }
});

test('a link to another site asks first, and nothing is fetched when the answer is no', async () => {
  const { page } = await openPage(running.chrome.browser, 'about:blank', { wait: false });
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${running.site.url}?scene=${encodeURIComponent('https://elsewhere.example/room.glb')}`);
  const question = page.locator('p3r-question dialog');
  await question.getByText('elsewhere.example').waitFor({ timeout: 20_000 });
  await screenshot(page, 'share-question');
  await question.getByRole('button', { name: 'Do not load' }).click();
  await page.locator('p3r-alert code').getByText('link-refused').waitFor();
  assert.deepEqual(
    asked.filter((address) => address.includes('elsewhere')),
    [`${running.site.url}?scene=https%3A%2F%2Felsewhere.example%2Froom.glb`],
  );
  await page.close();
});

test('210 hostile files and links end in a named error, at once and in bounded memory', {
  timeout: 240_000,
}, async () => {
  const seed = 20;
  const random = generator(seed);
  const { text } = await sheetLink(4000);
  const { page } = await openPage(running.chrome.browser, running.site.url);
  const before = await stats(page);
  let slowest = 0;
  for (const [i, bytes] of hostileFiles(160, Buffer.from(text, 'base64url'), random).entries()) {
    const answer = await open(page, bytes, `hostile-${i}.bin`);
    assert.match(
      String(answer.code),
      /^(scene-damaged|scene-too-large|scene-empty|unsupported-file)$/,
      `file ${i} of seed ${seed}: ${JSON.stringify(answer)}`,
    );
    assert.ok(answer.message.length > 10 && answer.action.length > 10);
    slowest = Math.max(slowest, answer.took);
  }
  const after = await stats(page);
  const grown = (after.wasmBytes - before.wasmBytes) / 2 ** 20;
  console.log(`160 files: ${Math.round(slowest)} ms at most, memory grew by ${grown.toFixed(1)} MiB`);
  assert.ok(grown < 256, `${grown} MiB`);
  assert.equal(after.state, 'ready');
  assert.equal((await open(page, glb(SHEET), 'good.glb')).code, null, 'the engine still works');
  await page.close();

  // Links are opened embedded: the same readers and rules, without starting an engine each time.
  const embedded = await openPage(running.chrome.browser, 'about:blank', { wait: false });
  const foreign = [];
  embedded.page.on('request', (request) => {
    if (!request.url().startsWith(running.site.url)) {
      foreign.push(request.url());
    }
  });
  for (const [i, rest] of hostileLinks(50, random).entries()) {
    const [query, hash] = rest.startsWith('#') ? ['', rest] : [`&${rest.slice(1)}`, ''];
    await embedded.page.goto('about:blank');
    await embedded.page.goto(`${running.site.url}?embed=1${query}${hash}`);
    const note = embedded.page.locator('.small-note.is-error');
    await note.waitFor({ timeout: 10_000 }).catch(() => assert.fail(`link ${i} of seed ${seed}: ${rest.slice(0, 90)}`));
    const code = await note.getAttribute('data-code');
    assert.match(code, /^(scene-damaged|scene-too-large|link-refused|network|unsupported-file)$/, rest.slice(0, 90));
  }
  assert.deepEqual(foreign, [], 'nothing was asked of other sites');
  await embedded.page.close();
});
