// Runs `bench.html` in Chromium and prints its table: an encoder block in our engine and in onnxruntime-web.
// `npm run build && npm run bench -- [backend=wasm] [precision=f32,int8] [tokens=197] [rounds=9]`; `--json` for programs.
// Ends with 1 where an output differs or a case of the processor did not run.
import { launch } from './support/browser.mjs';
import { serveSite } from './support/site.mjs';

const json = process.argv.includes('--json');
const query = process.argv.slice(2).filter((argument) => argument.includes('='));

const site = await serveSite();
const chrome = await launch();
try {
  const page = await chrome.browser.newPage();
  page.on('pageerror', (error) => console.error(String(error)));
  await page.goto(`${site.url}bench.html?${['run=1', ...query].join('&')}`);
  await page.waitForFunction(() => window.result, null, { timeout: 3_600_000, polling: 500 });
  const result = await page.evaluate(() => window.result);
  if (json) {
    console.log(JSON.stringify(result));
  } else {
    print(result);
  }
  const bad = result.rows.some(({ agrees }) => !agrees) || result.failed.some(({ backend }) => backend === 'wasm');
  process.exitCode = bad || result.rows.length === 0 ? 1 : 0;
} finally {
  await chrome.close();
  await site.close();
}

function print({ rows, failed }) {
  const line = (cells) => console.log(`| ${cells.join(' | ')} |`);
  line([
    'backend',
    'weights',
    'tokens',
    'ours, ms',
    'onnxruntime-web, ms',
    'ratio',
    'least/least',
    'difference, ours / theirs',
    'their attention',
  ]);
  line(Array(9).fill('---'));
  for (const row of rows) {
    const [ours, theirs] = [Math.min(...row.ours), Math.min(...row.theirs)];
    line([
      row.backend,
      row.precision,
      row.tokens,
      row.oursMedian.toFixed(1),
      row.theirsMedian.toFixed(1),
      row.ratio.toFixed(2),
      (ours / theirs).toFixed(2),
      `${row.difference.toExponential(1)} / ${row.theirDifference.toExponential(1)}${row.agrees ? '' : ' DIFFERS'}`,
      row.attention,
    ]);
  }
  for (const { backend, precision, tokens, message } of failed) {
    console.log(`not run: ${backend} ${precision} ${tokens}: ${message}`);
  }
}
