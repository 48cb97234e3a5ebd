// Scans that the browser keeps: offered after a reload, opened, or deleted.
import { Point3rError } from '../errors';
import type { Saving } from '../protocol';
import { STRINGS } from '../strings';
import type { Core } from './core';

/** Asks the engine for a scan of an earlier visit, to be offered. */
export function lookForSaved({ engine, store }: Core): void {
  engine
    .savedScan()
    .then((savedScan) => store.set({ savedScan: store.get().frames === 0 ? savedScan : null }))
    // Where nothing can be saved there is nothing to offer.
    .catch(() => {});
}

/** Shows the scan that was offered. */
export async function openSaved(core: Core): Promise<void> {
  const { engine, store } = core;
  const { savedScan } = store.get();
  if (!savedScan) {
    throw new Point3rError('no-frames', 'There is no saved scan.');
  }
  await engine.reset();
  core.setProgress({ stage: 'restore', done: 0, total: 0 });
  const { stats, damaged } = await engine.openSaved(savedScan.id);
  core.saved = { id: savedScan.id, name: savedScan.name, began: savedScan.changed / 1000 };
  core.showCounts(stats);
  store.set({
    source: savedScan.name,
    savedScan: null,
    continuable: stats.frames > 0,
    opened: false,
    note: damaged ? STRINGS.savedDamaged : '',
    error: null,
    progress: null,
  });
  // The view shows all of it, as at the end of a run.
  core.emit('state', 'ready');
}

export async function discardSaved({ engine, store }: Core): Promise<void> {
  const { savedScan } = store.get();
  store.set({ savedScan: null });
  if (savedScan) {
    await engine.discardSaved(savedScan.id);
  }
}

export function showSaving({ store }: Core, saving: Saving): void {
  const note = { full: STRINGS.savingFull, unavailable: STRINGS.savingUnavailable, on: '', off: '' }[saving];
  store.set(note ? { saving, note } : { saving });
}
