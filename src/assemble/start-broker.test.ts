import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTopicsRequest, createTopicsResponse } from '../protocol/messages/create-topics.ts';
import { metadataRequest, metadataResponse } from '../protocol/messages/metadata.ts';
import { ConnectionClosedError } from '../client/connection.ts';
import { startTestBroker, type TestBroker } from './broker.testing.ts';

const createTopics = { request: createTopicsRequest, response: createTopicsResponse };
const metadata = { request: metadataRequest, response: metadataResponse };

const create = ({ client }: TestBroker, name: string) =>
  client.request(createTopics, 7, {
    topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  });
const listed = async ({ client }: TestBroker): Promise<(string | null)[]> => {
  const { topics } = await client.request(metadata, 12, {
    topics: null,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  });
  return topics.map(({ name }) => name);
};

test('a broker in memory answers, and keeps its topics and its name over a restart', async () => {
  await using first = await startTestBroker();
  await create(first, 'orders');
  await using second = await first.restart();
  assert.deepEqual(await listed(second), ['orders']);
  assert.equal(second.broker.clusterId, first.broker.clusterId);
  assert.deepEqual(second.failures, []);
});

test('clients of a broker that is killed see their connection break', async () => {
  await using first = await startTestBroker();
  const pending = create(first, 'orders');
  const broken = assert.rejects(pending, ConnectionClosedError);
  await using second = await first.crash();
  await broken;
  assert.ok((await listed(second)).length <= 1);
});

test('a log dir serves one broker at a time; a second one is told who has it, and harms nothing', async () => {
  await using first = await startTestBroker();
  await create(first, 'orders');
  await assert.rejects(
    startTestBroker({ disk: first.env.disk, clock: first.env.clock }),
    /^DirectoryLockedError: \/data is in use by the broker/,
  );
  await create(first, 'more');
  assert.deepEqual(new Set(await listed(first)), new Set(['more', 'orders']));
  await using second = await first.restart();
  assert.deepEqual(new Set(await listed(second)), new Set(['more', 'orders']));
});

test('a start that fails gives its log dirs back', async () => {
  const { disk, clock } = await (async () => {
    await using first = await startTestBroker({ settings: { 'node.id': '3' } });
    return first.env;
  })();
  await assert.rejects(startTestBroker({ disk, clock, settings: { 'node.id': '4' } }), /^WrongDirectoryError: \/data belongs to node 3/);
  await using second = await startTestBroker({ disk, clock });
  assert.equal(second.broker.nodeId, 3);
});

test('a stop says that it was one: in the metadata, and by the mark that names the epoch of the broker', async () => {
  await using broker = await startTestBroker({ settings: { 'log.dirs': '/data,/more' } });
  const epoch = broker.broker.image.brokers.get(1)?.epoch;
  assert.equal(epoch, 1, 'the offset of the first record after the leader change');
  await broker.stop();
  for (const directory of ['/data', '/more']) {
    const mark = await broker.env.files.readFile(`${directory}/.kafka_cleanshutdown`);
    assert.deepEqual(JSON.parse(mark.toString()), { version: 0, brokerEpoch: epoch });
  }
  assert.equal(broker.broker.image.brokers.get(1)?.fenced, true);
});

test('a start that fails vouches for nothing: partitions it has not looked at are looked at by the next one', async () => {
  const first = await startTestBroker();
  await create(first, 'orders');
  const { disk, clock } = first.env;
  first.env.kill();
  {
    using _damage = disk.inject({ path: /__cluster_metadata-0/, kinds: ['read'], code: 'EIO' });
    await assert.rejects(startTestBroker({ disk, clock }));
  }
  assert.equal(await disk.mount().stat('/data/.kafka_cleanshutdown'), undefined);
  await using second = await startTestBroker({ disk, clock });
  assert.deepEqual(await listed(second), ['orders']);
});

test('a log dir that is missing is missed: its partitions are not begun again', async () => {
  await using first = await startTestBroker({ settings: { 'log.dirs': '/data,/more' } });
  await create(first, 'orders');
  const topic = first.broker.image.findTopic('orders');
  assert.ok(topic);
  const more = first.broker.image.brokers.get(1)?.logDirs[1] ?? '';
  await first.broker.metadata.execute(() => ({
    records: [{ type: 'PartitionChangeRecord', value: { topicId: topic.id, partitionId: 0, directories: [more] } }],
    reply: undefined,
  }));
  await first.stop();
  const { disk, clock } = first.env;
  await assert.rejects(
    startTestBroker({ disk, clock }),
    /WrongDirectoryError: the log dir with the directory.id .* holds 1 partition \(orders-0\)/,
  );
  await using second = await startTestBroker({ disk, clock, settings: { 'storage.lost.log.dirs': more } });
  assert.deepEqual(await listed(second), ['orders']);
});

test('a new log dir leaves what a formatted one of Kafka has', async () => {
  await using broker = await startTestBroker();
  await broker.stop();
  const names = (await broker.env.files.readDirectory('/data')).map(({ name }) => name);
  for (const name of ['meta.properties', 'bootstrap.checkpoint', '.kafka_cleanshutdown', '__cluster_metadata-0'])
    assert.ok(names.includes(name), name);
  const metadata = (await broker.env.files.readDirectory('/data/__cluster_metadata-0')).map(({ name }) => name);
  for (const name of ['quorum-state', 'partition.metadata', 'leader-epoch-checkpoint', '00000000000000000000.log'])
    assert.ok(metadata.includes(name), name);
});

test('after a clean stop a log dir holds no folder but those of partitions', async () => {
  await using broker = await startTestBroker();
  await broker.stop();
  const folders = (await broker.env.files.readDirectory('/data')).filter(({ isDirectory }) => isDirectory);
  assert.deepEqual(
    folders.map(({ name }) => name),
    ['__cluster_metadata-0'],
  );
});
