// Takes values off the wire, front to back, over one buffer that came from a peer nobody trusts. Every length is held
// against the bytes that are really there before anything is allocated. What is not Kafka is a ProtocolError; what
// the values mean is for others to judge.
import { ProtocolError } from './errors.ts';

/** Kafka's limit on every string, compact or not. */
export const MAX_STRING_BYTES = 32_767;

/** No struct of any version has more than a handful of tags; a section that claims more is an attack (CVE-2026-111115). */
const MAX_TAGS = 1024;

/**
 * An object takes tens of bytes of memory for the few it has on the wire, so a frame of the largest size full of nothing but
 * small structs would fill the heap. This many elements, tagged values among them, hold any Metadata answer of some 200,000 partitions.
 */
const MAX_ELEMENTS = 2 ** 21;

/** Java's nil UUID, the topic id of no topic. */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

const TWO_TO_32 = 4_294_967_296;

/**
 * The big-endian int64 at `at` as a number. Beyond ±(2^53 - 1) it is clamped rather than rounded, so that an offset of
 * 2^63 - 1 stays larger than any real one, and `putInt64` gives it back as it came.
 */
export function int64At(view: DataView, at: number): number {
  const high = view.getInt32(at);
  const value = high * TWO_TO_32 + view.getUint32(at + 4);
  if (high > 0x1f_ffff) return Number.MAX_SAFE_INTEGER;
  return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value;
}

const base64url = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 'latin1');

/** The 16 bytes at `at` in Kafka's text form. */
export function uuidAt(view: DataView, at: number): string {
  const a = view.getUint32(at);
  const b = view.getUint32(at + 4);
  const c = view.getUint32(at + 8);
  const d = view.getUint32(at + 12);
  if ((a | b | c | d) === 0) return ZERO_UUID;
  const digit = (sextet: number): number => base64url[sextet & 63] as number;
  // 22 sextets out of 128 bits, most significant first; the last has two bits of value and four of padding.
  return String.fromCharCode(
    digit(a >>> 26),
    digit(a >>> 20),
    digit(a >>> 14),
    digit(a >>> 8),
    digit(a >>> 2),
    digit((a << 4) | (b >>> 28)),
    digit(b >>> 22),
    digit(b >>> 16),
    digit(b >>> 10),
    digit(b >>> 4),
    digit((b << 2) | (c >>> 30)),
    digit(c >>> 24),
    digit(c >>> 18),
    digit(c >>> 12),
    digit(c >>> 6),
    digit(c),
    digit(d >>> 26),
    digit(d >>> 20),
    digit(d >>> 14),
    digit(d >>> 8),
    digit(d >>> 2),
    digit(d << 4),
  );
}

/** Reads from `start` (default 0) up to `end` (default the buffer's length). Byte values are slices of the buffer, not copies. */
export class Reader {
  readonly buffer: Buffer;
  readonly view: DataView;
  /** Position of the next byte; compiled decoders move it through the methods below. */
  at: number;
  readonly end: number;
  readonly #mostElements: number;
  #elementsLeft: number;

  constructor(buffer: Buffer, start = 0, end: number = buffer.length, mostElements: number = MAX_ELEMENTS) {
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    this.at = start;
    this.end = end;
    this.#mostElements = mostElements;
    this.#elementsLeft = mostElements;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.end - this.at;
  }

  /** Moves past `bytes` and returns where they begin. */
  take(bytes: number): number {
    const at = this.at;
    if (bytes > this.end - at) throw truncated(bytes, this.end - at);
    this.at = at + bytes;
    return at;
  }

  skip(bytes: number): void {
    this.take(bytes);
  }

  int8(): number {
    return this.view.getInt8(this.take(1));
  }

  int16(): number {
    return this.view.getInt16(this.take(2));
  }

  int32(): number {
    return this.view.getInt32(this.take(4));
  }

  uint16(): number {
    return this.view.getUint16(this.take(2));
  }

  uint32(): number {
    return this.view.getUint32(this.take(4));
  }

  int64(): number {
    return int64At(this.view, this.take(8));
  }

  int64Big(): bigint {
    return this.view.getBigInt64(this.take(8));
  }

  float64(): number {
    return this.view.getFloat64(this.take(8));
  }

  boolean(): boolean {
    return this.view.getUint8(this.take(1)) !== 0;
  }

  uuid(): string {
    return uuidAt(this.view, this.take(16));
  }

  /** Unsigned, at most 32 bits in at most five bytes. */
  uvarint(): number {
    const at = this.at;
    // Almost every length and count fits one byte.
    if (at < this.end) {
      const first = this.view.getUint8(at);
      if (first < 0x80) {
        this.at = at + 1;
        return first;
      }
    }
    return this.#longUvarint();
  }

  #longUvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.view.getUint8(this.take(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.view.getUint8(this.take(1));
    if (last > 0x0f) throw new ProtocolError('a varint is longer than 32 bits');
    return (value | (last << 28)) >>> 0;
  }

  /** Signed 32 bits, zigzag. */
  varint(): number {
    const value = this.uvarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Signed 64 bits, zigzag, clamped to ±(2^53 - 1). */
  varlong(): number {
    let low = 0; // bits 0 to 27
    let high = 0; // bits 28 and up, exact up to 2^36
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = this.view.getUint8(this.take(1));
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else high += (byte & 0x7f) * 2 ** (shift - 28);
      if (byte < 0x80) return unzigzag(low, high);
    }
    const last = this.view.getUint8(this.take(1));
    if (last > 1) throw new ProtocolError('a varlong is longer than 64 bits');
    return unzigzag(low, high + last * 2 ** 35);
  }

  string(): string {
    const length = this.int16();
    if (length < 0) throw unexpectedNull('string', length);
    return this.#text(length);
  }

  nullableString(): string | null {
    const length = this.int16();
    if (length >= 0) return this.#text(length);
    if (length !== -1) throw new ProtocolError(`a string has the length ${length}`);
    return null;
  }

  compactString(): string {
    const length = this.uvarint() - 1;
    if (length < 0) throw unexpectedNull('string', length);
    return this.#text(length);
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.#text(length);
  }

  #text(length: number): string {
    if (length > MAX_STRING_BYTES) throw new ProtocolError(`a string claims ${length} bytes`);
    const at = this.take(length);
    return length === 0 ? '' : this.buffer.toString('utf8', at, at + length);
  }

  bytes(): Buffer {
    const length = this.int32();
    if (length < 0) throw unexpectedNull('byte value', length);
    return this.#slice(length);
  }

  nullableBytes(): Buffer | null {
    const length = this.int32();
    if (length >= 0) return this.#slice(length);
    if (length !== -1) throw new ProtocolError(`a byte value has the length ${length}`);
    return null;
  }

  compactBytes(): Buffer {
    const length = this.uvarint() - 1;
    if (length < 0) throw unexpectedNull('byte value', length);
    return this.#slice(length);
  }

  compactNullableBytes(): Buffer | null {
    const length = this.uvarint() - 1;
    return length < 0 ? null : this.#slice(length);
  }

  #slice(length: number): Buffer {
    const at = this.take(length);
    return this.buffer.subarray(at, at + length);
  }

  /** The number of elements of a list, each of which takes `elementBytes` or more: no more than the bytes left can hold (CVE-2026-111108). */
  count(elementBytes: number): number {
    const count = this.int32();
    if (count < 0) throw unexpectedNull('list', count);
    return this.#plausible(count, elementBytes);
  }

  /** As `count`; -1 is null. */
  nullableCount(elementBytes: number): number {
    const count = this.int32();
    if (count < -1) throw new ProtocolError(`a list has the length ${count}`);
    return this.#plausible(count, elementBytes);
  }

  compactCount(elementBytes: number): number {
    const count = this.uvarint() - 1;
    if (count < 0) throw unexpectedNull('list', count);
    return this.#plausible(count, elementBytes);
  }

  /** As `compactCount`; -1 is null. */
  compactNullableCount(elementBytes: number): number {
    return this.#plausible(this.uvarint() - 1, elementBytes);
  }

  #plausible(count: number, elementBytes: number): number {
    const left = this.end - this.at;
    if (count * elementBytes > left) throw new ProtocolError(`a list claims ${count} elements, and ${left} bytes are left`);
    if (count > 0) this.#countElements(count);
    return count;
  }

  #countElements(count: number): void {
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) throw new ProtocolError(`a message has more than ${this.#mostElements} list elements`);
  }

  /** Whether a struct that may be null is there. */
  present(): boolean {
    const mark = this.int8();
    if (mark === 1) return true;
    if (mark !== -1) throw new ProtocolError(`a struct begins with ${mark}, neither null nor present`);
    return false;
  }

  /** As `present`, in the form a tagged struct has. */
  taggedPresent(): boolean {
    const mark = this.uvarint();
    if (mark > 1) throw new ProtocolError(`a tagged struct begins with ${mark}, neither null nor present`);
    return mark === 1;
  }

  /** How many tagged values end the struct. */
  tagCount(): number {
    const count = this.uvarint();
    if (count > MAX_TAGS) throw new ProtocolError(`a struct claims ${count} tagged values`);
    if (count > 0) this.#countElements(count); // a frame of nothing but tags would take a second to skip
    return count;
  }

  /** A tagged value that we know must fill the size it declared, or everything behind it would be misread. */
  endTag(end: number): void {
    if (this.at !== end) throw new ProtocolError(`a tagged value ends ${this.at - end} bytes off its declared size`);
  }

  /** Passes over the tagged values of a struct that has none we know. */
  skipTags(): void {
    for (let left = this.tagCount(); left > 0; left--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }
}

function unzigzag(low: number, high: number): number {
  // The 64 bits are high * 2^28 + low; halving moves the lowest bit, the sign, out.
  const magnitude = high * 2 ** 27 + (low >>> 1);
  const value = (low & 1) === 0 ? magnitude : -magnitude - 1;
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

const truncated = (wanted: number, left: number): ProtocolError => new ProtocolError(`${wanted} bytes are wanted, and ${left} are left`);

const unexpectedNull = (what: string, length: number): ProtocolError =>
  new ProtocolError(length === -1 ? `a ${what} is null where it may not be` : `a ${what} has the length ${length}`);
