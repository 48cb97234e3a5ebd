// The full page shown where there is no WebGPU.
import { STRINGS } from '../strings';
import type { Unsupported } from '../support';
import { h } from './dom';

export function unsupportedPage(because: Unsupported): HTMLElement {
  return h(
    'section',
    { class: 'unsupported', role: 'alert' },
    h('h2', {}, STRINGS.unsupportedTitle),
    h('p', {}, STRINGS.unsupportedBody[because]),
    h('h3', {}, STRINGS.unsupportedListTitle),
    h('ul', {}, ...STRINGS.unsupportedList.map((browser) => h('li', {}, browser))),
  );
}
