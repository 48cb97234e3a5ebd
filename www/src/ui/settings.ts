// Sliders: how frames are picked and how much memory points may take, for the next scene.
import './settings.css';
import { formatBytes, formatCount } from '../format';
import type { AppState, Settings } from '../store';
import { STRINGS } from '../strings';
import { slider } from './controls';
import { h, send } from './dom';

const MIB = 1024 * 1024;

export class SettingsPanel extends HTMLElement {
  private readonly rows = {
    rate: slider('rate', STRINGS.rate, { min: 0.5, max: 10, step: 0.5, text: String }, (rate) => this.change({ rate })),
    maxFrames: slider('maxFrames', STRINGS.maxFrames, { min: 4, max: 600, step: 4, text: formatCount }, (maxFrames) =>
      this.change({ maxFrames }),
    ),
    cloudBudget: slider(
      'cloudBudget',
      STRINGS.cloudBudget,
      {
        min: 5,
        max: 10,
        step: 1,
        toValue: (position) => 2 ** position * MIB,
        toPosition: (bytes) => Math.round(Math.log2(bytes / MIB)),
        text: formatBytes,
      },
      (cloudBudget) => this.change({ cloudBudget }),
    ),
  };

  connectedCallback(): void {
    const hint = h('p', { class: 'quiet' }, STRINGS.cloudBudgetHint);
    this.replaceChildren(...Object.values(this.rows).map(({ element }) => element), hint);
  }

  show({ settings }: AppState): void {
    for (const name of ['rate', 'maxFrames', 'cloudBudget'] as const) {
      this.rows[name].show(settings[name]);
    }
  }

  private change(change: Partial<Settings>): void {
    send(this, 'p3r-settings', change);
  }
}
