// A consumer group on a clock that a test moves: joining, epochs, targets, letting go and taking over, leaving, falling silent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberRecord } from './consumer-records.ts';
import { ConsumerHarness } from './consumer-harness.testing.ts';
import type { GroupRecordOf } from './group-records.ts';

function withOrders(partitions: number, settings: Readonly<Record<string, string>> = {}): ConsumerHarness {
  const harness = new ConsumerHarness(settings);
  harness.makeTopic('orders', partitions);
  return harness;
}

const types = ({ lastRecords }: ConsumerHarness): string[] => lastRecords.map(({ type, value }) => `${value === null ? '-' : ''}${type}`);

test('the first member makes the group and has all partitions at once', () => {
  const harness = withOrders(3);
  const anna = harness.consumer('anna');
  assert.equal(anna.beat(), 'NONE');
  assert.equal(anna.epoch, 1);
  assert.deepEqual(anna.assigned, { orders: [0, 1, 2] });
  assert.equal(harness.group.state, 'Stable');
  assert.deepEqual(types(harness), [
    'ConsumerGroupMemberMetadata',
    'ConsumerGroupMetadata',
    'ConsumerGroupTargetAssignmentMember',
    'ConsumerGroupTargetAssignmentMetadata',
    'ConsumerGroupCurrentMemberAssignment',
  ]);
});

test('a heartbeat that says nothing new writes nothing and is told no assignment', () => {
  const harness = withOrders(3);
  const anna = harness.consumer('anna');
  anna.beat();
  anna.beat(); // tells what it holds
  assert.equal(anna.beat(), 'NONE');
  assert.deepEqual(harness.lastRecords, []);
  assert.equal(anna.lastAssignment, undefined);
  assert.equal(anna.heartbeatIntervalMs, 5000);
});

test('a partition is handed over only when its owner has let go', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna', { clings: true }), harness.consumer('bert')];
  anna.beat();
  assert.equal(bert.beat(), 'NONE');
  assert.deepEqual([bert.epoch, bert.assigned], [2, {}], 'it has come to the epoch, and anna still holds its part');
  assert.equal(harness.group.state, 'Reconciling');
  anna.beat();
  assert.equal(anna.epoch, 1, 'it stays in its epoch until it has let go');
  assert.deepEqual(anna.lastAssignment, { orders: [0] }, 'and is told what it may keep');
  bert.beat();
  assert.deepEqual(bert.assigned, {});
  anna.held = new Map([...anna.held].map(([topicId]) => [topicId, [0]]));
  anna.beat();
  assert.equal(anna.epoch, 2);
  bert.beat();
  assert.deepEqual(bert.assigned, { orders: [1] });
  assert.equal(harness.group.state, 'Stable');
});

test('a member that does not let go within its rebalance timeout is given up, and others have its partitions', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna', { clings: true, rebalanceTimeoutMs: 10_000 }), harness.consumer('bert')];
  anna.beat();
  bert.beat();
  anna.beat();
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 2_500) {
    assert.equal(anna.beat(), 'NONE');
    assert.equal(bert.beat(), 'NONE');
    harness.advance(2_500);
  }
  assert.equal(anna.beat(), 'UNKNOWN_MEMBER_ID');
  harness.settle(bert);
  assert.deepEqual(bert.assigned, { orders: [0, 1] });
});

test('a member that lets go in time is not held to the rebalance timeout any more', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna', { rebalanceTimeoutMs: 10_000 }), harness.consumer('bert')];
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 5_000) {
    harness.advance(5_000);
    assert.deepEqual([anna.beat(), bert.beat()], ['NONE', 'NONE']);
  }
});

test('many members share evenly, and each change moves as little as it can', () => {
  const harness = withOrders(12);
  const consumers = ['anna', 'bert', 'cleo', 'dora'].map((name) => harness.consumer(name));
  for (const consumer of consumers) {
    consumer.beat();
    harness.settle(...consumers.filter(({ epoch }) => epoch > 0));
  }
  for (const { assigned } of consumers) assert.equal(assigned['orders']?.length, 3);
  const before = consumers.slice(0, 3).map(({ assigned }) => assigned['orders'] ?? []);
  consumers[3]?.leave();
  harness.settle(...consumers.slice(0, 3));
  for (const [at, { assigned }] of consumers.slice(0, 3).entries()) {
    assert.equal(assigned['orders']?.length, 4);
    for (const partition of before[at] ?? []) assert.ok(assigned['orders']?.includes(partition));
  }
});

test('a member in an epoch that is not its own is fenced; one whose answer was lost is not', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna'), harness.consumer('bert')];
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  const { epoch } = anna;
  assert.equal(anna.beat({ memberEpoch: epoch + 1 }), 'FENCED_MEMBER_EPOCH');
  assert.equal(anna.beat({ memberEpoch: epoch - 1 }), 'FENCED_MEMBER_EPOCH', 'it does not say what it holds');
  const [orders] = anna.held.keys();
  assert.equal(anna.beat({ memberEpoch: epoch - 1, owned: new Map([[orders ?? '', [0, 1]]]) }), 'FENCED_MEMBER_EPOCH', 'it holds too much');
  assert.equal(anna.beat({ memberEpoch: epoch - 1, owned: anna.held }), 'NONE');
  assert.equal(anna.epoch, epoch);
  assert.equal(anna.beat({ memberEpoch: 17, memberId: 'nobody' }), 'UNKNOWN_MEMBER_ID');
});

test('a member that was fenced begins anew under the same id, and lets go of what is not its own any more', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna'), harness.consumer('bert')];
  anna.beat();
  bert.beat();
  assert.equal(anna.beat({ memberEpoch: 17 }), 'FENCED_MEMBER_EPOCH');
  anna.epoch = 0;
  assert.equal(anna.beat(), 'NONE');
  assert.deepEqual([anna.epoch, anna.assigned], [2, { orders: [0] }]);
  bert.beat();
  assert.deepEqual(bert.assigned, { orders: [1] });
});

test('a member that tells everything, as it does after an error, is told its assignment', () => {
  const harness = withOrders(2);
  const anna = harness.consumer('anna');
  anna.beat();
  anna.beat();
  anna.beat();
  assert.equal(anna.lastAssignment, undefined);
  anna.send(anna.whole);
  assert.deepEqual(anna.lastAssignment, { orders: [0, 1] });
  assert.deepEqual(harness.lastRecords, []);
});

test('a member that leaves is gone at once, and a group that nobody is in is empty', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna'), harness.consumer('bert')];
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  assert.equal(bert.leave(), 'NONE');
  assert.equal(bert.epoch, -1);
  assert.equal(harness.group.state, 'Assigning', 'the next heartbeat of anybody works out who is to hold what');
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { orders: [0, 1] });
  assert.equal(anna.leave(), 'NONE');
  assert.equal(harness.group.state, 'Empty');
  assert.equal(anna.leave(), 'UNKNOWN_MEMBER_ID');
});

test('leaving or going on in a group that is not there is refused', () => {
  const harness = withOrders(1);
  const anna = harness.consumer('anna');
  assert.equal(anna.leave(), 'GROUP_ID_NOT_FOUND');
  assert.equal(anna.beat({ memberEpoch: 3 }), 'GROUP_ID_NOT_FOUND');
});

test('a silent member is given up when its session ends, and its partitions go to others', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna'), harness.consumer('bert')];
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  harness.advance(44_999);
  assert.equal(bert.beat(), 'NONE');
  assert.equal(harness.group.members.size, 2);
  harness.advance(1);
  assert.deepEqual([...harness.group.members.keys()], ['bert']);
  harness.settle(bert);
  assert.deepEqual(bert.assigned, { orders: [0, 1] });
  assert.equal(anna.beat(), 'UNKNOWN_MEMBER_ID');
});

test('members that fall silent together go in one step', () => {
  const harness = withOrders(2);
  const [anna, bert] = [harness.consumer('anna'), harness.consumer('bert')];
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  const { groupEpoch } = harness.group;
  harness.advance(45_000);
  assert.equal(harness.group.state, 'Empty');
  assert.equal(harness.group.groupEpoch, groupEpoch + 1);
});

test('a session does not run while a request of the member waits for the disk', () => {
  const harness = withOrders(2);
  const anna = harness.consumer('anna');
  harness.slowDown();
  anna.beat();
  harness.advance(600_000);
  assert.equal(harness.group.members.size, 1);
  harness.written();
  harness.advance(44_999);
  assert.equal(harness.group.members.size, 1);
  harness.advance(1);
  assert.equal(harness.group.members.size, 0);
});

test('the settings of the group say how long a session is and how often heartbeats come, from the next heartbeat on', () => {
  const harness = withOrders(2, { 'group.consumer.max.session.timeout.ms': '120000' });
  const anna = harness.consumer('anna');
  anna.beat();
  harness.setGroupConfig('consumer.session.timeout.ms', '90000');
  harness.setGroupConfig('consumer.heartbeat.interval.ms', '7000');
  anna.beat();
  assert.equal(anna.heartbeatIntervalMs, 7000);
  harness.advance(89_999);
  assert.equal(harness.group.members.size, 1);
  harness.advance(1);
  assert.equal(harness.group.members.size, 0);
});

test('a group takes no more members than it may have, and those it has go on', () => {
  const harness = withOrders(2, { 'group.consumer.max.size': '1' });
  const [anna, bert] = [harness.consumer('anna'), harness.consumer('bert')];
  anna.beat();
  assert.equal(bert.beat(), 'GROUP_MAX_SIZE_REACHED');
  assert.equal(anna.beat(), 'NONE');
});

test('topics that are made, grow and go change what the group shares, and nobody else is disturbed', () => {
  const harness = withOrders(1);
  const anna = harness.consumer('anna', { topics: ['orders', 'later'] });
  anna.beat();
  harness.settle(anna);
  const { epoch } = anna;
  harness.makeTopic('unrelated', 3);
  anna.beat();
  assert.deepEqual([anna.epoch, harness.lastRecords], [epoch, []]);
  harness.makeTopic('later', 2);
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { orders: [0], later: [0, 1] });
  assert.equal(anna.epoch, epoch + 1);
  harness.growTopic('orders', 3);
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { orders: [0, 1, 2], later: [0, 1] });
  harness.removeTopic('later');
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { orders: [0, 1, 2] });
  assert.equal(harness.group.state, 'Stable');
});

test('a topic made again under its name is another topic', () => {
  const harness = withOrders(2);
  const anna = harness.consumer('anna');
  anna.beat();
  harness.settle(anna);
  const [before] = anna.held.keys();
  harness.removeTopic('orders');
  harness.makeTopic('orders', 2);
  harness.settle(anna);
  const [after] = anna.held.keys();
  assert.deepEqual(anna.assigned, { orders: [0, 1] });
  assert.notEqual(after, before);
});

test('a member that changes its subscription lets go of the old topics and gets the new', () => {
  const harness = withOrders(2);
  harness.makeTopic('bills', 2);
  const [anna, bert] = [harness.consumer('anna'), harness.consumer('bert', { topics: ['orders', 'bills'] })];
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  anna.beat({ subscribedTopicNames: ['bills'] });
  harness.settle(anna, bert);
  assert.deepEqual(Object.keys(anna.assigned), ['bills']);
  assert.deepEqual(bert.assigned['orders'], [0, 1]);
});

test('the assignor that most members ask for is taken, and one that is not offered is refused', () => {
  const harness = withOrders(3);
  harness.makeTopic('bills', 3);
  const topics = ['orders', 'bills'];
  const [anna, bert] = [harness.consumer('anna', { topics, assignor: 'range' }), harness.consumer('bert', { topics, assignor: 'range' })];
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  assert.deepEqual(
    [anna.assigned, bert.assigned],
    [
      { orders: [0, 1], bills: [0, 1] },
      { orders: [2], bills: [2] },
    ],
  );
  assert.equal(harness.consumer('cleo', { assignor: 'sticky' }).beat(), 'UNSUPPORTED_ASSIGNOR');
});

test('requests that make no sense are refused', () => {
  const harness = withOrders(1);
  const anna = harness.consumer('anna');
  for (const nonsense of [
    { memberId: ' ' },
    { groupId: '' },
    { instanceId: '' },
    { rackId: ' ' },
    { rebalanceTimeoutMs: -1 },
    { owned: null },
    { owned: new Map([['topic', [0]]]) },
    { subscribedTopicNames: null, subscribedTopicRegex: null },
    { memberEpoch: -3 },
    { memberEpoch: -2 },
  ])
    assert.equal(anna.beat(nonsense), 'INVALID_REQUEST', JSON.stringify(nonsense));
  assert.equal(harness.state.groups.size, 0);
  assert.equal(anna.beat({ subscribedTopicNames: [] }), 'NONE', 'a member may want nothing yet');
  assert.deepEqual([anna.epoch, anna.assigned], [1, {}]);
});

test('after a restart the group is as it was, and members go on in their epochs', () => {
  const harness = withOrders(4);
  const [anna, bert] = [harness.consumer('anna', { clings: true }), harness.consumer('bert', { assignor: 'range', rackId: 'a' })];
  anna.beat();
  for (let times = 0; times < 2; times += 1) {
    bert.beat();
    anna.beat();
  }
  const before = describe(harness);
  harness.restart();
  assert.deepEqual(describe(harness), before);
  assert.equal(anna.beat(), 'NONE');
  assert.equal(bert.beat(), 'NONE');
  assert.deepEqual(harness.lastRecords, [], 'the topics are what they were');
  harness.advance(30_000);
  assert.equal(anna.beat(), 'UNKNOWN_MEMBER_ID', 'it has had the rebalance timeout again, and not let go');
  harness.advance(45_000);
  assert.equal(harness.group.state, 'Empty');
});

const describe = ({ group }: ConsumerHarness) => ({
  state: group.state,
  groupEpoch: group.groupEpoch,
  assignmentEpoch: group.assignmentEpoch,
  metadataHash: group.metadataHash,
  members: [...group.members.values()],
  target: [...group.target],
});

test('a log of Kafka before 4.1 tells the topics in a record of its own, which goes with the next change', () => {
  const harness = withOrders(1);
  const anna = harness.consumer('anna');
  anna.beat();
  harness.append({ type: 'ConsumerGroupPartitionMetadata', key: { groupId: harness.groupId }, value: { topics: [] } });
  harness.append({ type: 'ConsumerGroupMetadata', key: { groupId: harness.groupId }, value: { epoch: 1, metadataHash: 0n } });
  harness.restart();
  anna.beat();
  assert.ok(types(harness).includes('-ConsumerGroupPartitionMetadata'));
  harness.growTopic('orders', 2);
  anna.beat();
  assert.ok(!types(harness).includes('-ConsumerGroupPartitionMetadata'));
});

test('a member in a state that only a newer broker knows has to begin anew', () => {
  const harness = withOrders(2);
  const anna = harness.consumer('anna');
  anna.beat();
  const [topicId] = anna.held.keys();
  harness.append({
    type: 'ConsumerGroupCurrentMemberAssignment',
    key: { groupId: harness.groupId, memberId: 'anna' },
    value: {
      memberEpoch: 1,
      previousMemberEpoch: 0,
      state: 9,
      assignedPartitions: [{ topicId: topicId ?? '', partitions: [0, 1] }],
      partitionsPendingRevocation: [],
    },
  });
  assert.equal(anna.beat(), 'FENCED_MEMBER_EPOCH');
  assert.equal(anna.beat({ owned: new Map() }), 'NONE');
  assert.equal(harness.group.state, 'Stable');
});

test('in a log whose records disagree about the holder of a partition the last word counts', () => {
  const harness = withOrders(1);
  const anna = harness.consumer('anna');
  anna.beat();
  const [topicId = ''] = anna.held.keys();
  const { groupId } = harness;
  const holds = (memberId: string, partitions: number[]) =>
    harness.append({
      type: 'ConsumerGroupCurrentMemberAssignment',
      key: { groupId, memberId },
      value: {
        memberEpoch: 1,
        previousMemberEpoch: 0,
        state: 0,
        assignedPartitions: [{ topicId, partitions }],
        partitionsPendingRevocation: [],
      },
    });
  harness.append({ ...memberOf(harness), key: { groupId, memberId: 'bert' } });
  holds('bert', [0]); // that anna has let go is told by a record that compaction has taken
  holds('anna', []);
  harness.restart();
  assert.equal(harness.group.ownerOf(topicId, 0), 'bert');
});

const memberOf = ({ group, groupId }: ConsumerHarness) =>
  memberRecord(groupId, group.getMember('anna')) as GroupRecordOf<'ConsumerGroupMemberMetadata'>;
