// Keys that steer the view besides those of the camera (`view.ts`): walking, colours, timeline, tools.
import { COLOURS, POINTERS } from './look';
import type { SceneView } from './session/view';
import type { AppState } from './store';

const WALK: Record<string, [number, number, number]> = {
  KeyW: [0, 0, 1],
  KeyS: [0, 0, -1],
  KeyA: [-1, 0, 0],
  KeyD: [1, 0, 0],
  KeyE: [0, -1, 0],
  KeyQ: [0, 1, 0],
};

/** The direction of all keys that are held: opposite ones cancel out. Keys go by their place, not by their letter. */
export function walkDirection(held: Iterable<string>): [number, number, number] {
  const sum: [number, number, number] = [0, 0, 0];
  for (const code of held) {
    for (const [i, value] of (WALK[code] ?? []).entries()) {
      sum[i as 0 | 1 | 2] += value;
    }
  }
  return sum;
}

/** The next of a list, from the start after the last. */
export function following<T>(list: readonly T[], current: T): T {
  return list[(list.indexOf(current) + 1) % list.length] ?? current;
}

/** What a key does at once; false if it does nothing. */
export function press(key: string, view: SceneView, state: AppState, help: () => void): boolean {
  const { settings } = view;
  const last = Math.max(0, state.frames - 1);
  const step = (by: number): void => {
    const from = settings.timeline === 'all' ? last : settings.frame;
    const timeline = settings.timeline === 'all' ? 'upto' : settings.timeline;
    view.set({ timeline, frame: Math.max(0, Math.min(last, from + by)) });
  };
  const colour = COLOURS[Number(key) - 1];
  if (colour) {
    view.set({ colour });
    return true;
  }
  switch (key.toLowerCase()) {
    case 'm':
      view.set({ measuring: !settings.measuring });
      return true;
    case 'p':
      view.set({ pointers: following(POINTERS, settings.pointers) });
      return true;
    case 'c':
      view.set({ cameras: !settings.cameras });
      return true;
    case ',':
      step(-1);
      return true;
    case '.':
      step(1);
      return true;
    case 'escape':
      view.set({ measuring: false, timeline: 'all' });
      return true;
    case '?':
      help();
      return true;
    default:
      return false;
  }
}

/** Listens to keys wherever they are not meant for something else. */
export function listenToKeys(viewport: HTMLElement, view: SceneView, state: () => AppState, walked: () => void): void {
  const held = new Set<string>();
  const document = viewport.ownerDocument;
  const free = (event: KeyboardEvent): boolean =>
    (event.target === viewport || event.target === document.body) &&
    !event.ctrlKey &&
    !event.metaKey &&
    !event.altKey &&
    !document.querySelector('dialog[open]');
  const walk = (hurry: boolean): void => view.walk(walkDirection(held), hurry);
  document.addEventListener('keydown', (event) => {
    if (!free(event)) {
      return;
    }
    if (event.code in WALK) {
      if (!held.has(event.code)) {
        held.add(event.code);
        walk(event.shiftKey);
        walked();
      }
      event.preventDefault();
    } else if (press(event.key, view, state(), () => help(viewport))) {
      event.preventDefault();
    }
  });
  document.addEventListener('keyup', (event) => {
    if (held.delete(event.code)) {
      walk(event.shiftKey);
    }
  });
  // Keys let go of while another window has the focus are never told.
  window.addEventListener('blur', () => {
    if (held.size > 0) {
      held.clear();
      walk(false);
    }
  });
}

function help(from: HTMLElement): void {
  from.dispatchEvent(new CustomEvent('p3r-action', { detail: 'help', bubbles: true }));
}
