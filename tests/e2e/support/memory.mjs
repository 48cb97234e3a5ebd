// How much memory a page takes, told by the operating system: the renderer process holds the page, its worker and the wasm.
import { readFileSync } from 'node:fs';
import { descendants } from './processes.mjs';

const MIB = 1024 * 1024;
const PAGE_BYTES = 4096;

/** Resident memory of the largest renderer that this process started, in MiB; 0 where there is no /proc. */
export function rendererMib() {
  const sizes = descendants()
    .filter(({ command }) => command.includes('--type=renderer'))
    .map(({ pid }) => resident(pid));
  return Math.max(0, ...sizes) / MIB;
}

function resident(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0; // It ended meanwhile.
  }
}

/** Slope of a straight line through the samples: by how much `quantity` grows per 1,000 frames. */
export function growth(samples, quantity) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [x, y] = [mean(({ frames }) => frames), mean((sample) => sample[quantity])];
  const together = samples.reduce((sum, sample) => sum + (sample.frames - x) * (sample[quantity] - y), 0);
  const spread = samples.reduce((sum, { frames }) => sum + (frames - x) ** 2, 0);
  return spread > 0 ? (1000 * together) / spread : 0;
}

/** The value below which a share of the values lies. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
