// The one place for work that nobody awaits: it is named, watched, counted, told to stop and waited for at the end.
// A failure is logged and stays with its work; a broken invariant goes to whoever fails the broker.
import { InvariantError } from './invariant.ts';
import type { Logger } from './log.ts';

export interface BackgroundOptions {
  log: Logger;
  /** Called when background work broke an invariant: the broker cannot go on. */
  onFatal: (error: InvariantError) => void;
}

export class Background {
  readonly #log: Logger;
  readonly #onFatal: (error: InvariantError) => void;
  readonly #stopping = new AbortController();
  readonly #running = new Map<Promise<void>, string>();
  #started = 0;
  #failed = 0;
  #stopped: Promise<void> | undefined;

  constructor({ log, onFatal }: BackgroundOptions) {
    this.#log = log;
    this.#onFatal = onFatal;
  }

  /**
   * Starts work that nobody awaits. `signal` aborts when the broker stops; work that ends with the signal's reason then has
   * not failed. After `stop` nothing is started any more.
   */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#stopped !== undefined) {
      this.#log.debug('background work was not started: the broker stops', { work: name });
      return;
    }
    this.#started += 1;
    const running = this.#watch(name, work);
    this.#running.set(running, name);
    void running.then(() => this.#running.delete(running));
  }

  /** Never rejects. */
  async #watch(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await work(this.#stopping.signal);
    } catch (thrown) {
      const { signal } = this.#stopping;
      if (signal.aborted && thrown === signal.reason) return;
      this.#failed += 1;
      this.#log.error('background work failed', { work: name, error: thrown });
      if (!(thrown instanceof InvariantError)) return;
      try {
        this.#onFatal(thrown);
      } catch (again) {
        this.#log.error('the broker could not be failed', again);
      }
    }
  }

  /** Work started so far. */
  get started(): number {
    return this.#started;
  }

  /** Work that ended with an error. */
  get failed(): number {
    return this.#failed;
  }

  /** Names of what runs now. */
  get running(): string[] {
    return [...this.#running.values()];
  }

  /** Tells all work to stop and returns when it has. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.keys());
  }
}
