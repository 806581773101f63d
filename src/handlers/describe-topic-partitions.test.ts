import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import {
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
  type DescribeTopicPartitionsResponse,
} from '../protocol/messages/describe-topic-partitions.ts';
import { createTopics } from './topic-admin.testing.ts';

interface Asked {
  readonly limit?: number;
  readonly cursor?: readonly [topic: string, partition: number];
}

function ask({ client }: TestBroker, topics: readonly string[], asked: Asked = {}): Promise<DescribeTopicPartitionsResponse> {
  const { limit = 2000, cursor } = asked;
  return client.request({ request: describeTopicPartitionsRequest, response: describeTopicPartitionsResponse }, 0, {
    topics: topics.map((name) => ({ name })),
    responsePartitionLimit: limit,
    cursor: cursor === undefined ? null : { topicName: cursor[0], partitionIndex: cursor[1] },
  });
}

/** `topic[partitions]`, and at the end `> topic/partition` of the cursor. */
async function page(broker: TestBroker, topics: readonly string[], asked: Asked = {}): Promise<string> {
  const answer = await ask(broker, topics, asked);
  const shown = answer.topics.map(({ name, errorCode, partitions }) =>
    errorCode === 0 ? `${name}[${partitions.map(({ partitionIndex }) => partitionIndex).join()}]` : `${name} ${errorNameOf(errorCode)}`,
  );
  const { nextCursor } = answer;
  return [...shown, ...(nextCursor === null ? [] : [`> ${nextCursor.topicName}/${nextCursor.partitionIndex}`])].join(' ');
}

async function withTopics(settings: Record<string, string> = {}): Promise<TestBroker> {
  const broker = await startTestBroker({ settings });
  await createTopics(broker, [
    { name: 'c', partitions: 2 },
    { name: 'a', partitions: 3 },
    { name: 'b', partitions: 1 },
  ]);
  return broker;
}

test('no topics named means all, in the order of their names, with leader, replicas and what may be done', async () => {
  await using broker = await withTopics();
  assert.equal(await page(broker, []), 'a[0,1,2] b[0] c[0,1]');
  const [topic] = (await ask(broker, ['b'])).topics;
  assert.ok(topic);
  const { leaderEpoch, ...partition } = topic.partitions[0] ?? {};
  assert.equal(leaderEpoch, 0);
  assert.deepEqual(partition, {
    errorCode: 0,
    partitionIndex: 0,
    leaderId: 1,
    replicaNodes: [1],
    isrNodes: [1],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: [],
  });
  assert.equal(topic.topicId, broker.broker.image.findTopic('b')?.id);
  // READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS: told whether asked or not
  assert.equal(topic.topicAuthorizedOperations, 3576);
});

test('named topics come in the order of their names too, each once, and those that are not there with an error', async () => {
  await using broker = await withTopics();
  assert.equal(
    await page(broker, ['c', 'none', 'a', 'c', 'bad name', '']),
    ' INVALID_TOPIC_EXCEPTION a[0,1,2] bad name INVALID_TOPIC_EXCEPTION c[0,1] none UNKNOWN_TOPIC_OR_PARTITION',
  );
});

test('a page ends after as many partitions as the client takes, and the cursor says where the next begins', async () => {
  await using broker = await withTopics();
  const expected = [
    ['a[0] > a/1', 1],
    ['a[0,1] > a/2', 2],
    ['a[0,1,2] > b/0', 3],
    ['a[0,1,2] b[0] > c/0', 4],
    ['a[0,1,2] b[0] c[0] > c/1', 5],
    ['a[0,1,2] b[0] c[0,1]', 6],
    ['a[0,1,2] b[0] c[0,1]', 7],
    ['a[0] > a/1', 0],
    ['a[0] > a/1', -1],
  ] as const;
  for (const [shown, limit] of expected) {
    assert.equal(await page(broker, [], { limit }), shown, `all, ${limit}`);
    assert.equal(await page(broker, ['a', 'b', 'c'], { limit }), shown, `named, ${limit}`);
  }
});

test('no page is larger than the settings allow', async () => {
  await using broker = await withTopics({ 'max.request.partition.size.limit': '2' });
  assert.equal(await page(broker, [], { limit: 2000 }), 'a[0,1] > a/2');
});

test('pages read one after the other show every partition once, also when topics come and go meanwhile', async () => {
  await using broker = await withTopics();
  const seen: string[] = [];
  let cursor: readonly [string, number] | undefined;
  for (let round = 0; round < 10; round += 1) {
    const answer = await ask(broker, [], { limit: 2, ...(cursor && { cursor }) });
    for (const { name, partitions } of answer.topics) for (const { partitionIndex } of partitions) seen.push(`${name}${partitionIndex}`);
    if (answer.nextCursor === null) break;
    cursor = [answer.nextCursor.topicName, answer.nextCursor.partitionIndex];
    if (round === 0) await createTopics(broker, ['bb']);
    if (round === 1) await broker.broker.topics.delete([broker.broker.image.findTopic('c')?.id ?? '']);
  }
  assert.deepEqual(seen, ['a0', 'a1', 'a2', 'b0', 'bb0']);
});

test('a cursor may point behind the last partition, at a topic that is gone, and at none that ever was', async () => {
  await using broker = await withTopics();
  assert.equal(await page(broker, [], { cursor: ['a', 3] }), 'a[] b[0] c[0,1]');
  assert.equal(await page(broker, [], { cursor: ['a', 2_147_483_647] }), 'a[] b[0] c[0,1]');
  assert.equal(await page(broker, [], { cursor: ['aa', 5] }), 'b[0] c[0,1]');
  assert.equal(await page(broker, [], { cursor: ['z', 0] }), '');
  assert.equal(await page(broker, ['a', 'c'], { cursor: ['c', 1] }), 'c[1]');
});

test('a cursor outside the topics named, or before the first partition, is an invalid request', async () => {
  await using broker = await withTopics();
  assert.equal(await page(broker, ['a', 'c'], { cursor: ['b', 0] }), 'a INVALID_REQUEST c INVALID_REQUEST');
  assert.equal(await page(broker, ['a'], { cursor: ['a', -1] }), 'a INVALID_REQUEST');
});

test('a page out of 10,000 topics costs what is on it, not what there is', async () => {
  await using broker = await startTestBroker();
  for (let from = 0; from < 10_000; from += 2_500)
    await createTopics(
      broker,
      Array.from({ length: 2_500 }, (_, at) => `t${String(from + at).padStart(5, '0')}`),
    );
  const { image } = broker.broker;
  assert.equal(await page(broker, [], { cursor: ['t05000', 0], limit: 2 }), 't05000[0] t05001[0] > t05002/0');
  assert.equal(image.topicNames, image.topicNames, 'the names are put in order once');
});
