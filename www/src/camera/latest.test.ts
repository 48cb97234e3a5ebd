import { expect, test, vi } from 'vitest';
import { ProcessedTrack } from './latest';

function track() {
  let push!: ReadableStreamDefaultController<VideoFrame>;
  const readable = new ReadableStream<VideoFrame>({
    start: (controller) => {
      push = controller;
    },
  });
  return { pictures: new ProcessedTrack({ readable }), push };
}

const frame = (milliseconds: number) =>
  ({ timestamp: milliseconds * 1000, close: vi.fn() }) as unknown as VideoFrame & { close: ReturnType<typeof vi.fn> };
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test('only the newest frame is kept, and every other one is closed', async () => {
  const { pictures, push } = track();
  const frames = [frame(0), frame(33), frame(66)];
  for (const one of frames) {
    push.enqueue(one);
  }
  await settle();
  expect(await pictures.next()).toEqual({ image: frames[2], time: 0.066 });
  expect(frames.map(({ close }) => close.mock.calls.length)).toEqual([1, 1, 0]);
});

test('a frame is given out once, and the next one waits for the camera', async () => {
  const { pictures, push } = track();
  push.enqueue(frame(0));
  await pictures.next();
  const next = pictures.next();
  push.enqueue(frame(33));
  expect((await next)?.time).toBe(0.033);
});

test('a camera that ends leaves nobody waiting, and no frame open', async () => {
  const { pictures, push } = track();
  const waiting = pictures.next();
  push.close();
  expect(await waiting).toBeNull();
  expect(await pictures.next()).toBeNull();

  const closed = track();
  const late = frame(0);
  closed.push.enqueue(late);
  await settle();
  closed.pictures.close();
  expect(late.close).toHaveBeenCalled();
  expect(await closed.pictures.next()).toBeNull();
});
