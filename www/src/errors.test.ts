import { describe, expect, test } from 'vitest';
import { detailOf, ERRORS, type ErrorCode, Point3rError, toPoint3rError } from './errors';

/** The closed set shared with the Rust engine. */
const SHARED = [
  'camera-denied',
  'camera-none',
  'camera-in-use',
  'camera-ended',
  'insecure-context',
  'no-webgpu',
  'not-finite',
  'no-adapter',
  'device-lost',
  'crashed',
  'model-not-found',
  'manifest-invalid',
  'shard-damaged',
  'shard-truncated',
  'tensor-shape',
  'network',
  'model-too-large',
  'storage-full',
  'no-storage',
  'unsupported-file',
  'undecodable-video',
  'damaged-file',
  'no-frames',
  'image-damaged',
  'no-camera',
  'no-maps',
  'no-surface',
  'no-encoder',
  'cancelled',
  'empty-cloud',
  'bad-request',
  'scene-damaged',
  'scene-too-large',
  'scene-empty',
  'link-refused',
  'out-of-memory',
  'busy',
] satisfies ErrorCode[];

test('every code of the shared set has an entry, and there is no other', () => {
  expect(Object.keys(ERRORS).sort()).toEqual([...SHARED].sort());
});

test.each(Object.entries(ERRORS))('%s has one sentence and one action', (_code, { sentence, action }) => {
  expect(sentence).toMatch(/^[A-Z].*\.$/);
  expect(action).toMatch(/^[A-Z]/);
});

describe('toPoint3rError', () => {
  test('keeps code and detail of what the engine threw', () => {
    const error = toPoint3rError({ code: 'shard-damaged', message: 'shard 3', action: 'Again.' }, 'network');
    expect(error).toMatchObject({ code: 'shard-damaged', detail: 'shard 3', action: ERRORS['shard-damaged'].action });
    expect(error.message).toBe(ERRORS['shard-damaged'].sentence);
  });
  test('does not trust a code it does not know, nor one of Object.prototype', () => {
    expect(toPoint3rError({ code: 'surprise', message: '' }, 'network').code).toBe('network');
    expect(toPoint3rError({ code: 'constructor', message: '' }, 'network').code).toBe('network');
  });
  test('knows a wasm trap and a failed allocation', () => {
    expect(toPoint3rError(new WebAssembly.RuntimeError('unreachable'), 'network').code).toBe('crashed');
    expect(toPoint3rError(new RangeError('too large'), 'network').code).toBe('out-of-memory');
  });
  test('leaves an error with a code alone, and takes anything', () => {
    const error = new Point3rError('busy');
    expect(toPoint3rError(error, 'network')).toBe(error);
    expect(toPoint3rError('text', 'network').detail).toBe('text');
    expect(toPoint3rError(null, 'network').code).toBe('network');
  });
});

test('a detail does not repeat the sentence', () => {
  const { sentence } = ERRORS.network;
  expect(detailOf(new Point3rError('network', `${sentence} Status 500.`))).toBe('Status 500.');
});
