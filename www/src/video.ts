// Turns what the user gives (files or an address) into a source of frames. Opening a source already decodes its first
// frame, so that a bad file is refused before anything on screen changes. Frames are made one by one, only when asked for.
import { containerDefect, type FileKind, fileKind, HEAD_BYTES } from './container';
import { Point3rError, toPoint3rError } from './errors';
import { byNaturalName, pickTimes } from './picking';
import type { FrameImage } from './protocol';

export interface FrameSource {
  readonly name: string;
  /** 0 where there is no end. */
  readonly total: number;
  /** A camera: what is not taken now is gone. */
  readonly live?: true;
  /** Ends the frames, also while one is waited for. */
  close?(): void;
  /** May be iterated once. Leaving the loop early releases the decoder. */
  frames(): AsyncGenerator<FrameImage, void, undefined>;
}

export interface PickingOptions {
  /** Frames per second taken from a video. */
  rate: number;
  maxFrames: number;
}

/** Largest file fetched by `openUrl`. */
const MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024;

/** Either one video, or any number of images. */
export async function openFiles(files: readonly File[], options: PickingOptions): Promise<FrameSource> {
  if (files.length === 0) {
    throw new Point3rError('bad-request', 'Nothing was chosen.');
  }
  const kinds = await Promise.all(files.map(kindOf));
  const unknown = kinds.indexOf('unknown');
  if (unknown >= 0) {
    throw new Point3rError('unsupported-file', files[unknown]?.name);
  }
  if (kinds.every((kind) => kind === 'image')) {
    return openImages(byNaturalName(files).slice(0, options.maxFrames));
  }
  const [file] = files;
  const [kind] = kinds;
  if (files.length > 1 || !file || (kind !== 'mp4' && kind !== 'webm')) {
    throw new Point3rError('bad-request', 'More than one video, or a video together with images, was chosen.');
  }
  return openVideo(file, kind, options);
}

/** Fetches a video or an image: same origin or https only, with a size cap before and while fetching. */
export async function openUrl(address: URL, options: PickingOptions): Promise<FrameSource> {
  if (address.protocol !== 'https:' && address.origin !== location.origin) {
    throw new Point3rError('bad-request', 'Only https addresses and this page’s own site can be opened.');
  }
  let response: Response;
  try {
    response = await fetch(address, { credentials: 'omit' });
  } catch (thrown) {
    throw toPoint3rError(thrown, 'network');
  }
  if (!response.ok) {
    throw new Point3rError('network', `${address.href}: status ${response.status}`);
  }
  const { readAtMost } = await import('./model');
  const tooLarge = new Point3rError('out-of-memory', 'Files from an address may have at most 512 MiB.');
  if (Number(response.headers.get('content-length') ?? 0) > MAX_DOWNLOAD_BYTES) {
    await response.body?.cancel();
    throw tooLarge;
  }
  const bytes = await readAtMost(response, MAX_DOWNLOAD_BYTES + 1, () => {});
  if (bytes.byteLength > MAX_DOWNLOAD_BYTES) {
    throw tooLarge;
  }
  const name = decodeURIComponent(address.pathname.split('/').pop() || address.hostname);
  return openFiles([new File([bytes], name)], options);
}

async function kindOf(file: File): Promise<FileKind> {
  try {
    return fileKind(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  } catch (thrown) {
    throw toPoint3rError(thrown, 'unsupported-file');
  }
}

async function decodeImage(file: File): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    throw new Point3rError('image-damaged', file.name);
  }
}

async function openImages(files: readonly File[]): Promise<FrameSource> {
  const [first, ...rest] = files;
  if (!first) {
    throw new Point3rError('no-frames');
  }
  const firstImage = await decodeImage(first);
  return {
    name: files.length === 1 ? first.name : `${first.name} … (${files.length})`,
    total: files.length,
    async *frames() {
      yield { image: firstImage, rotation: 0, time: 0 };
      for (const [index, file] of rest.entries()) {
        yield { image: await decodeImage(file), rotation: 0, time: index + 1 };
      }
    },
  };
}

async function openVideo(file: File, kind: 'mp4' | 'webm', options: PickingOptions): Promise<FrameSource> {
  const defect = await containerDefect(file, kind);
  if (defect) {
    throw new Point3rError(defect, file.name);
  }
  // Loaded with the first video, not with the page.
  const { BlobSource, Input, MATROSKA, MP4, QTFF, VideoSampleSink, WEBM } = await import('mediabunny');
  const input = new Input({ source: new BlobSource(file), formats: [MP4, QTFF, WEBM, MATROSKA] });
  try {
    const track = await input.getPrimaryVideoTrack();
    if (!track) {
      throw new Point3rError('no-frames', file.name);
    }
    const codec = await track.getCodec();
    if (codec === null || !(await track.canDecode())) {
      throw new Point3rError('undecodable-video', `${file.name}${codec ? ` (${codec})` : ''}`);
    }
    const start = await track.getFirstTimestamp();
    const times = pickTimes(start, await track.computeDuration(), options.rate, options.maxFrames);
    const rotation = await track.getRotation();
    const samples = new VideoSampleSink(track).samplesAtTimestamps(times);
    const next = async (): Promise<FrameImage | null> => {
      for (;;) {
        const step = await samples.next();
        if (step.done) {
          return null;
        }
        if (step.value) {
          const image = step.value.toVideoFrame();
          const time = step.value.timestamp;
          step.value.close();
          return { image, rotation, time };
        }
      }
    };
    let pending = await next();
    if (!pending) {
      throw new Point3rError('no-frames', file.name);
    }
    return {
      name: file.name,
      total: times.length,
      async *frames() {
        try {
          while (pending) {
            const frame = pending;
            pending = null;
            yield frame;
            pending = await next();
          }
        } catch (thrown) {
          throw toPoint3rError(thrown, 'damaged-file');
        } finally {
          pending?.image.close();
          await samples.return();
          input.dispose();
        }
      },
    };
  } catch (thrown) {
    input.dispose();
    throw toPoint3rError(thrown, 'damaged-file');
  }
}
