// The service worker: after the first visit the page opens without a network. It keeps one version of the page, whole or
// not at all (every file is checked against its hash), and answers from it. A newer version waits until the user asks
// for it. Model files are not its business: the engine's worker keeps those that it has verified (`model-cache.ts`).
import type { Asset } from './assets';

/** The list of files, written in at build time (`www/build/offline.ts`). */
declare const __POINT3R_ASSETS__: readonly Asset[];

/** The part of `ServiceWorkerGlobalScope` that is used here (the DOM library describes windows). */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Waiting) => void): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<unknown>) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void;
}
interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Waiting {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

const scope = self as unknown as Scope;
const assets = __POINT3R_ASSETS__;
const base = scope.registration.scope;
const urls = new Set(assets.map(({ url }) => new URL(url, base).href));

const PREFIX = 'point3r-page-';
const version = PREFIX + checksum(assets.map(({ integrity }) => integrity).join());
/** Demos that have been opened once. */
const DEMOS = 'point3r-demos';

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('message', ({ data }) => {
  if (data === 'use-now') {
    void scope.skipWaiting();
  }
});
scope.addEventListener('fetch', (event) => {
  const answer = answerTo(event.request);
  if (answer) {
    event.respondWith(answer);
  }
});

async function install(): Promise<void> {
  const cache = await caches.open(version);
  await Promise.all(
    assets.map(async ({ url, integrity }) => {
      const address = new URL(url, base).href;
      // A file whose name carries its hash is the same in every version that has it.
      const known = url.startsWith('assets/') ? await caches.match(address) : undefined;
      const response = known ?? (await fetch(address, { integrity, cache: 'no-cache' }));
      if (!response.ok) {
        throw new Error(`${address}: status ${response.status}`);
      }
      await cache.put(address, response);
    }),
  );
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== version).map((n) => caches.delete(n)));
  await scope.clients.claim();
}

function answerTo(request: Request): Promise<Response> | null {
  if (request.method !== 'GET' || !request.url.startsWith(base)) {
    return null;
  }
  const address = new URL(request.url);
  address.hash = '';
  address.search = '';
  const page = new URL('index.html', base).href;
  if (request.mode === 'navigate') {
    return address.href === base || address.href === page ? kept(page, request) : null;
  }
  if (urls.has(address.href)) {
    return kept(address.href, request);
  }
  return address.href.startsWith(new URL('demos/', base).href) ? demo(request) : null;
}

async function kept(address: string, request: Request): Promise<Response> {
  const cache = await caches.open(version);
  return (await cache.match(address)) ?? fetch(request);
}

/** The network's if there is one, else what was seen last. */
async function demo(request: Request): Promise<Response> {
  const cache = await caches.open(DEMOS);
  try {
    const response = await fetch(request);
    if (response.status === 200) {
      await cache.put(request, response.clone()).catch(() => {});
    }
    return response;
  } catch (thrown) {
    const seen = await cache.match(request);
    if (seen) {
      return seen;
    }
    throw thrown;
  }
}

/** FNV-1a: tells versions apart; what they contain is checked by SHA-256. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
