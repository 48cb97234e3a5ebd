// The invitation on the empty canvas: what to do, and on the first visit how it works, in three steps. Also the frame that
// shows while something is dragged over the page.
import './welcome.css';
import type { Action } from '../actions';
import { droppedFiles } from '../dropped';
import { isModelFolder, type ModelSource } from '../models';
import { recall, remember } from '../remembered';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';
import { type IconName, icon } from './icons';

const STEP_ICONS: readonly IconName[] = ['scan', 'demo', 'share'];

export class Welcome extends HTMLElement {
  private readonly heading = h('h2', {}, STRINGS.welcomeTitle);
  private readonly hint = h('section', { class: 'steps', 'aria-label': STRINGS.stepsTitle });
  private empty = true;

  connectedCallback(): void {
    const demos = this.button('demos', STRINGS.demos, 'demo');
    demos.hidden = !customElements.get('p3r-demos');
    this.fillHint();
    this.replaceChildren(
      h(
        'div',
        {},
        this.heading,
        h('p', {}, STRINGS.welcomeBody),
        h('p', { class: 'quiet' }, STRINGS.welcomeFormats),
        demos,
        this.hint,
      ),
    );
    this.acceptDrops();
    this.render(false);
  }

  show({ state, points, source }: AppState): void {
    this.empty = points === 0 && source === '' && state !== 'unsupported' && state !== 'failed' && state !== 'lost';
    if (points > 0) {
      this.hintSeen();
    }
    this.render(this.classList.contains('dragging'));
  }

  private fillHint(): void {
    const steps = STRINGS.steps.map(([title, body], index) =>
      h('li', {}, icon(STEP_ICONS[index] ?? 'demo'), h('div', {}, h('strong', {}, title), h('span', {}, body))),
    );
    const done = h('button', { type: 'button' }, STRINGS.stepsDone);
    done.addEventListener('click', () => this.hintSeen());
    this.hint.append(h('ol', {}, ...steps), done);
    this.hint.hidden = recall('hint') !== null;
  }

  /** Once something has been reconstructed, or on request, the steps are not shown again on this device. */
  private hintSeen(): void {
    if (!this.hint.hidden) {
      this.hint.hidden = true;
      remember('hint', 'seen');
    }
  }

  private button(action: Action, text: string, picture: IconName): HTMLButtonElement {
    const button = h('button', { type: 'button', 'data-action': action }, icon(picture), text);
    button.addEventListener('click', () => send<Action>(this, 'p3r-action', action));
    return button;
  }

  private acceptDrops(): void {
    // Counted, because entering a child fires before leaving its parent.
    let depth = 0;
    const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    document.addEventListener('dragenter', (event) => {
      depth += 1;
      this.render(carriesFiles(event));
    });
    document.addEventListener('dragleave', () => {
      depth = Math.max(0, depth - 1);
      this.render(depth > 0);
    });
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      depth = 0;
      this.render(false);
      if (event.dataTransfer) {
        void droppedFiles(event.dataTransfer).then((files) => this.dropped(files));
      }
    });
  }

  private dropped(files: File[]): void {
    if (isModelFolder(files)) {
      send<ModelSource>(this, 'p3r-model', { files });
    } else if (files.length > 0) {
      send(this, 'p3r-open', files);
    }
  }

  private render(dragging: boolean): void {
    this.hidden = !this.empty && !dragging;
    this.classList.toggle('dragging', dragging);
    setText(this.heading, dragging ? STRINGS.dropNow : STRINGS.welcomeTitle);
  }
}
