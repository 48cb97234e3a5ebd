// The buttons and the page's one file input.
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';

export type Action = 'pause' | 'resume' | 'stop' | 'reset' | 'export';

const ACCEPT = 'video/mp4,video/webm,video/quicktime,image/*,.mp4,.webm,.mov,.m4v';

export class Toolbar extends HTMLElement {
  private readonly input = h('input', { type: 'file', accept: ACCEPT, multiple: '', 'aria-label': STRINGS.chooseLong });
  private readonly hold = this.button('pause', STRINGS.pause);
  private readonly stopButton = this.button('stop', STRINGS.stop);
  private readonly reset = this.button('reset', STRINGS.reset);
  private readonly save = this.button('export', STRINGS.exportPly);

  connectedCallback(): void {
    this.setAttribute('role', 'toolbar');
    this.setAttribute('aria-label', STRINGS.toolbar);
    const label = h('label', { class: 'button primary' }, this.input, h('span', {}, STRINGS.choose));
    this.replaceChildren(label, this.hold, this.stopButton, this.reset, this.save);
    this.input.addEventListener('change', () => this.chosen());
  }

  show(state: AppState): void {
    const working = state.state === 'running' || state.state === 'paused';
    const action: Action = state.state === 'paused' ? 'resume' : 'pause';
    this.hold.dataset.action = action;
    setText(this.hold, STRINGS[action]);
    this.hold.disabled = !working;
    this.stopButton.disabled = !working;
    this.reset.disabled = state.state === 'loading' || state.state === 'unsupported' || isUntouched(state);
    this.save.disabled = state.points === 0;
    this.input.disabled = state.state === 'unsupported';
  }

  private chosen(): void {
    const files = [...(this.input.files ?? [])];
    // The same file can be chosen again.
    this.input.value = '';
    if (files.length > 0) {
      send(this, 'p3r-open', files);
    }
  }

  private button(action: Action, text: string): HTMLButtonElement {
    const button = h('button', { type: 'button', 'data-action': action }, text);
    button.disabled = true;
    button.addEventListener('click', () => send(this, 'p3r-action', button.dataset.action as Action));
    return button;
  }
}

function isUntouched(state: AppState): boolean {
  return state.state === 'ready' && state.frames === 0 && state.error === null;
}
