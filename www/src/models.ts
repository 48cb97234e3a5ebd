// The models that can be chosen: those that the site offers (`models/index.json`), and a folder of the user's own.
import { Point3rError } from './errors';

/** One model of the site, as `models/index.json` describes it. */
export interface ModelEntry {
  /** Address of the manifest, relative to `models/`. */
  manifest: string;
  name: string;
  licence: string;
  source: string;
  trained: boolean;
  parameters: number;
  /** To download. */
  bytes: number;
  /** For the weights, on the device that computes; 0 when unknown. */
  memoryMib: number;
}

/**
 * Where a model comes from: the address of its manifest, the files of its folder, or what was made and kept on this device
 * (its key). `manifest` is its text, where it was read already.
 */
export type ModelSource = { url: string; manifest?: string } | { files: File[] } | { kept: string };

export const MANIFEST = 'manifest.json';

/** The entries of an index; what is not an entry is left out. */
export function modelEntries(index: unknown): ModelEntry[] {
  const models = typeof index === 'object' && index !== null && 'models' in index ? index.models : null;
  return Array.isArray(models) ? models.filter(isEntry) : [];
}

function isEntry(value: unknown): value is ModelEntry {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const entry = value as Record<string, unknown>;
  const texts = ['manifest', 'name', 'licence', 'source'].every((key) => typeof entry[key] === 'string');
  const numbers = ['parameters', 'bytes', 'memoryMib'].every((key) => Number.isFinite(entry[key]));
  return texts && numbers && typeof entry.trained === 'boolean';
}

/** The address of the manifest at `models/`. */
export function manifestUrl(entry: Pick<ModelEntry, 'manifest'>): string {
  return new URL(entry.manifest, new URL('models/', document.baseURI)).href;
}

/** What the site offers; nothing where it has no index. */
export async function offeredModels(): Promise<ModelEntry[]> {
  try {
    const response = await fetch(new URL('models/index.json', document.baseURI), { cache: 'no-cache' });
    return response.ok ? modelEntries(await response.json()) : [];
  } catch {
    return [];
  }
}

/** Whether these files are a model folder rather than pictures. */
export function isModelFolder(files: readonly File[]): boolean {
  return files.some(({ name }) => name === MANIFEST);
}

/** The checkpoint among these files, with the `config.json` that may come with it; null where there is none. */
export function checkpointIn(files: readonly File[]): { file: File; config: File | null } | null {
  const checkpoints = files.filter(({ name }) => /\.(pth|pt|safetensors)$/i.test(name));
  const config = files.find(({ name }) => name === 'config.json') ?? null;
  const [file] = checkpoints;
  return file && checkpoints.length === 1 && files.length === (config ? 2 : 1) ? { file, config } : null;
}

/** The file of a dropped model folder. */
export function fileNamed(files: readonly File[], name: string): File {
  const found = files.find((file) => file.name === name);
  if (!found) {
    throw new Point3rError('model-not-found', `The folder has no ${name}.`);
  }
  return found;
}
