// After a lost device: another engine in another worker, the same model, and the reconstruction carried over. The old
// engine's memory still holds everything that was on the host; only should it not answer, the saved file is read.
import type { Engine } from '../engine';
import { Point3rError } from '../errors';
import { STRINGS } from '../strings';
import type { Core, Saved } from './core';
import type { Feed } from './feed';

/** A browser takes a moment to bring its graphics process back. */
const DELAYS = [0, 1000, 3000];
/** More losses than this within `WINDOW` milliseconds, and the device is given up. */
const MOST = 5;
const WINDOW = 180_000;

type Interrupted = 'running' | 'paused' | 'ready';

export interface RecoveryHost {
  core: Core;
  /** An engine with view and model, not in use yet. */
  make(): Promise<Engine>;
  feed(): Feed | null;
  /** The device is gone for good. */
  giveUp(error: Point3rError): void;
}

export class Recovery {
  private readonly host: RecoveryHost;
  private running: Promise<boolean> | null = null;
  private readonly losses: number[] = [];

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
    const was = core.state;
    if ((was !== 'running' && was !== 'paused' && was !== 'ready') || !this.allowed(Date.now())) {
      this.host.giveUp(error);
      return false;
    }
    const feed = this.host.feed();
    feed?.hold('recovery');
    core.setState('lost');
    core.setProgress({ stage: 'recover', done: 0, total: 0 });
    await feed?.busy;
    const { frames } = core.store.get();
    for (const delay of DELAYS) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const made = await this.attempt(was, frames).catch(() => null);
      if (made) {
        core.engine = made;
        core.store.set({ progress: null, note: was === 'running' ? STRINGS.recoveredGoesOn : STRINGS.recovered });
        core.setState(was);
        feed?.release('recovery');
        core.emit('recovered', { frames });
        return true;
      }
    }
    this.host.giveUp(error);
    return false;
  }

  /** Says no when devices are lost again and again. */
  private allowed(now: number): boolean {
    while (this.losses[0] !== undefined && now - this.losses[0] > WINDOW) {
      this.losses.shift();
    }
    this.losses.push(now);
    return this.losses.length <= MOST;
  }

  private async attempt(was: Interrupted, frames: number): Promise<Engine> {
    const { engine: old, saved } = this.host.core;
    const made = await this.host.make();
    try {
      if ((await carry(old, made, saved)) < frames) {
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
