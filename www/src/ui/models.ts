// The model picker: what the site offers, with size, licence and needs; a folder of one's own; what is kept on the device.
import './models.css';
import type { Action } from '../actions';
import { formatBytes, formatShort } from '../format';
import { forgetModel, isKept, type KeptModel, localModels } from '../kept-models';
import { type ModelEntry, type ModelSource, manifestUrl, offeredModels } from '../models';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { DialogElement } from './dialog';
import { h, send, setText } from './dom';
import { icon } from './icons';

export class ModelPicker extends DialogElement {
  protected readonly opensOn = 'models';
  protected readonly heading = STRINGS.modelsTitle;
  private readonly list = h('ul', { class: 'cards' });
  private readonly used = h('p', { class: 'quiet' });
  private busy = false;
  private inUse = '';

  show({ model, state }: AppState): void {
    this.busy = state === 'loading';
    this.inUse = model?.name ?? '';
    setText(this.used, model ? `${STRINGS.modelInUse}: ${model.name}` : '');
    for (const button of this.list.querySelectorAll<HTMLButtonElement>('[data-use]')) {
      button.disabled = this.busy;
    }
  }

  protected fill(): void {
    const folder = h('button', { type: 'button' }, icon('open'), STRINGS.modelFolder);
    folder.addEventListener('click', () => this.chooseFolder());
    const checkpoint = h('button', { type: 'button' }, icon('open'), STRINGS.modelCheckpoint);
    checkpoint.addEventListener('click', () => {
      this.close();
      send<Action>(this, 'p3r-action', 'checkpoint');
    });
    this.body.append(
      h('p', {}, STRINGS.modelsBody),
      this.used,
      this.list,
      h('div', { class: 'row' }, folder, h('span', { class: 'quiet' }, STRINGS.modelFolderHint)),
      h('div', { class: 'row' }, checkpoint, h('span', { class: 'quiet' }, STRINGS.modelCheckpointHint)),
    );
  }

  protected override opening(): void {
    void this.refresh();
  }

  private async refresh(): Promise<void> {
    const offered = await offeredModels();
    const cards = await Promise.all(
      offered.map(async (entry) => {
        const key = manifestUrl(entry);
        return this.card(entry, { url: key }, (await isKept(key)) ? key : null);
      }),
    );
    const local = (await localModels().catch(() => [])).map((model) =>
      this.card(model, { kept: model.key }, model.key),
    );
    cards.push(...local);
    this.list.replaceChildren(...cards);
    this.list.hidden = cards.length === 0;
  }

  /** `kept`: its key on this device. */
  private card(
    entry: Omit<ModelEntry, 'manifest' | 'source'> | KeptModel,
    source: ModelSource,
    kept: string | null,
  ): HTMLElement {
    const current = entry.name === this.inUse;
    const made = 'kept' in source;
    const facts = [
      [
        made ? STRINGS.modelDisk : STRINGS.modelSize,
        kept
          ? `${formatBytes(entry.bytes)}, ${made ? STRINGS.modelLocal : STRINGS.modelKept}`
          : formatBytes(entry.bytes),
      ],
      [STRINGS.modelParameters, formatShort(entry.parameters)],
      [STRINGS.modelLicence, entry.licence],
      [STRINGS.modelNeeds, entry.memoryMib > 0 ? STRINGS.modelMemory(entry.memoryMib) : STRINGS.modelNeedsNothing],
    ] as const;
    const list = h('dl');
    for (const [name, value] of facts) {
      list.append(h('div', {}, h('dt', {}, name), h('dd', {}, value)));
    }
    const use = h('button', { type: 'button', 'data-use': '' }, current ? STRINGS.modelReload : STRINGS.modelUse);
    use.disabled = this.busy;
    use.addEventListener('click', () => this.use(source));
    const buttons = h('div', { class: 'row' }, use);
    if (kept) {
      const forget = h('button', { type: 'button' }, STRINGS.modelForget);
      forget.addEventListener('click', () => void this.forget(kept));
      buttons.append(forget);
    }
    const badge = h('span', { class: 'badge' }, entry.trained ? STRINGS.modelTrained : STRINGS.modelUntrained);
    badge.dataset.trained = String(entry.trained);
    return h('li', {}, h('h3', {}, entry.name, ' ', badge), list, buttons);
  }

  private async forget(key: string): Promise<void> {
    await forgetModel(key);
    send(this, 'p3r-model-removed', key);
    await this.refresh();
  }

  /** The input is made for the occasion: the page's own is for videos and images. */
  private chooseFolder(): void {
    const input = h('input', { type: 'file', webkitdirectory: '' });
    input.addEventListener('change', () => this.use({ files: [...(input.files ?? [])] }));
    input.click();
  }

  private use(source: ModelSource): void {
    this.close();
    send<ModelSource>(this, 'p3r-model', source);
  }
}
