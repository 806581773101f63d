import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { batchOf, produce } from './data-path.testing.ts';
import { askMetadata, configsOf, createTopics, outcomes, type NewTopicAsked } from './topic-admin.testing.ts';

for (let version = 2; version <= 7; version += 1) {
  test(`CreateTopics ${version} makes a topic whose partitions have a leader when it answers`, async () => {
    await using broker = await startTestBroker();
    const answers = await createTopics(broker, [{ name: 'orders', partitions: 3 }], { version });
    assert.deepEqual(outcomes(answers), ['orders NONE']);
    const { topics } = await askMetadata(broker, ['orders']);
    assert.deepEqual(
      topics[0]?.partitions.map(({ leaderId, errorCode }) => `${leaderId} ${errorCode}`),
      ['1 0', '1 0', '1 0'],
    );
    assert.equal((await produce(broker.client, batchOf(['v']), { partition: 2 })).errorCode, 0);
    const [answer] = answers;
    assert.ok(answer);
    // KIP-525 came with version 5, KIP-516 with version 7.
    assert.deepEqual([answer.numPartitions, answer.replicationFactor], version >= 5 ? [3, 1] : [-1, -1]);
    assert.equal(answer.configs?.length === 33, version >= 5);
    assert.equal(answer.topicId, version >= 7 ? topics[0].topicId : ZERO_UUID);
  });
}

test('the answer tells the settings a topic has got, in order of names, with where each comes from', async () => {
  await using broker = await startTestBroker({ settings: { 'log.segment.bytes': '2097152' } });
  const [answer] = await createTopics(broker, [{ name: 'orders', configs: { 'retention.ms': '5', 'cleanup.policy': 'compact' } }]);
  const told = new Map(answer?.configs?.map(({ name, value, configSource }) => [name, `${value}@${configSource}`]));
  assert.deepEqual([...told.keys()], [...told.keys()].sort());
  assert.equal(told.get('retention.ms'), '5@1');
  assert.equal(told.get('cleanup.policy'), 'compact@1');
  assert.equal(told.get('segment.bytes'), '2097152@4');
  assert.equal(told.get('max.message.bytes'), '1048588@5');
});

test('-1 asks for the partitions and replicas of the settings', async () => {
  await using broker = await startTestBroker({ settings: { 'num.partitions': '4' } });
  const [answer] = await createTopics(broker, [{ name: 'orders', partitions: -1, replicationFactor: -1 }]);
  assert.deepEqual([answer?.numPartitions, answer?.replicationFactor], [4, 1]);
});

test('validate only says what would come of it and makes nothing', async () => {
  await using broker = await startTestBroker();
  const answers = await createTopics(broker, [{ name: 'orders', partitions: 3 }, 'a b'], { validateOnly: true });
  assert.deepEqual(
    answers.map(({ name, errorCode, numPartitions, topicId }) => [name, errorNameOf(errorCode), numPartitions, topicId]),
    [
      ['orders', 'NONE', 3, ZERO_UUID],
      ['a b', 'INVALID_TOPIC_EXCEPTION', -1, ZERO_UUID],
    ],
  );
  assert.equal(broker.broker.image.topics.size, 0);
});

/** Each refusal in the words of Kafka 4.2.1, which was asked the same. */
const refused: readonly (readonly [what: string, asked: NewTopicAsked, told: string])[] = [
  ['an empty name', { name: '' }, ' INVALID_TOPIC_EXCEPTION Topic name is invalid: the empty string is not allowed'],
  ['the name "."', { name: '.' }, ". INVALID_TOPIC_EXCEPTION Topic name is invalid: '.' is not allowed"],
  ['the name ".."', { name: '..' }, ".. INVALID_TOPIC_EXCEPTION Topic name is invalid: '..' is not allowed"],
  [
    'a name of 250 characters',
    { name: 'x'.repeat(250) },
    `${'x'.repeat(250)} INVALID_TOPIC_EXCEPTION Topic name is invalid: the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`,
  ],
  [
    'a name with a slash',
    { name: '../x' },
    "../x INVALID_TOPIC_EXCEPTION Topic name is invalid: '../x' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
  ],
  [
    'the log of the metadata',
    { name: '__cluster_metadata' },
    '__cluster_metadata INVALID_REQUEST Creation of internal topic __cluster_metadata is prohibited.',
  ],
  ['a topic that is there', { name: 'there' }, "there TOPIC_ALREADY_EXISTS Topic 'there' already exists."],
  [
    'a topic that is there, with a wrong setting',
    { name: 'there', configs: { foo: 'x' } },
    "there TOPIC_ALREADY_EXISTS Topic 'there' already exists.",
  ],
  ['no partitions', { name: 'n', partitions: 0 }, 'n INVALID_PARTITIONS Number of partitions was set to an invalid non-positive value.'],
  [
    'no replicas',
    { name: 'n', replicationFactor: 0 },
    'n INVALID_REPLICATION_FACTOR Replication factor must be larger than 0, or -1 to use the default value.',
  ],
  [
    'neither partitions nor replicas',
    { name: 'n', partitions: 0, replicationFactor: 0 },
    'n INVALID_REPLICATION_FACTOR Replication factor must be larger than 0, or -1 to use the default value.',
  ],
  [
    'more replicas than brokers',
    { name: 'n', replicationFactor: 3 },
    'n INVALID_REPLICATION_FACTOR Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1 broker(s) are registered.',
  ],
  ['a setting that is unknown', { name: 'n', configs: { foo: 'x' } }, 'n INVALID_CONFIG Unknown topic config name: foo'],
  [
    'a setting without a value, told before one that is unknown',
    { name: 'n', configs: { 'retention.ms': null, foo: null, bar: 'x' } },
    'n INVALID_CONFIG Null value not supported for topic configs: retention.ms,foo',
  ],
  [
    'a setting out of bounds',
    { name: 'n', configs: { 'segment.bytes': '1' } },
    'n INVALID_CONFIG Invalid value 1 for configuration segment.bytes: Value must be at least 1048576',
  ],
  [
    'an assignment beside a replication factor',
    { name: 'n', replicationFactor: 1, assignments: [[0, [1]]] },
    'n INVALID_REQUEST A manual partition assignment was specified, but replication factor was not set to -1.',
  ],
  [
    'an assignment beside a number of partitions',
    { name: 'n', partitions: 1, assignments: [[0, [1]]] },
    'n INVALID_REQUEST A manual partition assignment was specified, but numPartitions was not set to -1.',
  ],
  [
    'an assignment with a gap',
    { name: 'n', assignments: [[1, [1]]] },
    'n INVALID_REPLICA_ASSIGNMENT partitions should be a consecutive 0-based integer sequence',
  ],
  [
    'an assignment that names a partition twice',
    {
      name: 'n',
      assignments: [
        [0, [1]],
        [0, [1]],
      ],
    },
    'n INVALID_REPLICA_ASSIGNMENT Found multiple manual partition assignments for partition 0',
  ],
  [
    'an assignment without replicas',
    { name: 'n', assignments: [[0, []]] },
    'n INVALID_REPLICA_ASSIGNMENT The manual partition assignment includes an empty replica list.',
  ],
  [
    'an assignment to a broker that is not there',
    { name: 'n', assignments: [[0, [7]]] },
    'n INVALID_REPLICA_ASSIGNMENT The manual partition assignment includes broker 7, but no such broker is registered.',
  ],
  [
    'an assignment to one broker twice',
    { name: 'n', assignments: [[0, [1, 1]]] },
    'n INVALID_REPLICA_ASSIGNMENT The manual partition assignment includes the broker 1 more than once.',
  ],
];

for (const [what, asked, told] of refused) {
  test(`${what} is refused, and the other topics of the request are made`, async () => {
    await using broker = await startTestBroker();
    await createTopics(broker, ['there']);
    const answers = await createTopics(broker, [asked, 'other']);
    assert.deepEqual(outcomes(answers), ['other NONE', told].sort());
    assert.deepEqual([...broker.broker.image.topics.keys()], ['there', 'other']);
  });
}

test('a name of 249 characters is a name', async () => {
  await using broker = await startTestBroker();
  const name = 'x'.repeat(249);
  assert.deepEqual(outcomes(await createTopics(broker, [name])), [`${name} NONE`]);
});

test('an assignment makes the partitions that it names', async () => {
  await using broker = await startTestBroker();
  const assignments = [
    [1, [1]],
    [0, [1]],
  ] as const;
  const [answer] = await createTopics(broker, [{ name: 'orders', assignments }]);
  assert.deepEqual([answer?.numPartitions, answer?.replicationFactor], [2, 1]);
});

test('names that differ only in dots and underscores may not stand beside each other, until one of them is gone', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a.b_c', 'plain']);
  const colliding = (name: string): string => `${name} INVALID_TOPIC_EXCEPTION Topic '${name}' collides with existing topic: a.b_c`;
  assert.deepEqual(outcomes(await createTopics(broker, ['a_b_c', 'a.b.c', 'a-b-c', 'abc'])), [
    'a-b-c NONE',
    colliding('a.b.c'),
    colliding('a_b_c'),
    'abc NONE',
  ]);
  await broker.broker.topics.delete([broker.broker.image.findTopic('a.b_c')?.id ?? '']);
  assert.deepEqual(outcomes(await createTopics(broker, ['a_b_c'])), ['a_b_c NONE']);
});

test('two topics of one request that collide with each other are not both made', async () => {
  await using broker = await startTestBroker();
  const answers = await createTopics(broker, ['x.y', 'x_y']);
  assert.deepEqual(outcomes(answers), ['x.y NONE', "x_y INVALID_TOPIC_EXCEPTION Topic 'x_y' collides with existing topic: x.y"]);
});

test('a name that a request gives twice is refused once, and neither of the two is made', async () => {
  await using broker = await startTestBroker();
  const answers = await createTopics(broker, ['twice', 'once', 'twice', 'twice']);
  assert.deepEqual(outcomes(answers), ['once NONE', 'twice INVALID_REQUEST Duplicate topic name.']);
  assert.equal(broker.broker.image.findTopic('twice'), undefined);
});

test('more replicas than brokers become as many as there are where the settings say so', async () => {
  await using broker = await startTestBroker({
    settings: { 'storage.replication.factor.clamp': 'true', 'default.replication.factor': '3' },
  });
  const answers = await createTopics(broker, [
    { name: 'three', replicationFactor: 3 },
    { name: 'default', replicationFactor: -1 },
  ]);
  assert.deepEqual(
    answers.map(({ name, replicationFactor }) => [name, replicationFactor]),
    [
      ['three', 1],
      ['default', 1],
    ],
  );
});

test('a request for more than 10,000 partitions is refused as a whole, in the shape of its version', async () => {
  await using broker = await startTestBroker();
  for (const version of [2, 7]) {
    const answers = await createTopics(broker, [{ name: 'large', partitions: 10_000 }, 'small'], { version });
    const told = 'POLICY_VIOLATION Excessively large number of partitions per request.';
    assert.deepEqual(outcomes(answers), [`large ${told}`, `small ${told}`]);
  }
  assert.equal(broker.broker.image.topics.size, 0);
});

test('two requests for the same topic at the same moment make it once', async () => {
  await using broker = await startTestBroker();
  const other = await broker.connect();
  const answers = await Promise.all([createTopics(broker, ['orders']), createTopics({ client: other }, ['orders'])]);
  const told = answers.flatMap((topics) => topics.map(({ errorCode }) => `${errorNameOf(errorCode)}`));
  assert.deepEqual(told.sort(), ['NONE', 'TOPIC_ALREADY_EXISTS']);
});

test('ten thousand partitions are made in one request, with one sync of the metadata', async () => {
  await using broker = await startTestBroker();
  const syncs = (): number => broker.env.disk.counts.get('dataSync') ?? 0;
  const before = syncs();
  const [answer] = await createTopics(broker, [{ name: 'large', partitions: 10_000 }]);
  assert.equal(answer?.numPartitions, 10_000);
  assert.ok(syncs() - before <= 2, `${syncs() - before} syncs`);
});

async function durableState(broker: TestBroker): Promise<unknown> {
  const { topics } = await askMetadata(broker, null);
  return [
    topics.map(({ name, topicId, partitions }) => [name, topicId, partitions.length]),
    await configsOf(broker, { name: 'orders', keys: ['retention.ms'] }),
  ];
}

test('what was answered is there after the power failed in that moment, id, partitions and settings', async () => {
  const first = await startTestBroker({ disk: new MemoryDisk({ modelsPowerLoss: true }) });
  await createTopics(first, [{ name: 'orders', partitions: 3, configs: { 'retention.ms': '5' } }]);
  const before = await durableState(first);
  await using second = await first.crash({ survives: () => false });
  assert.deepEqual(await durableState(second), before);
});

test('a disk that is full is told as KAFKA_STORAGE_ERROR, nothing is made, and it goes on when there is room', async () => {
  await using broker = await startTestBroker();
  {
    using _ = broker.env.disk.inject({ kinds: ['write'], code: 'ENOSPC' });
    assert.deepEqual(outcomes(await createTopics(broker, ['orders'])), [
      'orders KAFKA_STORAGE_ERROR the disk did not take the change of the metadata',
    ]);
  }
  assert.equal(broker.broker.image.findTopic('orders'), undefined);
  await broker.env.clock.advanceMs(5_000);
  assert.deepEqual(outcomes(await createTopics(broker, ['orders'])), ['orders NONE']);
});
