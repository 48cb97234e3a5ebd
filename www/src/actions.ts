// What the user can ask for by a button or a key. Controls send `p3r-action` with a name; what concerns the session is
// answered here, dialogs and panels listen for their own name.
import type { Session, UndoWhat } from './session';

export type Action =
  | 'scan'
  | 'open'
  | 'demos'
  | 'pause'
  | 'resume'
  | 'undo'
  | 'stop'
  | 'reset'
  | 'export'
  | 'share'
  | 'help'
  | 'models'
  | 'checkpoint'
  | 'settings';

type Handler = (session: Session) => Promise<unknown>;

/** The actions that are the session's own. */
const SESSION_ACTIONS: Partial<Record<Action, Handler>> = {
  scan: (session) => session.scan(),
  pause: (session) => session.pause(),
  resume: (session) => session.resume(),
  undo: (session) => session.undo(),
  stop: (session) => session.stop(),
  reset: (session) => session.reset(),
  export: async (session) => {
    // The dialog, where there is one, asks for the format.
    if (!customElements.get('p3r-export')) {
      download(await session.export('ply'), 'cloud.ply');
    }
  },
};

/** Lets the session answer its actions. Its errors are on screen already: it reports every one it rejects with. */
export function answerActions(session: Session): void {
  document.addEventListener('p3r-action', (event) => {
    SESSION_ACTIONS[(event as CustomEvent<Action>).detail]?.(session).catch(() => {});
  });
  document.addEventListener('p3r-undo', (event) => {
    session.undo((event as CustomEvent<UndoWhat>).detail).catch(() => {});
  });
  document.addEventListener('p3r-saved', (event) => {
    const open = (event as CustomEvent<'open' | 'discard'>).detail === 'open';
    (open ? session.openSaved() : session.discardSaved()).catch(() => {});
  });
  document.addEventListener('p3r-note', () => session.dismissNote());
}

/** Hands a file to the browser's downloads. */
export function download(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken hold of the file once the click has been handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
