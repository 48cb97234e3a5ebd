// A scene as one HTML file that opens without a network.
import page from 'virtual:offline-page';
import { toBase64Url } from '../viewer/base64';
import { cleanTitle } from '../viewer/shared-scene';

/** Bytes of the compact form that keep the file below 5 MB. */
export const OFFLINE_BUDGET = 3_600_000;

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function offlinePage(scene: Uint8Array, title: string): Blob {
  const safe = (cleanTitle(title) || 'Point3R').replace(/[&<>"']/g, (c) => ESCAPES[c] ?? '');
  // By functions: a replacement text may hold `$&`.
  const text = page.replaceAll('%TITLE%', () => safe).replace('%SCENE%', () => toBase64Url(scene));
  return new Blob([text], { type: 'text/html' });
}
