// The encoder block as an ONNX model with the engine's own weights, in the operators that the runtime has a fused form of.
import { Graph } from './onnx';

export interface BlockShape {
  width: number;
  heads: number;
  epsilon: number;
  rotaryBase: number;
}

export interface BlockTensor {
  name: string;
  /** Matrices are `[out, in]`. */
  shape: number[];
  /** f32, or packed integers in blocks of 32 along the inputs. */
  values: Uint8Array;
  /** f32, one per block; empty where values are f32. */
  scales: Uint8Array;
}

const BLOCK = 32;
const CONTRIBUTED = 'com.microsoft';

/** The runtime's own operator for attention, or the products and the softmax that it is made of. */
export type Attention = 'fused' | 'written out';

/** Tokens `[tokens, width]` called `x` to tokens called `y`; `columns` of them stand in a row of the patch grid. */
export function blockModel(
  tensors: BlockTensor[],
  shape: BlockShape,
  [tokens, columns]: readonly [number, number],
  form: Attention,
): Uint8Array {
  const { width, epsilon } = shape;
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const graph = new Graph('block');
  const tensor = (name: string): BlockTensor => {
    const found = byName.get(name);
    if (!found) {
      throw new Error(`the engine gives no tensor ${name}`);
    }
    return found;
  };
  const vector = (name: string): string => graph.floats(tensor(name).shape, floats(tensor(name).values));
  const norm = (x: string, name: string): string =>
    graph.node('LayerNormalization', [x, vector(`${name}.weight`), vector(`${name}.bias`)], {
      axis: 1,
      epsilon: { float: epsilon },
    });
  const linear = (x: string, name: string): string =>
    graph.node('Add', [product(graph, x, tensor(`${name}.weight`)), vector(`${name}.bias`)]);

  const x = graph.input('x', [tokens, width]);
  const qkv = linear(norm(x, 'norm1'), 'attn.qkv');
  const [queryKey, v] = graph.nodes('Split', [qkv, graph.integers([2 * width, width])], 2, { axis: 1 });
  const turned = turn(graph, queryKey as string, shape, tokens, columns);
  const [q, k] = graph.nodes('Split', [turned, graph.integers([width, width])], 2, { axis: 2 });
  const attend = form === 'fused' ? fused : writtenOut;
  const flat = attend(graph, [q, k, v] as string[], tokens, shape);
  const attended = graph.node('Add', [x, linear(flat, 'attn.proj')]);
  const hidden = graph.node('Gelu', [linear(norm(attended, 'norm2'), 'mlp.fc1')], {}, CONTRIBUTED);
  const y = graph.node('Add', [attended, linear(hidden, 'mlp.fc2')]);
  return graph.finish(y, 'y', [tokens, width]);
}

function fused(graph: Graph, [q, k, v]: string[], tokens: number, { width, heads }: BlockShape): string {
  const values = graph.node('Reshape', [v ?? '', graph.integers([1, tokens, width])]);
  const mixed = graph.node('MultiHeadAttention', [q ?? '', k ?? '', values], { num_heads: heads }, CONTRIBUTED);
  return graph.node('Reshape', [mixed, graph.integers([tokens, width])]);
}

function writtenOut(graph: Graph, [q, k, v]: string[], tokens: number, { width, heads }: BlockShape): string {
  const d = width / heads;
  const split = (x: string | undefined, perm: number[]): string =>
    graph.node('Transpose', [graph.node('Reshape', [x ?? '', graph.integers([tokens, heads, d])])], { perm });
  const scores = graph.node('MatMul', [split(q, [1, 0, 2]), split(k, [1, 2, 0])]);
  const scaled = graph.node('Mul', [scores, graph.floats([1], Float32Array.of(1 / Math.sqrt(d)))]);
  const mixed = graph.node('MatMul', [graph.node('Softmax', [scaled], { axis: 2 }), split(v, [1, 0, 2])]);
  return graph.node('Reshape', [
    graph.node('Transpose', [mixed], { perm: [1, 0, 2] }),
    graph.integers([tokens, width]),
  ]);
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function product(graph: Graph, x: string, { shape, values, scales }: BlockTensor): string {
  const [rows, inputs] = shape as [number, number];
  if (scales.length === 0) {
    return graph.node('MatMul', [x, graph.floats([inputs, rows], transposed(floats(values), rows, inputs))]);
  }
  const bits = (8 * values.length) / (rows * inputs);
  // Its integers are unsigned around half of their range, as ours of 4 bits are; those of 8 bits are signed.
  const packed = bits === 8 ? values.map((byte) => byte ^ 128) : values;
  const blocks = inputs / BLOCK;
  return graph.node(
    'MatMulNBits',
    [x, graph.bytes([rows, blocks, (BLOCK * bits) / 8], packed), graph.floats([rows * blocks], floats(scales))],
    { K: inputs, N: rows, bits, block_size: BLOCK },
    CONTRIBUTED,
  );
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return turned;
}

/** Turns queries and keys by their place in the patch grid: half of a head's channels by row, half by column. */
function turn(graph: Graph, queryKey: string, shape: BlockShape, tokens: number, columns: number): string {
  const { width, heads, rotaryBase } = shape;
  const quarter = width / heads / 4;
  const [cos, sin] = [new Float32Array(tokens * 2 * quarter), new Float32Array(tokens * 2 * quarter)];
  for (let token = 0; token < tokens; token++) {
    for (const [axis, place] of [Math.floor(token / columns), token % columns].entries()) {
      for (let i = 0; i < quarter; i++) {
        const angle = place * rotaryBase ** (-i / quarter);
        cos[(token * 2 + axis) * quarter + i] = Math.cos(angle);
        sin[(token * 2 + axis) * quarter + i] = Math.sin(angle);
      }
    }
  }
  const table = (values: Float32Array): string => graph.floats([tokens, 1, 2, 1, quarter], values);
  const [c, s] = [table(cos), table(sin)];
  const parts = graph.node('Reshape', [queryKey, graph.integers([tokens, 2 * heads, 2, 2, quarter])]);
  const [a, b] = graph.nodes('Split', [parts, graph.integers([1, 1])], 2, { axis: 3 }) as [string, string];
  const times = (left: string, right: string): string => graph.node('Mul', [left, right]);
  const first = graph.node('Sub', [times(a, c), times(b, s)]);
  const second = graph.node('Add', [times(b, c), times(a, s)]);
  const joined = graph.node('Concat', [first, second], { axis: 3 });
  return graph.node('Reshape', [joined, graph.integers([1, tokens, 2 * width])]);
}
