// Reads a topic as a program in the same process sees it: decoded records over all partitions, merged by timestamp, of
// transactions only what is committed. Reads the logs themselves, without a socket; what may be seen the logs decide.
import type { Env } from '../base/env.ts';
import type { Broker } from '../broker/broker.ts';
import type { TopicImage } from '../broker/image/metadata-image.ts';
import { isControl, isTransactional, iterateBatches, lastOffsetOf, producerIdOf, sizeInBytesOf } from '../protocol/record-batch.ts';
import { decodeRecords } from '../protocol/record-batch-records.ts';
import type { PartitionLog, ReadResult } from '../storage/log/partition-log.ts';
import { DEFAULT_MAX_DECOMPRESSED_BYTES } from '../storage/log/prepare.ts';
import type { ReadOptions, StoredRecord } from './api.ts';
import type { Changes } from './changes.ts';
import { InvalidArgumentError, RequestRefusedError } from './errors.ts';
import { LogRecord } from './record.ts';
import { missingPartition, missingTopic, refusalOf } from './refusal.ts';

/** What reading needs of the broker it reads from. */
export interface Reading {
  readonly broker: Pick<Broker, 'image' | 'partitions'> & { readonly env: Pick<Env, 'compute'> };
  readonly changes: Changes;
  /** Aborts when the broker stops or fails. */
  readonly ended: AbortSignal;
}

/** Decoded and not yet asked for, over all partitions; each of them may hold one batch more. */
const AHEAD_BYTES = 8 * 1024 * 1024;
const LEAST_READ_BYTES = 64 * 1024;

/** How far the reading of one partition has come. */
interface Cursor {
  readonly partition: number;
  next: number;
  /** Exclusive; undefined where reading goes on. */
  readonly until: number | undefined;
  readonly ready: LogRecord[];
}

/** `awaitTopic`: a missing topic is waited for instead of refused, and one that is deleted may come again. */
export async function* readRecords(
  reading: Reading,
  topicName: string,
  options: ReadOptions & { readonly awaitTopic?: boolean },
): AsyncGenerator<StoredRecord, void, void> {
  checkOptions(options);
  const { broker, ended } = reading;
  const over = (): boolean => ended.aborted || options.signal?.aborted === true;
  const cursors: Cursor[] = [];
  let topicId: string | undefined;

  while (!over()) {
    const topic = broker.image.findTopic(topicName);
    if (topic === undefined) {
      if (options.awaitTopic !== true) throw missingTopic(broker.image, topicName);
      await untilNews(reading, [], options.signal);
      continue;
    }
    if (topic.id !== topicId) {
      if (topicId !== undefined && options.awaitTopic !== true) throw missingTopic(broker.image, topicName);
      cursors.length = 0;
      checkPartition(topic, options.partition);
    }
    addCursors(reading, topic, cursors, options, topicId === topic.id);
    topicId = topic.id;

    try {
      const maxBytes = Math.max(LEAST_READ_BYTES, Math.floor(AHEAD_BYTES / cursors.length));
      for (const cursor of cursors) if (cursor.ready.length === 0) await fill(reading, topic, cursor, maxBytes);
    } catch (thrown) {
      // The topic may have gone while its files were read; the next round sees that.
      if (broker.image.findTopicById(topic.id) !== undefined) throw refusalOf(thrown, broker.image, topicName);
      continue;
    }
    const earliest = earliestOf(cursors);
    const record = earliest?.ready.shift();
    if (record !== undefined) {
      yield record;
      continue;
    }
    if (options.follow !== true) return;
    await untilNews(
      reading,
      cursors.map(({ partition, next }) => ({ log: broker.partitions.ledHere(topic, partition), next })),
      options.signal,
    );
  }
}

function checkOptions({ from, follow, partition }: ReadOptions): void {
  if (from === 'end' && follow !== true)
    throw new InvalidArgumentError(
      'nothing lies behind the end of a topic',
      'To read what comes from now on: { from: "end", follow: true }.',
    );
  if (typeof from === 'number' && partition === undefined)
    throw new InvalidArgumentError('an offset is one of a partition', 'Say which: { partition: 0, from: 10 }.');
}

function checkPartition(topic: TopicImage, partition: number | undefined): void {
  if (partition !== undefined && topic.partitions[partition] === undefined) throw missingPartition(topic, partition);
}

/** For each partition that has none yet. Partitions that are `added` later are read whole: all of theirs is news. */
function addCursors({ broker }: Reading, topic: TopicImage, cursors: Cursor[], options: ReadOptions, added: boolean): void {
  if (options.partition !== undefined ? cursors.length > 0 : cursors.length === topic.partitions.length) return;
  const wanted = options.partition === undefined ? topic.partitions.map(({ index }) => index) : [options.partition];
  for (const partition of wanted.slice(cursors.length)) {
    const log = broker.partitions.ledHere(topic, partition);
    const until = options.follow === true ? undefined : log.lastStableOffset;
    cursors.push({ partition, next: firstOffset(log, options.from, added), until, ready: [] });
  }
}

function firstOffset(log: PartitionLog, from: ReadOptions['from'], added: boolean): number {
  if (typeof from !== 'number') return from === 'end' && !added ? log.lastStableOffset : log.logStartOffset;
  const { name, logStartOffset, highWatermark } = log;
  if (from >= logStartOffset && from <= highWatermark) return from;
  throw new RequestRefusedError('OFFSET_OUT_OF_RANGE', `offset ${from} is outside ${logStartOffset}..${highWatermark} of ${name}`);
}

/** Reads on until the partition has a record ready, or there is nothing more. */
async function fill({ broker }: Reading, topic: TopicImage, cursor: Cursor, maxBytes: number): Promise<void> {
  const log = broker.partitions.ledHere(topic, cursor.partition);
  while (cursor.ready.length === 0 && cursor.next < (cursor.until ?? Infinity)) {
    // Retention may have taken what was not read yet.
    cursor.next = Math.max(cursor.next, log.logStartOffset);
    if (cursor.next >= (cursor.until ?? Infinity)) return;
    const reading = log.read(cursor.next, { maxBytes, atLeastOneBatch: true, isolation: 'readCommitted', currentLeaderEpoch: -1 });
    const result = reading instanceof Promise ? await reading : reading;
    if (result.bytes === 0) return;
    for (const buffer of result.buffers) await take(broker.env, topic.name, cursor, buffer, result);
  }
}

async function take(env: Pick<Env, 'compute'>, topic: string, cursor: Cursor, buffer: Buffer, result: ReadResult): Promise<void> {
  for (const at of iterateBatches(buffer)) {
    const batch = buffer.subarray(at, at + sizeInBytesOf(buffer, at));
    const lastOffset = lastOffsetOf(batch, 0);
    if (!isControl(batch, 0) && !isAborted(batch, lastOffset, result)) {
      for (const record of await decodeRecords(env.compute, batch, DEFAULT_MAX_DECOMPRESSED_BYTES)) {
        // A batch may begin before what was asked for, and end behind it.
        if (record.offset >= cursor.next && record.offset < (cursor.until ?? Infinity))
          cursor.ready.push(new LogRecord(topic, cursor.partition, record));
      }
    }
    cursor.next = Math.max(cursor.next, lastOffset + 1);
  }
}

function isAborted(batch: Buffer, lastOffset: number, { abortedTransactions }: ReadResult): boolean {
  if (abortedTransactions === null || !isTransactional(batch, 0)) return false;
  const producerId = producerIdOf(batch, 0);
  return abortedTransactions.some(
    (aborted) => aborted.producerId === producerId && aborted.firstOffset <= lastOffset && lastOffset <= aborted.lastOffset,
  );
}

/** The one with the oldest record in front; of several, that of the lowest partition. */
function earliestOf(cursors: readonly Cursor[]): Cursor | undefined {
  let earliest: Cursor | undefined;
  for (const cursor of cursors) {
    const first = cursor.ready[0];
    if (first !== undefined && first.timestamp < (earliest?.ready[0]?.timestamp ?? Infinity)) earliest = cursor;
  }
  return earliest;
}

/** Resolves when a log has more than was read of it, when the metadata changes, when the broker ends or `signal` aborts. */
function untilNews(
  { changes, ended }: Reading,
  read: readonly { readonly log: PartitionLog; readonly next: number }[],
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const wake = (): void => {
      for (const stop of stops) stop();
      ended.removeEventListener('abort', wake);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    ended.addEventListener('abort', wake);
    signal?.addEventListener('abort', wake);
    stops.push(changes.on(wake), ...read.map(({ log }) => log.onAdvance(wake)));
    // What came while other partitions were read told nobody.
    if (ended.aborted || signal?.aborted === true || read.some(({ log, next }) => log.lastStableOffset > next)) wake();
  });
}
