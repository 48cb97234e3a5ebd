// Colours of voxels: the twin of `src/scene/share/color.rs`.
import { type Decoder, type Tree, tree } from './coder';

/** Whether these numbers of bits are ones that are written. */
export function usableDepths(luma: number, chroma: number): boolean {
  return luma >= 3 && luma <= 8 && chroma >= 3 && chroma <= 9;
}

function clamp(v: number): number {
  return v < 0 ? 0 : v > 255 ? 255 : v;
}

/** Reads `count` colours as RGB bytes. */
export function readColors(decoder: Decoder, count: number, luma: number, chroma: number): Uint8Array<ArrayBuffer> {
  const lumaTree = tree(luma);
  const chromaTrees: [Tree, Tree][] = [0, 1, 2].map(() => [tree(chroma), tree(chroma)]);
  const [lumaMask, chromaMask] = [(1 << luma) - 1, (1 << chroma) - 1];
  const [lumaLost, chromaLost] = [8 - luma, 9 - chroma];
  const middle = (value: number, lost: number): number => (value << lost) | ((1 << lost) >> 1);
  // Grey of 128.
  let y = 128 >> lumaLost;
  let co = 256 >> chromaLost;
  let cg = co;
  const rgb = new Uint8Array(3 * count);
  for (let i = 0; i < count; i++) {
    const change = decoder.tree(lumaTree);
    const size = Math.min(change, (1 << luma) - change);
    const trees = chromaTrees[size === 0 ? 0 : size > (1 << luma) >> 4 ? 2 : 1];
    if (!trees) {
      break;
    }
    y = (y + change) & lumaMask;
    co = (co + decoder.tree(trees[0])) & chromaMask;
    cg = (cg + decoder.tree(trees[1])) & chromaMask;
    const orange = middle(co, chromaLost) - 256;
    const green = middle(cg, chromaLost) - 256;
    const between = middle(y, lumaLost) - (green >> 1);
    const blue = between - (orange >> 1);
    rgb[3 * i] = clamp(blue + orange);
    rgb[3 * i + 1] = clamp(green + between);
    rgb[3 * i + 2] = clamp(blue);
  }
  return rgb;
}
