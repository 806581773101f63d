// Zigzag varints as record framing uses them: int32 in up to five bytes, int64 in up to ten. The protocol's own (unsigned) varints
// are the message reader's. A reader never passes its end; a writer is given exactly the room it needs.
import { KafkaError } from './errors.ts';

/** Reads one record's fields from `at` up to `end`. Whatever does not fit is CORRUPT_MESSAGE. */
export class RecordReader {
  readonly buffer: Buffer;
  readonly end: number;
  at: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at >= this.end) throw new KafkaError('CORRUPT_MESSAGE', 'the records end inside a field');
    return this.buffer[this.at++] as number;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new KafkaError('CORRUPT_MESSAGE', 'a varint is longer than five bytes');
  }

  /** Clamped to ±(2^53 - 1). */
  varlong(): number {
    let value = 0; // up to seven bytes give 49 bits, which a number holds exactly
    let factor = 1;
    for (let count = 0; count < 7; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      factor *= 128;
    }
    let large = BigInt(value);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      large |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        const bits = BigInt.asUintN(64, large);
        const number = Number(BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)));
        return Math.min(Math.max(number, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
      }
    }
    throw new KafkaError('CORRUPT_MESSAGE', 'a varlong is longer than ten bytes');
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Buffer {
    if (length < 0 || length > this.left) throw new KafkaError('CORRUPT_MESSAGE', `a field of ${length} bytes, ${this.left} are left`);
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  /** Length and bytes; -1 is null. */
  nullableBytes(): Buffer | null {
    const length = this.varint();
    return length === -1 ? null : this.bytes(length);
  }
}

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;

export function sizeOfVarint(value: number): number {
  const bits = zigzag(value);
  return bits < 0x80 ? 1 : bits < 0x4000 ? 2 : bits < 0x20_0000 ? 3 : bits < 0x1000_0000 ? 4 : 5;
}

const zigzagLong = (value: number): bigint => (BigInt(value) << 1n) ^ (BigInt(value) >> 63n);
/** Beyond this, doubling leaves the numbers that are exact. */
const isLarge = (value: number): boolean => value > 2 ** 51 || value < -(2 ** 51);

/** `value` must be a safe integer. */
export function sizeOfVarlong(value: number): number {
  let size = 1;
  if (isLarge(value)) for (let bits = zigzagLong(value); bits >= 0x80n; bits >>= 7n) size++;
  else for (let bits = value < 0 ? -value * 2 - 1 : value * 2; bits >= 0x80; bits = Math.floor(bits / 0x80)) size++;
  return size;
}

export class RecordWriter {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.buffer = buffer;
    this.at = at;
  }

  byte(value: number): void {
    this.buffer[this.at++] = value;
  }

  varint(value: number): void {
    let bits = zigzag(value);
    for (; bits >= 0x80; bits >>>= 7) this.byte((bits & 0x7f) | 0x80);
    this.byte(bits);
  }

  varlong(value: number): void {
    if (isLarge(value)) {
      let bits = zigzagLong(value);
      for (; bits >= 0x80n; bits >>= 7n) this.byte(Number(bits & 0x7fn) | 0x80);
      this.byte(Number(bits));
      return;
    }
    let bits = value < 0 ? -value * 2 - 1 : value * 2;
    for (; bits >= 0x80; bits = Math.floor(bits / 0x80)) this.byte((bits % 0x80) | 0x80);
    this.byte(bits);
  }

  bytes(value: Uint8Array): void {
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  nullableBytes(value: Uint8Array | null): void {
    this.varint(value === null ? -1 : value.length);
    if (value !== null) this.bytes(value);
  }
}
