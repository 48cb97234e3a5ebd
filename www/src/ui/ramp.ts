// A colour scale with the values at its ends. There is one per quantity, wherever it is shown (`src/render/ramp.rs`).
import './ramp.css';
import type { ColourMode } from '../look';
import { h, setText } from './dom';

export class ColourScale {
  readonly element: HTMLElement;
  private readonly low = h('span');
  private readonly high = h('span');
  private readonly ramp = h('span', { class: 'ramp' });

  /** `label` is for screen readers. */
  constructor(label: string) {
    this.element = h('div', { class: 'legend', role: 'img', 'aria-label': label }, this.low, this.ramp, this.high);
  }

  /** Near is blue and far is red; unsure is violet and sure is yellow. */
  show(colour: Exclude<ColourMode, 'rgb'>, low: string, high: string): void {
    const turbo = colour === 'depth' || colour === 'height';
    this.ramp.className = `ramp ${turbo ? 'turbo' : 'viridis'}`;
    setText(this.low, low);
    setText(this.high, high);
  }
}
