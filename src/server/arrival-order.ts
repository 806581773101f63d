// The order in which the requests of one connection stage: that of their arrival, whatever their preparation takes.
// Holds back whoever is early. What staging is, the handler knows.

export class ArrivalOrder {
  /** Requests that have come. */
  #entered = 0;
  /** Requests, counted from the first, that have staged or will not. */
  #passed = 0;
  /** Those that are ready before their turn; made when there is one. */
  #early: Map<number, () => void> | undefined = undefined;
  /** Those that are done without having staged, before their turn. */
  #skipped: Set<number> | undefined = undefined;

  /** The place of a request that has come just now. */
  enter(): number {
    const place = this.#entered;
    this.#entered += 1;
    return place;
  }

  /** Runs `stage` when all earlier places have passed: at once when nothing is ahead. */
  run<Result>(place: number, stage: () => Result): Result | Promise<Result> {
    if (place < this.#passed) return stage();
    if (place === this.#passed) {
      try {
        return stage();
      } finally {
        this.pass(place);
      }
    }
    return new Promise<Result>((resolve, reject) => {
      this.#early ??= new Map();
      this.#early.set(place, () => {
        try {
          resolve(stage());
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error('a stage threw no Error', { cause: thrown }));
        }
      });
    });
  }

  /** The request has staged, or is done: those behind it need not wait for it. May be repeated. */
  pass(place: number): void {
    if (place < this.#passed) return;
    if (place > this.#passed) {
      this.#skipped ??= new Set();
      this.#skipped.add(place);
      return;
    }
    this.#passed += 1;
    while (this.#passed < this.#entered) {
      const next = this.#passed;
      const stage = this.#early?.get(next);
      if (stage === undefined && this.#skipped?.delete(next) !== true) return;
      this.#early?.delete(next);
      stage?.();
      // The stage itself may have passed its place already.
      if (this.#passed === next) this.#passed += 1;
    }
  }
}
