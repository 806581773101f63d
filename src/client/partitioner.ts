// Which partition a record goes to where its sender does not say: by its key as Java's default partitioner does, or, without a
// key, to one partition after the other, a batch at a time.

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/** The 32-bit MurmurHash2 of Kafka's clients (org.apache.kafka.common.utils.Utils.murmur2), as a signed number. */
export function murmur2(bytes: Uint8Array): number {
  let hash = SEED ^ bytes.length;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let word = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24) | 0;
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> SHIFT;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const left = bytes.length - whole;
  if (left === 3) hash ^= byteAt(bytes, whole + 2) << 16;
  if (left >= 2) hash ^= byteAt(bytes, whole + 1) << 8;
  if (left >= 1) hash = Math.imul(hash ^ byteAt(bytes, whole), MULTIPLIER);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** The partition of a key among `count`; the same for every client that does as Java does. */
export const partitionOfKey = (key: Uint8Array, count: number): number => (murmur2(key) & 0x7fff_ffff) % count;

/** For records without a key: stays with one of the partitions until told to move on, and then takes another if there is one. */
export class StickyPartition {
  readonly #partitions: readonly number[];
  readonly #random: () => number;
  #current: number;

  /** `partitions` may not be empty. */
  constructor(partitions: readonly number[], random: () => number) {
    this.#partitions = partitions;
    this.#random = random;
    this.#current = Math.floor(random() * partitions.length);
  }

  get current(): number {
    return this.#partitions[this.#current] ?? 0;
  }

  moveOn(): void {
    const others = this.#partitions.length - 1;
    if (others > 0) this.#current = (this.#current + 1 + Math.floor(this.#random() * others)) % this.#partitions.length;
  }
}
