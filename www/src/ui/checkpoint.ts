// A checkpoint becomes a model: what is in the file, which precision it is kept at and how large that is, the conversion.
import './checkpoint.css';
import { detailOf, Point3rError, toPoint3rError } from '../errors';
import { formatBytes, formatShort } from '../format';
import { checkpointIn, type ModelSource } from '../models';
import type { Precision } from '../protocol';
import type { Session } from '../session';
import type { OpenCheckpoint } from '../session/models';
import { CHECKPOINT_TEXT as TEXT } from '../strings';
import { DialogElement } from './dialog';
import { h, send, setText } from './dom';
import { icon } from './icons';

export class CheckpointDialog extends DialogElement {
  protected readonly opensOn = 'checkpoint';
  protected readonly heading = TEXT.title;
  private readonly choose = h('button', { type: 'button', class: 'primary' }, icon('open'), TEXT.choose);
  private readonly facts = h('dl', { class: 'facts' });
  private readonly precisions = h('fieldset', { class: 'precisions' }, h('legend', {}, TEXT.precision));
  private readonly convert = h('button', { type: 'submit', class: 'primary' }, TEXT.convert);
  private readonly cancel = h('button', { type: 'button' }, TEXT.cancel);
  private readonly bar = h('progress', { max: '1', 'aria-label': TEXT.progress });
  private readonly told = h('p', { class: 'quiet', role: 'status' });
  private session: Session | null = null;
  private checkpoint: OpenCheckpoint | null = null;
  /** Counts what is being done, so that what was given up shows nothing any more. */
  private attempt = 0;

  attach(session: Session): void {
    this.session = session;
  }

  /** Reads these files and shows what they hold. */
  async offer(files: readonly File[]): Promise<void> {
    this.open();
    this.giveUp();
    const attempt = this.attempt;
    setText(this.told, TEXT.reading);
    try {
      const found = checkpointIn(files);
      if (!found || !this.session) {
        throw new Point3rError('unsupported-file', TEXT.noCheckpoint, TEXT.noCheckpointAction);
      }
      const checkpoint = await this.session.models.readCheckpoint(found.file, found.config);
      if (attempt !== this.attempt) {
        checkpoint.close();
        return;
      }
      this.checkpoint = checkpoint;
      this.showFacts(checkpoint);
    } catch (thrown) {
      this.fail(attempt, thrown);
    }
  }

  protected fill(): void {
    this.choose.addEventListener('click', () => this.chooseFiles());
    this.cancel.addEventListener('click', () => this.close());
    const form = h('form', { method: 'dialog' }, this.facts, this.precisions, this.told, this.bar);
    form.append(h('div', { class: 'row' }, this.choose, this.convert, this.cancel));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.start();
    });
    this.body.append(h('p', {}, TEXT.body), form);
    this.reset();
  }

  protected override closed(): void {
    this.giveUp();
  }

  private chooseFiles(): void {
    const input = h('input', { type: 'file', accept: '.pth,.pt,.safetensors,.json', multiple: '' });
    input.addEventListener('change', () => void this.offer([...(input.files ?? [])]));
    input.click();
  }

  private showFacts({ facts }: OpenCheckpoint): void {
    const rows = [
      [TEXT.name, facts.name],
      [TEXT.file, formatBytes(facts.fileBytes)],
      [TEXT.parameters, formatShort(facts.parameters)],
      [TEXT.licence, facts.licence],
    ] as const;
    this.facts.replaceChildren(...rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
    const choices = facts.sizes.map(([precision, bytes], index) => {
      const input = h('input', { type: 'radio', name: 'precision', value: precision });
      input.checked = index === 0;
      const size = h('span', { class: 'quiet' }, `${formatBytes(bytes)}. ${TEXT.precisions[precision]}`);
      return h('label', {}, input, h('strong', {}, precision), size);
    });
    this.precisions.replaceChildren(h('legend', {}, TEXT.precision), ...choices);
    setText(this.told, facts.notes.join(' '));
    this.choose.hidden = true;
    this.precisions.hidden = false;
    this.convert.hidden = false;
  }

  private async start(): Promise<void> {
    const { checkpoint, attempt, session } = this;
    const chosen = this.precisions.querySelector<HTMLInputElement>('input:checked')?.value as Precision | undefined;
    if (!checkpoint || !chosen || !session) {
      return;
    }
    this.precisions.disabled = true;
    this.convert.hidden = true;
    this.bar.hidden = false;
    this.bar.value = 0;
    setText(this.told, TEXT.converting);
    try {
      const { key } = await checkpoint.convert(chosen, (share) => {
        this.bar.value = share;
      });
      if (attempt === this.attempt) {
        this.close();
        send<ModelSource>(this, 'p3r-model', { kept: key });
      }
    } catch (thrown) {
      this.fail(attempt, thrown);
    }
  }

  /** The page's own alert would lie behind the dialog. */
  private fail(attempt: number, thrown: unknown): void {
    if (attempt !== this.attempt) {
      return;
    }
    const error = toPoint3rError(thrown, 'unsupported-file');
    this.giveUp();
    const code = h('code', {}, error.code);
    // The table's words for some of these codes speak of videos.
    const ownWords = ['unsupported-file', 'damaged-file', 'tensor-shape', 'manifest-invalid'].includes(error.code);
    const what = ownWords ? detailOf(error) : [error.message, detailOf(error)].join(' ').trim();
    this.told.replaceChildren(
      code,
      ' ',
      [what.replace(/\.?$/, '.'), ownWords ? TEXT.noCheckpointAction : error.action].join(' '),
    );
  }

  private giveUp(): void {
    this.attempt += 1;
    this.checkpoint?.close();
    this.checkpoint = null;
    this.reset();
  }

  private reset(): void {
    this.facts.replaceChildren();
    this.precisions.hidden = true;
    this.precisions.disabled = false;
    this.convert.hidden = true;
    this.bar.hidden = true;
    this.choose.hidden = false;
    setText(this.told, '');
  }
}
