// Puts values on the wire, front to back. Small values share one growing scratch buffer; record batches are left where
// they are and woven in between, so that a response leaves as a list of buffers and no payload is copied. Values come
// from our own code: one that does not fit its field is a RangeError, a mistake of ours.
import { invariant } from '../base/invariant.ts';
import { MAX_STRING_BYTES, ZERO_UUID } from './reader.ts';
import type { EncodableRecords } from './schema.ts';

/**
 * Answers of a few hundred bytes are the rule, so scratch space is cut from the front of slabs of this size. A slab stays
 * in memory while any answer cut from it waits in a socket: at most this much for each connection that does not read.
 */
const SLAB_BYTES = 16 * 1024;

/** What writing may use: a buffer with room from `at` on. */
interface Scratch {
  readonly buffer: Buffer;
  readonly view: DataView;
  readonly at: number;
}

function newScratch(bytes: number): Scratch {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  return { buffer, view: new DataView(buffer.buffer, buffer.byteOffset, bytes), at: 0 };
}

/** The slab whose front is in use and whose rest is free; undefined while a writer has it. */
let idle: Scratch | undefined;

function borrowScratch(): Scratch {
  const scratch = idle ?? newScratch(SLAB_BYTES);
  idle = undefined;
  return scratch;
}

/** Bytes are never handed out twice: what lies before `at` belongs to whoever wrote it, until the garbage collector finds it unused. */
function returnScratch(scratch: Scratch): void {
  if (scratch.buffer.length === SLAB_BYTES && SLAB_BYTES - scratch.at >= 512) idle = scratch;
}

const TWO_TO_32 = 4_294_967_296;

/** Writes a big-endian int64. The two ends of the safe range stand for those of int64, as `int64At` reads them. */
export function putInt64(view: DataView, at: number, value: number): void {
  if (value > -Number.MAX_SAFE_INTEGER && value < Number.MAX_SAFE_INTEGER) {
    const high = Math.floor(value / TWO_TO_32);
    view.setInt32(at, high);
    view.setInt32(at + 4, value - high * TWO_TO_32);
  } else if (value >= Number.MAX_SAFE_INTEGER) {
    view.setInt32(at, 0x7fff_ffff);
    view.setInt32(at + 4, -1);
  } else if (value <= -Number.MAX_SAFE_INTEGER) {
    view.setInt32(at, -0x8000_0000);
    view.setInt32(at + 4, 0);
  } else throw new RangeError(`${value} is no int64`);
}

const sextets = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 64; digit++) {
  sextets['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.charCodeAt(digit)] = digit;
}

/** Writes the 16 bytes of a UUID in Kafka's text form. */
export function putUuid(view: DataView, at: number, text: string): void {
  if (text === ZERO_UUID) {
    view.setInt32(at, 0);
    view.setInt32(at + 4, 0);
    view.setInt32(at + 8, 0);
    view.setInt32(at + 12, 0);
    return;
  }
  if (text.length !== 22) throw notUuid(text);
  // Five groups of four digits make three bytes each, the last two digits one byte and four bits of padding.
  let wrong = 0;
  for (let group = 0; group < 5; group++) {
    const a = sextetAt(text, group * 4);
    const b = sextetAt(text, group * 4 + 1);
    const c = sextetAt(text, group * 4 + 2);
    const d = sextetAt(text, group * 4 + 3);
    wrong |= a | b | c | d;
    view.setUint8(at + group * 3, (a << 2) | (b >>> 4));
    view.setUint16(at + group * 3 + 1, (b << 12) | (c << 6) | d);
  }
  const a = sextetAt(text, 20);
  const b = sextetAt(text, 21);
  wrong |= a | b;
  view.setUint8(at + 15, (a << 2) | (b >>> 4));
  if (wrong < 0) throw notUuid(text);
}

function sextetAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 128 ? (sextets[code] as number) : -1;
}

const notUuid = (text: string): RangeError => new RangeError(`'${text}' is no UUID in base64url`);

export function int8Of(value: number): number {
  if ((value << 24) >> 24 !== value) throw doesNotFit(value, 'int8');
  return value;
}

export function int16Of(value: number): number {
  if ((value << 16) >> 16 !== value) throw doesNotFit(value, 'int16');
  return value;
}

export function int32Of(value: number): number {
  if ((value | 0) !== value) throw doesNotFit(value, 'int32');
  return value;
}

export function uint16Of(value: number): number {
  if ((value & 0xffff) !== value) throw doesNotFit(value, 'uint16');
  return value;
}

export function uint32Of(value: number): number {
  if (value >>> 0 !== value) throw doesNotFit(value, 'uint32');
  return value;
}

const doesNotFit = (value: unknown, kind: string): RangeError => new RangeError(`${String(value)} is no ${kind}`);

/** Up to this many characters a loop in JavaScript beats the call into the runtime; at three bytes each, the length still fits one byte. */
const SHORT_STRING = 40;

/**
 * A message in the making. When `buffers` has been called the message is finished: the bytes are the caller's, and
 * nothing more can be written. A writer that is dropped half-way costs a slab and nothing else.
 */
export class Writer {
  #scratch: Scratch;
  /** Where the part of the message begins that lies in the scratch buffer and is not yet among the chunks. Growing moves it. */
  #from: number;
  /** Where the next value goes; compiled encoders move it through `reserve`. */
  at: number;
  #limit: number;
  /** Views the scratch buffer, and changes when that grows: look at it after `reserve`, not before. */
  view: DataView;
  readonly #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #finished = false;

  constructor() {
    const scratch = borrowScratch();
    this.#scratch = scratch;
    this.#from = scratch.at;
    this.at = scratch.at;
    this.#limit = scratch.buffer.length;
    this.view = scratch.view;
  }

  /** Bytes written so far, with those woven in. */
  get length(): number {
    return this.#chunkBytes + this.at - this.#from;
  }

  /** Ends the message and gives its bytes, in order. */
  buffers(): Buffer[] {
    if (this.#finished) return this.#chunks;
    this.#seal();
    const { buffer, view } = this.#scratch;
    returnScratch({ buffer, view, at: this.at });
    this.#limit = this.at; // so that a later write ends in #grow, which refuses it
    this.#finished = true;
    return this.#chunks;
  }

  /** Puts what lies in the scratch buffer among the chunks. */
  #seal(): void {
    const bytes = this.at - this.#from;
    if (bytes === 0) return;
    this.#chunks.push(this.#scratch.buffer.subarray(this.#from, this.at));
    this.#chunkBytes += bytes;
    this.#from = this.at;
  }

  /** Makes room for `bytes` and returns where they go. */
  reserve(bytes: number): number {
    if (bytes > this.#limit - this.at) this.#grow(bytes);
    const at = this.at;
    this.at = at + bytes;
    return at;
  }

  #grow(bytes: number): void {
    invariant(!this.#finished, 'a finished message is written to no more');
    const used = this.at - this.#from;
    const old = this.#scratch;
    let size = SLAB_BYTES;
    while (size < used + bytes) size *= 2;
    const scratch = newScratch(size);
    old.buffer.copy(scratch.buffer, 0, this.#from, this.at);
    returnScratch({ buffer: old.buffer, view: old.view, at: this.#from });
    this.#scratch = scratch;
    this.#from = 0;
    this.at = used;
    this.#limit = size;
    this.view = scratch.view;
  }

  int8(value: number): void {
    const at = this.reserve(1);
    this.view.setInt8(at, int8Of(value));
  }

  int16(value: number): void {
    const at = this.reserve(2);
    this.view.setInt16(at, int16Of(value));
  }

  int32(value: number): void {
    const at = this.reserve(4);
    this.view.setInt32(at, int32Of(value));
  }

  uint16(value: number): void {
    const at = this.reserve(2);
    this.view.setUint16(at, uint16Of(value));
  }

  uint32(value: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, uint32Of(value));
  }

  int64(value: number): void {
    const at = this.reserve(8);
    putInt64(this.view, at, value);
  }

  int64Big(value: bigint): void {
    const at = this.reserve(8);
    this.view.setBigInt64(at, value);
  }

  float64(value: number): void {
    const at = this.reserve(8);
    this.view.setFloat64(at, value);
  }

  boolean(value: boolean): void {
    const at = this.reserve(1);
    this.view.setUint8(at, value ? 1 : 0);
  }

  uuid(value: string): void {
    const at = this.reserve(16);
    putUuid(this.view, at, value);
  }

  /** Unsigned, at most 32 bits. */
  uvarint(value: number): void {
    if (value >>> 0 !== value) throw doesNotFit(value, 'uvarint');
    let at = this.reserve(uvarintBytes(value));
    let rest = value;
    while (rest > 0x7f) {
      this.view.setUint8(at++, (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.view.setUint8(at, rest);
  }

  /** Signed 32 bits, zigzag. */
  varint(value: number): void {
    this.uvarint(((int32Of(value) << 1) ^ (value >> 31)) >>> 0);
  }

  /** Signed, up to the safe range, zigzag. */
  varlong(value: number): void {
    if (!Number.isSafeInteger(value)) throw doesNotFit(value, 'varlong');
    // Zigzag needs one bit more than a number has, so the value is halved off in two parts: high * 2^28 + low.
    const magnitude = value < 0 ? -value - 1 : value;
    const low = (magnitude % 2 ** 27) * 2 + (value < 0 ? 1 : 0);
    let high = Math.floor(magnitude / 2 ** 27);
    if (high === 0) {
      this.uvarint(low);
      return;
    }
    let at = this.reserve(4);
    for (let shift = 0; shift < 28; shift += 7) this.view.setUint8(at++, ((low >>> shift) & 0x7f) | 0x80);
    while (high > 0x7f) {
      const more = this.reserve(1);
      this.view.setUint8(more, (high % 128) | 0x80);
      high = Math.floor(high / 128);
    }
    const last = this.reserve(1);
    this.view.setUint8(last, high);
  }

  string(value: string): void {
    if (value.length <= SHORT_STRING) {
      const at = this.reserve(2 + value.length * 3);
      const bytes = this.#putText(at + 2, value);
      this.view.setInt16(at, bytes);
      this.at = at + 2 + bytes;
      return;
    }
    const bytes = longTextBytes(value);
    const at = this.reserve(2 + bytes);
    this.view.setInt16(at, bytes);
    this.#scratch.buffer.write(value, at + 2, bytes, 'utf8');
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    if (value.length <= SHORT_STRING) {
      const at = this.reserve(1 + value.length * 3);
      const bytes = this.#putText(at + 1, value);
      this.view.setUint8(at, bytes + 1);
      this.at = at + 1 + bytes;
      return;
    }
    const bytes = longTextBytes(value);
    this.uvarint(bytes + 1);
    const at = this.reserve(bytes);
    this.#scratch.buffer.write(value, at, bytes, 'utf8');
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  /** Writes a short string where there is room for it and returns its bytes in UTF-8. */
  #putText(at: number, value: string): number {
    const { view } = this;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return this.#scratch.buffer.write(value, at, value.length * 3, 'utf8');
      view.setUint8(at + index, code);
    }
    return value.length;
  }

  bytes(value: Buffer): void {
    this.int32(value.length);
    this.raw(value);
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.int32(-1);
    else this.bytes(value);
  }

  compactBytes(value: Buffer): void {
    this.uvarint(value.length + 1);
    this.raw(value);
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.uvarint(0);
    else this.compactBytes(value);
  }

  /** Copies bytes as they are. */
  raw(value: Buffer): void {
    const at = this.reserve(value.length);
    value.copy(this.#scratch.buffer, at);
  }

  records(value: EncodableRecords): void {
    this.int32(bytesOf(value));
    this.weave(value);
  }

  nullableRecords(value: EncodableRecords | null): void {
    if (value === null) this.int32(-1);
    else this.records(value);
  }

  compactRecords(value: EncodableRecords): void {
    this.uvarint(bytesOf(value) + 1);
    this.weave(value);
  }

  compactNullableRecords(value: EncodableRecords | null): void {
    if (value === null) this.uvarint(0);
    else this.compactRecords(value);
  }

  /** Lets buffers follow here without copying them; they may not change until the message has been sent. */
  weave(value: EncodableRecords): void {
    if (Buffer.isBuffer(value)) this.#weaveOne(value);
    else for (const bytes of value) this.#weaveOne(bytes);
  }

  #weaveOne(bytes: Buffer): void {
    if (bytes.length === 0) return;
    invariant(!this.#finished, 'a finished message is written to no more');
    this.#seal();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
  }

  /** Begins a tagged value, whose size comes before it and is not known yet. Nothing may be woven into it. */
  beginTag(): number {
    this.reserve(1);
    return this.at - this.#from;
  }

  /** Ends the tagged value that `beginTag` returned `mark` for. */
  endTag(mark: number): void {
    const size = this.at - this.#from - mark;
    const extra = uvarintBytes(size) - 1;
    if (extra > 0) {
      this.reserve(extra);
      const from = this.#from + mark;
      this.#scratch.buffer.copyWithin(from + extra, from, from + size);
    }
    const end = this.at;
    this.at = this.#from + mark - 1;
    this.uvarint(size);
    this.at = end;
  }
}

const uvarintBytes = (value: number): number =>
  value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

function longTextBytes(value: string): number {
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_STRING_BYTES) throw new RangeError(`a string of ${bytes} bytes is longer than the protocol allows`);
  return bytes;
}

function bytesOf(value: EncodableRecords): number {
  if (Buffer.isBuffer(value)) return value.length;
  let bytes = 0;
  for (const buffer of value) bytes += buffer.length;
  return bytes;
}
