// A decoded picture as plain RGBA bytes, upright, of bounded size. Runs in the worker.
import { Point3rError } from './errors';
import type { Rotation } from './protocol';

export interface Rgba {
  rgba: Uint8Array;
  width: number;
  height: number;
}

/** Nothing is gained from more pixels than this on the longer side: the network sees far fewer. */
const MAX_SIDE = 2048;

export async function toRgba(image: VideoFrame | ImageBitmap, rotation: Rotation): Promise<Rgba> {
  return (await copyFrame(image, rotation)) ?? drawn(image, rotation);
}

/** The size of a picture once turned upright and reduced to `MAX_SIDE`. */
export function uprightSize(width: number, height: number, rotation: Rotation): { width: number; height: number } {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const w = Math.max(1, Math.round(width * scale));
  const h = Math.max(1, Math.round(height * scale));
  return rotation % 180 === 0 ? { width: w, height: h } : { width: h, height: w };
}

/** The direct way: the browser converts the decoder's own format. Null where it cannot, or where pixels must move. */
async function copyFrame(image: VideoFrame | ImageBitmap, rotation: Rotation): Promise<Rgba | null> {
  // A phone's camera may say by how much its frames are turned; only drawing heeds that.
  const turned = 'rotation' in image && image.rotation !== 0;
  if (!('copyTo' in image) || rotation !== 0 || turned || !image.visibleRect) {
    return null;
  }
  const { width, height } = image.visibleRect;
  const asIs = image.displayWidth === width && image.displayHeight === height && Math.max(width, height) <= MAX_SIDE;
  const layout = { format: 'RGBA', colorSpace: 'srgb' } as const;
  try {
    // A browser that does not know `format` ignores it, and then the size is that of the decoder's format.
    if (!asIs || image.allocationSize(layout) !== width * height * 4) {
      return null;
    }
    const rgba = new Uint8Array(width * height * 4);
    await image.copyTo(rgba, layout);
    return { rgba, width, height };
  } catch {
    return null;
  }
}

/** The general way: through a canvas, which also turns and reduces. */
function drawn(image: VideoFrame | ImageBitmap, rotation: Rotation): Rgba {
  const [w, h] = 'displayWidth' in image ? [image.displayWidth, image.displayHeight] : [image.width, image.height];
  const { width, height } = uprightSize(w, h, rotation);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) {
    throw new Point3rError('out-of-memory', 'No canvas could be made to read the picture.');
  }
  context.imageSmoothingQuality = 'high';
  context.translate(width / 2, height / 2);
  context.rotate((rotation * Math.PI) / 180);
  const [dw, dh] = rotation % 180 === 0 ? [width, height] : [height, width];
  context.drawImage(image, -dw / 2, -dh / 2, dw, dh);
  const { data } = context.getImageData(0, 0, width, height);
  return { rgba: new Uint8Array(data.buffer), width, height };
}
