import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatLength,
  formatMilliseconds,
  formatRemaining,
  formatSeconds,
  formatShort,
} from './format';

test('counts', () => {
  expect(formatCount(1234567)).toBe('1,234,567');
  expect([950, 12_345, 123_456, 999_960, 1_234_567].map(formatShort)).toEqual(['950', '12.3k', '123k', '1.0M', '1.2M']);
});

test('bytes', () => {
  expect([0, 512, 2048, 5 * 1024 * 1024, 27 * 1024 * 1024].map(formatBytes)).toEqual([
    '0 B',
    '512 B',
    '2.0 KiB',
    '5.0 MiB',
    '27 MiB',
  ]);
});

test('times', () => {
  expect([0, 5.26, 750.4, 12_345].map(formatMilliseconds)).toEqual(['–', '5.3 ms', '750 ms', '12.3 s']);
  expect(formatRemaining(10, 1500)).toBe('15 s');
  expect(formatRemaining(100, 1500)).toBe('2 min 30 s');
  expect(formatRemaining(0, 1500)).toBe('');
});

test('lengths read as people say them', () => {
  expect(formatLength(2.5)).toBe('2.50 m');
  expect(formatLength(0.142)).toBe('14.2 cm');
  expect(formatLength(0.0042)).toBe('4.2 mm');
  expect(formatLength(-0.5)).toBe('-50.0 cm');
  expect(formatSeconds(3.24)).toBe('3.2 s');
  expect(formatSeconds(75)).toBe('1:15');
});
