// The base of every dialog of the page: a native modal `<dialog>` with a title and a close button, which opens when the
// action of its name is dispatched (`p3r-action`), and gives the focus back to where it was.
import './dialog.css';
import type { Action } from '../actions';
import { STRINGS } from '../strings';
import { h } from './dom';
import { icon } from './icons';

/** A custom element that holds one dialog. Subclasses say which action opens it and fill `body`. */
export abstract class DialogElement extends HTMLElement {
  protected abstract readonly opensOn: Action;
  protected abstract readonly heading: string;
  /** What scrolls between title and edge: fill it in `fill`. */
  protected readonly body = h('div', { class: 'dialog-body', tabindex: '0' });
  private readonly dialog = h('dialog');

  connectedCallback(): void {
    const title = h('h2', { id: `${this.localName}-title` }, this.heading);
    const close = h('button', { type: 'button', class: 'icon-button', 'aria-label': STRINGS.close }, icon('close'));
    close.addEventListener('click', () => this.close());
    this.dialog.setAttribute('aria-labelledby', title.id);
    this.dialog.append(h('div', { class: 'dialog-head' }, title, close), this.body);
    // A click on the backdrop hits the dialog itself; its content covers the rest.
    this.dialog.addEventListener('click', (event) => {
      if (event.target === this.dialog) {
        this.close();
      }
    });
    this.dialog.addEventListener('close', () => this.closed());
    document.addEventListener('p3r-action', (event) => {
      if ((event as CustomEvent<Action>).detail === this.opensOn) {
        this.open();
      }
    });
    this.replaceChildren(this.dialog);
    this.fill();
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }

  open(): void {
    if (!this.dialog.open) {
      this.opening();
      this.dialog.showModal();
    }
  }

  close(): void {
    this.dialog.close();
  }

  /** Builds the content, once. */
  protected abstract fill(): void;

  /** Called before the dialog is shown, to bring its content up to date. */
  protected opening(): void {}

  /** Called when the dialog has been closed, however that came about. */
  protected closed(): void {}
}
