// Time as the broker lived it: the monotonic clock without the spells in which the broker did not run (a stopped process,
// a suspended machine, a stall of seconds). Sessions and timeouts of members run on it: while we could not listen, nobody
// was silent. It looks at the real clock every second, as long as anybody waits for something.
import type { Env } from '../../base/env.ts';

const PULSE_MS = 1000;
/** Later than this, a pulse was not just waiting for its turn. */
const LATE_MS = 1000;

export class AwakeClock {
  readonly #env: Env;
  #lastSeenMs: number;
  #lostMs = 0;
  #timers = 0;
  #pulse: Disposable | undefined;

  constructor(env: Env) {
    this.#env = env;
    this.#lastSeenMs = env.monotonicMs();
  }

  /** Milliseconds since an arbitrary start; never goes back. */
  nowMs(): number {
    const realMs = this.#env.monotonicMs();
    const gapMs = realMs - this.#lastSeenMs;
    if (this.#pulse !== undefined && gapMs > PULSE_MS + LATE_MS) this.#lostMs += gapMs - PULSE_MS;
    this.#lastSeenMs = realMs;
    return realMs - this.#lostMs;
  }

  /** Runs once when this clock has come to `dueMs`. Disposing cancels. Keeps no process alive. */
  at(dueMs: number, run: () => void): Disposable {
    this.#timers += 1;
    if (this.#pulse === undefined) {
      this.nowMs();
      this.#beat();
    }
    let over = false;
    let timer: Disposable;
    const end = (): void => {
      over = true;
      this.#timers -= 1;
      if (this.#timers > 0) return;
      this.#pulse?.[Symbol.dispose]();
      this.#pulse = undefined;
    };
    const wait = (): void => {
      timer = this.#env.timer(
        Math.max(0, dueMs - this.nowMs()),
        () => {
          if (over) return;
          if (this.nowMs() < dueMs) {
            wait(); // time was lost meanwhile
            return;
          }
          end();
          run();
        },
        { unref: true },
      );
    };
    wait();
    return {
      [Symbol.dispose]: () => {
        if (over) return;
        timer[Symbol.dispose]();
        end();
      },
    };
  }

  #beat(): void {
    this.#pulse = this.#env.timer(
      PULSE_MS,
      () => {
        this.nowMs();
        this.#beat();
      },
      { unref: true },
    );
  }
}
