// Mouse, touch and keys of the small viewer: drag orbits, right or shift drag or two fingers pan, wheel or pinch zooms,
// F or a double click shows everything.
import type { Orbit } from './orbit';

const KEY_STEP = 24;

export function control(canvas: HTMLCanvasElement, orbit: Orbit, fit: () => void, changed: () => void): void {
  const spots = new Map<number, { x: number; y: number }>();
  const pan = (dx: number, dy: number): void => orbit.pan(dx, dy, canvas.clientHeight);

  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    spots.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = spots.get(event.pointerId);
    if (!before) {
      return;
    }
    const now = { x: event.clientX, y: event.clientY };
    const other = [...spots].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (spot: { x: number; y: number }): number => Math.hypot(spot.x - other.x, spot.y - other.y);
      // The middle of two fingers moves half as far as one of them.
      pan((now.x - before.x) / 2, (now.y - before.y) / 2);
      orbit.zoom(apart(now) / Math.max(1, apart(before)));
    } else if (event.shiftKey || (event.buttons & 0b110) !== 0) {
      pan(now.x - before.x, now.y - before.y);
    } else {
      orbit.orbit(now.x - before.x, now.y - before.y);
    }
    spots.set(event.pointerId, now);
    changed();
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(end, (event) => spots.delete(event.pointerId));
  }
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
      orbit.zoom(Math.exp(-Math.max(-300, Math.min(300, pixels)) * 0.0015));
      changed();
    },
    { passive: false },
  );
  canvas.addEventListener('contextmenu', (event) => event.preventDefault());
  canvas.addEventListener('dblclick', fit);
  canvas.addEventListener('keydown', (event) => {
    const move = event.shiftKey ? pan : (dx: number, dy: number): void => orbit.orbit(dx, dy);
    const keys: Record<string, () => void> = {
      ArrowLeft: () => move(-KEY_STEP, 0),
      ArrowRight: () => move(KEY_STEP, 0),
      ArrowUp: () => move(0, -KEY_STEP),
      ArrowDown: () => move(0, KEY_STEP),
      '+': () => orbit.zoom(1.15),
      '=': () => orbit.zoom(1.15),
      '-': () => orbit.zoom(1 / 1.15),
      f: fit,
      F: fit,
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (action) {
      event.preventDefault();
      action();
      changed();
    }
  });
}
