// The bar at the bottom: state, progress, counts. The state's text is a live region; the numbers are not, they change too often.
import './status.css';
import { formatBytes, formatCount, formatMilliseconds, formatRemaining, formatShort } from '../format';
import type { AppState, Progress } from '../store';
import { STAGE_TEXT, STATE_TEXT, STRINGS } from '../strings';
import { h, setText } from './dom';

const NUMBERS = ['frames', 'pointers', 'points', 'perFrame'] as const;

export class StatusBar extends HTMLElement {
  private readonly live = h('p', { class: 'live', role: 'status', 'aria-live': 'polite' });
  private readonly bar = h('progress', { 'aria-label': STATE_TEXT.loading });
  private readonly amount = h('span', { class: 'amount' });
  private readonly numbers = new Map(NUMBERS.map((name) => [name, h('dd', { 'data-number': name })]));

  connectedCallback(): void {
    const list = h('dl');
    for (const [name, value] of this.numbers) {
      list.append(h('div', {}, h('dt', {}, STRINGS[name]), value));
    }
    this.replaceChildren(h('div', { class: 'progress' }, this.live, this.bar, this.amount), list);
  }

  show(state: AppState): void {
    setText(this.live, liveText(state));
    this.classList.toggle('empty', state.frames === 0 && state.points === 0);
    this.number('frames', formatCount(state.frames));
    this.number('pointers', formatCount(state.pointers));
    this.number('points', formatShort(state.points), formatCount(state.points));
    this.number('perFrame', formatMilliseconds(state.msPerFrame));
    this.showProgress(state.progress, state.msPerFrame);
  }

  private number(name: (typeof NUMBERS)[number], text: string, full = text): void {
    const element = this.numbers.get(name);
    if (element) {
      setText(element, text);
      element.title = full;
    }
  }

  private showProgress(progress: Progress | null, msPerFrame: number): void {
    this.bar.hidden = progress === null;
    this.amount.hidden = progress === null;
    if (progress) {
      this.bar.setAttribute('aria-label', STAGE_TEXT[progress.stage]);
      if (progress.total > 0) {
        this.bar.max = progress.total;
        this.bar.value = progress.done;
      } else {
        this.bar.removeAttribute('value');
      }
      setText(this.amount, amountText(progress, msPerFrame));
    }
  }
}

function liveText(state: AppState): string {
  const doing = state.progress && state.state !== 'paused' ? STAGE_TEXT[state.progress.stage] : STATE_TEXT[state.state];
  return state.source ? `${doing}: ${state.source}` : doing;
}

function amountText({ stage, done, total }: Progress, msPerFrame: number): string {
  if (total === 0) {
    return '';
  }
  if (stage === 'model') {
    return `${formatBytes(done)} / ${formatBytes(total)}`;
  }
  const left = formatRemaining(total - done, msPerFrame);
  return `${done} / ${total}${left ? ` · ${left} left` : ''}`;
}
