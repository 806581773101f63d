// A clock that stands still until a test moves it. Timers fire in the order of their time while it advances; between two
// of them everything that can go on goes on. Wall time can jump alone. The same calls give the same order, always.
import { Fifo } from '../fifo.ts';
import { invariant } from '../invariant.ts';
import { inNextTurn, nextTurn } from '../real/clock.ts';

/** More turns than any honest work takes: a loop that never ends is reported instead of hanging the test. */
const MOST_TURNS = 1_000_000;

interface FakeTimer {
  readonly dueMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

export interface FakeClockOptions {
  /** Wall time at the start; 2024-01-01T00:00:00Z when left out. */
  startWallMs?: number;
}

export class FakeClock {
  #nowMs = 0;
  #wallOffsetMs: number;
  #timers: FakeTimer[] = [];
  #disposed = 0;
  #order = 0;
  readonly #deferred = new Fifo<() => void>();
  #pumping = false;
  #underWay = 0;
  #advancing = false;

  constructor({ startWallMs = Date.UTC(2024, 0, 1) }: FakeClockOptions = {}) {
    this.#wallOffsetMs = startWallMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  timer(ms: number, run: () => void, _options?: { unref?: boolean }): Disposable {
    const timer: FakeTimer = { dueMs: this.#nowMs + Math.max(ms, 0), order: this.#order, run };
    this.#order += 1;
    pushTimer(this.#timers, timer);
    return {
      [Symbol.dispose]: () => {
        if (timer.run === undefined) return;
        timer.run = undefined;
        this.#disposed += 1;
        // Session timers are set and taken back all day: forget the dead ones before they are most of the heap.
        if (this.#disposed > 64 && this.#disposed * 2 > this.#timers.length) this.#forgetDisposed();
      },
    };
  }

  #forgetDisposed(): void {
    this.#timers = this.#timers.filter((timer) => timer.run !== undefined).sort(byTime);
    this.#disposed = 0;
  }

  /** Runs in a later turn of the event loop without being driven, in the order of the calls. */
  defer(run: () => void): void {
    this.#deferred.push(run);
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    inNextTurn(() => {
      this.#pumping = false;
      // Only what is here now: what this defers waits a turn, as on the real clock.
      let left = this.#deferred.length;
      try {
        while (left > 0) {
          left -= 1;
          this.#deferred.shift()?.();
        }
      } finally {
        if (this.#deferred.length > 0) this.#pump();
      }
    });
  }

  /** Counts as work under way until it is over: `settle` waits for it. For what ends without the clock (arithmetic on a thread). */
  track<T>(work: Promise<T>): Promise<T> {
    this.#underWay += 1;
    const over = (): void => {
      this.#underWay -= 1;
    };
    work.then(over, over);
    return work;
  }

  /** Timers that will fire if the clock advances far enough. */
  get pendingTimers(): number {
    return this.#timers.length - this.#disposed;
  }

  /** Milliseconds until the next timer; undefined when there is none. */
  get nextTimerInMs(): number | undefined {
    const next = this.#nextTimer();
    return next === undefined ? undefined : next.dueMs - this.#nowMs;
  }

  /** Returns when nothing can go on unless the clock advances: no microtask, no deferred work, nothing tracked. */
  async settle(): Promise<void> {
    for (let turn = 0; ; turn += 1) {
      await nextTurn();
      if (this.#deferred.length === 0 && !this.#pumping && this.#underWay === 0) return;
      // What is on a thread takes as many turns as it takes.
      invariant(turn < MOST_TURNS || this.#underWay > 0, 'deferred work comes to an end');
    }
  }

  /** Moves both times forward and fires what becomes due, one timer after the other, letting the work of each settle. */
  async advanceMs(ms: number): Promise<void> {
    await this.#exclusively(async () => {
      const targetMs = this.#nowMs + ms;
      await this.settle();
      for (let fired = 0; this.#fireNext(targetMs); fired += 1) {
        invariant(fired < MOST_TURNS, 'timers come to an end');
        await this.settle();
      }
      this.#nowMs = targetMs;
    });
  }

  /** The same without letting promises go on: for code that only sets timers. */
  advanceSyncMs(ms: number): void {
    invariant(!this.#advancing, 'one advance of the clock at a time');
    const targetMs = this.#nowMs + ms;
    for (let fired = 0; this.#fireNext(targetMs); fired += 1) invariant(fired < MOST_TURNS, 'timers come to an end');
    this.#nowMs = targetMs;
  }

  /**
   * The result of work, advancing the clock as far as it takes.
   * @throws Error when it is not done `withinMs` (an hour), or nothing is left that could finish it
   */
  async until<T>(work: Promise<T>, { withinMs = 3_600_000 }: { withinMs?: number } = {}): Promise<T> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    work.then(end, end);
    await this.#exclusively(async () => {
      const deadlineMs = this.#nowMs + withinMs;
      for (;;) {
        await this.settle();
        if (over) return;
        if (!this.#fireNext(deadlineMs)) {
          const why = this.#nextTimer() === undefined ? 'no timer is left' : `not done within ${withinMs} ms`;
          throw new Error(`the work does not end: ${why}`);
        }
      }
    });
    return work;
  }

  /** Wall time alone jumps, in either direction: an administrator, a time server. */
  jumpWallMs(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  async #exclusively(advance: () => Promise<void>): Promise<void> {
    invariant(!this.#advancing, 'one advance of the clock at a time');
    this.#advancing = true;
    try {
      await advance();
    } finally {
      this.#advancing = false;
    }
  }

  #nextTimer(): FakeTimer | undefined {
    while (this.#timers[0]?.run === undefined && this.#timers.length > 0) {
      popTimer(this.#timers);
      this.#disposed -= 1;
    }
    return this.#timers[0];
  }

  #fireNext(untilMs: number): boolean {
    const timer = this.#nextTimer();
    if (timer === undefined || timer.dueMs > untilMs) return false;
    popTimer(this.#timers);
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
    const { run } = timer;
    timer.run = undefined;
    run?.();
    return true;
  }
}

/** A binary heap, the earliest first; of two at the same time the one that was set first. */
function byTime(a: FakeTimer, b: FakeTimer): number {
  return a.dueMs - b.dueMs || a.order - b.order;
}

function pushTimer(heap: FakeTimer[], timer: FakeTimer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as FakeTimer;
    if (byTime(parent, timer) <= 0) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = timer;
}

function popTimer(heap: FakeTimer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = at * 2 + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && byTime(heap[below + 1] as FakeTimer, heap[below] as FakeTimer) < 0) below += 1;
    const child = heap[below] as FakeTimer;
    if (byTime(last, child) <= 0) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
}
