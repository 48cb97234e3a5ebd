// What the session offers and what it needs.
import type { Engine, EngineEvents } from '../engine';
import type { Point3rError } from '../errors';
import type { ModelSource } from '../models';
import type { DeviceChoice, EngineStats, FrameReport, UndoRequest, Verdict } from '../protocol';
import type { SceneReport } from '../share/types';
import type { AppState, PageState, Progress, Store } from '../store';
import type { SceneFile } from './scenes';

export interface SessionEvents {
  /** A frame has been reconstructed and its points are on screen. */
  frame: FrameReport;
  /** What the gate made of a camera's frame. */
  verdict: Verdict;
  progress: Progress;
  error: Point3rError;
  state: PageState;
  /** A scene was opened. */
  scene: SceneReport;
  /** A lost device was replaced, and the reconstruction is there again. */
  recovered: { frames: number };
}

/** What `stats()` answers. `state` is the page's, the counts are the engine's. */
export interface Stats extends Omit<EngineStats, 'state'> {
  state: PageState;
}

/** A sequence being reconstructed. */
export interface Run {
  name: string;
  /** Frames that will be reconstructed; 0 for a camera, which has no end. */
  total: number;
  /** Settles when the last frame is done, or when the run was stopped or failed; never rejects (see `stats().error`). */
  finished: Promise<void>;
}

/** What `undo` takes: so many frames, or one of the other measures. */
export type UndoWhat = number | UndoRequest;

/** What to do about a model that does not fit the device. */
export type FitChoice = 'anyway' | 'cpu' | 'cancel';

/** What the session needs from the page around it. */
export interface SessionParts {
  store: Store<AppState>;
  makeEngine(events: EngineEvents): Engine;
  /** A canvas that has not been handed to a worker before, already on screen. */
  freshCanvas(): OffscreenCanvas;
  /** Called once an engine stands, to send it the view's size and options. */
  engineReady(engine: Engine): void;
  device: DeviceChoice;
  model: ModelSource;
  /** Asks what to do about a model that does not fit; `onGpu`: the processor is an alternative. */
  chooseFit?(error: Point3rError, onGpu: boolean): Promise<FitChoice>;
  /** A scene to show first: the model is then loaded when it is needed. */
  first?: Promise<SceneFile | null>;
}
