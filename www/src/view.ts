// Turns mouse, touch and keys on the canvas into camera commands: one finger or left drag orbits, two fingers or right or
// shift drag pan, pinch or wheel zooms, double click or F fits. A press that is no drag is a click.
import type { ViewCommand } from './protocol';

type Send = (command: ViewCommand) => void;
interface Spot {
  x: number;
  y: number;
}

const KEY_STEP = 24;
const ZOOM_STEP = 1.15;

/** Centre of and distance between two fingers. */
export function pinch(a: Spot, b: Spot): { x: number; y: number; distance: number } {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.hypot(a.x - b.x, a.y - b.y) };
}

/** The zoom factor of a wheel event: above 1 comes closer. */
export function wheelFactor(deltaY: number, deltaMode: number): number {
  const pixels = deltaY * (deltaMode === 1 ? 16 : deltaMode === 2 ? 400 : 1);
  return Math.exp(-Math.max(-300, Math.min(300, pixels)) * 0.0015);
}

/** What a key means for the camera. */
export function keyCommand(key: string, shift: boolean): ViewCommand | null {
  const move = (dx: number, dy: number): ViewCommand => ({ type: 'view', view: shift ? 'pan' : 'orbit', dx, dy });
  switch (key) {
    case 'ArrowLeft':
      return move(-KEY_STEP, 0);
    case 'ArrowRight':
      return move(KEY_STEP, 0);
    case 'ArrowUp':
      return move(0, -KEY_STEP);
    case 'ArrowDown':
      return move(0, KEY_STEP);
    case '+':
    case '=':
      return { type: 'view', view: 'zoom', factor: ZOOM_STEP };
    case '-':
      return { type: 'view', view: 'zoom', factor: 1 / ZOOM_STEP };
    case 'f':
    case 'F':
      return { type: 'view', view: 'fit' };
    default:
      return null;
  }
}

/** Further than this, or longer, and a press is a drag: CSS pixels, milliseconds. */
const CLICK_REACH = 6;
const CLICK_MS = 500;

/** Listens on the element that holds the canvas. `click` is told where a press did not become a drag. */
export function steer(element: HTMLElement, send: Send, click: (x: number, y: number) => void = () => {}): void {
  const pointers = new Map<number, Spot>();
  let pressed: (Spot & { id: number; at: number }) | null = null;

  const drag = (event: PointerEvent, before: Spot): void => {
    const dx = event.clientX - before.x;
    const dy = event.clientY - before.y;
    const pans = event.shiftKey || (event.buttons & 0b110) !== 0;
    send({ type: 'view', view: pans ? 'pan' : 'orbit', dx, dy });
  };

  const twoFingers = (event: PointerEvent, before: Spot): void => {
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) {
      return;
    }
    const was = pinch(before, other);
    const is = pinch({ x: event.clientX, y: event.clientY }, other);
    send({ type: 'view', view: 'pan', dx: is.x - was.x, dy: is.y - was.y });
    if (was.distance > 0 && is.distance > 0) {
      send({ type: 'view', view: 'zoom', factor: is.distance / was.distance });
    }
  };

  element.addEventListener('pointerdown', (event) => {
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const alone = pointers.size === 1 && event.button === 0;
    pressed = alone ? { id: event.pointerId, x: event.clientX, y: event.clientY, at: event.timeStamp } : null;
  });
  element.addEventListener('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    const held = pressed && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < CLICK_REACH;
    if (before && !held) {
      pressed = null;
      (pointers.size === 1 ? drag : twoFingers)(event, before);
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    }
  });
  element.addEventListener('pointerup', (event) => {
    if (pressed?.id === event.pointerId && event.timeStamp - pressed.at < CLICK_MS) {
      const { left, top } = element.getBoundingClientRect();
      click(pressed.x - left, pressed.y - top);
    }
    pressed = null;
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    element.addEventListener(end, (event) => pointers.delete(event.pointerId));
  }
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      send({ type: 'view', view: 'zoom', factor: wheelFactor(event.deltaY, event.deltaMode) });
    },
    { passive: false },
  );
  element.addEventListener('contextmenu', (event) => event.preventDefault());
  element.addEventListener('dblclick', () => send({ type: 'view', view: 'fit' }));
  // F works from anywhere, the other keys where the view has the focus: sliders need the arrows too.
  element.ownerDocument.addEventListener('keydown', (event) => {
    const here = event.target === element || /^f$/i.test(event.key);
    const command =
      !here || event.ctrlKey || event.metaKey || event.altKey ? null : keyCommand(event.key, event.shiftKey);
    if (command) {
      event.preventDefault();
      send(command);
    }
  });
}
