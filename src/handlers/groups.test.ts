// Groups over the wire, as clients see them: rounds, sessions, commits, and what a killed broker still knows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../protocol/messages/find-coordinator.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { makeTopic, TestMember } from './group-member.testing.ts';

const findCoordinator = { request: findCoordinatorRequest, response: findCoordinatorResponse };
const settings = { 'offsets.topic.num.partitions': '4', 'group.initial.rebalance.delay.ms': '0' };

const asked = (version: number, keyType: number, ...keys: string[]) => ({
  key: version < 4 ? (keys[0] ?? '') : '',
  keyType: version >= 1 ? keyType : 0,
  coordinatorKeys: version >= 4 ? keys : [],
});

async function formed(broker: TestBroker, count: number, options: { groupId?: string } = {}): Promise<TestMember[]> {
  const members: TestMember[] = [];
  for (let left = count; left > 0; left -= 1) members.push(await TestMember.connect(broker, { rebalanceTimeoutMs: 3000, ...options }));
  const { clock } = broker.env;
  await clock.until(Promise.all(members.map((member) => member.join())));
  // The first may have been alone in its round; together they are in the next.
  if (members.some(({ generationId }) => generationId !== members.at(-1)?.generationId))
    await clock.until(Promise.all(members.map((member) => member.join())));
  const assignments = Object.fromEntries(members.map(({ memberId }, at) => [memberId, `part ${at}`]));
  const shares = await clock.until(Promise.all(members.map((member) => member.sync(member.isLeader ? assignments : {}))));
  assert.deepEqual(
    shares,
    members.map((_, at) => `part ${at}`),
  );
  return members;
}

test('the topic of committed offsets is made when a coordinator is first looked for, and this broker keeps every group', async () => {
  await using broker = await startTestBroker({ settings: { 'offsets.topic.replication.factor': '3' } });
  for (let version = 0; version <= 6; version += 1) {
    const answer = await broker.env.clock.until(broker.client.request(findCoordinator, version, asked(version, 0, 'a', 'b')));
    const found = version >= 4 ? answer.coordinators : [answer];
    assert.deepEqual(
      found.map(({ errorCode, nodeId, port }) => [errorCode, nodeId, port]),
      found.map(() => [0, broker.broker.nodeId, broker.port]),
    );
  }
  const topic = broker.broker.image.findTopic('__consumer_offsets');
  assert.equal(topic?.partitions.length, 50);
  assert.deepEqual(topic?.partitions[0]?.replicas, [broker.broker.nodeId]);
  assert.ok(broker.log.messages('warn').some((message) => message.startsWith('an internal topic gets fewer replicas')));
});

test('coordinators of transactions and share groups are refused plainly', async () => {
  await using broker = await startTestBroker();
  for (const [keyType, version, expected] of [
    [1, 1, 'COORDINATOR_NOT_AVAILABLE'],
    [1, 6, 'COORDINATOR_NOT_AVAILABLE'],
    [2, 5, 'INVALID_REQUEST'],
    [9, 6, 'INVALID_REQUEST'],
  ] as const) {
    const answer = await broker.client.request(findCoordinator, version, asked(version, keyType, 'k'));
    assert.equal(errorNameOf((version >= 4 ? answer.coordinators[0] : answer)?.errorCode ?? 0), expected);
  }
});

test('two members share a group, and a third makes a new generation', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  const [anna, bert] = (await formed(broker, 2)) as [TestMember, TestMember];
  assert.equal(await clock.until(anna.heartbeat()), 'NONE');
  const cleo = await TestMember.connect(broker);
  const joining = cleo.join();
  await clock.settle();
  assert.equal(await clock.until(anna.heartbeat()), 'REBALANCE_IN_PROGRESS');
  const { generationId } = anna;
  assert.deepEqual(await clock.until(Promise.all([anna.join(), bert.join(), joining])), ['NONE', 'NONE', 'NONE']);
  assert.equal(cleo.generationId, generationId + 1);
  assert.equal([anna, bert, cleo].filter(({ isLeader }) => isLeader).length, 1);
  for (const member of [anna, bert, cleo]) assert.equal(member.joined?.members.length, member.isLeader ? 3 : 0);
});

test('what a member committed is there after a kill and a power loss, and its group as it was', async () => {
  await using first = await startTestBroker({ settings });
  await makeTopic(first, 'orders', 2);
  const [anna] = (await formed(first, 1)) as [TestMember];
  assert.equal(await first.env.clock.until(anna.commit('orders', 0, 42, 'noted')), 'NONE');
  assert.equal(await first.env.clock.until(anna.commit('orders', 1, 7)), 'NONE');
  await using second = await first.crash();
  const again = await TestMember.connect(second);
  again.memberId = anna.memberId;
  again.generationId = anna.generationId;
  assert.deepEqual(await second.env.clock.until(again.offsets('orders', 3)), [42, 7, -1]);
  assert.equal(await second.env.clock.until(again.heartbeat()), 'NONE', 'the generation is known since SyncGroup');
  assert.equal(await second.env.clock.until(again.commit('orders', 0, 43)), 'NONE');
});
