import { beforeEach, expect, test, vi } from 'vitest';
import type { Engine } from '../engine';
import { Point3rError } from '../errors';
import { type AppState, INITIAL, Store } from '../store';
import { Core } from './core';
import { Recovery } from './recovery';
import type { SessionParts } from './types';

const LOST = new Point3rError('device-lost');

function engine(records: number) {
  const taken: number[] = [];
  const calls: string[] = [];
  const note = (name: string) =>
    vi.fn(async () => {
      calls.push(name);
    });
  return {
    taken,
    calls,
    record: async (position: number) => (position < records ? new Uint8Array([position + 1]) : undefined),
    restore: async (record: Uint8Array) => void taken.push(record[0] ?? -1),
    continueScan: note('continueScan'),
    start: note('start'),
    pause: note('pause'),
    openSaved: note('openSaved'),
    resumeLog: note('resumeLog'),
    dispose: vi.fn(() => void calls.push('dispose')),
  };
}

let core: Core;
let old: ReturnType<typeof engine>;

beforeEach(() => {
  vi.useFakeTimers();
  core = new Core({ store: new Store<AppState>(INITIAL), model: { url: 'm' } } as SessionParts);
  old = engine(3);
  core.engine = old as unknown as Engine;
  core.saved = { id: 'scan.p3rlog', name: 'Scan', began: 1 };
});

function recovery(made: ReturnType<typeof engine> | Error, blind?: ReturnType<typeof engine>) {
  const giveUp = vi.fn();
  const make = vi.fn(async (undrawn: boolean) => {
    if (undrawn && blind) {
      return blind as unknown as Engine;
    }
    if (made instanceof Error) {
      throw made;
    }
    return made as unknown as Engine;
  });
  const deviceIsBack = vi.fn(async () => false);
  return { recovery: new Recovery({ core, make, deviceIsBack, feed: () => null, giveUp }), giveUp, make, deviceIsBack };
}

async function finish(work: Promise<boolean>): Promise<boolean> {
  await vi.advanceTimersByTimeAsync(9000);
  return work;
}

test('a running scan is carried over record by record, continued, and saved further', async () => {
  const made = engine(0);
  core.store.set({ state: 'running', frames: 3 });
  const { recovery: one } = recovery(made);
  const both = [one.start(LOST), one.start(LOST)];
  expect(core.state).toBe('lost');
  expect(await finish(Promise.all(both).then(([a, b]) => Boolean(a && b)))).toBe(true);
  expect(made.taken).toEqual([0, 1, 2, 3]);
  expect(made.calls).toEqual(['continueScan', 'resumeLog']);
  expect(old.calls).toEqual(['dispose']);
  expect(core.engine).toBe(made);
  expect(core.state).toBe('running');
  expect(core.store.get().note).not.toBe('');
});

test('a paused scan is paused again, one at rest computes nothing, one without frames begins', async () => {
  for (const [state, frames, calls] of [
    ['paused', 3, ['continueScan', 'pause', 'resumeLog']],
    ['ready', 3, ['resumeLog']],
    ['running', 0, ['start', 'resumeLog']],
  ] as const) {
    core.engine = engine(frames) as unknown as Engine;
    const made = engine(0);
    core.store.set({ state, frames });
    expect(await finish(recovery(made).recovery.start(LOST))).toBe(true);
    expect(made.calls).toEqual(calls);
    expect(core.state).toBe(state);
  }
});

test('what the old engine does not give any more is read from the file, once the old worker is closed', async () => {
  const made = engine(0);
  core.engine = Object.assign(old, { record: () => Promise.reject(LOST) }) as unknown as Engine;
  core.store.set({ state: 'running', frames: 3 });
  expect(await finish(recovery(made).recovery.start(LOST))).toBe(true);
  expect(made.calls).toEqual(['openSaved', 'continueScan', 'resumeLog']);
  expect(old.dispose.mock.invocationCallOrder[0]).toBeLessThan(made.openSaved.mock.invocationCallOrder[0] ?? 0);
});

test('without a graphics device a scan on the processor goes on undrawn, and is drawn once the device is back', async () => {
  core.store.set({
    state: 'running',
    frames: 3,
    device: { backend: 'cpu', tier: 'software', adapter: '', rendering: true, note: '' },
  });
  const blind = engine(3);
  const made: ReturnType<typeof engine> | Error = new Point3rError('no-adapter');
  const { recovery: one, make, deviceIsBack, giveUp } = recovery(made, blind);
  expect(await finish(one.start(LOST))).toBe(true);
  expect(core.engine).toBe(blind);
  expect(core.state).toBe('running');
  expect(make).toHaveBeenLastCalledWith(true);
  const drawn = engine(0);
  make.mockImplementation(async () => drawn as unknown as Engine);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(core.engine).toBe(blind);
  deviceIsBack.mockResolvedValue(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(core.engine).toBe(drawn);
  expect(drawn.taken).toEqual([0, 1, 2, 3]);
  expect(core.state).toBe('running');
  expect(giveUp).not.toHaveBeenCalled();
});

test('a device that does not come back is tried four times, and then given up', async () => {
  core.store.set({ state: 'running', frames: 3 });
  const { recovery: one, giveUp, make } = recovery(new Point3rError('no-adapter'));
  expect(await finish(one.start(LOST))).toBe(false);
  expect(make).toHaveBeenCalledTimes(4);
  expect(giveUp).toHaveBeenCalledWith(LOST);
  expect(core.engine).toBe(old);
  expect(old.dispose).not.toHaveBeenCalled();
});

test('a device that is lost again and again is given up', async () => {
  const { recovery: one, giveUp } = recovery(engine(0));
  for (let times = 1; times <= 6; times++) {
    core.store.set({ state: 'running', frames: 0 });
    expect(await finish(one.start(LOST))).toBe(times <= 5);
  }
  expect(giveUp).toHaveBeenCalledTimes(1);
});
