// Connects everything that looks at the scene with the session: gestures, keys, the view panel, timeline, measuring and
// meter. The elements show and ask; what happens is decided here.
import { find } from './elements';
import { listenToKeys } from './keys';
import type { ViewCommand } from './protocol';
import type { Session } from './session';
import type { AppState, ViewSettings } from './store';
import type { ViewRequest } from './ui/view';
import { steer } from './view';

/** The meter is renewed so often while it is open or frames arrive, milliseconds. */
const METER_MS = 1000;

export function connectView(session: Session, state: () => AppState): void {
  const { view } = session;
  const panel = find('p3r-view');
  const timeline = find('p3r-timeline');
  const meter = find('p3r-meter');
  const measure = find('p3r-measure');
  const viewport = find('p3r-viewport');

  let steered = false;
  const steerBy = (command: ViewCommand): void => {
    steered = true;
    session.currentEngine.view(command);
  };
  const click = async (x: number, y: number): Promise<void> => {
    if (!view.settings.measuring) {
      const frame = await view.frameAt(x, y);
      if (frame !== null) {
        steered = true;
        view.lookThrough(frame);
      }
      return;
    }
    const picked = await view.pick(x, y);
    if (picked) {
      view.measure(picked.position);
    } else {
      measure.showMiss(state());
    }
  };
  steer(viewport, steerBy, (x, y) => quietly(click(x, y)));
  listenToKeys(viewport, view, state, () => {
    steered = true;
  });

  /** What the engine knows better: colour range, history, maps, memory. One request of a kind at a time. */
  const renewPanel = latest(async () => {
    const found = await view.state();
    if (found) {
      panel.showState(found, state());
    }
  });
  const renewHistory = latest(async () => {
    const history = await view.history();
    panel.showHistory(history);
    timeline.showHistory(history);
    timeline.show(state());
  });
  const renewMaps = latest(async () => {
    if (timeline.mapsOpen) {
      const { frames, measurement } = state();
      const { timeline: mode, frame } = view.settings;
      const shown = mode === 'all' ? frames - 1 : Math.min(frame, frames - 1);
      timeline.showMaps(shown < 0 ? null : await view.frame(shown), measurement.scale);
    }
  });
  const renewMeter = latest(async () => {
    const stats = await session.currentEngine.stats();
    meter.showStats(stats);
    view.noteScale(stats.scale);
  });

  let before = state();
  session.onState((now) => {
    const was = before;
    before = now;
    if (now.view.colour !== was.view.colour || now.frames !== was.frames) {
      renewPanel();
    }
    if (now.frames !== was.frames) {
      renewHistory();
      renewMeter();
    }
    const moved = now.view.frame !== was.view.frame || now.view.timeline !== was.view.timeline;
    if (moved || now.frames !== was.frames || now.measurement.scale !== was.measurement.scale) {
      renewMaps();
    }
  });
  setInterval(() => {
    if (meter.isOpen && !document.hidden) {
      renewMeter();
    }
  }, METER_MS);

  listen<Partial<ViewSettings>>('p3r-view', (change) => view.set(change));
  listen<ViewRequest>('p3r-look', (request) => {
    if (request === 'fit') {
      view.fit();
    } else {
      view.reset();
    }
  });
  listen<number>('p3r-through', (frame) => {
    steered = true;
    view.lookThrough(frame);
  });
  listen<boolean>('p3r-maps', renewMaps);
  listen<number>('p3r-length', (length) => quietly(session.reportingFailure(view.setMeasuredLength(length))));
  listen<number>('p3r-scale', (scale) => quietly(session.reportingFailure(view.setScale(scale))));
  fitUntilSteered(
    session,
    () => steered,
    (again) => {
      steered &&= !again;
    },
    () => {
      steered = true;
    },
  );
}

/** Until the user takes over, the view is fitted to the cloud ever more rarely, and at the end: it shows all without
 * jumping about. */
function fitUntilSteered(
  session: Session,
  steered: () => boolean,
  begun: (anew: boolean) => void,
  keep: () => void,
): void {
  const showAll = (): void => {
    if (!steered() && !session.view.settings.follow) {
      session.view.fit();
    }
  };
  // A scene opens as its maker left it.
  session.on('scene', keep);
  session.on('frame', ({ index }) => {
    begun(index === 0);
    if (isPowerOfTwo(index + 1)) {
      showAll();
    }
  });
  session.on('state', (now) => {
    if (now === 'ready') {
      showAll();
    }
  });
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

/** Runs `work` when asked; asked meanwhile, once more afterwards. A failure waits for the next request. */
function latest(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    running = true;
    do {
      again = false;
      // The engine may be gone or replaced: whoever needs it is told by the session.
      await work().catch(() => {});
    } while (again);
    running = false;
  };
  return () => {
    again = true;
    if (!running) {
      quietly(run());
    }
  };
}

/** A request of the view that fails shows nothing; errors worth telling were reported by the session. */
function quietly(work: Promise<unknown>): void {
  work.catch(() => {});
}

function listen<T>(type: string, listener: (detail: T) => void): void {
  document.addEventListener(type, (event) => listener((event as CustomEvent<T>).detail));
}
