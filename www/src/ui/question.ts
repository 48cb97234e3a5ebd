// Asks before anything is loaded that a link names on another site, or that is large.
import './question.css';
import { FIT_TEXT, SHARE_TEXT } from '../strings';
import { h } from './dom';

export interface Question {
  address: URL;
  foreign: boolean;
  /** Null where the size is not known yet. */
  bytes: number | null;
  kind: 'scene' | 'video' | 'model';
}

const KINDS = { scene: SHARE_TEXT.questionScene, video: SHARE_TEXT.questionVideo, model: SHARE_TEXT.questionModel };

/** Holds one modal dialog while there is something to ask. */
export class QuestionDialog extends HTMLElement {
  /** What to do about something that does not fit: one of the values, or `cancel` when the dialog is closed. */
  choose<T extends string>(lead: string, choices: readonly { value: T; text: string }[]): Promise<T | 'cancel'> {
    const dialog = h('dialog', { 'aria-labelledby': 'question-title' });
    const cancel = h('button', { type: 'button' }, FIT_TEXT.cancel);
    cancel.addEventListener('click', () => dialog.close());
    const buttons = choices.map(({ value, text }) => {
      const button = h('button', { type: 'button', 'data-choice': value }, text);
      button.addEventListener('click', () => dialog.close(value));
      return button;
    });
    dialog.append(
      h('div', { class: 'dialog-head' }, h('h2', { id: 'question-title' }, FIT_TEXT.title)),
      h('div', { class: 'dialog-body' }, h('p', {}, lead), h('div', { class: 'buttons' }, ...buttons, cancel)),
    );
    this.append(dialog);
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        resolve(choices.find(({ value }) => value === dialog.returnValue)?.value ?? 'cancel');
        dialog.remove();
      });
      dialog.showModal();
      cancel.focus();
    });
  }

  /** The person's answer; closing the dialog is a no. */
  ask({ address, foreign, bytes, kind }: Question): Promise<boolean> {
    const dialog = h('dialog', { 'aria-labelledby': 'question-title' });
    const size = bytes === null ? '' : `${(bytes / 2 ** 20).toFixed(0)} MB`;
    const lead = size ? SHARE_TEXT.questionLarge(KINDS[kind], size) : SHARE_TEXT.questionForeign(KINDS[kind]);
    const no = h('button', { type: 'button' }, SHARE_TEXT.no);
    const yes = h('button', { type: 'button', class: 'primary' }, SHARE_TEXT.yes);
    dialog.append(
      h('div', { class: 'dialog-head' }, h('h2', { id: 'question-title' }, SHARE_TEXT.questionTitle)),
      h(
        'div',
        { class: 'dialog-body' },
        h('p', {}, lead),
        h('p', { class: 'host' }, address.host),
        ...(foreign ? [h('p', { class: 'quiet' }, SHARE_TEXT.questionHint)] : []),
        h('div', { class: 'buttons' }, no, yes),
      ),
    );
    this.append(dialog);
    return new Promise((resolve) => {
      no.addEventListener('click', () => dialog.close());
      yes.addEventListener('click', () => dialog.close('yes'));
      dialog.addEventListener('close', () => {
        resolve(dialog.returnValue === 'yes');
        dialog.remove();
      });
      dialog.showModal();
      no.focus();
    });
  }
}
