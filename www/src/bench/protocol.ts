// What page and worker of the bench say to each other.
import type { Attention } from './block';

export type Backend = 'wasm' | 'webgpu';
export type Precision = 'f32' | 'int8' | 'int4';

export interface Case {
  backend: Backend;
  precision: Precision;
  tokens: number;
}

export interface BenchOrder {
  cases: Case[];
  /** Timed runs of each side; they take turns. */
  rounds: number;
}

export interface Row extends Case {
  /** Milliseconds of each run. */
  ours: number[];
  theirs: number[];
  oursMedian: number;
  theirsMedian: number;
  /** Ours divided by theirs: below 1 ours is faster. */
  ratio: number;
  /** Relative L2 distance of our output to that of our own processor backend: 0 where it is that one. */
  difference: number;
  /** The same of theirs. */
  theirDifference: number;
  /** Whether both are small enough to call the outputs the same. */
  agrees: boolean;
  /** The form of attention that the other runtime computed correctly. */
  attention: Attention;
  adapter: string;
}

export type BenchNews =
  | { kind: 'row'; row: Row }
  | { kind: 'failed'; failed: Case; message: string }
  | { kind: 'done' };
