// Record batches that lie: valid ones with broken records, broken compression or wrong words in the header, and a checksum
// that is right all the same, so that nothing but the checks of `prepare` stands before the log.
import assert from 'node:assert/strict';
import { compute, fetchOne, offsetAt, produce } from '../../src/handlers/data-path.testing.ts';
import type { TestBroker } from '../../src/assemble/broker.testing.ts';
import { codecBitsOf, compressRecords, type RecordCodec } from '../../src/protocol/compression.ts';
import { buildRecordBatch, decodeRecords } from '../../src/protocol/record-batch-records.ts';
import {
  baseOffsetOf,
  checkCrc,
  iterateBatches,
  lastOffsetOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
  stampCrc,
  withRecords,
} from '../../src/protocol/record-batch.ts';
import { diceOf, type Dice } from '../protocol-samples.ts';
import { mutated } from './mutations.ts';

const NOW_MS = Date.UTC(2024, 0, 1);
const codecs: readonly RecordCodec[] = ['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Where each field of a batch header stands, and how many bytes it has. */
const headerFields: Readonly<Record<string, readonly [at: number, bytes: number]>> = {
  baseOffset: [0, 8],
  batchLength: [8, 4],
  leaderEpoch: [12, 4],
  magic: [16, 1],
  attributes: [21, 2],
  lastOffsetDelta: [23, 4],
  baseTimestamp: [27, 8],
  maxTimestamp: [35, 8],
  producerId: [43, 8],
  producerEpoch: [51, 2],
  baseSequence: [53, 4],
  recordCount: [57, 4],
};
const lies = [0n, 1n, 2n, -1n, -2n, 127n, 255n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), BigInt(NOW_MS)];

export async function forgedBatch(dice: Dice): Promise<Buffer> {
  const codec = codecs[dice(codecs.length)] as RecordCodec;
  const records = Array.from({ length: 1 + dice(4) }, (_, index) => ({
    timestamp: NOW_MS - dice(5000) + index,
    key: dice(3) === 0 ? null : Buffer.from(`k${dice(3)}`),
    value: dice(5) === 0 ? null : Buffer.alloc(dice(4) === 0 ? 300 : dice(20), index),
    headers: dice(4) === 0 ? [{ key: 'h', value: Buffer.from('v') }] : [],
  }));
  const producer = dice(3) === 0 ? { producerId: dice(4), producerEpoch: dice(2), baseSequence: dice(3) } : {};
  const honest = buildRecordBatch(compute, records, producer);
  const plain = honest.subarray(RECORD_BATCH_OVERHEAD);
  const brokenPlain = dice(3) === 0 ? mutated(plain, dice) : plain;
  const compressed = codec === 'none' ? brokenPlain : await compressRecords(compute, codec, brokenPlain);
  const content = codec !== 'none' && dice(4) === 0 ? mutated(compressed, dice) : compressed;
  const forged = withRecords(compute, honest, content, codecBitsOf(codec));
  if (dice(2) === 0) lieInHeader(forged, dice);
  if (dice(20) > 0 && sizeInBytesOf(forged, 0) === forged.length) stampCrc(compute, forged, 0);
  return forged;
}

function lieInHeader(batch: Buffer, dice: Dice): void {
  const names = Object.keys(headerFields);
  const [at, bytes] = headerFields[names[dice(names.length)] as string] as readonly [number, number];
  if (dice(3) === 0) {
    batch[at + dice(bytes)] = dice(256);
    return;
  }
  const wide = Buffer.alloc(8);
  wide.writeBigInt64BE(lies[dice(lies.length)] as bigint);
  wide.copy(batch, at, 8 - bytes);
}

/** Topics of every kind that treats batches in its own way. */
export const batchTopics: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  stamped: { 'message.timestamp.type': 'LogAppendTime' },
  compacted: { 'cleanup.policy': 'compact' },
  recompressed: { 'compression.type': 'gzip', 'segment.bytes': '1048576' },
  unpacked: { 'compression.type': 'uncompressed', 'message.timestamp.before.max.ms': '3600000' },
};

/** Produces forged batches to every topic; returns how many were taken. */
export async function forgeBatches(test: TestBroker, seed: number, rounds: number): Promise<{ sent: number; taken: number }> {
  const dice = diceOf(seed);
  let taken = 0;
  let sent = 0;
  for (const topic of Object.keys(batchTopics)) {
    const batches: Buffer[] = [];
    for (let round = 0; round < rounds; round++) batches.push(await forgedBatch(dice));
    const producing = batches.map((batch) => produce(test.client, batch, { topic, version: 9 }));
    const told = await test.env.clock.until(Promise.all(producing));
    for (const [at, { errorCode, baseOffset }] of told.entries()) {
      const shown = `seed ${seed}, ${topic}, ${(batches[at] as Buffer).toString('hex')}`;
      assert.notEqual(errorCode, -1, `${shown}: nobody foresaw it`);
      assert.ok(errorCode !== 0 || baseOffset >= 0, shown);
      if (errorCode === 0) taken += 1;
    }
    sent += rounds;
  }
  return { sent, taken };
}

/** Reads every log from end to end: whole batches, each with its records, offsets without a gap. Returns the bytes. */
export async function readAllLogs(test: TestBroker): Promise<Map<string, Buffer>> {
  const logs = new Map<string, Buffer>();
  for (const topic of Object.keys(batchTopics)) {
    const read: Buffer[] = [];
    let next = 0;
    for (let end = Infinity; next < end;) {
      const { errorCode, records, highWatermark } = await test.env.clock.until(fetchOne(test.client, next, { topic, version: 12 }));
      assert.equal(errorCode, 0, topic);
      end = highWatermark;
      if (next === end) break;
      for (const at of iterateBatches(records ?? Buffer.alloc(0))) {
        const batch = (records as Buffer).subarray(at, at + sizeInBytesOf(records as Buffer, at));
        checkCrc(compute, batch, 0);
        assert.equal(baseOffsetOf(batch, 0), next, `${topic}: offsets have a gap`);
        const found = await decodeRecords(compute, batch, 10_000_000);
        assert.deepEqual(
          found.map(({ offset }) => offset),
          Array.from({ length: found.length }, (_, index) => next + index),
          topic,
        );
        next = lastOffsetOf(batch, 0) + 1;
        assert.equal(found.at(-1)?.offset, next - 1, topic);
      }
      read.push(records ?? Buffer.alloc(0));
    }
    logs.set(topic, Buffer.concat(read));
    for (const timestamp of [-1, -2, -3, -4, -5, 0, 1, NOW_MS - 2000, NOW_MS, NOW_MS * 2, Number.MAX_SAFE_INTEGER]) {
      const { errorCode } = await test.env.clock.until(offsetAt(test.client, timestamp, { topic }));
      assert.equal(errorCode, 0, `${topic} at ${timestamp}`);
    }
  }
  return logs;
}
