// Answers as they come in: finds where each begins and ends in the stream, and keeps of each the first bytes only. What
// comes behind them (the records of a Fetch answer) is counted and forgotten, as it would be by a client with nothing to do.

/** Enough for the part of an answer that says what became of the request. */
const KEPT_BYTES = 64 * 1024;

export class FrameScanner {
  readonly #onFrame: (start: Buffer, bytes: number) => void;
  readonly #kept: Buffer;
  #filled = 0;
  /** Of the frame under way, without its size; -1 until it is known. */
  #frameBytes = -1;
  #received = 0;

  /** `onFrame` gets the frame's first bytes, valid until it returns, and its length; both without the size before it. */
  constructor(onFrame: (start: Buffer, bytes: number) => void, keptBytes = KEPT_BYTES) {
    this.#onFrame = onFrame;
    this.#kept = Buffer.allocUnsafeSlow(keptBytes);
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#frameBytes < 0 && this.#filled === 0 && chunk.length - at >= 4) {
        const bytes = chunk.readInt32BE(at);
        if (chunk.length - at - 4 >= bytes) {
          this.#onFrame(chunk.subarray(at + 4, at + 4 + bytes), bytes);
          at += 4 + bytes;
          continue;
        }
      }
      at = this.#frameBytes < 0 ? this.#takeSize(chunk, at) : this.#takeBody(chunk, at);
    }
  }

  #takeSize(chunk: Buffer, from: number): number {
    const count = Math.min(4 - this.#filled, chunk.length - from);
    chunk.copy(this.#kept, this.#filled, from, from + count);
    this.#filled += count;
    if (this.#filled === 4) {
      this.#frameBytes = this.#kept.readInt32BE(0);
      this.#filled = 0;
      this.#received = 0;
    }
    return from + count;
  }

  #takeBody(chunk: Buffer, from: number): number {
    const count = Math.min(this.#frameBytes - this.#received, chunk.length - from);
    const kept = Math.min(count, this.#kept.length - this.#filled);
    if (kept > 0) this.#filled += chunk.copy(this.#kept, this.#filled, from, from + kept);
    this.#received += count;
    if (this.#received === this.#frameBytes) {
      const start = this.#kept.subarray(0, this.#filled);
      const bytes = this.#frameBytes;
      this.#frameBytes = -1;
      this.#filled = 0;
      this.#onFrame(start, bytes);
    }
    return from + count;
  }
}
