// The worker of `bench.html`: one encoder block of the released size, ours and the other runtime's, on the same input, in
// turns, so that whatever else the machine does meets both.
import * as wasm from 'point3r-wasm';
import { type Attention, type BlockShape, type BlockTensor, blockModel } from './block';
import type { BenchNews, BenchOrder, Case, Row } from './protocol';
import { open, type Session } from './runtime';

/** The engine's part, as `src/web/bench_block.rs` has it. */
interface BenchEngine {
  default(): Promise<unknown>;
  BenchBlock: { create(wanted: object): Promise<OurBlock> };
  benchTensors(precision: string, take: (tensor: BlockTensor) => void): void;
}
interface OurBlock {
  shape(): BlockShape & { adapter: string };
  run(x: Float32Array): Promise<Float32Array>;
  free(): void;
}

interface Scope {
  postMessage(message: BenchNews): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<BenchOrder & { base: string }>) => void): void;
}
const scope = self as unknown as Scope;

/** The packed forms hold the same integers and scales, so only rounding of sums separates the outputs. */
const SAME = 2e-4;

scope.addEventListener('message', ({ data }) => void runAll(data));

async function runAll({ cases, rounds, base }: BenchOrder & { base: string }): Promise<void> {
  for (const wanted of cases) {
    try {
      scope.postMessage({ kind: 'row', row: await compare(wanted, rounds, base) });
    } catch (thrown) {
      const message = (thrown as { message?: unknown } | undefined)?.message ?? thrown;
      scope.postMessage({ kind: 'failed', failed: wanted, message: String(message) });
    }
  }
  scope.postMessage({ kind: 'done' });
}

async function compare(wanted: Case, rounds: number, base: string): Promise<Row> {
  const { backend, precision, tokens } = wanted;
  const engine = wasm as unknown as BenchEngine;
  await engine.default();
  const columns = Math.round(Math.sqrt((tokens * 4) / 3));
  const device = backend === 'wasm' ? 'cpu' : 'gpu';
  const ours = await engine.BenchBlock.create({ device, precision, tokens, columns });
  try {
    const shape = ours.shape();
    const x = input(tokens * shape.width);
    // The first runs compile and allocate, and show what is computed. Our processor's output is what all are held to.
    const first = await ours.run(x);
    const exact = device === 'cpu' ? first : await onProcessor(engine, { precision, tokens, columns }, x);
    const theirs = await openCorrect(engine, { ...wanted, columns }, shape, x, exact, base);
    try {
      const [a, b] = await inTurns([() => ours.run(x), () => theirs.session.run(x)], rounds);
      const [oursMedian, theirsMedian] = [median(a), median(b)];
      const [difference, theirDifference] = [distance(first, exact), theirs.difference];
      return {
        ...wanted,
        ours: a,
        theirs: b,
        oursMedian,
        theirsMedian,
        ratio: oursMedian / theirsMedian,
        difference,
        theirDifference,
        agrees: difference < SAME && theirDifference < SAME,
        attention: theirs.attention,
        adapter: shape.adapter,
      };
    } finally {
      await theirs.session.close();
    }
  } finally {
    ours.free();
  }
}

/** The other runtime with its fused attention; written out where that gives something else (seen on a software adapter). */
async function openCorrect(
  engine: BenchEngine,
  { backend, precision, tokens, columns }: Case & { columns: number },
  shape: BlockShape,
  x: Float32Array,
  exact: Float32Array,
  base: string,
): Promise<{ session: Session; difference: number; attention: Attention }> {
  const tensors: BlockTensor[] = [];
  engine.benchTensors(precision, (tensor) => tensors.push(tensor));
  const opened = async (attention: Attention) => {
    const model = blockModel(tensors, shape, [tokens, columns], attention);
    const session = await open(backend, model, [tokens, shape.width], base);
    return { session, difference: distance(await session.run(x), exact), attention };
  };
  const fused = await opened('fused');
  if (fused.difference < SAME) {
    return fused;
  }
  await fused.session.close();
  return opened('written out');
}

async function onProcessor(engine: BenchEngine, wanted: object, x: Float32Array): Promise<Float32Array> {
  const block = await engine.BenchBlock.create({ ...wanted, device: 'cpu' });
  const y = await block.run(x);
  block.free();
  return y;
}

async function inTurns(sides: [() => Promise<unknown>, () => Promise<unknown>], rounds: number) {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const start = performance.now();
      await sides[side]();
      times[side].push(performance.now() - start);
    }
  }
  return times;
}

/** Values of about the size that a norm leaves. */
function input(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 2003) / 1000 - 1);
}

function distance(a: Float32Array, b: Float32Array): number {
  let [error, total] = [0, 0];
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [left, right] = [a[i] ?? Number.NaN, b[i] ?? Number.NaN];
    error += (left - right) ** 2;
    total += right ** 2;
  }
  return Math.sqrt(error / total);
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
