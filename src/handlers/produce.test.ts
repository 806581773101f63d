import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker } from '../assemble/broker.testing.ts';
import { kafkaErrors, type ErrorName } from '../protocol/errors.ts';
import { initProducerIdRequest, initProducerIdResponse } from '../protocol/messages/init-producer-id.ts';
import { produceRequest, produceResponse } from '../protocol/messages/produce.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { buildCompressedRecordBatch } from '../protocol/record-batch-records.ts';
import { codecOf, crcOf, maxTimestampOf, partitionLeaderEpochOf, timestampTypeOf } from '../protocol/record-batch.ts';
import { batchOf, compute, createTopic, fetchOne, produce, recordsOf, TOPIC } from './data-path.testing.ts';

const code = (name: ErrorName): number => kafkaErrors[name][0];

for (let version = 3; version <= 13; version += 1) {
  test(`Produce ${version} appends a batch and answers with its base offset`, async () => {
    await using broker = await startTestBroker();
    const topicId = await createTopic(broker);
    const asked = version >= 13 ? { version, topic: '', topicId } : { version };
    const first = await produce(broker.client, batchOf(['a', 'b']), asked);
    const second = await produce(broker.client, batchOf(['c']), asked);
    assert.deepEqual([first.errorCode, first.baseOffset, first.logAppendTimeMs], [0, 0, -1]);
    assert.deepEqual([second.errorCode, second.baseOffset], [0, 2]);
    assert.equal(second.logStartOffset, version >= 5 ? 0 : -1);
    assert.deepEqual(await recordsOf(await fetchOne(broker.client, 0)), ['0:a', '1:b', '2:c']);
  });
}

test('a batch that comes with a leader epoch of its own is stored with that of the partition, its checksum untouched', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  const batch = batchOf(['a'], { partitionLeaderEpoch: 17 });
  await produce(broker.client, batch);
  const { records } = await fetchOne(broker.client, 0);
  assert.ok(records);
  assert.equal(partitionLeaderEpochOf(records, 0), 0);
  assert.equal(crcOf(records, 0), crcOf(batch, 0));
});

test('acks=0 gets no answer, and the batch is there', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  broker.client.tell(produceRequest, 9, {
    transactionalId: null,
    acks: 0,
    timeoutMs: 0,
    topicData: [{ name: TOPIC, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['a']) }] }],
  });
  // The next answer is that of the next request: nothing was sent for the first.
  assert.equal((await produce(broker.client, batchOf(['b']))).baseOffset, 1);
});

test('what is produced with acks=0 counts as in hand until it is on the disk, however slow that is', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  const { clock, disk } = broker.env;
  const slow = disk.inject({ kinds: ['dataSync'], delayMs: 5000 });
  broker.client.tell(produceRequest, 9, {
    transactionalId: null,
    acks: 0,
    timeoutMs: 0,
    topicData: [{ name: TOPIC, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['x'.repeat(10_000)]) }] }],
  });
  await clock.advanceMs(1000);
  assert.ok(broker.server.requestMemoryBytes > 10_000);
  slow[Symbol.dispose]();
  await clock.advanceMs(60_000);
  assert.equal(broker.server.requestMemoryBytes, 0);
});

test('acks=0 that fails closes the connection, since nothing else can tell the client', async () => {
  await using broker = await startTestBroker();
  const other = await broker.connect();
  other.tell(produceRequest, 9, {
    transactionalId: null,
    acks: 0,
    timeoutMs: 0,
    topicData: [{ name: 'nowhere', topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['a']) }] }],
  });
  await broker.env.settle();
  assert.equal(other.closed, true);
  assert.equal(broker.client.closed, false);
});

test('Produce 0 to 2, which are told of and not served, close the connection', async () => {
  await using broker = await startTestBroker();
  const network = broker.env.wire.join();
  for (const version of [0, 1, 2]) {
    let closed = false;
    const socket = await network.connect({ host: 'localhost', port: broker.port });
    socket.listen({
      data: () => assert.fail('nothing is answered'),
      ended: () => (closed = true),
      drained: () => {},
      closed: () => (closed = true),
    });
    const frame = Buffer.alloc(24); // size, API key 0, version, correlation id, an empty client id, acks, timeout, no topics
    frame.writeInt32BE(20, 0);
    frame.writeInt16BE(version, 6);
    socket.write([frame]);
    await broker.env.settle();
    assert.equal(closed, true, `version ${version}`);
  }
});

test('acks other than 0, 1 and -1 are refused', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  assert.equal((await produce(broker.client, batchOf(['a']), { acks: 2 })).errorCode, code('INVALID_REQUIRED_ACKS'));
});

test('an unknown topic, partition and topic id are refused, each partition by itself', async () => {
  await using broker = await startTestBroker();
  const topicId = await createTopic(broker);
  assert.equal((await produce(broker.client, batchOf(['a']), { topic: 'nowhere' })).errorCode, code('UNKNOWN_TOPIC_OR_PARTITION'));
  assert.equal((await produce(broker.client, batchOf(['a']), { partition: 1 })).errorCode, code('UNKNOWN_TOPIC_OR_PARTITION'));
  const unknownId = await produce(broker.client, batchOf(['a']), { version: 13, topic: '', topicId: 'AAAAAAAAAAAAAAAAAAAAAg' });
  assert.equal(unknownId.errorCode, code('UNKNOWN_TOPIC_ID'));
  const answer = await broker.client.request({ request: produceRequest, response: produceResponse }, 13, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 0,
    topicData: [
      {
        name: '',
        topicId,
        partitionData: [
          { index: 0, records: batchOf(['a']) },
          { index: 5, records: batchOf(['a']) },
        ],
      },
    ],
  });
  assert.deepEqual(
    answer.responses[0]?.partitionResponses.map(({ index, errorCode }) => [index, errorCode]),
    [
      [0, 0],
      [5, code('UNKNOWN_TOPIC_OR_PARTITION')],
    ],
  );
});

test('a batch whose checksum does not match is refused as corrupt, and nothing is appended', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  const batch = batchOf(['a']);
  batch[batch.length - 2] = (batch[batch.length - 2] ?? 0) ^ 1;
  assert.equal((await produce(broker.client, batch)).errorCode, code('CORRUPT_MESSAGE'));
  assert.equal((await fetchOne(broker.client, 0)).highWatermark, 0);
});

test('no batch, two batches and a control batch are refused', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  assert.notEqual((await produce(broker.client, Buffer.alloc(0))).errorCode, 0);
  assert.notEqual((await produce(broker.client, null)).errorCode, 0);
  assert.equal((await produce(broker.client, Buffer.concat([batchOf(['a']), batchOf(['b'])]))).errorCode, code('INVALID_RECORD'));
  const control = batchOf(['a'], { isControl: true, producerId: 1, producerEpoch: 0, baseSequence: 0 });
  assert.equal((await produce(broker.client, control)).errorCode, code('INVALID_RECORD'));
  assert.equal((await fetchOne(broker.client, 0)).highWatermark, 0);
});

test('max.message.bytes counts the batch as sent', async () => {
  await using broker = await startTestBroker();
  const batch = batchOf(['x'.repeat(500)]);
  await createTopic(broker, { configs: { 'max.message.bytes': String(batch.length) } });
  assert.equal((await produce(broker.client, batchOf(['x'.repeat(500)]))).errorCode, 0);
  assert.equal((await produce(broker.client, batchOf(['x'.repeat(501)]))).errorCode, code('MESSAGE_TOO_LARGE'));
});

test('LogAppendTime rewrites type and timestamp, and the answer carries the time', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { configs: { 'message.timestamp.type': 'LogAppendTime' } });
  const nowMs = broker.env.wallMs();
  const told = await produce(broker.client, batchOf(['a'], { timestamp: 5 }));
  assert.equal(told.logAppendTimeMs, nowMs);
  const { records } = await fetchOne(broker.client, 0);
  assert.ok(records);
  assert.equal(timestampTypeOf(records, 0), 'LogAppendTime');
  assert.equal(maxTimestampOf(records, 0), nowMs);
  assert.deepEqual(await recordsOf({ records }), ['0:a'], 'the new checksum holds');
});

test('timestamps beyond the limits are refused, with the records that are at fault', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { configs: { 'message.timestamp.before.max.ms': '60000' } });
  const told = await produce(broker.client, batchOf(['old'], { timestamp: broker.env.wallMs() - 120_000 }));
  assert.equal(told.errorCode, code('INVALID_TIMESTAMP'));
  assert.deepEqual(
    told.recordErrors.map(({ batchIndex }) => batchIndex),
    [0],
  );
  const ahead = await produce(broker.client, batchOf(['new'], { timestamp: broker.env.wallMs() + 3_700_000 }));
  assert.equal(ahead.errorCode, code('INVALID_TIMESTAMP'));
});

test('a record without a key is refused on a compacted topic, by its place in the batch', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { configs: { 'cleanup.policy': 'compact' } });
  const told = await produce(broker.client, batchOf(['a', 'b']));
  assert.equal(told.errorCode, code('INVALID_RECORD'));
  assert.deepEqual(
    told.recordErrors.map(({ batchIndex }) => batchIndex),
    [0, 1],
  );
  assert.equal((await produce(broker.client, batchOf(['a'], { key: 'k' }))).errorCode, 0);
});

test('zstd is refused below version 7, and taken from there on', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  const batch = async (): Promise<Buffer> =>
    Buffer.from(await buildCompressedRecordBatch(compute, [{ timestamp: broker.env.wallMs(), value: Buffer.from('z') }], 'zstd'));
  assert.equal((await produce(broker.client, await batch(), { version: 6 })).errorCode, code('UNSUPPORTED_COMPRESSION_TYPE'));
  assert.equal((await produce(broker.client, await batch(), { version: 7 })).errorCode, 0);
});

test('acks=all with fewer replicas in sync than min.insync.replicas is refused before anything is appended', async () => {
  await using broker = await startTestBroker();
  const topicId = await createTopic(broker, { configs: { 'min.insync.replicas': '2' } });
  const replicas = (replicas: number[], isr: number[]): Promise<unknown> =>
    broker.broker.metadata.execute(() => ({
      records: [{ type: 'PartitionChangeRecord', value: { partitionId: 0, topicId, replicas, isr } }],
      reply: undefined,
    }));
  assert.equal((await produce(broker.client, batchOf(['a']))).errorCode, 0, 'one replica alone is all that there can be in sync');
  await replicas([1, 2], [1]);
  assert.equal((await produce(broker.client, batchOf(['b']))).errorCode, code('NOT_ENOUGH_REPLICAS'));
  assert.equal((await fetchOne(broker.client, 0)).highWatermark, 1);
  assert.equal((await produce(broker.client, batchOf(['b']), { acks: 1 })).errorCode, 0, 'acks=1 asks for no more than this one');
  await replicas([1, 2], [1, 2]);
  assert.equal((await produce(broker.client, batchOf(['c']))).errorCode, 0);
});

test('compression.type rewrites what comes in another codec, and the default keeps it', async () => {
  await using broker = await startTestBroker();
  const sent = Buffer.from(
    await buildCompressedRecordBatch(compute, [{ timestamp: broker.env.wallMs(), value: Buffer.from('z'.repeat(500)) }], 'snappy'),
  );
  for (const [compression, codec] of [
    ['producer', 'snappy'],
    ['gzip', 'gzip'],
    ['lz4', 'lz4'],
    ['zstd', 'zstd'],
    ['snappy', 'snappy'],
    ['uncompressed', 'none'],
  ] as const) {
    await createTopic(broker, { name: compression, configs: { 'compression.type': compression } });
    assert.equal((await produce(broker.client, Buffer.from(sent), { topic: compression })).errorCode, 0);
    const told = await fetchOne(broker.client, 0, { topic: compression });
    assert.ok(told.records);
    assert.equal(codecOf(told.records, 0), codec);
    assert.deepEqual(await recordsOf(told), [`0:${'z'.repeat(500)}`]);
    if (codec === 'snappy')
      assert.deepEqual(told.records.subarray(16), sent.subarray(16), 'not a byte is changed but for those of the broker');
  }
});

test('clients may not produce into the topics that coordinators keep', async () => {
  await using broker = await startTestBroker();
  await broker.broker.topics.createOnFirstUse(['__transaction_state']);
  assert.equal(
    (await produce(broker.client, batchOf(['a'], { key: 'k' }), { topic: '__transaction_state' })).errorCode,
    code('INVALID_TOPIC_EXCEPTION'),
  );
});

const idempotent = (producerId: number, baseSequence: number, values: string[] = ['v'], producerEpoch = 0): Buffer =>
  batchOf(values, { producerId, producerEpoch, baseSequence });

test('a resend of any of the last five batches is success with the original offset, and of an older one is out of order', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  for (let sequence = 0; sequence < 7; sequence += 1) {
    assert.equal((await produce(broker.client, idempotent(9, sequence))).baseOffset, sequence);
  }
  for (let sequence = 2; sequence < 7; sequence += 1) {
    const told = await produce(broker.client, idempotent(9, sequence));
    assert.deepEqual([told.errorCode, told.baseOffset], [0, sequence]);
  }
  assert.equal((await produce(broker.client, idempotent(9, 1))).errorCode, code('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  assert.equal((await produce(broker.client, idempotent(9, 8))).errorCode, code('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  assert.equal((await fetchOne(broker.client, 0)).highWatermark, 7);
});

test('the last five batches are known after a clean stop and after a kill', async () => {
  let broker = await startTestBroker();
  await createTopic(broker);
  for (let sequence = 0; sequence < 6; sequence += 1) await produce(broker.client, idempotent(9, sequence));
  broker = await broker.crash();
  for (const sequence of [1, 5]) {
    const told = await produce(broker.client, idempotent(9, sequence));
    assert.deepEqual([told.errorCode, told.baseOffset], [0, sequence], 'after a kill');
  }
  broker = await broker.restart();
  for (const sequence of [1, 5]) {
    const told = await produce(broker.client, idempotent(9, sequence));
    assert.deepEqual([told.errorCode, told.baseOffset], [0, sequence], 'after a clean stop');
  }
  assert.equal((await produce(broker.client, idempotent(9, 6))).baseOffset, 6);
  await broker.stop();
});

test('an unknown producer may begin with any sequence; a new epoch begins at 0; an old epoch is refused', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  assert.equal((await produce(broker.client, idempotent(3, 41))).errorCode, 0);
  assert.equal((await produce(broker.client, idempotent(3, 5, ['v'], 1))).errorCode, code('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  assert.equal((await produce(broker.client, idempotent(3, 0, ['v'], 1))).errorCode, 0);
  assert.equal((await produce(broker.client, idempotent(3, 42))).errorCode, code('INVALID_PRODUCER_EPOCH'));
});

test('sequences wrap from 2147483647 to 0, also inside a batch', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  assert.equal((await produce(broker.client, idempotent(4, 2_147_483_646, ['a', 'b', 'c']))).errorCode, 0);
  assert.equal((await produce(broker.client, idempotent(4, 1))).errorCode, 0);
});

test('producer ids are never given twice, whatever crashes in between', async () => {
  let broker = await startTestBroker();
  const given = new Set<number>();
  for (let life = 0; life < 3; life += 1) {
    for (let version = 0; version <= 5; version += 1) {
      const answer = await broker.client.request({ request: initProducerIdRequest, response: initProducerIdResponse }, version, {
        transactionalId: null,
        transactionTimeoutMs: 1000,
      });
      assert.deepEqual([answer.errorCode, answer.producerEpoch], [0, 0]);
      assert.equal(given.has(answer.producerId), false);
      given.add(answer.producerId);
    }
    broker = await broker.crash();
  }
  await broker.stop();
});

test('a resend into a topic with LogAppendTime is told the time of the first append', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { configs: { 'message.timestamp.type': 'LogAppendTime' } });
  const first = await produce(broker.client, idempotent(5, 0));
  await broker.env.advanceMs(5000);
  const again = await produce(broker.client, idempotent(5, 0));
  assert.deepEqual([again.baseOffset, again.logAppendTimeMs], [0, first.logAppendTimeMs]);
});

test('a transactional batch is refused by what the batch says, whatever the request says, and no transaction is left open', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { partitions: 2 });
  const ask = async (transactionalId: string | null, isTransactional: readonly boolean[]): Promise<number[]> => {
    const answer = await broker.client.request({ request: produceRequest, response: produceResponse }, 11, {
      transactionalId,
      acks: -1,
      timeoutMs: 0,
      topicData: [
        {
          name: TOPIC,
          topicId: ZERO_UUID,
          partitionData: isTransactional.map((transactional, index) => ({
            index,
            records: batchOf(['a'], { producerId: 6, producerEpoch: 0, baseSequence: 0, isTransactional: transactional }),
          })),
        },
      ],
    });
    return answer.responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode));
  };
  const unauthorized = code('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
  assert.deepEqual(await ask(null, [false, true]), [unauthorized, unauthorized], 'without an id the whole request is refused, as by Kafka');
  assert.deepEqual(
    await ask('tx', [true, false]),
    [code('INVALID_TXN_STATE'), 0],
    'with an id there is no transaction that it could belong to',
  );
  const { highWatermark, lastStableOffset } = await fetchOne(broker.client, 0, { isolationLevel: 1 });
  assert.deepEqual([highWatermark, lastStableOffset], [0, 0]);
  assert.equal((await fetchOne(broker.client, 0, { partition: 1, isolationLevel: 1 })).lastStableOffset, 1);
});

test('where the log itself refuses a batch, the answer tells where the log begins', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  const told = await produce(broker.client, idempotent(7, 3, ['v'], 5));
  assert.deepEqual([told.errorCode, told.logStartOffset], [0, 0]);
  for (const [records, error, logStartOffset] of [
    [idempotent(7, 9, ['v'], 5), 'OUT_OF_ORDER_SEQUENCE_NUMBER', 0],
    [idempotent(7, 4, ['v'], 4), 'INVALID_PRODUCER_EPOCH', 0],
    [batchOf(['a'], { timestamp: broker.env.wallMs() + 9_000_000 }), 'INVALID_TIMESTAMP', 0],
    [batchOf(['x'.repeat(2_000_000)]), 'MESSAGE_TOO_LARGE', -1],
  ] as const) {
    const refused = await produce(broker.client, records);
    assert.deepEqual([refused.errorCode, refused.logStartOffset], [code(error), logStartOffset], error);
  }
});

test('a transactional id is refused plainly, since there are no transactions yet', async () => {
  await using broker = await startTestBroker();
  const answer = await broker.client.request({ request: initProducerIdRequest, response: initProducerIdResponse }, 4, {
    transactionalId: 'tx',
    transactionTimeoutMs: 1000,
  });
  assert.deepEqual([answer.errorCode, answer.producerId], [code('UNSUPPORTED_VERSION'), -1]);
});

test('while the disk is full Produce says so, and when there is room again it succeeds', async () => {
  const broker = await startTestBroker();
  await createTopic(broker);
  assert.equal((await produce(broker.client, batchOf(['first']))).errorCode, 0);
  broker.env.disk.capacityBytes = broker.env.disk.usedBytes;
  assert.equal((await produce(broker.client, batchOf(['x'.repeat(2_000_000)], {}), {})).errorCode, code('MESSAGE_TOO_LARGE'));
  assert.equal((await produce(broker.client, batchOf(['x'.repeat(100_000)]))).errorCode, code('KAFKA_STORAGE_ERROR'));
  assert.deepEqual(await recordsOf(await fetchOne(broker.client, 0)), ['0:first'], 'reading goes on');
  broker.env.disk.capacityBytes = Infinity;
  await broker.env.advanceMs(2000);
  assert.equal((await produce(broker.client, batchOf(['second']))).baseOffset, 1);
});
