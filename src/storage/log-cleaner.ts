// Keeps compacted topics small: looks every so often which log of all dirs is the dirtiest, cleans it, and goes on until none is
// dirty enough. One log at a time. What may be cleaned, and how, is log/cleaner-plan.ts's and log/cleaner.ts's.
import { Background } from '../base/background.ts';
import type { Env, Thread } from '../base/env.ts';
import { InvariantError } from '../base/invariant.ts';
import type { Logger } from '../base/log.ts';
import type { BrokerConfig } from '../config/broker-configs.ts';
import { CommitFailedError, isDiskFull } from './commit/commit-log.ts';
import type { LogDir } from './log-dir.ts';
import { cleanLog, type CleaningFigures, type DirToClean, type Worker } from './log/cleaner.ts';
import { isDue, planCleaning, type CleaningPlan } from './log/cleaner-plan.ts';
import { CleaningAbandonedError } from './log/cleaner-swap.ts';
import { CleanerWork, type FilteredPiece, type IndexedPiece } from './log/cleaner-work.ts';
import type { PartitionLog } from './log/partition-log.ts';

export type CleanerConfig = Pick<
  BrokerConfig,
  | 'log.cleaner.enable'
  | 'log.cleaner.backoff.ms'
  | 'log.cleaner.dedupe.buffer.size'
  | 'log.cleaner.io.buffer.load.factor'
  | 'log.cleaner.io.max.bytes.per.second'
>;

export interface LogCleanerOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly config: () => CleanerConfig;
  readonly logDirs: readonly LogDir[];
  readonly onFatal: (error: unknown) => void;
  readonly onCleaned?: (figures: CleaningFigures & { milliseconds: number }) => void;
}

/** A thread takes much at once, so that little goes back and forth; the event loop takes what is done in a few milliseconds. */
const THREAD_PIECE_BYTES = 1024 * 1024;
const TURN_PIECE_BYTES = 128 * 1024;
/** Kafka's default, which says that there is no bound. */
const NO_BOUND = 1e18;

/** How often a cleaning that is to be slow looks whether it is over: whoever drops the log waits for it. */
const PACE_LOOK_MS = 200;

interface Chosen {
  readonly dir: DirToClean;
  readonly plan: CleaningPlan;
}

export class LogCleaner {
  readonly #options: LogCleanerOptions;
  readonly #background: Background;
  readonly #uncleanable = new Map<PartitionLog, string>();
  #maxDirtyRatio = 0;
  #thread: Thread | undefined;
  #noThreads = false;
  #bytesPaced = 0;
  #pacedSinceMs = 0;

  constructor(options: LogCleanerOptions) {
    this.#options = options;
    this.#background = new Background({ log: options.log, onFatal: options.onFatal });
  }

  /** Of the dirtiest log, as of the last look. */
  get maxDirtyRatio(): number {
    return this.#maxDirtyRatio;
  }

  /** Names of partitions that are not cleaned any more until a restart, and why. */
  get uncleanable(): { partition: string; why: string }[] {
    return Array.from(this.#uncleanable, ([{ name }, why]) => ({ partition: name, why }));
  }

  /** Looks for work from now on, until `stop`. */
  start(): void {
    if (!this.#options.config()['log.cleaner.enable']) return;
    this.#background.run('log cleaner', (signal) => this.#run(signal));
  }

  /** Ends the cleaning in hand at its next step, and waits for it. */
  async stop(): Promise<void> {
    await this.#background.stop();
    await this.#stopThread();
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const went = await this.cleanDirtiest(signal);
      if (went === 'cleaned') continue;
      await this.#stopThread();
      await this.#wait(this.#options.config()['log.cleaner.backoff.ms'], signal);
    }
  }

  /** Cleans the dirtiest log that is due. `waits`: it could not be done now, and will be tried again. */
  async cleanDirtiest(signal: AbortSignal = new AbortController().signal): Promise<'cleaned' | 'nothing' | 'waits'> {
    const chosen = await this.#choose();
    if (chosen === undefined) return 'nothing';
    const { env, log: logger } = this.#options;
    const { log } = chosen.plan;
    const startedMs = env.monotonicMs();
    try {
      const figures = await this.#clean(chosen, signal);
      const milliseconds = env.monotonicMs() - startedMs;
      this.#options.onCleaned?.({ ...figures, milliseconds });
      logger.info('a log was cleaned', {
        partition: log.name,
        cleanedTo: figures.cleanedTo,
        bytes: `${figures.bytesWritten} of ${chosen.plan.segments.reduce((sum, { bytes }) => sum + bytes, 0)}`,
        records: `${figures.recordsKept} of ${figures.recordsRead}`,
        milliseconds: Math.round(milliseconds),
        ...(figures.recordsWithoutKey > 0 && { withoutKey: figures.recordsWithoutKey }),
      });
      return 'cleaned';
    } catch (thrown) {
      await this.#stopThread(); // it may be what failed
      return this.#ended(log, thrown, signal);
    }
  }

  #ended(log: PartitionLog, thrown: unknown, signal: AbortSignal): 'cleaned' | 'waits' {
    const { log: logger } = this.#options;
    if (thrown instanceof InvariantError || (signal.aborted && thrown === signal.reason)) throw thrown;
    if (thrown instanceof CleaningAbandonedError) logger.debug('a cleaning was given up', { why: thrown.message });
    else if (thrown instanceof CommitFailedError) {
      if (isDiskFull(thrown)) logger.warn('a log cannot be cleaned until the disk has room', { partition: log.name, error: thrown });
      // else the dir is offline, and has said so
    } else if (log.refusal === undefined) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#uncleanable.set(log, why);
      logger.error('a log cannot be cleaned, and is left as it is until the broker is started again', {
        partition: log.name,
        error: thrown,
      });
      return 'cleaned'; // as far as it ever will be: others have their turn
    }
    return 'waits';
  }

  async #choose(): Promise<Chosen | undefined> {
    let best: Chosen | undefined;
    this.#maxDirtyRatio = 0;
    const dirs = this.#options.logDirs.map((dir) => dir.forCleaner());
    const open = new Set(dirs.flatMap(({ logs }) => logs));
    for (const log of this.#uncleanable.keys()) if (!open.has(log)) this.#uncleanable.delete(log);
    for (const dir of dirs) {
      for (const log of dir.logs) {
        if (!log.config['cleanup.policy'].includes('compact') || log.refusal !== undefined || this.#uncleanable.has(log)) continue;
        const plan = await this.#plan(dir, log);
        if (plan === undefined) continue;
        this.#maxDirtyRatio = Math.max(this.#maxDirtyRatio, plan.dirtyRatio);
        if (isDue(plan) && (best === undefined || plan.dirtyRatio > best.plan.dirtyRatio)) best = { dir, plan };
      }
    }
    return best;
  }

  async #plan(dir: DirToClean, log: PartitionLog): Promise<CleaningPlan | undefined> {
    try {
      return await planCleaning(dir.around, log, dir.cleanedTo(log));
    } catch (thrown) {
      if (thrown instanceof InvariantError) throw thrown;
      if (log.refusal === undefined) this.#ended(log, thrown, new AbortController().signal);
      return undefined;
    }
  }

  async #clean({ dir, plan }: Chosen, signal: AbortSignal): Promise<CleaningFigures> {
    const config = this.#options.config();
    this.#bytesPaced = 0;
    this.#pacedSinceMs = this.#options.env.monotonicMs();
    return cleanLog(
      {
        dir,
        worker: await this.#worker(),
        maxMapBytes: config['log.cleaner.dedupe.buffer.size'],
        loadFactor: config['log.cleaner.io.buffer.load.factor'],
        pause: (ms) => this.#wait(ms, signal),
        pace: async (bytes, isOver) => {
          signal.throwIfAborted();
          await this.#pace(bytes, isOver, signal);
        },
      },
      plan,
    );
  }

  /** A thread where there are some: what it computes takes seconds. Else the event loop, in turns of its own. */
  async #worker(): Promise<Worker> {
    const { env, log } = this.#options;
    if (this.#thread === undefined && env.threads !== undefined && !this.#noThreads) {
      try {
        this.#thread = await env.threads.start('cleaner');
      } catch (error) {
        this.#noThreads = true;
        log.warn('the cleaner has no thread of its own, and works between requests', { error });
      }
    }
    const thread = this.#thread;
    if (thread !== undefined) {
      return {
        pieceBytes: THREAD_PIECE_BYTES,
        ask: (ask) =>
          thread.ask(ask, 'bytes' in ask ? [ask.bytes.buffer as ArrayBuffer] : []) as Promise<IndexedPiece | FilteredPiece | undefined>,
      };
    }
    const work = new CleanerWork(env.compute);
    return {
      pieceBytes: TURN_PIECE_BYTES,
      ask: async (ask) => {
        await new Promise<void>((resolve) => env.defer(resolve));
        return work.answer(ask);
      },
    };
  }

  async #stopThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.stop();
  }

  /** Waits as long as log.cleaner.io.max.bytes.per.second asks for after so many bytes more. */
  async #pace(bytes: number, isOver: () => boolean, signal: AbortSignal): Promise<void> {
    const mostPerSecond = this.#options.config()['log.cleaner.io.max.bytes.per.second'];
    if (mostPerSecond >= NO_BOUND) return;
    this.#bytesPaced += bytes;
    const dueMs = this.#pacedSinceMs + (this.#bytesPaced / mostPerSecond) * 1000;
    for (;;) {
      const leftMs = dueMs - this.#options.env.monotonicMs();
      if (leftMs < 1 || isOver()) return;
      await this.#wait(Math.min(leftMs, PACE_LOOK_MS), signal);
    }
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const timer = this.#options.env.timer(
        ms,
        () => {
          signal.removeEventListener('abort', aborted);
          resolve();
        },
        { unref: true },
      );
      const aborted = (): void => {
        timer[Symbol.dispose]();
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', aborted, { once: true });
    });
  }
}
