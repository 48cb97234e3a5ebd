// A camera as a source of frames: endless, always the newest picture, turned as the scan began.
import { Point3rError } from '../errors';
import type { FrameImage, Rotation } from '../protocol';
import type { FrameSource } from '../video';
import type { Camera } from './camera';
import { type Hold, screenAngle, turnTo } from './orientation';

export interface LiveSource extends FrameSource {
  readonly live: true;
  /** The clockwise turn of the last picture against how the browser shows it. */
  readonly turn: Rotation;
  close(): void;
}

/** How a scan's pictures are held; kept when its camera is replaced. */
export interface ScanHold {
  start: Hold | null;
  /** Seconds of the scan before this camera. */
  elapsed: number;
}

/** Seconds in which screen and camera agree about a turn. */
const PATIENCE = 3;

function otherShape(start: Hold, now: Hold): Point3rError {
  const detail = `The camera gives pictures of ${now.width} x ${now.height}, the scan began with ${start.width} x ${start.height}.`;
  return new Point3rError(
    'bad-request',
    detail,
    'Choose another camera or resolution in the panel, or begin a new scan.',
  );
}

export function liveSource(camera: Camera, hold: ScanHold, name: string): LiveSource {
  let turn: Rotation = 0;
  const before = hold.elapsed;
  return {
    name,
    total: 0,
    live: true,
    get turn() {
      return turn;
    },
    close: () => camera.close(),
    async *frames(): AsyncGenerator<FrameImage, void, undefined> {
      let first: number | null = null;
      let misfit: number | null = null;
      try {
        for (;;) {
          const picture = await camera.frames.next();
          if (!picture) {
            return;
          }
          const { image } = picture;
          first ??= picture.time;
          hold.elapsed = before + picture.time - first;
          const now = { ...sizeOf(image), angle: screenAngle() };
          hold.start ??= now;
          const needed = turnTo(hold.start, now, camera.facing);
          if (needed === null) {
            image.close();
            misfit ??= picture.time;
            if (picture.time - misfit > PATIENCE) {
              throw otherShape(hold.start, now);
            }
            continue;
          }
          misfit = null;
          turn = needed;
          yield { image, rotation: needed, time: hold.elapsed };
        }
      } finally {
        camera.close();
      }
    },
  };
}

function sizeOf(image: VideoFrame | ImageBitmap): { width: number; height: number } {
  return 'displayWidth' in image
    ? { width: image.displayWidth, height: image.displayHeight }
    : { width: image.width, height: image.height };
}
