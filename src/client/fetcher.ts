// Reads partitions from given offsets on, by assignment, without a group: one Fetch under way at each leader that is
// needed, the next one asked for while the last one is read. Control batches, and what a read_committed reader must not
// see, are left out; gaps in the offsets are normal.
import type { Compute } from '../base/env.ts';
import { NONE } from '../protocol/errors.ts';
import { fetchRequest, fetchResponse, type FetchResponse } from '../protocol/messages/fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import {
  checkCrc,
  isControl,
  isTransactional,
  iterateBatches,
  lastOffsetOf,
  producerIdOf,
  sizeInBytesOf,
  timestampTypeOf,
  type TimestampType,
} from '../protocol/record-batch.ts';
import { controlRecordTypeOf } from '../protocol/record-batch-control.ts';
import { decodeRecords, iterateRecords, type KafkaRecord } from '../protocol/record-batch-records.ts';
import { kafkaErrorOf } from './broker-link.ts';
import { RequestTimeoutError } from './client-errors.ts';
import type { Cluster } from './cluster.ts';
import { listOffsets, partitionKey, type Isolation, type TopicPartition } from './list-offsets.ts';
import { backoffMs, isRetriable, pause } from './waiting.ts';

export interface Assignment extends TopicPartition {
  /** The first offset to read. */
  readonly from: number;
  /** Where to stop, exclusive; without end when left out. */
  readonly until?: number;
}

export interface FetchOptions {
  readonly cluster: Cluster;
  readonly compute: Compute;
  readonly assignments: readonly Assignment[];
  readonly isolation?: Isolation;
  /** How long a broker may hold a request that finds nothing. */
  readonly maxWaitMs?: number;
  /** Everything before `next` has been dealt with: its records were taken, and the next ones are asked for, or it had none. */
  readonly onRead?: (partition: TopicPartition, next: number) => void;
  /** The offset to read next is not there any more, or not yet again: reading goes on at `to`. */
  readonly onJump?: (jump: TopicPartition & { readonly from: number; readonly to: number }) => void;
}

/** Records of one batch of one partition, never none, in order. */
export interface FetchedRecords extends TopicPartition {
  readonly timestampType: TimestampType;
  readonly records: readonly KafkaRecord[];
}

/** Where one partition is read next. */
interface Position extends TopicPartition {
  next: number;
  readonly until: number;
  /** Of the last attempts in a row that failed, and since when. */
  failed: number;
  failedSinceMs: number;
}

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** A request and what became of it. */
interface Round {
  readonly leader: number;
  readonly asked: ReadonlyMap<string, { readonly position: Position; readonly from: number }>;
  readonly answer: FetchResponse | undefined;
  readonly failure: unknown;
}

/** A partition's bytes, with the offset that was asked for. */
interface Load {
  readonly position: Position;
  readonly from: number;
  readonly answer: PartitionAnswer;
}

const fetch = { request: fetchRequest, response: fetchResponse };
const MAX_WAIT_MS = 500;
const MAX_BYTES = 32 * 1024 * 1024;
const PARTITION_MAX_BYTES = 4 * 1024 * 1024;
/** Of one batch, decompressed. */
const MOST_RECORDS_BYTES = 1024 * 1024 * 1024;
const LAST_VERSION_WITH_NAMES = 12;
const NO_SESSION = { sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [] };

/**
 * Batch by batch as they arrive, each partition in order. Ends when every partition has reached its `until`; returning from
 * it ends it too, once the requests under way are answered or the cluster is closed.
 * @throws KafkaError for what cannot pass; UnreachableError; what fails for a passing reason only after the cluster's timeout
 */
export async function* fetchRecords(options: FetchOptions): AsyncGenerator<FetchedRecords, void, void> {
  const { cluster } = options;
  const positions = options.assignments.map((assignment): Position => ({
    topic: assignment.topic,
    partition: assignment.partition,
    next: assignment.from,
    until: assignment.until ?? Infinity,
    failed: 0,
    failedSinceMs: 0,
  }));
  const underWay = new Map<number, Promise<Round>>();
  for (;;) {
    const leaderless = await startRounds(options, positions, underWay);
    if (underWay.size === 0 && leaderless.length === 0) return;
    const round = underWay.size === 0 ? undefined : await Promise.race(underWay.values());
    const { loads, failed } = round === undefined ? nothing : await takeAnswer(options, round);
    if (round !== undefined) underWay.delete(round.leader);
    // Positions have moved on: the next request travels while these records are read.
    if (failed.length === 0) await startRounds(options, positions, underWay);
    for (const load of loads) yield* recordsOf(options, load);
    await recover(cluster, [...failed, ...leaderless]);
  }
}

const nothing: { readonly loads: Load[]; readonly failed: Position[] } = { loads: [], failed: [] };

/** Asks every leader that leads unfinished partitions and is not being asked already; returns the partitions that have none. */
async function startRounds(
  options: FetchOptions,
  positions: readonly Position[],
  underWay: Map<number, Promise<Round>>,
): Promise<Position[]> {
  const byLeader = new Map<number, Position[]>();
  const leaderless: Position[] = [];
  for (const position of positions) {
    if (position.next >= position.until) continue;
    try {
      const leader = await options.cluster.leaderIdOf(position.topic, position.partition);
      byLeader.set(leader, [...(byLeader.get(leader) ?? []), position]);
    } catch (thrown) {
      noteFailure(options.cluster, position, thrown);
      leaderless.push(position);
    }
  }
  for (const [leader, asked] of byLeader) if (!underWay.has(leader)) underWay.set(leader, askLeader(options, leader, asked));
  return leaderless;
}

/** Never rejects: what goes wrong is part of the round. */
async function askLeader(options: FetchOptions, leader: number, positions: readonly Position[]): Promise<Round> {
  const { cluster, isolation = 'read_uncommitted', maxWaitMs = MAX_WAIT_MS } = options;
  const asked = new Map(positions.map((position) => [partitionKey(position), { position, from: position.next }]));
  try {
    const topics = await Promise.all(
      [...Map.groupBy(positions, ({ topic }) => topic)].map(async ([topic, partitions]) => ({
        topic,
        topicId: (await cluster.topic(topic)).id,
        partitions: partitions.map(({ partition, next }) => ({
          partition,
          fetchOffset: next,
          partitionMaxBytes: PARTITION_MAX_BYTES,
          replicaDirectoryId: ZERO_UUID,
        })),
      })),
    );
    const link = await cluster.link(leader);
    const haveIds = topics.every(({ topicId }) => topicId !== undefined);
    const answer = await link.request(
      fetch,
      {
        maxWaitMs,
        minBytes: 1,
        maxBytes: MAX_BYTES,
        replicaState: {},
        isolationLevel: isolation === 'read_committed' ? 1 : 0,
        topics: topics.map((topic) => ({ ...topic, topicId: topic.topicId ?? ZERO_UUID })),
        ...NO_SESSION,
      },
      { waitMs: maxWaitMs, ...(!haveIds && { mostVersion: LAST_VERSION_WITH_NAMES }) },
    );
    if (answer.errorCode !== NONE) throw kafkaErrorOf(answer.errorCode, null);
    return { leader, asked, answer, failure: undefined };
  } catch (thrown) {
    return { leader, asked, answer: undefined, failure: thrown };
  }
}

/** Moves every position that was asked for past what came, or finds out why nothing came. */
async function takeAnswer(options: FetchOptions, { asked, answer, failure }: Round): Promise<{ loads: Load[]; failed: Position[] }> {
  const { cluster } = options;
  const loads: Load[] = [];
  const failed: Position[] = [];
  if (answer === undefined) {
    for (const { position } of asked.values()) {
      noteFailure(cluster, position, failure);
      failed.push(position);
    }
    return { loads, failed };
  }
  const names = await namesOf(cluster, asked);
  for (const { topic, topicId, partitions } of answer.responses) {
    for (const partition of partitions) {
      const found = findAsked(asked, { topic, topicId, partition: partition.partitionIndex }, names);
      if (found === undefined) continue;
      const { position, from } = found;
      if (partition.errorCode === NONE) {
        position.failed = 0;
        position.next = endOf(partition.records, from);
        loads.push({ position, from, answer: partition });
        continue;
      }
      const error = kafkaErrorOf(partition.errorCode, null);
      if (error.errorName === 'OFFSET_OUT_OF_RANGE') await jump(options, position);
      else {
        noteFailure(cluster, position, error);
        failed.push(position);
      }
    }
  }
  return { loads, failed };
}

/** Topic names by id, for answers that carry ids. */
async function namesOf(cluster: Cluster, asked: Round['asked']): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const { position } of asked.values()) {
    const { id, name } = await cluster.topic(position.topic);
    if (id !== undefined) names.set(id, name);
  }
  return names;
}

function findAsked(asked: Round['asked'], told: TopicPartition & { topicId: string }, names: ReadonlyMap<string, string>) {
  const topic = told.topicId === ZERO_UUID ? told.topic : (names.get(told.topicId) ?? told.topic);
  return asked.get(partitionKey({ topic, partition: told.partition }));
}

/** The offset behind the last whole batch, or `from` when there is none. */
function endOf(records: Buffer | null, from: number): number {
  let end = from;
  if (records !== null) for (const at of iterateBatches(records)) end = Math.max(end, lastOffsetOf(records, at) + 1);
  return end;
}

/** Records were deleted behind our back, or the log was cut: goes on at the nearest offset that there is. */
async function jump({ cluster, onJump, isolation }: FetchOptions, position: Position): Promise<void> {
  const { topic, partition, next: from } = position;
  const key = partitionKey(position);
  const earliest = (await listOffsets(cluster, [{ topic, partition, at: 'earliest' }], isolation)).get(key) ?? 0;
  const latest = (await listOffsets(cluster, [{ topic, partition, at: 'latest' }], isolation)).get(key) ?? 0;
  position.next = Math.min(Math.max(from, earliest), latest);
  onJump?.({ topic, partition, from, to: position.next });
}

/** @throws the failure when it will not pass, or has not passed in time */
function noteFailure({ env, timeoutMs }: Cluster, position: Position, thrown: unknown): void {
  if (position.failed === 0) position.failedSinceMs = env.monotonicMs();
  position.failed += 1;
  const passes = isRetriable(thrown) || thrown instanceof RequestTimeoutError;
  if (!passes || env.monotonicMs() - position.failedSinceMs > timeoutMs) throw thrown;
}

/** Waits a little and looks at the metadata again; whether that helped, the next attempt says. */
async function recover(cluster: Cluster, failed: readonly Position[]): Promise<void> {
  if (failed.length === 0) return;
  await pause(cluster.env, backoffMs(cluster.env, Math.max(...failed.map((position) => position.failed))));
  await cluster.metadata([...new Set(failed.map(({ topic }) => topic))]).catch(() => undefined);
}

async function* recordsOf(
  { compute, isolation, onRead }: FetchOptions,
  { position, from, answer }: Load,
): AsyncGenerator<FetchedRecords, void, void> {
  const { records: bytes, abortedTransactions } = answer;
  if (bytes === null) return;
  const aborted = isolation === 'read_committed' ? new AbortedProducers(abortedTransactions ?? []) : undefined;
  const { topic, partition, until } = position;
  for (const at of iterateBatches(bytes)) {
    const batch = bytes.subarray(at, at + sizeInBytesOf(bytes, at));
    checkCrc(compute, batch, 0);
    const hidden = aborted?.hides(batch) === true || isControl(batch, 0);
    const records = hidden ? [] : await decodeRecords(compute, batch, MOST_RECORDS_BYTES);
    const wanted = records.filter(({ offset }) => offset >= from && offset < until);
    if (wanted.length > 0) yield { topic, partition, timestampType: timestampTypeOf(batch, 0), records: wanted };
    onRead?.({ topic, partition }, Math.min(lastOffsetOf(batch, 0) + 1, until));
  }
}

/** Which producers' transactional batches are to be left out, batch after batch (as Kafka's consumer does, KIP-98). */
class AbortedProducers {
  /** By first offset, the smallest last. */
  readonly #begins: { readonly producerId: number; readonly firstOffset: number }[];
  readonly #open = new Set<number>();

  constructor(transactions: NonNullable<PartitionAnswer['abortedTransactions']>) {
    this.#begins = transactions.toSorted((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Batches must come in the order of the log. */
  hides(batch: Buffer): boolean {
    const last = lastOffsetOf(batch, 0);
    for (let next = this.#begins.at(-1); next !== undefined && next.firstOffset <= last; next = this.#begins.at(-1)) {
      this.#open.add(next.producerId);
      this.#begins.pop();
    }
    if (!isTransactional(batch, 0)) return false;
    const producerId = producerIdOf(batch, 0);
    if (!isControl(batch, 0)) return this.#open.has(producerId);
    const [marker] = iterateRecords(batch);
    if (marker !== undefined && controlRecordTypeOf(marker.key) === 'ABORT') this.#open.delete(producerId);
    return true;
  }
}
