// The worker's side of the protocol: one `EngineHost` owns the wasm engine, answers calls and draws.
//
// A Rust panic poisons the wasm instance. The host itself lives on: it answers `export` from the poisoned engine when
// that still works, else from the copy it made after the last frames. So a defect does not cost the user the cloud.
import type { WasmEngine, WasmModule } from 'point3r-wasm';
import { ConvertCalls, type ConvertRequest, isConvertRequest } from './convert-calls';
import { Point3rError, toPoint3rError } from './errors';
import { answerLook, isLookRequest, obeyLook } from './look';
import { loadModel, loadVerifyFiles } from './model';
import { toRgba } from './pixels';
import type { CallName, Calls, FrameImage, FromWorker, Request, ToWorker, ViewCommand } from './protocol';
import { isScanRequest, ScanCalls, type ScanRequest } from './scan-calls';
import type { LogFolder } from './scan-log';
import { answerScene, isSceneRequest, type SceneRequest } from './scene-calls';
import { isTakeRequest, TakeCalls, type TakeRequest } from './take-calls';

export interface HostPort {
  post(message: FromWorker, transfer?: Transferable[]): void;
  /** Calls back before the next repaint. */
  nextFrame(callback: () => void): void;
  /** Calls back every second, also while nothing is repainted. */
  everySecond(callback: () => void): void;
}

/** A copy of the cloud is renewed when it has grown by this share, so that copying stays linear in the end. */
const COPY_GROWTH = 1 / 16;

export class EngineHost {
  private readonly port: HostPort;
  private readonly importWasm: () => Promise<WasmModule>;
  private readonly scan: ScanCalls;
  private readonly takeaway: TakeCalls;
  private readonly convert: ConvertCalls;
  private engine: WasmEngine | null = null;
  private copy: { points: number; ply: Uint8Array<ArrayBuffer> } | null = null;
  private pushing = false;
  /** Settles when the frame in work is done, and written into the log. */
  private inWork: Promise<unknown> = Promise.resolve();
  private crashedBecause: string | null = null;
  private lost = false;

  constructor(port: HostPort, importWasm: () => Promise<WasmModule>, folder?: LogFolder) {
    this.port = port;
    this.importWasm = importWasm;
    this.scan = new ScanCalls((message) => port.post(message), folder);
    this.takeaway = new TakeCalls((message) => port.post(message));
    this.convert = new ConvertCalls((message) => port.post(message));
  }

  async receive(message: ToWorker): Promise<void> {
    if (message.type === 'view') {
      this.view(message);
      return;
    }
    try {
      const value = await this.answer(message);
      const transfer = value instanceof Uint8Array ? [value.buffer] : [];
      this.port.post({ type: 'answer', id: message.id, value }, transfer);
    } catch (thrown) {
      this.noticePanic(thrown);
      const error = toPoint3rError(thrown, 'bad-request').toFailure();
      this.port.post({ type: 'refusal', id: message.id, error });
    }
  }

  /** For what surfaces outside a call: an asynchronous panic never settles its promise. */
  noticePanic(thrown: unknown): void {
    if (thrown instanceof WebAssembly.RuntimeError && this.crashedBecause === null) {
      this.crashedBecause = thrown.message;
      this.port.post({ type: 'crashed', message: thrown.message });
    }
  }

  /** The last thing that loading does on a GPU is compiling for it. */
  private loaded(done: number, total: number): void {
    const last = total > 0 && done >= total && this.engine?.device().backend === 'gpu';
    this.port.post(
      last
        ? { type: 'progress', stage: 'prepare', done: 0, total: 0 }
        : { type: 'progress', stage: 'model', done, total },
    );
  }

  private answer(request: Request): Promise<Calls[CallName]['result']> {
    if (isSceneRequest(request)) {
      return this.scene(request);
    }
    if (isScanRequest(request)) {
      if (request.call === 'undo') {
        // Else it could take the frame back before its record is written, and another one would be written in its place.
        return this.inWork.then(() => this.scan.answer(this.living(), request));
      }
      // What the engine still knows after a crash is worth the attempt.
      const engine = request.call === 'record' ? (this.engine ?? this.living()) : this.living();
      return this.scan.answer(engine, request);
    }
    if (isTakeRequest(request)) {
      return this.takeaway.answer(this.living(), request);
    }
    if (isConvertRequest(request)) {
      return this.convert.answer(request, () => this.wasm());
    }
    switch (request.call) {
      case 'create':
        return this.create(request.args);
      case 'loadModel':
        return loadModel(this.living(), request.args, (done, total) => this.loaded(done, total));
      case 'start':
        return this.start(request.args);
      case 'push':
        return this.push(request.args);
      case 'offer':
        return this.offer(request.args);
      case 'reset':
        return this.reset();
      case 'export':
        return this.export(request.args.format);
      case 'verify':
        return loadVerifyFiles(request.args.url).then((files) => this.living().verify(files));
      default:
        return this.answerAtOnce(request);
    }
  }

  private async answerAtOnce(
    request: Exclude<
      Exclude<Request, ScanRequest | SceneRequest | TakeRequest | ConvertRequest>,
      { call: 'create' | 'loadModel' | 'start' | 'push' | 'offer' | 'reset' | 'export' | 'verify' }
    >,
  ) {
    const engine = this.living();
    if (isLookRequest(request)) {
      const value = answerLook(engine, request);
      if (request.call === 'setScale') {
        this.scan.scaled(engine, request.args.scale);
      }
      return value;
    }
    switch (request.call) {
      case 'pause':
        engine.pause();
        return undefined;
      case 'resume':
        engine.resume();
        return undefined;
      case 'stats':
        return engine.stats();
    }
  }

  private async scene(request: SceneRequest) {
    const value = await answerScene(
      request,
      () => this.living(),
      () => this.wasm(),
    );
    if (request.call === 'openScene' && this.engine) {
      this.copy = null;
      this.keepCopy(this.engine, this.engine.stats().points);
    }
    return value;
  }

  private async wasm(): Promise<WasmModule> {
    try {
      const module = await this.importWasm();
      await module.default();
      return module;
    } catch (thrown) {
      throw toPoint3rError(thrown, 'network');
    }
  }

  private async create({ canvas, device }: Calls['create']['args']) {
    const module = await this.wasm();
    this.engine = await module.Engine.create(canvas, { device });
    this.port.nextFrame(() => this.drawLoop());
    this.port.everySecond(() => this.watchDevice());
    return this.engine.device();
  }

  private async start({ save, ...options }: Calls['start']['args']): Promise<undefined> {
    const engine = this.living();
    this.copy = null;
    engine.start(options);
    await this.scan.started(engine, save);
  }

  private async reset(): Promise<undefined> {
    this.living().reset();
    this.copy = null;
    await this.scan.reset();
  }

  private push(frame: FrameImage): Promise<Calls['push']['result']> {
    return this.oneAtATime(frame.image, async (engine) => {
      const { rgba, width, height } = await toRgba(frame.image, frame.rotation);
      frame.image.close();
      return this.compute(engine, rgba, width, height, frame.time);
    });
  }

  private offer(frame: FrameImage): Promise<Calls['offer']['result']> {
    return this.oneAtATime(frame.image, async (engine) => {
      const picture = await toRgba(frame.image, frame.rotation);
      frame.image.close();
      const verdict = this.scan.judge(engine, picture, frame.time);
      const { rgba, width, height } = picture;
      const taken = verdict === 'take' ? await this.compute(engine, rgba, width, height, frame.time) : null;
      return { verdict, taken };
    });
  }

  private async compute(engine: WasmEngine, rgba: Uint8Array, width: number, height: number, time: number) {
    const report = await engine.push(rgba, width, height, time);
    const stats = engine.stats();
    this.scan.took(engine, stats);
    this.keepCopy(engine, stats.points);
    return { report, stats };
  }

  private async oneAtATime<T>(image: FrameImage['image'], work: (engine: WasmEngine) => Promise<T>): Promise<T> {
    try {
      const engine = this.living();
      if (this.pushing) {
        throw new Point3rError('busy');
      }
      this.pushing = true;
      const done = work(engine).finally(() => {
        this.pushing = false;
      });
      this.inWork = done.catch(() => {});
      return await done;
    } finally {
      image.close();
    }
  }

  private keepCopy(engine: WasmEngine, points: number): void {
    if (points > 0 && (!this.copy || points >= this.copy.points * (1 + COPY_GROWTH))) {
      this.copy = { points, ply: engine.export('ply') };
    }
  }

  private async export(format: Calls['export']['args']['format']) {
    try {
      if (!this.engine) {
        throw new Point3rError('empty-cloud');
      }
      return this.engine.export(format);
    } catch (thrown) {
      if (this.crashedBecause === null) {
        throw thrown;
      }
      if (format === 'ply' && this.copy) {
        return this.copy.ply.slice();
      }
      throw new Point3rError('empty-cloud', 'The engine stopped before anything could be kept.');
    }
  }

  private view(command: ViewCommand): void {
    const engine = this.engine;
    if (!engine) {
      return;
    }
    try {
      switch (command.view) {
        case 'resize':
          engine.resize(command.width, command.height, command.pixelRatio);
          break;
        case 'orbit':
          engine.orbit(command.dx, command.dy);
          break;
        case 'pan':
          engine.pan(command.dx, command.dy);
          break;
        case 'zoom':
          engine.zoom(command.factor);
          break;
        case 'fit':
          engine.fit();
          break;
        case 'look':
          engine.look(command.viewpoint);
          break;
        case 'options':
          engine.setView(command.options);
          if (command.options.pointers !== undefined) {
            // On a GPU they are read back only when somebody looks.
            engine.readPointers().catch((thrown) => this.noticePanic(thrown));
          }
          break;
        default:
          obeyLook(engine, command);
      }
    } catch (thrown) {
      this.noticePanic(thrown);
    }
  }

  private drawLoop(): void {
    try {
      this.engine?.draw();
    } catch (thrown) {
      // After a crash the picture freezes; it does not disappear.
      this.noticePanic(thrown);
      if (this.crashedBecause !== null) {
        return;
      }
    }
    this.port.nextFrame(() => this.drawLoop());
  }

  /** Tells the page when the graphics device is gone: between frames no call would find out. */
  private watchDevice(): void {
    if (this.lost || this.crashedBecause !== null || !this.engine) {
      return;
    }
    try {
      const { error } = this.engine.stats();
      if (error?.code === 'device-lost') {
        this.lost = true;
        this.port.post({ type: 'lost', error });
      }
    } catch (thrown) {
      this.noticePanic(thrown);
    }
  }

  private living(): WasmEngine {
    if (this.crashedBecause !== null) {
      throw new Point3rError('crashed', this.crashedBecause);
    }
    if (!this.engine) {
      throw new Point3rError('bad-request', 'The engine is still starting.');
    }
    return this.engine;
  }
}
