// The last error: what happened, what to do, and the code for a report.
import './alert.css';
import { detailOf } from '../errors';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';
import { icon } from './icons';

export class ErrorAlert extends HTMLElement {
  private readonly sentence = h('strong');
  private readonly detail = h('p', { class: 'detail' });
  private readonly action = h('p');
  private readonly code = h('code');

  connectedCallback(): void {
    this.setAttribute('role', 'alert');
    this.hidden = true;
    const dismiss = h('button', { type: 'button', class: 'icon-button', 'aria-label': STRINGS.dismiss }, icon('close'));
    dismiss.addEventListener('click', () => send(this, 'p3r-dismiss', null));
    this.replaceChildren(h('div', {}, this.sentence, this.detail, this.action, this.code), dismiss);
  }

  show({ error, state }: AppState): void {
    this.hidden = error === null || state === 'unsupported';
    if (error) {
      const detail = detailOf(error);
      setText(this.sentence, error.message);
      setText(this.detail, detail);
      this.detail.hidden = detail === '';
      setText(this.action, error.action);
      setText(this.code, error.code);
    }
  }
}
