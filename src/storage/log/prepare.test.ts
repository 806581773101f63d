import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { createRecordsBatch } from '@platformatic/kafka';
import { makeCompute } from '../../base/real/compute.ts';
import { isReadByEveryClient } from '../../protocol/compression.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { buildCompressedRecordBatch, buildRecordBatch, decodeRecords, type RecordToWrite } from '../../protocol/record-batch-records.ts';
import { checkCrc, readRecordBatchHeader, RECORD_BATCH_OVERHEAD, stampCrc, withRecords } from '../../protocol/record-batch.ts';
import { javaBatch } from '../../protocol/record-batch.testing.ts';
import { InvalidRecordsError, prepare, prepareOwn, type PrepareLimits } from './prepare.ts';

const now = 1_700_000_000_000;
const compute = makeCompute();
const env = { compute, wallMs: () => now, defer: (run: () => void) => void setImmediate(run) };
const MiB = 1024 * 1024;
const day = 86_400_000;

const defaults: PrepareLimits = {
  maxMessageBytes: MiB,
  keyRequired: false,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 3_600_000,
  compressionType: 'producer',
  compressionLevels: { gzip: -1, lz4: 9, zstd: 3 },
  zstdAllowed: true,
};

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const three: RecordToWrite[] = [
  { timestamp: now - 5, key: Buffer.from('a'), value: Buffer.from('first') },
  { timestamp: now + 7, key: Buffer.from('b'), value: Buffer.alloc(300, 'x') },
  { timestamp: now, key: Buffer.from('c'), value: null, headers: [{ key: 'h', value: null }] },
];
const batchOf = (records: readonly RecordToWrite[] = three, options = {}): Buffer => buildRecordBatch(compute, records, options);

/** The batch with its header changed by `change`, under a CRC that fits again. */
function changed(batch: Buffer, change: (batch: Buffer) => void): Buffer {
  change(batch);
  stampCrc(compute, batch, 0);
  return batch;
}

const refusal = async (bytes: Buffer, limits: Partial<PrepareLimits> = {}): Promise<KafkaError> => {
  try {
    await prepare(bytes, { ...defaults, ...limits }, env);
  } catch (thrown) {
    assert.ok(thrown instanceof KafkaError, String(thrown));
    return thrown;
  }
  return assert.fail('the batch was accepted');
};
const refusedAs = async (bytes: Buffer, limits: Partial<PrepareLimits> = {}): Promise<string> => (await refusal(bytes, limits)).errorName;

test('an uncompressed batch comes back at once, as it came, with the facts of its header', () => {
  const sent = batchOf(three, { producerId: 9, producerEpoch: 1, baseSequence: 2_147_483_646, isTransactional: true });
  const before = Buffer.from(sent);
  const prepared = prepare(sent, defaults, env);
  assert.ok(!(prepared instanceof Promise));
  assert.deepEqual(prepared, {
    bytes: before,
    sizeInBytes: before.length,
    recordCount: 3,
    lastOffsetDelta: 2,
    baseTimestamp: now - 5,
    maxTimestamp: now + 7,
    offsetDeltaOfMaxTimestamp: 1,
    producerId: 9,
    producerEpoch: 1,
    baseSequence: 2_147_483_646,
    lastSequence: 0,
    isTransactional: true,
    isControl: false,
    isCompressed: false,
    logAppendTimeMs: -1,
  });
  assert.equal(prepared.bytes, sent);
});

test('compressed batches, also of the Java client, come back as they came', async () => {
  for (const codec of codecs) {
    const sent = await buildCompressedRecordBatch(compute, three, codec);
    const before = Buffer.from(sent);
    const prepared = await prepare(sent, defaults, env);
    assert.deepEqual(prepared.bytes, before, codec);
    assert.equal(prepared.isCompressed, codec !== 'none');
    assert.equal(prepared.offsetDeltaOfMaxTimestamp, 1);
    assert.deepEqual((await prepare(javaBatch(codec), defaults, env)).bytes, javaBatch(codec));
  }
});

test('exactly one whole batch is taken', async () => {
  assert.equal(await refusedAs(Buffer.alloc(0)), 'INVALID_RECORD');
  assert.equal(await refusedAs(batchOf().subarray(0, 16)), 'INVALID_RECORD');
  assert.equal(await refusedAs(batchOf().subarray(0, -1)), 'INVALID_RECORD');
  assert.equal(await refusedAs(Buffer.concat([batchOf(), batchOf()])), 'INVALID_RECORD');
  assert.equal(await refusedAs(Buffer.concat([batchOf(), Buffer.alloc(5)])), 'INVALID_RECORD');
});

test('older formats are INVALID_RECORD, what is no format and what cannot be a length is CORRUPT_MESSAGE', async () => {
  for (const magic of [0, 1]) assert.equal(await refusedAs(changed(batchOf(), (batch) => (batch[16] = magic))), 'INVALID_RECORD');
  for (const magic of [3, 0xff]) assert.equal(await refusedAs(changed(batchOf(), (batch) => (batch[16] = magic))), 'CORRUPT_MESSAGE');
  for (const length of [-1, 0, 13, 14, 48, -(2 ** 31)]) {
    const batch = batchOf();
    batch.writeInt32BE(length, 8);
    assert.equal(await refusedAs(batch), 'CORRUPT_MESSAGE', `length ${length}`);
  }
  const endless = batchOf();
  endless.writeInt32BE(2 ** 31 - 1, 8);
  assert.equal(await refusedAs(endless), 'INVALID_RECORD');
});

test('a flipped bit anywhere under the CRC is CORRUPT_MESSAGE', async () => {
  for (let at = 17; at < batchOf().length; at++) {
    const batch = batchOf();
    batch[at]! ^= 0x10;
    const name = await refusedAs(batch);
    assert.ok(name === 'CORRUPT_MESSAGE' || (at === 22 && name === 'UNSUPPORTED_COMPRESSION_TYPE'), `byte ${at}: ${name}`);
  }
});

test('the size limit holds for the batch as sent, to the byte', async () => {
  const sent = batchOf();
  assert.ok(prepare(sent, { ...defaults, maxMessageBytes: sent.length }, env));
  assert.equal(await refusedAs(batchOf(), { maxMessageBytes: sent.length - 1 }), 'MESSAGE_TOO_LARGE');
  const zeros = await buildCompressedRecordBatch(compute, [{ value: Buffer.alloc(50_000) }], 'zstd');
  assert.ok(await prepare(zeros, { ...defaults, maxMessageBytes: 1000 }, env));
});

test('a base offset other than 0 is INVALID_RECORD', async () => {
  assert.equal(await refusedAs(batchOf(three, { baseOffset: 1 })), 'INVALID_RECORD');
});

test('record count and last offset delta must agree with each other and with the records', async () => {
  const cases: [string, (batch: Buffer) => void][] = [
    ['no records', (batch) => batch.writeInt32BE(0, 57)],
    ['negative count', (batch) => batch.writeInt32BE(-3, 57)],
    ['negative last offset', (batch) => batch.writeInt32BE(-1, 23)],
    ['last offset too large', (batch) => batch.writeInt32BE(3, 23)],
    ['largest last offset', (batch) => batch.writeInt32BE(2 ** 31 - 1, 23)],
    ['one more than there are', (batch) => (batch.writeInt32BE(4, 57), batch.writeInt32BE(3, 23))],
    ['one less than there are', (batch) => (batch.writeInt32BE(2, 57), batch.writeInt32BE(1, 23))],
    ['very many', (batch) => (batch.writeInt32BE(2 ** 31 - 1, 57), batch.writeInt32BE(2 ** 31 - 2, 23))],
  ];
  for (const [name, change] of cases) assert.equal(await refusedAs(changed(batchOf(), change)), 'INVALID_RECORD', name);
});

test('offset deltas must be 0, 1, 2 and so on', async () => {
  const gap = [{ offsetDelta: 0 }, { offsetDelta: 2 }, { offsetDelta: 2 }];
  assert.equal(await refusedAs(batchOf(gap)), 'INVALID_RECORD');
  assert.equal(await refusedAs(await buildCompressedRecordBatch(compute, gap, 'lz4')), 'INVALID_RECORD');
  const many = Array.from({ length: 20_000 }, () => ({}));
  assert.equal((await prepare(batchOf(many), defaults, env)).lastOffsetDelta, 19_999);
});

test('clients write no control batches', async () => {
  assert.equal(await refusedAs(batchOf(three, { isControl: true })), 'INVALID_RECORD');
});

test('a producer id comes with an epoch and a sequence, a transaction with a producer id', async () => {
  assert.equal(await refusedAs(batchOf(three, { producerId: 5, producerEpoch: 0 })), 'INVALID_RECORD');
  assert.equal(await refusedAs(batchOf(three, { producerId: 5, baseSequence: 0 })), 'INVALID_RECORD');
  assert.equal(await refusedAs(batchOf(three, { isTransactional: true })), 'INVALID_RECORD');
  // kafkajs without idempotence sends exactly this.
  assert.ok(prepare(batchOf(three, { producerId: -1, producerEpoch: 0, baseSequence: 0 }), defaults, env));
});

test('a compacted topic takes no record without a key, and says which ones it refused', async () => {
  const records = [{ key: Buffer.from('k') }, {}, { key: Buffer.alloc(0) }, {}];
  for (const codec of codecs) {
    const thrown = await refusal(await buildCompressedRecordBatch(compute, records, codec), { keyRequired: true });
    assert.ok(thrown instanceof InvalidRecordsError);
    assert.equal(thrown.errorName, 'INVALID_RECORD');
    assert.deepEqual(
      thrown.recordErrors.map(({ batchIndex }) => batchIndex),
      [1, 3],
    );
  }
});

test('very many refused records are not all listed', async () => {
  const thrown = await refusal(batchOf(Array.from({ length: 5000 }, () => ({}))), { keyRequired: true });
  assert.ok(thrown instanceof InvalidRecordsError);
  assert.equal(thrown.recordErrors.length, 1000);
  assert.match(thrown.message, /5000/);
});

test('a timestamp beyond the limits refuses the whole batch with INVALID_TIMESTAMP; the limits themselves are allowed', async () => {
  const limits = { timestampBeforeMaxMs: day, timestampAfterMaxMs: 1000 };
  const at = (...timestamps: number[]): Buffer => batchOf(timestamps.map((timestamp) => ({ timestamp })));
  assert.ok(prepare(at(now - day, now + 1000), { ...defaults, ...limits }, env));
  for (const [bytes, index] of [
    [at(now, now - day - 1), 1],
    [at(now, now, now + 1001), 2],
    [at(-2), 0],
  ] as const) {
    const thrown = await refusal(bytes, limits);
    assert.ok(thrown instanceof InvalidRecordsError);
    assert.equal(thrown.errorName, 'INVALID_TIMESTAMP');
    assert.equal(thrown.recordErrors[0]?.batchIndex, index);
  }
  assert.ok(prepare(at(-1, -1), { ...defaults, ...limits }, env), 'no timestamp is no wrong one');
});

test('a max timestamp that is not that of the records is put right, and the CRC with it', () => {
  const { bytes, maxTimestamp } = prepare(
    changed(batchOf(), (batch) => batch.writeBigInt64BE(BigInt(now) + 999_999n, 35)),
    defaults,
    env,
  ) as Awaited<ReturnType<typeof prepare>>;
  assert.equal(maxTimestamp, now + 7);
  assert.deepEqual(bytes, batchOf());
});

test('with LogAppendTime the batch gets the time of now, its type bit and a new CRC, and the answer the time', async () => {
  for (const codec of codecs) {
    const sent = await buildCompressedRecordBatch(compute, three, codec);
    const prepared = await prepare(sent, { ...defaults, timestampType: 'LogAppendTime', timestampAfterMaxMs: 0 }, env);
    checkCrc(compute, prepared.bytes, 0);
    assert.equal(prepared.logAppendTimeMs, now);
    assert.equal(prepared.maxTimestamp, now);
    assert.equal(readRecordBatchHeader(prepared.bytes, 0).timestampType, 'LogAppendTime');
    const records = await decodeRecords(compute, prepared.bytes, MiB);
    assert.deepEqual(
      records.map(({ timestamp }) => timestamp),
      [now, now, now],
    );
  }
});

test('a producer that sets LogAppendTime itself is refused where it holds, and put right where CreateTime holds', async () => {
  const sent = (): Buffer => batchOf(three, { logAppendTimeMs: now + 3 });
  assert.equal(await refusedAs(sent(), { timestampType: 'LogAppendTime' }), 'INVALID_TIMESTAMP');
  assert.deepEqual((await prepare(sent(), defaults, env)).bytes, batchOf());
});

test('compression.type recompresses every codec into every other, and leaves what is already in it', async () => {
  for (const source of codecs) {
    for (const target of ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const options = { producerId: 9, producerEpoch: 1, baseSequence: 4, isTransactional: true };
      const sent = await buildCompressedRecordBatch(compute, three, source, options);
      const before = Buffer.from(sent);
      const prepared = await prepare(sent, { ...defaults, compressionType: target }, env);
      checkCrc(compute, prepared.bytes, 0);
      const { codec, producerId, baseSequence, isTransactional } = readRecordBatchHeader(prepared.bytes, 0);
      assert.deepEqual([codec, producerId, baseSequence, isTransactional], [target === 'uncompressed' ? 'none' : target, 9, 4, true]);
      if (codec === source) assert.deepEqual(prepared.bytes, before);
      else assert.deepEqual(await decodeRecords(compute, prepared.bytes, MiB), await decodeRecords(compute, before, MiB));
    }
  }
});

test('lz4 that Java clients cannot read is stored as lz4 that they can', async () => {
  // Two frames in a row: Java's reader stops after the first. (That linked blocks count too is compression.test.ts's.)
  const plain = batchOf([{ timestamp: now, value: Buffer.alloc(200_000, 'a line that repeats itself\n') }]).subarray(RECORD_BATCH_OVERHEAD);
  const frames = Buffer.concat([
    await compute.compress('lz4', plain.subarray(0, 1000)),
    await compute.compress('lz4', plain.subarray(1000)),
  ]);
  const sent = withRecords(compute, batchOf([{ timestamp: now }]), frames, 3);
  const { bytes } = await prepare(Buffer.from(sent), defaults, env);
  assert.notDeepEqual(bytes, sent);
  checkCrc(compute, bytes, 0);
  assert.equal(readRecordBatchHeader(bytes, 0).codec, 'lz4');
  assert.ok(isReadByEveryClient('lz4', bytes.subarray(RECORD_BATCH_OVERHEAD)));
  assert.deepEqual(await decodeRecords(compute, bytes, MiB), await decodeRecords(compute, sent, MiB));
});

test('batches as kafkajs and @platformatic/kafka build them are taken as they are', async () => {
  const require = createRequire(import.meta.url);
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: (batch: object) => Promise<{ buffer: Buffer }> };
  const Record = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object;
  const headers = { trace: Buffer.from('1') };
  const ofKafkajs = async (compression: number): Promise<Buffer> => {
    const records = three.map(({ key, value }, offsetDelta) => Record({ offsetDelta, timestampDelta: offsetDelta, key, value, headers }));
    const times = { firstTimestamp: now, maxTimestamp: now + 2, lastOffsetDelta: 2 };
    return (await RecordBatch({ compression, records, ...times })).buffer;
  };
  const ofPlatformatic = (compression: (typeof codecs)[number]): Buffer => {
    const messages = three.map(({ key, value }) => ({
      topic: 't',
      key,
      value,
      timestamp: BigInt(now),
      headers: new Map([[Buffer.from('h'), Buffer.from('v')]]),
    }));
    return createRecordsBatch(messages as never, { compression, producerId: 7n, producerEpoch: 0 }).buffer;
  };
  const batches = [await ofKafkajs(0), await ofKafkajs(1), ...codecs.map(ofPlatformatic)];
  for (const sent of batches) {
    const prepared = await prepare(Buffer.from(sent), defaults, env);
    assert.deepEqual(prepared.bytes, sent);
    const records = await decodeRecords(compute, prepared.bytes, MiB);
    assert.deepEqual(
      records.map(({ key, headers }) => [key?.toString(), headers.length]),
      [
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ],
    );
  }
});

test('recompression may not make a batch larger than the topic takes', async () => {
  const sent = await buildCompressedRecordBatch(compute, [{ value: Buffer.alloc(50_000) }], 'zstd');
  assert.equal(await refusedAs(sent, { compressionType: 'uncompressed', maxMessageBytes: 10_000 }), 'MESSAGE_TOO_LARGE');
});

test('zstd needs Produce version 7, and codec bits 5 to 7 mean nothing', async () => {
  assert.equal(await refusedAs(javaBatch('zstd'), { zstdAllowed: false }), 'UNSUPPORTED_COMPRESSION_TYPE');
  for (const bits of [5, 6, 7])
    assert.equal(await refusedAs(changed(batchOf(), (batch) => (batch[22] = bits))), 'UNSUPPORTED_COMPRESSION_TYPE');
});

test('records that do not decompress are INVALID_RECORD, under whatever CRC', async () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const half = await buildCompressedRecordBatch(compute, three, codec);
    const cut = half.subarray(0, half.length - 20);
    cut.writeInt32BE(cut.length - 12, 8);
    stampCrc(compute, cut, 0);
    assert.equal(await refusedAs(cut), 'INVALID_RECORD', codec);
  }
});

test('records that take too much memory decompressed are MESSAGE_TOO_LARGE, so that clients split the batch', async () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const sent = await buildCompressedRecordBatch(compute, [{ value: Buffer.alloc(3 * MiB) }], codec);
    assert.ok(await prepare(Buffer.from(sent), defaults, env));
    assert.equal(await refusedAs(sent, { maxDecompressedBytes: 2 * MiB }), 'MESSAGE_TOO_LARGE', codec);
  }
});

test('a large batch is walked over several turns, with the same result', async () => {
  const records = Array.from({ length: 120_000 }, (_, index) => ({ timestamp: now + (index % 1000) }));
  const prepared = prepare(batchOf(records), { ...defaults, maxMessageBytes: 16 * MiB }, env);
  assert.ok(prepared instanceof Promise);
  const { recordCount, offsetDeltaOfMaxTimestamp } = await prepared;
  assert.deepEqual([recordCount, offsetDeltaOfMaxTimestamp], [120_000, 999]);
});

test('whatever bytes stand in the place of the records, the answer is a KafkaError or a batch that reads', async () => {
  const sent = batchOf();
  for (let at = RECORD_BATCH_OVERHEAD; at < sent.length; at++) {
    for (const value of [0x00, 0x01, 0x02, 0x7e, 0x7f, 0x80, 0xff]) {
      const batch = changed(batchOf(), (batch) => (batch[at] = value));
      try {
        const prepared = await prepare(batch, defaults, env);
        assert.equal((await decodeRecords(compute, prepared.bytes, MiB)).length, 3);
      } catch (thrown) {
        assert.ok(thrown instanceof KafkaError, `byte ${at} = ${value}: ${String(thrown)}`);
      }
    }
  }
});

test('a batch of our own is taken as it is', () => {
  const marker = prepareOwn(javaBatch('marker'));
  assert.deepEqual([marker.isControl, marker.producerId, marker.recordCount, marker.logAppendTimeMs], [true, 4001, 1, -1]);
  assert.throws(() => prepareOwn(javaBatch('marker').subarray(0, 70)), { errorName: 'CORRUPT_MESSAGE' });
});

test('the checksum of a batch of many MiB is made in several turns, and a flip in any part of it is found', async () => {
  const limits = { ...defaults, maxMessageBytes: 32 * MiB };
  const batch = batchOf([{ timestamp: now, key: null, value: Buffer.alloc(10 * MiB, 'x') }]);
  let turns = 0;
  const counting = {
    ...env,
    defer: (run: () => void) => {
      turns += 1;
      setImmediate(run);
    },
  };
  const prepared = await prepare(Buffer.from(batch), limits, counting);
  assert.equal(prepared.sizeInBytes, batch.length);
  assert.equal(turns, 2);
  for (const at of [30, 5 * MiB, batch.length - 1]) {
    const flipped = Buffer.from(batch);
    flipped[at] = (flipped[at] as number) ^ 1;
    await assert.rejects(async () => prepare(flipped, limits, env), { errorName: 'CORRUPT_MESSAGE' }, `at ${at}`);
  }
});
