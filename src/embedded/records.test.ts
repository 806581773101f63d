import assert from 'node:assert/strict';
import { test } from 'node:test';
import { produceRequest, produceResponse } from '../protocol/messages/produce.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { buildCompressedRecordBatch, buildRecordBatch, type RecordToWrite } from '../protocol/record-batch-records.ts';
import type { RecordBatchOptions } from '../protocol/record-batch.ts';
import { buildEndTransactionMarker } from '../protocol/record-batch-control.ts';
import type { TransactionMarker } from '../storage/log/producer-state.ts';
import { prepareOwn } from '../storage/log/prepare.ts';
import type { StoredRecord } from './api.ts';
import { InvalidArgumentError, RequestRefusedError } from './errors.ts';
import { startTestEmbedded, type TestEmbedded } from './embedded.testing.ts';

const produce = { request: produceRequest, response: produceResponse };

const textsOf = (records: readonly StoredRecord[]): (string | null)[] => records.map((record) => record.text());

/** As a client sends it, over a connection. */
async function sendBatch(embedded: TestEmbedded, topic: string, records: Buffer): Promise<void> {
  const connection = await embedded.connect();
  const answer = await connection.request(produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }],
  });
  connection.close();
  assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, 0);
}

const values = (...texts: string[]): RecordToWrite[] => texts.map((text) => ({ timestamp: 1_704_067_200_000, value: Buffer.from(text) }));

test('what is produced is read back, with key, headers, timestamp and JSON', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  const [metadata] = await broker.produce('orders', {
    key: 'order-7',
    json: { id: 7, lines: ['a'] },
    headers: { trace: 'abc', empty: null },
    timestamp: 1_704_067_200_123,
  });
  assert.deepEqual(metadata, { topic: 'orders', partition: 0, offset: 0, timestamp: 1_704_067_200_123 });
  const [record, ...more] = await Array.fromAsync(broker.records('orders'));
  assert.ok(record);
  assert.deepEqual(more, []);
  assert.equal(record.key?.toString(), 'order-7');
  assert.deepEqual(record.json(), { id: 7, lines: ['a'] });
  assert.equal(record.header('trace'), 'abc');
  assert.equal(record.header('empty'), null);
  assert.equal(record.header('missing'), undefined);
  assert.equal(record.timestamp, 1_704_067_200_123);
  assert.deepEqual(record.toJSON(), {
    topic: 'orders',
    partition: 0,
    offset: 0,
    timestamp: 1_704_067_200_123,
    key: 'order-7',
    value: '{"id":7,"lines":["a"]}',
    headers: [
      ['trace', 'abc'],
      ['empty', null],
    ],
  });
});

test('a tombstone has a key and no value', async () => {
  await using embedded = await startTestEmbedded({ topics: { users: { config: { 'cleanup.policy': 'compact' } } } });
  await embedded.broker.produce('users', { key: 'anna', value: null });
  const [record] = await Array.fromAsync(embedded.broker.records('users'));
  assert.equal(record?.value, null);
  assert.equal(record?.text(), null);
  assert.equal(record?.json(), null);
  await assert.rejects(embedded.broker.produce('users', 'no key'), (error: unknown) => {
    assert.ok(error instanceof RequestRefusedError);
    assert.equal(error.code, 'INVALID_RECORD');
    return true;
  });
});

test('records of one key share a partition, records without a key take turns', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 3 } });
  const { broker } = embedded;
  const keyed = await broker.produce('orders', { key: 'a', value: '1' }, { key: 'a', value: '2' }, { key: 'a', value: '3' });
  assert.equal(new Set(keyed.map(({ partition }) => partition)).size, 1);
  assert.deepEqual(
    keyed.map(({ offset }) => offset),
    [0, 1, 2],
  );
  const unkeyed = await broker.produce('orders', '4', '5', '6', '7');
  assert.deepEqual(
    unkeyed.map(({ partition }) => partition),
    [0, 1, 2, 0],
  );
  const [chosen] = await broker.produce('orders', { partition: 2, value: '8' });
  assert.equal(chosen?.partition, 2);
});

test('reading goes by timestamp over the partitions, and by offset within each', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 2 } });
  const { broker } = embedded;
  await broker.produce(
    'orders',
    { partition: 1, value: 'second', timestamp: 2000 },
    { partition: 0, value: 'first', timestamp: 1000 },
    { partition: 0, value: 'fourth', timestamp: 4000 },
    { partition: 1, value: 'third', timestamp: 3000 },
    { partition: 1, value: 'last, though it says it is old', timestamp: 500 },
  );
  assert.deepEqual(textsOf(await Array.fromAsync(broker.records('orders'))), [
    'first',
    'second',
    'third',
    'last, though it says it is old',
    'fourth',
  ]);
  assert.deepEqual(textsOf(await Array.fromAsync(broker.records('orders', { partition: 0 }))), ['first', 'fourth']);
  assert.deepEqual(textsOf(await Array.fromAsync(broker.records('orders', { partition: 1, from: 1 }))), [
    'third',
    'last, though it says it is old',
  ]);
});

test('calls append in the order in which they are made, also when the topic is made by the first', async () => {
  await using embedded = await startTestEmbedded();
  const { broker } = embedded;
  await Promise.all(['1', '2', '3', '4', '5'].map((value) => broker.produce('made', value)));
  assert.deepEqual(textsOf(await Array.fromAsync(broker.records('made'))), ['1', '2', '3', '4', '5']);
});

test('more than one batch takes is split, and every record gets its offset', async () => {
  await using embedded = await startTestEmbedded({ topics: { logs: { partitions: 2, config: { 'max.message.bytes': '1KiB' } } } });
  const { broker } = embedded;
  const texts = Array.from({ length: 50 }, (_, index) => `${index}`.padStart(100, '.'));
  const metadata = await broker.produce('logs', ...texts);
  assert.deepEqual(
    metadata.map(({ partition, offset }) => [partition, offset]),
    texts.map((_, index) => [index % 2, Math.floor(index / 2)]),
  );
  assert.deepEqual(new Set(textsOf(await Array.fromAsync(broker.records('logs')))), new Set(texts));
  await assert.rejects(broker.produce('logs', 'x'.repeat(2000)), {
    name: 'RequestRefusedError',
    code: 'MESSAGE_TOO_LARGE',
    message: /max\.message\.bytes/,
  });
});

test('the bytes of the caller are copied: it may use its buffer again at once', async () => {
  await using embedded = await startTestEmbedded();
  const bytes = Buffer.from('before');
  const producing = embedded.broker.produce('orders', bytes);
  bytes.fill('x');
  await producing;
  assert.deepEqual(textsOf(await Array.fromAsync(embedded.broker.records('orders'))), ['before']);
});

test('records that clients sent are read, compressed or not', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker, env } = embedded;
  await sendBatch(embedded, 'orders', buildRecordBatch(env.compute, values('plain', 'plain too')));
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
    await sendBatch(embedded, 'orders', await buildCompressedRecordBatch(env.compute, values(codec), codec));
  assert.deepEqual(textsOf(await Array.fromAsync(broker.records('orders'))), ['plain', 'plain too', 'gzip', 'snappy', 'lz4', 'zstd']);
  assert.deepEqual(textsOf(await Array.fromAsync(broker.records('orders', { partition: 0, from: 1 }))).slice(0, 2), ['plain too', 'gzip']);
});

test('of transactions only what is committed is read', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker, env } = embedded;
  const log = broker.internals.partitions.ledHere(broker.internals.image.findTopic('orders')!, 0);
  const append = async (batch: Buffer, marker?: TransactionMarker): Promise<void> => {
    const prepared = Object.assign(prepareOwn(batch), { marker });
    await log.append(prepared, { origin: 'coordinator', expectedLeaderEpoch: log.leaderEpoch }).committed.wait();
  };
  const transactional = (producerId: number, baseSequence: number): RecordBatchOptions => ({
    producerId,
    producerEpoch: 0,
    baseSequence,
    isTransactional: true,
  });
  const end = (producerId: number, outcome: 'commit' | 'abort'): Promise<void> => {
    const marker = { producerId, producerEpoch: 0, coordinatorEpoch: 0, timestamp: 1_704_067_200_000 };
    const batch = buildEndTransactionMarker(env.compute, outcome === 'commit' ? 'COMMIT' : 'ABORT', marker);
    return append(batch, { outcome, coordinatorEpoch: 0 });
  };
  await append(buildRecordBatch(env.compute, values('kept 1'), transactional(1, 0)));
  await append(buildRecordBatch(env.compute, values('dropped'), transactional(2, 0)));
  await broker.produce('orders', 'between');
  assert.deepEqual(await Array.fromAsync(broker.records('orders')), [], 'nothing behind an open transaction is read');
  await end(2, 'abort');
  await append(buildRecordBatch(env.compute, values('kept 2'), transactional(1, 1)));
  await end(1, 'commit');
  await append(buildRecordBatch(env.compute, values('kept 3'), transactional(2, 1)));
  await end(2, 'commit');
  assert.deepEqual(textsOf(await Array.fromAsync(broker.records('orders'))), ['kept 1', 'between', 'kept 2', 'kept 3']);
});

test('following goes on with what is produced later, until the broker stops', async () => {
  const embedded = await startTestEmbedded({ topics: { orders: 2 } });
  const { broker } = embedded;
  await broker.produce('orders', 'old');
  const seen: (string | null)[] = [];
  const reading = (async () => {
    for await (const record of broker.records('orders', { from: 'end', follow: true })) seen.push(record.text());
  })();
  await embedded.env.settle();
  await broker.produce('orders', 'new 1', 'new 2');
  await embedded.env.settle();
  assert.deepEqual(new Set(seen), new Set(['new 1', 'new 2']));
  await embedded.until(broker.stop());
  await reading;
});

test('following ends without an error when its signal aborts', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const controller = new AbortController();
  const reading = Array.fromAsync(embedded.broker.records('orders', { follow: true, signal: controller.signal }));
  await embedded.broker.produce('orders', 'a');
  await embedded.env.settle();
  controller.abort();
  assert.deepEqual(textsOf(await reading), ['a']);
});

test('what makes no sense is refused with a word on what would', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 2 }, config: { 'auto.create.topics.enable': false } });
  const { broker } = embedded;
  const refused = (work: Promise<unknown>, code: string, message: RegExp): Promise<void> => assert.rejects(work, { code, message });
  await refused(broker.produce('order', 'a'), 'UNKNOWN_TOPIC_OR_PARTITION', /Did you mean 'orders'/);
  await refused(broker.produce('orders', { partition: 2, value: 'a' }), 'UNKNOWN_TOPIC_OR_PARTITION', /partitions 0 to 1/);
  await refused(Array.fromAsync(broker.records('nothing.like.it')), 'UNKNOWN_TOPIC_OR_PARTITION', /There are: orders/);
  await refused(Array.fromAsync(broker.records('orders', { partition: 5 })), 'UNKNOWN_TOPIC_OR_PARTITION', /partitions 0 to 1/);
  await refused(Array.fromAsync(broker.records('orders', { partition: 0, from: 1 })), 'OFFSET_OUT_OF_RANGE', /0\.\.0/);
  await refused(Array.fromAsync(broker.records('orders', { from: 1 })), 'INVALID_ARGUMENT', /partition: 0/);
  await refused(Array.fromAsync(broker.records('orders', { from: 'end' })), 'INVALID_ARGUMENT', /follow: true/);
  await refused(broker.createTopic('orders'), 'TOPIC_ALREADY_EXISTS', /orders/);
  await refused(broker.createTopic('bad name'), 'INVALID_TOPIC_EXCEPTION', /bad name/);
  const misuse = [7, null, { value: { id: 1 } }, { value: 'a', json: 1 }, { json: () => 1 }, { timestamp: -1 }];
  for (const record of misuse) await assert.rejects(broker.produce('orders', record as never), InvalidArgumentError);
  assert.deepEqual(await broker.produce('orders'), []);
});

test('a topic that is deleted takes its records with it, and ends the reading of it', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  await broker.produce('orders', 'old');
  const following = assert.rejects(Array.fromAsync(broker.records('orders', { follow: true })), { code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  const waiting = broker.waitForRecords('orders', { where: (record) => record.text() === 'new' });
  await embedded.env.settle();
  await broker.deleteTopic('orders');
  await following;
  await assert.rejects(broker.deleteTopic('orders'), { code: 'UNKNOWN_TOPIC_OR_PARTITION' });
  await broker.createTopic('orders', { partitions: 2 });
  assert.deepEqual(await Array.fromAsync(broker.records('orders')), []);
  await broker.produce('orders', 'new');
  assert.equal((await waiting)[0]?.offset, 0, 'a wait goes on with the topic that took its place');
});

test('partitions that are added while a topic is followed are read from their start', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  const waiting = broker.waitForRecords('orders', { count: 2 });
  await broker.produce('orders', 'in 0');
  await embedded.env.settle();
  await broker.internals.topics.grow([{ name: 'orders', partitionCount: 2, assignments: null }], { validateOnly: false });
  await broker.produce('orders', { partition: 1, value: 'in 1' });
  assert.deepEqual(
    (await waiting).map((record) => record.text()),
    ['in 0', 'in 1'],
  );
});
