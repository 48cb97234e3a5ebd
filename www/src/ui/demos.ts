// The demonstrations: three scenes made by this project, to look at or to see reconstructed.
import './demos.css';
import { type Demo, type DemoRequest, demoUrl, offeredDemos } from '../demos';
import { formatBytes, formatShort } from '../format';
import { DEMO_TEXT, STRINGS } from '../strings';
import { DialogElement } from './dialog';
import { h, send } from './dom';

export class Demos extends DialogElement {
  protected readonly opensOn = 'demos';
  protected readonly heading = STRINGS.demosTitle;
  private readonly list = h('ul', { class: 'cards demos' });
  private readonly none = h('p', {}, STRINGS.demosNone);

  protected fill(): void {
    this.none.hidden = true;
    this.body.append(h('p', {}, STRINGS.demosBody), this.list, this.none);
  }

  protected override opening(): void {
    void offeredDemos().then((demos) => {
      this.list.replaceChildren(...demos.map((demo) => this.card(demo)));
      this.none.hidden = demos.length > 0;
    });
  }

  private card(demo: Demo): HTMLElement {
    const { title, body } = DEMO_TEXT[demo.id];
    const picture = h('img', { src: demoUrl(demo.thumbnail), alt: '', width: '256', height: '192', loading: 'lazy' });
    const size = STRINGS.demoSize(formatShort(demo.points), formatBytes(demo.bytes));
    const look = this.button(demo, 'look', STRINGS.demoLook);
    look.classList.add('primary');
    // Scenes are opened by what shares them.
    look.hidden = !customElements.get('p3r-share');
    return h(
      'li',
      {},
      picture,
      h(
        'div',
        {},
        h('h3', {}, title),
        h('p', {}, body),
        h('p', { class: 'quiet' }, size),
        h('div', { class: 'row' }, look, this.button(demo, 'reconstruct', STRINGS.demoReconstruct)),
      ),
    );
  }

  private button(demo: Demo, how: DemoRequest['how'], text: string): HTMLButtonElement {
    const button = h('button', { type: 'button', 'data-how': how }, text);
    button.addEventListener('click', () => {
      this.close();
      send<DemoRequest>(this, 'p3r-demo', { demo, how });
    });
    return button;
  }
}
