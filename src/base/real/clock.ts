// The machine's clocks, timers and chance. Every platform function is taken when this module loads: the fake timers
// of test runners replace globals and the members of node:timers later, and must not stop a broker in the same process.
// (One thing cannot be had: where process.nextTick itself is replaced, Node's own sockets stop, ours and every client's.)
// Leaves files to real/files.ts and sockets to real/network.ts.
import { performance } from 'node:perf_hooks';
import timers from 'node:timers';
import { randomBytes } from './random-bytes.ts';

const { setTimeout, clearTimeout, setImmediate } = timers;
const performanceNow = performance.now.bind(performance);
const dateNow = Date.now.bind(Date);
const { random } = Math;

/** The longest delay `setTimeout` takes; anything above it would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** What happens to a value thrown by a callback that nobody waits for. */
export type OnThrown = (thrown: unknown) => void;

export interface RealClock {
  monotonicMs(): number;
  wallMs(): number;
  timer(ms: number, run: () => void, options?: { unref?: boolean }): Disposable;
  defer(run: () => void): void;
  random(): number;
  randomBytes(count: number): Uint8Array;
}

/** `onThrown` receives what a timer or deferred callback throws; left out, it becomes an uncaught exception, as with setTimeout. */
export function makeRealClock(onThrown?: OnThrown): RealClock {
  const deferred = new DeferredWork(onThrown);
  return {
    monotonicMs: performanceNow,
    wallMs: dateNow,
    timer: (ms, run, options) => new RealTimer(ms, run, options?.unref === true, onThrown),
    defer: (run) => deferred.add(run),
    random,
    randomBytes,
  };
}

/** Resolves after the input that is ready now has been handled and every microtask has run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Calls back after the input that is ready now has been handled. */
export function inNextTurn(run: () => void): void {
  setImmediate(run);
}

class RealTimer implements Disposable {
  readonly #dueMs: number;
  readonly #unref: boolean;
  readonly #onThrown: OnThrown | undefined;
  #run: (() => void) | undefined;
  #timeout: NodeJS.Timeout | undefined;

  constructor(ms: number, run: () => void, unref: boolean, onThrown: OnThrown | undefined) {
    this.#dueMs = performanceNow() + ms;
    this.#run = run;
    this.#unref = unref;
    this.#onThrown = onThrown;
    this.#arm(ms);
  }

  #arm(ms: number): void {
    this.#timeout = setTimeout(fireTimer, Math.min(Math.max(Math.ceil(ms), 0), LONGEST_TIMEOUT_MS), this);
    if (this.#unref) this.#timeout.unref();
  }

  /** Node counts from the start of the loop's turn and may fire a little early; a timer of ours never does. */
  fire(): void {
    const leftMs = this.#dueMs - performanceNow();
    if (leftMs > 0) {
      this.#arm(leftMs);
      return;
    }
    const run = this.#run;
    this.#run = undefined;
    this.#timeout = undefined;
    if (run !== undefined) guarded(run, this.#onThrown);
  }

  [Symbol.dispose](): void {
    this.#run = undefined;
    if (this.#timeout !== undefined) clearTimeout(this.#timeout);
    this.#timeout = undefined;
  }
}

function fireTimer(timer: RealTimer): void {
  timer.fire();
}

/** One setImmediate for all that is deferred in a turn. */
class DeferredWork {
  readonly #onThrown: OnThrown | undefined;
  #queue: (() => void)[] = [];
  #scheduled = false;

  constructor(onThrown: OnThrown | undefined) {
    this.#onThrown = onThrown;
  }

  add(run: () => void): void {
    this.#queue.push(run);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(runDeferred, this);
  }

  /** What is deferred while this runs waits for the next turn, so that sockets get theirs. */
  runAll(): void {
    const queue = this.#queue;
    this.#queue = [];
    this.#scheduled = false;
    let next = 0;
    try {
      while (next < queue.length) {
        const run = queue[next];
        next += 1;
        if (run !== undefined) guarded(run, this.#onThrown);
      }
    } finally {
      if (next < queue.length) {
        // One of them threw and nobody guards: the others keep their turn and their order.
        this.#queue = [...queue.slice(next), ...this.#queue];
        if (!this.#scheduled) {
          this.#scheduled = true;
          setImmediate(runDeferred, this);
        }
      }
    }
  }
}

function runDeferred(work: DeferredWork): void {
  work.runAll();
}

/** Runs a callback; what it throws goes to `onThrown`, or on to the platform when there is none. */
export function guarded(run: () => void, onThrown: OnThrown | undefined): void {
  if (onThrown === undefined) {
    run();
    return;
  }
  try {
    run();
  } catch (thrown) {
    onThrown(thrown);
  }
}
