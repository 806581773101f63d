// When the checkpoints of one log dir are taken: a while after something was written, at once when much was, one at a
// time, and one for all who ask before it begins. What a checkpoint does is its owner's.
import type { Env } from '../base/env.ts';

/** Recovery points are kept after at most so long, or so many bytes: what a start has to look at again. */
const CHECKPOINT_MS = 1000;
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

export interface CheckpointScheduleOptions {
  readonly env: Pick<Env, 'monotonicMs' | 'timer'>;
  readonly take: () => Promise<void>;
  /** Told when one that nobody asked for, but that was due, has failed. */
  readonly onFailed: (error: unknown) => void;
  /** No more are begun on their own account. */
  readonly isOver: () => boolean;
}

export class CheckpointSchedule {
  readonly #options: CheckpointScheduleOptions;
  #timer: Disposable | undefined;
  #dueMs = 0;
  #running: Promise<void> = Promise.resolve();
  /** One that has not begun: it will do for whoever asks now. */
  #next: Promise<void> | undefined;
  #bytesSince = 0;

  constructor(options: CheckpointScheduleOptions) {
    this.#options = options;
  }

  /** Takes one that begins after this call. */
  take(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#options.take();
    });
    const run = this.#next;
    this.#running = run.catch(() => undefined);
    return run;
  }

  /** Does the work while no checkpoint is under way: none may count as done, and set frames free, what the work takes out of its hands. */
  between<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#running.then(work);
    this.#running = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  /** So many bytes more would have to be looked at by the next start. */
  wrote(bytes: number): void {
    this.#bytesSince += bytes;
    this.within(this.#bytesSince >= CHECKPOINT_BYTES ? 0 : CHECKPOINT_MS);
  }

  /** One is due after so long, unless one is due before that. */
  within(ms: number): void {
    const { env } = this.#options;
    if (this.#options.isOver() || this.#next !== undefined) return;
    const dueMs = env.monotonicMs() + ms;
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    this.#timer?.[Symbol.dispose]();
    this.#dueMs = dueMs;
    this.#timer = env.timer(ms, () => this.#takeDue(), { unref: true });
  }

  /** One begins, whoever wanted it: what was written so far is its affair. */
  begun(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#bytesSince = 0;
  }

  /** None begins any more; resolves when the last one is through, however it ended. */
  async stop(): Promise<void> {
    this.#timer?.[Symbol.dispose]();
    await this.#running;
  }

  #takeDue(): void {
    this.#timer = undefined;
    this.take().then(
      () => undefined,
      (error: unknown) => this.#options.onFailed(error),
    );
  }
}
