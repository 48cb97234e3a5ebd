// The wasm engine as the worker sees it (implemented by `src/web.rs`). The generated files lie in `src/wasm/`, which is
// not under version control: this declaration is the contract, and lets the type checker run before the wasm is built.
declare module 'point3r-wasm' {
  export interface WasmEngine {
    device(): import('./protocol').DeviceReport;
    openManifest(json: string): import('./protocol').ManifestReport;
    addShard(index: number, bytes: Uint8Array): void;
    finishModel(): Promise<import('./protocol').ModelReport>;
    start(options: import('./protocol').StartOptions): void;
    push(rgba: Uint8Array, width: number, height: number, time: number): Promise<import('./protocol').FrameReport>;
    pause(): void;
    resume(): void;
    undo(frames: number): void;
    reset(): void;
    export(format: import('./protocol').ExportFormat): Uint8Array<ArrayBuffer>;
    stats(): import('./protocol').EngineStats;
    resize(width: number, height: number, pixelRatio: number): void;
    orbit(dx: number, dy: number): void;
    pan(dx: number, dy: number): void;
    zoom(factor: number): void;
    fit(): void;
    setView(options: import('./protocol').ViewOptions): void;
    draw(): boolean;
    verify(files: import('./protocol').VerifyFiles): Promise<import('./protocol').VerifyReport>;
    free(): void;
  }
  export const Engine: {
    create(
      canvas: OffscreenCanvas | undefined,
      options: { device: import('./protocol').DeviceChoice },
    ): Promise<WasmEngine>;
  };
  /** Compiles and instantiates the wasm. */
  export default function init(): Promise<unknown>;
}
