// Small choices that are remembered on this device. Where storage is switched off they last as long as the page.

const PREFIX = 'point3r-';

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Nothing to be done about it.
  }
}
