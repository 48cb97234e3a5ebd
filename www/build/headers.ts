// What the page may do, said twice: as response headers (`cargo xtask serve`, and `_headers` for static hosts that read
// it) and, for hosts that set none, as `<meta>` in the page. Both come from here.
import type { Plugin } from 'vite';

const POLICY: Record<string, string> = {
  'default-src': "'none'",
  // `wasm-unsafe-eval` compiles WebAssembly; it allows no JavaScript from strings.
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' blob:",
  'media-src': "'self' blob:",
  'manifest-src': "'self'",
  // Only an address that the user or the page's link names is fetched from elsewhere; the page itself never asks.
  'connect-src': "'self' https:",
  'base-uri': "'none'",
  'form-action': "'none'",
};

const OFF = ['accelerometer', 'bluetooth', 'display-capture', 'geolocation', 'gyroscope', 'hid', 'magnetometer']
  .concat(['microphone', 'midi', 'payment', 'serial', 'usb', 'xr-spatial-tracking'])
  .map((feature) => `${feature}=()`);
const OWN = ['camera', 'fullscreen', 'screen-wake-lock', 'web-share'].map((feature) => `${feature}=(self)`);

export const CONTENT_SECURITY_POLICY = Object.entries(POLICY)
  .map(([directive, sources]) => `${directive} ${sources}`)
  .join('; ');

/** Headers that are right also for the development server, whose inline code the content policy forbids. */
export const BASE_HEADERS: Record<string, string> = {
  'Permissions-Policy': [...OWN, ...OFF].join(', '),
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export const HEADERS: Record<string, string> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  ...BASE_HEADERS,
};

/** Writes the policies into the built page, and the `_headers` file beside it. */
export const policies: Plugin = {
  name: 'policies',
  apply: 'build',
  // Behind the character set, which must come first, and before anything that is loaded.
  transformIndexHtml: (html) =>
    html.replace(
      '<meta charset="utf-8" />',
      (charset) => `${charset}
    <meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}" />
    <meta name="referrer" content="${BASE_HEADERS['Referrer-Policy']}" />`,
    ),
  generateBundle() {
    const lines = Object.entries(HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
    const fresh = ['/', '/index.html', '/sw.js'].map((path) => `${path}\n  Cache-Control: no-cache\n`);
    const source = `/*\n${lines.join('')}${fresh.join('')}/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n`;
    this.emitFile({ type: 'asset', fileName: '_headers', source });
  },
};
