// The bytes of one file in memory. Appending never copies what is there, except within a file's last chunk while it is small;
// ranges that were never written take no memory and read as zeros.

const CHUNK_BYTES = 128 * 1024;
const SMALLEST_BYTES = 512;

/** Bytes from `used` on are not meant: they read as zeros. */
interface Chunk {
  bytes: Buffer;
  used: number;
}

export class Content {
  #chunks: (Chunk | undefined)[] = [];
  #size = 0;
  #stored = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes that take room on the disk: what was written, without the holes beyond it. */
  get storedBytes(): number {
    return this.#stored;
  }

  /** Fills `into` from `position`; returns the bytes read. */
  read(into: Uint8Array, position: number): number {
    const end = Math.min(position + into.length, this.#size);
    let at = position;
    while (at < end) {
      const chunk = this.#chunks[Math.floor(at / CHUNK_BYTES)];
      const from = at % CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - from, end - at);
      const held = chunk === undefined ? 0 : Math.min(Math.max(chunk.used - from, 0), count);
      if (chunk !== undefined && held > 0) into.set(chunk.bytes.subarray(from, from + held), at - position);
      if (held < count) into.fill(0, at - position + held, at - position + count);
      at += count;
    }
    return Math.max(at - position, 0);
  }

  /** By how much `storedBytes` would grow. */
  growth(position: number, bytes: number): number {
    let grows = 0;
    const end = position + bytes;
    for (let at = position; at < end;) {
      const from = at % CHUNK_BYTES;
      const to = Math.min(CHUNK_BYTES, from + end - at);
      grows += Math.max(to - (this.#chunks[Math.floor(at / CHUNK_BYTES)]?.used ?? 0), 0);
      at += to - from;
    }
    return grows;
  }

  write(bytes: Uint8Array, position: number): void {
    let done = 0;
    while (done < bytes.length) {
      const at = position + done;
      const from = at % CHUNK_BYTES;
      const count = Math.min(CHUNK_BYTES - from, bytes.length - done);
      const chunk = this.#chunkFor(Math.floor(at / CHUNK_BYTES), from + count);
      if (from > chunk.used) chunk.bytes.fill(0, chunk.used, from);
      chunk.bytes.set(done === 0 && count === bytes.length ? bytes : bytes.subarray(done, done + count), from);
      if (from + count > chunk.used) {
        this.#stored += from + count - chunk.used;
        chunk.used = from + count;
      }
      done += count;
    }
    if (bytes.length > 0) this.#size = Math.max(this.#size, position + bytes.length);
  }

  #chunkFor(index: number, needed: number): Chunk {
    const known = this.#chunks[index];
    if (known !== undefined && known.bytes.length >= needed) return known;
    let length = Math.max(SMALLEST_BYTES, index === 0 ? 0 : CHUNK_BYTES, (known?.bytes.length ?? 0) * 2);
    while (length < needed) length *= 2;
    const bytes = Buffer.allocUnsafeSlow(Math.min(length, CHUNK_BYTES));
    if (known === undefined) {
      const chunk = { bytes, used: 0 };
      this.#chunks[index] = chunk;
      return chunk;
    }
    bytes.set(known.bytes.subarray(0, known.used));
    known.bytes = bytes;
    return known;
  }

  truncate(size: number): void {
    if (size < this.#size) {
      const keep = Math.ceil(size / CHUNK_BYTES);
      for (let index = keep; index < this.#chunks.length; index += 1) this.#stored -= this.#chunks[index]?.used ?? 0;
      if (this.#chunks.length > keep) this.#chunks.length = keep;
      const last = this.#chunks[keep - 1];
      const used = size - (keep - 1) * CHUNK_BYTES;
      if (last !== undefined && last.used > used) {
        this.#stored -= last.used - used;
        last.used = used;
      }
    }
    this.#size = size;
  }

  copy(): Content {
    const copy = new Content();
    copy.#size = this.#size;
    copy.#stored = this.#stored;
    for (const [index, chunk] of this.#chunks.entries()) {
      if (chunk !== undefined)
        copy.#chunks[index] = { bytes: Buffer.from(chunk.bytes.subarray(0, Math.max(chunk.used, 1))), used: chunk.used };
    }
    return copy;
  }
}
