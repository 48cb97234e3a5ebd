// Fetches the files that a link names: after a question where they come from another site or are large, and never past
// a cap.
import { Point3rError, toPoint3rError } from '../errors';
import { readAtMost } from '../model';

/** Bytes of a file at most. */
const MAX_BYTES = 512 * 1024 * 1024;
/** From here on a person is asked first. */
const ASK_ABOVE = 32 * 1024 * 1024;
const ASK_MODEL_ABOVE = 64 * 1024 * 1024;
const MAX_MANIFEST = 16 * 1024 * 1024;

/** Asks a person; false means no. `bytes` is null where the size is not known yet. */
export type Ask = (question: { address: URL; foreign: boolean; bytes: number | null }) => Promise<boolean>;

/** The bytes of a scene or video. */
export async function fetchAsked(
  address: URL,
  ask: Ask,
  progress: (done: number, total: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const foreign = address.origin !== location.origin;
  if (foreign && !(await ask({ address, foreign, bytes: null }))) {
    throw declined();
  }
  const stop = new AbortController();
  let response: Response;
  try {
    response = await fetch(address, {
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      // A redirect could lead to an address that nobody agreed to.
      redirect: foreign ? 'error' : 'follow',
      signal: stop.signal,
    });
  } catch (thrown) {
    throw toPoint3rError(thrown, 'network');
  }
  try {
    if (!response.ok) {
      throw new Point3rError('network', `${address.host} answered with status ${response.status}.`);
    }
    const announced = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isFinite(announced) ? announced : 0;
    if (total > MAX_BYTES) {
      throw new Point3rError(
        'scene-too-large',
        `It has ${Math.round(total / 2 ** 20)} MiB, and at most 512 are taken.`,
      );
    }
    if (total > ASK_ABOVE && !(await ask({ address, foreign, bytes: total }))) {
      throw declined();
    }
    // What does not announce its size may not be large.
    const limit = Math.min(MAX_BYTES, total > 0 ? Math.max(total, ASK_ABOVE) : ASK_ABOVE);
    let done = 0;
    const bytes = await readAtMost(response, limit + 1, (count) => {
      done += count;
      progress(done, Math.max(total, done));
    });
    if (bytes.byteLength > limit) {
      throw new Point3rError('scene-too-large', 'The file is larger than its server said.');
    }
    return bytes;
  } finally {
    stop.abort();
  }
}

/** A person said no. */
function declined(): Point3rError {
  return new Point3rError('link-refused', 'It was not loaded, as you chose.');
}

/**
 * Asks for a model where it comes from another site or is large; the text of its manifest. Throws if the answer is no, or
 * there is no model.
 */
export async function agreeToModel(manifest: URL, ask: Ask): Promise<string> {
  const foreign = manifest.origin !== location.origin;
  if (foreign && !(await ask({ address: manifest, foreign, bytes: null }))) {
    throw declined();
  }
  let response: Response;
  try {
    response = await fetch(manifest, { credentials: 'omit', referrerPolicy: 'no-referrer', redirect: 'error' });
  } catch (thrown) {
    throw toPoint3rError(thrown, 'network');
  }
  if (!response.ok) {
    throw new Point3rError('model-not-found', `${manifest.host} answered with status ${response.status}.`);
  }
  const text = new TextDecoder().decode(await readAtMost(response, MAX_MANIFEST, () => {}));
  const bytes = announced(text);
  // The loader takes no byte more than the manifest announces.
  if (!(bytes <= ASK_MODEL_ABOVE) && !(await ask({ address: manifest, foreign, bytes }))) {
    throw declined();
  }
  return text;
}

/** Bytes of the weight files, as a manifest announces them. */
function announced(manifest: string): number {
  try {
    const { shards } = JSON.parse(manifest) as { shards: { bytes: unknown }[] };
    return shards.reduce((sum, shard) => sum + Math.max(0, Number(shard.bytes)), 0);
  } catch {
    throw new Point3rError('manifest-invalid');
  }
}

/** Whether these first bytes are those of a scene file. */
export function looksLikeScene(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head.subarray(0, 4));
  return text === 'glTF' || text === 'ply\n' || text === 'ply\r' || text.startsWith('P3S');
}
