// One partition of a coordinator's topic: a state machine over its log. A step looks at the state and says which records
// follow; they are appended as one batch and applied, and answers leave when what they tell of is durable. Loading is the
// same apply over what the log holds. When the disk refuses, the state is thrown away and loaded again from what is durable.
import type { Env } from '../../base/env.ts';
import { InvariantError } from '../../base/invariant.ts';
import type { Logger } from '../../base/log.ts';
import { check, KafkaError } from '../../protocol/errors.ts';
import { controlRecordTypeOf } from '../../protocol/record-batch-control.ts';
import { buildRecordBatch, decodeRecords } from '../../protocol/record-batch-records.ts';
import { isControl, isTransactional, iterateBatches, lastOffsetOf, NO_PRODUCER_ID, producerIdOf } from '../../protocol/record-batch.ts';
import type { Commit } from '../../storage/commit/commit.ts';
import type { PartitionLog } from '../../storage/log/partition-log.ts';
import { prepareOwn } from '../../storage/log/prepare.ts';

export interface RecordBytes {
  readonly key: Buffer;
  /** Null is a tombstone. */
  readonly value: Buffer | null;
}

export interface RecordOrigin {
  readonly offset: number;
  /** Of the transaction that the record is part of; -1 outside one. */
  readonly producerId: number;
}

/** What the records of a coordinator mean: its state, and how each record changes it. */
export interface Machine<State, Item> {
  start(): State;
  encode(record: Item): RecordBytes;
  /** Undefined for a record type that means nothing here. */
  decode(bytes: RecordBytes): Item | undefined;
  apply(state: State, record: Item, origin: RecordOrigin): void;
  endTransaction(state: State, producerId: number, outcome: 'commit' | 'abort'): void;
  /** The log has been read to its end; steps follow. */
  loaded(state: State): void;
  /** The state is thrown away: whoever it keeps waiting is answered with the error. */
  dropped(state: State, error: KafkaError): void;
}

/** Somebody who waits for what a step has come to, besides the one who asked for the step. */
export interface Answer {
  /** The answer holds whatever a crash takes back (a generation that only JoinGroup knows of): it leaves at once. */
  readonly transient: boolean;
  deliver(): void;
  fail(error: KafkaError): void;
}

export interface Outcome<Item, Reply> {
  readonly records: readonly Item[];
  readonly reply: Reply;
  readonly answers?: readonly Answer[];
  /** As `transient` of an answer. */
  readonly transient?: boolean;
}

/**
 * Whether a step may come to records. `true`: it is not begun when the log takes none. `perhaps`: it is refused when it has come
 * to some; such a step changes nothing by itself.
 */
export type Writes = boolean | 'perhaps';

const READ_BYTES = 1024 * 1024;
const RETRY_LOAD_MS = 5000;

type Life<State> =
  | { readonly kind: 'unloaded'; readonly notBeforeMs: number }
  | { readonly kind: 'loading' }
  | { readonly kind: 'active'; readonly state: State }
  | { readonly kind: 'closed' };

export interface ShardOptions<State, Item> {
  readonly env: Env;
  readonly log: Logger;
  /** For the log of the broker: `__consumer_offsets-7`. */
  readonly name: string;
  readonly machine: Machine<State, Item>;
  /** The partition's log, if it has one already. */
  readonly findLog: () => PartitionLog | undefined;
  /** The same, made when there is none. @throws KafkaError */
  readonly openLog: () => PartitionLog;
  /** Runs work that nobody awaits. */
  readonly inBackground: (name: string, work: () => Promise<void>) => void;
}

export class Shard<State, Item> {
  readonly #options: ShardOptions<State, Item>;
  #life: Life<State> = { kind: 'unloaded', notBeforeMs: -Infinity };
  #loading: Promise<void> | undefined;
  /** By key: the commit of the last records that a step of the key has appended, until it has settled. */
  readonly #uncommitted = new Map<string, Commit>();
  #lastCommit: Commit | undefined;
  #logInUse: PartitionLog | undefined;

  constructor(options: ShardOptions<State, Item>) {
    this.#options = options;
  }

  /** Undefined until it is loaded. For those who only look, and need no promise of durability. */
  get state(): State | undefined {
    return this.#life.kind === 'active' ? this.#life.state : undefined;
  }

  /**
   * Runs the step now; answers once everything appended for the key so far is durable, without a promise where it is already.
   * @throws KafkaError what the step throws; COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR (both retriable)
   */
  execute<Reply>(key: string, step: (state: State) => Outcome<Item, Reply>, options: { writes: Writes }): Reply | Promise<Reply> {
    const state = this.#active();
    if (options.writes === true) this.#checkWritable();
    const outcome = this.#run(state, step);
    if (outcome.records.length > 0) {
      if (options.writes === 'perhaps') this.#checkWritable();
      this.#append(state, key, outcome);
    }
    const commit = this.#uncommitted.get(key);
    for (const answer of outcome.answers ?? []) {
      if (answer.transient || commit === undefined || commit.settled) answer.deliver();
      else this.#afterwards(commit, answer.deliver.bind(answer), answer.fail.bind(answer));
    }
    const { reply } = outcome;
    if (outcome.transient === true || commit === undefined || commit.settled) return reply;
    return new Promise((resolve, reject) => this.#afterwards(commit, () => resolve(reply), reject));
  }

  /** Looks at what is durable of the key, or of all keys when none is given. @throws as `execute` */
  query<Reply>(key: string | undefined, look: (state: State) => Reply): Reply | Promise<Reply> {
    const reply = look(this.#active());
    const commit = key === undefined ? this.#lastCommit : this.#uncommitted.get(key);
    if (commit === undefined || commit.settled) return reply;
    return new Promise((resolve, reject) => this.#afterwards(commit, () => resolve(reply), reject));
  }

  /** Reads the log, if it has not been read. Never rejects: who asks the shard later hears how it went. */
  load(): Promise<void> {
    if (this.#life.kind === 'active' || this.#life.kind === 'closed') return Promise.resolve();
    return (this.#loading ??= this.#load().finally(() => (this.#loading = undefined)));
  }

  /** Whoever waits is answered with the error; the log is not touched. Idempotent. */
  close(error: KafkaError): void {
    this.#drop({ kind: 'closed' }, error);
  }

  // --- below: how

  #active(): State {
    if (this.#life.kind === 'unloaded') this.#startLoading(this.#life.notBeforeMs);
    const life = this.#life;
    if (life.kind === 'active') {
      if (this.#logInUse === undefined || this.#options.findLog() === this.#logInUse) return life.state;
      // The topic was removed: what was known of it is gone.
      this.#drop({ kind: 'unloaded', notBeforeMs: -Infinity }, notCoordinator());
      throw notCoordinator();
    }
    throw life.kind === 'closed' ? notCoordinator() : new KafkaError('COORDINATOR_LOAD_IN_PROGRESS');
  }

  #startLoading(notBeforeMs: number): void {
    const log = this.#options.findLog();
    if (log === undefined || log.highWatermark === log.logStartOffset) {
      this.#activate(this.#options.machine.start(), log);
      return;
    }
    check(this.#options.env.monotonicMs() >= notBeforeMs, 'COORDINATOR_NOT_AVAILABLE', 'the records of this coordinator cannot be read');
    this.#options.inBackground(`load ${this.#options.name}`, () => this.load());
  }

  async #load(): Promise<void> {
    const { env, log: logger, machine, name } = this.#options;
    const startMs = env.monotonicMs();
    this.#life = { kind: 'loading' };
    const log = this.#options.findLog();
    const state = machine.start();
    try {
      const records = log === undefined ? 0 : await this.#replay(log, state);
      if (this.#isClosed()) return;
      this.#activate(state, log);
      if (records > 0) logger.info('loaded a coordinator', { partition: name, records, tookMs: Math.round(env.monotonicMs() - startMs) });
    } catch (thrown) {
      if (thrown instanceof InvariantError) throw thrown;
      logger.error('the records of a coordinator cannot be read; it is tried again when somebody asks', { partition: name, error: thrown });
      if (!this.#isClosed()) this.#life = { kind: 'unloaded', notBeforeMs: env.monotonicMs() + RETRY_LOAD_MS };
    }
  }

  #isClosed(): boolean {
    return this.#life.kind === 'closed';
  }

  #activate(state: State, log: PartitionLog | undefined): void {
    this.#logInUse = log;
    this.#life = { kind: 'active', state };
    this.#options.machine.loaded(state);
  }

  /** Up to the high watermark: behind it nothing is promised, and what failed there is cut off when the log takes records again. */
  async #replay(log: PartitionLog, state: State): Promise<number> {
    const { env, machine } = this.#options;
    let records = 0;
    for (let offset = log.logStartOffset; offset < log.highWatermark && !this.#isClosed();) {
      const read = await log.read(offset, {
        maxBytes: READ_BYTES,
        atLeastOneBatch: true,
        isolation: 'readUncommitted',
        currentLeaderEpoch: -1,
      });
      check(read.bytes > 0, 'KAFKA_STORAGE_ERROR', `nothing can be read at offset ${offset}`);
      for (const buffer of read.buffers) {
        for (const at of iterateBatches(buffer)) {
          const batch = buffer.subarray(at);
          offset = lastOffsetOf(buffer, at) + 1;
          const decoded = await decodeRecords(env.compute, batch, Number.MAX_SAFE_INTEGER);
          const producerId = isTransactional(buffer, at) ? producerIdOf(buffer, at) : NO_PRODUCER_ID;
          for (const { key, value, offset: recordOffset } of decoded) {
            records += 1;
            if (isControl(buffer, at)) {
              const type = controlRecordTypeOf(key);
              if (type === 'COMMIT' || type === 'ABORT') machine.endTransaction(state, producerId, type === 'COMMIT' ? 'commit' : 'abort');
              continue;
            }
            const record = key === null ? undefined : machine.decode({ key, value });
            if (record !== undefined) machine.apply(state, record, { offset: recordOffset, producerId });
          }
        }
      }
      // A million records take seconds; others have their turn in between.
      await new Promise<void>((resume) => env.defer(resume));
    }
    return records;
  }

  #checkWritable(): void {
    const refusal = this.#options.findLog()?.refusal;
    if (refusal !== undefined) throw notCoordinator(refusal);
  }

  #run<Reply>(state: State, step: (state: State) => Outcome<Item, Reply>): Outcome<Item, Reply> {
    try {
      return step(state);
    } catch (thrown) {
      // A step refuses before it changes anything. What else it throws is ours, and may have left the state half changed.
      if (!(thrown instanceof KafkaError)) this.#reset(notCoordinator());
      throw thrown;
    }
  }

  #append(state: State, key: string, { records, answers = [] }: Outcome<Item, unknown>): void {
    const { env, machine } = this.#options;
    try {
      const timestamp = env.wallMs();
      const batch = buildRecordBatch(
        env.compute,
        records.map((record) => ({ timestamp, ...machine.encode(record) })),
      );
      const log = this.#options.openLog();
      const { committed, baseOffset } = log.append(prepareOwn(batch), { origin: 'coordinator', expectedLeaderEpoch: log.leaderEpoch });
      this.#logInUse = log;
      for (const [at, record] of records.entries()) machine.apply(state, record, { offset: baseOffset + at, producerId: NO_PRODUCER_ID });
      this.#noteCommit(key, log, committed);
    } catch (thrown) {
      // The step may have changed what is in no record, and those it answers wait for nothing else any more.
      this.#reset(notCoordinator());
      for (const answer of answers) answer.fail(notCoordinator());
      throw asCoordinatorError(thrown);
    }
  }

  #noteCommit(key: string, log: PartitionLog, commit: Commit): void {
    this.#lastCommit = commit;
    if (this.#uncommitted.get(key) === commit) return;
    this.#uncommitted.set(key, commit);
    const life = this.#life;
    commit.onSettled(() => {
      if (this.#uncommitted.get(key) === commit) this.#uncommitted.delete(key);
      const failure = commit.failureOf(log);
      if (failure === undefined || this.#life !== life) return;
      this.#options.log.warn('a coordinator starts again from what is durable: the disk did not take its records', {
        partition: this.#options.name,
        error: failure,
      });
      this.#reset(notCoordinator(failure.message));
    });
  }

  #afterwards(commit: Commit, deliver: () => void, fail: (error: KafkaError) => void): void {
    const log = this.#logInUse;
    commit.onSettled(() => {
      const failure = log === undefined ? undefined : commit.failureOf(log);
      if (failure === undefined) deliver();
      else fail(notCoordinator(failure.message));
    });
  }

  /** Loaded again at once: what has its time, such as sessions, must not wait until somebody asks. */
  #reset(error: KafkaError): void {
    if (this.#isClosed()) return;
    this.#drop({ kind: 'unloaded', notBeforeMs: -Infinity }, error);
    this.#options.inBackground(`load ${this.#options.name} again`, () => this.load());
  }

  #drop(next: Life<State>, error: KafkaError): void {
    const life = this.#life;
    if (life.kind === 'closed') return;
    this.#life = next;
    this.#uncommitted.clear();
    this.#lastCommit = undefined;
    this.#logInUse = undefined;
    if (life.kind === 'active') this.#options.machine.dropped(life.state, error);
  }
}

const notCoordinator = (why?: string): KafkaError =>
  new KafkaError('NOT_COORDINATOR', why === undefined ? undefined : `the records of this coordinator are not taken: ${why}`);

/** What an append may fail of, in words that clients of coordinators know (CoordinatorOperationExceptionHelper of Kafka). */
function asCoordinatorError(thrown: unknown): unknown {
  if (!(thrown instanceof KafkaError)) return thrown;
  const { errorName, message } = thrown;
  if (errorName === 'NOT_LEADER_OR_FOLLOWER' || errorName === 'KAFKA_STORAGE_ERROR') return new KafkaError('NOT_COORDINATOR', message);
  return errorName === 'UNKNOWN_TOPIC_OR_PARTITION' ? new KafkaError('COORDINATOR_NOT_AVAILABLE', message) : thrown;
}
