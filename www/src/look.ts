// Looking at the scene: what can be set about the view, what is answered about it, and the worker's side of both.
import type { WasmEngine } from 'point3r-wasm';
import type { Calls, Request } from './protocol';

export const COLOURS = ['rgb', 'depth', 'confidence', 'frame', 'height'] as const;
export const POINTERS = ['off', 'age', 'change'] as const;
export const TIMELINES = ['all', 'upto', 'only'] as const;
export const NAVIGATIONS = ['orbit', 'fly'] as const;

export type ColourMode = (typeof COLOURS)[number];
export type PointersShown = (typeof POINTERS)[number];
export type TimelineMode = (typeof TIMELINES)[number];
export type Navigation = (typeof NAVIGATIONS)[number];

/** What the engine can be told about the view; what is absent stays. */
export interface ViewOptions {
  /** Draw the points. */
  points?: boolean;
  /** Diameter of a point at the pivot, CSS pixels. */
  pointSize?: number;
  /** Points shrink with distance. */
  attenuation?: boolean;
  /** Strength of eye-dome lighting; 0 is off. */
  edl?: number;
  colour?: ColourMode;
  /** Smallest confidence drawn; 1 draws everything. */
  confidence?: number;
  /** Hide points that float between near and far at the edges of objects. */
  hideEdges?: boolean;
  /** Hide what looks like sky. */
  hideSky?: boolean;
  background?: 'dark' | 'light';
  /** Draw the camera path and the frames' frusta. */
  cameras?: boolean;
  /** Draw the frames' pictures in their frusta. */
  thumbnails?: boolean;
  /** Pointers by age, by what the last frame did to them, or not at all. */
  pointers?: PointersShown;
  /** All frames, those up to `frame`, or `frame` alone. */
  timeline?: TimelineMode;
  /** Counted from 0 over the frames that were kept. */
  frame?: number;
  /** A drag turns the scene, or the viewer's head. */
  navigation?: Navigation;
  /** Stay behind the camera that is scanning. */
  follow?: boolean;
  /** Ease from view to view. */
  animate?: boolean;
}

/** A point that was pointed at. */
export interface Picked {
  /** World, in units of the model. */
  position: [number, number, number];
  frame: number;
  confidence: number;
}

/** A frame's maps as RGBA pictures. */
export interface FrameMaps {
  /** In the source. */
  index: number;
  /** Seconds. */
  time: number;
  width: number;
  height: number;
  depthRange: [number, number] | null;
  confidenceRange: [number, number] | null;
  /** Empty once memory ran short and the maps were let go of. */
  picture: Uint8Array<ArrayBuffer>;
  depth: Uint8Array<ArrayBuffer>;
  confidence: Uint8Array<ArrayBuffer>;
}

/** One value per frame each. */
export interface PointerHistory {
  times: number[];
  /** Pointers in memory. */
  pointers: number[];
  added: number[];
  merged: number[];
}

/** Where the viewer stands and what colours say. */
export interface ViewState {
  colour: ColourMode;
  /** Values at the ends of the colour ramp (confidence: its 8-bit code). */
  range: [number, number];
  navigation: Navigation;
  eye: [number, number, number];
  target: [number, number, number];
  /** Vertical, radians. */
  fieldOfView: number;
  frames: number;
}

export interface LookCalls {
  pick: { args: { x: number; y: number }; result: Picked | null };
  frameAt: { args: { x: number; y: number }; result: number | null };
  frame: { args: { frame: number }; result: FrameMaps | null };
  history: { args: Record<string, never>; result: PointerHistory };
  viewState: { args: Record<string, never>; result: ViewState | null };
  setScale: { args: { scale: number }; result: undefined };
}

export type LookCommand =
  | { type: 'view'; view: 'lookThrough'; frame: number }
  | { type: 'view'; view: 'walk'; direction: [number, number, number]; hurry: boolean }
  | { type: 'view'; view: 'measured'; ends: number[] };

type LookRequest = Extract<Request, { call: keyof LookCalls }>;

export function isLookRequest(request: Request): request is LookRequest {
  return ['pick', 'frameAt', 'frame', 'history', 'viewState', 'setScale'].includes(request.call);
}

/** The worker's answers. */
export function answerLook(engine: WasmEngine, request: LookRequest): Calls[keyof LookCalls]['result'] {
  switch (request.call) {
    case 'pick':
      return engine.pick(request.args.x, request.args.y);
    case 'frameAt':
      return engine.frameAt(request.args.x, request.args.y) ?? null;
    case 'frame':
      return frameMaps(engine, request.args.frame);
    case 'history':
      return engine.history();
    case 'viewState':
      return engine.viewState();
    case 'setScale':
      engine.setScale(request.args.scale);
      return undefined;
  }
}

function frameMaps(engine: WasmEngine, frame: number): FrameMaps | null {
  const facts = engine.frameFacts(frame);
  if (!facts) {
    return null;
  }
  // Picture, depth and confidence, one after another.
  const all = engine.framePictures(frame);
  const size = all.length / 3;
  const [picture, depth, confidence] = [0, 1, 2].map((i) => all.slice(i * size, (i + 1) * size));
  const none = new Uint8Array();
  return { ...facts, picture: picture ?? none, depth: depth ?? none, confidence: confidence ?? none };
}

/** Obeys a command about where to stand or what is measured. */
export function obeyLook(engine: WasmEngine, command: LookCommand): void {
  switch (command.view) {
    case 'lookThrough':
      engine.lookThrough(command.frame);
      break;
    case 'walk':
      engine.walk(...command.direction, command.hurry);
      break;
    case 'measured':
      engine.setMeasured(new Float32Array(command.ends));
      break;
  }
}
