// Holds the canvas. A canvas can be handed to a worker only once, so a new engine gets a new canvas.
import './viewport.css';
import { STRINGS } from '../strings';
import { h, send } from './dom';

export interface ViewSize {
  width: number;
  height: number;
  pixelRatio: number;
}

/** More device pixels than this per CSS pixel cost much and show nothing. */
const MAX_PIXEL_RATIO = 2;

export class Viewport extends HTMLElement {
  private canvas: HTMLCanvasElement | null = null;

  connectedCallback(): void {
    this.tabIndex = 0;
    this.setAttribute('role', 'application');
    this.setAttribute('aria-label', `${STRINGS.canvas} ${STRINGS.canvasKeys}`);
    new ResizeObserver(() => send(this, 'p3r-resize', this.size())).observe(this);
  }

  freshCanvas(): OffscreenCanvas {
    const canvas = h('canvas', { 'aria-hidden': 'true' });
    const { width, height, pixelRatio } = this.size();
    canvas.width = Math.max(1, Math.round(width * pixelRatio));
    canvas.height = Math.max(1, Math.round(height * pixelRatio));
    this.canvas?.remove();
    this.canvas = canvas;
    this.append(canvas);
    return canvas.transferControlToOffscreen();
  }

  size(): ViewSize {
    const { width, height } = this.getBoundingClientRect();
    return { width, height, pixelRatio: Math.min(window.devicePixelRatio, MAX_PIXEL_RATIO) };
  }
}
