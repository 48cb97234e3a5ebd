// The small viewer: a shared scene on a canvas, without wasm and WebGPU. It serves in offline pages, in embedded pages
// and where the browser lacks WebGPU.
import { control } from './controls';
import { Orbit } from './orbit';
import { Painter } from './painter';
import type { SharedScene, Viewpoint } from './shared-scene';

const DARK = [0.07, 0.082, 0.106] as const;
const LIGHT = [0.965, 0.969, 0.976] as const;
const MAX_PIXEL_RATIO = 2;

export interface SmallViewer {
  viewpoint(): Viewpoint;
  look(viewpoint: Viewpoint): void;
  fit(): void;
}

/** Shows the scene on the canvas, which fills its parent. Throws where there is no WebGL 2. */
export function showScene(canvas: HTMLCanvasElement, scene: SharedScene, moved: () => void = () => {}): SmallViewer {
  const gl = canvas.getContext('webgl2', { antialias: true, alpha: false });
  if (!gl) {
    throw new Error('this browser has no WebGL 2');
  }
  let painter = new Painter(gl, scene);
  const orbit = new Orbit();
  const light = matchMedia('(prefers-color-scheme: light)');
  let waiting = false;

  const draw = (): void => {
    waiting = false;
    const pixelRatio = Math.min(MAX_PIXEL_RATIO, devicePixelRatio);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) =>
      Math.max(1, Math.round(side * pixelRatio)),
    );
    if (width && height && (canvas.width !== width || canvas.height !== height)) {
      canvas.width = width;
      canvas.height = height;
    }
    const background = light.matches ? LIGHT : DARK;
    painter.draw({ ...orbit.matrix(canvas.width, canvas.height), background, pixelRatio });
  };
  const redraw = (): void => {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  };
  const changed = (): void => {
    redraw();
    moved();
  };
  const showAll = (): void => {
    orbit.fit(scene.positions, canvas.clientWidth / Math.max(1, canvas.clientHeight));
    changed();
  };
  canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
  canvas.addEventListener('webglcontextrestored', () => {
    painter = new Painter(gl, scene);
    redraw();
  });
  control(canvas, orbit, showAll, changed);
  light.addEventListener('change', redraw);
  new ResizeObserver(redraw).observe(canvas);
  showAll();
  if (scene.viewpoint) {
    orbit.look(scene.viewpoint);
  }
  return {
    viewpoint: () => orbit.viewpoint,
    look(viewpoint) {
      orbit.look(viewpoint);
      changed();
    },
    fit: showAll,
  };
}
