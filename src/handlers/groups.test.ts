// Groups over the wire, as clients see them: rounds, sessions, commits, and what a killed broker still knows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../protocol/messages/find-coordinator.ts';
import { errorNameOf, KafkaError } from '../protocol/errors.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { describeGroupsRequest, describeGroupsResponse } from '../protocol/messages/describe-groups.ts';
import { listGroupsRequest, listGroupsResponse } from '../protocol/messages/list-groups.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from '../protocol/messages/offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { makeTopic, TestMember } from './group-member.testing.ts';

const findCoordinator = { request: findCoordinatorRequest, response: findCoordinatorResponse };
const listGroups = { request: listGroupsRequest, response: listGroupsResponse };
const describeGroups = { request: describeGroupsRequest, response: describeGroupsResponse };
const deleteGroups = { request: deleteGroupsRequest, response: deleteGroupsResponse };
const deleteTopics = { request: deleteTopicsRequest, response: deleteTopicsResponse };
const offsetCommit = { request: offsetCommitRequest, response: offsetCommitResponse };
const offsetDelete = { request: offsetDeleteRequest, response: offsetDeleteResponse };
const offsetFetch = { request: offsetFetchRequest, response: offsetFetchResponse };

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

test('every version of joining, assigning, heartbeats and leaving works', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  for (let version = 0; version <= 9; version += 1) {
    const member = await TestMember.connect(broker, { groupId: `group ${version}` });
    assert.equal(await clock.until(member.join(version)), 'NONE');
    assert.equal(member.joined?.protocolType, version >= 7 ? 'consumer' : null);
    assert.equal(await clock.until(member.sync({ [member.memberId]: 'all' }, Math.min(version, 5))), 'all');
    assert.equal(await clock.until(member.heartbeat(Math.min(version, 4))), 'NONE');
    assert.equal(await clock.until(member.leave()), 'NONE');
    assert.equal(await clock.until(member.leave()), 'UNKNOWN_MEMBER_ID');
  }
});

test('a member of an old client that knows one timeout alone has as long to join again', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  const anna = await TestMember.connect(broker, { sessionTimeoutMs: 8000, rebalanceTimeoutMs: -1 });
  assert.equal(await clock.until(anna.join(0)), 'NONE');
  assert.equal(await clock.until(anna.sync({ [anna.memberId]: 'all' }, 0)), 'all');
  const bert = await TestMember.connect(broker, { sessionTimeoutMs: 8000 });
  const startMs = clock.monotonicMs();
  assert.equal(await clock.until(bert.join()), 'NONE');
  assert.equal(clock.monotonicMs() - startMs, 8000);
});

test('a session timeout out of bounds, an empty group id and an unknown group are refused', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  const refused = async (options: Parameters<typeof TestMember.connect>[1], memberId = ''): Promise<unknown> => {
    const member = await TestMember.connect(broker, options);
    member.memberId = memberId;
    return clock.until(member.joinOnce());
  };
  assert.equal(await refused({ sessionTimeoutMs: 5999 }), 'INVALID_SESSION_TIMEOUT');
  assert.equal(await refused({ sessionTimeoutMs: 1_800_001 }), 'INVALID_SESSION_TIMEOUT');
  assert.equal(await refused({ groupId: '' }), 'INVALID_GROUP_ID');
  assert.equal(await refused({}, 'somebody'), 'UNKNOWN_MEMBER_ID');
  const nobody = await TestMember.connect(broker, { groupId: 'none' });
  assert.equal(await clock.until(nobody.heartbeat()), 'UNKNOWN_MEMBER_ID');
  assert.equal(await clock.until(nobody.sync()), 'UNKNOWN_MEMBER_ID');
});

test('heartbeats stay fast while the disk is slow, and no session ends that waits for it', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock, disk } = broker.env;
  await makeTopic(broker, 'orders', 1);
  const [anna, bert] = (await formed(broker, 2)) as [TestMember, TestMember];
  const slow = disk.inject({ kinds: ['dataSync'], delayMs: 60_000 });
  const commit = anna.commit('orders', 0, 5);
  await clock.settle();
  const startMs = clock.monotonicMs();
  for (let left = 12; left > 0; left -= 1) {
    await clock.advanceMs(5_000);
    const beforeMs = clock.monotonicMs();
    assert.equal(await clock.until(bert.heartbeat()), 'NONE');
    assert.equal(clock.monotonicMs(), beforeMs);
  }
  assert.equal(await clock.until(commit), 'NONE');
  assert.ok(clock.monotonicMs() - startMs >= 60_000);
  slow[Symbol.dispose]();
  assert.equal(await clock.until(anna.heartbeat()), 'NONE', 'its commit took longer than its session');
});

test('a commit that the disk refuses is told so, and nothing of it is ever seen', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock, disk } = broker.env;
  await makeTopic(broker, 'orders', 1);
  const [anna] = (await formed(broker, 1)) as [TestMember];
  assert.equal(await clock.until(anna.commit('orders', 0, 5)), 'NONE');
  const full = disk.inject({ kinds: ['write'], path: /__consumer_offsets|journal/, code: 'ENOSPC' });
  assert.equal(await clock.until(anna.commit('orders', 0, 6)), 'NOT_COORDINATOR');
  await clock.settle(); // it is loaded again
  assert.deepEqual(await clock.until(anna.offsets('orders', 1)), [5]);
  assert.equal(await clock.until(anna.heartbeat()), 'NONE', 'its generation is durable');
  assert.equal(await clock.until(anna.commit('orders', 0, 6)), 'NOT_COORDINATOR');
  full[Symbol.dispose]();
  await clock.advanceMs(30_000);
  const again = await TestMember.connect(broker);
  assert.equal(await clock.until(again.commit('orders', 0, 7)), 'NONE');
  assert.deepEqual(await clock.until(again.offsets('orders', 1)), [7]);
  assert.deepEqual(broker.failures, []);
});

test('a group that another broker keeps is refused here, and its owner is named', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  const [anna] = (await formed(broker, 1)) as [TestMember];
  const { image, metadata } = broker.broker;
  const topic = image.findTopic('__consumer_offsets');
  assert.ok(topic);
  const moved = topic.partitions.map(({ index }) => ({
    type: 'PartitionChangeRecord' as const,
    value: { partitionId: index, topicId: topic.id, leader: 99, isr: null, replicas: null, removingReplicas: null, addingReplicas: null },
  }));
  await clock.until(metadata.execute(() => ({ records: moved, reply: undefined })));
  assert.equal(await clock.until(anna.heartbeat()), 'NOT_COORDINATOR');
  assert.equal(await clock.until(anna.joinOnce()), 'NOT_COORDINATOR');
  assert.equal(await clock.until(anna.leave()), 'NOT_COORDINATOR');
  const found = await clock.until(broker.client.request(findCoordinator, 3, asked(3, 0, 'readers')));
  assert.equal(errorNameOf(found.errorCode), 'COORDINATOR_NOT_AVAILABLE', 'nobody is there to be named');
});

test('while a coordinator loads it says so, and then knows everything', async () => {
  await using first = await startTestBroker({ settings });
  await makeTopic(first, 'orders', 1);
  const alone = await TestMember.connect(first);
  assert.equal(await first.env.clock.until(alone.commit('orders', 0, 11)), 'NONE');
  await first.stop();
  using _slow = first.env.disk.inject({ kinds: ['read'], path: /__consumer_offsets.*\.log/, delayMs: 5_000 });
  await using second = await first.restart();
  const asking = await TestMember.connect(second);
  const early = assert.rejects(asking.offsets('orders', 1), /COORDINATOR_LOAD_IN_PROGRESS/);
  await second.env.clock.settle();
  await early;
  await second.env.clock.advanceMs(10_000);
  assert.deepEqual(await second.env.clock.until(asking.offsets('orders', 1)), [11]);
});

test('with a topic the offsets committed for it go, also when it is made again', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 1);
  await makeTopic(broker, 'others', 1);
  const alone = await TestMember.connect(broker);
  await clock.until(alone.commit('orders', 0, 11));
  await clock.until(alone.commit('others', 0, 12));
  await clock.until(broker.client.request(deleteTopics, 5, { topics: [], topicNames: ['orders'], timeoutMs: 1000 }));
  await makeTopic(broker, 'orders', 1);
  assert.deepEqual(await clock.until(alone.offsets('orders', 1)), [-1]);
  assert.deepEqual(await clock.until(alone.offsets('others', 1)), [12]);
  await using second = await broker.crash();
  const again = await TestMember.connect(second);
  assert.deepEqual(await second.env.clock.until(again.offsets('orders', 1)), [-1]);
});

test('commits for topics and partitions that are not there are refused, by name and by id', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 1);
  const topicId = broker.broker.image.findTopic('orders')?.id ?? '';
  for (let version = 2; version <= 10; version += 1) {
    const byId = version >= 10;
    const topic = (name: string, id: string) => ({
      name: byId ? '' : name,
      topicId: byId ? id : ZERO_UUID,
      partitions: [0, 1].map((partitionIndex) => ({ partitionIndex, committedOffset: version, committedMetadata: 'm' })),
    });
    const answer = await clock.until(
      broker.client.request(offsetCommit, version, {
        groupId: '',
        memberId: '',
        topics: [topic('orders', topicId), topic('none', 'AAAAAAAAAAAAAAAAAAAABQ')],
      }),
    );
    const unknown = byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION';
    assert.deepEqual(
      answer.topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorNameOf(errorCode))),
      [
        ['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'],
        [unknown, unknown],
      ],
    );
    for (let fetching = 1; fetching <= 10; fetching += 1) {
      const ids = fetching >= 10;
      const one = { name: ids ? '' : 'orders', topicId: ids ? topicId : ZERO_UUID, partitionIndexes: [0, 1] };
      const wanted =
        fetching >= 8
          ? { groupId: '', topics: [], groups: [{ groupId: '', topics: [one] }] }
          : { groupId: '', topics: [{ name: 'orders', partitionIndexes: [0, 1] }], groups: [] };
      const fetched = await clock.until(broker.client.request(offsetFetch, fetching, wanted));
      const [group] = fetching >= 8 ? fetched.groups : [fetched];
      assert.deepEqual(
        group?.topics[0]?.partitions.map(({ committedOffset, metadata, errorCode }) => [committedOffset, metadata, errorCode]),
        [
          [version, 'm', 0],
          [-1, '', 0],
        ],
      );
    }
  }
});

test('all offsets of several groups are fetched in one request', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 2);
  const one = await TestMember.connect(broker, { groupId: 'one' });
  const two = await TestMember.connect(broker, { groupId: 'two' });
  await clock.until(one.commit('orders', 1, 11));
  await clock.until(two.commit('orders', 0, 22));
  const answer = await clock.until(
    broker.client.request(offsetFetch, 10, {
      groupId: '',
      topics: [],
      groups: ['one', 'two', 'none'].map((groupId) => ({ groupId, topics: null })),
    }),
  );
  assert.deepEqual(
    answer.groups.map(({ topics }) => topics.flatMap(({ partitions }) => partitions.map((found) => found.committedOffset))),
    [[11], [22], []],
  );
  assert.equal(answer.groups[0]?.topics[0]?.topicId, broker.broker.image.findTopic('orders')?.id);
});

test('groups are listed by state and type, described, and deleted when they are empty', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock, client } = { ...broker.env, client: broker.client };
  await makeTopic(broker, 'orders', 1);
  const [anna] = (await formed(broker, 1)) as [TestMember];
  const alone = await TestMember.connect(broker, { groupId: 'alone' });
  await clock.until(alone.commit('orders', 0, 1));
  const listed = async (statesFilter: string[] = [], typesFilter: string[] = []): Promise<string[]> => {
    const { groups } = await clock.until(client.request(listGroups, 5, { statesFilter, typesFilter }));
    return groups.map(({ groupId, protocolType, groupState, groupType }) => `${groupId} ${protocolType} ${groupState} ${groupType}`).sort();
  };
  assert.deepEqual(await listed(), ['alone  Empty classic', 'readers consumer Stable classic']);
  assert.deepEqual(await listed(['stable']), ['readers consumer Stable classic']);
  assert.deepEqual(await listed([], ['Consumer']), []);
  for (let version = 0; version <= 4; version += 1) {
    const { groups } = await clock.until(client.request(listGroups, version, { statesFilter: [], typesFilter: [] }));
    assert.equal(groups.length, 2);
  }
  for (let version = 0; version <= 6; version += 1) {
    const { groups } = await clock.until(
      client.request(describeGroups, version, { groups: ['readers', 'alone', 'none'], includeAuthorizedOperations: version >= 3 }),
    );
    assert.deepEqual(
      groups.map(
        (group) => `${group.groupId} ${group.groupState} ${group.protocolData} ${group.members.length} ${errorNameOf(group.errorCode)}`,
      ),
      ['readers Stable range 1 NONE', 'alone Empty  0 NONE', `none Dead  0 ${version >= 6 ? 'GROUP_ID_NOT_FOUND' : 'NONE'}`],
    );
    const [member] = groups[0]?.members ?? [];
    assert.deepEqual(
      [member?.memberId, member?.clientId, member?.memberMetadata.toString(), member?.memberAssignment.toString()],
      [anna.memberId, 'test', 'topics', 'part 0'],
    );
    assert.match(member?.clientHost ?? '', /^\/./);
    assert.equal(groups[0]?.authorizedOperations === -(2 ** 31), version < 3);
  }
  for (let version = 0; version <= 2; version += 1) {
    await clock.until(alone.commit('orders', 0, 1));
    const { results } = await clock.until(client.request(deleteGroups, version, { groupsNames: ['readers', 'alone', 'none', 'alone'] }));
    assert.deepEqual(
      results.map(({ groupId, errorCode }) => `${groupId} ${errorNameOf(errorCode)}`),
      ['readers NON_EMPTY_GROUP', 'alone NONE', 'none GROUP_ID_NOT_FOUND'],
    );
  }
  assert.deepEqual(await listed(), ['readers consumer Stable classic']);
});

test('offsets are deleted one by one', async () => {
  await using broker = await startTestBroker({ settings });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 2);
  const alone = await TestMember.connect(broker);
  await clock.until(alone.commit('orders', 0, 1));
  await clock.until(alone.commit('orders', 1, 2));
  const remove = (groupId: string) =>
    clock.until(
      broker.client.request(offsetDelete, 0, {
        groupId,
        topics: [
          { name: 'orders', partitions: [{ partitionIndex: 0 }, { partitionIndex: 7 }] },
          { name: 'none', partitions: [{ partitionIndex: 0 }] },
        ],
      }),
    );
  const { topics } = await remove('readers');
  assert.deepEqual(
    topics.map(({ partitions }) => partitions.map(({ errorCode }) => errorNameOf(errorCode))),
    [['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'], ['UNKNOWN_TOPIC_OR_PARTITION']],
  );
  assert.deepEqual(await clock.until(alone.offsets('orders', 2)), [-1, 2]);
  assert.equal(errorNameOf((await remove('none')).errorCode), 'GROUP_ID_NOT_FOUND');
  assert.equal(errorNameOf((await remove('')).errorCode), 'INVALID_GROUP_ID');
});

test('a broker that stops keeps nobody waiting for the others of a group', async () => {
  await using broker = await startTestBroker({ settings: { ...settings, 'group.initial.rebalance.delay.ms': '600000' } });
  const { clock } = broker.env;
  const anna = await TestMember.connect(broker, { rebalanceTimeoutMs: 600_000 });
  const joining = anna.join(3);
  await clock.settle();
  const startMs = clock.monotonicMs();
  broker.broker.groups.stopWaiting();
  assert.equal(await clock.until(joining), 'COORDINATOR_NOT_AVAILABLE');
  await broker.stop();
  assert.ok(clock.monotonicMs() - startMs < 5_000);
});

test('offsets that nobody needs go by themselves', async () => {
  await using broker = await startTestBroker({ settings: { ...settings, 'offsets.retention.minutes': '60' } });
  const { clock } = broker.env;
  await makeTopic(broker, 'orders', 1);
  const alone = await TestMember.connect(broker);
  await clock.until(alone.commit('orders', 0, 1));
  // Connections that are idle for so long are closed.
  const known = async (): Promise<number[]> => clock.until((await TestMember.connect(broker)).offsets('orders', 1));
  await clock.advanceMs(59 * 60_000);
  assert.deepEqual(await known(), [1]);
  await clock.advanceMs(11 * 60_000);
  assert.deepEqual(await known(), [-1]);
  const { groups } = await clock.until((await broker.connect()).request(listGroups, 5, { statesFilter: [], typesFilter: [] }));
  assert.deepEqual(groups, []);
});

test('an assignment that the log refuses at once fails every member that waits for it, and nothing else', async () => {
  await using broker = await startTestBroker({ settings: { ...settings, 'group.initial.rebalance.delay.ms': '1000' } });
  const { clock } = broker.env;
  const [anna, bert] = [await TestMember.connect(broker), await TestMember.connect(broker)];
  assert.deepEqual(await clock.until(Promise.all([anna.join(), bert.join()])), ['NONE', 'NONE']);
  const [leader, follower] = anna.isLeader ? [anna, bert] : [bert, anna];
  const waiting = follower.sync();
  await clock.settle();
  // The log finds itself refused in the very turn of the append.
  const topic = broker.broker.image.findTopic('__consumer_offsets');
  assert.ok(topic);
  for (const { index } of topic.partitions) {
    const log = broker.broker.partitions.find(topic, index);
    if (log !== undefined) log.append = () => assert.fail(new KafkaError('KAFKA_STORAGE_ERROR'));
  }
  assert.equal(await clock.until(leader.sync({ [leader.memberId]: 'a', [follower.memberId]: 'b' })), 'NOT_COORDINATOR');
  assert.equal(await clock.until(waiting), 'NOT_COORDINATOR');
  assert.deepEqual(broker.failures, []);
});
