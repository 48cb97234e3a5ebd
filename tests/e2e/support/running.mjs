// The built site and a browser, up for the tests of one file.
import { after, before } from 'node:test';
import { launch } from './browser.mjs';
import { serveSite } from './site.mjs';

/** `site` and `chrome` of the answer are there once tests run. */
export function siteAndBrowser() {
  const running = {};
  before(async () => {
    running.site = await serveSite();
    running.chrome = await launch();
  });
  after(async () => {
    await running.chrome?.close();
    await running.site?.close();
  });
  return running;
}
