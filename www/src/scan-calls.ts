// The worker's answers to what concerns scans: camera frames through the gate, undo, saving, restoring, continuing.
import type { WasmEngine } from 'point3r-wasm';
import type { Rgba } from './pixels';
import type { CallName, Calls, EngineStats, FromWorker, Request } from './protocol';
import { type LogFolder, privateFolder, ScanLog } from './scan-log';

export type ScanRequest = Extract<Request, { call: (typeof SCAN_CALLS)[number] }>;

const SCAN_CALLS = [
  'undo',
  'continueScan',
  'record',
  'restore',
  'savedScan',
  'openSaved',
  'discardSaved',
  'resumeLog',
  'lastFrame',
  'depth',
] as const satisfies CallName[];

export function isScanRequest(request: Request): request is ScanRequest {
  return (SCAN_CALLS as readonly string[]).includes(request.call);
}

export class ScanCalls {
  private readonly post: (message: FromWorker) => void;
  private readonly log: ScanLog;

  constructor(post: (message: FromWorker) => void, folder: LogFolder = privateFolder()) {
    this.post = post;
    this.log = new ScanLog(folder, (saving) => post({ type: 'saving', saving }));
  }

  async answer(engine: WasmEngine, request: ScanRequest): Promise<Calls[ScanRequest['call']]['result']> {
    switch (request.call) {
      case 'undo': {
        const left = await engine.undo(request.args, (done, total) => this.progress('replay', done, total));
        this.log.append(engine.keepRecord(left));
        return engine.stats();
      }
      case 'continueScan':
        await engine.continueScan((done, total) => this.progress('replay', done, total));
        return engine.stats();
      case 'record': {
        const { position, name, began } = request.args;
        return position < 0 ? engine.beginRecord(name, began) : engine.frameRecord(position);
      }
      case 'restore':
        await engine.restore(request.args.record);
        return undefined;
      case 'savedScan':
        return this.log.saved(engine);
      case 'openSaved':
        return this.open(engine, request.args.id);
      case 'discardSaved':
        await this.log.discard(request.args.id);
        return undefined;
      case 'resumeLog':
        await this.log.resume(request.args.id, engine);
        return undefined;
      case 'lastFrame':
        return engine.lastFrame() ?? null;
      case 'depth':
        return engine.depthPicture() ?? null;
    }
  }

  /** A frame of a live camera: computed only if the gate lets it pass. */
  judge(engine: WasmEngine, { rgba, width, height }: Rgba, time: number): ReturnType<WasmEngine['judge']> {
    return engine.judge(rgba, width, height, time);
  }

  async started(engine: WasmEngine, save: { id: string; name: string; began: number } | undefined): Promise<void> {
    this.log.close();
    if (save) {
      await this.log.begin(save.id, engine.beginRecord(save.name, save.began));
    }
  }

  /** The frame that the engine has just finished goes into the log. */
  took(engine: WasmEngine, { frames }: EngineStats): void {
    this.log.append(engine.frameRecord(frames - 1));
  }

  /** What the user says a unit is goes into the log. */
  scaled(engine: WasmEngine, scale: number): void {
    this.log.append(engine.scaleRecord(scale));
  }

  async reset(): Promise<void> {
    await this.log.discardCurrent();
  }

  private async open(engine: WasmEngine, id: string): Promise<Calls['openSaved']['result']> {
    const damaged = await this.log.read(id, engine, async (record, share) => {
      await engine.restore(record);
      this.progress('restore', Math.round(100 * share), 100);
      // Lets what is there already be drawn.
      await new Promise((resolve) => setTimeout(resolve, 0));
    });
    this.progress('restore', 100, 100);
    return { stats: engine.stats(), damaged };
  }

  private progress(stage: 'replay' | 'restore', done: number, total: number): void {
    this.post({ type: 'progress', stage, done, total });
  }
}
