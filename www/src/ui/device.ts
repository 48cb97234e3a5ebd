// Where the network runs, in a few words beside the title.
import './device.css';
import type { DeviceReport } from '../protocol';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { setText } from './dom';

export class DeviceChip extends HTMLElement {
  show({ device }: AppState): void {
    this.hidden = device === null;
    if (device) {
      setText(this, deviceText(device));
      this.title = [device.adapter, device.note].filter(Boolean).join(' · ');
      this.dataset.tier = device.tier;
    }
  }
}

export function deviceText(device: DeviceReport): string {
  const where = device.backend === 'gpu' ? STRINGS.gpuHardware : STRINGS.cpu;
  return device.tier === 'software' ? `${where}, ${STRINGS.softwareAdapter}` : where;
}
