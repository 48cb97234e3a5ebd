// What the user must know: untrained weights (stays for good), computing on the processor (can be dismissed), a newer
// version of the page (used when the user says so), a scan that is saved here, a model that was made here, and whatever has
// just happened.
import './notices.css';
import { formatBytes } from '../format';
import type { ModelSource } from '../models';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';
import { icon } from './icons';

export class Notices extends HTMLElement {
  private readonly untrained = notice('untrained', STRINGS.untrainedTitle, STRINGS.untrainedBody);
  private readonly software = notice('software', STRINGS.softwareTitle, STRINGS.softwareBody);

  private readonly update = notice('update', STRINGS.updateTitle, STRINGS.updateBody);
  private readonly saved = notice('saved', STRINGS.savedTitle, '');
  private readonly keptModel = notice('kept-model', STRINGS.keptModelTitle, '');
  private readonly note = notice('note', '', '');
  private keptKey = '';

  private softwareSeen = false;

  connectedCallback(): void {
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', STRINGS.notes);
    const dismiss = h(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': STRINGS.dismissNotice },
      icon('close'),
    );
    dismiss.addEventListener('click', () => {
      this.softwareSeen = true;
      this.software.hidden = true;
    });
    this.software.append(dismiss);
    const updateNow = h('button', { type: 'button' }, STRINGS.updateNow);
    updateNow.addEventListener('click', () => send(this, 'p3r-update', null));
    this.update.append(updateNow);
    const noted = h(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': STRINGS.dismissNotice },
      icon('close'),
    );
    noted.addEventListener('click', () => send(this, 'p3r-note', null));
    this.note.append(noted);
    // A live region must be there before its text is.
    this.note.setAttribute('role', 'status');
    const use = h('button', { type: 'button', 'data-kept-model': '' }, STRINGS.keptModelUse);
    use.addEventListener('click', () => send<ModelSource>(this, 'p3r-model', { kept: this.keptKey }));
    const later = h(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': STRINGS.dismissNotice },
      icon('close'),
    );
    later.addEventListener('click', () => send(this, 'p3r-model-later', null));
    this.keptModel.append(use, later);
    this.saved.append(this.savedButton('open', STRINGS.savedOpen), this.savedButton('discard', STRINGS.savedDiscard));
    this.replaceChildren(this.untrained, this.software, this.update, this.saved, this.keptModel, this.note);
  }

  private savedButton(what: 'open' | 'discard', text: string): HTMLButtonElement {
    const button = h('button', { type: 'button', 'data-saved': what }, text);
    button.addEventListener('click', () => send(this, 'p3r-saved', what));
    return button;
  }

  show({ model, device, updateReady, savedScan, note, state, keptModel, frames }: AppState): void {
    this.keptModel.hidden = keptModel === null || state !== 'ready' || frames > 0;
    if (keptModel) {
      this.keptKey = keptModel.key;
      const text = STRINGS.keptModelBody
        .replace('{name}', keptModel.name)
        .replace('{size}', formatBytes(keptModel.bytes));
      setText(textOf(this.keptModel), ` ${text}`);
    }
    this.untrained.hidden = model === null || model.trained;
    const forLackOfHardware = device?.backend === 'cpu' && device.tier !== 'hardware';
    this.software.hidden = !forLackOfHardware || this.softwareSeen;
    this.update.hidden = !updateReady;
    this.note.hidden = note === '';
    setText(textOf(this.note), note);
    this.saved.hidden = savedScan === null || state !== 'ready';
    if (savedScan) {
      const { name, frames, changed } = savedScan;
      const when = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' }).format(changed);
      const text = STRINGS.savedBody
        .replace('{name}', name)
        .replace('{frames}', String(frames))
        .replace('{when}', when);
      setText(textOf(this.saved), ` ${text}`);
    }
  }
}

function notice(kind: string, title: string, body: string): HTMLElement {
  const text = h('p', {}, h('strong', {}, title), h('span', { 'data-text': '' }, body && ` ${body}`));
  const element = h('div', { class: 'notice', 'data-notice': kind, role: 'note' }, text);
  element.hidden = true;
  return element;
}

function textOf(notice: HTMLElement): Element {
  return notice.querySelector('[data-text]') ?? notice;
}
