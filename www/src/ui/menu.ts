// What stands beside the actions: help, model, dark or light, the panel. Icons with names for screen readers and tooltips.
import './menu.css';
import type { Action } from '../actions';
import { STRINGS, THEME_TEXT } from '../strings';
import { chooseTheme, THEME_CHOICES, themeChoice } from '../theme';
import { h, send } from './dom';
import { icon, setIcon } from './icons';

export class Menu extends HTMLElement {
  private readonly panel = this.button('settings', STRINGS.panel);
  private readonly themeIcon = icon(themeChoice());
  private readonly theme = h(
    'button',
    { type: 'button', class: 'icon-button', 'data-theme-choice': '' },
    this.themeIcon,
  );

  connectedCallback(): void {
    const models = this.button('models', STRINGS.models);
    const help = this.button('help', STRINGS.help);
    models.hidden = !customElements.get('p3r-models');
    help.hidden = !customElements.get('p3r-help');
    this.theme.addEventListener('click', () => this.nextTheme());
    this.nameTheme();
    document.addEventListener('p3r-panel', (event) => {
      this.panel.setAttribute('aria-expanded', String((event as CustomEvent<boolean>).detail));
    });
    this.replaceChildren(models, help, this.theme, this.panel);
  }

  private button(action: Action & ('help' | 'models' | 'settings'), text: string): HTMLButtonElement {
    const attributes = { type: 'button', class: 'icon-button', 'data-action': action, 'aria-label': text, title: text };
    const button = h('button', attributes, icon(action));
    button.addEventListener('click', () => send<Action>(this, 'p3r-action', action));
    return button;
  }

  private nextTheme(): void {
    const at = THEME_CHOICES.indexOf(themeChoice());
    chooseTheme(THEME_CHOICES[(at + 1) % THEME_CHOICES.length] ?? 'system');
    this.nameTheme();
  }

  private nameTheme(): void {
    const choice = themeChoice();
    setIcon(this.themeIcon, choice);
    this.theme.setAttribute('aria-label', THEME_TEXT[choice]);
    this.theme.title = THEME_TEXT[choice];
  }
}
