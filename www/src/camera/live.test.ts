import { expect, test, vi } from 'vitest';
import type { Camera } from './camera';
import type { Picture } from './latest';
import { liveSource, type ScanHold } from './live';

vi.stubGlobal('screen', { orientation: { angle: 0 } });

let open = 0;
function picture(time: number, width = 640, height = 480): Picture {
  open += 1;
  const image = { displayWidth: width, displayHeight: height, close: () => void open-- };
  return { image: image as unknown as VideoFrame, time };
}

function camera(pictures: Picture[]): Camera & { close: ReturnType<typeof vi.fn> } {
  const frames = { next: async () => pictures.shift() ?? null };
  return { frames, facing: 'environment', close: vi.fn() } as unknown as Camera & { close: ReturnType<typeof vi.fn> };
}

async function times(of: Picture[], hold: ScanHold): Promise<number[]> {
  const found: number[] = [];
  for await (const { image, time } of liveSource(camera(of), hold, 'Camera').frames()) {
    image.close();
    found.push(time);
  }
  return found;
}

test('time counts from the first picture, and goes on with another camera of the same scan', async () => {
  const hold: ScanHold = { start: null, elapsed: 0 };
  expect(await times([picture(100), picture(100.5), picture(101)], hold)).toEqual([0, 0.5, 1]);
  expect(await times([picture(7), picture(7.25)], hold)).toEqual([1, 1.25]);
  expect(hold.start).toMatchObject({ width: 640, height: 480 });
});

test('pictures of another shape are left out for a moment, and named if it lasts', async () => {
  const hold: ScanHold = { start: { width: 640, height: 480, angle: 0 }, elapsed: 0 };
  expect(await times([picture(0), picture(1, 1280, 720), picture(2)], hold)).toEqual([0, 2]);
  const lasting = [picture(0, 1280, 720), picture(2, 1280, 720), picture(4, 1280, 720)];
  await expect(times(lasting, hold)).rejects.toMatchObject({ code: 'bad-request' });
  expect(open).toBe(0);
});

test('the camera is let go of when its frames are', async () => {
  const device = camera([picture(0), picture(1)]);
  for await (const { image } of liveSource(device, { start: null, elapsed: 0 }, 'Camera').frames()) {
    image.close();
    break;
  }
  expect(device.close).toHaveBeenCalled();
});
