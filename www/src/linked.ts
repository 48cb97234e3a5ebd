// What the page's address asks for, carried out: questions first, then scene, video and model.
import { type Point3rError, toPoint3rError } from './errors';
import type { ModelSource } from './models';
import type { Session } from './session';
import { nameOf, type SceneFile } from './session/scenes';
import { agreeToModel, fetchAsked } from './share/fetch';
import { hasScene, type PageLink, readLink } from './share/link';
import type { Question, QuestionDialog } from './ui/question';

const NOTHING: PageLink = {
  inline: null,
  scene: null,
  video: null,
  model: null,
  view: null,
  embed: false,
  origins: [],
};

/** What the address asks for; a refused link asks for nothing, and its error is to be shown. */
export function linkOf(address: URL): { link: PageLink; error: Point3rError | null } {
  try {
    return { link: readLink(address), error: null };
  } catch (thrown) {
    const embed = address.searchParams.get('embed') === '1';
    return { link: { ...NOTHING, embed }, error: toPoint3rError(thrown, 'link-refused') };
  }
}

/** Asks on behalf of a link. */
export function asker(dialog: QuestionDialog, kind: Question['kind']) {
  return (question: Omit<Question, 'kind'>): Promise<boolean> => dialog.ask({ ...question, kind });
}

/** The scene of the link, or null where it names none. */
export async function linkedScene(
  link: PageLink,
  dialog: QuestionDialog,
  progress: (done: number, total: number) => void,
): Promise<SceneFile | null> {
  if (link.inline) {
    return { name: '', bytes: link.inline };
  }
  if (!link.scene) {
    return null;
  }
  const bytes = await fetchAsked(link.scene, asker(dialog, 'scene'), progress);
  return { name: nameOf(link.scene), bytes };
}

/** The model that the link names, once agreed to; null where it names none. */
export async function linkedModel(link: PageLink, dialog: QuestionDialog): Promise<ModelSource | null> {
  return link.model && { url: link.model.href, manifest: await agreeToModel(link.model, asker(dialog, 'model')) };
}

/** Once the session is ready: the view of the link, or its video. */
export async function finishLink(
  session: Session,
  link: PageLink,
  dialog: QuestionDialog,
  progress: (done: number, total: number) => void,
): Promise<void> {
  if (link.view && hasScene(link)) {
    session.look(link.view);
  }
  if (link.video && !hasScene(link)) {
    const bytes = await fetchAsked(link.video, asker(dialog, 'video'), progress);
    await session.open([new File([bytes], nameOf(link.video))]);
  }
}
