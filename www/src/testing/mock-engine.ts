// A test double of the wasm engine (`--mode mock`, unit tests): same interface, invented points, no network behind it.
// Never part of a production build. It draws with a 2-D canvas and throws the same errors the engine does.
import type { WasmEngine, WasmModule } from 'point3r-wasm';
import type { ByteSource } from '../bytes';
import type { Picked, PointerHistory, ViewState } from '../look';
import type {
  DeviceReport,
  EngineStats,
  ExportFormat,
  FrameReport,
  ManifestReport,
  ModelReport,
  UndoRequest,
  ViewOptions,
} from '../protocol';
import type { SceneReport, Shared } from '../share/types';
import { type FileFormat, isSmall, type TakeOptions, type TakeSizes } from '../take';
import type { Viewpoint } from '../viewer/shared-scene';

interface Point {
  x: number;
  y: number;
  z: number;
  r: number;
  g: number;
  b: number;
}

const failure = (code: string, message: string) => ({ code, message, action: '' });
const GRID = 48;

/** The double reads no checkpoints. */
export const CheckpointReader: WasmModule['CheckpointReader'] = {
  open() {
    throw failure('unsupported-file', 'the double reads no checkpoints');
  },
};

export default async function init(): Promise<void> {}

export class Engine implements WasmEngine {
  static async create(canvas: OffscreenCanvas | undefined, options: { device: string }): Promise<Engine> {
    return new Engine(canvas, options.device === 'gpu' ? 'gpu' : 'cpu');
  }

  private readonly context: OffscreenCanvasRenderingContext2D | null;
  private readonly backend: 'cpu' | 'gpu';
  private chunks: Point[][] = [];
  private yaw = 0;
  private pitch = 0;
  private scale = 1;
  private offset = { x: 0, y: 0 };
  private options: ViewOptions & { pointSize: number } = { pointSize: 2, background: 'dark' };
  private scale_ = 1;
  private dirty = true;
  private exportCancelled = false;
  private millis = 0;
  private generation = 0;
  private manifest: ManifestReport | null = null;
  /** Settles when the session is free: before `push` has told its caller, as in wasm. */
  private busy: Promise<void> = Promise.resolve();

  constructor(canvas: OffscreenCanvas | undefined, backend: 'cpu' | 'gpu') {
    this.context = canvas?.getContext('2d') ?? null;
    this.backend = backend;
  }

  static async packScene(bytes: Uint8Array): Promise<Shared> {
    return { bytes: bytes.slice(), points: 0, voxel: 1, cameras: 0 };
  }

  openScene(bytes: Uint8Array): SceneReport {
    if (bytes.length < 16) {
      throw failure('scene-damaged', 'too short');
    }
    this.reset();
    this.chunks.push([{ x: 0, y: 0, z: 2, r: 255, g: 0, b: 0 }]);
    return { title: '', points: 1, cameras: 1, spacing: null, viewpoint: null };
  }

  async share(): Promise<Shared> {
    if (this.chunks.length === 0) {
      throw failure('empty-cloud', '');
    }
    return { bytes: new Uint8Array(100), points: 7, voxel: 0.1, cameras: 1 };
  }

  cancelShare(): void {}

  viewpoint(): Viewpoint {
    return { eye: [0, 0, -1], target: [0, 0, 2] };
  }

  look(): void {}

  free(): void {}

  device(): DeviceReport {
    return { backend: this.backend, tier: 'software', adapter: 'mock', rendering: true, note: 'test double' };
  }

  openManifest(json: string, _anyway: boolean): ManifestReport {
    let manifest: ManifestReport & { tensors?: { shape: number[] }[] };
    try {
      manifest = JSON.parse(json);
    } catch {
      throw failure('manifest-invalid', 'not JSON');
    }
    if (manifest.tensors?.some(({ shape }) => String(shape) !== '2,3')) {
      throw failure('tensor-shape', 'the double only knows tensors of shape 2x3');
    }
    this.manifest = manifest;
    const shards = manifest.shards.map((shard, index) => ({ ...shard, index }));
    return { ...manifest, shards, bytes: shards.reduce((sum, shard) => sum + shard.bytes, 0) };
  }

  addShard(index: number, source: ByteSource): void {
    const bytes = source.read(0, source.size);
    const expected = this.manifest?.shards[index]?.bytes ?? 0;
    if (bytes.length < expected) {
      throw failure('shard-truncated', `shard ${index}`);
    }
    if (bytes.length > expected || bytes.at(-1) === 0xff) {
      throw failure('shard-damaged', `shard ${index}`);
    }
  }

  async finishModel(): Promise<ModelReport> {
    return {
      name: this.manifest?.name ?? '',
      trained: this.manifest?.trained ?? false,
      parameters: 1000,
      inputSize: 224,
    };
  }

  start(): void {
    this.reset();
  }

  async push(rgba: Uint8Array, width: number, height: number, time: number): Promise<FrameReport> {
    const begin = performance.now();
    const generation = this.generation;
    const free = this.inUse();
    await new Promise((resolve) => setTimeout(resolve, 60));
    if (generation !== this.generation) {
      free();
      throw failure('bad-request', 'the reconstruction was reset');
    }
    const index = this.chunks.length;
    const chunk: Point[] = [];
    for (let v = 0; v < GRID; v++) {
      for (let u = 0; u < GRID; u++) {
        const at = 4 * (Math.floor((v / GRID) * height) * width + Math.floor((u / GRID) * width));
        const [r = 0, g = 0, b = 0] = rgba.subarray(at, at + 3);
        const x = (u / GRID - 0.5) * (width / height) + index * 0.12;
        chunk.push({ x, y: v / GRID - 0.5, z: 2 - (r + g + b) / 900, r, g, b });
      }
    }
    this.chunks.push(chunk);
    this.dirty = true;
    this.millis = performance.now() - begin;
    const { points, pointers } = this.stats();
    free();
    const pose = [index * 0.12, 0, 0, 1, 0, 0, 0];
    const stages = { encoder: this.millis };
    return {
      index,
      time,
      pose,
      pointers,
      added: 20,
      merged: 5,
      points,
      voxel: null,
      msPerFrame: this.millis,
      stages,
      bytes: 0,
    };
  }

  private inUse(): () => void {
    let free = (): void => {};
    this.busy = new Promise((resolve) => {
      free = resolve;
    });
    return free;
  }

  pause(): void {}
  resume(): void {}
  judge(): 'take' {
    return 'take';
  }
  async undo(what: UndoRequest): Promise<number> {
    await this.busy;
    const frames = 'to' in what ? this.chunks.length - what.to - 1 : 'frames' in what ? what.frames : 1;
    this.chunks.splice(Math.max(0, this.chunks.length - frames));
    this.dirty = true;
    return this.chunks.length;
  }
  async continueScan(): Promise<void> {}
  beginRecord(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(24);
  }
  frameRecord(position: number): Uint8Array<ArrayBuffer> | undefined {
    return position < this.chunks.length ? new Uint8Array(24).fill(position) : undefined;
  }
  keepRecord(frames: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(24).fill(100 + frames);
  }
  scaleRecord(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(24).fill(99);
  }
  framesAfter(_start: Uint8Array, before: number): number {
    return before + 1;
  }
  recordBytes(): number {
    return 24;
  }
  beginInfo() {
    return { name: 'Scan', model: 'double', began: 0 };
  }
  async restore(): Promise<void> {}
  lastFrame() {
    return undefined;
  }
  depthPicture() {
    return undefined;
  }
  reset(): void {
    this.generation += 1;
    this.chunks = [];
    this.dirty = true;
  }

  export(format: ExportFormat): Uint8Array<ArrayBuffer> {
    const points = this.chunks.flat();
    if (points.length === 0) {
      throw failure('empty-cloud', '');
    }
    if (format !== 'ply') {
      return new TextEncoder().encode(format);
    }
    const properties = ['x', 'y', 'z'].map((name) => `property float ${name}`);
    const colours = ['red', 'green', 'blue'].map((name) => `property uchar ${name}`);
    const head = [
      'ply',
      'format binary_little_endian 1.0',
      `element vertex ${points.length}`,
      ...properties,
      ...colours,
    ];
    const header = new TextEncoder().encode(`${[...head, 'end_header'].join('\n')}\n`);
    const bytes = new Uint8Array(header.length + points.length * 15);
    bytes.set(header);
    const view = new DataView(bytes.buffer, header.length);
    for (const [i, { x, y, z, r, g, b }] of points.entries()) {
      [x, y, z].forEach((value, k) => void view.setFloat32(i * 15 + k * 4, value, true));
      [r, g, b].forEach((value, k) => void view.setUint8(i * 15 + 12 + k, value));
    }
    return bytes;
  }

  async exportFile(
    format: FileFormat,
    _options: TakeOptions,
    emit: (bytes: Uint8Array<ArrayBuffer>) => void,
    progress: (share: number) => void,
  ): Promise<void> {
    for (const share of [0.25, 0.5, 0.75]) {
      progress(share);
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (this.exportCancelled) {
        this.exportCancelled = false;
        throw failure('cancelled', '');
      }
    }
    emit(this.export(isSmall(format) ? format : 'ply'));
  }
  cancelExport(): void {
    this.exportCancelled = true;
  }
  exportSizes(): TakeSizes {
    return { ply: 15 * this.chunks.flat().length, colmap: 1e6 };
  }
  async capture(width: number, height: number, turn: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(width * height * 4).fill(Math.round(turn * 40));
  }

  stats(): EngineStats {
    const frames = this.chunks.length;
    const points = frames * GRID * GRID;
    const counts = { frames, pointers: frames * 20, points, msPerFrame: this.millis };
    return {
      state: 'ready',
      device: this.backend,
      tier: 'software',
      ...counts,
      gpuBytes: 0,
      wasmBytes: 0,
      cloudBytes: points * 16,
      cloudBudget: null,
      voxel: null,
      fusions: 0,
      mapBytes: 0,
      scale: this.scale_,
      error: null,
    };
  }

  pick(x: number, y: number): Picked | null {
    return this.chunks.length > 0 ? { position: [x / 100, y / 100, 2], frame: 0, confidence: 2 } : null;
  }
  frameAt(): number | undefined {
    return undefined;
  }
  lookThrough(frame: number): void {
    this.yaw = frame * 0.1;
    this.dirty = true;
  }
  walk(): void {}
  setMeasured(): void {}
  setScale(scale: number): void {
    this.scale_ = scale;
  }
  frameFacts(frame: number): ReturnType<WasmEngine['frameFacts']> {
    const ends: [number, number] = [1, 2];
    const there = frame < this.chunks.length;
    return there
      ? { index: frame, time: frame / 2, width: 1, height: 1, depthRange: ends, confidenceRange: ends }
      : null;
  }
  framePictures(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(12).fill(200);
  }
  history(): PointerHistory {
    const frames = this.chunks.map((_, i) => i);
    return {
      times: frames.map((i) => i / 2),
      pointers: frames.map((i) => 20 * (i + 1)),
      added: frames.map(() => 20),
      merged: frames.map(() => 5),
    };
  }
  viewState(): ViewState {
    const place = { eye: [0, 0, -1], target: [0, 0, 2] } as Pick<ViewState, 'eye' | 'target'>;
    const colour = this.options.colour ?? 'rgb';
    return { colour, range: [0, 1], navigation: 'orbit', ...place, fieldOfView: 0.9, frames: this.chunks.length };
  }

  resize(width: number, height: number, pixelRatio: number): void {
    if (this.context) {
      this.context.canvas.width = Math.max(1, Math.round(width * pixelRatio));
      this.context.canvas.height = Math.max(1, Math.round(height * pixelRatio));
      this.dirty = true;
    }
  }
  orbit(dx: number, dy: number): void {
    this.yaw += dx * 0.01;
    this.pitch += dy * 0.01;
    this.dirty = true;
  }
  pan(dx: number, dy: number): void {
    this.offset = { x: this.offset.x + dx, y: this.offset.y + dy };
    this.dirty = true;
  }
  zoom(factor: number): void {
    this.scale *= factor;
    this.dirty = true;
  }
  fit(): void {
    this.yaw = 0;
    this.pitch = 0;
    this.scale = 1;
    this.offset = { x: 0, y: 0 };
    this.dirty = true;
  }
  setView(options: ViewOptions): void {
    this.options = { ...this.options, ...options, pointSize: options.pointSize ?? this.options.pointSize };
    this.dirty = true;
  }
  async readPointers(): Promise<void> {}

  draw(): boolean {
    const context = this.context;
    if (!context || !this.dirty) {
      return false;
    }
    this.dirty = false;
    const { width, height } = context.canvas;
    context.fillStyle = this.options.background === 'light' ? '#f6f7f9' : '#12151b';
    context.fillRect(0, 0, width, height);
    const focal = height * 1.2 * this.scale;
    for (const { x, y, z, r, g, b } of this.chunks.flat()) {
      const depth = z * Math.cos(this.yaw) - x * Math.sin(this.yaw) + 0.5;
      const sx = width / 2 + (focal * (x * Math.cos(this.yaw) + (z - 2) * Math.sin(this.yaw))) / depth + this.offset.x;
      const sy = height / 2 + (focal * (y + this.pitch * 0.2)) / depth + this.offset.y;
      context.fillStyle = `rgb(${r} ${g} ${b})`;
      context.fillRect(sx, sy, this.options.pointSize, this.options.pointSize);
    }
    return true;
  }

  async verify(): Promise<{ passed: boolean }> {
    return { passed: true };
  }
}
