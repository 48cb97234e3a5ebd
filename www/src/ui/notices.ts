// What the user must know: untrained weights (stays for good), computing on the processor (can be dismissed), a newer
// version of the page (used when the user says so).
import './notices.css';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send } from './dom';
import { icon } from './icons';

export class Notices extends HTMLElement {
  private readonly untrained = notice('untrained', STRINGS.untrainedTitle, STRINGS.untrainedBody);
  private readonly software = notice('software', STRINGS.softwareTitle, STRINGS.softwareBody);

  private readonly update = notice('update', STRINGS.updateTitle, STRINGS.updateBody);

  private softwareSeen = false;

  connectedCallback(): void {
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', STRINGS.notes);
    const dismiss = h(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': STRINGS.dismissNotice },
      icon('close'),
    );
    dismiss.addEventListener('click', () => {
      this.softwareSeen = true;
      this.software.hidden = true;
    });
    this.software.append(dismiss);
    const updateNow = h('button', { type: 'button' }, STRINGS.updateNow);
    updateNow.addEventListener('click', () => send(this, 'p3r-update', null));
    this.update.append(updateNow);
    this.replaceChildren(this.untrained, this.software, this.update);
  }

  show({ model, device, updateReady }: AppState): void {
    this.untrained.hidden = model === null || model.trained;
    const forLackOfHardware = device?.backend === 'cpu' && device.tier !== 'hardware';
    this.software.hidden = !forLackOfHardware || this.softwareSeen;
    this.update.hidden = !updateReady;
  }
}

function notice(kind: string, title: string, body: string): HTMLElement {
  const text = h('p', {}, h('strong', {}, title), ` ${body}`);
  const element = h('div', { class: 'notice', 'data-notice': kind, role: 'note' }, text);
  element.hidden = true;
  return element;
}
