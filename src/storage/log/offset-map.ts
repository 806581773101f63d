// What the cleaner remembers of keys: for each the last offset it was seen at, in 24 bytes whatever the key's length, as
// Kafka does it. A key is known by 128 bits of a keyed hash: whoever does not know the hash's key, drawn anew for each
// cleaning, cannot make two keys collide, and by chance none of a billion does.
import { invariant } from '../../base/invariant.ts';

/** Of the hash's key. */
export const HASH_KEY_BYTES = 16;
/** One entry: four words of hash, two of the offset plus one (0 is an empty slot). */
const WORDS = 6;
export const ENTRY_BYTES = WORDS * 4;
const FIRST_SLOTS = 16 * 1024;
/** The table grows when it is so full, until it may not grow any more. */
const GROW_AT = 0.6;

export class OffsetMap {
  readonly #hashKey: Int32Array;
  readonly #maxSlots: number;
  readonly #maxCount: number;
  readonly #hash = new Int32Array(4);
  #table: Int32Array;
  #slots: number;
  #count = 0;

  /** At most `maxBytes` of table, at most `loadFactor` of it full. */
  constructor(options: { hashKey: Uint8Array; maxBytes: number; loadFactor: number }) {
    const { hashKey } = options;
    invariant(hashKey.length === HASH_KEY_BYTES, 'the key of the hash has 16 bytes');
    const view = new DataView(hashKey.buffer, hashKey.byteOffset, hashKey.length);
    this.#hashKey = Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at, true));
    this.#maxSlots = Math.max(2, Math.floor(options.maxBytes / ENTRY_BYTES));
    // One slot stays empty whatever the factor: a search ends there.
    this.#maxCount = Math.max(1, Math.min(this.#maxSlots - 1, Math.floor(this.#maxSlots * options.loadFactor)));
    this.#slots = Math.min(FIRST_SLOTS, this.#maxSlots);
    this.#table = new Int32Array(this.#slots * WORDS);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#maxCount;
  }

  get bytes(): number {
    return this.#table.byteLength;
  }

  /** Notes the offset, which lies above all noted before, for the key that lies in [from, to). */
  put(buffer: Buffer, from: number, to: number, offset: number): void {
    this.#hashOf(buffer, from, to);
    let at = this.#find();
    if (this.#isEmpty(at)) {
      invariant(!this.isFull, 'a full map takes no more keys');
      if (this.#slots < this.#maxSlots && this.#count >= this.#slots * GROW_AT) {
        this.#grow();
        at = this.#find();
      }
      this.#table.set(this.#hash, at);
      this.#count += 1;
    }
    this.#setOffset(at, offset);
  }

  /** -1 when the key was not noted. */
  get(buffer: Buffer, from: number, to: number): number {
    this.#hashOf(buffer, from, to);
    return this.#offsetAt(this.#find());
  }

  #isEmpty(at: number): boolean {
    return this.#table[at + 4] === 0 && this.#table[at + 5] === 0;
  }

  #offsetAt(at: number): number {
    return ((this.#table[at + 4] as number) >>> 0) + ((this.#table[at + 5] as number) >>> 0) * 0x1_0000_0000 - 1;
  }

  #setOffset(at: number, offset: number): void {
    this.#table[at + 4] = (offset + 1) | 0;
    this.#table[at + 5] = Math.floor((offset + 1) / 0x1_0000_0000);
  }

  /** The slot that holds the hash, or the empty one where it belongs. */
  #find(): number {
    const table = this.#table;
    const [one, two, three, four] = this.#hash as unknown as [number, number, number, number];
    let slot = Math.floor(((one >>> 0) / 0x1_0000_0000) * this.#slots);
    for (;;) {
      const at = slot * WORDS;
      if (table[at] === one && table[at + 1] === two && table[at + 2] === three && table[at + 3] === four && !this.#isEmpty(at)) return at;
      if (this.#isEmpty(at)) return at;
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
  }

  #grow(): void {
    const old = this.#table;
    const wanted = this.#hash.slice();
    this.#slots = Math.min(this.#slots * 2, this.#maxSlots);
    this.#table = new Int32Array(this.#slots * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 4] === 0 && old[at + 5] === 0) continue;
      this.#hash.set(old.subarray(at, at + 4));
      this.#table.set(old.subarray(at, at + WORDS), this.#find());
    }
    this.#hash.set(wanted);
  }

  /** Two HalfSipHash-2-4 of 64 bits with keys of their own (Aumasson, Bernstein): 32-bit arithmetic, which JavaScript has. */
  #hashOf(buffer: Buffer, from: number, to: number): void {
    const key = this.#hashKey;
    const hash = this.#hash;
    halfSipHash(buffer, from, to, key[0] as number, key[1] as number, hash, 0);
    halfSipHash(buffer, from, to, key[2] as number, key[3] as number, hash, 2);
  }
}

/** The 64-bit form; its two words go to `into[at]` and `into[at + 1]`. */
export function halfSipHash(buffer: Buffer, from: number, to: number, key0: number, key1: number, into: Int32Array, at: number): void {
  let v0 = key0;
  let v1 = key1 ^ 0xee;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  const length = to - from;
  const words = length >>> 2;
  // The words, the last one with the length in its top byte, then twice four rounds to the end, each with two words of state to mix.
  for (let step = 0; step < words + 1; step += 1) {
    let word: number;
    if (step < words) word = buffer.readInt32LE(from + step * 4);
    else {
      word = length << 24;
      for (let rest = length & 3; rest > 0; rest -= 1) word |= (buffer[to - (length & 3) + rest - 1] as number) << (8 * (rest - 1));
    }
    v3 ^= word;
    for (let round = 0; round < 2; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  v2 ^= 0xee;
  for (let half = 0; half < 2; half += 1) {
    for (let round = 0; round < 4; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    into[at + half] = v1 ^ v3;
    v1 ^= 0xdd;
  }
}
