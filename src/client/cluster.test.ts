import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { kafkaErrors } from '../protocol/errors.ts';
import { createTopics, deleteTopics } from './admin.ts';
import { attemptOf, RequestTimeoutError, UnreachableError, UnsupportedApiError } from './client-errors.ts';
import { ConnectionClosedError } from './connection.ts';
import { FakeWorld, metadataOf, TIMEOUT_MS } from './fake-broker.testing.ts';
import { listOffsets } from './list-offsets.ts';

const code = (name: keyof typeof kafkaErrors): number => kafkaErrors[name][0];

suite('finding a cluster', () => {
  test('each request goes out in the newest version that both sides know', async () => {
    const world = new FakeWorld();
    await world.broker({ port: 1, ranges: { ApiVersions: [0, 0], Metadata: [0, 4] }, answers: { Metadata: () => metadataOf([1], []) } });
    const cluster = await world.cluster({ ports: [1] });
    assert.equal((await cluster.metadata('all')).clusterId, 'fake');
    assert.deepEqual(
      world.asked.map(({ api, version }) => [api, version]),
      [['Metadata', 4]],
    );
  });

  test('a broker whose versions all are too new or too old is told apart from one that lacks the API', async () => {
    const world = new FakeWorld();
    await world.broker({ port: 1, ranges: { ApiVersions: [0, 4], Metadata: [99, 100] }, answers: {} });
    const cluster = await world.cluster({ ports: [1] });
    await assert.rejects(cluster.metadata('all'), (thrown) => {
      assert.ok(thrown instanceof UnsupportedApiError);
      assert.equal(thrown.message, 'localhost:1 serves Metadata in versions 99 to 100, this client speaks 0 to 13');
      return true;
    });
    await assert.rejects(deleteTopicsAt(world), /localhost:2 does not serve DeleteTopics/);
  });

  test('the first broker of the list that answers is taken', async () => {
    const world = new FakeWorld();
    await world.broker({ port: 3, answers: { Metadata: () => metadataOf([3], []) } });
    const cluster = await world.cluster({ ports: [1, 2, 3] });
    assert.deepEqual((await cluster.metadata([])).brokers, [{ nodeId: 3, rack: null, host: 'localhost', port: 3 }]);
  });

  test('when none answers, every attempt is told', async () => {
    const world = new FakeWorld();
    await assert.rejects(world.cluster({ ports: [1, 2] }), (thrown) => {
      assert.ok(thrown instanceof UnreachableError);
      assert.deepEqual(
        thrown.attempts.map(({ address, reason }) => [address, reason]),
        [
          ['localhost:1', 'refused'],
          ['localhost:2', 'refused'],
        ],
      );
      return true;
    });
  });

  test('each way of not being reached has its reason', () => {
    const coded = (errorCode: string): Error => Object.assign(new Error(errorCode), { code: errorCode });
    const reasons = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'EXYZ'].map(
      (name) => attemptOf('a:1', coded(name)).reason,
    );
    assert.deepEqual(reasons, ['refused', 'dns', 'dns', 'timeout', 'no-route', 'other']);
    assert.equal(attemptOf('a:1', new ConnectionClosedError('x')).reason, 'closed');
    assert.equal(attemptOf('a:1', new RequestTimeoutError('a:1', 'ApiVersions', 5)).reason, 'silent');
  });

  test('a broker that accepts and says nothing is given up in time', async () => {
    const world = new FakeWorld();
    await world.broker({ port: 1, answers: {} });
    using _ = world.wire.stall();
    await assert.rejects(world.clock.until(world.cluster({ ports: [1] })), /did not answer within 1000 ms/);
    assert.equal(world.clock.monotonicMs(), 1000);
  });
});

async function deleteTopicsAt(world: FakeWorld): Promise<void> {
  await world.broker({ port: 2, ranges: { ApiVersions: [0, 4], Metadata: [0, 13] }, answers: { Metadata: () => metadataOf([2], []) } });
  await deleteTopics(await world.cluster({ ports: [2] }), ['t']);
}

suite('asking a cluster', () => {
  test('the address that the broker tells clients is used, and when it leads nowhere it is told who said it', async () => {
    const world = new FakeWorld();
    const topics = [{ name: 't', leaders: [7] }];
    await world.broker({ port: 1, answers: { Metadata: () => metadataOf([7], topics, { 7: { host: 'elsewhere', port: 9 } }) } });
    const cluster = await world.cluster({ ports: [1] });
    await assert.rejects(cluster.leaderOf('t', 0), (thrown) => {
      assert.ok(thrown instanceof UnreachableError);
      assert.equal(thrown.advertisedBy, 'localhost:1');
      assert.equal(thrown.attempts[0]?.address, 'elsewhere:9');
      return true;
    });
  });

  test('a request that is never answered ends after the timeout, and the connection with it', async () => {
    const world = new FakeWorld();
    await world.broker({ port: 1, answers: {} });
    const cluster = await world.cluster({ ports: [1] });
    const link = await cluster.any();
    await assert.rejects(world.clock.until(cluster.metadata('all')), new RequestTimeoutError('localhost:1', 'Metadata', TIMEOUT_MS));
    assert.equal(link.closed, true);
  });

  test('a listener that closes every connection, as one that wants a login does, is not asked for ever', async () => {
    const world = new FakeWorld();
    await world.broker({ port: 1, answers: { Metadata: () => 'close' } });
    const cluster = await world.cluster({ ports: [1] });
    await assert.rejects(world.clock.until(cluster.metadata('all')), ConnectionClosedError);
    assert.equal(world.askedApis, 'Metadata Metadata Metadata');
  });

  test('the leader is asked, and after it has moved the new one', async () => {
    const world = new FakeWorld();
    let leader = 1;
    const answers = {
      Metadata: () => metadataOf([1, 2], [{ name: 't', leaders: [leader] }]),
      ListOffsets: (_body: never, { port }: { port: number }) => {
        leader = 2;
        const errorCode = port === 2 ? 0 : code('NOT_LEADER_OR_FOLLOWER');
        return {
          throttleTimeMs: 0,
          topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode, offset: errorCode === 0 ? 42 : -1 }] }],
        };
      },
    };
    await world.broker({ port: 1, answers });
    await world.broker({ port: 2, answers });
    const cluster = await world.cluster({ ports: [1] });
    const offsets = await world.clock.until(listOffsets(cluster, [{ topic: 't', partition: 0, at: 'latest' }]));
    assert.deepEqual([...offsets], [['t/0', 42]]);
    assert.deepEqual(
      world.asked.map(({ api, port }) => `${api} ${port}`),
      ['Metadata 1', 'ListOffsets 1', 'Metadata 1', 'ListOffsets 2'],
    );
  });

  test('what does not pass is told at once, what might only when time is up', async () => {
    const world = new FakeWorld();
    let errorCode = code('TOPIC_AUTHORIZATION_FAILED');
    await world.broker({
      port: 1,
      answers: {
        Metadata: () => metadataOf([1], [{ name: 't', leaders: [1] }]),
        ListOffsets: () => ({ throttleTimeMs: 0, topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode }] }] }),
      },
    });
    const cluster = await world.cluster({ ports: [1] });
    const ask = () => world.clock.until(listOffsets(cluster, [{ topic: 't', partition: 0, at: 'earliest' }]));
    await assert.rejects(ask(), { errorName: 'TOPIC_AUTHORIZATION_FAILED' });
    assert.equal(world.clock.monotonicMs(), 0);
    errorCode = code('LEADER_NOT_AVAILABLE');
    await assert.rejects(ask(), { errorName: 'LEADER_NOT_AVAILABLE' });
    assert.ok(world.clock.monotonicMs() > TIMEOUT_MS - 1500 && world.clock.monotonicMs() <= TIMEOUT_MS);
  });

  test('a change goes to the controller, and is asked again where the controller has moved', async () => {
    const world = new FakeWorld();
    let controller = 1;
    const answers = {
      Metadata: () => ({ ...metadataOf([1, 2], []), controllerId: controller }),
      CreateTopics: (_body: never, { port }: { port: number }) => {
        controller = 2;
        const errorCode = port === 2 ? 0 : code('NOT_CONTROLLER');
        return {
          throttleTimeMs: 0,
          topics: [
            {
              name: 't',
              topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
              errorCode,
              errorMessage: null,
              numPartitions: 3,
              replicationFactor: 1,
              configs: [],
            },
          ],
        };
      },
    };
    await world.broker({ port: 1, answers });
    await world.broker({ port: 2, answers });
    const cluster = await world.cluster({ ports: [1] });
    const topic = { name: 't', partitions: 3, replicationFactor: -1, configs: new Map() };
    const outcomes = await world.clock.until(createTopics(cluster, [topic]));
    assert.deepEqual(outcomes.get('t'), { error: undefined, topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: 3, replicationFactor: 1 });
    assert.deepEqual(
      world.asked.filter(({ api }) => api === 'CreateTopics').map(({ port }) => port),
      [1, 2],
    );
  });

  test('an older broker gets its lists of names, and numbers where it has no defaults', async () => {
    const world = new FakeWorld();
    await world.broker({
      port: 1,
      ranges: { ApiVersions: [0, 2], Metadata: [0, 8], CreateTopics: [0, 3], DeleteTopics: [0, 3] },
      answers: {
        Metadata: () => metadataOf([1], []),
        CreateTopics: () => ({
          throttleTimeMs: 0,
          topics: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', errorCode: 0, errorMessage: null, configs: [] }],
        }),
        DeleteTopics: () => ({
          throttleTimeMs: 0,
          responses: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', errorCode: code('UNKNOWN_TOPIC_OR_PARTITION') }],
        }),
      },
    });
    const cluster = await world.cluster({ ports: [1] });
    const created = await createTopics(cluster, [{ name: 't', partitions: -1, replicationFactor: -1, configs: new Map([['a', 'b']]) }]);
    assert.deepEqual(created.get('t'), { error: undefined, topicId: undefined, partitions: undefined, replicationFactor: undefined });
    const [, create] = world.asked;
    assert.deepEqual((create as { body: { topics: unknown } }).body.topics, [
      { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [{ name: 'a', value: 'b' }] },
    ]);
    const deleted = await deleteTopics(cluster, ['t']);
    assert.equal(deleted.get('t')?.errorName, 'UNKNOWN_TOPIC_OR_PARTITION');
    assert.deepEqual((world.asked.at(-1) as { body: { topicNames: unknown } }).body.topicNames, ['t']);
  });
});
