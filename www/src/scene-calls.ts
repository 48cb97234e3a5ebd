// The worker's answers to what concerns scenes: opening a file, packing what is there, packing a file for the small viewer.
import type { WasmEngine, WasmModule } from 'point3r-wasm';
import type { CallName, Calls, Request } from './protocol';

const SCENE_CALLS = ['openScene', 'packScene', 'share', 'cancelShare', 'viewpoint'] as const satisfies CallName[];

export type SceneRequest = Extract<Request, { call: (typeof SCENE_CALLS)[number] }>;

export function isSceneRequest(request: Request): request is SceneRequest {
  return (SCENE_CALLS as readonly string[]).includes(request.call);
}

/** `engine` throws where there is none; `wasm` is there without one. */
export async function answerScene(
  request: SceneRequest,
  engine: () => WasmEngine,
  wasm: () => Promise<WasmModule>,
): Promise<Calls[SceneRequest['call']]['result']> {
  switch (request.call) {
    case 'openScene':
      return engine().openScene(request.args.bytes);
    case 'packScene':
      return (await wasm()).Engine.packScene(request.args.bytes, request.args.options);
    case 'share':
      return engine().share(request.args);
    case 'cancelShare':
      engine().cancelShare();
      return undefined;
    case 'viewpoint':
      return engine().viewpoint() ?? null;
  }
}
