/**
 * The part of the Protocol Buffers wire format that an ONNX file needs (https://protobuf.dev/programming-guides/encoding/).
 *
 * Own code because the generated classes of a protobuf library are larger than this file, copy every weight on the way, and check nothing that a file
 * from a stranger has to be checked for.
 */

const utf8 = new TextEncoder();

/** Builds one message. Byte arrays are kept by reference until {@link finish}, so weights are copied once. */
export class ProtoWriter {
  private readonly parts: Uint8Array[] = [];
  private size = 0;

  /** An integer field (int32, int64, enum); `value` must be a safe integer. Negative ones take ten bytes, as the format says. */
  integer(field: number, value: number): this {
    return this.append(encodeVarint(field * 8)).append(encodeVarint(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.append(encodeVarint(field * 8 + 2)).append(encodeVarint(value.length)).append(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  message(field: number, value: ProtoWriter): this {
    this.append(encodeVarint(field * 8 + 2)).append(encodeVarint(value.size));
    for (const part of value.parts) this.append(part);
    return this;
  }

  /** The message as one array. */
  finish(): Uint8Array {
    const whole = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  private append(part: Uint8Array): this {
    this.parts.push(part);
    this.size += part.length;
    return this;
  }
}

function encodeVarint(value: number): Uint8Array {
  const encoded: number[] = [];
  if (value >= 0) {
    let rest = value;
    while (rest >= 128) {
      encoded.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    encoded.push(rest);
  } else {
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest >= 128n) {
      encoded.push(Number(rest & 127n) + 128);
      rest >>= 7n;
    }
    encoded.push(Number(rest));
  }
  return Uint8Array.from(encoded);
}

/** The bytes are not a protobuf message, or end in the middle of one. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field: its number and its value, an integer or the bytes of a string, an array or a message (a view, not a copy). */
export interface ProtoField {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/**
 * The fields of one message, in file order. Never reads outside `message`.
 *
 * @throws ProtobufError on truncation, on a wire type other than integer and bytes, and on integers beyond 2^53
 */
export function* readFields(message: Uint8Array): Generator<ProtoField> {
  let at = 0;
  const varint = (): number => {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new ProtobufError('The message ends inside a number.');
      const bits = byte & 127;
      if (shift < 28) low += bits * 2 ** shift;
      else high += bits * 2 ** (shift - 28);
      if (byte < 128) {
        // `high` counts units of 2^28; 36 of its bits belong to the 64, the topmost is the sign
        const wrapped = high % 2 ** 36;
        const value = (wrapped >= 2 ** 35 ? wrapped - 2 ** 36 : wrapped) * 2 ** 28 + low;
        if (!Number.isSafeInteger(value)) throw new ProtobufError('A number is too large.');
        return value;
      }
    }
    throw new ProtobufError('A number has no end.');
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    if (number < 1 || number > 536_870_911) throw new ProtobufError('A field number is out of range.');
    switch (tag % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 2: {
        const length = varint();
        if (length < 0 || length > message.length - at) throw new ProtobufError('The message ends inside a field.');
        yield { number, value: message.subarray(at, at + length) };
        at += length;
        break;
      }
      default:
        throw new ProtobufError('A field has a wire type that ONNX files of Label Lens do not use.');
    }
  }
}
