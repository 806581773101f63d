import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { resourceTypes } from '../broker/image/metadata-image.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { listConfigResourcesRequest, listConfigResourcesResponse } from '../protocol/messages/list-config-resources.ts';
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from '../protocol/messages/list-partition-reassignments.ts';
import { createTopics } from './topic-admin.testing.ts';

async function list({ client }: TestBroker, types: readonly number[], version = 1): Promise<string[]> {
  const answer = await client.request({ request: listConfigResourcesRequest, response: listConfigResourcesResponse }, version, {
    resourceTypes: types,
  });
  return [
    errorNameOf(answer.errorCode) ?? '',
    ...answer.configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`),
  ];
}

async function withResources(): Promise<TestBroker> {
  const broker = await startTestBroker();
  await createTopics(broker, ['b', 'a']);
  const of = (type: number, name: string) => ({ type, name, to: [] });
  await broker.broker.configs.alter(
    [
      { ...of(resourceTypes.clientMetrics, 'm'), to: [{ name: 'interval.ms', operation: 'set', value: '1000' }] },
      { ...of(resourceTypes.group, 'g'), to: [{ name: 'consumer.session.timeout.ms', operation: 'set', value: '50000' }] },
    ],
    { validateOnly: false },
  );
  return broker;
}

test('version 0 lists client metrics', async () => {
  await using broker = await withResources();
  assert.deepEqual(await list(broker, [], 0), ['NONE', '16 m']);
});

test('version 1 lists the types it is asked for, or all: topics, brokers and their loggers, and what has settings of its own', async () => {
  await using broker = await withResources();
  assert.deepEqual(await list(broker, []), ['NONE', '2 a', '2 b', '4 1', '8 1', '16 m', '32 g']);
  assert.deepEqual(await list(broker, [32, 2, 32]), ['NONE', '32 g', '2 a', '2 b']);
  assert.deepEqual(await list(broker, [2, 3]), ['UNSUPPORTED_VERSION']);
});

test('no partition is being reassigned', async () => {
  await using broker = await withResources();
  const tables = { request: listPartitionReassignmentsRequest, response: listPartitionReassignmentsResponse };
  for (const topics of [null, [], [{ name: 'a', partitionIndexes: [0] }]]) {
    const answer = await broker.client.request(tables, 0, { topics });
    assert.deepEqual([answer.errorCode, answer.topics], [0, []]);
  }
});
