// What page and worker say to each other about scenes.
import type { Viewpoint } from '../viewer/shared-scene';

/** A scene that was opened. */
export interface SceneReport {
  title: string;
  points: number;
  cameras: number;
  /** How far neighbouring points are apart, where they lie on a grid. */
  spacing: number | null;
  viewpoint: Viewpoint | null;
}

/** How a scene is to be packed. */
export interface ShareRequest {
  /** Bytes at most. */
  budget: number;
  /** Smallest confidence of a point that is taken. */
  confidence?: number;
  /** Whether the camera path goes with it. */
  cameras?: boolean;
  title?: string;
  viewpoint?: Viewpoint | null;
}

/** A packed scene. */
export interface Shared {
  /** The compact form. */
  bytes: Uint8Array<ArrayBuffer>;
  points: number;
  /** Side of a voxel: each point is at most half of that from its place, per axis. */
  voxel: number;
  cameras: number;
}
