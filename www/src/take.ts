// What can be taken away: the formats, their options, and what their files are called.
import type { ExportFormat } from './protocol';

/** Formats that the engine writes; those of many files come as a zip. */
export type FileFormat = ExportFormat | 'mesh-glb' | 'mesh-ply' | 'colmap' | 'nerfstudio' | 'maps';
/** And those that are drawn. */
export type TakeFormat = FileFormat | 'picture' | 'turntable';

export interface TakeOptions {
  /** Factor for all lengths. */
  scale?: number;
  /** Least confidence of a point, or of a depth that a mesh is made of; 1 keeps all. */
  confidence?: number;
  /** Leave out points that float at edges, and what looks like sky. */
  hideEdges?: boolean;
  hideSky?: boolean;
  /** How `maps` writes depth and confidence. */
  maps?: 'png' | 'npy' | 'both';
  /** Edge length of a mesh's voxels in units of the file; left out, fitted to the scene. */
  voxel?: number;
  /** What it shows, where a format has a place for that. */
  title?: string;
  /** Said in formats that have room. */
  comments?: string[];
  /** Size of a picture or video, pixels. */
  width?: number;
  height?: number;
  /** Length of a turntable video. */
  seconds?: number;
}

/** About how many bytes each format takes; absent where only making it can tell. */
export type TakeSizes = Partial<Record<TakeFormat, number>>;

interface Described {
  name: string;
  type: string;
}

/** A turntable's name and type depend on what the browser can encode. */
export const FILES: Record<Exclude<TakeFormat, 'turntable'>, Described> = {
  ply: { name: 'cloud.ply', type: 'application/octet-stream' },
  glb: { name: 'scene.glb', type: 'model/gltf-binary' },
  'mesh-glb': { name: 'mesh.glb', type: 'model/gltf-binary' },
  'mesh-ply': { name: 'mesh.ply', type: 'application/octet-stream' },
  picture: { name: 'view.png', type: 'image/png' },
  colmap: { name: 'colmap.zip', type: 'application/zip' },
  nerfstudio: { name: 'nerfstudio.zip', type: 'application/zip' },
  maps: { name: 'maps.zip', type: 'application/zip' },
  tum: { name: 'trajectory.tum', type: 'text/plain' },
  intrinsics: { name: 'intrinsics.json', type: 'application/json' },
};

/** All formats, in the order they are offered. */
export const TAKE_FORMATS: readonly TakeFormat[] = [
  'ply',
  'glb',
  'mesh-glb',
  'mesh-ply',
  'picture',
  'turntable',
  'colmap',
  'nerfstudio',
  'maps',
  'tum',
  'intrinsics',
];

/** Formats whose copy outlives a crash of the engine. */
export function isSmall(format: TakeFormat): format is ExportFormat {
  return format === 'ply' || format === 'glb' || format === 'tum' || format === 'intrinsics';
}
