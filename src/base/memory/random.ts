// Chance from a seed: the same seed gives the same run, so that any failure can be seen again.
// sfc32 (Chris Doty-Humphrey's "small fast counter", 128 bits of state), seeded through splitmix32.

export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Any integer; its low 53 bits count. */
  constructor(seed: number) {
    let state = seed >>> 0;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let word = state ^ (state >>> 16);
      word = Math.imul(word, 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return word ^ (word >>> 15);
    };
    this.#a = mix();
    state ^= Math.floor(seed / 2 ** 32) >>> 0;
    this.#b = mix();
    this.#c = mix();
    for (let round = 0; round < 12; round += 1) this.#word();
  }

  #word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1), with 53 bits. */
  next(): number {
    return ((this.#word() >>> 5) * 2 ** 26 + (this.#word() >>> 6)) / 2 ** 53;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the items, which may not be empty. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.integer(items.length)] as T;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    for (let index = 0; index < count; index += 1) bytes[index] = this.#word() & 0xff;
    return bytes;
  }

  /** A stream of its own: what it is asked for does not change what this one gives next. */
  fork(): SeededRandom {
    return new SeededRandom(this.#word() * 2 ** 20 + (this.#word() >>> 12));
  }
}
