// Labelled controls of the panels: a slider, a choice, a switch. Each knows how to show a value and tells of a change.
import './controls.css';
import { h, setText } from './dom';

export interface Control<T> {
  element: HTMLElement;
  show(value: T): void;
}

export interface SliderRange {
  min: number;
  max: number;
  step: number;
  /** Slider position to value, and back; absent: the same. */
  toValue?: (position: number) => number;
  toPosition?: (value: number) => number;
  text(value: number): string;
}

export function slider(
  name: string,
  label: string,
  range: SliderRange,
  changed: (value: number) => void,
): Control<number> {
  const { min, max, step, toValue = (x) => x, toPosition = (x) => x, text } = range;
  // The label's first labelable element is the output: the input needs a name of its own.
  const limits = { min: `${min}`, max: `${max}`, step: `${step}` };
  const input = h('input', { type: 'range', ...limits, name, 'aria-label': label });
  const output = h('output', { 'aria-hidden': 'true' });
  input.addEventListener('input', () => changed(toValue(input.valueAsNumber)));
  const element = h('div', { class: 'control slider' }, h('span', { 'aria-hidden': 'true' }, label), output, input);
  return {
    element,
    show(value) {
      input.value = String(toPosition(value));
      input.setAttribute('aria-valuetext', text(value));
      setText(output, text(value));
    },
  };
}

export function choice<T extends string>(
  name: string,
  label: string,
  texts: Readonly<Record<T, string>>,
  changed: (value: T) => void,
): Control<T> {
  const options = Object.entries<string>(texts).map(([value, text]) => h('option', { value }, text));
  const select = h('select', { name }, ...options);
  select.addEventListener('change', () => changed(select.value as T));
  const element = h('label', { class: 'control choice' }, h('span', {}, label), select);
  return {
    element,
    show(value) {
      select.value = value;
    },
  };
}

export function toggle(name: string, label: string, changed: (on: boolean) => void): Control<boolean> {
  const input = h('input', { type: 'checkbox', name });
  input.addEventListener('change', () => changed(input.checked));
  const element = h('label', { class: 'control toggle' }, input, h('span', {}, label));
  return {
    element,
    show(on) {
      input.checked = on;
    },
  };
}

/** One of a few, all visible. */
export function segments<T extends string>(
  name: string,
  label: string,
  texts: Readonly<Record<T, string>>,
  changed: (value: T) => void,
): Control<T> {
  const inputs = new Map<string, HTMLInputElement>();
  const element = h('div', { class: 'segments', role: 'radiogroup', 'aria-label': label });
  for (const [value, text] of Object.entries<string>(texts)) {
    const input = h('input', { type: 'radio', name, value });
    input.addEventListener('change', () => changed(value as T));
    inputs.set(value, input);
    element.append(h('label', {}, input, h('span', {}, text)));
  }
  return {
    element,
    show(value) {
      const input = inputs.get(value);
      if (input) {
        input.checked = true;
      }
    },
  };
}
