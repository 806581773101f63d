// Security is not built, and the place where it will decide is: these tests put a decision there and look at what the answers
// of the APIs about topics and settings then tell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf, KafkaError } from '../protocol/errors.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { handleAlterConfigs } from './alter-configs.ts';
import { handleCreatePartitions } from './create-partitions.ts';
import { handleCreateTopics } from './create-topics.ts';
import { handleDeleteTopics } from './delete-topics.ts';
import { handleDescribeCluster } from './describe-cluster.ts';
import { handleDescribeConfigs } from './describe-configs.ts';
import { handleDescribeTopicPartitions } from './describe-topic-partitions.ts';
import type { RequestContext } from './handler.ts';
import { handleIncrementalAlterConfigs } from './incremental-alter-configs.ts';
import { handleMetadata } from './metadata.ts';
import { createTopics } from './topic-admin.testing.ts';

/** What is denied: `OPERATION TYPE name`. Creating or deleting as the cluster's right is denied with a topic's. */
function contextOf({ broker, port, log }: TestBroker, apiVersion: number, denied: readonly string[]): RequestContext {
  return {
    broker,
    connection: {
      id: 1,
      listenerName: 'PLAINTEXT',
      localAddress: '127.0.0.1',
      localPort: port,
      advertised: { host: 'localhost', port },
      remoteAddress: '127.0.0.1',
      remotePort: 1,
      clientSoftwareName: '',
      clientSoftwareVersion: '',
    },
    apiKey: -1,
    apiVersion,
    clientId: null,
    principal: 'User:test',
    receivedMs: 0,
    signal: new AbortController().signal,
    log,
    authorize: (operation, type, name) => {
      if (denied.includes(`${operation} ${type} ${name}`))
        throw new KafkaError(`${type as 'TOPIC' | 'GROUP' | 'CLUSTER'}_AUTHORIZATION_FAILED`);
    },
    inArrivalOrder: (stage) => stage(),
  };
}

const outcome = ({ name, errorCode }: { name?: string | null; errorCode: number }): string => `${name} ${errorNameOf(errorCode)}`;
const DENIED = 'TOPIC_AUTHORIZATION_FAILED';

test('a topic that may not be seen is left out where all are listed, and denied without its id where it is named', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['open', 'secret']);
  const secretId = broker.broker.image.findTopic('secret')?.id ?? '';
  const context = contextOf(broker, 12, ['DESCRIBE TOPIC secret', 'DESCRIBE TOPIC none']);
  const asked = { allowAutoTopicCreation: true, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: true };
  const named = (name: string | null, topicId = ZERO_UUID): { name: string | null; topicId: string } => ({ name, topicId });

  const all = await handleMetadata({ ...asked, topics: null }, context);
  assert.deepEqual(all.topics.map(outcome), ['open NONE']);
  const some = await handleMetadata({ ...asked, topics: [named('open'), named('secret'), named('none'), named(null, secretId)] }, context);
  assert.deepEqual(some.topics.map(outcome), ['open NONE', `secret ${DENIED}`, `none ${DENIED}`, `null ${DENIED}`]);
  assert.deepEqual(
    some.topics.slice(1).map(({ topicId }) => topicId),
    [ZERO_UUID, ZERO_UUID, secretId],
    'an id that the client has is no secret',
  );
  assert.equal(broker.broker.image.findTopic('none'), undefined, 'nor is it made');

  const page = { responsePartitionLimit: 2000, cursor: null };
  const pageOfAll = await handleDescribeTopicPartitions({ ...page, topics: [] }, context);
  assert.deepEqual(pageOfAll.topics.map(outcome), ['open NONE']);
  const pageOfSome = await handleDescribeTopicPartitions({ ...page, topics: [{ name: 'secret' }, { name: 'none' }] }, context);
  assert.deepEqual(pageOfSome.topics.map(outcome), [`none ${DENIED}`, `secret ${DENIED}`]);
  assert.ok(pageOfSome.topics.every(({ topicId }) => topicId === ZERO_UUID));
});

test('a page that is full at a topic which may not be seen goes on at the next that may', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b', 'c']);
  const context = contextOf(broker, 0, ['DESCRIBE TOPIC b']);
  const { topics, nextCursor } = await handleDescribeTopicPartitions({ topics: [], responsePartitionLimit: 1, cursor: null }, context);
  assert.deepEqual([topics.map(outcome), nextCursor], [['a NONE'], { topicName: 'c', partitionIndex: 0 }]);
});

test('topics are made by asking for them where the client may create them, in the cluster or each for itself', async () => {
  await using broker = await startTestBroker();
  const cluster = 'CREATE CLUSTER kafka-cluster';
  const ask = async (denied: string[], names: string[]): Promise<string[]> => {
    const { topics } = await handleMetadata(
      {
        topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
        allowAutoTopicCreation: true,
        includeClusterAuthorizedOperations: false,
        includeTopicAuthorizedOperations: false,
      },
      contextOf(broker, 12, denied),
    );
    return topics.map(outcome);
  };
  assert.deepEqual(await ask([cluster, 'CREATE TOPIC a'], ['a', 'b']), [`a ${DENIED}`, 'b NONE']);
  assert.deepEqual(await ask(['CREATE TOPIC c'], ['c']), ['c NONE']);
});

test('creating, growing and deleting topics is denied topic by topic', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b', 'c', 'd']);
  const newTopic = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] });
  const create = await handleCreateTopics(
    { topics: [newTopic('n'), newTopic('m'), newTopic('o')], timeoutMs: 0, validateOnly: false },
    contextOf(broker, 7, ['CREATE CLUSTER kafka-cluster', 'CREATE TOPIC n', 'DESCRIBE_CONFIGS TOPIC o']),
  );
  assert.deepEqual(create.topics.map(outcome).sort(), ['m NONE', `n ${DENIED}`, 'o NONE']);
  const hidden = create.topics.find(({ name }) => name === 'o');
  assert.deepEqual([hidden?.configs, hidden?.numPartitions, errorNameOf(hidden?.topicConfigErrorCode ?? 0)], [[], undefined, DENIED]);

  const grow = await handleCreatePartitions(
    { topics: ['a', 'b'].map((name) => ({ name, count: 2, assignments: null })), timeoutMs: 0, validateOnly: false },
    contextOf(broker, 3, ['ALTER TOPIC a']),
  );
  assert.deepEqual(grow.results.map(outcome).sort(), [`a ${DENIED}`, 'b NONE']);

  const id = (name: string): { name: null; topicId: string } => ({ name: null, topicId: broker.broker.image.findTopic(name)?.id ?? '' });
  const named = (name: string): { name: string; topicId: string } => ({ name, topicId: ZERO_UUID });
  const denied = [
    'DELETE CLUSTER kafka-cluster',
    'DELETE TOPIC a',
    'DELETE TOPIC b',
    'DESCRIBE TOPIC b',
    'DELETE TOPIC c',
    'DESCRIBE TOPIC none',
  ];
  const remove = await handleDeleteTopics(
    { topics: [id('a'), id('b'), named('c'), named('d'), named('none')], topicNames: [], timeoutMs: 0 },
    contextOf(broker, 6, denied),
  );
  assert.deepEqual(
    remove.responses.map(({ name, topicId, errorCode }) => `${name} ${topicId !== ZERO_UUID} ${errorNameOf(errorCode)}`).sort(),
    [`a true ${DENIED}`, `c false ${DENIED}`, 'd true NONE', `none false ${DENIED}`, `null true ${DENIED}`],
    'the name of a topic by id is told only to those who may know it',
  );
});

test('settings are denied resource by resource: of brokers and client metrics as the cluster’s', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b']);
  const resources = [
    [2, 'a'],
    [2, 'b'],
    [32, 'g'],
    [4, '1'],
    [16, 'm'],
  ] as const;
  const expected = ['NONE', DENIED, 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'];
  const deny = (operation: string): string[] => [`${operation} TOPIC b`, `${operation} GROUP g`, `${operation} CLUSTER kafka-cluster`];
  const asked = resources.map(([resourceType, resourceName]) => ({ resourceType, resourceName }));
  const told = (answers: readonly { errorCode: number }[]): (string | undefined)[] =>
    answers.map(({ errorCode }) => errorNameOf(errorCode));

  const describing = contextOf(broker, 4, deny('DESCRIBE_CONFIGS'));
  const described = await handleDescribeConfigs(
    { resources: asked.map((resource) => ({ ...resource, configurationKeys: [] })), includeSynonyms: false, includeDocumentation: false },
    describing,
  );
  assert.deepEqual(told(described.results), expected);
  const altering = contextOf(broker, 1, deny('ALTER_CONFIGS'));
  const changes = { resources: asked.map((resource) => ({ ...resource, configs: [] })), validateOnly: false };
  assert.deepEqual(told((await handleIncrementalAlterConfigs(changes, altering)).responses), expected);
  assert.deepEqual(told((await handleAlterConfigs(changes, altering)).responses), expected);
});

test('operations that are denied are not among those that a client is told it may do', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a']);
  const context = contextOf(broker, 9, ['DELETE TOPIC a', 'ALTER TOPIC a', 'ALTER CLUSTER kafka-cluster']);
  const answer = await handleMetadata(
    {
      topics: [{ name: 'a', topicId: ZERO_UUID }],
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: true,
      includeTopicAuthorizedOperations: true,
    },
    context,
  );
  const [DELETE, ALTER] = [1 << 6, 1 << 7];
  assert.equal(answer.topics[0]?.topicAuthorizedOperations, 3576 - DELETE - ALTER);
  assert.equal(answer.clusterAuthorizedOperations, 8096 - ALTER);
  const asksCluster = { includeClusterAuthorizedOperations: true, endpointType: 1, includeFencedBrokers: false };
  const denied = contextOf(broker, 2, ['DESCRIBE CLUSTER kafka-cluster']);
  assert.equal(
    handleDescribeCluster(asksCluster, denied).clusterAuthorizedOperations,
    0,
    'who may not look at the cluster is told of nothing',
  );
});
