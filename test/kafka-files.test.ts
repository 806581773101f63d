// Files that Apache Kafka 4.2.1 wrote (test/golden/kafka-files), held against what we make of the same log. A broker with
// kraft.version 1 ran with index.interval.bytes=100 and segment.ms=10000: an idempotent producer, two transactional ones that
// aborted in turn and committed, a roll at offset 14, a clean restart at 20, two more producers of which one left its
// transaction open, and DeleteRecords up to 3. (quorum-state-0 comes from a broker with static voters.)
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32c as nativeCrc32c } from '@node-rs/crc32';
import { decodeCleanShutdown, encodeCleanShutdown } from '../src/storage/clean-shutdown.ts';
import { decodeOffsetCheckpoint, encodeOffsetCheckpoint } from '../src/storage/log/checkpoints.ts';
import { LeaderEpochs } from '../src/storage/log/leader-epochs.ts';
import { OffsetIndex } from '../src/storage/log/offset-index.ts';
import { decodePartitionMetadata, encodePartitionMetadata } from '../src/storage/log/partition-metadata.ts';
import { decodeProducerSnapshot, encodeProducers } from '../src/storage/log/producer-snapshot.ts';
import { type ProducerBatch, ProducerState, type StoredProducer } from '../src/storage/log/producer-state.ts';
import { TimeIndex } from '../src/storage/log/time-index.ts';
import { TransactionIndex } from '../src/storage/log/transaction-index.ts';
import { decodeMetaProperties } from '../src/storage/meta-properties.ts';
import { decodeQuorumState, encodeQuorumState } from '../src/storage/quorum-state.ts';

const golden = (...path: string[]): Buffer => readFileSync(join(import.meta.dirname, 'golden', 'kafka-files', ...path));
const segmentFile = (baseOffset: number, suffix: string): Buffer => golden('golden-0', `${String(baseOffset).padStart(20, '0')}.${suffix}`);
const crc32c = (bytes: Uint8Array): number => nativeCrc32c(Buffer.from(bytes));

interface LoggedBatch extends ProducerBatch {
  readonly baseOffset: number;
  readonly position: number;
  readonly bytes: number;
}

/** The batches of a segment, by a reader of its own: this test trusts no other code of ours. */
function* batchesOf(log: Buffer): Generator<LoggedBatch> {
  for (let at = 0; at < log.length;) {
    const attributes = log.readInt16BE(at + 21);
    const bytes = 12 + log.readInt32BE(at + 8);
    const isControl = (attributes & 32) !== 0;
    // A marker's record: one byte each for length, attributes and deltas, then a key of 4 bytes (version, type) and a value (version, epoch).
    const record = at + 61;
    yield {
      baseOffset: Number(log.readBigInt64BE(at)),
      position: at,
      bytes,
      lastOffsetDelta: log.readInt32BE(at + 23),
      maxTimestamp: Number(log.readBigInt64BE(at + 35)),
      producerId: Number(log.readBigInt64BE(at + 43)),
      producerEpoch: log.readInt16BE(at + 51),
      baseSequence: log.readInt32BE(at + 53),
      isTransactional: (attributes & 16) !== 0,
      isControl,
      marker: isControl
        ? { outcome: log.readInt16BE(record + 7) === 1 ? 'commit' : 'abort', coordinatorEpoch: log.readInt32BE(record + 12) }
        : undefined,
    };
    at += bytes;
  }
}

const byProducerId = (producers: Iterable<StoredProducer>): StoredProducer[] =>
  [...producers].sort((one, other) => one.producerId - other.producerId);

/** What a snapshot keeps of a producer: its last batch, with the producer's last timestamp. */
const asInSnapshot = (producers: Iterable<StoredProducer>): StoredProducer[] =>
  byProducerId(producers).map((producer) => ({
    ...producer,
    batches: producer.batches.slice(-1).map((batch) => ({ ...batch, maxTimestamp: producer.lastTimestamp, commit: undefined })),
  }));

const readSnapshot = (offset: number): StoredProducer[] =>
  byProducerId(decodeProducerSnapshot(segmentFile(offset, 'snapshot'), `${offset}.snapshot`, crc32c));

test("replaying Kafka's log gives the producer state of its snapshots and its transaction indexes", () => {
  const state = new ProducerState();
  const compared: number[] = [];
  for (const segment of [0, 14]) {
    const aborted = new TransactionIndex(segment);
    for (const batch of batchesOf(segmentFile(segment, 'log'))) {
      if ([14, 20].includes(batch.baseOffset)) {
        assert.deepEqual(asInSnapshot(state.stored()), readSnapshot(batch.baseOffset));
        compared.push(batch.baseOffset);
      }
      // Each was accepted once: our rules must accept it, too.
      assert.equal(state.check(batch, batch.isControl ? 'marker' : 'client', { transactionVersion: 2 }), undefined);
      const completed = state.append(batch, batch.baseOffset);
      if (completed?.isAborted) aborted.append(completed);
    }
    assert.deepEqual(aborted.encode(), segmentFile(segment, 'txnindex'));
  }
  assert.deepEqual(asInSnapshot(state.stored()), readSnapshot(23));
  assert.deepEqual(compared, [14, 20]);
  assert.equal(state.lastStableOffset(23, 3), 22);
});

test('DescribeProducers answers for the replayed log as Kafka answered', () => {
  const state = new ProducerState();
  for (const segment of [0, 14]) for (const batch of batchesOf(segmentFile(segment, 'log'))) state.append(batch, batch.baseOffset);
  assert.deepEqual(
    state.describe().sort((one, other) => one.producerId - other.producerId),
    [
      {
        producerId: 0,
        producerEpoch: 0,
        lastSequence: 10,
        lastTimestamp: 1_795_352_206_102,
        coordinatorEpoch: -1,
        currentTransactionStartOffset: -1,
      },
      {
        producerId: 1,
        producerEpoch: 3,
        lastSequence: -1,
        lastTimestamp: 1_795_352_152_746,
        coordinatorEpoch: 0,
        currentTransactionStartOffset: -1,
      },
      {
        producerId: 2,
        producerEpoch: 1,
        lastSequence: -1,
        lastTimestamp: 1_795_352_152_669,
        coordinatorEpoch: 0,
        currentTransactionStartOffset: -1,
      },
      {
        producerId: 1000,
        producerEpoch: 0,
        lastSequence: 1,
        lastTimestamp: 1_795_352_206_301,
        coordinatorEpoch: -1,
        currentTransactionStartOffset: -1,
      },
      {
        producerId: 1001,
        producerEpoch: 0,
        lastSequence: 0,
        lastTimestamp: 1_795_352_206_400,
        coordinatorEpoch: -1,
        currentTransactionStartOffset: 22,
      },
    ],
  );
});

test("a snapshot of the same producers in the same order is Kafka's, byte for byte", () => {
  for (const offset of [14, 20, 23]) {
    const bytes = segmentFile(offset, 'snapshot');
    assert.deepEqual(encodeProducers(decodeProducerSnapshot(bytes, 'snapshot', crc32c), crc32c).snapshot, bytes);
  }
});

test("indexing Kafka's segment by Kafka's rule gives its indexes, byte for byte", () => {
  const offsets = new OffsetIndex(0);
  const times = new TimeIndex(0);
  let largest = { timestamp: -1, offset: 0 };
  let bytesSinceEntry = 0;
  for (const { baseOffset, lastOffsetDelta, maxTimestamp, position, bytes } of batchesOf(segmentFile(0, 'log'))) {
    if (maxTimestamp > largest.timestamp) largest = { timestamp: maxTimestamp, offset: baseOffset + lastOffsetDelta };
    if (bytesSinceEntry > 100) {
      offsets.append(baseOffset + lastOffsetDelta, position);
      times.maybeAppend(largest.timestamp, largest.offset);
      bytesSinceEntry = 0;
    }
    bytesSinceEntry += bytes;
  }
  times.maybeAppend(largest.timestamp, largest.offset);
  assert.deepEqual(offsets.encode(), segmentFile(0, 'index'));
  assert.deepEqual(times.encode(), segmentFile(0, 'timeindex'));
});

test("Kafka's indexes read, and are written back as they were", () => {
  for (const segment of [0, 14]) {
    for (const [suffix, index] of [
      ['index', OffsetIndex],
      ['timeindex', TimeIndex],
      ['txnindex', TransactionIndex],
    ] as const) {
      const bytes = segmentFile(segment, suffix);
      const read = index.decode(segment, bytes);
      assert.ok(read.count > 0, suffix);
      assert.deepEqual(read.encode(), bytes, suffix);
    }
  }
});

test("Kafka's checkpoints read, and are written back as they were", () => {
  for (const file of ['cleaner', 'log-start', 'recovery-point', 'replication'].map((stem) => `${stem}-offset-checkpoint`))
    assert.deepEqual(encodeOffsetCheckpoint(decodeOffsetCheckpoint(golden(file), file)), golden(file), file);
  assert.deepEqual(decodeOffsetCheckpoint(golden('log-start-offset-checkpoint'), 'x'), new Map([['golden-0', 3]]));
  const epochs = LeaderEpochs.decode(golden('golden-0', 'leader-epoch-checkpoint'));
  assert.deepEqual(epochs.endOffsetFor(0, 23), { epoch: 0, endOffset: 20 });
  assert.deepEqual(epochs.encode(), golden('golden-0', 'leader-epoch-checkpoint'));
});

test("what Kafka's small files say of cluster, node, topic and quorum reads, and is written back as it was", () => {
  assert.deepEqual(decodeMetaProperties(golden('meta.properties')), {
    clusterId: 'AAAAAAAAAAAAAAAAAAAAAg',
    nodeId: 1,
    directoryId: 'r4jgWqfLR0OFdYqWfuliqA',
  });
  const partition = golden('golden-0', 'partition.metadata');
  assert.deepEqual(encodePartitionMetadata(decodePartitionMetadata(partition).topicId), partition);
  assert.deepEqual(encodeCleanShutdown(decodeCleanShutdown(golden('.kafka_cleanshutdown')) ?? -1), golden('.kafka_cleanshutdown'));
  for (const file of ['quorum-state-0', 'quorum-state-1'])
    assert.deepEqual(encodeQuorumState(decodeQuorumState(golden(file))), golden(file));
});
