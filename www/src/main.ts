// The page's entry: checks that the browser can do it, connects session, view and interface, and publishes `window.point3r`.
import { WorkerEngine } from './engine';
import { Point3rError } from './errors';
import type { DeviceChoice } from './protocol';
import { Session } from './session';
import { type AppState, INITIAL, type Settings, Store } from './store';
import { unsupportedBecause } from './support';
import { ErrorAlert } from './ui/alert';
import { DeviceChip } from './ui/device';
import { Notices } from './ui/notices';
import { SettingsPanel } from './ui/settings';
import { StatusBar } from './ui/status';
import { type Action, Toolbar } from './ui/toolbar';
import { unsupportedPage } from './ui/unsupported';
import { Viewport, type ViewSize } from './ui/viewport';
import { Welcome } from './ui/welcome';
import { steer } from './view';

declare global {
  interface Window {
    /** The page's engine, for embedders and the console. Absent where the browser is not supported. */
    point3r?: Session;
  }
}

const ELEMENTS = {
  'p3r-device': DeviceChip,
  'p3r-toolbar': Toolbar,
  'p3r-notices': Notices,
  'p3r-viewport': Viewport,
  'p3r-welcome': Welcome,
  'p3r-settings': SettingsPanel,
  'p3r-alert': ErrorAlert,
  'p3r-status': StatusBar,
} as const;

for (const [name, element] of Object.entries(ELEMENTS)) {
  customElements.define(name, element);
}

function find<K extends keyof typeof ELEMENTS>(name: K): InstanceType<(typeof ELEMENTS)[K]> {
  const element = document.querySelector(name);
  if (!element) {
    throw new Error(`the page lacks <${name}>`);
  }
  return element as InstanceType<(typeof ELEMENTS)[K]>;
}

const shown = [
  'p3r-device',
  'p3r-toolbar',
  'p3r-notices',
  'p3r-welcome',
  'p3r-settings',
  'p3r-alert',
  'p3r-status',
] as const;

function deviceChoice(): DeviceChoice {
  const choice = new URLSearchParams(location.search).get('device');
  return choice === 'cpu' || choice === 'gpu' ? choice : 'auto';
}

async function boot(): Promise<void> {
  const store = new Store<AppState>(INITIAL);
  store.subscribe((state) => {
    for (const name of shown) {
      find(name).show(state);
    }
  });
  const because = await unsupportedBecause();
  if (because) {
    const code = because === 'no-adapter' ? 'no-adapter' : 'no-webgpu';
    store.set({ state: 'unsupported', progress: null, error: new Point3rError(code) });
    document.body.classList.add('is-unsupported');
    document.querySelector('main')?.replaceChildren(unsupportedPage(because));
    return;
  }
  const session = startSession(store);
  window.point3r = session;
  connect(session);
}

function startSession(store: Store<AppState>): Session {
  const viewport = find('p3r-viewport');
  return new Session({
    store,
    makeEngine: (events) =>
      new WorkerEngine(
        new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'point3r' }),
        events,
      ),
    freshCanvas: () => viewport.freshCanvas(),
    engineReady: (engine) => {
      const { confidence, pointSize } = store.get().settings;
      engine.view({ type: 'view', view: 'resize', ...viewport.size() });
      engine.view({ type: 'view', view: 'options', options: { confidence, pointSize, background: background() } });
    },
    device: deviceChoice(),
    modelUrl: new URL('models/default/manifest.json', document.baseURI).href,
  });
}

const light = matchMedia('(prefers-color-scheme: light)');

function background(): 'dark' | 'light' {
  return light.matches ? 'light' : 'dark';
}

/** Errors of these promises are already on screen: the session reports every one it rejects with. */
function shownToUser(work: Promise<unknown>): void {
  work.catch(() => {});
}

function connect(session: Session): void {
  const actions: Record<Action, () => Promise<unknown>> = {
    pause: () => session.pause(),
    resume: () => session.resume(),
    stop: () => session.stop(),
    reset: () => session.reset(),
    export: async () => download(await session.export('ply'), 'cloud.ply'),
  };
  listen<File[]>('p3r-open', (files) => shownToUser(session.open(files)));
  listen<Action>('p3r-action', (action) => shownToUser(actions[action]()));
  listen<Partial<Settings>>('p3r-settings', (change) => session.setSettings(change));
  listen<null>('p3r-dismiss', () => session.dismissError());
  listen<ViewSize>('p3r-resize', (size) => session.currentEngine.view({ type: 'view', view: 'resize', ...size }));
  light.addEventListener('change', () =>
    session.currentEngine.view({ type: 'view', view: 'options', options: { background: background() } }),
  );
  let steered = false;
  steer(find('p3r-viewport'), (command) => {
    steered = true;
    session.currentEngine.view(command);
  });
  const showAll = (): void => {
    if (!steered) {
      session.currentEngine.view({ type: 'view', view: 'fit' });
    }
  };
  session.on('frame', ({ index }) => {
    steered &&= index > 0;
    if (isPowerOfTwo(index + 1)) {
      showAll();
    }
  });
  session.on('state', (state) => {
    if (state === 'ready') {
      showAll();
    }
  });
}

/** Until the user takes over, the view is fitted to the cloud ever more rarely, and at the end: it shows all without jumping about. */
function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}

function listen<T>(type: string, listener: (detail: T) => void): void {
  document.addEventListener(type, (event) => listener((event as CustomEvent<T>).detail));
}

function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken hold of the file once the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

boot().catch((thrown: unknown) => console.error(thrown));
