// The wasm engine as the worker sees it (implemented by `src/web.rs`). The generated files lie in `src/wasm/`, which is
// not under version control: this declaration is the contract, and lets the type checker run before the wasm is built.
declare module 'point3r-wasm' {
  export interface WasmEngine {
    device(): import('./protocol').DeviceReport;
    openManifest(json: string, anyway: boolean): import('./protocol').ManifestReport;
    addShard(index: number, source: import('./bytes').ByteSource): void;
    finishModel(): Promise<import('./protocol').ModelReport>;
    start(options: import('./protocol').StartOptions): void;
    push(rgba: Uint8Array, width: number, height: number, time: number): Promise<import('./protocol').FrameReport>;
    pause(): void;
    resume(): void;
    judge(rgba: Uint8Array, width: number, height: number, time: number): import('./protocol').Verdict;
    undo(what: import('./protocol').UndoRequest, replayed?: (done: number, total: number) => void): Promise<number>;
    continueScan(replayed?: (done: number, total: number) => void): Promise<void>;
    beginRecord(name: string, began: number): Uint8Array<ArrayBuffer>;
    frameRecord(position: number): Uint8Array<ArrayBuffer> | undefined;
    keepRecord(frames: number): Uint8Array<ArrayBuffer>;
    scaleRecord(scale: number): Uint8Array<ArrayBuffer>;
    /** Frames after the record that begins with these bytes, if there were `before`. */
    framesAfter(start: Uint8Array, before: number): number;
    recordBytes(head: Uint8Array): number;
    beginInfo(record: Uint8Array): { name: string; model: string; began: number };
    restore(record: Uint8Array): Promise<void>;
    lastFrame(): import('./protocol').LastFrame | undefined;
    depthPicture(): import('./protocol').DepthPicture | undefined;
    reset(): void;
    export(format: import('./protocol').ExportFormat): Uint8Array<ArrayBuffer>;
    exportFile(
      format: import('./take').FileFormat,
      options: import('./take').TakeOptions,
      emit: (bytes: Uint8Array<ArrayBuffer>) => void,
      progress: (share: number) => void,
    ): Promise<void>;
    cancelExport(): void;
    exportSizes(options: import('./take').TakeOptions): import('./take').TakeSizes;
    /** The view at another size, turned by so many radians: RGBA rows. */
    capture(width: number, height: number, turn: number): Promise<Uint8Array<ArrayBuffer>>;
    stats(): import('./protocol').EngineStats;
    resize(width: number, height: number, pixelRatio: number): void;
    orbit(dx: number, dy: number): void;
    pan(dx: number, dy: number): void;
    zoom(factor: number): void;
    fit(): void;
    pick(x: number, y: number): import('./look').Picked | null;
    frameAt(x: number, y: number): number | undefined;
    lookThrough(frame: number): void;
    walk(x: number, y: number, z: number, hurry: boolean): void;
    setMeasured(ends: Float32Array): void;
    setScale(scale: number): void;
    framePictures(frame: number): Uint8Array<ArrayBuffer>;
    frameFacts(frame: number): Omit<import('./look').FrameMaps, 'picture' | 'depth' | 'confidence'> | null;
    history(): import('./look').PointerHistory;
    viewState(): import('./look').ViewState | null;
    setView(options: import('./protocol').ViewOptions): void;
    readPointers(): Promise<void>;
    draw(): boolean;
    openScene(bytes: Uint8Array): import('./share/types').SceneReport;
    share(request: import('./share/types').ShareRequest): Promise<import('./share/types').Shared>;
    cancelShare(): void;
    viewpoint(): import('./viewer/shared-scene').Viewpoint | undefined;
    look(viewpoint: import('./viewer/shared-scene').Viewpoint): void;
    verify(files: import('./protocol').VerifyFiles): Promise<import('./protocol').VerifyReport>;
    free(): void;
  }
  /** A checkpoint that was opened, and its conversion: `begin`, `hash` until it is done, `step` until undefined, `finish`. */
  export interface Checkpoint {
    facts(): import('./protocol').CheckpointFacts;
    begin(precision: import('./protocol').Precision): void;
    hash(): { done: number; total: number };
    step(emit: EmitShard): { done: number; total: number } | undefined;
    /** The text of the manifest. */
    finish(emit: EmitShard): string;
    free(): void;
  }
  export type EmitShard = (file: string, sha256: string, bytes: Uint8Array<ArrayBuffer>) => void;
  export interface WasmModule {
    Engine: {
      packScene(
        bytes: Uint8Array,
        options: import('./share/types').ShareRequest,
      ): Promise<import('./share/types').Shared>;
      create(
        canvas: OffscreenCanvas | undefined,
        options: { device: import('./protocol').DeviceChoice },
      ): Promise<WasmEngine>;
    };
    CheckpointReader: {
      open(name: string, source: import('./bytes').ByteSource, config?: string): Checkpoint;
    };
    /** Compiles and instantiates the wasm; the memory is among what it answers. */
    default(): Promise<unknown>;
  }
  export const Engine: WasmModule['Engine'];
  export const CheckpointReader: WasmModule['CheckpointReader'];
  export default function init(): Promise<unknown>;
}
