// The memory meter: a line over the view, which opens into what takes how much.
import './meter.css';
import { formatBytes, formatCount, formatLength, formatMilliseconds, formatShort } from '../format';
import type { EngineStats } from '../protocol';
import type { AppState } from '../store';
import { LOOK } from '../strings';
import { deviceText } from './device';
import { h, setText } from './dom';

const ROWS = ['Pointers', 'Points', 'Cloud', 'Maps', 'Gpu', 'Wasm', 'Frame', 'Backend'] as const;
type Row = (typeof ROWS)[number];

export class MemoryMeter extends HTMLElement {
  private readonly short = h('span');
  private readonly rows = new Map<Row, HTMLElement>(ROWS.map((row) => [row, h('dd', { 'data-meter': row })]));
  private readonly bar = h('progress', { max: '1', 'aria-label': LOOK.meterCloud });
  private readonly fused = h('p', { class: 'fused', role: 'status' });
  private readonly details = h('details');

  connectedCallback(): void {
    this.hidden = true;
    const list = h('dl');
    for (const [row, value] of this.rows) {
      list.append(h('div', {}, h('dt', {}, LOOK[`meter${row}`]), value));
    }
    const summary = h('summary', { 'aria-label': LOOK.meter }, this.short);
    this.details.append(summary, list, this.bar);
    this.replaceChildren(this.details, this.fused);
  }

  get isOpen(): boolean {
    return this.details.open;
  }

  show({ frames, points, pointers, msPerFrame, device, state }: AppState): void {
    this.hidden = frames === 0 || state === 'unsupported';
    this.row('Pointers', formatCount(pointers));
    this.row('Points', formatCount(points));
    this.row('Frame', formatMilliseconds(msPerFrame));
    this.row('Backend', device ? `${deviceText(device)}${device.adapter ? ` (${device.adapter})` : ''}` : '');
  }

  showStats(stats: EngineStats): void {
    const { pointers, points, cloudBytes, cloudBudget, voxel, scale } = stats;
    const cloud = formatBytes(cloudBytes);
    setText(this.short, `${formatShort(pointers)} pointers · ${formatShort(points)} points · ${cloud}`);
    this.row('Cloud', cloudBudget ? `${cloud} ${LOOK.meterOf} ${formatBytes(cloudBudget)}` : cloud);
    this.row('Maps', formatBytes(stats.mapBytes));
    this.row('Gpu', formatBytes(stats.gpuBytes));
    this.row('Wasm', formatBytes(stats.wasmBytes));
    this.bar.hidden = !cloudBudget;
    this.bar.value = cloudBudget ? Math.min(1, cloudBytes / cloudBudget) : 0;
    this.fused.hidden = voxel === null;
    setText(this.fused, voxel === null ? '' : `${LOOK.meterFused} ${formatLength(voxel * scale)}`);
  }

  private row(row: Row, text: string): void {
    const element = this.rows.get(row);
    if (element) {
      setText(element, text);
    }
  }
}
