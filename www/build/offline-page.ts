// Builds the page that a scene is downloaded as: the small viewer, its style and a place for the scene in one HTML file.
// `import page from 'virtual:offline-page'` gives its text with `%TITLE%` and `%SCENE%` still to be filled in.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const ID = 'virtual:offline-page';
const here = (path: string): string => fileURLToPath(new URL(`../src/viewer/${path}`, import.meta.url));

export function offlinePage(): Plugin {
  let page: Promise<string> | null = null;
  return {
    name: 'offline-page',
    resolveId: (id) => (id === ID ? `\0${ID}` : null),
    async load(id) {
      if (id !== `\0${ID}`) {
        return null;
      }
      page ??= makePage();
      return `export default ${JSON.stringify(await page)};`;
    },
  };
}

/** The whole page, as text. */
export async function makePage(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: { polyfill: false },
      rollupOptions: { input: here('offline.ts'), output: { format: 'iife' } },
    },
  });
  const [result] = Array.isArray(built) ? built : [built];
  const [chunk] = result && 'output' in result ? result.output : [];
  if (chunk?.type !== 'chunk') {
    throw new Error('the offline viewer was not built');
  }
  // A closing tag inside a string would end the script.
  const script = chunk.code.trim().replaceAll('</script', '<\\/script');
  const style = readFileSync(here('offline.css'), 'utf8').trim();
  const hash = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;
  return (
    readFileSync(here('offline.html'), 'utf8')
      // By functions: a replacement text may hold `$&`.
      .replace('%SCRIPT_HASH%', () => hash(script))
      .replace('%STYLE_HASH%', () => hash(style))
      .replace('/*STYLE*/', () => style)
      .replace('/*SCRIPT*/', () => script)
  );
}
