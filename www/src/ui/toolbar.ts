// The buttons and the page's one file input. A button stands here only if what it leads to is there.
import './toolbar.css';
import type { Action } from '../actions';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';
import { type IconName, icon, setIcon } from './icons';

const ACCEPT = 'video/mp4,video/webm,video/quicktime,image/*,.mp4,.webm,.mov,.m4v';

export class Toolbar extends HTMLElement {
  private readonly input = h('input', { type: 'file', accept: ACCEPT, multiple: '', 'aria-label': STRINGS.chooseLong });
  private readonly scan = this.button('scan', STRINGS.scan);
  private readonly demos = this.button('demos', STRINGS.demos, 'demo');
  private readonly hold = this.button('pause', STRINGS.pause);
  private readonly undo = this.button('undo', STRINGS.undo);
  private readonly stopButton = this.button('stop', STRINGS.stop);
  private readonly reset = this.button('reset', STRINGS.reset);
  private readonly save = this.button('export', customElements.get('p3r-export') ? STRINGS.export : STRINGS.exportPly);
  private readonly share = this.button('share', STRINGS.share);

  connectedCallback(): void {
    this.setAttribute('role', 'toolbar');
    this.setAttribute('aria-label', STRINGS.toolbar);
    this.scan.hidden = !customElements.get('p3r-camera');
    this.scan.classList.add('primary');
    this.demos.hidden = !customElements.get('p3r-demos');
    this.share.hidden = !customElements.get('p3r-share');
    const primary = this.scan.hidden ? 'button primary' : 'button';
    const label = h('label', { class: primary, 'data-action': 'open' }, this.input, icon('open'));
    label.append(h('span', {}, STRINGS.choose));
    const group = (...buttons: HTMLElement[]): HTMLElement => h('div', { class: 'group' }, ...buttons);
    this.replaceChildren(
      group(this.scan, label, this.demos),
      group(this.hold, this.undo, this.stopButton, this.reset),
      group(this.save, this.share),
    );
    this.input.addEventListener('change', () => this.chosen());
    document.addEventListener('p3r-action', (event) => {
      if ((event as CustomEvent<Action>).detail === 'open') {
        this.input.click();
      }
    });
  }

  show(state: AppState): void {
    const working = state.state === 'running' || state.state === 'paused';
    // After Stop, or when a saved scan was opened, it can go on with the camera.
    const continuable = state.state === 'ready' && state.continuable && !this.scan.hidden;
    const action = state.state === 'paused' || continuable ? 'resume' : 'pause';
    this.hold.dataset.action = action;
    name(this.hold, continuable ? STRINGS.continueScan : STRINGS[action], action);
    this.hold.disabled = !working && !continuable;
    this.stopButton.disabled = !working;
    this.undo.disabled = state.frames === 0 || state.opened || !(working || state.state === 'ready');
    this.reset.disabled = state.state === 'loading' || state.state === 'unsupported' || isUntouched(state);
    this.save.disabled = state.points === 0;
    this.share.disabled = state.points === 0;
    this.input.disabled = state.state === 'unsupported';
    this.scan.disabled = working || state.state === 'unsupported';
    this.demos.disabled = state.state === 'unsupported';
    // Phones have room for six buttons: what begins something else waits until this is done.
    this.classList.toggle('working', working);
    this.classList.toggle('filled', state.points > 0);
  }

  private chosen(): void {
    const files = [...(this.input.files ?? [])];
    // The same file can be chosen again.
    this.input.value = '';
    if (files.length > 0) {
      send(this, 'p3r-open', files);
    }
  }

  private button(action: Action, text: string, picture: IconName = action as IconName): HTMLButtonElement {
    const button = h('button', { type: 'button', 'data-action': action }, icon(picture), h('span', {}, text));
    button.disabled = true;
    button.addEventListener('click', () => send(this, 'p3r-action', button.dataset.action as Action));
    return button;
  }
}

function name(button: HTMLButtonElement, text: string, picture: IconName): void {
  const [drawing, words] = button.children;
  if (words && words.textContent !== text) {
    setText(words, text);
    setIcon(drawing as SVGSVGElement, picture);
  }
}

function isUntouched(state: AppState): boolean {
  return state.state === 'ready' && state.frames === 0 && state.error === null;
}
