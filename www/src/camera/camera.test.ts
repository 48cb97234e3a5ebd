import { expect, test } from 'vitest';
import { cameraError } from './camera';

test.each([
  ['NotAllowedError', 'camera-denied'],
  ['NotFoundError', 'camera-none'],
  ['OverconstrainedError', 'camera-none'],
  ['NotReadableError', 'camera-in-use'],
  ['AbortError', 'camera-in-use'],
  ['SecurityError', 'insecure-context'],
  ['SomethingNew', 'camera-none'],
])('%s is %s', (name, code) => {
  const error = cameraError(new DOMException('x', name));
  expect(error.code).toBe(code);
  expect(error.action.length).toBeGreaterThan(10);
});

test('what is no error at all still has a code', () => {
  expect(cameraError(undefined).code).toBe('camera-none');
});
