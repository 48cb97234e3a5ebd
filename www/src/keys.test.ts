import { expect, test, vi } from 'vitest';
import { following, press, walkDirection } from './keys';
import type { SceneView } from './session/view';
import { type AppState, INITIAL, INITIAL_VIEW, type ViewSettings } from './store';

test('held keys add up, and opposite ones cancel out', () => {
  expect(walkDirection(['KeyW', 'KeyD'])).toEqual([1, 0, 1]);
  expect(walkDirection(['KeyW', 'KeyS', 'KeyE'])).toEqual([0, -1, 0]);
  expect(walkDirection(['Space'])).toEqual([0, 0, 0]);
});

test('the last is followed by the first', () => {
  expect(following(['a', 'b', 'c'], 'c')).toBe('a');
});

function pressed(key: string, settings: Partial<ViewSettings> = {}): Partial<ViewSettings> | boolean {
  const set = vi.fn();
  const view = { settings: { ...INITIAL_VIEW, ...settings }, set } as unknown as SceneView;
  const state: AppState = { ...INITIAL, frames: 10 };
  const taken = press(key, view, state, () => {});
  return (set.mock.calls[0]?.[0] as Partial<ViewSettings> | undefined) ?? taken;
}

test('keys change what the help says, and leave others alone', () => {
  expect(pressed('3')).toEqual({ colour: 'confidence' });
  expect(pressed('9')).toBe(false);
  expect(pressed('M')).toEqual({ measuring: true });
  expect(pressed('p', { pointers: 'change' })).toEqual({ pointers: 'off' });
  expect(pressed('Tab')).toBe(false);
  expect(pressed('?')).toBe(true);
});

test('the timeline is stepped within the frames there are', () => {
  expect(pressed(',')).toEqual({ timeline: 'upto', frame: 8 });
  expect(pressed('.')).toEqual({ timeline: 'upto', frame: 9 });
  expect(pressed(',', { timeline: 'only', frame: 0 })).toEqual({ timeline: 'only', frame: 0 });
});
