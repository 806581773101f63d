// The rules of a consumer group (KIP-848) as a member sees them over the wire: what a heartbeat has to say, epochs, how an assignment is
// reached step by step, sessions and timeouts. Each is what Kafka 4.2 does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joining, TestGroup } from './consumer-group.testing.ts';
import { LEAVE_EPOCH, topicPartitionsOf } from './consumer-protocol-member.testing.ts';

// --- what a heartbeat has to say

test('what a heartbeat says is checked before anything else, and the refusal says what is wrong', async () => {
  await using group = await TestGroup.start();
  const refusals: [Parameters<TestGroup['said']>[0], string][] = [
    [joining({ groupId: '' }), "GroupId can't be empty."],
    [joining({ memberId: '' }), "MemberId can't be empty."],
    [joining({ instanceId: '' }), "InstanceId can't be empty."],
    [joining({ rackId: '' }), "RackId can't be empty."],
    [joining({ rebalanceTimeoutMs: -1 }), 'RebalanceTimeoutMs must be provided in first request.'],
    [joining({ topicPartitions: null }), 'TopicPartitions must be empty when (re-)joining.'],
    [joining({ topicPartitions: topicPartitionsOf(group.keys('foo:0')) }), 'TopicPartitions must be empty when (re-)joining.'],
    [joining({ subscribedTopicNames: null }), 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'],
    [{ memberEpoch: -2 }, "InstanceId can't be null."],
    [{ memberEpoch: -3 }, 'MemberEpoch is invalid.'],
  ];
  for (const [fields, message] of refusals) assert.equal(await group.said(fields), `INVALID_REQUEST ${message}`);
  assert.equal(
    await group.said(joining({ serverAssignor: 'sticky' })),
    'UNSUPPORTED_ASSIGNOR ServerAssignor sticky is not supported. Supported assignors: uniform, range.',
  );
  assert.equal(await group.state(), 'GROUP_ID_NOT_FOUND', 'none of them has made the group');
});

test('who says it is a member of a group that is not there hears so, and of one that does not know it', async () => {
  await using group = await TestGroup.start();
  assert.match(await group.said({ memberEpoch: 1 }), /^GROUP_ID_NOT_FOUND/);
  assert.match(await group.said({ memberEpoch: -1 }), /^GROUP_ID_NOT_FOUND/);
  await group.beat(group.member('bert'));
  assert.match(await group.said({ memberEpoch: 1 }), /^UNKNOWN_MEMBER_ID/);
  assert.match(await group.said({ memberEpoch: -1 }), /^UNKNOWN_MEMBER_ID/);
  assert.match(await group.said({ memberEpoch: 1, instanceId: 'one' }), /^UNKNOWN_MEMBER_ID/);
});

test('a member may subscribe to nothing, and to topics that are not there yet', async () => {
  await using group = await TestGroup.start();
  assert.equal(await group.said(joining({ subscribedTopicNames: [] })), '1 []');
  assert.equal(
    await group.said(joining({ memberId: 'bert', subscribedTopicNames: null, subscribedTopicRegex: '' })),
    '1 []',
    'nothing to share anew',
  );
  assert.equal(await group.said(joining({ memberId: 'carl', subscribedTopicNames: ['nowhere'] })), '2 []');
});

// --- epochs

test('an epoch that is not the member’s fences it; the one before is believed from who owns nothing it should not', async () => {
  await using group = await TestGroup.start({ foo: 3 });
  const anna = group.member('anna');
  await group.settle(anna);
  assert.equal(await group.said({ memberEpoch: 2 }).then((said) => said.split(' ')[0]), 'FENCED_MEMBER_EPOCH');
  // Another joins: anna's epoch rises once she has let go.
  await group.settle(anna, group.member('bert'));
  assert.equal(anna.memberEpoch, 2);
  const owned = topicPartitionsOf(anna.owned);
  const said = async (fields: Parameters<TestGroup['said']>[0]) => (await group.said(fields)).split(' ')[0];
  assert.equal(await said({ memberEpoch: 1 }), 'FENCED_MEMBER_EPOCH', 'what it owns is not said');
  assert.equal(await said({ memberEpoch: 1, topicPartitions: topicPartitionsOf(group.keys('foo:0 foo:1 foo:2')) }), 'FENCED_MEMBER_EPOCH');
  assert.equal(await said({ memberEpoch: 0 }), 'INVALID_REQUEST');
  assert.equal(await said({ memberEpoch: 1, topicPartitions: owned }), '2', 'the answer with the new epoch may have been lost');
  assert.equal(await said({ memberEpoch: 1, topicPartitions: [] }), '2');
});

test('a join whose answer was lost may be sent again, and is the same membership', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  assert.equal(await group.said(joining({})), '1 [foo:0 foo:1]');
  assert.equal(await group.said(joining({})), '1 [foo:0 foo:1]');
  assert.equal(await group.state(), 'Stable 1/1');
});

test('the whole assignment is answered to who joins and who says everything; otherwise only when it changes', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  assert.equal(await group.said(joining({})), '1 [foo:0 foo:1]');
  assert.equal(await group.said({ memberEpoch: 1 }), '1');
  assert.equal(await group.said(joining({ memberEpoch: 1 })), '1 [foo:0 foo:1]');
  assert.equal(await group.said(joining({ memberEpoch: 1, topicPartitions: null })), '1', 'not everything');
  assert.equal(await group.said(joining({ memberEpoch: 1, rebalanceTimeoutMs: -1 })), '1', 'not everything');
});

test('an answer says when the next heartbeat is due', async () => {
  await using group = await TestGroup.start({ foo: 1 }, { 'group.consumer.heartbeat.interval.ms': '7000' });
  assert.equal((await group.raw(joining({}))).heartbeatIntervalMs, 7000);
  assert.equal((await group.raw({ memberEpoch: 1 })).heartbeatIntervalMs, 7000);
});

// --- what raises the group epoch

test('a group’s epoch rises with who joins, who leaves and what they subscribe to, and with nothing else that a member says', async () => {
  await using group = await TestGroup.start({ foo: 2, bar: 1 });
  const anna = group.member('anna');
  await group.settle(anna);
  assert.equal(await group.state(), 'Stable 1/1');
  assert.equal(await group.said({ memberEpoch: 1, rebalanceTimeoutMs: 9000 }), '1');
  assert.equal(await group.said({ memberEpoch: 1, rackId: 'here' }), '1');
  assert.equal(await group.said({ memberEpoch: 1, serverAssignor: 'range' }), '1');
  assert.equal(await group.said({ memberEpoch: 1, subscribedTopicNames: ['foo'] }), '1');
  assert.equal(await group.state(), 'Stable 1/1');
  assert.equal(await group.said({ memberEpoch: 1, subscribedTopicNames: ['foo', 'bar'] }), '2 [bar:0 foo:0 foo:1]');
  assert.equal(await group.said({ memberEpoch: 2, subscribedTopicNames: ['bar', 'foo'] }), '2', 'their order does not matter');
  await group.beat(group.member('bert'));
  assert.equal(await group.state(), 'Reconciling 3/3');
  assert.equal(await group.said({ memberId: 'bert', memberEpoch: LEAVE_EPOCH }), '-1');
  assert.equal(await group.state(), 'Assigning 4/3', 'the next heartbeat computes the assignment');
  assert.equal((await group.said({ memberEpoch: 2 })).split(' ')[0], '4');
  assert.equal(await group.state(), 'Stable 4/4');
});

test('a topic that is made, grown or removed raises the epoch with the next heartbeat', async () => {
  await using group = await TestGroup.start({});
  const anna = group.member('anna');
  assert.equal(await group.beat(anna), '1 []');
  await group.createTopic('foo', 1);
  assert.equal(await group.beat(anna), '2 [foo:0]');
  await group.growTopic('foo', 3);
  assert.equal(await group.beat(anna), '3 [foo:0 foo:1 foo:2]');
  await group.createTopic('not-hers');
  assert.equal(await group.beat(anna), '3 [foo:0 foo:1 foo:2]');
  await group.deleteTopic('foo');
  assert.equal(await group.beat(anna), '3 []', 'first she is asked to let go');
  assert.equal(await group.beat(anna), '4 []');
  await group.createTopic('foo', 1);
  assert.equal(await group.beat(anna), '5 [foo:0]', 'a topic of the same name is another');
});

// --- the way to an assignment

test('a partition is given when its owner has let go of it, one heartbeat at a time', async () => {
  await using group = await TestGroup.start({ foo: 6, bar: 3 });
  const [anna, bert, carl] = ['anna', 'bert', 'carl'].map((name) =>
    group.member(name, { subscription: { names: ['foo', 'bar'], regex: null }, serverAssignor: 'range' }),
  );
  assert.ok(anna !== undefined && bert !== undefined && carl !== undefined);
  await group.settle(anna, bert);
  assert.equal(group.shown(anna.owned), 'bar:0 bar:1 foo:0 foo:1 foo:2');
  assert.equal(group.shown(bert.owned), 'bar:2 foo:3 foo:4 foo:5');
  assert.equal(await group.state(), 'Stable 2/2');

  assert.equal(await group.beat(carl), '3 []', 'all of its share still belongs to others');
  assert.equal(await group.state(), 'Reconciling 3/3');
  assert.equal(await group.beatSlowly(anna), '2 [bar:0 foo:0 foo:1]', 'in her epoch until she has let go');
  assert.equal(await group.beatSlowly(bert), '2 [foo:3]');
  assert.equal(await group.beat(carl), '3 []');
  anna.reconcile();
  assert.equal(await group.beat(anna), '3 [bar:0 foo:0 foo:1]');
  assert.equal(await group.beatSlowly(bert), '2 [foo:3]', 'nothing new until it has let go');
  assert.equal(await group.beat(carl), '3 []', 'anna’s partitions are for bert');
  bert.reconcile();
  assert.equal(await group.beat(bert), '3 [bar:1 foo:2 foo:3]');
  assert.equal(await group.beat(carl), '3 [bar:2 foo:4 foo:5]');
  await group.settle(anna, bert, carl);
  assert.equal(await group.state(), 'Stable 3/3');
});

test('one that waits for several owners is given each partition as it is let go', async () => {
  await using group = await TestGroup.start({ foo: 4 });
  const [anna, bert, carl] = ['anna', 'bert', 'carl'].map((name) => group.member(name));
  assert.ok(anna !== undefined && bert !== undefined && carl !== undefined);
  await group.settle(anna, bert);
  const dora = group.member('dora');
  assert.equal(await group.beat(carl), '3 []');
  assert.equal(await group.beat(dora), '4 []');
  await group.beat(anna); // lets go, and says so with the next
  await group.beat(anna);
  assert.equal(anna.owned.size, 1);
  await group.beat(carl);
  await group.beat(dora);
  assert.equal(carl.owned.size + dora.owned.size, 1, 'what anna has let go');
  await group.beat(bert);
  await group.beat(bert);
  await group.beat(carl);
  await group.beat(dora);
  assert.deepEqual(
    [anna, bert, carl, dora].map(({ owned }) => owned.size),
    [1, 1, 1, 1],
  );
});

test('a share that changes again before it was reached is never handed to two', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  const [anna, bert] = [group.member('anna'), group.member('bert')];
  await group.settle(anna);
  await group.beat(bert);
  await group.beatSlowly(anna);
  assert.equal(anna.toLetGo.length, 1);
  // bert goes before anna has let go: she is to keep both, but has been told to let go of one and does.
  assert.equal(await group.said({ memberId: 'bert', memberEpoch: -1 }), '-1');
  anna.reconcile();
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'foo:0 foo:1');
  assert.equal(await group.state(), 'Stable 3/3');
});

test('who unsubscribes is asked to let go at once, and the partition waits for that', async () => {
  await using group = await TestGroup.start({ foo: 1, bar: 1 });
  const both = { names: ['foo', 'bar'], regex: null };
  const anna = group.member('anna', { subscription: both });
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'bar:0 foo:0');
  anna.subscription = { names: ['bar'], regex: null };
  const bert = group.member('bert');
  assert.equal(await group.beatSlowly(anna), '1 [bar:0]');
  assert.equal(await group.beat(bert), '3 []');
  anna.reconcile();
  assert.equal(await group.beat(anna), '3 [bar:0]');
  assert.equal(await group.beat(bert), '3 [foo:0]');
});

test('the assignor that most members name is used, and uniform where none does', async () => {
  await using group = await TestGroup.start({ foo: 2, bar: 2 });
  const subscription = { names: ['foo', 'bar'], regex: null };
  const anna = group.member('anna', { subscription });
  const bert = group.member('bert', { subscription });
  await group.settle(anna, bert);
  assert.equal((await group.describe()).assignorName, 'uniform');
  const carl = group.member('carl', { subscription, serverAssignor: 'range' });
  const dora = group.member('dora', { subscription, serverAssignor: 'range' });
  await group.settle(anna, bert, carl, dora);
  assert.equal((await group.describe()).assignorName, 'range');
  assert.equal(group.shown(anna.owned), 'bar:0 foo:0', 'co-partitioned');
});

// --- sessions and timeouts

test('a member that falls silent is given up after its session, and one that sends heartbeats is not', async () => {
  await using group = await TestGroup.start({ foo: 2 }, { 'group.consumer.session.timeout.ms': '45000' });
  const [anna, bert] = [group.member('anna'), group.member('bert')];
  await group.settle(anna, bert);
  for (let beat = 0; beat < 8; beat += 1) {
    await group.wait(5600);
    await group.beat(anna);
  }
  assert.equal(await group.state(), 'Stable 2/2', '44.8 s after bert was heard of');
  await group.wait(1000);
  assert.equal(await group.state(), 'Assigning 3/2');
  assert.equal(await group.beat(anna), '3 [foo:0 foo:1]');
  assert.equal(await group.beat(bert), 'UNKNOWN_MEMBER_ID');
  assert.equal(bert.owned.size, 0);
  assert.equal(await group.beat(bert), '4 []', 'it may join again');
});

test('who does not let go within its rebalance timeout is given up, though it sends heartbeats', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  const anna = group.member('anna', { rebalanceTimeoutMs: 10_000 });
  const bert = group.member('bert');
  await group.settle(anna);
  await group.beat(bert);
  assert.equal((await group.beatSlowly(anna)).split(' ')[0], '1');
  await group.wait(5000);
  assert.equal((await group.beatSlowly(anna)).split(' ')[0], '1');
  await group.wait(4900);
  assert.equal((await group.beatSlowly(anna)).split(' ')[0], '1');
  await group.wait(200);
  assert.equal(await group.beat(anna), 'UNKNOWN_MEMBER_ID');
  assert.equal(await group.beat(bert), '3 [foo:0 foo:1]');
});

test('who lets go in time is not given up later', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  const anna = group.member('anna', { rebalanceTimeoutMs: 10_000 });
  const bert = group.member('bert');
  await group.settle(anna);
  await group.beat(bert);
  await group.beat(anna);
  await group.wait(9000);
  assert.equal((await group.beat(anna)).split(' ')[0], '2');
  await group.wait(9000);
  assert.equal((await group.beat(anna, bert)).split(' ')[0], '2');
  await group.wait(9000);
  assert.equal((await group.beat(anna)).split(' ')[0], '2');
});

test('a member may make its rebalance timeout shorter with the heartbeat that is told to let go', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  await group.raw(joining({ rebalanceTimeoutMs: 180_000 }));
  await group.beat(group.member('bert'));
  assert.match(await group.said({ memberEpoch: 1, rebalanceTimeoutMs: 12_000 }), /^1 \[foo:\d\]$/);
  await group.wait(11_900);
  assert.equal(await group.said({ memberEpoch: 1 }), '1');
  await group.wait(200);
  assert.match(await group.said({ memberEpoch: 1 }), /^UNKNOWN_MEMBER_ID/);
});

test('a member that holds on to a partition holds on to it over a restart, and has its timeout anew', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  const anna = group.member('anna', { rebalanceTimeoutMs: 10_000 });
  const bert = group.member('bert');
  await group.settle(anna);
  await group.beat(bert);
  await group.beatSlowly(anna);
  await group.wait(8000);
  group.broker = await group.broker.restart();
  assert.equal(await group.beat(bert), '2 []');
  await group.wait(8000);
  assert.equal((await group.beatSlowly(anna)).split(' ')[0], '1');
  assert.equal(await group.beat(bert), '2 []');
  await group.wait(2500);
  assert.equal(await group.beat(bert), '3 [foo:0 foo:1]');
  assert.equal(await group.beat(anna), 'UNKNOWN_MEMBER_ID');
});

test('a group is as it was after a kill, and its members have their session anew', async () => {
  await using group = await TestGroup.start({ foo: 3 });
  const [anna, bert] = [group.member('anna'), group.member('bert')];
  await group.settle(anna, bert);
  const before = await group.describe();
  await group.wait(40_000);
  group.broker = await group.broker.crash();
  assert.deepEqual(await group.describe(), before);
  await group.wait(40_000);
  assert.equal((await group.beat(anna)).split(' ')[0], '2');
  await group.wait(6000);
  assert.equal(await group.state(), 'Assigning 3/2', 'bert was not heard of since the start');
});

// --- size, state and end

test('a full group refuses who is new, and keeps who is in it', async () => {
  await using group = await TestGroup.start({ foo: 2 }, { 'group.consumer.max.size': '2' });
  const [anna, bert] = [group.member('anna'), group.member('bert')];
  await group.settle(anna, bert);
  assert.equal(await group.beat(group.member('carl')), 'GROUP_MAX_SIZE_REACHED');
  await group.settle(anna, bert);
  assert.equal(await group.said({ memberId: 'bert', memberEpoch: -1 }), '-1');
  assert.equal((await group.beat(group.member('carl'))).split(' ')[0], '4');
});

test('a group without members is Empty, keeps its epochs, and goes on from them', async () => {
  await using group = await TestGroup.start({ foo: 1 });
  await group.settle(group.member('anna'));
  assert.equal(await group.said({ memberEpoch: -1 }), '-1');
  assert.equal(await group.state(), 'Empty 2/1');
  assert.equal(await group.beat(group.member('bert')), '3 [foo:0]');
});

test('members are described with what they own and what they shall own', async () => {
  await using group = await TestGroup.start({ foo: 2 });
  const anna = group.member('anna', { rackId: 'left', serverAssignor: 'range' });
  await group.settle(anna);
  await group.beat(group.member('bert', { instanceId: 'second', subscription: { names: ['foo'], regex: 'b.*' } }));
  await group.beatSlowly(anna);
  const { members } = await group.describe();
  assert.deepEqual(
    members.map(
      ({
        memberId,
        instanceId,
        rackId,
        memberEpoch,
        subscribedTopicNames,
        subscribedTopicRegex,
        assignment,
        targetAssignment,
        memberType,
      }) => ({
        memberId,
        instanceId,
        rackId,
        memberEpoch,
        subscribed: [...subscribedTopicNames, subscribedTopicRegex ?? ''],
        assignment: assignment.topicPartitions.map(({ topicName, partitions }) => `${topicName} ${partitions.join()}`),
        target: targetAssignment.topicPartitions.map(({ topicName, partitions }) => `${topicName} ${partitions.join()}`),
        memberType,
      }),
    ),
    [
      {
        memberId: 'anna',
        instanceId: null,
        rackId: 'left',
        memberEpoch: 1,
        subscribed: ['foo', ''],
        assignment: ['foo 1'],
        target: ['foo 1'],
        memberType: 1,
      },
      {
        memberId: 'bert',
        instanceId: 'second',
        rackId: null,
        memberEpoch: 2,
        subscribed: ['foo', 'b.*'],
        assignment: [],
        target: ['foo 0'], // static members come first
        memberType: 1,
      },
    ],
  );
});
