// The camera of a scan: opened, replaced when it was unplugged, and let go of.
import { Camera, type CameraOptions } from '../camera/camera';
import { type LiveSource, liveSource, type ScanHold } from '../camera/live';
import { screenAngle } from '../camera/orientation';

export class LiveCamera {
  camera: Camera | null = null;
  source: LiveSource | null = null;
  private hold: ScanHold = { start: null, elapsed: 0 };
  private readonly changed: (camera: Camera | null) => void;
  private readonly name: string;

  constructor(name: string, changed: (camera: Camera | null) => void) {
    this.name = name;
    this.changed = changed;
  }

  /** A camera's frames for a new scan, or for one whose last frame is known. */
  async begin(
    options: CameraOptions,
    last?: { time: number; width: number; height: number } | null,
  ): Promise<LiveSource> {
    const start = last && { width: last.width, height: last.height, angle: screenAngle() };
    return this.open(options, { start: start ?? null, elapsed: last ? last.time + 0.1 : 0 });
  }

  /** Another camera for the same scan. */
  async again(options: CameraOptions): Promise<LiveSource> {
    return this.open(options, this.hold);
  }

  close(): void {
    this.source?.close();
    this.take(null, null);
  }

  private async open(options: CameraOptions, hold: ScanHold): Promise<LiveSource> {
    const camera = await Camera.open(options);
    this.source?.close();
    this.hold = hold;
    const source = liveSource(camera, hold, this.name);
    this.take(camera, source);
    camera.ended.then(() => {
      if (this.camera === camera) {
        this.take(null, null);
      }
    });
    return source;
  }

  private take(camera: Camera | null, source: LiveSource | null): void {
    this.camera = camera;
    this.source = source;
    this.changed(camera);
  }
}
