// What the user must know all the time: untrained weights, computing on the processor.
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h } from './dom';

export class Notices extends HTMLElement {
  private readonly untrained = notice('untrained', STRINGS.untrainedTitle, STRINGS.untrainedBody);
  private readonly software = notice('software', STRINGS.softwareTitle, STRINGS.softwareBody);

  connectedCallback(): void {
    this.replaceChildren(this.untrained, this.software);
  }

  show({ model, device }: AppState): void {
    this.untrained.hidden = model === null || model.trained;
    this.software.hidden = device === null || (device.backend === 'gpu' && device.tier === 'hardware');
  }
}

function notice(kind: string, title: string, body: string): HTMLElement {
  const element = h('p', { class: 'notice', 'data-notice': kind, role: 'note' }, h('strong', {}, title), ` ${body}`);
  element.hidden = true;
  return element;
}
