import { describe, expect, test } from 'vitest';
import { hashes } from './model-cache';
import { fileNamed, isModelFolder, type ModelEntry, modelEntries } from './models';

const ENTRY: ModelEntry = {
  manifest: 'default/manifest.json',
  name: 'small',
  licence: 'MIT',
  source: '',
  trained: true,
  parameters: 14e6,
  bytes: 27e6,
  memoryMib: 54,
};

describe('the index of models', () => {
  test('gives its entries and leaves out what is none', () => {
    const { name: _, ...nameless } = ENTRY;
    const models = [ENTRY, nameless, { ...ENTRY, bytes: 'many' }, { ...ENTRY, trained: 1 }, null, 'small'];
    expect(modelEntries({ models })).toEqual([ENTRY]);
  });

  test('that is something else gives none', () => {
    for (const index of [null, undefined, [], 'models', { models: {} }, 7]) {
      expect(modelEntries(index)).toEqual([]);
    }
  });
});

describe('files', () => {
  const file = (name: string): File => new File([], name);

  test('are a model folder when a manifest is among them', () => {
    expect(isModelFolder([file('manifest.json'), file('model-00001.safetensors')])).toBe(true);
    expect(isModelFolder([file('1.jpg'), file('2.jpg')])).toBe(false);
  });

  test('that are missing have an error that says which', () => {
    expect(() => fileNamed([file('manifest.json')], 'model-00001.safetensors')).toThrow(
      expect.objectContaining({ code: 'model-not-found', detail: expect.stringContaining('model-00001') }),
    );
  });
});

describe('hashes of a manifest', () => {
  test('are those of its shards', () => {
    expect(hashes('{"shards":[{"sha256":"a"},{"sha256":"b"},{"sha256":""},{},null]}')).toEqual(['a', 'b']);
  });

  test('of a text that is no manifest are none', () => {
    for (const text of ['', 'null', '[]', '{"shards":7}', 'not json']) {
      expect(hashes(text)).toEqual([]);
    }
  });
});
