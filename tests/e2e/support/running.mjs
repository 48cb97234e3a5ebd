// The built site and a browser, up for the tests of one file.
import { after, before } from 'node:test';
import { launch } from './browser.mjs';
import { serveSite } from './site.mjs';

/** `site` and `chrome` of the answer are there once tests run; `prepare` is given the site before they do. */
export function siteAndBrowser(prepare = () => {}) {
  const running = {};
  before(async () => {
    running.site = await serveSite();
    prepare(running.site);
    running.chrome = await launch();
  });
  after(async () => {
    await running.chrome?.close();
    await running.site?.close();
  });
  return running;
}
