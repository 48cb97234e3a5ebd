import { describe, expect, test, vi } from 'vitest';
import { WorkerEngine, type WorkerPort } from './engine';
import type { FromWorker, Request } from './protocol';

class FakePort implements WorkerPort {
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  readonly sent: Request[] = [];
  readonly transferred: Transferable[][] = [];
  terminated = false;
  postMessage(message: unknown, transfer: Transferable[]): void {
    this.sent.push(message as Request);
    this.transferred.push(transfer);
  }
  terminate(): void {
    this.terminated = true;
  }
  say(message: FromWorker | { code: 'crashed'; message: string }): void {
    this.onmessage?.({ data: message } as MessageEvent);
  }
}

function setUp() {
  const port = new FakePort();
  const events = { progress: vi.fn(), saving: vi.fn(), taking: vi.fn(), crashed: vi.fn(), lost: vi.fn() };
  return { port, events, engine: new WorkerEngine(port, events) };
}

describe('WorkerEngine', () => {
  test('answers settle the call they belong to, in any order', async () => {
    const { port, engine } = setUp();
    const first = engine.export('ply');
    const second = engine.export('tum');
    const [a, b] = port.sent.map(({ id }) => id);
    port.say({ type: 'answer', id: b ?? 0, value: new Uint8Array([2]) });
    port.say({ type: 'answer', id: a ?? 0, value: new Uint8Array([1]) });
    expect(await first).toEqual(new Uint8Array([1]));
    expect(await second).toEqual(new Uint8Array([2]));
  });

  test('a refusal rejects with its code', async () => {
    const { port, engine } = setUp();
    const call = engine.loadModel({ url: 'x' });
    port.say({ type: 'refusal', id: 1, error: { code: 'shard-damaged', message: 'shard 1', action: '' } });
    await expect(call).rejects.toMatchObject({ code: 'shard-damaged', detail: 'shard 1' });
  });

  test('a frame is transferred, not copied', () => {
    const { port, engine } = setUp();
    const image = {} as ImageBitmap;
    void engine.push({ image, rotation: 0, time: 0 });
    expect(port.transferred).toEqual([[image]]);
  });

  test.each([
    ['the panic hook', { code: 'crashed', message: 'boom' } as const],
    ['the host', { type: 'crashed', message: 'boom' } as const],
  ])('a crash told by %s rejects every call, is told once, and only export is still asked', async (_who, message) => {
    const { port, events, engine } = setUp();
    const calls = [engine.stats(), engine.reset()];
    port.say(message);
    port.say(message);
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({ code: 'crashed', detail: 'boom' });
    }
    expect(events.crashed).toHaveBeenCalledTimes(1);
    await expect(engine.stats()).rejects.toMatchObject({ code: 'crashed' });
    const kept = engine.export('ply');
    port.say({ type: 'answer', id: port.sent.at(-1)?.id ?? 0, value: new Uint8Array([7]) });
    expect(await kept).toEqual(new Uint8Array([7]));
  });

  test('closing leaves no promise open', async () => {
    const { port, engine } = setUp();
    const call = engine.stats();
    engine.dispose();
    await expect(call).rejects.toMatchObject({ code: 'crashed' });
    expect(port.terminated).toBe(true);
  });
});
