// A video of the view turning once about its pivot, encoded by the browser (WebCodecs) and packed by mediabunny. Loaded
// only when asked for.
import {
  BufferTarget,
  getFirstEncodableVideoCodec,
  Mp4OutputFormat,
  Output,
  QUALITY_HIGH,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';
import { Point3rError } from './errors';

export interface Turntable {
  width: number;
  height: number;
  /** Frames per second. */
  rate: number;
  frames: number;
  /** RGBA rows of the view, turned by so many radians. */
  draw(width: number, height: number, turn: number): Promise<Uint8Array>;
  progress(share: number): void;
  cancelled(): boolean;
}

export async function encodeTurntable(turntable: Turntable): Promise<File> {
  const { width, height, rate, frames } = turntable;
  // H.264 in mp4 plays everywhere; where it cannot be made, what the web knows.
  const mp4 = await getFirstEncodableVideoCodec(['avc'], { width, height });
  const codec = mp4 ?? (await getFirstEncodableVideoCodec(['vp9', 'vp8', 'av1'], { width, height }));
  if (!codec) {
    throw new Point3rError('no-encoder');
  }
  const target = new BufferTarget();
  const output = new Output({ format: mp4 ? new Mp4OutputFormat() : new WebMOutputFormat(), target });
  const source = new VideoSampleSource({ codec, bitrate: QUALITY_HIGH });
  output.addVideoTrack(source, { frameRate: rate });
  try {
    await output.start();
    for (let frame = 0; frame < frames; frame++) {
      if (turntable.cancelled()) {
        throw new Point3rError('cancelled');
      }
      const rgba = await turntable.draw(width, height, (2 * Math.PI * frame) / frames);
      const sample = new VideoSample(rgba, {
        format: 'RGBA',
        codedWidth: width,
        codedHeight: height,
        timestamp: frame / rate,
        duration: 1 / rate,
      });
      await source.add(sample);
      sample.close();
      turntable.progress((frame + 1) / (frames + 1));
    }
    await output.finalize();
  } catch (thrown) {
    await output.cancel();
    throw thrown;
  }
  if (!target.buffer) {
    throw new Point3rError('no-encoder', 'The encoder gave nothing.');
  }
  const type = mp4 ? 'video/mp4' : 'video/webm';
  return new File([target.buffer], mp4 ? 'turntable.mp4' : 'turntable.webm', { type });
}
