// The page's entry: checks that the browser can do it, connects session, view and interface, and publishes `window.point3r`.
import { answerActions, download } from './actions';
import { watchPresence } from './camera/presence';
import { connectView } from './connect-view';
import { type DemoRequest, demoPictures, demoUrl } from './demos';
import { defineElements, find, showState } from './elements';
import { WorkerEngine } from './engine';
import { Point3rError } from './errors';
import type { ModelSource } from './models';
import { workOffline } from './offline';
import type { DeviceChoice } from './protocol';
import { Session } from './session';
import { type AppState, INITIAL, type Settings, Store } from './store';
import { unsupportedBecause } from './support';
import type { TakeOptions } from './take';
import type { TakeRequest } from './ui/export';
import { unsupportedPage } from './ui/unsupported';
import type { ViewSize } from './ui/viewport';

declare global {
  interface Window {
    /** The page's engine, for embedders and the console. Absent where the browser is not supported. */
    point3r?: Session;
  }
}

function deviceChoice(): DeviceChoice {
  const choice = new URLSearchParams(location.search).get('device');
  return choice === 'cpu' || choice === 'gpu' ? choice : 'auto';
}

async function boot(): Promise<void> {
  const store = new Store<AppState>(INITIAL);
  defineElements();
  showState(store);
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
  find('p3r-camera').attach(session);
  watchPresence(session, store);
  connect(session, store);
  await session.ready;
  await workOffline((useNow) => {
    store.set({ updateReady: true });
    listen('p3r-update', useNow);
  });
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
      engine.view({ type: 'view', view: 'resize', ...viewport.size() });
    },
    device: deviceChoice(),
    modelUrl: new URL('models/default/manifest.json', document.baseURI).href,
  });
}

/** Errors of these promises are already on screen: the session reports every one it rejects with. */
function shownToUser(work: Promise<unknown>): void {
  work.catch(() => {});
}

function connect(session: Session, store: Store<AppState>): void {
  answerActions(session);
  listen<File[]>('p3r-open', (files) => shownToUser(session.open(files)));
  listen<DemoRequest>('p3r-demo', (request) => shownToUser(openDemo(session, request)));
  listen<ModelSource>('p3r-model', (source) =>
    shownToUser(session.loadModel('url' in source ? source.url : source.files)),
  );
  listen<Partial<Settings>>('p3r-settings', (change) => session.setSettings(change));
  listen<TakeRequest>('p3r-take', ({ format, options }) =>
    shownToUser(session.export(format, options).then((file) => download(file, file.name))),
  );
  listen<null>('p3r-take-cancel', () => shownToUser(session.cancelExport()));
  listen<TakeOptions>('p3r-take-sizes', (options) =>
    shownToUser(session.exportSizes(options).then((sizes) => find('p3r-export').showSizes(sizes))),
  );
  listen<null>('p3r-dismiss', () => session.dismissError());
  listen<ViewSize>('p3r-resize', (size) => session.currentEngine.view({ type: 'view', view: 'resize', ...size }));
  connectView(session, () => store.get());
}

async function openDemo(session: Session, { demo, how }: DemoRequest): Promise<void> {
  const opened = how === 'look' ? demoUrl(demo.scene) : await demoPictures(demo);
  await session.open(opened);
}

function listen<T>(type: string, listener: (detail: T) => void): void {
  document.addEventListener(type, (event) => listener((event as CustomEvent<T>).detail));
}

boot().catch((thrown: unknown) => console.error(thrown));
