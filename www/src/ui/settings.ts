// Sliders: how frames are picked (for the next video) and how points are drawn (at once).
import './settings.css';
import { formatCount } from '../format';
import type { AppState, Settings } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';

interface Slider {
  name: Exclude<keyof Settings, 'camera'>;
  label: string;
  min: number;
  max: number;
  step: number;
  /** Slider position to setting, and back: confidence is logarithmic. */
  toValue(position: number): number;
  toPosition(value: number): number;
  text(value: number): string;
}

const same = (x: number): number => x;
const MAX_CONFIDENCE = 50;

const SLIDERS: Slider[] = [
  { name: 'rate', label: STRINGS.rate, min: 0.5, max: 10, step: 0.5, toValue: same, toPosition: same, text: String },
  {
    name: 'maxFrames',
    label: STRINGS.maxFrames,
    min: 4,
    max: 600,
    step: 4,
    toValue: same,
    toPosition: same,
    text: formatCount,
  },
  {
    name: 'confidence',
    label: STRINGS.confidence,
    min: 0,
    max: 100,
    step: 1,
    toValue: (position) => MAX_CONFIDENCE ** (position / 100),
    toPosition: (value) => Math.round((100 * Math.log(value)) / Math.log(MAX_CONFIDENCE)),
    text: (value) => value.toFixed(1),
  },
  {
    name: 'pointSize',
    label: STRINGS.pointSize,
    min: 0.5,
    max: 8,
    step: 0.5,
    toValue: same,
    toPosition: same,
    text: (v) => `${v} px`,
  },
];

export class SettingsPanel extends HTMLElement {
  private readonly rows = SLIDERS.map((slider) => this.row(slider));

  connectedCallback(): void {
    this.replaceChildren(...this.rows.map(({ element }) => element));
  }

  show({ settings }: AppState): void {
    for (const { slider, input, output } of this.rows) {
      const value = settings[slider.name];
      input.value = String(slider.toPosition(value));
      input.setAttribute('aria-valuetext', slider.text(value));
      setText(output, slider.text(value));
    }
  }

  private row(slider: Slider) {
    const { name, label, min, max, step } = slider;
    const input = h('input', { type: 'range', min: `${min}`, max: `${max}`, step: `${step}`, name });
    const output = h('output');
    input.addEventListener('input', () => {
      send<Partial<Settings>>(this, 'p3r-settings', { [name]: slider.toValue(input.valueAsNumber) });
    });
    const element = h('label', {}, h('span', {}, label), output, input);
    return { slider, input, output, element };
  }
}
