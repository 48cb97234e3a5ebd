// A scan needs someone who holds the camera: the screen stays on while it runs, and it pauses while the page is hidden.
import type { AppState, Store } from '../store';
import { WakeLock } from './wake';

export interface Pausable {
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export function watchPresence(session: Pausable, store: Store<AppState>): void {
  const lock = new WakeLock();
  store.subscribe(({ live, state }) => lock.set(live && state === 'running'));
  let paused = false;
  document.addEventListener('visibilitychange', () => {
    const { live, state } = store.get();
    if (document.hidden && live && state === 'running') {
      paused = true;
      session.pause().catch(() => {});
    } else if (!document.hidden && paused) {
      paused = false;
      if (live && state === 'paused') {
        session.resume().catch(() => {});
      }
    }
  });
}
