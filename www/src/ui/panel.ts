// The side panel: beside the view on desktops, a sheet over its lower part on phones. Its children are its tabs; each
// says its name by `data-tab`, and one whose element is not defined has no tab. Opened and closed by the action `settings`.
import './panel.css';
import type { Action } from '../actions';
import { type PanelTab, STRINGS, TAB_TEXT } from '../strings';
import { h, send } from './dom';
import { icon } from './icons';

export class SidePanel extends HTMLElement {
  private readonly tabs = new Map<HTMLElement, HTMLButtonElement>();

  connectedCallback(): void {
    this.setAttribute('role', 'complementary');
    this.setAttribute('aria-label', STRINGS.panel);
    const list = h('div', { role: 'tablist', 'aria-label': STRINGS.panel });
    for (const [index, child] of ([...this.children] as HTMLElement[]).entries()) {
      if (customElements.get(child.localName)) {
        list.append(this.tab(child, index));
      }
    }
    const close = h(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': STRINGS.closePanel },
      icon('close'),
    );
    close.addEventListener('click', () => send<Action>(this, 'p3r-action', 'settings'));
    this.prepend(h('div', { class: 'panel-head' }, list, close));
    list.addEventListener('keydown', (event) => this.moveAlong(event));
    const first = this.tabs.keys().next().value;
    if (first) {
      this.select(first);
    }
    document.addEventListener('p3r-action', (event) => {
      if ((event as CustomEvent<Action>).detail === 'settings') {
        this.open = !this.open;
      }
    });
    this.open = matchMedia('(min-width: 60rem)').matches;
  }

  get open(): boolean {
    return !this.hidden;
  }

  set open(open: boolean) {
    this.hidden = !open;
    send(this, 'p3r-panel', open);
  }

  private tab(child: HTMLElement, index: number): HTMLButtonElement {
    child.id ||= `panel-${index}`;
    const button = h(
      'button',
      { type: 'button', role: 'tab', id: `${child.id}-tab`, 'aria-controls': child.id },
      TAB_TEXT[child.dataset.tab as PanelTab],
    );
    child.setAttribute('role', 'tabpanel');
    child.setAttribute('aria-labelledby', button.id);
    button.addEventListener('click', () => this.select(child));
    this.tabs.set(child, button);
    return button;
  }

  private select(chosen: HTMLElement): void {
    for (const [child, button] of this.tabs) {
      const selected = child === chosen;
      child.hidden = !selected;
      button.setAttribute('aria-selected', String(selected));
      button.tabIndex = selected ? 0 : -1;
    }
  }

  /** Left and right go from tab to tab, as the pattern for tabs has it. */
  private moveAlong(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const entries = [...this.tabs];
    const at = entries.findIndex(([, button]) => button === event.target);
    const next = step && at >= 0 ? entries[(at + step + entries.length) % entries.length] : undefined;
    if (next) {
      event.preventDefault();
      this.select(next[0]);
      next[1].focus();
    }
  }
}
