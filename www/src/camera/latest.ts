// The newest picture of a camera: whoever asks gets one that is at most a frame old, and nothing queues up meanwhile.
// By `MediaStreamTrackProcessor` where the browser has it, else by a video element's frame callback.

/** Not in the DOM library: https://w3c.github.io/mediacapture-transform/ */
interface TrackProcessor {
  readable: ReadableStream<VideoFrame>;
}
type TrackProcessorConstructor = new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => TrackProcessor;

export interface Picture {
  image: VideoFrame | ImageBitmap;
  /** Seconds by the camera's clock. */
  time: number;
}

interface Pictures {
  next(): Promise<Picture | null>;
  close(): void;
}

export class LatestFrame implements Pictures {
  private readonly pictures: Pictures;

  constructor(track: MediaStreamTrack, stream: MediaStream) {
    const Processor = (globalThis as { MediaStreamTrackProcessor?: TrackProcessorConstructor })
      .MediaStreamTrackProcessor;
    this.pictures = Processor
      ? new ProcessedTrack(new Processor({ track, maxBufferSize: 1 }))
      : new PlayedStream(stream);
  }

  /** The newest picture that was not given out before; null when the camera has ended or was closed. */
  next(): Promise<Picture | null> {
    return this.pictures.next();
  }

  close(): void {
    this.pictures.close();
  }
}

/** Reads every frame of the track and keeps the last one. Frames must be closed soon, or the camera stands still. */
export class ProcessedTrack implements Pictures {
  private readonly reader: ReadableStreamDefaultReader<VideoFrame>;
  private latest: VideoFrame | null = null;
  private asked: ((picture: Picture | null) => void) | null = null;
  private ended = false;

  constructor(processor: TrackProcessor) {
    this.reader = processor.readable.getReader();
    this.read().catch(() => this.close());
  }

  next(): Promise<Picture | null> {
    return new Promise((resolve) => {
      this.asked?.(null);
      this.asked = resolve;
      this.give();
    });
  }

  close(): void {
    this.ended = true;
    this.latest?.close();
    this.latest = null;
    this.give();
    this.reader.cancel().catch(() => {});
  }

  private async read(): Promise<void> {
    while (!this.ended) {
      const { done, value } = await this.reader.read();
      if (done) {
        this.close();
      } else if (this.ended) {
        value.close();
      } else {
        this.latest?.close();
        this.latest = value;
        this.give();
      }
    }
  }

  private give(): void {
    if (this.asked && (this.latest || this.ended)) {
      const [asked, image] = [this.asked, this.latest];
      this.asked = null;
      this.latest = null;
      asked(image && { image, time: image.timestamp / 1e6 });
    }
  }
}

/** Plays the stream in a video element that is not shown, and copies a frame only when one is asked for. */
class PlayedStream implements Pictures {
  private readonly video = document.createElement('video');
  private readonly started: Promise<void>;
  private stop = (): void => {};
  private readonly ended: Promise<null>;

  constructor(stream: MediaStream) {
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.srcObject = stream;
    this.started = this.video.play();
    this.started.catch(() => this.close());
    this.ended = new Promise((resolve) => {
      this.stop = () => resolve(null);
    });
  }

  next(): Promise<Picture | null> {
    return Promise.race([this.ended, this.shown()]);
  }

  close(): void {
    this.video.srcObject = null;
    this.stop();
  }

  private async shown(): Promise<Picture | null> {
    await this.started;
    const time = await new Promise<number>((resolve) => {
      this.video.requestVideoFrameCallback((_now, { mediaTime }) => resolve(mediaTime));
    });
    const image =
      typeof VideoFrame === 'function'
        ? new VideoFrame(this.video, { timestamp: Math.round(time * 1e6) })
        : await createImageBitmap(this.video);
    return { image, time };
  }
}
