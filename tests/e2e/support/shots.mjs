// The states of which pictures are taken, in order: what must be on screen (`of`), how to get there, how to get back.
import { choose } from './browser.mjs';

/** Long enough for what is there, short enough for what is not. */
const SOON = { timeout: 3000 };

const dialog = (name) => ({
  name: `dialog-${name}`,
  of: name === 'models' || name === 'demos' || name === 'help' ? 'nothing' : 'reconstruction',
  async act(page) {
    await page.locator(`[data-action=${name}]:visible`).first().click(SOON);
    await page.locator(`p3r-${name} dialog[open]`).waitFor(SOON);
    return () => page.keyboard.press('Escape');
  },
});

const error = (name, spoil) => ({
  name: `error-${name}`,
  of: 'nothing',
  async act(page) {
    await spoil(page);
    await page.locator('p3r-alert code').getByText(name, { exact: true }).waitFor({ timeout: 15_000 });
    return () => page.getByRole('button', { name: 'Dismiss' }).click();
  },
});

const panelTab = (name, index) => ({
  name: `panel-${name}`,
  of: 'reconstruction',
  async act(page) {
    const panel = page.locator('p3r-panel');
    const toggle = () => page.locator('p3r-menu [data-action=settings]').click();
    if ((await panel.getByRole('tab', { includeHidden: true }).count()) <= index) {
      throw new Error('there is no such tab');
    }
    const wasHidden = await panel.isHidden();
    if (wasHidden) {
      await toggle();
    }
    await panel.getByRole('tab').nth(index).click(SOON);
    return wasHidden ? toggle : undefined;
  },
});

/** A setting of the view, and back. */
const look = (name, setting, value) => ({
  name: `view-${name}`,
  of: 'reconstruction',
  async act(page) {
    const set = (wanted) =>
      page.evaluate(
        ([setting, wanted]) => {
          const control = document.querySelector(`p3r-view [name="${setting}"]`);
          if (!control) {
            throw new Error(`the view has no setting ${setting}`);
          }
          const key = control.type === 'checkbox' ? 'checked' : 'value';
          const before = control[key];
          control[key] = wanted;
          control.dispatchEvent(new Event('input', { bubbles: true }));
          control.dispatchEvent(new Event('change', { bubbles: true }));
          return before;
        },
        [setting, wanted],
      );
    const before = await set(value);
    await page.waitForTimeout(800);
    return () => set(before);
  },
});

/** The view with some of its settings changed. */
const looking = (name, change) => ({
  name: `view-${name}`,
  of: 'reconstruction',
  async act(page) {
    await page.evaluate((change) => window.point3r.view.set(change), change);
    return () =>
      page.evaluate(() => {
        window.point3r.view.reset();
        window.point3r.view.set({ timeline: 'all', measuring: false });
      });
  },
});

export const SHOTS = [
  { name: 'empty', of: 'nothing', act: async () => {} },
  {
    name: 'empty-again',
    of: 'nothing',
    act: (page) => page.getByRole('button', { name: 'Got it' }).click(SOON),
  },
  dialog('models'),
  dialog('demos'),
  dialog('help'),
  error('unsupported-file', (page) =>
    choose(page, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('not a video\n'.repeat(50)) }),
  ),
  error('model-not-found', (page) =>
    page.evaluate(() => window.point3r.loadModel('models/absent/manifest.json').catch(() => {})),
  ),
  { name: 'scene', of: 'scene', act: async () => {} },
  { name: 'cloud', of: 'reconstruction', act: async () => {} },
  looking('this-frame', { timeline: 'only', frame: 2 }),
  looking('measuring', { measuring: true }),
  {
    name: 'timeline-maps',
    of: 'reconstruction',
    async act(page) {
      const maps = page.locator('p3r-timeline').getByRole('button', { name: 'Maps' });
      await maps.click(SOON);
      await page.waitForTimeout(500);
      return () => maps.click(SOON);
    },
  },
  panelTab('first', 0),
  panelTab('second', 1),
  ...['depth', 'confidence', 'frame', 'height'].map((colour) => look(`colour-${colour}`, 'colour', colour)),
  look('frusta', 'thumbnails', true),
  look('pointers-age', 'pointers', 'age'),
  look('pointers-change', 'pointers', 'change'),
  dialog('export'),
  dialog('share'),
  {
    name: 'error-crashed',
    of: 'reconstruction',
    async act(page) {
      // The browser's own report of a trap inside the wasm.
      await page
        .workers()[0]
        .evaluate(() =>
          self.dispatchEvent(new ErrorEvent('error', { error: new WebAssembly.RuntimeError('unreachable') })),
        );
      await page.locator('p3r-alert code').getByText('crashed', { exact: true }).waitFor(SOON);
    },
  },
];
