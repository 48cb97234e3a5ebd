// Downloads a weight file of known size. A connection that breaks or stalls is taken up where it broke, by a range
// request; a server without ranges sends the whole file again.
import { Point3rError } from './errors';
import type { Slot } from './shard-store';

/** Waits before the attempts that follow one without a single new byte, milliseconds. */
const DELAYS = [300, 1000, 3000, 6000];
/** A connection that says nothing for so long is given up. */
const STALLED = 30_000;

/** Brings `slot` to `bytes` bytes, or to what the server has of the file: the engine says what is wrong with it then. */
export async function download(address: string, slot: Slot, bytes: number, progress: () => void): Promise<void> {
  let failures = 0;
  let short = 0;
  for (;;) {
    const before = slot.size;
    let broken: Point3rError | null = null;
    try {
      await attempt(address, slot, bytes, progress);
    } catch (thrown) {
      if (!(thrown instanceof Point3rError) || thrown.code !== 'network') {
        throw thrown;
      }
      broken = thrown;
    }
    if (slot.size >= bytes) {
      return;
    }
    if (!broken) {
      // The server thinks that this is all. Asked again for the rest, it may mean it.
      short += 1;
      if (short > 1) {
        return;
      }
      continue;
    }
    failures = slot.size > before ? 0 : failures + 1;
    const delay = DELAYS[failures];
    if (delay === undefined || navigator.onLine === false) {
      throw broken;
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}

/** One connection; ends without an error when the server has sent what it wanted to. */
async function attempt(address: string, slot: Slot, bytes: number, progress: () => void): Promise<void> {
  const abort = new AbortController();
  let watch = setTimeout(() => abort.abort(), STALLED);
  const alive = (): void => {
    clearTimeout(watch);
    watch = setTimeout(() => abort.abort(), STALLED);
  };
  try {
    const headers: HeadersInit = slot.size > 0 ? { Range: `bytes=${slot.size}-` } : {};
    const response = await fetch(address, { headers, signal: abort.signal }).catch(failed(address));
    alive();
    if (response.status === 416) {
      // There is no such rest: begin anew, without a range.
      slot.clear();
      return;
    }
    accept(response, address);
    if (response.status !== 206 || !startsAt(response, slot.size)) {
      if (response.status === 206) {
        slot.clear();
        throw new Point3rError('network', `${address}: the server sent another part than was asked for.`);
      }
      slot.clear();
    }
    const reader = response.body?.getReader();
    while (reader && slot.size <= bytes) {
      const { done, value } = await reader.read().catch(failed(address));
      if (done) {
        return;
      }
      alive();
      slot.append(value);
      progress();
    }
    await reader?.cancel().catch(() => {});
  } finally {
    clearTimeout(watch);
  }
}

function startsAt(response: Response, offset: number): boolean {
  const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  // A server of another origin may not show the header.
  return range === null || Number(range[1]) === offset;
}

/** Throws for an answer that is none. */
export function accept(
  response: Response,
  address: string,
  whenMissing: 'model-not-found' | 'bad-request' = 'model-not-found',
): void {
  if (response.status === 404 || response.status === 410) {
    throw new Point3rError(whenMissing, address);
  }
  if (!response.ok) {
    throw new Point3rError('network', `${address}: status ${response.status}`);
  }
}

export function failed(address: string): (thrown: unknown) => never {
  return (thrown) => {
    throw new Point3rError('network', `${address}: ${thrown instanceof Error ? thrown.message : thrown}`);
  };
}
