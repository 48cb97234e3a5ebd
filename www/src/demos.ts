// The demonstrations that come with the page (`point3r demo` makes them): scenes that open at once, and the pictures of
// each, which the network reconstructs on this device.
import { Point3rError } from './errors';

export interface Demo {
  id: DemoId;
  /** Addresses relative to `demos/`. */
  scene: string;
  frames: string[];
  thumbnail: string;
  bytes: number;
  points: number;
}

export const DEMO_IDS = ['room', 'table', 'street'] as const;
export type DemoId = (typeof DEMO_IDS)[number];

/** What the user asked for: to look at the finished scene, or to see it being made. */
export interface DemoRequest {
  demo: Demo;
  how: 'look' | 'reconstruct';
}

export const demoUrl = (path: string): string => new URL(path, new URL('demos/', document.baseURI)).href;

/** The entries of an index; what is not an entry is left out. */
export function demoEntries(index: unknown): Demo[] {
  const demos = typeof index === 'object' && index !== null && 'demos' in index ? index.demos : null;
  return Array.isArray(demos) ? demos.filter(isDemo) : [];
}

function isDemo(value: unknown): value is Demo {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const { id, scene, frames, thumbnail, bytes, points } = value as Record<string, unknown>;
  const known = DEMO_IDS.some((known) => known === id);
  const texts = [scene, thumbnail].every((text) => typeof text === 'string');
  const pictures = Array.isArray(frames) && frames.every((frame) => typeof frame === 'string');
  return known && texts && pictures && [bytes, points].every(Number.isFinite);
}

/** The demonstrations of this site; none where it has no index. */
export async function offeredDemos(): Promise<Demo[]> {
  try {
    const response = await fetch(demoUrl('index.json'), { cache: 'no-cache' });
    return response.ok ? demoEntries(await response.json()) : [];
  } catch {
    return [];
  }
}

/** The pictures of a demonstration, as if they had been chosen on the disk. */
export async function demoPictures(demo: Demo): Promise<File[]> {
  return Promise.all(
    demo.frames.map(async (path) => {
      const response = await fetch(demoUrl(path)).catch(() => null);
      if (!response?.ok) {
        throw new Point3rError('network', path);
      }
      return new File([await response.blob()], path.split('/').pop() ?? path, { type: 'image/jpeg' });
    }),
  );
}
