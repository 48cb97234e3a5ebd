import { describe, expect, test } from 'vitest';
import { byNaturalName, pickTimes } from './picking';

describe('pickTimes', () => {
  test('two per second of a 20 s video are 40 frames, the first at its start', () => {
    const times = pickTimes(0, 20, 2, 64);
    expect(times).toHaveLength(40);
    expect(times.slice(0, 3)).toEqual([0, 0.5, 1]);
    expect(times.at(-1)).toBeLessThan(20);
  });
  test('the limit wins', () => {
    expect(pickTimes(0, 20, 2, 8)).toHaveLength(8);
  });
  test('a video that does not start at zero keeps its own times', () => {
    expect(pickTimes(1.5, 3, 1, 10)).toEqual([1.5, 2.5]);
  });
  test('a video shorter than one step still gives its first frame', () => {
    expect(pickTimes(0, 0.04, 2, 10)).toEqual([0]);
    expect(pickTimes(0, 0, 2, 10)).toEqual([0]);
  });
  test('no time is past the end, whatever the rounding', () => {
    for (const rate of [0.5, 1, 3, 7, 29.97]) {
      expect(Math.max(...pickTimes(0, 10, rate, 1000))).toBeLessThan(10);
    }
  });
  test('nonsense gives no frames or one', () => {
    expect(pickTimes(0, 10, Number.NaN, 10)).toEqual([0]);
    expect(pickTimes(0, 10, 2, 0)).toEqual([]);
    expect(pickTimes(5, 1, 2, 3)).toEqual([]);
  });
});

test('images come in the order a person expects', () => {
  const names = ['frame10.jpg', 'frame2.jpg', 'Frame1.jpg'].map((name) => ({ name }));
  expect(byNaturalName(names).map(({ name }) => name)).toEqual(['Frame1.jpg', 'frame2.jpg', 'frame10.jpg']);
});
