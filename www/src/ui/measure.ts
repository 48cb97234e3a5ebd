// Measuring: what to click next, the distance, and "in truth it is ... m", which sets the scale.
import './measure.css';
import { formatLength } from '../format';
import type { AppState, ViewSettings } from '../store';
import { LOOK } from '../strings';
import { h, send, setText } from './dom';
import { icon } from './icons';

export class MeasureTool extends HTMLElement {
  private readonly text = h('p', { role: 'status', 'aria-live': 'polite' });
  private readonly input = h('input', {
    type: 'number',
    min: '0',
    step: 'any',
    inputmode: 'decimal',
    'aria-label': `${LOOK.thisIs}, ${LOOK.units}`,
  });
  private readonly form = h('form', {});
  private readonly scale = h('p', { class: 'quiet' });
  private readonly unscale = h('button', { type: 'button' }, LOOK.scaleReset);
  private missed = false;

  connectedCallback(): void {
    this.hidden = true;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-label', LOOK.measure);
    const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': LOOK.closeMeasure }, icon('close'));
    close.addEventListener('click', () => send<Partial<ViewSettings>>(this, 'p3r-view', { measuring: false }));
    this.form.append(
      h('span', {}, LOOK.thisIs),
      this.input,
      h('span', {}, LOOK.units),
      h('button', { type: 'submit' }, LOOK.setScale),
    );
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      send(this, 'p3r-length', this.input.valueAsNumber);
    });
    this.unscale.addEventListener('click', () => send(this, 'p3r-scale', 1));
    this.replaceChildren(h('div', { class: 'head' }, this.text, close), this.form, this.scale, this.unscale);
  }

  show({ view, measurement }: AppState): void {
    const { ends, distance, scale } = measurement;
    this.hidden = !view.measuring;
    const next = ends.length === 1 ? LOOK.measureSecond : LOOK.measureFirst;
    const found = distance === null ? next : `${LOOK.distance}: ${formatLength(distance)}`;
    setText(this.text, this.missed ? `${LOOK.measureMissed} ${found}` : found);
    this.form.hidden = distance === null;
    this.scale.hidden = scale === 1;
    this.unscale.hidden = scale === 1;
    setText(this.scale, `${LOOK.scaleIs}: × ${scale.toPrecision(4)}`);
  }

  /** Nothing was drawn where the user clicked. */
  showMiss(state: AppState): void {
    this.missed = true;
    this.show(state);
    this.missed = false;
  }
}
