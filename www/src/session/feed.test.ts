import { expect, test, vi } from 'vitest';
import type { Engine } from '../engine';
import { Point3rError } from '../errors';
import type { FrameImage } from '../protocol';
import type { FrameSource } from '../video';
import { Feed, type FeedHost } from './feed';

/** What `clone` and `close` need to be counted. */
function picture(name: string, open: Set<string>, clones = 0) {
  const own = `${name}.${clones}`;
  open.add(own);
  let copies = 0;
  return {
    name,
    clone: () => picture(name, open, clones + ++copies * 10),
    close: () => void open.delete(own),
  } as unknown as FrameImage['image'] & { name: string };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

function setUp({ names = ['a', 'b', 'c'], live = false } = {}) {
  const open = new Set<string>();
  const given: string[] = [];
  let failing: Record<string, Point3rError> = {};
  const take = async ({ image }: FrameImage) => {
    const { name } = image as unknown as { name: string };
    image.close();
    const failure = failing[name];
    delete failing[name];
    if (failure) {
      throw failure;
    }
    given.push(name);
    return { report: { index: given.length }, stats: { frames: given.length } };
  };
  const engine = {
    push: take,
    offer: async (frame: FrameImage) => ({ verdict: 'take', taken: await take(frame) }),
  } as unknown as Engine;
  const host = {
    engine: () => engine,
    progress: vi.fn(),
    took: vi.fn(),
    judged: vi.fn(),
    leftOut: vi.fn(),
    recovered: vi.fn(async () => true),
    sourceEnded: vi.fn<FeedHost['sourceEnded']>(async () => null),
  };
  const source = (of: string[]): FrameSource => ({
    name: 'clip',
    total: live ? 0 : of.length,
    ...(live && { live: true as const }),
    async *frames() {
      for (const name of of) {
        await settle();
        yield { image: picture(name, open), rotation: 0, time: 0 };
      }
    },
  });
  const feed = new Feed(source(names), host);
  const fail = (errors: Record<string, Point3rError>): void => {
    failing = errors;
  };
  return { feed, host, given, open, fail, source };
}

test('every frame is given once, in order, and none stays open', async () => {
  const { feed, given, open, host } = setUp();
  await feed.run();
  expect(given).toEqual(['a', 'b', 'c']);
  expect(host.progress).toHaveBeenLastCalledWith(3, 3);
  expect(open.size).toBe(0);
});

test('after a lost device the frame of a file is given again', async () => {
  const { feed, given, open, host, fail } = setUp();
  fail({ b: new Point3rError('device-lost') });
  await feed.run();
  expect(host.recovered).toHaveBeenCalledTimes(1);
  expect(given).toEqual(['a', 'b', 'c']);
  expect(open.size).toBe(0);
});

test('a device that does not come back ends the feed with its error', async () => {
  const { feed, given, open, host, fail } = setUp();
  fail({ b: new Point3rError('device-lost') });
  host.recovered.mockResolvedValue(false);
  await expect(feed.run()).rejects.toMatchObject({ code: 'device-lost' });
  expect(given).toEqual(['a']);
  expect(open.size).toBe(0);
});

test('a frame that the network makes nothing of is left out', async () => {
  const { feed, given, host, fail } = setUp();
  fail({ b: new Point3rError('not-finite') });
  await feed.run();
  expect(given).toEqual(['a', 'c']);
  expect(host.leftOut).toHaveBeenCalledTimes(1);
});

test('it is held while any reason is left', async () => {
  const { feed, given } = setUp();
  feed.hold('pause');
  feed.hold('undo');
  const run = feed.run();
  feed.release('undo');
  await settle();
  await settle();
  expect(given).toEqual([]);
  feed.release('pause');
  await run;
  expect(given).toEqual(['a', 'b', 'c']);
});

test('a picture that a camera took before the hold is let go of', async () => {
  const { feed, given, open } = setUp({ live: true });
  const run = feed.run();
  feed.hold('pause');
  await settle();
  await settle();
  feed.release('pause');
  await run;
  expect(given).toEqual(['b', 'c']);
  expect(open.size).toBe(0);
});

test('a camera that ends is replaced, or ends the feed', async () => {
  const { feed, given, host, source } = setUp({ live: true, names: ['a'] });
  host.sourceEnded.mockResolvedValueOnce(source(['x', 'y']));
  await feed.run();
  expect(given).toEqual(['a', 'x', 'y']);
  expect(host.sourceEnded).toHaveBeenCalledTimes(2);
});

test('a stopped feed gives nothing more, also when it was held', async () => {
  const { feed, given, open } = setUp();
  feed.hold('pause');
  const run = feed.run();
  feed.stop();
  await run;
  expect(given).toEqual([]);
  expect(open.size).toBe(0);
});
