// Every export of the page, downloaded in a real Chromium and read by readers of its own.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import validator from 'gltf-validator';
import { readColmap, readGlb, readNpy, readZip } from './support/archive.mjs';
import { openPage, screenshot, stats, waitForFrames, waitForStats } from './support/browser.mjs';
import { inkShare, readMesh, readPly, readPng } from './support/formats.mjs';
import { MOCK, TINY_MODEL } from './support/paths.mjs';
import { endGpuProcesses, WITHOUT_PROC } from './support/processes.mjs';
import { siteAndBrowser } from './support/running.mjs';

const FRAMES = 4;
const missing = TINY_MODEL && !MOCK ? false : 'there is no model small enough (POINT3R_TINY_MODEL names its folder)';
const running = siteAndBrowser();

/** Pictures drawn here: a gradient with a moving square. */
async function scan(page) {
  await page.evaluate(async (frames) => {
    const files = [];
    for (let i = 0; i < frames; i++) {
      const canvas = new OffscreenCanvas(192, 144);
      const context = canvas.getContext('2d');
      const gradient = context.createLinearGradient(0, 0, 192, 144);
      gradient.addColorStop(0, '#204080');
      gradient.addColorStop(1, '#e0a040');
      context.fillStyle = gradient;
      context.fillRect(0, 0, 192, 144);
      context.fillStyle = '#30c060';
      context.fillRect(40 + 8 * i, 50, 50, 40);
      files.push(new File([await canvas.convertToBlob()], `${i}.png`, { type: 'image/png' }));
    }
    await window.point3r.loadModel('/models/tiny/manifest.json');
    const run = await window.point3r.open(files);
    await run.finished;
  }, FRAMES);
  return waitForFrames(page, FRAMES, 60_000);
}

/** Chooses a format in the dialog, sets options by name and saves: the file as it was downloaded. */
async function save(page, format, options = {}) {
  const dialog = page.locator('p3r-export dialog');
  if (!(await dialog.evaluate((element) => element.open))) {
    await page.locator('p3r-toolbar [data-action=export]').click();
  }
  await dialog.locator(`input[value="${format}"]`).check();
  for (const [name, value] of Object.entries(options)) {
    const field = dialog.locator(`[data-option=${name}] :is(input, select)`);
    await ((await field.evaluate((element) => element.localName)) === 'select'
      ? field.selectOption(value)
      : field.fill(value));
  }
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: 180_000 }),
    dialog.locator('button[type=submit]').click(),
  ]);
  await dialog.locator('progress').waitFor({ state: 'hidden' });
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

describe('exports', { skip: missing, timeout: 600_000 }, () => {
  let page;
  let complaints;
  let counts;

  before(async () => {
    ({ page, complaints } = await openPage(running.chrome.browser, running.site.url));
    counts = await scan(page);
  });
  after(() => page?.close());

  test('PLY holds every point, and twice the lengths at twice the scale', async () => {
    const { name, bytes } = await save(page, 'ply');
    await screenshot(page, 'export-dialog');
    const ply = readPly(bytes);
    assert.equal(name, 'cloud.ply');
    assert.equal(ply.count, counts.points);
    const large = readPly((await save(page, 'ply', { scale: '2' })).bytes);
    for (const i of [0, ply.count >> 1, ply.count - 1]) {
      assert.deepEqual(
        large.point(i),
        ply.point(i).map((v) => Math.fround(2 * v)),
      );
    }
    await page.locator('p3r-export [data-option=scale] input').fill('1');
  });

  test('a GLB scene is a container with what it announces', async () => {
    const scene = readGlb((await save(page, 'glb')).bytes);
    assert.ok(scene.json.nodes.filter(({ name }) => name.startsWith('camera')).length === FRAMES);
    const points = scene.json.accessors[scene.json.meshes[0].primitives[0].attributes.POSITION];
    assert.equal(points.count, counts.points);
  });

  test('what the view hides is left out, unless it is wanted', async () => {
    // The dialog takes over what is shown whenever it is opened.
    await page.keyboard.press('Escape');
    await page.evaluate(() => window.point3r.view.set({ hideEdges: true, confidence: 1.5 }));
    const fewer = readPly((await save(page, 'ply')).bytes).count;
    assert.ok(fewer < counts.points, `${fewer} of ${counts.points}`);
    const dialog = page.locator('p3r-export dialog');
    assert.ok(await dialog.getByLabel('Leave out points floating at edges').isChecked());
    assert.equal(await dialog.getByLabel('Confidence at least').inputValue(), '1.5');
    await dialog.getByLabel('Leave out points floating at edges').uncheck();
    await dialog.getByLabel('Confidence at least').fill('1');
    assert.equal(readPly((await save(page, 'ply')).bytes).count, counts.points);
    await dialog.locator('input[value=tum]').check();
    assert.ok(await dialog.getByLabel('Leave out sky').isHidden(), 'a path has no points');
    await page.keyboard.press('Escape');
    await page.evaluate(() => window.point3r.view.set({ hideEdges: false, confidence: 1 }));
  });

  test('COLMAP and nerfstudio archives hold cameras, poses and pictures of every frame', async () => {
    const colmap = readZip((await save(page, 'colmap')).bytes);
    const { camera, names, points } = readColmap(colmap);
    assert.equal(names.length, FRAMES);
    assert.equal(camera.model, 1);
    assert.ok(points > 0 && points <= counts.points);
    for (const name of names) {
      const { width, height } = readPng(colmap.get(`images/${name}`));
      assert.deepEqual([width, height], [camera.width, camera.height]);
    }
    const files = readZip((await save(page, 'nerfstudio')).bytes);
    const transforms = JSON.parse(files.get('transforms.json').toString());
    assert.equal(transforms.frames.length, FRAMES);
    for (const { file_path, depth_file_path, transform_matrix } of transforms.frames) {
      assert.ok(files.has(file_path) && files.has(depth_file_path));
      assert.equal(transform_matrix.flat().length, 16);
    }
    assert.match(transforms.comments.join(), /untrained/);
    assert.ok(readPly(files.get(transforms.ply_file_path)).count > 0);
  });

  test('depth maps come as PNG or arrays, trajectory and camera as text', async () => {
    const files = readZip((await save(page, 'maps', { maps: 'both' })).bytes);
    const shapes = [...files].filter(([name]) => name.endsWith('.npy')).map(([, bytes]) => readNpy(bytes).join());
    assert.equal(shapes.length, 2 * FRAMES);
    assert.equal(new Set(shapes).size, 1);
    const poses = (await save(page, 'tum')).bytes
      .toString()
      .split('\n')
      .filter((line) => /^\d/.test(line));
    assert.deepEqual(
      poses,
      files
        .get('trajectory.tum')
        .toString()
        .split('\n')
        .filter((line) => /^\d/.test(line)),
    );
    assert.equal(poses.length, FRAMES);
    const camera = JSON.parse((await save(page, 'intrinsics')).bytes.toString());
    assert.equal(camera.focalByFrame.length, FRAMES);
  });

  test('a picture is the view at the size asked for', async () => {
    const { name, bytes } = await save(page, 'picture', { height: '720' });
    const { width, height } = readPng(bytes);
    assert.deepEqual([name, width, height], ['view.png', 1280, 720]);
    assert.ok(inkShare(bytes) > 0.002, `only ${inkShare(bytes)} is drawn`);
  });

  test('a turntable video plays for as long as asked, and the first frame is not the middle one', async () => {
    const file = await page.evaluate(async () => {
      const file = await window.point3r.export('turntable', { seconds: 1, width: 320, height: 180 });
      const video = document.createElement('video');
      video.src = URL.createObjectURL(file);
      video.muted = true;
      const shot = async (time) => {
        video.currentTime = time;
        await new Promise((resolve, reject) => {
          video.onseeked = resolve;
          video.onerror = () => reject(new Error(video.error?.message));
        });
        const canvas = new OffscreenCanvas(320, 180);
        const context = canvas.getContext('2d');
        context.drawImage(video, 0, 0);
        return [...context.getImageData(0, 0, 320, 180).data];
      };
      const [first, middle] = [await shot(0.01), await shot(0.5)];
      const different = first.filter((v, i) => Math.abs(v - middle[i]) > 30).length;
      return { name: file.name, type: file.type, width: video.videoWidth, duration: video.duration, different };
    });
    console.log(file);
    assert.match(file.name, /^turntable\.(mp4|webm)$/);
    assert.equal(file.width, 320);
    assert.ok(Math.abs(file.duration - 1) < 0.1 && file.different > 50);
  });

  test('an export is cancelled by its button, and the next one is made', async () => {
    const dialog = page.locator('p3r-export dialog');
    await dialog.locator('input[value=turntable]').check();
    await dialog.locator('[data-option=seconds] input').fill('60');
    await dialog.locator('button[type=submit]').click();
    await dialog.locator('p[role=status]').getByText('Turntable').waitFor();
    await screenshot(page, 'export-progress');
    await dialog.locator('button', { hasText: 'Cancel' }).click();
    await dialog.locator('progress').waitFor({ state: 'hidden' });
    assert.equal((await stats(page)).error, null, 'who cancels is told no error');
    const codes = await page.evaluate(async () => {
      const of = (work) =>
        work.then(
          () => 'made',
          (error) => error.code,
        );
      const first = of(window.point3r.export('turntable', { seconds: 60 }));
      const second = await of(window.point3r.export('colmap'));
      await window.point3r.cancelExport();
      return [await first, second];
    });
    assert.deepEqual(codes, ['cancelled', 'busy']);
    await page.evaluate(() => window.point3r.dismissError());
    assert.equal((await save(page, 'tum')).name, 'trajectory.tum');
  });

  test('wrong options are one named error', async () => {
    const codes = await page.evaluate(() => {
      const of = (format, options) =>
        window.point3r.export(format, options).then(
          () => 'made',
          (error) => error.code,
        );
      return Promise.all([of('pdf'), of('ply', { scale: -1 }), of('picture', { width: 5 })].map((work) => work));
    });
    assert.ok(
      codes.every((code) => ['bad-request', 'busy'].includes(code)),
      codes.join(),
    );
    await page.evaluate(() => window.point3r.dismissError());
    assert.deepEqual(complaints, []);
  });

  test('with the graphics device gone, files are still made', { skip: WITHOUT_PROC }, async () => {
    assert.ok(endGpuProcesses() > 0);
    await waitForStats(page, 'the engine to come back or stay lost', ({ state }) => state !== 'running');
    const kept = await page.evaluate(async () => {
      const sizes = {};
      for (const format of ['ply', 'glb', 'colmap', 'maps', 'nerfstudio']) {
        sizes[format] = await window.point3r.export(format).then(
          ({ size }) => size,
          (error) => error.code,
        );
      }
      return sizes;
    });
    console.log('after the loss', kept);
    assert.ok(
      Object.values(kept).every((size) => size > 1000),
      JSON.stringify(kept),
    );
  });
});

test('the default model’s depth of a demo becomes a mesh that other readers take', {
  skip: MOCK ? 'there is no model' : false,
  timeout: 300_000,
}, async () => {
  const { page, complaints } = await openPage(running.chrome.browser, `${running.site.url}?device=cpu`);
  await page.evaluate(() => window.point3r.setSettings({ maxFrames: 6 }));
  await page.locator('p3r-toolbar [data-action=demos]').click();
  await page.locator('p3r-demos').getByRole('button', { name: 'Reconstruct its pictures' }).first().click();
  await waitForFrames(page, 6, 200_000);
  await waitForStats(page, 'ready', ({ state }) => state === 'ready');
  const { name, bytes } = await save(page, 'mesh-glb');
  assert.equal(name, 'mesh.glb');
  const { issues } = await validator.validateBytes(new Uint8Array(bytes));
  assert.deepEqual([issues.numErrors, issues.numWarnings], [0, 0], JSON.stringify(issues.messages.slice(0, 5)));
  const { json, binary } = readGlb(bytes);
  const [primitive] = json.meshes[0].primitives;
  const indices = json.accessors[primitive.indices];
  const position = json.accessors[primitive.attributes.POSITION];
  assert.ok(indices.count > 3 * 1000 && indices.count % 3 === 0, `${indices.count / 3} triangles`);
  const { byteOffset } = json.bufferViews[indices.bufferView];
  const used = new Set();
  for (let i = 0; i < indices.count; i++) {
    used.add(binary.readUInt32LE(byteOffset + 4 * i));
  }
  assert.equal(used.size, position.count, 'every vertex is one of a triangle, and no other');
  assert.ok(Math.max(...used) < position.count);

  // The same surface as PLY, in the scan's own axes, among the points it was fused from.
  const mesh = readMesh((await save(page, 'mesh-ply')).bytes);
  assert.deepEqual([mesh.vertices.length, mesh.triangles.length], [position.count, indices.count / 3]);
  assert.ok(mesh.triangles.flat().every((corner) => corner >= 0 && corner < mesh.vertices.length));
  const cloud = readPly((await save(page, 'ply')).bytes);
  const points = Array.from({ length: cloud.count }, (_, i) => cloud.point(i));
  const middle = (list, axis) => list.map((p) => p[axis]).sort((a, b) => a - b)[list.length >> 1];
  const extent = (axis) => {
    const sorted = points.map((p) => p[axis]).sort((a, b) => a - b);
    return sorted[Math.floor(0.98 * sorted.length)] - sorted[Math.floor(0.02 * sorted.length)];
  };
  for (const axis of [0, 1, 2]) {
    const off = Math.abs(middle(mesh.vertices, axis) - middle(points, axis));
    assert.ok(off < 0.25 * extent(axis), `axis ${axis}: the surface is ${off} from the points`);
  }
  await page.keyboard.press('Escape');
  assert.deepEqual(complaints, []);
  await page.close();
});
