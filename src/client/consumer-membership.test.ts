import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaErrors, type ErrorName } from '../protocol/errors.ts';
import type { ConsumerGroupHeartbeatRequest } from '../protocol/messages/consumer-group-heartbeat.ts';
import { ConsumerMembership } from './consumer-membership.ts';
import { FakeWorld, metadataOf } from './fake-broker.testing.ts';
import { partitionKey } from './list-offsets.ts';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** What the coordinator says to one heartbeat after the other; the last is said again and again. */
interface Told {
  readonly epoch?: number;
  readonly share?: readonly number[];
  readonly error?: ErrorName;
}

async function memberOf(told: readonly Told[], instanceId?: string) {
  const world = new FakeWorld();
  const asked: ConsumerGroupHeartbeatRequest[] = [];
  await world.broker({
    port: 1,
    answers: {
      Metadata: () => metadataOf([1], [{ name: 't', id: TOPIC_ID, leaders: [1, 1, 1] }]),
      FindCoordinator: () => ({
        throttleTimeMs: 0,
        errorCode: 0,
        errorMessage: null,
        nodeId: 0,
        host: '',
        port: 0,
        coordinators: [{ key: 'g', nodeId: 1, host: 'localhost', port: 1, errorCode: 0, errorMessage: null }],
      }),
      ConsumerGroupHeartbeat: (request: ConsumerGroupHeartbeatRequest) => {
        const { epoch = request.memberEpoch, share, error } = told[Math.min(asked.length, told.length - 1)] ?? {};
        asked.push(request);
        return {
          throttleTimeMs: 0,
          errorCode: error === undefined ? 0 : kafkaErrors[error][0],
          errorMessage: error === undefined ? null : 'the coordinator says no',
          memberId: request.memberId,
          memberEpoch: epoch,
          heartbeatIntervalMs: 700,
          assignment:
            share === undefined ? null : { topicPartitions: share.length === 0 ? [] : [{ topicId: TOPIC_ID, partitions: share }] },
        };
      },
    },
  });
  const cluster = await world.cluster({ ports: [1] });
  const membership = new ConsumerMembership({
    cluster,
    groupId: 'g',
    topics: ['t'],
    sessionTimeoutMs: 45_000,
    rebalanceTimeoutMs: 60_000,
    heartbeatIntervalMs: 3000,
    ...(instanceId !== undefined && { instanceId }),
  });
  /** Epoch and owned partitions of each request; null is "as before". */
  const heartbeats = () =>
    asked.map(({ memberEpoch, topicPartitions }) => [memberEpoch, topicPartitions?.flatMap(({ partitions }) => partitions) ?? null]);
  return { world, membership, asked, heartbeats };
}

test('it joins with an id of its own, is given partitions, and says that it has them', async () => {
  const { membership, asked, heartbeats } = await memberOf([{ epoch: 1, share: [0, 2] }, { epoch: 1 }]);
  assert.equal(membership.committer, undefined, 'nobody yet');
  assert.deepEqual((await membership.join()).map(partitionKey), ['t/0', 't/2']);
  assert.deepEqual(heartbeats(), [
    [0, []],
    [1, [0, 2]],
  ]);
  assert.match(asked[0]?.memberId ?? '', /^[\w-]{22}$/);
  assert.deepEqual([asked[0]?.subscribedTopicNames, asked[0]?.rebalanceTimeoutMs], [['t'], 60_000]);
  assert.deepEqual([asked[1]?.subscribedTopicNames, asked[1]?.rebalanceTimeoutMs], [null, -1]);
  assert.equal(membership.heartbeatIntervalMs, 700, 'as the broker wants it');
  assert.deepEqual(membership.committer, { memberId: asked[0]?.memberId, generation: 1, instanceId: null });
});

test('a heartbeat hears of a new share, which is over for the old one, and the next join takes it', async () => {
  const { membership, heartbeats } = await memberOf([
    { epoch: 1, share: [0, 1, 2] },
    { epoch: 1 },
    { epoch: 1 },
    { epoch: 1, share: [0] },
    { epoch: 2 },
  ]);
  await membership.join();
  assert.equal(await membership.heartbeat(), true);
  assert.equal(await membership.heartbeat(), false);
  assert.deepEqual((await membership.join()).map(partitionKey), ['t/0']);
  assert.equal(membership.committer?.generation, 2, 'the epoch of the answer that the old share is given up');
  assert.deepEqual(heartbeats().slice(2), [
    [1, null],
    [1, null],
    [1, [0]],
  ]);
});

test('a share that grows while it is taken is taken whole', async () => {
  const { membership, heartbeats } = await memberOf([
    { epoch: 1, share: [] },
    { epoch: 1, share: [1] },
    { epoch: 2, share: [1, 2] },
    { epoch: 2 },
  ]);
  assert.deepEqual((await membership.join()).map(partitionKey), []);
  assert.equal(await membership.heartbeat(), false);
  assert.deepEqual((await membership.join()).map(partitionKey), ['t/1', 't/2']);
  assert.deepEqual(heartbeats().slice(2), [
    [1, [1]],
    [2, [1, 2]],
  ]);
});

test('who is fenced commits nothing more and comes in anew', async () => {
  const { membership, heartbeats } = await memberOf([
    { epoch: 3, share: [0] },
    {},
    { error: 'FENCED_MEMBER_EPOCH' },
    { epoch: 5, share: [1] },
    {},
  ]);
  await membership.join();
  assert.equal(await membership.heartbeat(), false);
  assert.equal(membership.committer, undefined);
  assert.deepEqual((await membership.join()).map(partitionKey), ['t/1']);
  assert.deepEqual(heartbeats().slice(2), [
    [3, null],
    [0, []],
    [5, [1]],
  ]);
});

test('it leaves for good, and a static member for a while', async () => {
  for (const [instanceId, epoch] of [
    [undefined, -1],
    ['i', -2],
  ] as const) {
    const { membership, heartbeats } = await memberOf([{ epoch: 1, share: [0] }, {}], instanceId);
    await membership.join();
    await membership.leave();
    assert.deepEqual(heartbeats().at(-1), [epoch, null]);
    assert.equal(membership.committer, undefined);
  }
});

test('a coordinator that is not ready is asked again, one that says no is heard', async () => {
  const { world, membership, asked } = await memberOf([
    { error: 'COORDINATOR_LOAD_IN_PROGRESS' },
    { error: 'NOT_COORDINATOR' },
    { epoch: 1, share: [0] },
    {},
  ]);
  await world.clock.until(membership.join());
  assert.equal(asked.length, 4);
  const refused = await memberOf([{ error: 'GROUP_MAX_SIZE_REACHED' }]);
  await assert.rejects(refused.membership.join(), { errorName: 'GROUP_MAX_SIZE_REACHED', message: 'the coordinator says no' });
});
