// How to move about: mouse, touch and keys. Opened by the action `help` or by the key `?`.
import './help.css';
import { HELP, LOOK } from '../strings';
import { DialogElement } from './dialog';
import { h } from './dom';

export class HelpDialog extends DialogElement {
  protected override readonly opensOn = 'help';
  protected override readonly heading = LOOK.helpTitle;

  protected override fill(): void {
    const touch = matchMedia('(pointer: coarse)').matches;
    const mouse = [LOOK.helpMouse, HELP.mouse] as const;
    const fingers = [LOOK.helpTouch, HELP.touch] as const;
    const sections = touch ? [fingers, mouse] : [mouse, fingers];
    for (const [title, rows] of [...sections, [LOOK.helpKeys, HELP.keys] as const]) {
      const list = h('dl');
      for (const [what, does] of rows) {
        list.append(h('div', {}, h('dt', {}, what), h('dd', {}, does)));
      }
      this.body.append(h('h3', {}, title), list);
    }
  }
}
