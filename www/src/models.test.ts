import { describe, expect, test } from 'vitest';
import { weights } from './kept-models';
import { checkpointIn, fileNamed, isModelFolder, type ModelEntry, modelEntries } from './models';

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

describe('checkpoints', () => {
  const named = (...names: string[]) => checkpointIn(names.map((name) => new File([], name)));

  test('are told by their name, alone or with their config', () => {
    expect(named('point3r_512.pth')).toMatchObject({ file: { name: 'point3r_512.pth' }, config: null });
    expect(named('config.json', 'w.SAFETENSORS')).toMatchObject({ config: { name: 'config.json' } });
  });

  test('are not among pictures, folders, or several', () => {
    for (const names of [[], ['a.jpg'], ['a.pth', 'b.pth'], ['a.pth', 'a.jpg'], ['config.json']]) {
      expect(named(...names)).toBeNull();
    }
  });
});

describe('weight files of a manifest', () => {
  const sha256 = 'a'.repeat(64);

  test('are those of its shards', () => {
    const shards = [{ sha256, bytes: 7 }, { sha256: '../x', bytes: 7 }, { sha256: '' }, {}, null];
    expect(weights(JSON.stringify({ shards }))).toEqual([{ sha256, bytes: 7 }]);
  });

  test('of a text that is no manifest are none', () => {
    for (const text of ['', 'null', '[]', '{"shards":7}', 'not json']) {
      expect(weights(text)).toEqual([]);
    }
  });
});
