// Latencies by the million in constant memory: 64 steps to each power of two, so that a percentile is off by less than
// two percent. The largest value is kept exactly.

const STEPS = 64;
/** Of microseconds: up to 2^32, an hour. */
const POWERS = 33;

export class LatencyHistogram {
  readonly #counts = new Float64Array(STEPS * POWERS);
  #count = 0;
  #maxMs = 0;

  add(milliseconds: number): void {
    const microseconds = Math.max(1, milliseconds * 1000);
    const power = Math.floor(Math.log2(microseconds));
    const step = Math.floor((microseconds / 2 ** power - 1) * STEPS);
    const index = Math.min(STEPS * POWERS - 1, power * STEPS + step);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    if (milliseconds > this.#maxMs) this.#maxMs = milliseconds;
  }

  /** The latency that the share (0 to 1) of all values does not exceed; 0 when there are none. */
  percentileMs(share: number): number {
    let left = this.#count * share;
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (count > 0 && left <= 0) {
        const upper = 2 ** Math.floor(index / STEPS) * (1 + ((index % STEPS) + 1) / STEPS);
        return Math.min(upper / 1000, this.#maxMs);
      }
    }
    return this.#maxMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }
}
