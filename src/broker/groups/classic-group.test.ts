import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupHarness } from './group-harness.testing.ts';

const range = { name: 'range', metadata: Buffer.from('topics') };
const sticky = { name: 'sticky', metadata: Buffer.from('topics') };

test('a dynamic member is given an id and asked to come back with it; a static one and an old client are let in at once', () => {
  const harness = new GroupHarness();
  const first = harness.join('');
  assert.equal(first.error, 'MEMBER_ID_REQUIRED');
  assert.equal(first.answer?.memberId, 'client-1');
  assert.deepEqual(harness.memberIds, []);
  assert.equal(harness.join('', { version: 3 }).error, undefined, 'it waits for the end of the round');
  assert.equal(harness.join('', { groupInstanceId: 'i1' }).error, undefined);
  assert.deepEqual(harness.memberIds, ['client-2', 'i1-3']);
});

test('an id that was handed out is forgotten when its client does not join within its session timeout', () => {
  const harness = new GroupHarness();
  const id = harness.join('').answer?.memberId ?? '';
  harness.advance(9_999);
  assert.ok(harness.group.pendingJoin.has(id));
  harness.advance(1);
  assert.equal(harness.join(id).error, 'UNKNOWN_MEMBER_ID');
});

test('a round does not end while an id is out whose client may still come', () => {
  const harness = new GroupHarness();
  const [anna] = harness.form(1) as [string];
  const pending = harness.join('').answer?.memberId ?? '';
  const leaderJoins = harness.join(anna);
  assert.equal(leaderJoins.error, undefined);
  harness.advance(10_000);
  assert.equal(leaderJoins.error, 'NONE', 'the id has been given up');
  assert.equal(harness.join(pending).error, 'UNKNOWN_MEMBER_ID');
});

test('the first round of an empty group waits for the initial delay', () => {
  const harness = new GroupHarness({ 'group.initial.rebalance.delay.ms': '3000' });
  const anna = harness.enter();
  harness.advance(2_999);
  assert.equal(anna.error, undefined);
  harness.advance(1);
  assert.equal(anna.error, 'NONE');
  assert.equal(anna.answer?.generationId, 1);
});

test('the first round is prolonged by those who join later, up to the rebalance timeout', () => {
  const harness = new GroupHarness({ 'group.initial.rebalance.delay.ms': '3000' });
  const members = [harness.enter({ rebalanceTimeoutMs: 10_000 })];
  for (const ms of [2_000, 2_000, 2_000, 2_000]) {
    harness.advance(ms);
    members.push(harness.enter({ rebalanceTimeoutMs: 10_000 }));
    assert.equal(members[0]?.error, undefined, `at ${harness.nowMs}`);
  }
  harness.advance(1_999);
  assert.equal(members[0]?.error, undefined);
  harness.advance(1);
  assert.deepEqual(
    members.map(({ answer }) => answer?.generationId),
    [1, 1, 1, 1, 1],
  );
});

test('a later round ends when every member has joined again', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2) as [string, string];
  const cleo = harness.enter();
  const again = [harness.join(anna), harness.join(bert)];
  assert.deepEqual(
    [cleo, ...again].map(({ answer }) => answer?.generationId),
    [2, 2, 2],
  );
});

test('a member that does not rejoin within the rebalance timeout is left out of the next generation', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2, { rebalanceTimeoutMs: 8_000 }) as [string, string];
  const joining = harness.join(anna, { protocols: [range, sticky], rebalanceTimeoutMs: 8_000 });
  harness.advance(4_000);
  assert.equal(harness.heartbeat(bert), 'REBALANCE_IN_PROGRESS');
  harness.advance(3_999);
  assert.equal(harness.group.state, 'PreparingRebalance');
  harness.advance(1);
  assert.deepEqual(harness.memberIds, [anna]);
  assert.equal(joining.answer?.generationId, 2);
  assert.equal(harness.heartbeat(bert), 'UNKNOWN_MEMBER_ID');
});

test('heartbeats say that the group rebalances only while it prepares to', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2) as [string, string];
  assert.equal(harness.heartbeat(anna), 'NONE');
  harness.join(anna, { protocols: [range, sticky] });
  assert.equal(harness.heartbeat(bert), 'REBALANCE_IN_PROGRESS');
  harness.join(bert);
  assert.equal(harness.group.state, 'CompletingRebalance');
  assert.equal(harness.heartbeat(bert), 'NONE');
  assert.equal(harness.heartbeat(bert, { generationId: 1 }), 'ILLEGAL_GENERATION');
  assert.equal(harness.heartbeat('nobody'), 'UNKNOWN_MEMBER_ID');
});

test('a member that falls silent is removed when its session ends, and the others rebalance', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2) as [string, string];
  harness.advance(9_000);
  assert.equal(harness.heartbeat(anna), 'NONE');
  harness.advance(999);
  assert.deepEqual(harness.memberIds, [anna, bert]);
  harness.advance(1);
  assert.deepEqual(harness.memberIds, [anna]);
  assert.equal(harness.heartbeat(anna), 'REBALANCE_IN_PROGRESS');
});

test('the last member that goes leaves an empty generation, which is stored', () => {
  const harness = new GroupHarness();
  const [anna] = harness.form(1) as [string];
  assert.deepEqual(harness.leave({ memberId: anna, groupInstanceId: null }), ['NONE']);
  assert.equal(harness.group.state, 'Empty');
  assert.equal(harness.group.generationId, 2);
  harness.restart();
  assert.equal(harness.group.generationId, 2);
  assert.equal(harness.group.protocolType, 'consumer');
});

test('a group restored from its log has its members, their assignments and its generation', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2) as [string, string];
  harness.restart();
  assert.equal(harness.group.state, 'Stable');
  assert.deepEqual(harness.memberIds, [anna, bert]);
  assert.equal(harness.sync(bert).answer?.assignment.toString(), bert);
  assert.equal(harness.heartbeat(anna, { generationId: 1 }), 'NONE');
  harness.advance(10_000);
  assert.equal(harness.group.state, 'Empty', 'nobody came back');
});

test('a generation that only JoinGroup knows of is lost in a crash, and the one before is in force again', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2) as [string, string];
  harness.join(anna, { protocols: [range, sticky] });
  assert.equal(harness.join(bert).answer?.generationId, 2);
  harness.restart();
  assert.equal(harness.heartbeat(bert, { generationId: 2 }), 'ILLEGAL_GENERATION');
  assert.equal(harness.heartbeat(bert, { generationId: 1 }), 'NONE');
});

test('each member votes for the first of its protocols that all support, and most votes win', () => {
  const harness = new GroupHarness();
  const both = [range, sticky];
  const members = [{ protocols: both }, { protocols: [sticky, range] }, { protocols: [sticky, range, { ...range, name: 'own' }] }];
  const entered = members.map((options) => harness.enter(options));
  harness.advance(6_000);
  assert.deepEqual(
    entered.map(({ answer }) => answer?.protocolName),
    ['sticky', 'sticky', 'sticky'],
  );
  assert.equal(harness.join('', { protocols: [{ ...range, name: 'own' }] }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(harness.join('', { protocolType: 'connect' }).error, 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(harness.join('', { protocols: [] }).error, 'INCONSISTENT_GROUP_PROTOCOL');
});

test('only the leader is told of the members, and another leads when it does not come back', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2, { rebalanceTimeoutMs: 5_000 }) as [string, string];
  assert.ok(harness.group.isLeader(anna));
  const joining = harness.join(bert, { protocols: [range, sticky], rebalanceTimeoutMs: 5_000 });
  harness.advance(5_000);
  assert.equal(joining.answer?.leader, bert);
  assert.deepEqual(
    joining.answer?.members.map(({ memberId }) => memberId),
    [bert],
  );
});

test('a full group takes no further member, and lets those of the last generation come back first come first served', () => {
  const harness = new GroupHarness({ 'group.max.size': '2' });
  const [anna, bert] = harness.form(2) as [string, string];
  assert.equal(harness.join('').error, 'GROUP_MAX_SIZE_REACHED');
  const again = harness.join(anna, { protocols: [range, sticky] });
  assert.equal(harness.join('', { version: 3 }).error, undefined, 'one place is free in this round');
  assert.equal(harness.join(bert).error, 'GROUP_MAX_SIZE_REACHED');
  assert.equal(again.error, 'NONE');
  assert.equal(harness.group.members.size, 2);
});

test('a new member whose round takes longer than five minutes is asked to try again', () => {
  const harness = new GroupHarness();
  const [anna] = harness.form(1, { rebalanceTimeoutMs: 600_000 }) as [string];
  const joining = harness.enter();
  for (let left = 50; left > 0; left -= 1) {
    harness.advance(6_000);
    harness.heartbeat(anna);
  }
  assert.equal(joining.error, 'UNKNOWN_MEMBER_ID');
});

test('a follower that has nothing new is told where the group stands, without a rebalance; a leader that joins again wants one', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2) as [string, string];
  assert.equal(harness.join(bert).answer?.generationId, 1);
  assert.equal(harness.group.state, 'Stable');
  assert.equal(harness.join(anna).error, undefined);
  assert.equal(harness.group.state, 'PreparingRebalance');
});

test('a member whose answer was lost gets the same generation again as long as nobody has assigned', () => {
  const harness = new GroupHarness();
  const anna = harness.enter();
  const bert = harness.enter();
  harness.advance(6_000);
  const again = harness.join(bert.memberId);
  assert.deepEqual(again.answer, bert.answer);
  assert.deepEqual(harness.join(anna.memberId).answer, anna.answer);
  assert.equal(harness.group.state, 'CompletingRebalance');
});

// --- the assignment

test('followers wait for the assignment of the leader, and nobody gets it before it is durable', () => {
  const harness = new GroupHarness();
  const anna = harness.enter();
  const bert = harness.enter();
  harness.advance(6_000);
  const follower = harness.sync(bert.memberId);
  assert.equal(follower.error, undefined);
  harness.slowDown();
  const leader = harness.sync(anna.memberId, { [anna.memberId]: 'a', [bert.memberId]: 'b' });
  assert.deepEqual([leader.error, follower.error], [undefined, undefined]);
  harness.written();
  assert.equal(leader.answer?.assignment.toString(), 'a');
  assert.equal(follower.answer?.assignment.toString(), 'b');
  assert.deepEqual([follower.answer?.protocolType, follower.answer?.protocolName], ['consumer', 'range']);
});

test('a member that the leader forgets gets nothing, and is told so without an error', () => {
  const harness = new GroupHarness();
  const anna = harness.enter();
  const bert = harness.enter();
  harness.advance(6_000);
  harness.sync(anna.memberId, { [anna.memberId]: 'a' });
  const follower = harness.sync(bert.memberId);
  assert.equal(follower.error, 'NONE');
  assert.equal(follower.answer?.assignment.length, 0);
});

test('who waits for an assignment when the group rebalances is told to join again', () => {
  const harness = new GroupHarness();
  harness.enter();
  const bert = harness.enter();
  harness.advance(6_000);
  const waiting = harness.sync(bert.memberId);
  harness.enter();
  assert.equal(waiting.error, 'REBALANCE_IN_PROGRESS');
  assert.equal(harness.sync(bert.memberId).error, 'REBALANCE_IN_PROGRESS');
});

test('SyncGroup of a wrong generation, protocol or member is refused', () => {
  const harness = new GroupHarness();
  const [anna] = harness.form(1) as [string];
  const { generationId } = harness.group;
  harness.group.generationId += 1;
  assert.equal(harness.heartbeat(anna, { generationId }), 'ILLEGAL_GENERATION');
  harness.group.generationId = generationId;
  assert.equal(harness.sync('nobody').error, 'UNKNOWN_MEMBER_ID');
  assert.equal(harness.sync(anna).error, 'NONE');
});

test('members that never ask for their assignment are given up after the rebalance timeout, though they send heartbeats', () => {
  const harness = new GroupHarness();
  const anna = harness.enter({ rebalanceTimeoutMs: 12_000 });
  const bert = harness.enter({ rebalanceTimeoutMs: 12_000 });
  harness.advance(6_000);
  harness.sync(anna.memberId, { [anna.memberId]: 'a' });
  harness.advance(6_000);
  assert.equal(harness.heartbeat(bert.memberId), 'NONE');
  assert.equal(harness.heartbeat(anna.memberId), 'NONE');
  harness.advance(6_000);
  assert.deepEqual(harness.memberIds, [anna.memberId]);
  assert.equal(harness.heartbeat(anna.memberId), 'REBALANCE_IN_PROGRESS');
});

// --- sessions of those who wait for us

test('the session of a member does not run while it waits for the others, for the leader, or for the disk', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2, { rebalanceTimeoutMs: 60_000 }) as [string, string];
  harness.join(anna, { protocols: [range, sticky], rebalanceTimeoutMs: 60_000 });
  for (let left = 5; left > 0; left -= 1) {
    harness.advance(9_000);
    harness.heartbeat(bert);
  }
  assert.deepEqual(harness.memberIds, [anna, bert], 'anna waits for bert');
  harness.join(bert, { rebalanceTimeoutMs: 60_000 });
  harness.sync(bert);
  for (let left = 5; left > 0; left -= 1) {
    harness.advance(9_000);
    harness.heartbeat(anna);
  }
  assert.deepEqual(harness.memberIds, [anna, bert], 'bert waits for the leader');
  harness.slowDown();
  harness.sync(anna, { [anna]: 'a', [bert]: 'b' });
  harness.advance(50_000);
  assert.deepEqual(harness.memberIds, [anna, bert], 'both wait for the disk');
  harness.written();
  harness.advance(9_999);
  assert.equal(harness.group.state, 'Stable');
  harness.group.findEarliestDeadline();
  harness.advance(1);
  assert.equal(harness.group.state, 'Empty', 'their sessions began anew when they were answered');
});

// --- static members (KIP-345)

const as = (groupInstanceId: string) => ({ groupInstanceId, version: 9 });

function staticPair(harness: GroupHarness): [string, string] {
  const [one, two] = [harness.enter(as('i1')), harness.enter(as('i2'))];
  harness.advance(6_000);
  for (const { memberId } of [one, two])
    harness.sync(memberId, harness.group.isLeader(memberId) ? { [one.memberId]: 'first', [two.memberId]: 'second' } : {});
  return [one.memberId, two.memberId];
}

test('a static member that was started again takes its place under a new id without a rebalance, and the old id is fenced', () => {
  const harness = new GroupHarness();
  const [, old] = staticPair(harness);
  const records = harness.log.length;
  const again = harness.join('', as('i2'));
  assert.equal(again.error, 'NONE');
  const memberId = again.answer?.memberId ?? '';
  assert.notEqual(memberId, old);
  assert.equal(again.answer?.generationId, 1);
  assert.equal(harness.group.state, 'Stable');
  assert.equal(harness.sync(memberId, {}, 'i2').answer?.assignment.toString(), 'second');
  assert.equal(harness.heartbeat(old, { groupInstanceId: 'i2' }), 'FENCED_INSTANCE_ID');
  assert.equal(harness.heartbeat(old), 'UNKNOWN_MEMBER_ID');
  assert.equal(harness.log.length, records + 1);
  harness.restart();
  assert.equal(harness.heartbeat(memberId, { groupInstanceId: 'i2' }), 'NONE', 'the new id is stored');
});

test('a static leader that comes back is told to skip the assignment, an older client that another leads', () => {
  const harness = new GroupHarness();
  const [old] = staticPair(harness);
  const again = harness.join('', as('i1'));
  assert.equal(again.answer?.skipAssignment, true);
  assert.equal(again.answer?.leader, again.answer?.memberId);
  assert.equal(again.answer?.members.length, 2);
  const older = harness.join('', { groupInstanceId: 'i1', version: 8 });
  assert.equal(older.answer?.skipAssignment, false);
  assert.equal(older.answer?.leader, again.answer?.memberId);
  assert.equal(older.answer?.members.length, 0);
  assert.notEqual(older.answer?.memberId, old);
});

test('a static member that comes back with another protocol makes the group rebalance', () => {
  const harness = new GroupHarness();
  const one = harness.enter({ ...as('i1'), protocols: [range, sticky] });
  harness.advance(6_000);
  harness.sync(one.memberId, {}, 'i1');
  const again = harness.join('', { ...as('i1'), protocols: [sticky, range] });
  assert.equal(again.answer?.protocolName, 'sticky');
  assert.equal(again.answer?.generationId, 2);
});

test('whoever waits under the old id of a static member is fenced at once', () => {
  const harness = new GroupHarness();
  const [one] = staticPair(harness);
  const waiting = harness.join(one, { ...as('i1'), protocols: [range, sticky] });
  assert.equal(waiting.error, undefined);
  harness.join('', as('i1'));
  assert.equal(waiting.error, 'FENCED_INSTANCE_ID');
});

test('a static member that is away keeps its place through a rebalance until its session ends', () => {
  const harness = new GroupHarness();
  const [one, two] = [harness.enter({ ...as('i1'), sessionTimeoutMs: 60_000 }), harness.enter({ rebalanceTimeoutMs: 5_000 })];
  harness.advance(6_000);
  harness.sync(one.memberId, { [one.memberId]: 'a', [two.memberId]: 'b' }, 'i1');
  harness.sync(two.memberId);
  const joining = harness.join(two.memberId, { protocols: [range, sticky], rebalanceTimeoutMs: 5_000 });
  harness.advance(30_000);
  assert.equal(joining.answer?.generationId, 2);
  assert.ok(harness.memberIds.includes(one.memberId));
});

test('an administrator removes a static member by its instance id', () => {
  const harness = new GroupHarness();
  staticPair(harness);
  assert.deepEqual(
    harness.leave(
      { memberId: '', groupInstanceId: 'i1' },
      { memberId: '', groupInstanceId: 'i9' },
      { memberId: '', groupInstanceId: null },
    ),
    ['NONE', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'],
  );
  assert.equal(harness.group.findStaticMemberId('i1'), undefined);
  assert.deepEqual(harness.leave({ memberId: 'wrong', groupInstanceId: 'i2' }), ['FENCED_INSTANCE_ID']);
});

test('whoever waits for an assignment that is not durable yet is told of a round that begins meanwhile, and not given what it ends', () => {
  const harness = new GroupHarness();
  const [leader, follower] = harness.form(2) as [string, string];
  const again = [harness.join(leader, { protocols: [range, sticky] }), harness.join(follower)];
  assert.deepEqual(
    again.map(({ answer }) => answer?.generationId),
    [2, 2],
  );
  harness.slowDown();
  const early = harness.sync(follower);
  const handsOut = harness.sync(leader, { [leader]: 'one', [follower]: 'two' });
  assert.deepEqual([early.error, handsOut.error], [undefined, undefined], 'the disk has it in hand');
  const cleo = harness.enter();
  assert.deepEqual([early.error, handsOut.error], ['REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS']);
  harness.written();
  assert.deepEqual([early.error, handsOut.error], ['REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS']);
  const next = [harness.join(leader, { protocols: [range, sticky] }), harness.join(follower)];
  assert.deepEqual(
    [cleo, ...next].map(({ answer }) => answer?.generationId),
    [3, 3, 3],
  );
  // Their sessions were held for the answers that came to nothing, and run again.
  harness.advance(10_000);
  assert.deepEqual(harness.memberIds, []);
});

test('a follower that asks for an assignment that is not durable yet waits, on its last connection alone, and goes with its answer when it leaves', () => {
  const harness = new GroupHarness();
  const [leader, follower, third] = harness.form(3) as [string, string, string];
  const rejoined = [harness.join(leader), harness.join(follower), harness.join(third)];
  assert.equal(rejoined[0]?.answer?.generationId, 2);
  harness.slowDown();
  harness.sync(leader, { [leader]: 'one', [follower]: 'two' });
  const left = harness.sync(follower);
  const stays = harness.sync(follower);
  assert.deepEqual([left.error, stays.error], ['REBALANCE_IN_PROGRESS', undefined]);
  harness.written();
  assert.equal(stays.answer?.assignment.toString(), 'two');
  assert.equal(left.error, 'REBALANCE_IN_PROGRESS');
  harness.slowDown();
  const leaves = harness.sync(third);
  assert.deepEqual(harness.leave({ memberId: third, groupInstanceId: null }), ['NONE']);
  harness.written();
  assert.equal(leaves.error, 'UNKNOWN_MEMBER_ID');
});
