// Consumer groups (KIP-848) over the wire, as clients and administrators see them, and what a killed broker still knows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { assignment, subscription } from '../broker/groups/embedded-protocol.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../protocol/messages/consumer-group-describe.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../protocol/messages/describe-groups.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../protocol/messages/incremental-alter-configs.ts';
import { listGroupsRequest, listGroupsResponse } from '../protocol/messages/list-groups.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from '../protocol/messages/offset-delete.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { ConsumerMember } from './consumer-member.testing.ts';
import { makeTopic, TestMember } from './group-member.testing.ts';

const describeConsumerGroups = { request: consumerGroupDescribeRequest, response: consumerGroupDescribeResponse };
const describeGroups = { request: describeGroupsRequest, response: describeGroupsResponse };
const listGroups = { request: listGroupsRequest, response: listGroupsResponse };
const deleteGroups = { request: deleteGroupsRequest, response: deleteGroupsResponse };
const deleteTopics = { request: deleteTopicsRequest, response: deleteTopicsResponse };
const offsetDelete = { request: offsetDeleteRequest, response: offsetDeleteResponse };
const alterConfigs = { request: incrementalAlterConfigsRequest, response: incrementalAlterConfigsResponse };

const settings = { 'offsets.topic.num.partitions': '4' };
const GROUP = 32;

/** Everybody sends heartbeats until nobody has anything to change. */
async function settled({ env: { clock } }: TestBroker, ...members: readonly ConsumerMember[]): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const before = JSON.stringify(members.map(({ epoch, assigned }) => [epoch, assigned]));
    for (const member of members) assert.equal(await clock.until(member.beat()), 'NONE');
    if (JSON.stringify(members.map(({ epoch, assigned }) => [epoch, assigned])) === before) return;
  }
  assert.fail('the group does not come to rest');
}

const describe = async ({ client, env: { clock } }: TestBroker, version: number, ...groupIds: readonly string[]) =>
  (await clock.until(client.request(describeConsumerGroups, version, { groupIds, includeAuthorizedOperations: true }))).groups;

test('in version 0 the broker gives a member its id, from version 1 on the client must have one', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 2);
  const anna = await ConsumerMember.connect(broker, { memberId: '' });
  assert.equal(await clock.until(anna.beat(1)), 'INVALID_REQUEST');
  assert.equal(anna.refusal, "MemberId can't be empty.");
  assert.equal(await clock.until(anna.beat(0)), 'NONE');
  assert.notEqual(anna.memberId, '');
  assert.deepEqual([anna.epoch, anna.assigned, anna.answer?.heartbeatIntervalMs], [1, { orders: [0, 1] }, 5000]);
  assert.equal(await clock.until(anna.beat(0)), 'NONE');
  assert.equal(anna.answer?.assignment, null);
});

test('two members share a group, which lists and describes itself', async () => {
  await using broker = await startTestBroker({ settings });
  const { client, env } = broker;
  await makeTopic(broker, 'orders', 2);
  const anna = await ConsumerMember.connect(broker);
  const bert = await ConsumerMember.connect(broker, { assignor: 'range' });
  await env.clock.until(anna.beat());
  await env.clock.until(bert.beat());
  const listed = async (states: readonly string[], types: readonly string[]) =>
    (await env.clock.until(client.request(listGroups, 5, { statesFilter: states, typesFilter: types }))).groups;
  assert.deepEqual(
    (await listed(['reconciling'], ['Consumer'])).map(({ groupId, protocolType, groupState, groupType }) => [
      groupId,
      protocolType,
      groupState,
      groupType,
    ]),
    [['readers', 'consumer', 'Reconciling', 'consumer']],
  );
  assert.deepEqual(await listed([], ['classic']), []);
  await settled(broker, anna, bert);
  for (const version of [0, 1]) {
    const [group] = await describe(broker, version, 'readers');
    assert.deepEqual(
      [group?.errorCode, group?.groupState, group?.groupEpoch, group?.assignmentEpoch, group?.assignorName],
      [0, 'Stable', 2, 2, 'range'],
    );
    assert.notEqual(group?.authorizedOperations, -2_147_483_648);
    const member = group?.members.find(({ memberId }) => memberId === anna.memberId);
    assert.deepEqual(member?.assignment, member?.targetAssignment);
    assert.deepEqual(member?.assignment.topicPartitions[0]?.topicName, 'orders');
    assert.deepEqual([member?.memberEpoch, member?.subscribedTopicNames, member?.clientId], [2, ['orders'], 'test']);
    assert.equal(member?.memberType, version === 0 ? -1 : 1);
  }
  const [none] = await describe(broker, 1, 'nobody');
  assert.deepEqual([errorNameOf(none?.errorCode ?? 0), none?.errorMessage], ['GROUP_ID_NOT_FOUND', 'Group nobody not found.']);
});

test('a classic description of a consumer group says that there is no such classic group, and the reverse', async () => {
  await using broker = await startTestBroker({ settings });
  const { client, env } = broker;
  const anna = await ConsumerMember.connect(broker);
  await env.clock.until(anna.beat());
  const { groups } = await env.clock.until(client.request(describeGroups, 6, { groups: ['readers'], includeAuthorizedOperations: false }));
  assert.deepEqual(
    groups.map(({ errorCode, errorMessage, groupState }) => [errorNameOf(errorCode), errorMessage, groupState]),
    [['GROUP_ID_NOT_FOUND', 'Group readers is not a classic group.', 'Dead']],
  );
  const bert = await TestMember.connect(broker, { groupId: 'classic' });
  await env.clock.until(bert.join());
  const [classic] = await describe(broker, 1, 'classic');
  assert.equal(classic?.errorMessage, 'Group classic is not a consumer group.');
});

test('what a member committed, and the group with its assignments, is there after a kill and a power loss', async () => {
  await using first = await startTestBroker({ settings });
  await makeTopic(first, 'orders', 3);
  const anna = await ConsumerMember.connect(first);
  const bert = await ConsumerMember.connect(first, { topics: [], regex: 'ord.*' });
  await first.env.clock.until(anna.beat());
  await first.env.clock.until(bert.beat());
  await settled(first, anna, bert);
  assert.equal(await first.env.clock.until(anna.commit('orders', 42)), 'NONE');
  const [before] = await describe(first, 1, 'readers');
  await using second = await first.crash();
  const [anna2, bert2] = [await anna.reconnected(second), await bert.reconnected(second)];
  assert.equal(await second.env.clock.until(anna2.beat()), 'NONE');
  assert.equal(await second.env.clock.until(bert2.beat()), 'NONE');
  assert.deepEqual((await describe(second, 1, 'readers'))[0], before);
  assert.equal(await second.env.clock.until(anna2.offset('orders')), 42);
  assert.equal(await second.env.clock.until(anna2.commit('orders', 43)), 'NONE');
  assert.deepEqual(second.failures, []);
});

test('commits and reads with an epoch that is not the member’s are refused', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 1);
  const anna = await ConsumerMember.connect(broker);
  await clock.until(anna.beat());
  for (const version of [9, 10]) {
    assert.equal(await clock.until(anna.commit('orders', 5, version)), 'NONE');
    assert.equal(await clock.until(anna.commit('orders', 6, version, 7)), 'STALE_MEMBER_EPOCH');
    assert.equal(await clock.until(anna.offset('orders', version)), 5);
    assert.equal(await clock.until(anna.offset('orders', version, 7)), 'STALE_MEMBER_EPOCH');
  }
  assert.equal(await clock.until(anna.commit('orders', 6, 8)), 'UNSUPPORTED_VERSION');
  const stranger = await ConsumerMember.connect(broker);
  assert.equal(await clock.until(stranger.commit('orders', 6, 9, 1)), 'UNKNOWN_MEMBER_ID');
  assert.equal(await clock.until(stranger.commit('orders', 6, 9, -1)), 'UNKNOWN_MEMBER_ID', 'the group is not empty');
  assert.equal(await clock.until(stranger.offset('orders', 9, 1)), 'UNKNOWN_MEMBER_ID');
  const lost = await ConsumerMember.connect(broker, { groupId: 'nobody' });
  assert.equal(await clock.until(lost.commit('orders', 6, 9, 1)), 'GROUP_ID_NOT_FOUND');
});

test('heartbeats that change nothing stay fast while the disk is slow', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock, disk } = broker.env;
  await makeTopic(broker, 'orders', 2);
  const [anna, bert] = [await ConsumerMember.connect(broker), await ConsumerMember.connect(broker)];
  await clock.until(anna.beat());
  await clock.until(bert.beat());
  await settled(broker, anna, bert);
  const slow = disk.inject({ kinds: ['dataSync'], delayMs: 60_000 });
  const commit = anna.commit('orders', 5);
  await clock.settle();
  for (let left = 12; left > 0; left -= 1) {
    await clock.advanceMs(5_000);
    const beforeMs = clock.monotonicMs();
    assert.equal(await clock.until(bert.beat()), 'NONE');
    assert.equal(clock.monotonicMs(), beforeMs);
  }
  assert.equal(await clock.until(commit), 'NONE');
  slow[Symbol.dispose]();
  assert.equal(await clock.until(anna.beat()), 'NONE', 'its commit took longer than its session');
});

test('while the disk takes nothing members stay, and who has to go goes when it takes records again', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock, disk } = broker.env;
  await makeTopic(broker, 'orders', 2);
  const [anna, bert] = [await ConsumerMember.connect(broker), await ConsumerMember.connect(broker)];
  await clock.until(anna.beat());
  await clock.until(bert.beat());
  await settled(broker, anna, bert);
  const full = disk.inject({ kinds: ['write'], code: 'ENOSPC' });
  assert.equal(await clock.until(anna.commit('orders', 6)), 'NOT_COORDINATOR');
  await clock.settle();
  for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 5_000) {
    await clock.advanceMs(5_000);
    assert.equal(await clock.until(anna.beat()), 'NONE');
  }
  full[Symbol.dispose]();
  await clock.advanceMs(30_000);
  assert.equal(await clock.until(anna.beat()), 'NONE');
  await settled(broker, anna);
  assert.deepEqual(anna.assigned, { orders: [0, 1] });
  assert.deepEqual(broker.failures, []);
});

test('the settings of a group take effect with the next heartbeat', async () => {
  await using broker = await startTestBroker({ settings });
  const { client, env } = broker;
  const anna = await ConsumerMember.connect(broker);
  await env.clock.until(anna.beat());
  const set = async (name: string, value: string): Promise<unknown> => {
    const resources = [{ resourceType: GROUP, resourceName: 'readers', configs: [{ name, configOperation: 0, value }] }];
    const answer = await env.clock.until(client.request(alterConfigs, 1, { resources, validateOnly: false }));
    return errorNameOf(answer.responses[0]?.errorCode ?? -1);
  };
  assert.equal(await set('consumer.heartbeat.interval.ms', '9000'), 'NONE');
  assert.equal(await set('consumer.session.timeout.ms', '50000'), 'NONE');
  assert.equal(await set('consumer.session.timeout.ms', '70000'), 'INVALID_CONFIG');
  await env.clock.until(anna.beat());
  assert.equal(anna.answer?.heartbeatIntervalMs, 9000);
  await env.clock.advanceMs(49_900);
  assert.equal(await env.clock.until(anna.beat()), 'NONE');
  await env.clock.advanceMs(50_100);
  assert.equal(await env.clock.until(anna.beat()), 'UNKNOWN_MEMBER_ID');
});

test('a group with members is not deleted, one without is, with all it has committed', async () => {
  await using broker = await startTestBroker({ settings });
  const { client, env } = broker;
  await makeTopic(broker, 'orders', 1);
  await makeTopic(broker, 'bills', 1);
  const anna = await ConsumerMember.connect(broker);
  await env.clock.until(anna.beat());
  await env.clock.until(anna.commit('orders', 5));
  await env.clock.until(anna.commit('bills', 5));
  const remove = async (): Promise<unknown> => {
    const { results } = await env.clock.until(client.request(deleteGroups, 2, { groupsNames: ['readers'] }));
    return errorNameOf(results[0]?.errorCode ?? -1);
  };
  const forget = async (name: string): Promise<unknown> => {
    const topics = [{ name, partitions: [{ partitionIndex: 0 }] }];
    const answer = await env.clock.until(client.request(offsetDelete, 0, { groupId: 'readers', topics }));
    return errorNameOf(answer.topics[0]?.partitions[0]?.errorCode ?? -1);
  };
  assert.equal(await forget('orders'), 'GROUP_SUBSCRIBED_TO_TOPIC');
  assert.equal(await forget('bills'), 'NONE');
  assert.equal(await remove(), 'NON_EMPTY_GROUP');
  await env.clock.until(anna.leave());
  assert.equal((await describe(broker, 1, 'readers'))[0]?.groupState, 'Empty');
  assert.equal(await remove(), 'NONE');
  assert.equal(errorNameOf((await describe(broker, 1, 'readers'))[0]?.errorCode ?? 0), 'GROUP_ID_NOT_FOUND');
  await using again = await broker.crash();
  assert.equal(errorNameOf((await describe(again, 1, 'readers'))[0]?.errorCode ?? 0), 'GROUP_ID_NOT_FOUND');
  assert.deepEqual((await again.env.clock.until(again.client.request(listGroups, 5, { statesFilter: [], typesFilter: [] }))).groups, []);
});

test('offsets of a group that nobody is in expire, and the group with them', async () => {
  await using broker = await startTestBroker({ settings: { ...settings, 'offsets.retention.minutes': '60' } });
  const { env } = broker;
  await makeTopic(broker, 'orders', 1);
  const anna = await ConsumerMember.connect(broker);
  await env.clock.until(anna.beat());
  await env.clock.until(anna.commit('orders', 5));
  await env.clock.until(anna.leave());
  const listed = async (): Promise<number> => {
    const connection = await broker.connect(); // others have been idle for too long
    return (await env.clock.until(connection.request(listGroups, 5, { statesFilter: [], typesFilter: [] }))).groups.length;
  };
  await env.clock.advanceMs(50 * 60_000);
  assert.equal(await listed(), 1);
  await env.clock.advanceMs(20 * 60_000);
  assert.equal(await listed(), 0);
});

test('topics that are deleted and made change what members hold', async () => {
  await using broker = await startTestBroker({ settings });
  const { client, env } = broker;
  await makeTopic(broker, 'orders', 1);
  const anna = await ConsumerMember.connect(broker, { topics: ['bills'], regex: 'ord.*' });
  await env.clock.until(anna.beat());
  await settled(broker, anna);
  assert.deepEqual(anna.assigned, { orders: [0] });
  await makeTopic(broker, 'bills', 2);
  await settled(broker, anna);
  assert.deepEqual(anna.assigned, { bills: [0, 1], orders: [0] });
  await makeTopic(broker, 'ordinals', 1);
  await env.clock.advanceMs(11_000);
  await settled(broker, anna);
  await settled(broker, anna);
  assert.deepEqual(anna.assigned, { bills: [0, 1], orders: [0], ordinals: [0] });
  await env.clock.until(
    client.request(deleteTopics, 6, { topicNames: [], topics: [{ name: 'bills', topicId: ZERO_UUID }], timeoutMs: 1000 }),
  );
  await settled(broker, anna);
  assert.deepEqual(anna.assigned, { orders: [0], ordinals: [0] });
});

test('an expression that is no RE2 is refused with its own error', async () => {
  await using broker = await startTestBroker({ settings });
  const anna = await ConsumerMember.connect(broker, { topics: [], regex: '[' });
  assert.equal(await broker.env.clock.until(anna.beat()), 'INVALID_REGULAR_EXPRESSION');
});

test('where the settings leave the protocol out it is refused', async () => {
  await using broker = await startTestBroker({ settings: { 'group.coordinator.rebalance.protocols': 'classic' } });
  const anna = await ConsumerMember.connect(broker);
  assert.equal(await broker.env.clock.until(anna.beat()), 'UNSUPPORTED_VERSION');
  assert.equal(errorNameOf((await describe(broker, 1, 'readers'))[0]?.errorCode ?? 0), 'UNSUPPORTED_VERSION');
});

test('a group id that a classic group has had is taken over when nobody is in it, and the reverse', async () => {
  await using broker = await startTestBroker({ settings: { ...settings, 'group.initial.rebalance.delay.ms': '0' } });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 1);
  const classic = await TestMember.connect(broker);
  await clock.until(classic.join());
  await clock.until(classic.sync({ [classic.memberId]: 'all' }));
  assert.equal(await clock.until(classic.commit('orders', 0, 5)), 'NONE');
  await clock.until(classic.leave());
  const anna = await ConsumerMember.connect(broker);
  assert.equal(await clock.until(anna.beat()), 'NONE');
  assert.equal(await clock.until(anna.offset('orders')), 5, 'what the group has committed stays');
  await clock.until(anna.leave());
  const again = await TestMember.connect(broker);
  assert.equal(await clock.until(again.join()), 'NONE');
  assert.deepEqual(await clock.until(again.offsets('orders', 1)), [5]);
  await using second = await broker.crash();
  const { groups } = await second.env.clock.until(second.client.request(listGroups, 5, { statesFilter: [], typesFilter: [] }));
  assert.deepEqual(
    groups.map(({ groupId, groupType }) => [groupId, groupType]),
    [['readers', 'classic']],
  );
});

test('a classic group comes over while its member goes on, over a kill, and goes back with the last new member', async () => {
  await using first = await startTestBroker({ settings: { ...settings, 'group.initial.rebalance.delay.ms': '0' } });
  const { clock } = first.env;
  await makeTopic(first, 'orders', 2);
  const protocols = [{ name: 'range', metadata: subscription(['orders']) }];
  const old = await TestMember.connect(first, { protocols });
  assert.equal(await clock.until(old.join()), 'NONE');
  await clock.until(old.sync({ [old.memberId]: assignment({ orders: [0, 1] }) }));
  assert.equal(await clock.until(old.commit('orders', 0, 5)), 'NONE');
  const anna = await ConsumerMember.connect(first);
  assert.equal(await clock.until(anna.beat()), 'NONE');
  assert.deepEqual(anna.assigned, {}, 'the old member holds all there is');
  for (const version of [6, 7]) {
    const other = await TestMember.connect(first, { protocols: [{ name: 'sticky', metadata: subscription(['orders']) }] });
    assert.equal(await clock.until(other.join(version)), 'INCONSISTENT_GROUP_PROTOCOL');
    assert.equal(other.joined?.protocolName, version === 6 ? '' : null);
  }
  assert.equal(await clock.until(old.heartbeat()), 'REBALANCE_IN_PROGRESS');
  assert.equal(await clock.until(old.commit('orders', 0, 6)), 'NONE', 'in the generation it still has');

  await using second = await first.crash();
  const [old2, anna2] = [await TestMember.connect(second, { protocols }), await anna.reconnected(second)];
  old2.memberId = old.memberId;
  old2.generationId = old.generationId;
  assert.equal(await clock.until(old2.heartbeat()), 'REBALANCE_IN_PROGRESS');
  assert.equal(await clock.until(old2.join()), 'NONE');
  assert.notEqual(await clock.until(old2.sync()), 'REBALANCE_IN_PROGRESS');
  await settled(second, anna2);
  assert.equal(anna2.assigned['orders']?.length, 1);
  const [described] = await describe(second, 1, 'readers');
  assert.deepEqual(described?.members.map(({ memberType }) => memberType).toSorted(), [0, 1]);
  assert.equal(await clock.until(anna2.offset('orders')), 6);

  assert.equal(await clock.until(anna2.leave()), 'NONE');
  assert.equal(await clock.until(old2.heartbeat()), 'REBALANCE_IN_PROGRESS');
  assert.equal(await clock.until(old2.join()), 'NONE');
  assert.equal(old2.isLeader, true);
  assert.deepEqual(await clock.until(old2.offsets('orders', 1)), [6]);
  assert.equal(errorNameOf((await describe(second, 1, 'readers'))[0]?.errorCode ?? 0), 'GROUP_ID_NOT_FOUND');
  assert.deepEqual(second.failures, []);
});
