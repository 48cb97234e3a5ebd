// Reconstructions from beginning to end: what is fed, held, ended, and gone on with. One at a time.
import { Point3rError, toPoint3rError } from '../errors';
import { STRINGS } from '../strings';
import type { FrameSource } from '../video';
import type { Core } from './core';
import { Feed } from './feed';
import { LiveCamera } from './live';
import type { Run } from './types';

export class Runner {
  readonly live: LiveCamera;
  private readonly core: Core;
  private readonly recovered: (error: Point3rError) => Promise<boolean>;
  private going: { feed: Feed; finished: Promise<void> } | null = null;
  /** Answers a scan whose camera has ended. */
  private replaceCamera: ((source: FrameSource | null) => void) | null = null;

  constructor(core: Core, recovered: (error: Point3rError) => Promise<boolean>) {
    this.core = core;
    this.recovered = recovered;
    this.live = new LiveCamera(STRINGS.cameraName, (camera) =>
      core.store.set({ live: camera !== null, verdict: null }),
    );
  }

  /** The feed that is going on. */
  get feed(): Feed | null {
    return this.going?.feed ?? null;
  }

  /** A new reconstruction of these frames, saved as it grows. */
  async begin(source: FrameSource): Promise<Run> {
    await this.stop();
    const now = Date.now();
    const id = `${now.toString(36)}-${Math.random().toString(36).slice(2, 8)}.p3rlog`;
    this.core.saved = { id, name: source.name, began: now / 1000 };
    try {
      await this.core.engine.start({ save: this.core.saved, budget: this.core.settings.cloudBudget });
    } catch (thrown) {
      source.close?.();
      throw thrown;
    }
    const none = { frames: 0, pointers: 0, points: 0, msPerFrame: 0 };
    this.core.store.set({ ...none, source: source.name, opened: false, savedScan: null, note: '' });
    this.core.begun();
    return this.follow(source);
  }

  async scan(): Promise<Run> {
    return this.begin(await this.live.begin(this.core.settings.camera));
  }

  /** Rebuilds the memory of the reconstruction that is there, and goes on with the camera. */
  async continueScan(): Promise<Run> {
    const { engine, settings, store } = this.core;
    const source = await this.live.begin(settings.camera, await engine.lastFrame());
    try {
      this.core.setProgress({ stage: 'replay', done: 0, total: store.get().frames });
      this.core.showCounts(await engine.continueScan());
    } catch (thrown) {
      this.live.close();
      throw thrown;
    }
    return this.follow(source);
  }

  async pause(): Promise<void> {
    if (this.core.state === 'running') {
      this.feed?.hold('pause');
      this.core.setState('paused');
      await this.core.reporting(this.core.engine.pause());
    }
  }

  /** Where the camera was unplugged it is opened again. */
  async resume(): Promise<void> {
    if (this.core.state !== 'paused') {
      return;
    }
    if (this.replaceCamera) {
      const source = await this.core.reporting(this.live.again(this.core.settings.camera));
      this.replaceCamera?.(source);
      this.core.store.set({ error: null });
    }
    await this.core.reporting(this.core.engine.resume());
    this.core.setState('running');
    this.feed?.release('pause');
  }

  /** Ends what is fed after the frame in work. */
  async stop(): Promise<void> {
    const going = this.going;
    if (!going) {
      return;
    }
    this.end();
    if (this.core.state === 'paused') {
      await this.core.reporting(this.core.engine.resume());
    }
    await going.finished;
  }

  /** Ends what is fed, without waiting; `finished` of the answer settles when it is over. */
  end(): Promise<void> {
    const finished = this.going?.finished ?? Promise.resolve();
    this.feed?.stop();
    this.replaceCamera?.(null);
    return finished;
  }

  private follow(source: FrameSource): Run {
    this.core.store.set({ error: null, continuable: false });
    this.core.setProgress({ stage: 'frames', done: 0, total: source.total });
    this.core.setState('running');
    const feed = this.newFeed(source);
    const finished = this.run(feed);
    this.going = { feed, finished };
    return { name: source.name, total: source.total, finished };
  }

  private newFeed(source: FrameSource): Feed {
    const { core } = this;
    return new Feed(source, {
      engine: () => core.engine,
      progress: (done, total) => core.setProgress({ stage: 'frames', done, total }),
      took: ({ report, stats }) => {
        core.showCounts(stats);
        core.emit('frame', report);
      },
      judged: (verdict) => {
        core.store.set({ verdict });
        core.emit('verdict', verdict);
      },
      leftOut: (error) => core.report(error),
      recovered: this.recovered,
      sourceEnded: () => this.cameraEnded(),
    });
  }

  private async run(feed: Feed): Promise<void> {
    const { core } = this;
    try {
      await feed.run();
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'damaged-file');
      if (error.code === 'device-lost') {
        core.setState('lost');
      }
      if (!feed.stopped || error.code !== 'bad-request') {
        core.report(error);
      }
    } finally {
      this.going = null;
      if (feed.live) {
        this.live.close();
      }
      core.store.set({ progress: null, continuable: core.store.get().frames > 0 });
      if (core.state === 'running' || core.state === 'paused') {
        core.setState('ready');
      }
    }
  }

  /** Holds the scan until the user connects the camera again (Resume) or ends it (Stop). */
  private async cameraEnded(): Promise<FrameSource | null> {
    const answered = new Promise<FrameSource | null>((resolve) => {
      this.replaceCamera = resolve;
    });
    await this.pause();
    this.core.report(new Point3rError('camera-ended'));
    const source = await answered;
    this.replaceCamera = null;
    return source;
  }
}
