// Writes `models/index.json`, which the model picker reads: what the models under `www/public/models/` are, so that the
// page need not download every manifest to say so. Whoever adds a model folder to a served page adds an entry there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import type { ModelEntry } from '../src/models.ts';

/** What is read of a manifest (`src/weights/manifest.rs` is its definition). */
interface Manifest {
  name: string;
  licence: string;
  source?: string;
  trained: boolean;
  config: { image_size?: number };
  tensors: { shape: number[] }[];
  shards: { bytes: number }[];
  needs?: { gpu_mib?: number; wasm_mib?: number };
}

export function modelIndex(): Plugin {
  let folder = '';
  return {
    name: 'model-index',
    apply: 'build',
    configResolved(config) {
      folder = join(config.publicDir, 'models');
    },
    generateBundle() {
      const names = existsSync(folder) ? readdirSync(folder).sort() : [];
      const models = names
        .filter((name) => existsSync(join(folder, name, 'manifest.json')))
        .map((name) => entry(name, JSON.parse(readFileSync(join(folder, name, 'manifest.json'), 'utf8'))));
      // The default comes first.
      models.sort((a, b) => Number(b.manifest.startsWith('default/')) - Number(a.manifest.startsWith('default/')));
      this.emitFile({ type: 'asset', fileName: 'models/index.json', source: JSON.stringify({ models }, null, 1) });
    },
  };
}

function entry(name: string, manifest: Manifest): ModelEntry {
  const product = (shape: number[]): number => shape.reduce((count, side) => count * side, 1);
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  return {
    manifest: `${name}/manifest.json`,
    name: manifest.name,
    licence: manifest.licence,
    source: manifest.source ?? '',
    trained: manifest.trained,
    parameters: sum(manifest.tensors.map(({ shape }) => product(shape))),
    bytes: sum(manifest.shards.map(({ bytes }) => bytes)),
    memoryMib: manifest.needs?.gpu_mib ?? manifest.needs?.wasm_mib ?? 0,
  };
}
