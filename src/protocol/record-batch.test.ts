import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compute } from '../base/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { KafkaError } from './errors.ts';
import { buildEndTransactionMarker, controlRecordTypeOf, coordinatorEpochOf } from './record-batch-control.ts';
import { buildCompressedRecordBatch, buildRecordBatch, decodeRecords, iterateRecords, type KafkaRecord } from './record-batch-records.ts';
import {
  checkCrc,
  incrementSequence,
  iterateBatches,
  lastSequenceOf,
  readRecordBatchHeader,
  stampBatch,
  stampTimestamp,
} from './record-batch.ts';
import { javaBatch, javaRecords } from './record-batch.testing.ts';

const compute: Compute = makeCompute();
const MiB = 1024 * 1024;

const corrupt = { errorName: 'CORRUPT_MESSAGE' };
const readable = (record: KafkaRecord) => ({
  timestamp: record.timestamp,
  key: record.key === null ? null : record.key.toString(),
  value: record.value === null ? null : record.value.toString(),
  headers: record.headers.map(({ key, value }) => ({ key, value: value === null ? null : value.toString() })),
});
const bytesOf = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
const toWrite = javaRecords.map((record) => ({
  timestamp: record.timestamp,
  key: bytesOf(record.key),
  value: bytesOf(record.value),
  headers: record.headers.map(({ key, value }) => ({ key, value: bytesOf(value) })),
}));

test('batches of the Java client in every codec read as the records they were made of', async () => {
  for (const name of ['none', 'gzip', 'snappy', 'lz4', 'lz4 level 12', 'zstd', 'transactional'] as const) {
    const batch = javaBatch(name);
    checkCrc(compute, batch, 0);
    const records = await decodeRecords(compute, batch, MiB);
    assert.deepEqual(records.map(readable), javaRecords, name);
    assert.deepEqual(
      records.map(({ offset }) => offset),
      [0, 1, 2, 3],
    );
  }
});

test('an uncompressed batch is built byte for byte as the Java client builds it', () => {
  assert.deepEqual(buildRecordBatch(compute, toWrite), javaBatch('none'));
  const transactional = { producerId: 4001, producerEpoch: 3, baseSequence: 2_147_483_646, isTransactional: true };
  assert.deepEqual(buildRecordBatch(compute, toWrite, transactional), javaBatch('transactional'));
  assert.deepEqual(buildRecordBatch(compute, toWrite, { logAppendTimeMs: 1_700_000_001_234 }), javaBatch('log append time'));
});

test('with LogAppendTime every record has the time of its batch', () => {
  const timestamps = [...iterateRecords(javaBatch('log append time'))].map(({ timestamp }) => timestamp);
  assert.deepEqual(timestamps, Array(4).fill(1_700_000_001_234));
});

test('the header of a batch that the cleaner has emptied reads as the Java broker wrote it', () => {
  const { crc: _, ...header } = readRecordBatchHeader(javaBatch('emptied'), 0);
  assert.deepEqual(header, {
    baseOffset: 100,
    lastOffset: 104,
    sizeInBytes: 61,
    partitionLeaderEpoch: 7,
    magic: 2,
    attributes: 0,
    codec: 'none',
    timestampType: 'CreateTime',
    isTransactional: false,
    isControl: false,
    deleteHorizonMs: undefined,
    lastOffsetDelta: 4,
    baseTimestamp: -1,
    maxTimestamp: 1_700_000_000_005,
    producerId: 4001,
    producerEpoch: 3,
    baseSequence: 10,
    lastSequence: 14,
    recordCount: 0,
  });
  const rebuilt = buildRecordBatch(compute, [], {
    baseOffset: 100,
    partitionLeaderEpoch: 7,
    producerId: 4001,
    producerEpoch: 3,
    baseSequence: 10,
    lastOffsetDelta: 4,
    maxTimestamp: 1_700_000_000_005,
  });
  assert.deepEqual(rebuilt, javaBatch('emptied'));
});

test('an end-of-transaction marker is the one the Java broker writes', () => {
  const marker = buildEndTransactionMarker(compute, 'COMMIT', {
    producerId: 4001,
    producerEpoch: 3,
    coordinatorEpoch: 9,
    timestamp: 1_700_000_000_000,
  });
  stampBatch(marker, 0, 77, 5);
  assert.deepEqual(marker, javaBatch('marker'));
  const [record] = [...iterateRecords(marker)];
  assert.equal(controlRecordTypeOf(record!.key), 'COMMIT');
  assert.equal(coordinatorEpochOf(record!.value), 9);
});

test('base offset and leader epoch are stamped without touching the CRC', () => {
  const batch = javaBatch('snappy');
  stampBatch(batch, 0, 2 ** 40 + 3, 12);
  checkCrc(compute, batch, 0);
  const { baseOffset, lastOffset, partitionLeaderEpoch } = readRecordBatchHeader(batch, 0);
  assert.deepEqual([baseOffset, lastOffset, partitionLeaderEpoch], [2 ** 40 + 3, 2 ** 40 + 6, 12]);
});

test('stamping the time of append gives the batch a new CRC, type and max timestamp', () => {
  const batch = javaBatch('none');
  stampTimestamp(compute, batch, 0, 'LogAppendTime', 1_700_000_001_234);
  assert.deepEqual(batch, javaBatch('log append time'));
});

test('sequences wrap from 2^31 - 1 to 0, also inside a batch', () => {
  assert.equal(lastSequenceOf(javaBatch('transactional'), 0), 1);
  assert.equal(incrementSequence(2_147_483_647, 1), 0);
  assert.equal(lastSequenceOf(javaBatch('none'), 0), -1);
});

test('offsets and timestamps beyond 2^53 are clamped, not rounded', () => {
  const batch = javaBatch('none');
  batch.writeBigInt64BE(2n ** 63n - 1n, 0);
  batch.writeBigInt64BE(-(2n ** 63n), 27);
  const { baseOffset, baseTimestamp } = readRecordBatchHeader(batch, 0);
  assert.deepEqual([baseOffset, baseTimestamp], [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]);
});

test('batches lie one after the other; one that the end cuts off is left out', () => {
  const whole = Buffer.concat([javaBatch('none'), javaBatch('marker'), javaBatch('gzip')]);
  const ends = [0, javaBatch('none').length, javaBatch('none').length + javaBatch('marker').length];
  assert.deepEqual([...iterateBatches(whole)], ends);
  assert.deepEqual([...iterateBatches(whole.subarray(0, whole.length - 1))], ends.slice(0, 2));
  assert.deepEqual([...iterateBatches(whole.subarray(0, 20))], []);
  assert.deepEqual([...iterateBatches(Buffer.alloc(0))], []);
});

test('a length no batch can have, another magic and a wrong CRC are CORRUPT_MESSAGE', () => {
  for (const [at, value] of [
    [8, 0xff], // negative length
    [11, 0], // length below the header's
    [16, 1], // magic
  ] as const) {
    const batch = javaBatch('marker');
    batch[at] = value;
    assert.throws(() => [...iterateBatches(batch)], corrupt);
    assert.throws(() => readRecordBatchHeader(batch, 0), corrupt);
  }
  const flipped = javaBatch('none');
  flipped[80]! ^= 1;
  assert.throws(() => checkCrc(compute, flipped, 0), corrupt);
});

test('records of any shape read back as they were written', async () => {
  const records = [
    {},
    { timestamp: 0, key: Buffer.alloc(0), value: Buffer.alloc(70_000, 1) },
    { timestamp: Number.MAX_SAFE_INTEGER - 1, key: Buffer.alloc(64), value: null },
    { timestamp: -1, offsetDelta: 1000, headers: [{ key: 'größe', value: Buffer.alloc(200) }] },
    { timestamp: 2 ** 52 + 1, offsetDelta: 2_147_483_647 },
  ];
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const batch = await buildCompressedRecordBatch(compute, records, codec, { baseOffset: 5, lastOffsetDelta: 2_147_483_647 });
    checkCrc(compute, batch, 0);
    const decoded = await decodeRecords(compute, batch, MiB);
    assert.deepEqual(
      decoded.map(({ offset, timestamp }) => [offset, timestamp]),
      [
        [5, -1],
        [6, 0],
        [7, Number.MAX_SAFE_INTEGER - 1],
        [1005, -1],
        [2_147_483_652, 2 ** 52 + 1],
      ],
    );
    assert.deepEqual(decoded[1]!.value, Buffer.alloc(70_000, 1));
    assert.deepEqual(decoded[3]!.headers, [{ key: 'größe', value: Buffer.alloc(200) }]);
  }
});

test('a damaged batch ends in CORRUPT_MESSAGE, wherever it is cut or changed, never in a read past its end', () => {
  const whole = javaBatch('none');
  for (let length = 0; length < whole.length; length++)
    assert.throws(() => decodeRecords(compute, whole.subarray(0, length), MiB), corrupt);
  for (let at = 61; at < whole.length; at++) {
    for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      const batch = javaBatch('none');
      batch[at] = value;
      try {
        void decodeRecords(compute, batch, MiB);
      } catch (thrown) {
        assert.ok(thrown instanceof KafkaError && thrown.errorName === 'CORRUPT_MESSAGE', String(thrown));
      }
    }
  }
});
