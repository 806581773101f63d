// Reads topics as a member of a group: what the group gives it, from where the group has read to, until the group decides
// anew. Commits what has been dealt with: every so often, before partitions are given up, and at the end. Heartbeats go on
// by themselves, however long the caller takes over a record.
import type { Compute } from '../base/env.ts';
import { KafkaError } from '../protocol/errors.ts';
import { commitThrough, fetchCommitted } from './committed-offsets.ts';
import { linkToCoordinator } from './coordinators.ts';
import { fetchRecords, type Assignment, type FetchedRecords, type FetchOptions } from './fetcher.ts';
import type { Membership, MembershipOptions } from './group-membership.ts';
import { listOffsets, partitionKey, type Isolation, type TopicPartition } from './list-offsets.ts';
import { isRetriable, pause, retrying } from './waiting.ts';

export interface GroupConsumerOptions extends Pick<MembershipOptions, 'cluster' | 'groupId'> {
  readonly compute: Compute;
  readonly membership: Membership;
  readonly isolation?: Isolation;
  /** Where to begin where the group has committed nothing. */
  readonly begin: 'earliest' | 'latest';
  /** Ends once everything is read that was there when the partitions were given to it. */
  readonly stopAtEnd?: boolean;
  readonly commitIntervalMs?: number;
  readonly onJump?: FetchOptions['onJump'];
  /** The group has given it these to read. */
  readonly onShare?: (partitions: readonly TopicPartition[]) => void;
  /** What it had read may be read again by another: the group had gone on without it. */
  readonly onLost?: (error: KafkaError) => void;
}

const COMMIT_INTERVAL_MS = 5000;

/** What ends the reading of a share. */
interface Over {
  readonly done: Promise<'over'>;
  readonly tell: () => void;
  told: boolean;
}

export class GroupConsumer {
  readonly #options: GroupConsumerOptions;
  /** By `partitionKey`: the next offset to read, and whether the group has been told. */
  readonly #positions = new Map<string, TopicPartition & { next: number; committed: boolean }>();
  readonly #closing = newOver();
  readonly #timers = new Set<Disposable>();
  #share: Over | undefined;
  #failure: Error | undefined;
  #committing: Promise<void> = Promise.resolve();

  constructor(options: GroupConsumerOptions) {
    this.#options = options;
  }

  /**
   * Batch by batch. A batch counts as dealt with when the next one is asked for. Ends with `stop`, and with `stopAtEnd`.
   * @throws KafkaError and what a link throws, for what will not pass
   */
  async *records(): AsyncGenerator<FetchedRecords, void, void> {
    const { membership, onShare } = this.#options;
    while (!this.#closing.told) {
      const share = await Promise.race([membership.join(), this.#closing.done]);
      if (share === 'over') return;
      onShare?.(share);
      const over = this.#beginShare();
      try {
        const assignments = await this.#places(share);
        const finished = yield* this.#read(assignments, over);
        if (this.#failure !== undefined) throw this.#failure;
        if (finished) return;
      } finally {
        this.#endShare();
      }
      if (this.#closing.told) return;
      await this.#commitOrLose();
      this.#positions.clear(); // the next share may be another
    }
  }

  /** For a caller that breaks off within a batch: everything before this offset has been dealt with. */
  processed({ topic, partition }: TopicPartition, next: number): void {
    this.#positions.set(partitionKey({ topic, partition }), { topic, partition, next, committed: false });
  }

  /** `records` ends, at the latest with the next batch. */
  stop(): void {
    this.#closing.tell();
  }

  /** Commits and leaves the group. @throws what keeps it from committing; it has left by then */
  async close(): Promise<void> {
    this.stop();
    this.#endShare();
    try {
      await this.#commitOrLose();
    } finally {
      await this.#options.membership.leave();
    }
  }

  /** Heartbeats and commits run until the share is put down, also while the caller takes its time over the last batch of it. */
  #beginShare(): Over {
    const { membership, commitIntervalMs = COMMIT_INTERVAL_MS } = this.#options;
    const over = newOver();
    this.#share = over;
    this.#every(
      () => membership.heartbeatIntervalMs,
      over,
      async () => {
        if (!(await membership.heartbeat())) over.tell();
      },
    );
    this.#every(
      () => commitIntervalMs,
      over,
      () => this.#commitOrLose(),
    );
    return over;
  }

  #every(intervalMs: () => number, share: Over, work: () => Promise<void>): void {
    let timer: Disposable | undefined;
    const run = async (): Promise<void> => {
      if (timer !== undefined) this.#timers.delete(timer);
      try {
        await work();
      } catch (thrown) {
        this.#failure ??= thrown instanceof Error ? thrown : new Error(String(thrown));
        share.tell();
        return;
      }
      again();
    };
    const again = (): void => {
      if (this.#share !== share) return;
      timer = this.#options.cluster.env.timer(intervalMs(), () => void run());
      this.#timers.add(timer);
    };
    again();
  }

  #endShare(): void {
    this.#share = undefined;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  /** Where reading begins in each partition, and where it ends. */
  async #places(share: readonly TopicPartition[]): Promise<Assignment[]> {
    const { cluster, groupId, begin, isolation, stopAtEnd } = this.#options;
    if (share.length === 0) return [];
    const committed = (await fetchCommitted(cluster, [groupId], { requireStable: true })).get(groupId) ?? [];
    if (committed instanceof KafkaError) throw committed;
    const offsets = new Map(committed.map((one) => [partitionKey(one), one.offset]));
    const unknown = share.filter((one) => !offsets.has(partitionKey(one)));
    const begins =
      unknown.length === 0
        ? new Map()
        : await listOffsets(
            cluster,
            unknown.map((one) => ({ ...one, at: begin })),
            isolation,
          );
    const ends =
      stopAtEnd === true
        ? await listOffsets(
            cluster,
            share.map((one) => ({ ...one, at: 'latest' })),
            isolation,
          )
        : undefined;
    return share.map(({ topic, partition }) => {
      const key = partitionKey({ topic, partition });
      const from = offsets.get(key) ?? (begins.get(key) as number | undefined) ?? 0;
      const until = ends?.get(key);
      // Where it begins is committed too, so that a member that reads nothing yet begins there again.
      if (!offsets.has(key)) this.processed({ topic, partition }, from);
      return { topic, partition, from, ...(ends !== undefined && { until: until ?? from }) };
    });
  }

  /** True when everything there was has been read; false when the share is over. */
  async *#read(assignments: readonly Assignment[], over: Over): AsyncGenerator<FetchedRecords, boolean, void> {
    const ended = Promise.race([over.done, this.#closing.done]);
    if (assignments.length > 0 && !(yield* this.#readAll(assignments, ended))) return false;
    const { cluster, membership, stopAtEnd } = this.#options;
    if (stopAtEnd !== true) {
      await ended;
      return false;
    }
    for (;;) {
      if (await membership.isSettled()) return true;
      // More may come with a heartbeat, and is then part of the next share.
      const told = await Promise.race([ended, pause(cluster.env, membership.heartbeatIntervalMs)]);
      if (told === 'over') return false;
    }
  }

  /** True when each partition has reached its end, false when the share is over. */
  async *#readAll(assignments: readonly Assignment[], ended: Promise<'over'>): AsyncGenerator<FetchedRecords, boolean, void> {
    const { cluster, compute, isolation, onJump } = this.#options;
    const batches = fetchRecords({
      cluster,
      compute,
      assignments,
      ...(isolation && { isolation }),
      ...(onJump && { onJump }),
      onRead: (one, next) => this.processed(one, next),
    });
    for (;;) {
      const next = batches.next();
      const told = await Promise.race([ended, next]);
      if (told === 'over') {
        next.catch(() => undefined); // what comes now is another's to read
        return false;
      }
      if (told.done === true) return true;
      yield told.value;
    }
  }

  /** One commit at a time: a later one must not be overtaken by an earlier one. */
  #commitOrLose(): Promise<void> {
    const commit = this.#committing.then(() => this.#commit());
    this.#committing = commit.catch(() => undefined);
    return commit;
  }

  async #commit(): Promise<void> {
    const { cluster, groupId, membership, onLost } = this.#options;
    const due = [...this.#positions.values()].filter(({ committed }) => !committed);
    if (due.length === 0) return;
    const offsets = due.map(({ topic, partition, next }) => ({ topic, partition, offset: next }));
    // A newer epoch (KIP-848) is told with the next heartbeat.
    const mayRetry = (thrown: unknown): boolean =>
      isRetriable(thrown) || (thrown instanceof KafkaError && thrown.errorName === 'STALE_MEMBER_EPOCH');
    const lost = await retrying(cluster.env, { withinMs: cluster.timeoutMs, mayRetry }, async () => {
      const { committer } = membership;
      if (committer === undefined) return new KafkaError('UNKNOWN_MEMBER_ID');
      const link = await linkToCoordinator(cluster, groupId, 'group member');
      const outcomes = await commitThrough(link, groupId, offsets, committer);
      const errors = [...outcomes.values()].filter((error) => error !== undefined);
      const passing = errors.find(mayRetry);
      if (passing !== undefined) throw passing;
      return errors[0];
    });
    if (lost === undefined) for (const [at, position] of due.entries()) position.committed = position.next === offsets[at]?.offset;
    else if (membershipEnded.has(lost.errorName)) onLost?.(lost);
    else throw lost;
  }
}

/** The group went on without it: its heartbeat hears of that too. */
const membershipEnded: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'FENCED_MEMBER_EPOCH',
  'STALE_MEMBER_EPOCH',
]);

function newOver(): Over {
  const { promise, resolve } = Promise.withResolvers<'over'>();
  const over: Over = {
    done: promise,
    told: false,
    tell: () => {
      over.told = true;
      resolve('over');
    },
  };
  return over;
}
