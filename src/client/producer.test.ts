import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { makeCompute } from '../base/real/compute.ts';
import { kafkaErrors } from '../protocol/errors.ts';
import type { ProduceRequest } from '../protocol/messages/produce.ts';
import { baseSequenceOf, producerIdOf, recordCountOf } from '../protocol/record-batch.ts';
import { decodeRecords } from '../protocol/record-batch-records.ts';
import { createTopics } from './admin.ts';
import { Cluster } from './cluster.ts';
import { FakeWorld, metadataOf, TIMEOUT_MS, type Answers } from './fake-broker.testing.ts';
import { fetchRecords, type Assignment } from './fetcher.ts';
import { partitionOfKey } from './partitioner.ts';
import { Producer, topicToProduceTo, type Delivery, type FailedDelivery, type ProducerOptions } from './producer.ts';

const compute = makeCompute();
const text = (bytes: Uint8Array | null | undefined): string | null => (bytes == null ? null : Buffer.from(bytes).toString());

async function clusterAt(broker: TestBroker): Promise<Cluster> {
  return Cluster.connect({
    env: { ...broker.env, network: broker.env.wire.join() },
    brokers: [{ host: 'localhost', port: broker.port }],
    clientId: 'test',
    software: { name: 'test', version: '1' },
    connectTimeoutMs: 1000,
    timeoutMs: TIMEOUT_MS,
  });
}

async function made(cluster: Cluster, name: string, partitions: number, configs: Record<string, string> = {}) {
  const outcomes = await createTopics(cluster, [{ name, partitions, replicationFactor: 1, configs: new Map(Object.entries(configs)) }]);
  assert.equal(outcomes.get(name)?.error, undefined);
  return cluster.topic(name, { fresh: true });
}

async function readAll(cluster: Cluster, assignments: readonly Assignment[]) {
  const found: { partition: number; offset: number; key: string | null; value: string | null }[] = [];
  for await (const { partition, records } of fetchRecords({ cluster, compute, assignments }))
    found.push(...records.map(({ offset, key, value }) => ({ partition, offset, key: text(key), value: text(value) })));
  return found;
}

suite('producing to a broker', () => {
  test('records come back as they were sent, in every codec, with headers, nulls and timestamps', async () => {
    await using broker = await startTestBroker();
    const { clock } = broker.env;
    const cluster = await clusterAt(broker);
    const topic = await made(cluster, 't', 1);
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const deliveries: Delivery[] = [];
      const producer = await Producer.open({ cluster, compute, topic, codec, onDelivered: (delivery) => deliveries.push(delivery) });
      assert.equal(producer.isIdempotent, true);
      void producer.send({
        key: Buffer.from('k'),
        value: Buffer.from(codec.repeat(100)),
        timestamp: 5,
        headers: [{ key: 'h', value: Buffer.from('x') }],
      });
      void producer.send({ key: null, value: null, headers: [{ key: 'h', value: null }] });
      await clock.until(producer.flush());
      const [delivery] = deliveries;
      assert.equal(deliveries.length, 1);
      const from = delivery?.baseOffset ?? -1;
      for await (const { records } of fetchRecords({
        cluster,
        compute,
        assignments: [{ topic: 't', partition: 0, from, until: from + 2 }],
      })) {
        assert.deepEqual(
          records.map(({ offset, timestamp, key, value, headers }) => [
            offset,
            timestamp,
            text(key),
            text(value),
            headers.map((one) => [one.key, text(one.value)]),
          ]),
          [
            [from, 5, 'k', codec.repeat(100), [['h', 'x']]],
            [from + 1, clock.wallMs(), null, null, [['h', null]]],
          ],
        );
      }
    }
    cluster.close();
  });

  test('a key decides the partition as in Java, and each partition keeps the order', async () => {
    await using broker = await startTestBroker();
    const cluster = await clusterAt(broker);
    const topic = await made(cluster, 't', 4);
    const producer = await Producer.open({ cluster, compute, topic });
    for (let number = 0; number < 200; number += 1)
      void producer.send({ key: Buffer.from(`key-${number % 17}`), value: Buffer.from(String(number)) });
    void producer.send({ partition: 2, key: Buffer.from('mine'), value: null });
    await broker.env.clock.until(producer.flush());
    const ends = topic.partitions.map(({ partition }) => ({
      topic: 't',
      partition,
      from: 0,
      until: broker.broker.partitions.ledHere(broker.broker.image.findTopic('t')!, partition).highWatermark,
    }));
    const found = await readAll(cluster, ends);
    assert.equal(found.length, 201);
    for (const { key, partition } of found) assert.equal(partition, key === 'mine' ? 2 : partitionOfKey(Buffer.from(key ?? ''), 4));
    for (const partition of [0, 1, 2, 3]) {
      const numbers = found.filter((one) => one.partition === partition && one.value !== null).map(({ value }) => Number(value));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }
    cluster.close();
  });

  test('a batch whose connection breaks before its answer is sent again and written once', async () => {
    await using broker = await startTestBroker();
    const cluster = await clusterAt(broker);
    const topic = await made(cluster, 't', 1);
    const deliveries: number[] = [];
    const producer = await Producer.open({ cluster, compute, topic, onDelivered: ({ baseOffset }) => deliveries.push(baseOffset) });
    void producer.send({ key: null, value: Buffer.from('first') });
    const flushed = producer.flush();
    broker.env.disk.inject({ kinds: ['dataSync'], delayMs: 50, times: 1 });
    await broker.env.advanceMs(10); // the request has arrived, and its sync takes its time
    broker.env.wire.breakAll('ECONNRESET', { port: broker.port });
    await broker.env.clock.until(flushed);
    assert.deepEqual(deliveries, [0]);
    assert.deepEqual(await readAll(cluster, [{ topic: 't', partition: 0, from: 0, until: 1 }]), [
      { partition: 0, offset: 0, key: null, value: 'first' },
    ]);
    assert.equal(broker.broker.partitions.ledHere(broker.broker.image.findTopic('t')!, 0).highWatermark, 1);
    cluster.close();
  });

  test('a batch that the topic finds too large is halved until it fits, and a record that cannot be is given up alone', async () => {
    await using broker = await startTestBroker();
    const cluster = await clusterAt(broker);
    const topic = await made(cluster, 't', 1, { 'max.message.bytes': '400' });
    const failures: FailedDelivery[] = [];
    const producer = await Producer.open({ cluster, compute, topic, onFailed: (failure) => failures.push(failure) });
    for (let number = 0; number < 10; number += 1)
      void producer.send({ key: null, value: Buffer.from(number === 3 ? 'x'.repeat(1000) : `value ${number} ${'y'.repeat(90)}`) });
    await broker.env.clock.until(producer.flush());
    assert.deepEqual(
      failures.map(({ records, error }) => [records.length, (error as { errorName?: string }).errorName]),
      [[1, 'MESSAGE_TOO_LARGE']],
    );
    const found = await readAll(cluster, [{ topic: 't', partition: 0, from: 0, until: 9 }]);
    assert.deepEqual(
      found.map(({ value }) => value?.slice(0, 7)),
      [0, 1, 2, 4, 5, 6, 7, 8, 9].map((number) => `value ${number}`),
    );
    cluster.close();
  });

  test('with acks=0 records arrive, and a refusal is noticed by the closed connection', async () => {
    await using broker = await startTestBroker();
    const cluster = await clusterAt(broker);
    const topic = await made(cluster, 't', 1, { 'max.message.bytes': '400' });
    const failures: FailedDelivery[] = [];
    const producer = await Producer.open({ cluster, compute, topic, acks: 0, onFailed: (failure) => failures.push(failure) });
    assert.equal(producer.isIdempotent, false);
    void producer.send({ key: null, value: Buffer.from('small') });
    await broker.env.clock.until(producer.flush());
    assert.equal((await readAll(cluster, [{ topic: 't', partition: 0, from: 0, until: 1 }])).length, 1);
    void producer.send({ key: null, value: Buffer.alloc(1000) });
    await broker.env.clock.until(producer.flush());
    assert.equal(failures[0]?.error.name, 'ConnectionClosedError');
    cluster.close();
  });

  test('a topic that is not there is made where the broker does that, and otherwise not found', async () => {
    await using broker = await startTestBroker();
    const cluster = await clusterAt(broker);
    const first = await broker.env.clock.until(topicToProduceTo(cluster, 'new'));
    const again = await broker.env.clock.until(topicToProduceTo(cluster, 'new'));
    assert.deepEqual([first.created, first.topic.partitions.length, again.created], [true, 1, false]);
    await using strict = await startTestBroker({ settings: { 'auto.create.topics.enable': 'false' } });
    const other = await clusterAt(strict);
    await assert.rejects(strict.env.clock.until(topicToProduceTo(other, 'new')), { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' });
    cluster.close();
    other.close();
  });
});

/** Batches as they were asked to be written, and what to answer to each. */
class FakeLog {
  readonly batches: { version: number; topicId: string; sequence: number; producerId: number; values: (string | null)[] }[] = [];
  readonly answers: Answers;

  constructor(outcomes: readonly (keyof typeof kafkaErrors | 'NONE' | 'close' | 'silence')[], { topicId }: { topicId?: string } = {}) {
    const left = [...outcomes];
    this.answers = {
      Metadata: () => metadataOf([1], [{ name: 't', leaders: [1], ...(topicId !== undefined && { id: topicId }) }]),
      InitProducerId: () => ({ throttleTimeMs: 0, errorCode: 0, producerId: 77, producerEpoch: 3 }),
      Produce: (body: ProduceRequest, { version }) => {
        const [topic] = body.topicData;
        const bytes = topic?.partitionData[0]?.records ?? Buffer.alloc(0);
        const records = decodeRecords(compute, bytes, 1e6);
        assert.ok(Array.isArray(records));
        assert.equal(recordCountOf(bytes, 0), records.length);
        this.batches.push({
          version,
          topicId: topic?.topicId ?? '',
          sequence: baseSequenceOf(bytes, 0),
          producerId: producerIdOf(bytes, 0),
          values: records.map(({ value }) => text(value)),
        });
        const outcome = left.shift() ?? 'NONE';
        if (outcome === 'close') return 'close';
        if (outcome === 'silence') return undefined;
        const errorCode = outcome === 'NONE' ? 0 : kafkaErrors[outcome][0];
        return {
          throttleTimeMs: 0,
          responses: [
            {
              name: 't',
              topicId: topic?.topicId,
              partitionResponses: [{ index: 0, errorCode, baseOffset: errorCode === 0 ? 100 : -1, recordErrors: [], errorMessage: null }],
            },
          ],
        };
      },
    };
  }
}

suite('producing to a broker that has its own ways', () => {
  async function open(log: FakeLog, options: Partial<ProducerOptions> = {}, ranges?: Record<string, readonly [number, number]>) {
    const world = new FakeWorld();
    await world.broker({ port: 1, answers: log.answers, ...(ranges && { ranges }) });
    const cluster = await world.cluster({ ports: [1] });
    const topic = await cluster.topic('t');
    const failures: FailedDelivery[] = [];
    const delivered: Delivery[] = [];
    const producer = await Producer.open({
      cluster,
      compute,
      topic,
      onFailed: (failure) => failures.push(failure),
      onDelivered: (delivery) => delivered.push(delivery),
      ...options,
    });
    const send = (value: string): Promise<void> => {
      void producer.send({ key: null, value: Buffer.from(value) });
      return world.clock.until(producer.flush());
    };
    return { world, producer, failures, delivered, send };
  }

  test('what fails for a passing reason goes out again with the same sequence, and the next batch follows on it', async () => {
    const log = new FakeLog(['NOT_LEADER_OR_FOLLOWER', 'close', 'NONE', 'DUPLICATE_SEQUENCE_NUMBER']);
    const { send, failures, delivered } = await open(log);
    await send('a');
    await send('b');
    assert.deepEqual(
      log.batches.map(({ sequence, producerId, values }) => [sequence, producerId, ...values]),
      [
        [0, 77, 'a'],
        [0, 77, 'a'],
        [0, 77, 'a'],
        [1, 77, 'b'],
      ],
    );
    assert.deepEqual([failures, delivered.map(({ baseOffset }) => baseOffset)], [[], [100, -1]]);
  });

  test('the topic goes by its id where there is one, and by its name otherwise', async () => {
    const id = 'AAAAAAAAAAAAAAAAAAAAAQ';
    const byId = new FakeLog([], { topicId: id });
    await (await open(byId)).send('a');
    assert.deepEqual([byId.batches[0]?.version, byId.batches[0]?.topicId], [13, id]);
    const byName = new FakeLog([]);
    await (await open(byName)).send('a');
    assert.equal(byName.batches[0]?.version, 12);
  });

  test('a broker without producer ids is produced to without them', async () => {
    const log = new FakeLog(['close']);
    const { send, producer } = await open(log, {}, { ApiVersions: [0, 1], Metadata: [0, 5], Produce: [0, 5] });
    await send('a');
    assert.equal(producer.isIdempotent, false);
    assert.deepEqual(
      log.batches.map(({ version, sequence, producerId }) => [version, sequence, producerId]),
      [
        [5, -1, -1],
        [5, -1, -1],
      ],
    );
  });

  test('what was refused does not stop the others, and its sequence is used for the next', async () => {
    const log = new FakeLog(['INVALID_RECORD', 'NONE']);
    const { send, failures } = await open(log);
    await send('bad');
    await send('good');
    assert.deepEqual(
      failures.map(({ error }) => (error as { errorName?: string }).errorName),
      ['INVALID_RECORD'],
    );
    assert.deepEqual(
      log.batches.map(({ sequence, values }) => [sequence, ...values]),
      [
        [0, 'bad'],
        [0, 'good'],
      ],
    );
  });

  test('when it stays open whether a batch was written, nothing is sent after it', async () => {
    const log = new FakeLog(['silence', 'silence', 'silence', 'silence']);
    const { send, failures } = await open(log, { deliveryTimeoutMs: TIMEOUT_MS });
    await send('a');
    const sent = log.batches.length;
    await send('b');
    assert.equal(log.batches.length, sent);
    assert.deepEqual(
      failures.map(({ error, records }) => [error.name, records.length]),
      [
        ['RequestTimeoutError', 1],
        ['RequestTimeoutError', 1],
      ],
    );
  });

  test('whoever sends faster than the broker takes is asked to wait', async () => {
    const log = new FakeLog([]);
    const { producer, world } = await open(log);
    const value = Buffer.alloc(1024 * 1024);
    let waits: Promise<void> | undefined;
    for (let sent = 0; waits === undefined; sent += 1) {
      assert.ok(sent < 100, 'the producer takes everything');
      waits = producer.send({ key: null, value });
    }
    await world.clock.until(waits);
    assert.ok(producer.bufferedBytes <= 16 * 1024 * 1024);
    await world.clock.until(producer.flush());
    assert.equal(producer.bufferedBytes, 0);
  });
});
