import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import type { MetadataResponse } from '../protocol/messages/metadata.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { batchOf, produce } from './data-path.testing.ts';
import { askMetadata, configsOf, createTopics } from './topic-admin.testing.ts';

const NOBODYS_ID = 'ABCDEFGHIJKLMNOPQRSTUw';
const NOT_ASKED = -(2 ** 31);
const versions = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** `name[partitions]` or `name ERROR` of each topic, in order of names. */
const shown = ({ topics }: MetadataResponse): string[] =>
  topics
    .map(({ name, errorCode, partitions }) => (errorCode === 0 ? `${name}[${partitions.length}]` : `${name} ${errorNameOf(errorCode)}`))
    .sort();

for (const version of versions(0, 13)) {
  test(`Metadata ${version} tells brokers, controller, and the topics asked for with the leader of each partition`, async () => {
    await using broker = await startTestBroker({ settings: { 'broker.rack': 'r1' } });
    await createTopics(broker, [{ name: 'orders', partitions: 2 }, 'other']);
    const answer = await askMetadata(broker, ['orders'], { version });
    assert.deepEqual(answer.brokers, [{ nodeId: 1, host: 'localhost', port: broker.port, rack: version >= 1 ? 'r1' : null }]);
    assert.equal(answer.controllerId, version >= 1 ? 1 : -1);
    assert.equal(answer.clusterId, version >= 2 ? broker.broker.clusterId : null);
    const [topic, ...others] = answer.topics;
    assert.ok(topic && others.length === 0);
    assert.deepEqual([topic.errorCode, topic.name, topic.isInternal], [0, 'orders', false]);
    assert.equal(topic.topicId, version >= 10 ? broker.broker.image.findTopic('orders')?.id : ZERO_UUID);
    assert.deepEqual(
      topic.partitions,
      [0, 1].map((partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId: 1,
        leaderEpoch: version >= 7 ? 0 : -1,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
      })),
    );
    assert.equal(topic.topicAuthorizedOperations, NOT_ASKED);
    assert.equal(answer.clusterAuthorizedOperations, NOT_ASKED);
  });
}

test('in version 0 an empty list asks for all topics; from version 1 on null does, and an empty list asks for none', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b']);
  assert.deepEqual(shown(await askMetadata(broker, [], { version: 0 })), ['a[1]', 'b[1]']);
  for (const version of versions(1, 13)) {
    assert.deepEqual(shown(await askMetadata(broker, [], { version, create: true })), []);
    assert.deepEqual(shown(await askMetadata(broker, null, { version, create: true })), ['a[1]', 'b[1]']);
  }
});

test('a topic asked for twice is told once', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a']);
  assert.deepEqual(shown(await askMetadata(broker, ['a', 'a', 'none', 'none'])), ['a[1]', 'none UNKNOWN_TOPIC_OR_PARTITION']);
});

test('a topic that is missing is made where both the client and the settings allow it, and comes back with its leader', async () => {
  for (const [allowed, create, made] of [
    ['true', true, true],
    ['true', false, false],
    ['false', true, false],
    ['false', false, false],
  ] as const) {
    for (const version of [4, 9, 13]) {
      await using broker = await startTestBroker({ settings: { 'auto.create.topics.enable': allowed, 'num.partitions': '3' } });
      const answer = await askMetadata(broker, ['orders'], { version, create });
      assert.deepEqual(shown(answer), [made ? 'orders[3]' : 'orders UNKNOWN_TOPIC_OR_PARTITION']);
      assert.equal(broker.broker.image.findTopic('orders') !== undefined, made);
      if (!made) continue;
      assert.ok(answer.topics[0]?.partitions.every(({ leaderId, errorCode }) => leaderId === 1 && errorCode === 0));
      assert.equal((await produce(broker.client, batchOf(['v']), { partition: 2 })).baseOffset, 0);
    }
  }
});

test('before version 4 every client allows topics to be made', async () => {
  await using broker = await startTestBroker();
  for (const version of versions(0, 3))
    assert.deepEqual(shown(await askMetadata(broker, [`t${version}`], { version })), [`t${version}[1]`]);
});

test('asking for all topics, or by an id, makes none', async () => {
  await using broker = await startTestBroker();
  await askMetadata(broker, null, { create: true });
  await askMetadata(broker, [{ topicId: NOBODYS_ID }], { create: true });
  assert.equal(broker.broker.image.topics.size, 0);
});

test('a name that no topic can have is told so, whether topics may be made or not', async () => {
  await using broker = await startTestBroker();
  for (const create of [true, false]) {
    assert.deepEqual(shown(await askMetadata(broker, ['../x', '', '.'], { create })), [
      ' INVALID_TOPIC_EXCEPTION',
      '. INVALID_TOPIC_EXCEPTION',
      '../x INVALID_TOPIC_EXCEPTION',
    ]);
  }
});

test('a topic that cannot be made is told why, and the others are made', async () => {
  await using broker = await startTestBroker({ settings: { 'default.replication.factor': '2' } });
  await createTopics(broker, ['a.b']);
  assert.deepEqual(shown(await askMetadata(broker, ['a_b', 'plain', 'a.b'], { create: true })), [
    'a.b[1]',
    'a_b INVALID_TOPIC_EXCEPTION',
    'plain INVALID_REPLICATION_FACTOR',
  ]);
});

test('topics that cannot be made, too many at once or on a full disk, do not keep those that are there from being told', async () => {
  await using broker = await startTestBroker({ settings: { 'num.partitions': '100' } });
  await createTopics(broker, ['there']);
  const many = Array.from({ length: 101 }, (_, at) => `t${at}`);
  const told = async (names: readonly string[]): Promise<string[]> =>
    shown(await askMetadata(broker, ['there', ...names], { create: true })).slice(0, 2);
  assert.deepEqual(await told(many), ['t0 POLICY_VIOLATION', 't1 POLICY_VIOLATION']);
  assert.deepEqual((await askMetadata(broker, ['there', ...many], { create: true })).topics[0]?.errorCode, 0);
  {
    using _ = broker.env.disk.inject({ kinds: ['write'], code: 'ENOSPC' });
    assert.deepEqual(await told(['u']), ['there[1]', 'u KAFKA_STORAGE_ERROR']);
  }
});

test('two clients that ask for the same missing topic at the same moment both get it', async () => {
  await using broker = await startTestBroker();
  const other = await broker.connect();
  const answers = await Promise.all([
    askMetadata(broker, ['orders'], { create: true }),
    askMetadata({ client: other }, ['orders'], { create: true }),
  ]);
  assert.deepEqual(answers.map(shown), [['orders[1]'], ['orders[1]']]);
  assert.equal(answers[0]?.topics[0]?.topicId, answers[1]?.topics[0]?.topicId);
});

test('internal topics are marked, and made as their coordinators want them', async () => {
  await using broker = await startTestBroker({
    settings: { 'offsets.topic.num.partitions': '5', 'transaction.state.log.num.partitions': '3' },
  });
  const answer = await askMetadata(broker, ['__consumer_offsets', '__transaction_state', 'plain'], { create: true });
  assert.deepEqual(
    answer.topics.map(({ name, isInternal, partitions }) => [name, isInternal, partitions.length].join(' ')),
    ['__consumer_offsets true 5', '__transaction_state true 3', 'plain false 1'],
  );
  const keys = ['cleanup.policy', 'segment.bytes', 'compression.type'];
  assert.deepEqual(await configsOf(broker, { name: '__consumer_offsets', keys }), [
    'cleanup.policy=compact@1',
    'segment.bytes=104857600@1',
    'compression.type=producer@1',
  ]);
  assert.deepEqual(await configsOf(broker, { name: '__transaction_state', keys }), [
    'cleanup.policy=compact@1',
    'segment.bytes=104857600@1',
    'compression.type=uncompressed@1',
  ]);
  assert.equal((await askMetadata(broker, ['__share_group_state'])).topics[0]?.isInternal, true, 'also where it is missing');
});

test('topics are asked for by id from version 12 on, and an id that is unknown is told so without a name', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b']);
  const topicId = broker.broker.image.findTopic('a')?.id ?? '';
  for (const version of [12, 13]) {
    const { topics } = await askMetadata(broker, [{ topicId }, { topicId: NOBODYS_ID }, 'b', { topicId }], { version });
    assert.deepEqual(
      topics.map((topic) => [topic.name, topic.topicId === NOBODYS_ID, errorNameOf(topic.errorCode), topic.partitions.length]),
      [
        ['a', false, 'NONE', 1],
        [null, true, 'UNKNOWN_TOPIC_ID', 0],
        ['b', false, 'NONE', 1],
      ],
    );
  }
});

test('versions 10 and 11 tell ids and are not asked by them: the whole request is invalid, in its own shape', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b']);
  const topicId = broker.broker.image.findTopic('a')?.id ?? '';
  for (const version of [10, 11]) {
    const byId = await askMetadata(broker, [{ name: 'a', topicId }, 'b'], { version });
    assert.deepEqual(shown(byId), ['a INVALID_REQUEST', 'b INVALID_REQUEST']);
    assert.deepEqual(byId.brokers, []);
    assert.deepEqual(shown(await askMetadata(broker, [{ name: null }], { version })), [' INVALID_REQUEST']);
  }
});

test('what may be done is told to those who ask: for topics from version 8, for the cluster in versions 8 to 10', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a']);
  for (const version of versions(8, 13)) {
    const answer = await askMetadata(broker, ['a'], { version, topicOperations: true, clusterOperations: version <= 10 });
    assert.equal(answer.topics[0]?.topicAuthorizedOperations, 3576);
    assert.equal(answer.clusterAuthorizedOperations, version <= 10 ? 8096 : NOT_ASKED);
  }
});

test('a client is told the address by which it came', async () => {
  await using broker = await startTestBroker({ settings: { listeners: 'PLAINTEXT://:0' } });
  const answer = await askMetadata(broker, []);
  assert.deepEqual(
    answer.brokers.map(({ host, port }) => [host, port]),
    [['localhost', broker.port]],
  );
});

test('an advertised address wins', async () => {
  await using broker = await startTestBroker({ settings: { 'advertised.listeners': 'PLAINTEXT://broker.example:19092' } });
  const answer = await askMetadata(broker, []);
  assert.deepEqual(
    answer.brokers.map(({ host, port }) => `${host}:${port}`),
    ['broker.example:19092'],
  );
});

test('a partition whose leader is another broker, which is not there, has no leader, and its replica is offline', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a']);
  const { id } = broker.broker.image.findTopic('a') ?? {};
  assert.ok(id);
  await broker.broker.metadata.execute(() => ({
    records: [{ type: 'PartitionChangeRecord', value: { partitionId: 0, topicId: id, leader: 2, replicas: [2, 1], isr: [2, 1] } }],
    reply: undefined,
  }));
  for (const version of versions(0, 13)) {
    const { topics } = await askMetadata(broker, ['a'], { version });
    const [partition] = topics[0]?.partitions ?? [];
    assert.ok(partition);
    assert.deepEqual([errorNameOf(partition.errorCode), partition.leaderId], ['LEADER_NOT_AVAILABLE', -1]);
    assert.deepEqual(partition.offlineReplicas, version >= 5 ? [2] : []);
  }
  assert.equal(errorNameOf((await produce(broker.client, batchOf(['v']), { topic: 'a' })).errorCode), 'NOT_LEADER_OR_FOLLOWER');
});

test('a partition whose leader lives but has no listener for this client is LISTENER_NOT_FOUND, LEADER_NOT_AVAILABLE before version 6', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a']);
  const { id } = broker.broker.image.findTopic('a') ?? {};
  assert.ok(id);
  const endPoints = [{ name: 'OTHER', host: 'two.example', port: 9092, securityProtocol: 0 }];
  await broker.broker.metadata.execute(() => ({
    records: [
      {
        type: 'RegisterBrokerRecord',
        value: { brokerId: 2, incarnationId: NOBODYS_ID, brokerEpoch: 9, endPoints, features: [], rack: null, fenced: false, logDirs: [] },
      },
      { type: 'PartitionChangeRecord', value: { partitionId: 0, topicId: id, leader: 2 } },
    ],
    reply: undefined,
  }));
  for (const [version, told] of [
    [5, 'LEADER_NOT_AVAILABLE'],
    [6, 'LISTENER_NOT_FOUND'],
  ] as const) {
    const { topics, brokers } = await askMetadata(broker, ['a'], { version });
    assert.equal(errorNameOf(topics[0]?.partitions[0]?.errorCode ?? 0), told);
    assert.deepEqual(
      brokers.map(({ nodeId }) => nodeId),
      [1],
    );
  }
});
