// A small chart of the pointer memory: how many there are after each frame, and how many the frame added and fused.
import type { PointerHistory } from '../look';
import { LOOK } from '../strings';
import { h } from './dom';

const HEIGHT = 56;

export class MemoryChart {
  readonly element = h('canvas', { class: 'chart', role: 'img', 'aria-label': LOOK.memoryChart });
  private history: PointerHistory = { times: [], pointers: [], added: [], merged: [] };
  private frame: number | null = null;

  constructor() {
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  show(history: PointerHistory): void {
    this.history = history;
    const last = history.pointers.at(-1);
    this.element.setAttribute('aria-label', last === undefined ? LOOK.memoryChart : `${LOOK.memoryChart}: ${last}`);
    this.draw();
  }

  /** Marks a frame. */
  mark(frame: number | null): void {
    if (frame !== this.frame) {
      this.frame = frame;
      this.draw();
    }
  }

  private draw(): void {
    const ratio = Math.min(window.devicePixelRatio, 2);
    const width = this.element.clientWidth;
    const context = this.element.getContext('2d');
    if (!context || width === 0) {
      return;
    }
    this.element.width = Math.round(width * ratio);
    this.element.height = Math.round(HEIGHT * ratio);
    context.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    const { pointers, added, merged } = this.history;
    const count = pointers.length;
    if (count === 0) {
      return;
    }
    const most = Math.max(...pointers, 1);
    const x = (i: number): number => (count === 1 ? width / 2 : 2 + (i / (count - 1)) * (width - 4));
    const y = (value: number): number => HEIGHT - 2 - (value / most) * (HEIGHT - 8);
    const bar = Math.max(1, Math.min(6, (width / count) * 0.6));
    for (const [i, total] of pointers.entries()) {
      const fused = merged[i] ?? 0;
      const fresh = added[i] ?? 0;
      const whole = Math.max(fused + fresh, 1);
      // A bar per frame: the share of its patches that were added (above) and fused (below).
      const height = Math.min((whole / most) * (HEIGHT - 8), HEIGHT - 8);
      context.fillStyle = style.getPropertyValue('--chart-fused');
      context.fillRect(x(i) - bar / 2, HEIGHT - 2 - (height * fused) / whole, bar, (height * fused) / whole);
      context.fillStyle = style.getPropertyValue('--chart-added');
      context.fillRect(x(i) - bar / 2, HEIGHT - 2 - height, bar, (height * fresh) / whole);
      if (i === this.frame) {
        context.fillStyle = style.getPropertyValue('--focus');
        context.fillRect(x(i) - 0.75, 0, 1.5, HEIGHT);
      }
      if (i > 0) {
        context.strokeStyle = style.getPropertyValue('--accent');
        context.lineWidth = 1.5;
        context.beginPath();
        context.moveTo(x(i - 1), y(pointers[i - 1] ?? 0));
        context.lineTo(x(i), y(total));
        context.stroke();
      }
    }
  }
}
