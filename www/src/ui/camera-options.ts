// Which camera the next scan takes, and at which resolution.
import './camera.css';
import { type CameraOptions, listCameras } from '../camera/camera';
import type { AppState, Settings } from '../store';
import { STRINGS } from '../strings';
import { h, send } from './dom';

const HEIGHTS = [480, 720, 1080] as const;

export class CameraOptionsPanel extends HTMLElement {
  private readonly which = h('select', { name: 'camera' });
  private readonly lines = h('select', { name: 'resolution' });
  private camera: CameraOptions = { facing: 'environment', deviceId: '', height: 720 };
  private wasLive = false;

  connectedCallback(): void {
    for (const height of HEIGHTS) {
      const text = STRINGS.resolutionLines.replace('{n}', String(height));
      this.lines.append(h('option', { value: String(height) }, text));
    }
    this.replaceChildren(
      h('label', {}, h('span', {}, STRINGS.camera), this.which),
      h('label', {}, h('span', {}, STRINGS.resolution), this.lines),
      h('p', { class: 'quiet' }, STRINGS.cameraNext),
    );
    this.which.addEventListener('change', () => this.chosen());
    this.lines.addEventListener('change', () => this.chosen());
    navigator.mediaDevices?.addEventListener('devicechange', () => this.list());
    this.list();
  }

  show({ settings, live }: AppState): void {
    this.camera = settings.camera;
    this.lines.value = String(settings.camera.height);
    this.which.value = settings.camera.deviceId || settings.camera.facing;
    // Names of cameras are told once one of them was allowed.
    if (live && !this.wasLive) {
      this.list();
    }
    this.wasLive = live;
  }

  private chosen(): void {
    const { value } = this.which;
    const facing = value === 'user' ? 'user' : 'environment';
    const deviceId = value === 'user' || value === 'environment' ? '' : value;
    const height = HEIGHTS.find((height) => String(height) === this.lines.value) ?? 720;
    send<Partial<Settings>>(this, 'p3r-settings', { camera: { facing, deviceId, height } });
  }

  private list(): void {
    listCameras()
      .catch(() => [])
      .then((cameras) => {
        const fixed = [
          h('option', { value: 'environment' }, STRINGS.cameraRear),
          h('option', { value: 'user' }, STRINGS.cameraFront),
        ];
        const named = cameras.map(({ id, name }, i) =>
          h('option', { value: id }, name || STRINGS.cameraOther.replace('{n}', String(i + 1))),
        );
        this.which.replaceChildren(...fixed, ...named);
        this.which.value = this.camera.deviceId || this.camera.facing;
      });
  }
}
