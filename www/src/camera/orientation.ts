// Turning the phone in the middle of a scan. Browsers turn a camera's picture with the screen, so that it is upright; the
// memory of a reconstruction needs the camera itself: the same width and height throughout, and no sudden jump. So
// pictures are turned back to how the device was held at the start, and the path shows the roll that really happened.
import type { Rotation } from '../protocol';

export interface Hold {
  /** Size of the picture as the browser gives it. */
  width: number;
  height: number;
  /** `screen.orientation.angle`: 0, 90, 180 or 270. */
  angle: number;
}

/**
 * The clockwise turn that makes a picture taken in hold `now` one of hold `start`, or null while it cannot be one: the
 * screen has turned and the camera has not yet, or the camera has changed its resolution.
 */
export function turnTo(start: Hold, now: Hold, facing: 'environment' | 'user'): Rotation | null {
  // The device was turned counter-clockwise by the angle, as seen by the user; the front camera sees it the other way.
  const turned = quarter(facing === 'user' ? start.angle - now.angle : now.angle - start.angle);
  const lies = (hold: Hold): boolean => hold.width > hold.height;
  if (start.width === start.height && now.width === now.height) {
    return turned;
  }
  if (lies(start) === lies(now)) {
    // A camera that does not follow the screen (a webcam, a tablet's stand) needs no turning at all.
    return sameShape(start, now) ? (turned === 180 ? 180 : 0) : null;
  }
  // Across: a quarter to one side or the other; where the screen does not tell which, clockwise.
  const across = turned === 270 ? 270 : 90;
  return sameShape(start, { ...now, width: now.height, height: now.width }) ? across : null;
}

/** The same shape to 2 %: cameras round their sizes. */
function sameShape(a: Hold, b: Hold): boolean {
  return Math.abs((a.width * b.height) / (a.height * b.width) - 1) < 0.02;
}

function quarter(degrees: number): Rotation {
  return ((((Math.round(degrees / 90) * 90) % 360) + 360) % 360) as Rotation;
}

export function screenAngle(): number {
  return screen.orientation?.angle ?? 0;
}
