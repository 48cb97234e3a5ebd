// The page's entry: checks that the browser can do it, connects session, view and interface, and publishes `window.point3r`.
import { answerActions, download } from './actions';
import { watchPresence } from './camera/presence';
import { connectView } from './connect-view';
import { type DemoRequest, demoPictures, demoUrl } from './demos';
import { defineElements, find, showState } from './elements';
import { WorkerEngine } from './engine';
import { detailOf, Point3rError, toPoint3rError } from './errors';
import { finishLink, linkedModel, linkedScene, linkOf } from './linked';
import { checkpointIn, type ModelSource } from './models';
import { workOffline } from './offline';
import type { DeviceChoice } from './protocol';
import { Session } from './session';
import type { FitChoice } from './session/types';
import { hasScene, type PageLink } from './share/link';
import { type AppState, INITIAL, type Settings, Store } from './store';
import { FIT_TEXT, SHARE_TEXT } from './strings';
import { unsupportedBecause } from './support';
import type { TakeOptions } from './take';
import type { TakeRequest } from './ui/export';
import type { QuestionDialog } from './ui/question';
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
  const { link, error } = linkOf(new URL(location.href));
  if (link.embed) {
    await showEmbedded(link, error);
    return;
  }
  const store = new Store<AppState>(INITIAL);
  defineElements();
  showState(store);
  const because = await unsupportedBecause();
  if (because && hasScene(link)) {
    await showSmall(link);
    return;
  }
  if (because) {
    const code = because === 'no-adapter' ? 'no-adapter' : 'no-webgpu';
    store.set({ state: 'unsupported', progress: null, error: new Point3rError(code) });
    document.body.classList.add('is-unsupported');
    document.querySelector('main')?.replaceChildren(unsupportedPage(because));
    return;
  }
  const question = find('p3r-question');
  if (error) {
    store.set({ error });
  }
  const session = startSession(store, await modelOf(link, store), link, question);
  window.point3r = session;
  find('p3r-camera').attach(session);
  watchPresence(session, store);
  find('p3r-share').attach(session);
  find('p3r-checkpoint').attach(session);
  connect(session, store);
  await session.ready;
  await finishLink(session, link, question, showOpening(store)).catch((thrown: unknown) =>
    store.set({ error: toPoint3rError(thrown, 'network'), progress: null }),
  );
  await workOffline((useNow) => {
    store.set({ updateReady: true });
    listen('p3r-update', useNow);
  });
}

/** The model that the link names, or the page's own where there is none, or not agreed to. */
async function modelOf(link: PageLink, store: Store<AppState>): Promise<ModelSource> {
  const own = { url: new URL('models/default/manifest.json', document.baseURI).href };
  try {
    return (await linkedModel(link, find('p3r-question'))) ?? own;
  } catch (thrown) {
    store.set({ error: toPoint3rError(thrown, 'model-not-found') });
    return own;
  }
}

/** Shows how much of a linked file is there. */
function showOpening(store: Store<AppState>): (done: number, total: number) => void {
  return (done, total) => store.set({ progress: { stage: 'open', done, total } });
}

/** The page inside another page: no engine unless a file must be converted. */
async function showEmbedded(link: PageLink, error: Point3rError | null): Promise<void> {
  const { startEmbed } = await import('./small/embed');
  const page = startEmbed(link);
  if (error) {
    page.fail(error);
  } else {
    await page.openLink(link).catch(() => {});
  }
}

/** A linked scene where the browser has no WebGPU. */
async function showSmall(link: PageLink): Promise<void> {
  const { SmallPage } = await import('./small/page');
  const page = new SmallPage({ scene: () => page.say(SHARE_TEXT.smallOnly), error() {}, moved() {} }, 'bar-link');
  await page.openLink(link).catch(() => {});
}

function startSession(store: Store<AppState>, model: ModelSource, link: PageLink, question: QuestionDialog): Session {
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
    model,
    chooseFit: (error, onGpu) => chooseFit(question, error, onGpu),
    ...(hasScene(link) && { first: linkedScene(link, question, showOpening(store)) }),
  });
}

/** Another model is chosen in the picker; this one is then not loaded. */
async function chooseFit(question: QuestionDialog, error: Point3rError, onGpu: boolean): Promise<FitChoice> {
  const { smaller, cpu, anyway } = FIT_TEXT;
  const choice = await question.choose(detailOf(error) || error.message, [
    { value: 'smaller', text: smaller },
    ...(onGpu ? [{ value: 'cpu', text: cpu } as const] : []),
    { value: 'anyway', text: anyway },
  ] as const);
  if (choice === 'smaller') {
    find('p3r-models').open();
    return 'cancel';
  }
  return choice;
}

/** Errors of these promises are already on screen: the session reports every one it rejects with. */
function shownToUser(work: Promise<unknown>): void {
  work.catch(() => {});
}

function connect(session: Session, store: Store<AppState>): void {
  answerActions(session);
  listen<File[]>('p3r-open', (files) => {
    if (checkpointIn(files)) {
      void find('p3r-checkpoint').offer(files);
    } else {
      shownToUser(session.open(files));
    }
  });
  listen<DemoRequest>('p3r-demo', (request) => shownToUser(openDemo(session, request)));
  listen<ModelSource>('p3r-model', (source) =>
    shownToUser(
      session.loadModel('url' in source ? source.url : 'kept' in source ? { kept: source.kept } : source.files),
    ),
  );
  listen<string>('p3r-model-removed', () => void session.models.offer());
  listen<null>('p3r-model-later', () => store.set({ keptModel: null }));
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
  // Another link in the same tab.
  window.addEventListener('hashchange', () => {
    if (location.hash.startsWith('#s=')) {
      location.reload();
    }
  });
}

async function openDemo(session: Session, { demo, how }: DemoRequest): Promise<void> {
  const opened = how === 'look' ? demoUrl(demo.scene) : await demoPictures(demo);
  await session.open(opened);
}

function listen<T>(type: string, listener: (detail: T) => void): void {
  document.addEventListener(type, (event) => listener((event as CustomEvent<T>).detail));
}

boot().catch((thrown: unknown) => console.error(thrown));
