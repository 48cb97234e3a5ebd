// The device's camera: opened with what the user prefers, its failures named, its newest picture on demand.
import { Point3rError } from '../errors';
import { LatestFrame } from './latest';

export interface CameraOptions {
  /** `environment` is the rear camera of phones. A `deviceId` from `listCameras` comes first. */
  facing: 'environment' | 'user';
  deviceId: string;
  /** Lines of the picture that are asked for; the camera may give others. */
  height: 480 | 720 | 1080;
}

/** What the torch adds to the standard's capabilities. */
interface TorchCapabilities extends MediaTrackCapabilities {
  torch?: boolean;
}

export class Camera {
  readonly stream: MediaStream;
  readonly name: string;
  readonly facing: CameraOptions['facing'];
  readonly frames: LatestFrame;
  /** Fulfilled when the camera stops by itself: unplugged, taken by the system, permission withdrawn. */
  readonly ended: Promise<void>;
  private readonly track: MediaStreamTrack;

  private constructor(stream: MediaStream, track: MediaStreamTrack, facing: CameraOptions['facing']) {
    this.stream = stream;
    this.track = track;
    this.name = track.label;
    this.facing = facing;
    this.frames = new LatestFrame(track, stream);
    this.ended = new Promise((resolve) => {
      track.addEventListener('ended', () => {
        this.frames.close();
        resolve();
      });
    });
  }

  /** Asks for permission if need be. Rejects with a named error. */
  static async open(options: CameraOptions): Promise<Camera> {
    if (!window.isSecureContext) {
      throw new Point3rError('insecure-context');
    }
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Point3rError('camera-none', 'This browser gives pages no camera.');
    }
    const size = { height: { ideal: options.height }, width: { ideal: Math.round((options.height * 4) / 3) } };
    const which = options.deviceId ? { deviceId: { exact: options.deviceId } } : { facingMode: options.facing };
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { ...which, ...size, frameRate: { ideal: 30 } },
      });
    } catch (thrown) {
      throw cameraError(thrown);
    }
    const [track] = stream.getVideoTracks();
    if (!track || track.readyState === 'ended') {
      throw new Point3rError('camera-none');
    }
    const facing = track.getSettings().facingMode === 'user' ? 'user' : 'environment';
    return new Camera(stream, track, facing);
  }

  get hasTorch(): boolean {
    const capabilities: TorchCapabilities = this.track.getCapabilities?.() ?? {};
    return capabilities.torch === true;
  }

  /** Resolves to whether the torch is as asked for. */
  async setTorch(on: boolean): Promise<boolean> {
    try {
      await this.track.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.frames.close();
    for (const track of this.stream.getTracks()) {
      track.stop();
    }
  }
}

/** The cameras there are. Their names are empty until the user has allowed one of them. */
export async function listCameras(): Promise<{ id: string; name: string }[]> {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  return devices
    .filter(({ kind, deviceId }) => kind === 'videoinput' && deviceId !== '')
    .map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

/** What `getUserMedia` throws, by the names of its specification. */
export function cameraError(thrown: unknown): Point3rError {
  const { name = '', message = '' } = thrown instanceof Object ? (thrown as { name?: string; message?: string }) : {};
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      return new Point3rError('camera-denied');
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return new Point3rError('camera-none');
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return new Point3rError('camera-in-use', message);
    case 'SecurityError':
    case 'TypeError':
      return new Point3rError('insecure-context', message);
    default:
      return new Point3rError('camera-none', message || String(thrown));
  }
}
