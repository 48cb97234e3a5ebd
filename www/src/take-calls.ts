// The worker's answers to calls that take something away: files from the engine, pictures and videos of the view.
import type { WasmEngine } from 'point3r-wasm';
import { Point3rError } from './errors';
import type { CallName, Calls, FromWorker, Request } from './protocol';
import { FILES, type TakeFormat, type TakeOptions } from './take';

export type TakeCall = Extract<CallName, 'take' | 'cancelTake' | 'takeSizes'>;
export type TakeRequest = Extract<Request, { call: TakeCall }>;

export function isTakeRequest(request: Request): request is TakeRequest {
  return request.call === 'take' || request.call === 'cancelTake' || request.call === 'takeSizes';
}

const PICTURE = { width: 1920, height: 1080 };
const VIDEO = { width: 1280, height: 720, seconds: 8, rate: 30 };

/** Even, as video codecs want it, and of a size that is a picture. */
function side(pixels: number | undefined, usual: number): number {
  const found = Math.round(pixels ?? usual);
  if (!(found >= 16 && found <= 4096)) {
    throw new Point3rError('bad-request', 'A picture has 16 to 4096 pixels a side.');
  }
  return found;
}

export class TakeCalls {
  private readonly post: (message: FromWorker) => void;
  private cancelled = false;
  private busy = false;

  constructor(post: (message: FromWorker) => void) {
    this.post = post;
  }

  async answer(engine: WasmEngine, request: TakeRequest): Promise<Calls[TakeCall]['result']> {
    switch (request.call) {
      case 'takeSizes':
        return engine.exportSizes(forEngine(request.args));
      case 'cancelTake':
        this.cancelled = true;
        engine.cancelExport();
        return undefined;
      case 'take':
        return this.take(engine, request.args.format, request.args.options);
    }
  }

  private async take(engine: WasmEngine, format: TakeFormat, options: TakeOptions): Promise<File> {
    if (this.busy) {
      throw new Point3rError('busy', 'Another file is being made.');
    }
    this.busy = true;
    this.cancelled = false;
    try {
      switch (format) {
        case 'picture':
          return await this.picture(engine, options);
        case 'turntable':
          return await this.turntable(engine, options);
        default: {
          const parts: Uint8Array<ArrayBuffer>[] = [];
          await engine.exportFile(
            format,
            forEngine(options),
            (bytes) => void parts.push(bytes),
            (share) => this.progress(share),
          );
          const { name, type } = FILES[format];
          return new File(parts, name, { type });
        }
      }
    } finally {
      this.busy = false;
    }
  }

  private async picture(engine: WasmEngine, options: TakeOptions): Promise<File> {
    const [width, height] = [side(options.width, PICTURE.width), side(options.height, PICTURE.height)];
    const rgba = await engine.capture(width, height, 0);
    const canvas = new OffscreenCanvas(width, height);
    const pixels = new ImageData(new Uint8ClampedArray(rgba.buffer, rgba.byteOffset, rgba.length), width, height);
    canvas.getContext('2d')?.putImageData(pixels, 0, 0);
    const { name, type } = FILES.picture;
    return new File([await canvas.convertToBlob({ type })], name, { type });
  }

  private async turntable(engine: WasmEngine, options: TakeOptions): Promise<File> {
    const seconds = options.seconds ?? VIDEO.seconds;
    if (!(seconds >= 1 && seconds <= 60)) {
      throw new Point3rError('bad-request', 'A turntable video has 1 to 60 seconds.');
    }
    const { encodeTurntable } = await import('./turntable');
    return encodeTurntable({
      width: side(options.width, VIDEO.width) & ~1,
      height: side(options.height, VIDEO.height) & ~1,
      rate: VIDEO.rate,
      frames: Math.round(seconds * VIDEO.rate),
      draw: (width, height, turn) => engine.capture(width, height, turn),
      progress: (share) => this.progress(share),
      cancelled: () => this.cancelled,
    });
  }

  private progress(share: number): void {
    this.post({ type: 'taking', share });
  }
}

/** What the engine knows of the options. */
function forEngine(options: TakeOptions): TakeOptions {
  const { scale, confidence, hideEdges, hideSky, maps, voxel, title, comments } = options;
  const known = { scale, confidence, hideEdges, hideSky, maps, voxel, title, comments };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}
