import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CollectingLogger } from '../base/log.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { fetchRequest, fetchResponse } from '../protocol/messages/fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { BrokerFailedError, BrokerStartError, BrokerStoppedError, InvalidArgumentError } from './errors.ts';
import { startTestEmbedded } from './embedded.testing.ts';

const fetch = { request: fetchRequest, response: fetchResponse };

test('a broker that was stopped says so to whoever asks it for something', async () => {
  const embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  assert.equal(broker.state, 'running');
  const { stop } = broker; // unbound, as in afterAll(broker.stop)
  await embedded.until(Promise.all([stop(), stop()]));
  await stop();
  assert.equal(broker.state, 'stopped');
  await assert.rejects(broker.produce('orders', 'a'), BrokerStoppedError);
  await assert.rejects(broker.createTopic('more'), BrokerStoppedError);
  await assert.rejects(broker.waitForRecords('orders'), { code: 'BROKER_STOPPED' });
  await assert.rejects(Array.fromAsync(broker.records('orders')), BrokerStoppedError);
  assert.equal(embedded.env.clock.pendingTimers, 0);
  assert.equal(embedded.env.files.openHandles, 0);
});

test('a stop does not wait for clients that wait for records', async () => {
  const embedded = await startTestEmbedded({ topics: ['orders'] });
  const client = await embedded.connect();
  const fetching = client.request(fetch, 11, {
    replicaId: -1,
    maxWaitMs: 30_000,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel: 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: 'orders',
        topicId: ZERO_UUID,
        partitions: [
          { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1, logStartOffset: -1, partitionMaxBytes: 1_000_000 },
        ],
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  });
  await embedded.env.settle();
  const startedMs = embedded.env.clock.monotonicMs();
  const stopping = embedded.broker.stop();
  const answer = await fetching;
  assert.equal(answer.responses[0]?.partitions[0]?.errorCode, 0);
  client.close();
  await embedded.until(stopping);
  assert.equal(embedded.env.clock.monotonicMs() - startedMs, 0);
});

test('a signal stops the broker, and one that has aborted already keeps it from starting', async () => {
  const controller = new AbortController();
  const embedded = await startTestEmbedded({ signal: controller.signal });
  controller.abort();
  assert.equal(embedded.broker.state, 'stopping');
  await embedded.until(embedded.broker.stop());
  assert.equal(embedded.broker.state, 'stopped');
  const reason = new Error('no more');
  await assert.rejects(startTestEmbedded({ signal: AbortSignal.abort(reason) }), reason);
});

test('a broker whose disk fails rejects everything, reports it once, and stops', async () => {
  const disk = new MemoryDisk();
  const told: BrokerFailedError[] = [];
  const log = new CollectingLogger();
  const embedded = await startTestEmbedded(
    { storage: { dir: '/data' }, topics: ['orders'], logger: log, onFailed: (error) => void told.push(error) },
    { disk },
  );
  const { broker } = embedded;
  await broker.produce('orders', 'kept');
  const waiting = assert.rejects(broker.waitForRecords('orders', { count: 5 }), BrokerFailedError);
  const following = assert.rejects(Array.fromAsync(broker.records('orders', { follow: true })), BrokerFailedError);
  await embedded.env.settle();
  using _ = disk.inject({ kinds: ['dataSync'], code: 'EIO' });
  const failed = await embedded.until(broker.produce('orders', 'lost').catch((thrown: unknown) => thrown));
  assert.ok(failed instanceof BrokerFailedError, String(failed));
  await waiting;
  await following;
  assert.equal(broker.state, 'failed');
  assert.equal(broker.failure, failed);
  assert.deepEqual(told, [failed]);
  assert.match(failed.message, /the broker failed: .*EIO[\s\S]*What it acknowledged is in .*data/);
  await assert.rejects(broker.produce('orders', 'more'), failed);
  await assert.rejects(broker.createTopic('more'), failed);
  await embedded.until(broker.stop());
  assert.equal(broker.state, 'failed', 'a stop does not hide it');
  await assert.rejects(embedded.connect(), 'nobody listens any more');
  assert.ok(log.messages('error').length > 0);
});

test('what is acknowledged in a directory is there for the next broker, and not for one in memory', async () => {
  const disk = new MemoryDisk();
  const first = await startTestEmbedded({ storage: { dir: '/data' }, topics: { orders: 2 } }, { disk });
  await first.broker.produce('orders', { key: 'a', value: '1' });
  await first.until(first.broker.stop());
  await using second = await startTestEmbedded({ storage: { dir: '/data' }, topics: ['orders'] }, { disk });
  assert.equal(second.broker.clusterId, first.broker.clusterId);
  assert.equal(second.broker.dataDir, '/data');
  assert.deepEqual(
    (await second.broker.waitForRecords('orders')).map((record) => record.text()),
    ['1'],
  );
  await using other = await startTestEmbedded({ topics: ['orders'] });
  assert.equal(other.broker.dataDir, undefined);
  assert.notEqual(other.broker.clusterId, '');
  assert.deepEqual(await Array.fromAsync(other.broker.records('orders')), []);
});

test('a topic with another number of partitions than asked for refuses the start, and leaves nothing running', async () => {
  const disk = new MemoryDisk();
  const first = await startTestEmbedded({ storage: { dir: '/data' }, topics: { orders: 2 } }, { disk });
  await first.until(first.broker.stop());
  await assert.rejects(startTestEmbedded({ storage: { dir: '/data' }, topics: { orders: 3 } }, { disk }), {
    name: 'BrokerStartError',
    code: 'INVALID_TOPIC',
    message: /'orders' is there already, with 2 partitions instead of 3/,
  });
  assert.equal(disk.mount().openHandles, 0);
  await using third = await startTestEmbedded({ storage: { dir: '/data' }, topics: { orders: 2 } }, { disk });
  assert.equal(third.broker.state, 'running');
});

test('a disk that fails during the start refuses the start', async () => {
  const disk = new MemoryDisk();
  using _ = disk.inject({ kinds: ['dataSync'], code: 'EIO' });
  await assert.rejects(startTestEmbedded({ storage: { dir: '/data' } }, { disk }), BrokerStartError);
});

test('what is wrong with the options is said at once, all settings together', async () => {
  const refused = (options: object, error: object): Promise<void> => assert.rejects(startTestEmbedded(options), error);
  await refused({ topic: ['orders'] }, { code: 'INVALID_ARGUMENT', message: /no option 'topic'[\s\S]*'topics'/ });
  await refused({ 'num.partitions': 3 }, { code: 'INVALID_ARGUMENT', message: /config: \{/ });
  await refused({ storage: 'disk' }, InvalidArgumentError);
  await refused({ storage: { dir: '' } }, InvalidArgumentError);
  await refused({ port: 70_000 }, InvalidArgumentError);
  await refused({ topics: { orders: 1.5 } }, InvalidArgumentError);
  await refused({ topics: { orders: { config: { 'retention.ms': '7 years' } } } }, InvalidArgumentError);
  await refused({ topics: { orders: { config: { 'retention.mss': 1 } } } }, { code: 'INVALID_TOPIC' });
  await refused({ topics: ['not a name'] }, { code: 'INVALID_TOPIC', message: /not a name/ });
  await refused({ topics: { orders: 0 } }, { code: 'INVALID_TOPIC' });
  await refused({ config: { 'log.dirs': '/tmp' } }, { code: 'INVALID_ARGUMENT', message: /storage: \{ dir \}/ });
  await refused({ config: { listeners: 'PLAINTEXT://:0' }, port: 1 }, InvalidArgumentError);
  const several = { config: { 'num.partitons': 1, 'log.retention.ms': '7 lightyears', 'message.max.bytes': -1 } };
  await refused(several, { code: 'INVALID_CONFIG', message: /3 settings are wrong[\s\S]*num\.partitions[\s\S]*/ });
});

test('settings hold for the topics that are made, with units', async () => {
  await using embedded = await startTestEmbedded({
    config: { 'num.partitions': 3, 'message.max.bytes': '1KiB' },
    topics: { plain: {}, large: { partitions: 1, config: { 'max.message.bytes': '2MiB' } } },
  });
  const { broker } = embedded;
  assert.equal((await broker.produce('plain', '1', '2', '3')).at(-1)?.partition, 2);
  await assert.rejects(broker.produce('plain', 'x'.repeat(2000)), { code: 'MESSAGE_TOO_LARGE' });
  await broker.produce('large', 'x'.repeat(2_000_000));
});

test('a logger that throws, and an onFailed that throws, do no harm', async () => {
  const disk = new MemoryDisk();
  const fails = (): never => {
    throw new Error('of the owner');
  };
  const embedded = await startTestEmbedded(
    { storage: { dir: '/data' }, topics: ['orders'], logger: { debug: fails, info: fails, warn: fails, error: fails }, onFailed: fails },
    { disk },
  );
  using _ = disk.inject({ kinds: ['dataSync'], code: 'EIO' });
  await assert.rejects(embedded.until(embedded.broker.produce('orders', 'lost')), BrokerFailedError);
  await embedded.until(embedded.broker.stop());
});

test('the figures of the broker can be read', async () => {
  await using embedded = await startTestEmbedded();
  const client = await embedded.connect();
  await embedded.env.settle();
  const value = (name: string): number | undefined => embedded.broker.metrics().find((sample) => sample.name === name)?.value;
  assert.equal(value('bucketrider_connections'), 1);
  client.close();
});

test('in a container with little memory a broker keeps little for its readers', async () => {
  const MiB = 2 ** 20;
  const cachedMiB = async (memoryLimitBytes: number): Promise<number> => {
    await using embedded = await startTestEmbedded({ topics: ['orders'] }, { memoryLimitBytes });
    for (let sent = 0; sent < 24; sent += 1) await embedded.until(embedded.broker.produce('orders', new Uint8Array(MiB - 1024)));
    const bytes = embedded.broker.metrics().find(({ name }) => name === 'bucketrider_tail_cache_bytes')?.value ?? Number.NaN;
    return Math.round(bytes / MiB);
  };
  assert.equal(await cachedMiB(Infinity), 24);
  assert.equal(await cachedMiB(128 * MiB), 8);
});
