// The feeding of frames: one at a time, the next only when the engine has taken the last. It can be held for several
// reasons at once (the user's pause, an undo, a lost device), and goes on when the last of them is gone.
import type { Engine } from '../engine';
import { type Point3rError, toPoint3rError } from '../errors';
import type { EngineStats, FrameImage, FrameReport, Verdict } from '../protocol';
import type { FrameSource } from '../video';

export type HoldReason = 'pause' | 'undo' | 'recovery';
type Taken = { report: FrameReport; stats: EngineStats };

export interface FeedHost {
  /** The engine of the moment. */
  engine(): Engine;
  progress(done: number, total: number): void;
  took(taken: Taken): void;
  judged(verdict: Verdict): void;
  /** A frame was left out. */
  leftOut(error: Point3rError): void;
  /** After a lost device: whether another engine has taken over. */
  recovered(error: Point3rError): Promise<boolean>;
  /** A camera stopped by itself: another source to go on with, or null to end. */
  sourceEnded(): Promise<FrameSource | null>;
}

export class Feed {
  /** Settles when the frame in work is done, or has failed. */
  busy: Promise<unknown> = Promise.resolve();
  private source: FrameSource;
  private readonly host: FeedHost;
  private readonly reasons = new Set<HoldReason>();
  private waiting: (() => void)[] = [];
  private done = 0;
  private isStopped = false;

  constructor(source: FrameSource, host: FeedHost) {
    this.source = source;
    this.host = host;
  }

  get live(): boolean {
    return this.source.live === true;
  }

  get stopped(): boolean {
    return this.isStopped;
  }

  hold(reason: HoldReason): void {
    this.reasons.add(reason);
  }

  release(reason: HoldReason): void {
    this.reasons.delete(reason);
    if (this.reasons.size === 0) {
      this.wake();
    }
  }

  /** No further frame is given; one in work is finished. */
  stop(): void {
    this.isStopped = true;
    this.source.close?.();
    this.wake();
  }

  /** Gives every frame. Rejects when the engine or the source fails for good. */
  async run(): Promise<void> {
    let frames = this.source.frames();
    try {
      for (;;) {
        await this.free();
        const step = this.isStopped ? ({ done: true } as const) : await frames.next();
        if (step.done) {
          const next = this.live && !this.isStopped ? await this.host.sourceEnded() : null;
          if (!next) {
            return;
          }
          this.source = next;
          frames = next.frames();
        } else if (this.live && this.reasons.size > 0) {
          // Taken before the hold: by the time it ends, the camera is elsewhere.
          step.value.image.close();
        } else {
          await this.free();
          await this.give(step.value);
        }
      }
    } finally {
      await frames.return();
    }
  }

  private async give(frame: FrameImage): Promise<void> {
    if (this.isStopped) {
      frame.image.close();
      return;
    }
    const { total } = this.source;
    this.host.progress(this.done, total);
    // A file's frame is kept until it has counted: after a lost device it is given again.
    const spare = !this.live && 'clone' in frame.image ? frame.image.clone() : null;
    try {
      const taken = await this.push(frame);
      if (taken) {
        this.done += 1;
        this.host.took(taken);
      }
    } catch (thrown) {
      const error = toPoint3rError(thrown, 'damaged-file');
      if (error.code === 'not-finite') {
        this.host.leftOut(error);
      } else if (error.code === 'device-lost' && (await this.host.recovered(error))) {
        if (spare) {
          await this.give({ ...frame, image: spare.clone() });
        }
      } else {
        throw error;
      }
    } finally {
      spare?.close();
    }
    this.host.progress(this.done, total);
  }

  private async push(frame: FrameImage): Promise<Taken | null> {
    const work = this.live ? this.host.engine().offer(frame) : this.host.engine().push(frame);
    this.busy = work.catch(() => {});
    const result = await work;
    if (!('verdict' in result)) {
      return result;
    }
    this.host.judged(result.verdict);
    return result.taken;
  }

  private free(): Promise<void> {
    return this.reasons.size === 0 || this.isStopped
      ? Promise.resolve()
      : new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}
