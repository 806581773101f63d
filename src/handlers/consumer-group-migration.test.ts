// Groups that move between the classic protocol and that of KIP-848 while their members live, both ways. Each is what Kafka 4.2 does
// (ConsumerProtocolMigrationTest, and the conversions of GroupMetadataManagerTest).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNameOf } from '../protocol/errors.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../protocol/messages/leave-group.ts';
import { ClassicConsumer, type ClassicConsumerOptions } from './classic-consumer.testing.ts';
import { joining, TestGroup } from './consumer-group.testing.ts';

const leaveGroup = { request: leaveGroupRequest, response: leaveGroupResponse };
const firstWord = async (said: Promise<string>): Promise<string> => (await said).split(' ')[0] ?? '';

/** The whole round of one classic member that is alone in its round, or whom the broker answers at once: `generation [owned]`. */
async function round(group: TestGroup, member: ClassicConsumer, counts: Readonly<Record<string, number>> = { foo: 3 }): Promise<string> {
  const connection = await group.connectionOf(member);
  const joined = await group.until(member.join(connection));
  if (joined !== 'NONE') return String(joined);
  const synced = await group.until(member.sync(connection, new Map(Object.entries(counts))));
  if (synced !== 'NONE') return String(synced);
  member.take();
  return `${member.generationId} [${[...member.owned].join(' ')}]`;
}

const beatOf = async (group: TestGroup, member: ClassicConsumer) => group.until(member.heartbeat(await group.connectionOf(member)));
const leaveOf = async (group: TestGroup, member: ClassicConsumer) => group.until(member.leave(await group.connectionOf(member)));

/** A classic group of one member that owns foo, in generation 1. */
async function classicGroup(options: ClassicConsumerOptions = {}, settings: Readonly<Record<string, string>> = {}) {
  const group = await TestGroup.start({ foo: 3 }, settings);
  const old = new ClassicConsumer(options);
  assert.equal(await round(group, old), '1 [foo:0 foo:1 foo:2]');
  return { group, old };
}

/** A group of both: `old` speaks the classic protocol, anna the new one; each owns its share, in epoch 2. */
async function mixedGroup(options: ClassicConsumerOptions = {}, settings: Readonly<Record<string, string>> = {}) {
  const { group, old } = await classicGroup(options, settings);
  const anna = group.member('anna');
  assert.equal(await group.beat(anna), '2 []');
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  assert.match(await round(group, old), /^2 \[foo:\d( foo:\d)?\]$/);
  await group.settle(anna);
  assert.equal(await beatOf(group, old), 'NONE');
  assert.equal(old.owned.size + anna.owned.size, 3);
  return { group, old, anna };
}

// --- over to the new protocol

test('the first member of the new protocol brings a classic group over, and nobody reads what another still holds', async () => {
  const { group, old } = await classicGroup();
  await using _ = group;
  assert.equal(await group.listed(), 'classic Stable');
  const anna = group.member('anna');
  assert.equal(await group.beat(anna), '2 []', 'its generation was 1');
  assert.equal(await group.listed(), 'consumer Reconciling');
  assert.equal(await group.beat(anna), '2 []');
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  const kept = await round(group, old);
  assert.match(kept, /^2 \[foo:\d( foo:\d)?\]$/);
  await group.settle(anna);
  assert.deepEqual([...old.owned, ...group.shown(anna.owned).split(' ')].sort(), ['foo:0', 'foo:1', 'foo:2']);
  assert.equal(await beatOf(group, old), 'NONE');
  assert.equal(await group.listed(), 'consumer Stable');
});

test('a cooperative member keeps what it goes on with, lets go of the rest, and says so with its next round', async () => {
  const { group, old } = await classicGroup({ cooperative: true });
  await using _ = group;
  const anna = group.member('anna');
  await group.beat(anna);
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  assert.match(await round(group, old), /^1 \[/, 'it stays in its generation until it has let go');
  const kept = [...old.owned];
  assert.ok(kept.length > 0 && kept.length < 3);
  assert.equal(await group.beat(anna), '2 []', 'the broker has not heard of it');
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  assert.equal(await round(group, old), `2 [${kept.join(' ')}]`);
  await group.settle(anna);
  assert.equal(anna.owned.size, 3 - kept.length);
});

test('a classic group whose members all leave becomes one of the new protocol with who joins next, whatever the policy', async () => {
  for (const policy of ['bidirectional', 'upgrade', 'downgrade', 'disabled']) {
    const { group, old } = await classicGroup({}, { 'group.consumer.migration.policy': policy });
    await using _ = group;
    assert.equal(await leaveOf(group, old), 'NONE');
    assert.equal(await group.listed(), 'classic Empty');
    assert.equal(await group.beat(group.member('anna')), '1 [foo:0 foo:1 foo:2]', policy);
    assert.equal(await group.listed(), 'consumer Stable');
  }
});

test('a group with members is not brought over where the policy says no', async () => {
  for (const policy of ['downgrade', 'disabled']) {
    const { group } = await classicGroup({}, { 'group.consumer.migration.policy': policy });
    await using _ = group;
    assert.equal(
      await group.said(joining({})),
      'GROUP_ID_NOT_FOUND Cannot upgrade classic group readers to consumer group because online upgrade is disabled.',
    );
    assert.equal(await group.listed(), 'classic Stable');
  }
});

test('a group whose assignor keeps data of its own is not brought over, until it is empty', async () => {
  const { group, old } = await classicGroup({ userData: Buffer.from([1]) });
  await using _ = group;
  assert.equal(
    await group.said(joining({})),
    'GROUP_ID_NOT_FOUND Cannot upgrade classic group readers to consumer group because an unsupported custom assignor is in use. ' +
      'Please refer to the documentation or switch to a default assignor before re-attempting the upgrade.',
  );
  assert.equal(await group.listed(), 'classic Stable');
  await leaveOf(group, old);
  assert.equal(await group.said(joining({})), '1 [foo:0 foo:1 foo:2]');
});

test('a group that is too large for the new protocol is not brought over', async () => {
  const { group } = await classicGroup({}, { 'group.consumer.max.size': '1' });
  await using _ = group;
  assert.equal(await firstWord(group.said(joining({}))), 'GROUP_MAX_SIZE_REACHED');
});

test('a group that is brought over in the middle of a round sends its members into another', async () => {
  const { group, old } = await classicGroup();
  await using _ = group;
  const second = new ClassicConsumer();
  const connection = await group.connectionOf(second);
  const waiting = second.join(connection); // waits for `old`
  await group.wait(100);
  assert.equal(await group.listed(), 'classic PreparingRebalance');
  const anna = group.member('anna');
  assert.equal(await firstWord(group.beat(anna)), '2');
  assert.equal(await group.until(waiting), 'REBALANCE_IN_PROGRESS');
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  assert.match(await round(group, old), /^\d \[foo/);
  assert.match(await round(group, second), /^\d \[/);
  for (let time = 0; time < 3; time += 1) {
    if ((await beatOf(group, old)) !== 'NONE') await round(group, old);
    if ((await beatOf(group, second)) !== 'NONE') await round(group, second);
    await group.settle(anna);
  }
  assert.deepEqual([...old.owned, ...second.owned, ...group.shown(anna.owned).split(' ')].sort(), ['foo:0', 'foo:1', 'foo:2']);
});

test('a group that is brought over in the middle of a round shares anew, also when the new member wants nothing itself', async () => {
  const { group, old } = await classicGroup();
  await using _ = group;
  const second = new ClassicConsumer();
  const waiting = second.join(await group.connectionOf(second)); // waits for `old`
  await group.wait(100);
  const anna = group.member('anna', { subscription: { names: [], regex: 'nothing' } });
  assert.equal(await firstWord(group.beat(anna)), '2');
  assert.equal(await group.until(waiting), 'REBALANCE_IN_PROGRESS');
  for (let time = 0; time < 3; time += 1) {
    for (const member of [old, second])
      if (time === 0 || (await beatOf(group, member)) !== 'NONE') assert.match(await round(group, member), /^\d \[/);
    await group.settle(anna);
  }
  assert.deepEqual([...old.owned, ...second.owned].sort(), ['foo:0', 'foo:1', 'foo:2']);
  assert.ok(old.owned.size > 0 && second.owned.size > 0);
});

test('where a round was broken off, a cooperative member is left what it says it holds when the group is brought over', async () => {
  const { group, old } = await classicGroup({ cooperative: true });
  await using _ = group;
  const second = new ClassicConsumer({ cooperative: true });
  const ofSecond = await group.connectionOf(second);
  const waiting = second.join(ofSecond);
  await group.wait(0);
  assert.equal(await group.until(old.join(await group.connectionOf(old))), 'NONE');
  assert.equal(await group.until(waiting), 'NONE');
  assert.equal(await leaveOf(group, second), 'NONE'); // before anybody was given anything in this generation
  assert.equal(old.owned.size, 3);
  const anna = group.member('anna');
  assert.equal(await group.beat(anna), '3 []', 'it reads on meanwhile');
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  await round(group, old);
  await round(group, old);
  await group.settle(anna);
  assert.equal(old.owned.size + anna.owned.size, 3);
});

test('what a member still has to let go of is nobody else’s, also when the group goes back and comes over again meanwhile', async () => {
  const { group, old } = await classicGroup({ cooperative: true });
  await using _ = group;
  const anna = group.member('anna');
  await group.beat(anna);
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  const ofOld = await group.connectionOf(old);
  assert.equal(await group.until(old.join(ofOld)), 'NONE');
  assert.equal(await group.until(old.sync(ofOld, new Map([['foo', 3]]))), 'NONE');
  assert.ok(old.toLetGo.length > 0 && old.owned.size === 3, 'it reads on for a while');
  await group.said({ memberEpoch: -1 });
  assert.equal(await group.listed(), 'classic PreparingRebalance');
  const bert = group.member('bert');
  assert.match(await group.beat(bert), /^\d+ \[\]$/, 'it is not given what another reads');
  assert.equal(await beatOf(group, old), 'ILLEGAL_GENERATION');
  old.lose();
  await round(group, old);
  await group.settle(bert);
  await round(group, old);
  assert.equal(old.owned.size + bert.owned.size, 3);
  assert.ok(bert.owned.size > 0);
});

test('a static member may come back with the new protocol, and finds its partitions', async () => {
  const { group, old } = await classicGroup({ instanceId: 'one' });
  await using _ = group;
  const anna = group.member('anna', { instanceId: 'one' });
  assert.equal(await group.beat(anna), '1 [foo:0 foo:1 foo:2]', 'nothing has changed for the group');
  assert.equal(await group.listed(), 'consumer Stable');
  assert.equal(await beatOf(group, old), 'FENCED_INSTANCE_ID');
});

// --- both protocols in one group

test('a classic member joins a group of the new protocol and is answered at once', async () => {
  await using group = await TestGroup.start({ foo: 3 });
  const anna = group.member('anna');
  await group.settle(anna);
  const old = new ClassicConsumer();
  assert.equal(await round(group, old), '2 []', 'anna holds everything');
  assert.equal(await beatOf(group, old), 'NONE', 'there is nothing for it yet');
  await group.beat(anna);
  await group.beat(anna);
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS', 'now there is');
  assert.match(await round(group, old), /^2 \[foo:\d( foo:\d)?\]$/);
  assert.equal(old.owned.size + anna.owned.size, 3);
  const types = (await group.describe()).members.map(({ memberId, memberType }) => `${memberId === 'anna' ? 'anna' : 'old'} ${memberType}`);
  assert.deepEqual(types.sort(), ['anna 1', 'old 0']);
});

test('a classic member is refused as in a classic group: by protocol, generation, member id and size', async () => {
  const { group, old } = await mixedGroup({}, { 'group.consumer.max.size': '2' });
  await using _ = group;
  const connection = await group.connectionOf(old);
  const another = new ClassicConsumer();
  assert.equal(await group.until(another.join(connection)), 'GROUP_MAX_SIZE_REACHED');
  assert.equal(await group.until(old.join(connection, 'connect')), 'INCONSISTENT_GROUP_PROTOCOL');
  old.generationId = 1;
  assert.equal(await beatOf(group, old), 'ILLEGAL_GENERATION');
  assert.equal(await group.until(old.sync(connection, new Map())), 'ILLEGAL_GENERATION');
  assert.equal(await group.until(old.commit(connection, 'foo:0', 1)), 'ILLEGAL_GENERATION');
  another.memberId = 'nobody';
  another.generationId = 2;
  assert.equal(await beatOf(group, another), 'UNKNOWN_MEMBER_ID');
  assert.equal(await group.until(another.sync(connection, new Map())), 'UNKNOWN_MEMBER_ID');
  another.memberId = 'anna';
  assert.equal(await beatOf(group, another), 'UNKNOWN_MEMBER_ID', 'anna speaks the other protocol');
  assert.equal(await group.until(another.sync(connection, new Map())), 'UNKNOWN_MEMBER_ID');
});

test('a classic member that falls silent goes after the session that it asked for', async () => {
  const { group, old, anna } = await mixedGroup({ sessionTimeoutMs: 7000 });
  await using _ = group;
  await group.wait(6900);
  assert.equal(await firstWord(group.beat(anna)), '2');
  await group.wait(200);
  assert.equal(await group.beat(anna), '3 [foo:0 foo:1 foo:2]');
  assert.equal(await beatOf(group, old), 'UNKNOWN_MEMBER_ID');
});

test('a classic member that is told to join again and does not goes after its rebalance timeout', async () => {
  const { group, old, anna } = await mixedGroup({ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 12_000 });
  await using _ = group;
  const bert = group.member('bert');
  await group.beat(bert);
  for (let beat = 0; beat < 5; beat += 1) {
    assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
    await group.wait(2900);
    await group.beat(anna);
  }
  assert.equal(await beatOf(group, old), 'UNKNOWN_MEMBER_ID');
  await group.settle(anna, bert);
  assert.equal(anna.owned.size + bert.owned.size, 3);
});

test('a classic member commits with its generation, and what is committed stays through every change of protocol', async () => {
  const { group, old } = await mixedGroup();
  await using _ = group;
  const connection = await group.connectionOf(old);
  const [key = ''] = old.owned;
  assert.equal(await group.until(old.commit(connection, key, 42)), 'NONE');
  await group.said({ memberEpoch: -1 });
  assert.match(await group.listed(), /^classic/);
  assert.match(await round(group, old), /^\d \[foo:0 foo:1 foo:2\]$/);
  assert.equal(await group.until(old.commit(connection, key, 43)), 'NONE');
  assert.equal(await leaveOf(group, old), 'NONE');
  const bert = group.member('bert');
  await group.settle(bert);
  const offsets = await group.until(bert.offsets(await group.connectionOf(bert), bert.owned));
  assert.ok(offsets instanceof Map);
  assert.equal(offsets.get(group.keys(key)[0] ?? ''), 43);
});

// --- back to the classic protocol

test('when the last member of the new protocol leaves, the others are a classic group that shares anew', async () => {
  const { group, old } = await mixedGroup();
  await using _ = group;
  assert.equal(await group.said({ memberEpoch: -1 }), '-1');
  assert.equal(await group.listed(), 'classic PreparingRebalance');
  assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
  const shared = await round(group, old);
  assert.match(shared, /^\d \[foo:0 foo:1 foo:2\]$/);
  assert.ok(Number(shared.split(' ')[0]) > 2, 'generations go on from the epochs');
  assert.equal(await group.listed(), 'classic Stable');
});

test('it is the same when that member falls silent, or does not let go in time', async () => {
  {
    const { group, old } = await mixedGroup({ sessionTimeoutMs: 60_000 }, { 'group.consumer.session.timeout.ms': '45000' });
    await using _ = group;
    await group.wait(45_100);
    assert.equal(await group.listed(), 'classic PreparingRebalance');
    assert.match(await round(group, old), /^\d \[foo:0 foo:1 foo:2\]$/);
  }
  {
    await using group = await TestGroup.start({ foo: 3 });
    const anna = group.member('anna', { rebalanceTimeoutMs: 5000 });
    await group.settle(anna);
    const old = new ClassicConsumer();
    await round(group, old);
    await group.beatSlowly(anna);
    await group.wait(5100);
    assert.equal(await group.listed(), 'classic PreparingRebalance');
    assert.match(await round(group, old), /^\d \[foo:0 foo:1 foo:2\]$/);
  }
});

test('the group stays one of the new protocol where the policy says so', async () => {
  for (const policy of ['upgrade', 'disabled']) {
    await using group = await TestGroup.start({ foo: 3 }, { 'group.consumer.migration.policy': policy });
    await group.settle(group.member('anna'));
    const old = new ClassicConsumer();
    await round(group, old);
    assert.equal(await group.said({ memberEpoch: -1 }), '-1');
    assert.equal(await group.listed(), 'consumer Assigning', policy);
    assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
    assert.equal(await round(group, old), '3 [foo:0 foo:1 foo:2]');
  }
});

test('a group of the new protocol without members becomes classic with who joins next, whatever the policy', async () => {
  for (const policy of ['bidirectional', 'upgrade', 'downgrade', 'disabled']) {
    await using group = await TestGroup.start({ foo: 3 }, { 'group.consumer.migration.policy': policy });
    await group.settle(group.member('anna'));
    assert.equal(await group.said({ memberEpoch: -1 }), '-1');
    assert.equal(await group.listed(), 'consumer Empty');
    assert.match(await round(group, new ClassicConsumer()), /^\d \[foo:0 foo:1 foo:2\]$/, policy);
    assert.equal(await group.listed(), 'classic Stable');
  }
});

test('a static member of the new protocol that comes back with the classic one takes its chair; alone, it takes the group along', async () => {
  await using group = await TestGroup.start({ foo: 3 });
  const anna = group.member('anna', { instanceId: 'one' });
  await group.settle(anna);
  const old = new ClassicConsumer({ instanceId: 'one' });
  assert.match(await round(group, old), /^\d \[foo:0 foo:1 foo:2\]$/);
  assert.match(await group.listed(), /^classic/);
  assert.match(await group.beat(anna), /^(FENCED_INSTANCE_ID|UNKNOWN_MEMBER_ID|GROUP_ID_NOT_FOUND)$/);
});

test('a group that is too large to be classic stays one of the new protocol', async () => {
  await using group = await TestGroup.start({ foo: 3 }, { 'group.max.size': '1' });
  await group.settle(group.member('anna'));
  await round(group, new ClassicConsumer());
  await round(group, new ClassicConsumer());
  assert.equal(await group.said({ memberEpoch: -1 }), '-1');
  assert.equal(await group.listed(), 'consumer Assigning');
});

test('an administrator removes members of either protocol at once, and the group gets one new epoch for all of them', async () => {
  const { group, old } = await mixedGroup({ instanceId: 'one' });
  await using _ = group;
  await group.beat(group.member('bert', { instanceId: 'two' }));
  await group.beat(group.member('carl'));
  const before = (await group.describe()).groupEpoch;
  const { members } = await group.until(
    group.broker.client.request(leaveGroup, 5, {
      groupId: 'readers',
      memberId: '',
      members: [
        { memberId: 'anna', groupInstanceId: null },
        { memberId: '', groupInstanceId: 'one' },
        { memberId: 'nobody', groupInstanceId: 'two' },
        { memberId: 'nobody', groupInstanceId: null },
        { memberId: '', groupInstanceId: 'three' },
      ],
    }),
  );
  assert.deepEqual(
    members.map(({ errorCode }) => errorNameOf(errorCode)),
    ['NONE', 'NONE', 'FENCED_INSTANCE_ID', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'],
  );
  const after = await group.describe();
  assert.deepEqual(after.members.map(({ memberId }) => memberId).sort(), ['bert', 'carl']);
  assert.equal(after.groupEpoch, before + 1);
  assert.equal(await beatOf(group, old), 'UNKNOWN_MEMBER_ID');
});

test('an administrator who removes the last member of the new protocol leaves a classic group', async () => {
  const { group, old } = await mixedGroup();
  await using _ = group;
  const asked = { groupId: 'readers', memberId: '', members: [{ memberId: 'anna', groupInstanceId: null }] };
  await group.until(group.broker.client.request(leaveGroup, 5, asked));
  assert.equal(await group.listed(), 'classic PreparingRebalance');
  assert.match(await round(group, old), /^\d \[foo:0 foo:1 foo:2\]$/);
});

test('a classic member that asks for its share after the group has moved on is told to join again', async () => {
  const { group, old, anna } = await mixedGroup();
  await using _ = group;
  const bert = group.member('bert');
  await group.beat(bert);
  assert.equal(await group.until(old.sync(await group.connectionOf(old), new Map())), 'REBALANCE_IN_PROGRESS');
  assert.match(await round(group, old), /^3 \[/);
  await group.settle(anna, bert);
  assert.equal(old.owned.size + anna.owned.size + bert.owned.size, 3);
});

test('a static member with an expression that comes back with the classic protocol takes the expression away', async () => {
  await using group = await TestGroup.start({ foo: 2, bar: 1 });
  const anna = group.member('anna', { instanceId: 'one', subscription: { names: [], regex: 'foo|bar' } });
  const bert = group.member('bert', { subscription: { names: ['bar'], regex: null } });
  await group.settle(anna, bert);
  await group.settle(anna, bert);
  assert.equal(anna.owned.size, 2);
  const old = new ClassicConsumer({ instanceId: 'one', topics: ['foo'] });
  assert.match(await round(group, old, { foo: 2 }), /^\d \[foo:0 foo:1\]$/);
  const found = (await group.describe()).members.find(({ instanceId }) => instanceId === 'one');
  assert.deepEqual([found?.subscribedTopicRegex ?? '', found?.subscribedTopicNames], ['', ['foo']]);
  await group.settle(bert);
  assert.equal(group.shown(bert.owned), 'bar:0');
});

// --- a kill

test('a kill at any step of the way leaves a group of one protocol, with the members it had', async () => {
  {
    const { group, old, anna } = await mixedGroup();
    await using _ = group;
    const before = await group.describe();
    group.broker = await group.broker.crash();
    assert.deepEqual(await group.describe(), before);
    assert.equal(await beatOf(group, old), 'NONE');
    assert.equal(await firstWord(group.beat(anna)), '2');
    await group.said({ memberEpoch: -1 });
    group.broker = await group.broker.crash();
    assert.match(await group.listed(), /^classic/);
    assert.match(await round(group, old), /^\d \[foo:0 foo:1 foo:2\]$/);
  }
  {
    const { group, old } = await classicGroup();
    await using _ = group;
    await group.beat(group.member('anna'));
    group.broker = await group.broker.crash();
    assert.equal(await group.listed(), 'consumer Reconciling');
    assert.equal(await beatOf(group, old), 'REBALANCE_IN_PROGRESS');
    assert.match(await round(group, old), /^2 \[foo:\d( foo:\d)?\]$/);
  }
});
