// Scenes in the session: finding one in what the user gives, and showing it instead of a reconstruction.
import { fetchAsked, looksLikeScene } from '../share/fetch';
import type { SceneReport } from '../share/types';
import type { Core } from './core';

/** A scene file. */
export interface SceneFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes of a scene that are kept to show it again. */
const MAX_KEPT = 64 << 20;
/** What a scene file may be called; its bytes decide in the end. */
const NAMES = /\.(glb|ply)$/i;

/** The scene among what was given, or null: then it is pictures or a video. Addresses are told by their name. */
export async function sceneIn(input: readonly File[] | URL): Promise<SceneFile | null> {
  if (input instanceof URL) {
    if (!NAMES.test(input.pathname)) {
      return null;
    }
    // Who calls this has chosen the address; links ask before they come here.
    const bytes = await fetchAsked(
      input,
      async () => true,
      () => {},
    );
    return { name: nameOf(input), bytes };
  }
  const [file] = input;
  if (input.length !== 1 || !file || !looksLikeScene(new Uint8Array(await file.slice(0, 4).arrayBuffer()))) {
    return null;
  }
  return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
}

export function nameOf(address: URL): string {
  const last = address.pathname.split('/').pop() || address.hostname;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** Shows the scene; what was there is gone. */
export async function showScene(core: Core, file: SceneFile): Promise<SceneReport> {
  // The bytes are handed over; a copy is kept for the case that the device is lost.
  const kept = file.bytes.byteLength <= MAX_KEPT ? { ...file, bytes: file.bytes.slice() } : null;
  const report = await core.engine.openScene(file.bytes);
  core.scene = kept;
  const { title, points, cameras } = report;
  const source = title || file.name.replace(NAMES, '');
  core.saved = null;
  const counts = { points, frames: cameras, pointers: 0, msPerFrame: 0 };
  core.store.set({
    ...counts,
    source,
    continuable: false,
    opened: true,
    savedScan: null,
    note: '',
    error: null,
    progress: null,
  });
  return report;
}
