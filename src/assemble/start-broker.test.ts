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

test('after a clean stop a log dir holds no folder but those of partitions', async () => {
  await using broker = await startTestBroker();
  await broker.stop();
  const folders = (await broker.env.files.readDirectory('/data')).filter(({ isDirectory }) => isDirectory);
  assert.deepEqual(
    folders.map(({ name }) => name),
    ['__cluster_metadata-0'],
  );
});
