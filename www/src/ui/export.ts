// What to take away and how: formats with one line each and their size, options of the chosen one, progress, cancel.
import './export.css';
import { formatBytes } from '../format';
import { type AppState, INITIAL_VIEW, type ViewSettings } from '../store';
import { STRINGS } from '../strings';
import { isSmall, TAKE_FORMATS, type TakeFormat, type TakeOptions, type TakeSizes } from '../take';
import { DialogElement } from './dialog';
import { h, send, setText } from './dom';
import { icon } from './icons';

/** What the dialog asks for. */
export interface TakeRequest {
  format: TakeFormat;
  options: TakeOptions;
}

/** Formats that hold the points; a mesh is made of depth maps. */
const ofPoints = (format: TakeFormat): boolean => ['ply', 'glb', 'colmap', 'nerfstudio'].includes(format);

/** Which options a format has. */
const HAS: Record<keyof typeof FIELDS, (format: TakeFormat) => boolean> = {
  confidence: (format) => !['tum', 'intrinsics', 'maps', 'picture', 'turntable'].includes(format),
  scale: (format) => !['intrinsics', 'picture', 'turntable'].includes(format),
  hideEdges: ofPoints,
  hideSky: ofPoints,
  maps: (format) => format === 'maps',
  voxel: (format) => format === 'mesh-glb' || format === 'mesh-ply',
  height: (format) => format === 'picture' || format === 'turntable',
  seconds: (format) => format === 'turntable',
};

const number = (attributes: Record<string, string>) =>
  h('input', { type: 'number', inputmode: 'decimal', ...attributes });
const select = (choices: Record<string, string>, chosen: string): HTMLSelectElement => {
  const options = Object.entries(choices).map(([value, text]) => h('option', { value }, text));
  const list = h('select', {}, ...options);
  list.value = chosen;
  return list;
};

const FIELDS = {
  confidence: () => number({ min: '1', max: '4096', step: 'any', value: '1' }),
  scale: () => number({ min: '0.0001', max: '10000', step: 'any', value: '1' }),
  hideEdges: () => h('input', { type: 'checkbox' }),
  hideSky: () => h('input', { type: 'checkbox' }),
  maps: () => select(STRINGS.exportMaps, 'png'),
  voxel: () => number({ min: '0.0001', step: 'any', placeholder: STRINGS.exportFitted }),
  height: () => select({ 720: '1280 × 720', 1080: '1920 × 1080', 2160: '3840 × 2160' }, '1080'),
  seconds: () => number({ min: '1', max: '60', step: '1', value: '8' }),
} as const;

export class ExportDialog extends DialogElement {
  protected readonly opensOn = 'export';
  protected readonly heading = STRINGS.exportTitle;
  private readonly fields = Object.entries(FIELDS).map(([name, make]) => {
    const input: HTMLInputElement | HTMLSelectElement = make();
    const key = name as keyof typeof FIELDS;
    const text = h('span', {}, STRINGS.exportOptions[key]);
    const label = h('label', { 'data-option': name }, ...(isCheck(input) ? [input, text] : [text, input]));
    return { key, input, label };
  });
  private readonly rows = new Map<TakeFormat, { input: HTMLInputElement; size: HTMLElement }>();
  private readonly save = h('button', { type: 'submit', class: 'primary' }, icon('export'), STRINGS.exportSave);
  private readonly cancel = h('button', { type: 'button' }, STRINGS.exportCancel);
  private readonly bar = h('progress', { max: '1', 'aria-label': STRINGS.exportProgress });
  private readonly told = h('p', { class: 'quiet', role: 'status' });
  private chosen: TakeFormat = 'ply';
  /** What is shown: by default that is what is saved. */
  private shown: Pick<ViewSettings, 'confidence' | 'hideEdges' | 'hideSky'> = INITIAL_VIEW;
  private busy = false;

  show({ taking, points, state, view, error }: AppState): void {
    this.shown = view;
    const begins = !this.busy && taking !== null;
    if (this.busy && taking === null) {
      // The page's own alert lies behind the dialog.
      setText(this.told, error ? [error.message, error.action].join(' ') : '');
    }
    this.busy = taking !== null;
    this.cancel.hidden = !this.busy;
    this.bar.hidden = !this.busy;
    if (taking) {
      this.bar.value = taking.share;
      if (begins) {
        setText(this.told, STRINGS.exportMaking(STRINGS.exportFormats[taking.format][0]));
      }
    }
    this.save.disabled = this.busy || points === 0;
    for (const [format, { input }] of this.rows) {
      // Drawing needs the device; after a crash only what was kept is there.
      input.disabled =
        (state === 'lost' && (format === 'picture' || format === 'turntable')) ||
        (state === 'failed' && !isSmall(format));
    }
  }

  /** Shows how large the files would be. */
  showSizes(sizes: TakeSizes): void {
    for (const [format, { size }] of this.rows) {
      const bytes = sizes[format];
      setText(size, bytes === undefined ? '' : `≈ ${formatBytes(bytes)}`);
    }
  }

  protected fill(): void {
    const list = h('fieldset', { class: 'formats' }, h('legend', {}, STRINGS.exportWhat));
    for (const format of TAKE_FORMATS) {
      const [name, what] = STRINGS.exportFormats[format];
      const input = h('input', { type: 'radio', name: 'format', value: format });
      const size = h('span', { class: 'quiet size' });
      input.checked = format === this.chosen;
      input.addEventListener('change', () => this.choose(format));
      list.append(h('label', {}, input, h('strong', {}, name), size, h('span', { class: 'quiet' }, what)));
      this.rows.set(format, { input, size });
    }
    const options = h('div', { class: 'options' }, ...this.fields.map(({ label }) => label));
    const buttons = h('div', { class: 'row' }, this.save, this.cancel);
    const foot = h('div', { class: 'foot' }, options, this.told, this.bar, buttons);
    const form = h('form', { method: 'dialog' }, list, foot);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      send<TakeRequest>(this, 'p3r-take', { format: this.chosen, options: this.options() });
    });
    form.addEventListener('change', () => this.askSizes());
    this.cancel.addEventListener('click', () => send(this, 'p3r-take-cancel', null));
    this.body.append(form);
    this.choose(this.chosen);
  }

  protected override opening(): void {
    for (const { key, input } of this.fields) {
      if (key === 'confidence') {
        input.value = String(this.shown.confidence);
      } else if ((key === 'hideEdges' || key === 'hideSky') && isCheck(input)) {
        input.checked = this.shown[key];
      }
    }
    this.askSizes();
  }

  private askSizes(): void {
    send<TakeOptions>(this, 'p3r-take-sizes', this.options());
  }

  private choose(format: TakeFormat): void {
    this.chosen = format;
    for (const { key, input, label } of this.fields) {
      label.hidden = !HAS[key](format);
      // What is not shown must not keep the form from being sent.
      input.disabled = label.hidden;
    }
  }

  private options(): TakeOptions {
    const options: TakeOptions = {};
    for (const { key, input } of this.fields) {
      if (input.disabled || input.value === '') {
        continue;
      }
      if (key === 'hideEdges' || key === 'hideSky') {
        options[key] = isCheck(input) && input.checked;
      } else if (key === 'maps') {
        options.maps = input.value as 'png' | 'npy' | 'both';
      } else if (key === 'height') {
        options.height = Number(input.value);
        options.width = (options.height * 16) / 9;
      } else {
        options[key] = Number(input.value);
      }
    }
    return options;
  }
}

function isCheck(input: HTMLInputElement | HTMLSelectElement): input is HTMLInputElement {
  return input.type === 'checkbox';
}
