// A small static server for the tests: the built site, plus folders and made-up answers mounted beside it.

import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

/** The headers for every path in the `_headers` file of the site: the tests run under the policy that is deployed. */
async function headersOf(root) {
  const text = await readFile(join(root, '_headers'), 'utf8').catch(() => '');
  const rules = /^\/\*\n((?: {2}.*\n)*)/m.exec(text)?.[1] ?? '';
  return Object.fromEntries(
    rules
      .split('\n')
      .filter(Boolean)
      .map((line) => line.trim().split(/:\s+(.*)/, 2)),
  );
}

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
  '.glb': 'model/gltf-binary',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.mp4': 'video/mp4',
};

/**
 * @param {string} root folder of the site
 * @param {Record<string, string | ((rest: string) => Promise<Buffer | null>) | { handle: Function }>} mounts path prefix to
 *   folder, to content, or to what answers by itself
 */
export async function serve(root, mounts = {}) {
  const requests = [];
  const headers = await headersOf(root);
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
    requests.push(path);
    try {
      const [prefix, own] = Object.entries(mounts).find(([at, { handle }]) => handle && path.startsWith(at)) ?? [];
      if (own) {
        await own.handle(request, response, path.slice(prefix.length));
        return;
      }
      const content = await contentOf(root, mounts, path);
      if (!content) {
        response.writeHead(404).end('not found');
        return;
      }
      response.writeHead(200, {
        ...headers,
        'content-type': TYPES[extname(path) || '.html'] ?? 'application/octet-stream',
        'content-length': content.length,
        'cache-control': 'no-store',
      });
      response.end(content);
    } catch (thrown) {
      response.writeHead(500).end(String(thrown));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const mount = (prefix, target) => {
    mounts[prefix] = target;
  };
  return { url: `http://localhost:${port}/`, requests, mount, close: () => closed(server) };
}

/** Also while a browser keeps its connections open. */
function closed(server) {
  return new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

async function contentOf(root, mounts, path) {
  for (const [prefix, target] of Object.entries(mounts)) {
    if (path.startsWith(prefix)) {
      const rest = path.slice(prefix.length);
      const content = typeof target === 'function' ? await target(rest) : await fileIn(target, rest);
      if (content) {
        return content;
      }
    }
  }
  return fileIn(root, path === '/' ? 'index.html' : path);
}

async function fileIn(folder, path) {
  const full = join(folder, normalize(`/${path}`));
  const found = await stat(full).catch(() => null);
  return found?.isFile() ? readFile(full) : null;
}
