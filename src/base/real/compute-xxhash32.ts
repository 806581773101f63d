// xxHash32 with seed 0: the checksum inside lz4 frames (header, blocks, content). Nothing else in Kafka uses it.

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);

const round = (lane: number, input: number): number => Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1);

/** The hash of bytes that lie one after the other in a buffer, which may grow (and be another buffer) between two calls. */
export class XxHash32 {
  readonly #start: number;
  #at: number;
  #a = (PRIME_1 + PRIME_2) | 0;
  #b = PRIME_2 | 0;
  #c = 0;
  #d = -PRIME_1 | 0;

  constructor(start: number) {
    this.#start = start;
    this.#at = start;
  }

  /** Takes in what is there up to `end`, in whole stripes of 16. */
  update(bytes: Uint8Array, end: number): void {
    let at = this.#at;
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    for (const last = end - 16; at <= last; at += 16) {
      a = round(a, word(bytes, at));
      b = round(b, word(bytes, at + 4));
      c = round(c, word(bytes, at + 8));
      d = round(d, word(bytes, at + 12));
    }
    this.#at = at;
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /** Unsigned; of all bytes up to `end`. */
  digest(bytes: Uint8Array, end: number): number {
    this.update(bytes, end);
    const length = end - this.#start;
    let hash = length >= 16 ? rotate(this.#a, 1) + rotate(this.#b, 7) + rotate(this.#c, 12) + rotate(this.#d, 18) : PRIME_5;
    hash = (hash + length) | 0;
    let at = this.#at;
    for (; at + 4 <= end; at += 4) hash = Math.imul(rotate((hash + Math.imul(word(bytes, at), PRIME_3)) | 0, 17), PRIME_4);
    for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at] as number, PRIME_5)) | 0, 11), PRIME_1);
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

/** Unsigned. Of the bytes from `start` to `end` (exclusive), which must lie inside. */
export const xxhash32 = (bytes: Uint8Array, start: number, end: number): number => new XxHash32(start).digest(bytes, end);
