// What an address asks the page to show. Everything in it is untrusted: addresses are https or of the page's own site,
// lengths are capped, numbers are finite; what is not is refused by name before anything is fetched.
import { Point3rError } from '../errors';
import { fromBase64Url, toBase64Url } from '../viewer/base64';
import { usable, type Vector, type Viewpoint } from '../viewer/shared-scene';

/** Characters of a scene inside a link: 1 MB of bytes and some. */
export const MAX_INLINE = 1_500_000;
/** Points of a scene inside a link. */
export const MAX_LINK_POINTS = 1_000_000;
const MAX_ADDRESS = 2048;
const MAX_ORIGINS = 16;

export interface PageLink {
  /** The compact form, in the link itself. */
  inline: Uint8Array<ArrayBuffer> | null;
  scene: URL | null;
  video: URL | null;
  model: URL | null;
  view: Viewpoint | null;
  embed: boolean;
  /** Pages that may steer this one when it is embedded. */
  origins: string[];
}

/** Whether the link brings something to look at. */
export function hasScene({ inline, scene }: PageLink): boolean {
  return inline !== null || scene !== null;
}

/** Reads the address; throws a named error when a part of it is refused. */
export function readLink(address: URL): PageLink {
  const query = address.searchParams;
  const at = (name: string): URL | null => {
    const value = query.get(name);
    return value === null || value === '' ? null : allowedAddress(value, address);
  };
  return {
    inline: readInline(address.hash),
    scene: at('scene'),
    video: at('video'),
    model: at('model'),
    view: readView(query.get('view')),
    embed: query.get('embed') === '1',
    origins: query.getAll('origin').slice(0, MAX_ORIGINS).map(originOf),
  };
}

/** An address that may be fetched: https, or the page's own site; no password in it. */
export function allowedAddress(text: string, page: URL): URL {
  let address: URL;
  try {
    address = new URL(text.slice(0, MAX_ADDRESS + 1), page);
  } catch {
    throw new Point3rError('link-refused', `“${text.slice(0, 80)}” is no address.`);
  }
  // A blob: address claims the origin of the page that made it.
  const own = address.origin === page.origin && address.protocol === page.protocol;
  const https = address.protocol === 'https:' || own;
  if (text.length > MAX_ADDRESS || !https || address.origin === 'null' || address.username || address.password) {
    throw new Point3rError('link-refused', `${address.href.slice(0, 80)} cannot be opened from a link.`);
  }
  return address;
}

function readInline(hash: string): Uint8Array<ArrayBuffer> | null {
  if (!hash.startsWith('#s=')) {
    return null;
  }
  if (hash.length > MAX_INLINE) {
    throw new Point3rError('scene-too-large', `The link has ${hash.length} characters.`);
  }
  const bytes = fromBase64Url(hash.slice(3));
  if (!bytes || bytes.length === 0) {
    throw new Point3rError('scene-damaged', 'The link holds characters that do not belong there, or was cut.');
  }
  return bytes;
}

/** `x,y,z,x,y,z`: eye and target. */
function readView(text: string | null): Viewpoint | null {
  if (text === null || text.length > 200) {
    return null;
  }
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (numbers.length !== 6) {
    return null;
  }
  return usable({ eye: numbers.slice(0, 3) as Vector, target: numbers.slice(3) as Vector });
}

function originOf(text: string): string {
  let address: URL | null = null;
  try {
    address = new URL(text);
  } catch {
    // Told below.
  }
  if (!address || (address.protocol !== 'https:' && address.protocol !== 'http:')) {
    throw new Point3rError('link-refused', `“${text.slice(0, 80)}” is no origin of a page.`);
  }
  return address.origin;
}

/** The viewpoint as `view=` holds it. */
export function viewText({ eye, target }: Viewpoint): string {
  return [...eye, ...target].map((v) => Number(v.toPrecision(6))).join(',');
}

/** The link of a packed scene. */
export function inlineLink(page: URL, scene: Uint8Array): string {
  return `${pageAddress(page)}#s=${toBase64Url(scene)}`;
}

/** A link to a scene file, with the view of the moment. */
export function addressLink(page: URL, scene: URL, view: Viewpoint | null): string {
  const link = new URL(pageAddress(page));
  link.searchParams.set('scene', scene.origin === page.origin ? scene.pathname + scene.search : scene.href);
  if (view) {
    link.searchParams.set('view', viewText(view));
  }
  return link.href;
}

/** The page itself, without what it was asked to show. */
function pageAddress(page: URL): string {
  const bare = new URL(page);
  bare.search = '';
  bare.hash = '';
  return bare.href;
}

/** What shows the scene inside another page. */
export function embedCode(page: URL, scene: Uint8Array): string {
  const address = `${pageAddress(page)}?embed=1#s=${toBase64Url(scene)}`;
  return `<iframe src="${address}" width="640" height="420" style="border:0" allow="fullscreen" loading="lazy" title="Point3R scene"></iframe>`;
}
