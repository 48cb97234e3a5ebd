// Writes ONNX models: nodes by name, constants, one input and one output. Field numbers are those of onnx.proto.
import { Message } from './protobuf';

const TYPES = { float: 1, uint8: 2, int64: 7 } as const;

export type Attribute = number | { float: number } | readonly number[];

/** A graph that grows node by node; every method gives the name of what it made. */
export class Graph {
  private readonly graph = new Message();
  private made = 0;

  constructor(name: string) {
    this.graph.text(2, name);
  }

  node(operator: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}, domain = ''): string {
    const [output] = this.nodes(operator, inputs, 1, attributes, domain);
    return output as string;
  }

  /** A node with several outputs. */
  nodes(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Record<string, Attribute> = {},
    domain = '',
  ): string[] {
    const message = new Message();
    for (const input of inputs) {
      message.text(1, input);
    }
    const names = Array.from({ length: outputs }, () => this.name(operator));
    for (const name of names) {
      message.text(2, name);
    }
    message.text(4, operator);
    for (const [name, value] of Object.entries(attributes)) {
      message.message(5, attribute(name, value));
    }
    this.graph.message(1, message.text(7, domain));
    return names;
  }

  floats(shape: readonly number[], values: Float32Array): string {
    return this.constant(TYPES.float, shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  bytes(shape: readonly number[], values: Uint8Array): string {
    return this.constant(TYPES.uint8, shape, values);
  }

  /** A list of integers, as shapes and axes are given. */
  integers(values: readonly number[]): string {
    const bytes = new BigInt64Array(values.map(BigInt));
    return this.constant(TYPES.int64, [values.length], new Uint8Array(bytes.buffer));
  }

  input(name: string, shape: readonly number[]): string {
    this.graph.message(11, value(name, shape));
    return name;
  }

  /** The whole model as a file; `from` is what it gives, under the name `name`. */
  finish(from: string, name: string, shape: readonly number[]): Uint8Array {
    const identity = new Message().text(1, from).text(2, name).text(4, 'Identity');
    this.graph.message(1, identity).message(12, value(name, shape));
    const operators = new Message().text(1, '').number(2, 20);
    const contributed = new Message().text(1, 'com.microsoft').number(2, 1);
    const model = new Message().number(1, 9).text(2, 'bench').message(7, this.graph);
    return model.message(8, operators).message(8, contributed).finish();
  }

  private constant(type: number, shape: readonly number[], bytes: Uint8Array): string {
    const name = this.name('constant');
    const tensor = new Message();
    for (const side of shape) {
      tensor.number(1, side);
    }
    this.graph.message(5, tensor.number(2, type).text(8, name).bytes(9, bytes));
    return name;
  }

  private name(kind: string): string {
    this.made += 1;
    return `${kind}_${this.made}`;
  }
}

function attribute(name: string, given: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof given === 'number') {
    return message.number(3, given).number(20, 2);
  }
  if ('float' in given) {
    return message.float(2, given.float).number(20, 1);
  }
  for (const one of given) {
    message.number(8, one);
  }
  return message.number(20, 7);
}

/** A float tensor of that shape, as inputs and outputs are declared. */
function value(name: string, shape: readonly number[]): Message {
  const sides = new Message();
  for (const side of shape) {
    sides.message(1, new Message().number(1, side));
  }
  const tensor = new Message().number(1, TYPES.float).message(2, sides);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}
