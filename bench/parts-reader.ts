// Reads a frame that lies in several pieces, without joining them: the ceiling server's way to copy nothing.

export class PartsReader {
  readonly #parts: readonly Buffer[];
  #part = 0;
  #at = 0;

  constructor(parts: readonly Buffer[]) {
    this.#parts = parts;
  }

  uint8(): number {
    let part = this.#parts[this.#part];
    while (part !== undefined && this.#at === part.length) {
      this.#part += 1;
      this.#at = 0;
      part = this.#parts[this.#part];
    }
    if (part === undefined) throw new RangeError('the frame ends too early');
    const value = part[this.#at] as number;
    this.#at += 1;
    return value;
  }

  int16(): number {
    return ((this.uint8() << 24) >> 16) | this.uint8();
  }

  int32(): number {
    return (this.uint8() << 24) | (this.uint8() << 16) | (this.uint8() << 8) | this.uint8();
  }

  int64(): number {
    return this.int32() * 2 ** 32 + (this.int32() >>> 0);
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.uint8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  text(bytes: number): string {
    return Buffer.concat(this.take(bytes)).toString('latin1');
  }

  skip(bytes: number): void {
    this.take(bytes);
  }

  /** The next bytes, as slices. */
  take(bytes: number): Buffer[] {
    const taken: Buffer[] = [];
    let left = bytes;
    while (left > 0) {
      const part = this.#parts[this.#part];
      if (part === undefined) throw new RangeError('the frame ends too early');
      const slice = part.subarray(this.#at, this.#at + left);
      if (slice.length > 0) taken.push(slice);
      left -= slice.length;
      this.#at += slice.length;
      if (this.#at === part.length) {
        this.#part += 1;
        this.#at = 0;
      }
    }
    return taken;
  }
}
