// The invitation on the empty canvas, and the frame that shows while something is dragged over the page.
import './welcome.css';
import type { AppState } from '../store';
import { STRINGS } from '../strings';
import { h, send, setText } from './dom';

export class Welcome extends HTMLElement {
  private readonly heading = h('h2', {}, STRINGS.welcomeTitle);
  private empty = true;

  connectedCallback(): void {
    this.replaceChildren(
      h('div', {}, this.heading, h('p', {}, STRINGS.welcomeBody), h('p', { class: 'quiet' }, STRINGS.welcomeFormats)),
    );
    this.acceptDrops();
    this.render(false);
  }

  show({ state, points, source }: AppState): void {
    this.empty = points === 0 && source === '' && state !== 'unsupported' && state !== 'failed' && state !== 'lost';
    this.render(this.classList.contains('dragging'));
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
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length > 0) {
        send(this, 'p3r-open', files);
      }
    });
  }

  private render(dragging: boolean): void {
    this.hidden = !this.empty && !dragging;
    this.classList.toggle('dragging', dragging);
    setText(this.heading, dragging ? STRINGS.dropNow : STRINGS.welcomeTitle);
  }
}
