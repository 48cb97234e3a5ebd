// The model picker: what the site offers, with size, licence and needs; a folder of one's own; what is kept on the device.
import './models.css';
import { formatBytes, formatShort } from '../format';
import { forgetModel, isKept } from '../model-cache';
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
    this.body.append(
      h('p', {}, STRINGS.modelsBody),
      this.used,
      this.list,
      h('div', { class: 'row' }, folder, h('span', { class: 'quiet' }, STRINGS.modelFolderHint)),
    );
  }

  protected override opening(): void {
    void this.refresh();
  }

  private async refresh(): Promise<void> {
    const offered = await offeredModels();
    const cards = await Promise.all(offered.map(async (entry) => this.card(entry, await isKept(manifestUrl(entry)))));
    this.list.replaceChildren(...cards);
    this.list.hidden = cards.length === 0;
  }

  private card(entry: ModelEntry, kept: boolean): HTMLElement {
    const current = entry.name === this.inUse;
    const facts = [
      [STRINGS.modelSize, kept ? `${formatBytes(entry.bytes)}, ${STRINGS.modelKept}` : formatBytes(entry.bytes)],
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
    use.addEventListener('click', () => this.use({ url: manifestUrl(entry) }));
    const buttons = h('div', { class: 'row' }, use);
    if (kept) {
      const forget = h('button', { type: 'button' }, STRINGS.modelForget);
      forget.addEventListener('click', () => void forgetModel(manifestUrl(entry)).then(() => this.refresh()));
      buttons.append(forget);
    }
    const badge = h('span', { class: 'badge' }, entry.trained ? STRINGS.modelTrained : STRINGS.modelUntrained);
    badge.dataset.trained = String(entry.trained);
    return h('li', {}, h('h3', {}, entry.name, ' ', badge), list, buttons);
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
