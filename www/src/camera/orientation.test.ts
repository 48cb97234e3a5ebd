import { describe, expect, test } from 'vitest';
import { type Hold, turnTo } from './orientation';

const portrait = (angle: number): Hold => ({ width: 480, height: 640, angle });
const landscape = (angle: number): Hold => ({ width: 640, height: 480, angle });

describe('a phone that is turned during a scan', () => {
  test('needs no turn while it is held as at the start', () => {
    expect(turnTo(portrait(0), portrait(0), 'environment')).toBe(0);
    expect(turnTo(landscape(90), landscape(90), 'environment')).toBe(0);
  });
  test('gives pictures that are turned back to the start, to either side', () => {
    expect(turnTo(portrait(0), landscape(90), 'environment')).toBe(90);
    expect(turnTo(portrait(0), landscape(270), 'environment')).toBe(270);
    expect(turnTo(landscape(90), portrait(0), 'environment')).toBe(270);
    expect(turnTo(landscape(90), landscape(270), 'environment')).toBe(180);
  });
  test('turns the other way for the camera that looks at the user', () => {
    expect(turnTo(portrait(0), landscape(90), 'user')).toBe(270);
    expect(turnTo(portrait(0), landscape(270), 'user')).toBe(90);
  });
  test('is waited for while screen and camera disagree about their size', () => {
    expect(turnTo(portrait(0), { width: 1280, height: 720, angle: 90 }, 'environment')).toBeNull();
    expect(turnTo(landscape(0), { width: 1280, height: 720, angle: 0 }, 'environment')).toBeNull();
  });
});

test('a camera that does not follow the screen is left as it is', () => {
  expect(turnTo(landscape(0), landscape(90), 'environment')).toBe(0);
});

test('a picture that is suddenly upright is turned even where the screen tells nothing', () => {
  expect(turnTo(landscape(0), portrait(0), 'environment')).toBe(90);
});

test('another resolution of the same shape is no turn', () => {
  expect(turnTo(landscape(0), { width: 1280, height: 960, angle: 0 }, 'environment')).toBe(0);
});
