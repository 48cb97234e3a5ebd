import type { WasmModule } from 'point3r-wasm';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EngineHost, type HostPort } from './host';
import type { FromWorker, Request } from './protocol';
import { MemoryFolder } from './testing/log-folder';
import init, { CheckpointReader, Engine } from './testing/mock-engine';

const MANIFEST = {
  name: 'double',
  licence: 'none',
  trained: false,
  tensors: [{ shape: [2, 3] }],
  shards: [{ file: 'weights.bin', bytes: 100, sha256: '' }],
};

/** What `toRgba` needs of a `VideoFrame`. */
function frame(): VideoFrame {
  return {
    visibleRect: { width: 4, height: 2 },
    displayWidth: 4,
    displayHeight: 2,
    allocationSize: () => 32,
    copyTo: async () => [],
    close: vi.fn(),
  } as unknown as VideoFrame;
}

let host: EngineHost;
let engine: Engine;
let said: FromWorker[];
let nextId: number;
let folder: MemoryFolder;
let aSecondPasses: () => void;

async function ask(call: Request['call'], args: unknown): Promise<FromWorker | undefined> {
  const id = nextId++;
  await host.receive({ type: 'call', id, call, args } as Request);
  return said.find((message) => 'id' in message && message.id === id);
}

const push = () => ask('push', { image: frame(), rotation: 0, time: 0 });

beforeEach(async () => {
  said = [];
  nextId = 1;
  engine = new Engine(undefined, 'cpu');
  const module: WasmModule = {
    default: init,
    Engine: { create: async () => engine, packScene: Engine.packScene },
    CheckpointReader,
  };
  const port: HostPort = {
    post: (message) => void said.push(message),
    nextFrame: () => {},
    everySecond: (callback) => {
      aSecondPasses = callback;
    },
  };
  folder = new MemoryFolder();
  host = new EngineHost(port, async () => module, folder);
  await ask('create', { canvas: undefined, device: 'cpu' });
});
afterEach(() => vi.unstubAllGlobals());

function serve(files: Record<string, BodyInit>): void {
  vi.stubGlobal('fetch', async (url: string) => {
    const body = files[new URL(url).pathname];
    return body === undefined ? new Response('', { status: 404 }) : new Response(body);
  });
}

test('a lost graphics device is told once, without being asked', () => {
  const error = { code: 'device-lost', message: 'gone', action: 'reset' } as const;
  aSecondPasses();
  expect(said.filter(({ type }) => type === 'lost')).toEqual([]);
  const stats = engine.stats();
  vi.spyOn(engine, 'stats').mockReturnValue({ ...stats, error });
  aSecondPasses();
  aSecondPasses();
  expect(said.filter(({ type }) => type === 'lost')).toEqual([{ type: 'lost', error }]);
});

describe('loading a model', () => {
  const load = () => ask('loadModel', { url: 'https://site.test/m/manifest.json' });

  test('reports bytes and answers with the model', async () => {
    serve({ '/m/manifest.json': JSON.stringify(MANIFEST), '/m/weights.bin': new Uint8Array(100) });
    expect(await load()).toMatchObject({ type: 'answer', value: { name: 'double', trained: false } });
    expect(said.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({ done: 100, total: 100 });
  });

  const far = { ...MANIFEST, shards: [{ file: 'https://elsewhere.test/x', bytes: 1, sha256: '' }] };
  const lying = { ...MANIFEST, tensors: [{ shape: [9, 9] }] };
  const whole = JSON.stringify(MANIFEST);
  const cases: [string, Record<string, BodyInit>, string][] = [
    ['absent', {}, 'model-not-found'],
    ['without its shard', { '/m/manifest.json': whole }, 'model-not-found'],
    ['cut', { '/m/manifest.json': whole, '/m/weights.bin': new Uint8Array(60) }, 'shard-truncated'],
    ['longer than announced', { '/m/manifest.json': whole, '/m/weights.bin': new Uint8Array(101) }, 'shard-damaged'],
    ['nonsense', { '/m/manifest.json': '{' }, 'manifest-invalid'],
    ['lying about shapes', { '/m/manifest.json': JSON.stringify(lying) }, 'tensor-shape'],
    ['pointing elsewhere', { '/m/manifest.json': JSON.stringify(far) }, 'manifest-invalid'],
  ];
  test.each(cases)('a model that is %s is refused, and the cloud is still exported', async (_name, files, code) => {
    await push();
    serve(files);
    expect(await load()).toMatchObject({ type: 'refusal', error: { code } });
    expect(await ask('export', { format: 'ply' })).toMatchObject({ type: 'answer' });
  });
});

describe('frames', () => {
  test('come back with their report and the counts', async () => {
    expect(await push()).toMatchObject({ type: 'answer', value: { report: { index: 0 }, stats: { frames: 1 } } });
  });
  test('are taken one at a time', async () => {
    const first = push();
    expect(await push()).toMatchObject({ type: 'refusal', error: { code: 'busy' } });
    expect(await first).toMatchObject({ type: 'answer' });
  });
});

describe('what is saved of a scan', () => {
  /** The log's records: 0 the beginning, frames by 10 plus their position, 100 plus what an undo left, 99 a scale. */
  const saved = (): number[] => {
    const bytes = folder.files.get('a') ?? new Uint8Array();
    return Array.from({ length: bytes.length / 24 }, (_, i) => bytes[24 * i] ?? -1);
  };
  beforeEach(async () => {
    vi.spyOn(engine, 'frameRecord').mockImplementation((at) =>
      at < engine.stats().frames ? new Uint8Array(24).fill(10 + at) : undefined,
    );
    await ask('start', { save: { id: 'a', name: 'Scan', began: 0 } });
  });

  test('is every frame once, also when an undo was asked for while it was computed', async () => {
    await push();
    await push();
    const third = push();
    const undone = ask('undo', { frames: 1 });
    expect(await third).toMatchObject({ type: 'answer', value: { stats: { frames: 3 } } });
    expect(await undone).toMatchObject({ type: 'answer', value: { frames: 2 } });
    expect(saved()).toEqual([0, 10, 11, 12, 102]);
  });

  test('is the scale that the user set', async () => {
    await push();
    await ask('setScale', { scale: 2 });
    expect(saved()).toEqual([0, 10, 99]);
  });
});

describe('after a panic', () => {
  const trap = (): never => {
    throw new WebAssembly.RuntimeError('unreachable');
  };

  test('the cloud is exported from the copy when the engine cannot', async () => {
    await push();
    const ply = engine.export('ply');
    vi.spyOn(engine, 'push').mockImplementation(trap);
    vi.spyOn(engine, 'export').mockImplementation(trap);
    expect(await push()).toMatchObject({ type: 'refusal', error: { code: 'crashed' } });
    expect(said.filter(({ type }) => type === 'crashed')).toHaveLength(1);
    expect(await ask('export', { format: 'ply' })).toMatchObject({ type: 'answer', value: ply });
    expect(await ask('export', { format: 'ply' })).toMatchObject({ type: 'answer', value: ply });
    expect(await ask('start', {})).toMatchObject({ type: 'refusal', error: { code: 'crashed' } });
  });

  test('the engine is asked first, because it may know more', async () => {
    await push();
    host.noticePanic(new WebAssembly.RuntimeError('unreachable'));
    const exported = vi.spyOn(engine, 'export');
    expect(await ask('export', { format: 'tum' })).toMatchObject({ type: 'answer' });
    expect(exported).toHaveBeenCalledTimes(1);
  });

  test('an ordinary error is not a panic', async () => {
    host.noticePanic(new TypeError('x'));
    expect(await ask('stats', {})).toMatchObject({ type: 'answer' });
  });
});
