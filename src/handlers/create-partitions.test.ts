import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../protocol/messages/create-partitions.ts';
import { batchOf, produce } from './data-path.testing.ts';
import { askMetadata, createTopics, outcomes } from './topic-admin.testing.ts';

interface Growing {
  readonly name: string;
  readonly count: number;
  readonly assignments?: readonly (readonly number[])[] | null;
}

async function grow(
  { client }: TestBroker,
  topics: readonly Growing[],
  options: { version?: number; validateOnly?: boolean } = {},
): Promise<string[]> {
  const { version = 3, validateOnly = false } = options;
  const answer = await client.request({ request: createPartitionsRequest, response: createPartitionsResponse }, version, {
    topics: topics.map(({ name, count, assignments = null }) => ({
      name,
      count,
      assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
    })),
    timeoutMs: 1000,
    validateOnly,
  });
  return outcomes(answer.results);
}

for (let version = 0; version <= 3; version += 1) {
  test(`CreatePartitions ${version} adds partitions that are ready when it answers, with a result for each topic`, async () => {
    await using broker = await startTestBroker();
    await createTopics(broker, ['orders', 'other']);
    const results = await grow(
      broker,
      [
        { name: 'orders', count: 3 },
        { name: 'other', count: 1 },
      ],
      { version },
    );
    assert.deepEqual(results, ['orders NONE', 'other INVALID_PARTITIONS Topic already has 1 partition(s).']);
    const { topics } = await askMetadata(broker, ['orders']);
    assert.deepEqual(
      topics[0]?.partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId]),
      [0, 1, 2].map((index) => [index, 1]),
    );
    assert.equal((await produce(broker.client, batchOf(['v']), { partition: 2 })).baseOffset, 0);
  });
}

test('validate only says what would come of it and adds nothing', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  assert.deepEqual(await grow(broker, [{ name: 'orders', count: 3 }], { validateOnly: true }), ['orders NONE']);
  assert.equal(broker.broker.image.findTopic('orders')?.partitions.length, 1);
});

/** Each refusal in the words of Kafka 4.2.1, which was asked the same. */
const refused: readonly (readonly [what: string, asked: Growing, told: string])[] = [
  ['as many partitions as there are', { name: 'orders', count: 2 }, 'INVALID_PARTITIONS Topic already has 2 partition(s).'],
  [
    'fewer partitions than there are',
    { name: 'orders', count: 1 },
    'INVALID_PARTITIONS The topic orders currently has 2 partition(s); 1 would not be an increase.',
  ],
  [
    'a negative number of partitions',
    { name: 'orders', count: -1 },
    'INVALID_PARTITIONS The topic orders currently has 2 partition(s); -1 would not be an increase.',
  ],
  [
    'too few assignments',
    { name: 'orders', count: 4, assignments: [[1]] },
    'INVALID_REPLICA_ASSIGNMENT Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
  ],
  [
    'an empty assignment',
    { name: 'orders', count: 3, assignments: [[]] },
    'INVALID_REPLICA_ASSIGNMENT The manual partition assignment includes an empty replica list.',
  ],
  [
    'an assignment to a broker that is not there',
    { name: 'orders', count: 3, assignments: [[9]] },
    'INVALID_REPLICA_ASSIGNMENT The manual partition assignment includes broker 9, but no such broker is registered.',
  ],
  [
    'more partitions than one request may add',
    { name: 'orders', count: 20_000 },
    'POLICY_VIOLATION Unable to perform excessively large batch operation.',
  ],
];

for (const [what, asked, told] of refused) {
  test(`${what} is refused, and the topic stays as it was`, async () => {
    await using broker = await startTestBroker();
    await createTopics(broker, [{ name: 'orders', partitions: 2 }]);
    assert.deepEqual(await grow(broker, [asked]), [`orders ${told}`]);
    assert.equal(broker.broker.image.findTopic('orders')?.partitions.length, 2);
  });
}

test('a topic that is not there, or that the request names twice, is told so, and the others grow', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b']);
  const results = await grow(broker, [
    { name: 'none', count: 2 },
    { name: 'a', count: 2 },
    { name: 'b', count: 2 },
    { name: 'a', count: 3 },
  ]);
  assert.deepEqual(
    results.map((result) => result.split(' ', 2).join(' ')),
    ['a INVALID_REQUEST', 'b NONE', 'none UNKNOWN_TOPIC_OR_PARTITION'],
  );
  assert.equal(broker.broker.image.findTopic('a')?.partitions.length, 1);
});

test('an assignment is taken, and added partitions are there after a restart', async () => {
  const first = await startTestBroker();
  await createTopics(first, ['orders']);
  assert.deepEqual(await grow(first, [{ name: 'orders', count: 3, assignments: [[1], [1]] }]), ['orders NONE']);
  await using second = await first.restart();
  assert.equal(second.broker.image.findTopic('orders')?.partitions.length, 3);
  assert.equal(second.broker.image.partitionCount, 3);
});
