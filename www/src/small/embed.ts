// The page inside another page (`?embed=1`): a scene, and messages to and from the embedding page. Only pages whose
// origin the address lists (`origin=`, any number of times; without it, this site) are answered or told anything.
import { Point3rError, toPoint3rError } from '../errors';
import { allowedAddress, type PageLink } from '../share/link';
import { usable, type Viewpoint } from '../viewer/shared-scene';
import { SmallPage } from './page';

/** Bytes of a scene in a message. */
const MAX_MESSAGE_BYTES = 64 << 20;

type Answer = Record<string, unknown>;

export function startEmbed(link: PageLink): SmallPage {
  const allowed = new Set(link.origins.length > 0 ? link.origins : [location.origin]);
  const parent = window.parent === window ? null : window.parent;
  const tell = (message: Answer): void => {
    // The browser delivers to the parent only if it is of that origin.
    for (const origin of allowed) {
      parent?.postMessage(message, origin);
    }
  };
  let moving = false;
  const page = new SmallPage({
    scene: ({ title, count }) => tell({ point3r: 'scene', title, points: count }),
    error: (error) => tell({ point3r: 'error', ...error.toFailure() }),
    moved: () => {
      if (!moving) {
        moving = true;
        requestAnimationFrame(() => {
          moving = false;
          tell({ point3r: 'moved', viewpoint: page.viewpoint() });
        });
      }
    },
  });
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (!parent || event.source !== parent || !allowed.has(event.origin)) {
      return;
    }
    const { data } = event;
    if (typeof data !== 'object' || data === null || !('point3r' in data)) {
      return;
    }
    const id = 'id' in data ? data.id : null;
    const reply = (answer: Answer): void => parent.postMessage({ point3r: 'answer', id, ...answer }, event.origin);
    obey(page, data as Answer).then(
      (value) => reply({ value }),
      (thrown: unknown) => reply({ error: toPoint3rError(thrown, 'bad-request').toFailure() }),
    );
  });
  tell({ point3r: 'ready' });
  return page;
}

async function obey(page: SmallPage, message: Answer): Promise<unknown> {
  switch (message.point3r) {
    case 'open':
      await open(page, message);
      return null;
    case 'look': {
      const viewpoint = viewpointOf(message.viewpoint);
      if (!viewpoint) {
        throw new Point3rError('bad-request', 'A viewpoint is {eye: [x, y, z], target: [x, y, z]}.');
      }
      page.look(viewpoint);
      return null;
    }
    case 'fit':
      page.fit();
      return null;
    case 'viewpoint':
      return page.viewpoint();
    default:
      throw new Point3rError('bad-request', 'Known requests are open, look, fit and viewpoint.');
  }
}

async function open(page: SmallPage, { bytes, address }: Answer): Promise<void> {
  if (typeof address === 'string') {
    await page.openAddress(allowedAddress(address, new URL(location.href)));
  } else if (bytes instanceof ArrayBuffer && bytes.byteLength <= MAX_MESSAGE_BYTES) {
    await page.openBytes(new Uint8Array(bytes));
  } else {
    throw new Point3rError('bad-request', 'Give an address, or an ArrayBuffer of at most 64 MiB as bytes.');
  }
}

function viewpointOf(value: unknown): Viewpoint | null {
  const vector = (v: unknown): v is Viewpoint['eye'] => Array.isArray(v) && v.length === 3 && v.every(Number.isFinite);
  if (typeof value !== 'object' || value === null || !('eye' in value) || !('target' in value)) {
    return null;
  }
  const { eye, target } = value;
  return vector(eye) && vector(target) ? usable({ eye, target }) : null;
}
