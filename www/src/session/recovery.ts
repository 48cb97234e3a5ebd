// After a lost device: another engine in another worker, the same model, and the reconstruction carried over. The old
// engine's memory still holds everything that was on the host; only should it not answer, the saved file is read.
import type { Engine } from '../engine';
import { Point3rError } from '../errors';
import { STRINGS } from '../strings';
import type { Core, Saved } from './core';
import type { Feed } from './feed';

/** A browser takes a moment to bring its graphics process back. After a second loss Chromium keeps it from a site for minutes. */
const DELAYS = [0, 1000, 2000, 4000];
/** How often it is asked whether the device is there again, once it was not for all of these. */
const ASK_AGAIN = 10_000;
/** More losses than this within `WINDOW` milliseconds, and the device is given up. */
const MOST = 5;
const WINDOW = 180_000;

type Interrupted = 'running' | 'paused' | 'ready';

export interface RecoveryHost {
  core: Core;
  /** An engine with view and model, not in use yet; `undrawn` on the processor, without a graphics device. */
  make(undrawn: boolean): Promise<Engine>;
  /** Whether the browser offers a graphics device. */
  deviceIsBack(): Promise<boolean>;
  feed(): Feed | null;
  /** The device is gone for good. */
  giveUp(error: Point3rError): void;
}

export class Recovery {
  private readonly host: RecoveryHost;
  private running: Promise<boolean> | null = null;
  private readonly losses: number[] = [];
  private asking: ReturnType<typeof setTimeout> | null = null;

  constructor(host: RecoveryHost) {
    this.host = host;
  }

  /** Settles when no recovery is going on. */
  get over(): Promise<unknown> {
    return this.running ?? Promise.resolve();
  }

  /** Replaces the engine; whether that went well. Several who ask at once get the same answer. */
  start(error: Point3rError): Promise<boolean> {
    this.running ??= this.replace(error).finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async replace(error: Point3rError): Promise<boolean> {
    const { core } = this.host;
    // Of a reconstruction that was given up the cloud is left; what fed it has ended.
    const was = core.state === 'lost' && this.asking !== null ? 'ready' : core.state;
    this.askNoMore();
    if ((was !== 'running' && was !== 'paused' && was !== 'ready') || !this.allowed(Date.now())) {
      this.host.giveUp(error);
      return false;
    }
    const feed = this.host.feed();
    feed?.hold('recovery');
    core.setState('lost');
    core.setProgress({ stage: 'recover', done: 0, total: 0 });
    await feed?.busy;
    const { frames, device } = core.store.get();
    for (const delay of DELAYS) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const made = await this.attempt(was, frames, false).catch(() => null);
      if (made) {
        this.use(made, was, was === 'running' ? STRINGS.recoveredGoesOn : STRINGS.recovered);
        return true;
      }
    }
    // The processor computes without a graphics device; only nothing is drawn until it is back.
    const made = device?.backend === 'cpu' ? await this.attempt(was, frames, true).catch(() => null) : null;
    if (made) {
      this.use(made, was, STRINGS.recoveredUndrawn);
    } else {
      this.host.giveUp(error);
    }
    this.askAgain(error);
    return made !== null;
  }

  /** Another engine on purpose, with the reconstruction at rest; if that fails, the old one stays. */
  async exchange(): Promise<void> {
    const { core } = this.host;
    this.askNoMore();
    this.use(await this.attempt('ready', core.store.get().frames, false), 'ready', '');
  }

  private use(made: Engine, was: Interrupted, note: string): void {
    const { core } = this.host;
    core.engine = made;
    core.store.set({ progress: null, note, error: null });
    core.setState(was);
    this.host.feed()?.release('recovery');
    core.emit('recovered', { frames: core.store.get().frames });
  }

  /** As soon as the device is there again, a recovery with it. */
  private askAgain(error: Point3rError): void {
    this.asking = setTimeout(async () => {
      const { state } = this.host.core;
      if (state === 'loading' || state === 'failed') {
        return;
      }
      if (await this.host.deviceIsBack().catch(() => false)) {
        this.losses.length = 0;
        await this.start(error);
      } else if (this.asking !== null) {
        this.askAgain(error);
      }
    }, ASK_AGAIN);
  }

  /** Another engine was started on purpose. */
  askNoMore(): void {
    if (this.asking !== null) {
      clearTimeout(this.asking);
      this.asking = null;
    }
  }

  /** Says no when devices are lost again and again. */
  private allowed(now: number): boolean {
    while (this.losses[0] !== undefined && now - this.losses[0] > WINDOW) {
      this.losses.shift();
    }
    this.losses.push(now);
    return this.losses.length <= MOST;
  }

  private async attempt(was: Interrupted, frames: number, undrawn: boolean): Promise<Engine> {
    const { engine: old, saved, scene } = this.host.core;
    const made = await this.host.make(undrawn);
    try {
      if (scene) {
        await made.openScene(scene.bytes.slice());
      } else if ((await carry(old, made, saved)) < frames) {
        if (!saved) {
          throw new Point3rError('device-lost', 'The reconstruction could not be carried over.');
        }
        // Closing the old worker frees its file.
        old.dispose();
        await made.openSaved(saved.id);
      }
      if (was !== 'ready') {
        await (frames > 0 ? made.continueScan() : made.start({}));
      }
      if (was === 'paused') {
        await made.pause();
      }
      old.dispose();
      if (saved) {
        await made.resumeLog(saved.id);
      }
      return made;
    } catch (thrown) {
      made.dispose();
      throw thrown;
    }
  }
}

/** Carries the reconstruction over, record by record; answers how many frames arrived. */
async function carry(old: Engine, made: Engine, saved: Saved | null): Promise<number> {
  const { name, began } = saved ?? { name: '', began: 0 };
  for (let position = -1; ; position++) {
    const record = await old.record(position, name, began).catch(() => undefined);
    if (!record) {
      return Math.max(0, position);
    }
    await made.restore(record);
  }
}
