import { expect, test } from 'vitest';
import { uprightSize } from './pixels';
import { keyCommand, pinch, wheelFactor } from './view';

test('the wheel zooms in upwards, out downwards, and a turn back undoes a turn', () => {
  expect(wheelFactor(-100, 0)).toBeGreaterThan(1);
  expect(wheelFactor(-100, 0) * wheelFactor(100, 0)).toBeCloseTo(1);
  expect(wheelFactor(3, 1)).toBeCloseTo(wheelFactor(48, 0));
  expect(wheelFactor(1e9, 0)).toBeGreaterThan(0.5);
});

test('two fingers have a centre and a distance', () => {
  expect(pinch({ x: 0, y: 0 }, { x: 6, y: 8 })).toEqual({ x: 3, y: 4, distance: 10 });
});

test('keys: arrows orbit, with shift they pan, f fits, others are left alone', () => {
  expect(keyCommand('ArrowLeft', false)).toMatchObject({ view: 'orbit', dy: 0 });
  expect(keyCommand('ArrowUp', true)).toMatchObject({ view: 'pan', dx: 0 });
  expect(keyCommand('F', false)).toMatchObject({ view: 'fit' });
  expect(keyCommand('Tab', false)).toBeNull();
});

test('pictures are turned upright and bounded', () => {
  expect(uprightSize(640, 480, 0)).toEqual({ width: 640, height: 480 });
  expect(uprightSize(1920, 1080, 90)).toEqual({ width: 1080, height: 1920 });
  expect(uprightSize(8192, 4096, 0)).toEqual({ width: 2048, height: 1024 });
  expect(uprightSize(100_000, 1, 0)).toEqual({ width: 2048, height: 1 });
});
