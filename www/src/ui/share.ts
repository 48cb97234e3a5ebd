// The share dialog: packs the scene into a link of the chosen size, and hands it on as text, QR code, web page or GLB.
import './share.css';
import { download } from '../actions';
import { Point3rError } from '../errors';
import { formatCount } from '../format';
import type { Session } from '../session';
import { embedCode, inlineLink } from '../share/link';
import { MAX_QR_BYTES, type QrCode, qrCode } from '../share/qr';
import type { Shared } from '../share/types';
import { SHARE_TEXT } from '../strings';
import { DialogElement } from './dialog';
import { h, setText } from './dom';

type Size = keyof typeof SHARE_TEXT.sizes;

/** Links longer than this are cut by some chat programs. */
const CHAT_LIMIT = 16_000;

/** Bytes of the compact form for a link of a size; the address before it counts. */
function budgetOf(size: Size): number {
  const characters = { qr: MAX_QR_BYTES, chat: 16_384, mail: 131_072, large: 1_048_576 }[size];
  return Math.floor(((characters - inlineLink(new URL(location.href), new Uint8Array()).length) * 3) / 4);
}

export class ShareDialog extends DialogElement {
  protected override readonly opensOn = 'share';
  protected override readonly heading = SHARE_TEXT.heading;
  private session: Session | null = null;
  private readonly titleInput = h('input', { type: 'text', maxlength: '80', placeholder: SHARE_TEXT.titleHint });
  private readonly size = h('select');
  private readonly cameras = h('input', { type: 'checkbox', checked: '' });
  private readonly view = h('input', { type: 'checkbox', checked: '' });
  private readonly result = h('p', { class: 'result', role: 'status' });
  private readonly warning = h('p', { class: 'quiet' });
  private readonly link = h('textarea', { readonly: '', 'aria-label': SHARE_TEXT.link });
  private readonly copy = h('button', { type: 'button', class: 'primary' }, SHARE_TEXT.copy);
  private readonly send = h('button', { type: 'button' }, SHARE_TEXT.send);
  private readonly code = h('canvas', { role: 'img', 'aria-label': SHARE_TEXT.qr });
  private readonly page = h('button', { type: 'button' }, SHARE_TEXT.page);
  private readonly glb = h('button', { type: 'button' }, SHARE_TEXT.glb);
  private readonly embed = h('textarea', { readonly: '', 'aria-label': SHARE_TEXT.embed });
  /** Counts requests: only the last one's answer is shown. */
  private asked = 0;
  private packing: Promise<void> = Promise.resolve();

  attach(session: Session): void {
    this.session = session;
  }

  protected override fill(): void {
    for (const [value, text] of Object.entries(SHARE_TEXT.sizes)) {
      this.size.append(h('option', { value }, text));
    }
    this.size.value = 'chat';
    this.send.hidden = !('share' in navigator);
    const more = (button: HTMLElement, hint: string): HTMLElement =>
      h('div', {}, button, h('p', { class: 'quiet' }, hint));
    const check = (input: HTMLElement, text: string): HTMLElement =>
      h('label', { class: 'check' }, input, h('span', {}, text));
    const embed = h('details', {}, h('summary', {}, SHARE_TEXT.embed), h('p', {}, SHARE_TEXT.embedHint), this.embed);
    this.body.append(
      h('p', { class: 'quiet' }, SHARE_TEXT.lead),
      h(
        'div',
        { class: 'fields' },
        h('label', {}, SHARE_TEXT.title, this.titleInput),
        h('label', {}, SHARE_TEXT.size, this.size),
        h('div', {}, check(this.cameras, SHARE_TEXT.cameras), check(this.view, SHARE_TEXT.view)),
        this.result,
        this.link,
        this.warning,
        h('div', { class: 'row' }, this.copy, this.send),
        this.code,
      ),
      h('div', { class: 'more' }, more(this.page, SHARE_TEXT.pageHint), more(this.glb, SHARE_TEXT.glbHint), embed),
    );
    // While it is typed: a title that only counts once it is left would swallow the click on “Copy”.
    this.titleInput.addEventListener('input', () => this.renew());
    for (const input of [this.size, this.cameras, this.view]) {
      input.addEventListener('change', () => this.renew());
    }
    for (const area of [this.link, this.embed]) {
      area.addEventListener('focus', () => area.select());
    }
    this.copy.addEventListener('click', () => void this.copyLink());
    this.send.addEventListener('click', () => void this.sendLink());
    this.page.addEventListener('click', () => void this.downloadPage());
    this.glb.addEventListener('click', () => void this.downloadGlb());
  }

  protected override opening(): void {
    if (!this.titleInput.value) {
      this.titleInput.value = this.session?.sceneTitle ?? '';
    }
    this.renew();
  }

  private renew(): void {
    this.asked += 1;
    const number = this.asked;
    setText(this.result, SHARE_TEXT.packing);
    this.enable(false);
    // The engine gives up what it was packing for another link, but a web page is waited for.
    this.packing = this.page.disabled ? this.packing : Promise.resolve();
    this.packing = this.packing.then(async () => {
      if (number !== this.asked) {
        return;
      }
      try {
        const shared = await this.pack(budgetOf(this.size.value as Size));
        if (number === this.asked) {
          this.present(shared);
        }
      } catch (thrown) {
        if (number === this.asked) {
          this.failed(thrown);
        }
      }
    });
  }

  /** Nobody waits for the link any more. */
  protected override closed(): void {
    this.asked += 1;
    this.session?.cancelShare().catch(() => {});
  }

  private async pack(budget: number): Promise<Shared> {
    if (!this.session) {
      throw new Error('the dialog has no session');
    }
    const viewpoint = this.view.checked ? await this.session.viewpoint() : null;
    const title = this.titleInput.value;
    return this.session.share({ budget, title, cameras: this.cameras.checked, ...(viewpoint && { viewpoint }) });
  }

  private present(shared: Shared): void {
    const link = inlineLink(new URL(location.href), shared.bytes);
    const cloud = SHARE_TEXT.cloud(formatCount(shared.points), length(shared.voxel));
    setText(this.result, `${cloud}; ${SHARE_TEXT.length((link.length / 1024).toFixed(1))}`);
    this.link.value = link;
    this.embed.value = embedCode(new URL(location.href), shared.bytes);
    const code = qrCode(link);
    this.code.hidden = code === null;
    setText(this.warning, code ? '' : link.length > CHAT_LIMIT * 1.1 ? SHARE_TEXT.tooLong : SHARE_TEXT.qrTooLong);
    if (code) {
      paint(this.code, code);
    }
    this.enable(true);
  }

  private failed(thrown: unknown): void {
    this.link.value = '';
    this.code.hidden = true;
    setText(this.result, thrown instanceof Error ? thrown.message : String(thrown));
  }

  private enable(on: boolean): void {
    this.copy.disabled = !on;
    this.send.disabled = !on;
    setText(this.copy, SHARE_TEXT.copy);
  }

  private async copyLink(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.link.value);
      setText(this.copy, SHARE_TEXT.copied);
    } catch {
      setText(this.result, SHARE_TEXT.notCopied);
      this.link.focus();
    }
  }

  private async sendLink(): Promise<void> {
    try {
      await navigator.share({ title: this.titleInput.value || SHARE_TEXT.heading, url: this.link.value });
    } catch (thrown) {
      // Who closes the system's dialog knows it.
      if (!(thrown instanceof DOMException && thrown.name === 'AbortError')) {
        setText(this.result, SHARE_TEXT.notSent);
      }
    }
  }

  private async downloadPage(): Promise<void> {
    this.page.disabled = true;
    const work = this.packing.then(() => this.makePage());
    this.packing = work;
    await work;
    this.page.disabled = false;
  }

  private async makePage(): Promise<void> {
    const before = this.result.textContent ?? '';
    setText(this.result, SHARE_TEXT.packing);
    try {
      const { offlinePage, OFFLINE_BUDGET } = await import('../share/offline');
      const shared = await this.pack(OFFLINE_BUDGET);
      download(offlinePage(shared.bytes, this.titleInput.value), `${fileName(this.titleInput.value)}.html`);
      setText(this.result, before);
    } catch (thrown) {
      // Closing the dialog cancels it, and needs no word.
      if (!(thrown instanceof Point3rError && thrown.code === 'cancelled')) {
        this.failed(thrown);
      }
    }
  }

  private async downloadGlb(): Promise<void> {
    try {
      const blob = await this.session?.export('glb');
      if (blob) {
        download(blob, `${fileName(this.titleInput.value)}.glb`);
      }
    } catch (thrown) {
      this.failed(thrown);
    }
  }
}

function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '') || 'scene';
}

/** A length in words; scenes are in metres where the model is metric. */
function length(metres: number): string {
  return metres < 0.01 ? `${(1000 * metres).toPrecision(2)} mm` : `${(100 * metres).toPrecision(2)} cm`;
}

/** Dark on white whatever the colours of the page: readers expect it. */
function paint(canvas: HTMLCanvasElement, { size, modules }: QrCode): void {
  const quiet = 4;
  const scale = 3;
  canvas.width = (size + 2 * quiet) * scale;
  canvas.height = canvas.width;
  const context = canvas.getContext('2d');
  if (!context) {
    return;
  }
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#000000';
  for (const [i, dark] of modules.entries()) {
    if (dark) {
      context.fillRect((quiet + (i % size)) * scale, (quiet + Math.floor(i / size)) * scale, scale, scale);
    }
  }
}
