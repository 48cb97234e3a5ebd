// Dark or light: the system's choice unless the user has made one. The choice is an attribute of the root element
// (`theme.js` sets it before the first paint) and is remembered on this device.
import { remember } from './remembered';

export type Scheme = 'dark' | 'light';
export type ThemeChoice = 'system' | Scheme;

export const THEME_CHOICES: readonly ThemeChoice[] = ['system', 'dark', 'light'];

const light = matchMedia('(prefers-color-scheme: light)');
const listeners = new Set<(scheme: Scheme) => void>();

export function themeChoice(): ThemeChoice {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'dark' || chosen === 'light' ? chosen : 'system';
}

/** What is on screen. */
export function scheme(): Scheme {
  const choice = themeChoice();
  return choice === 'system' ? (light.matches ? 'light' : 'dark') : choice;
}

export function chooseTheme(choice: ThemeChoice): void {
  if (choice === 'system') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = choice;
  }
  // `www/public/theme.js` reads it.
  remember('theme', choice);
  tell();
}

/** Called with the scheme whenever it changes, by the user or by the system. */
export function onScheme(listener: (scheme: Scheme) => void): void {
  listeners.add(listener);
}

function tell(): void {
  for (const listener of listeners) {
    listener(scheme());
  }
}

light.addEventListener('change', tell);
