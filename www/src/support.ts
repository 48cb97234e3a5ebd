// Can this browser run the page at all? Asked first, before anything large is downloaded.

export type Unsupported = 'no-webgpu' | 'no-adapter' | 'insecure';

/** Null when there is a WebGPU adapter (hardware or software). */
export async function unsupportedBecause(): Promise<Unsupported | null> {
  if (!('gpu' in navigator) || !navigator.gpu) {
    return window.isSecureContext ? 'no-webgpu' : 'insecure';
  }
  if (typeof OffscreenCanvas === 'undefined' || !('transferControlToOffscreen' in HTMLCanvasElement.prototype)) {
    return 'no-webgpu';
  }
  try {
    return (await navigator.gpu.requestAdapter()) ? null : 'no-adapter';
  } catch {
    return 'no-adapter';
  }
}
