// Enough of the protocol buffer wire format to write an ONNX model: numbers, texts, bytes and messages by field number.

const encoder = new TextEncoder();

/** A message under construction: its fields in the order they were added. */
export class Message {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  number(field: number, value: number): this {
    return this.add(varint(field << 3), varint(value));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.add(varint((field << 3) | 5), bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.add(varint((field << 3) | 2), varint(value.length), value);
  }

  message(field: number, value: Message): this {
    this.add(varint((field << 3) | 2), varint(value.length));
    return this.add(...value.parts);
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  private add(...parts: Uint8Array[]): this {
    for (const part of parts) {
      this.parts.push(part);
      this.length += part.length;
    }
    return this;
  }
}

/** Seven bits a byte, lowest first. Numbers here are not negative. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
