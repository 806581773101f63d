// Static members of a consumer group (KIP-345 in KIP-848): they leave for a while, come back under another member id, and nobody else
// takes their chair. Each is what Kafka 4.2 does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joining, TestGroup } from './consumer-group.testing.ts';
import { LEAVE_FOR_NOW_EPOCH } from './consumer-protocol-member.testing.ts';

const firstWord = async (said: Promise<string>): Promise<string> => (await said).split(' ')[0] ?? '';

/** Two static members that share four partitions in epoch 2. */
async function twoStatic(settings: Readonly<Record<string, string>> = {}) {
  const group = await TestGroup.start({ foo: 4, bar: 1 }, settings);
  const anna = group.member('anna', { instanceId: 'one' });
  const bert = group.member('bert', { instanceId: 'two' });
  await group.settle(anna, bert);
  return { group, anna, bert, share: group.shown(bert.owned) };
}

test('a static member that leaves for a while finds its partitions again under a new member id, in the epoch of before', async () => {
  const { group, anna, share } = await twoStatic();
  await using _ = group;
  assert.equal(await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: LEAVE_FOR_NOW_EPOCH }), '-2');
  assert.equal(await group.state(), 'Reconciling 2/2', 'its epoch is not the group’s, and the group’s did not rise');
  await group.settle(anna);
  assert.equal(group.shown(anna.owned).split(' ').length, 2, 'anna gets nothing of it');
  const back = group.member('bert-again', { instanceId: 'two' });
  assert.equal(await group.beat(back), `2 [${share}]`);
  assert.equal(await group.state(), 'Stable 2/2');
  assert.deepEqual(
    (await group.describe()).members.map(({ memberId }) => memberId),
    ['anna', 'bert-again'],
  );
});

test('a static member that comes back with another subscription makes a new epoch', async () => {
  const { group, share } = await twoStatic();
  await using _ = group;
  await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: LEAVE_FOR_NOW_EPOCH });
  const back = group.member('bert-again', { instanceId: 'two', subscription: { names: ['foo', 'bar'], regex: null } });
  assert.equal(await firstWord(group.beat(back)), '3');
  for (const key of share.split(' ')) assert.ok(group.shown(back.owned).includes(key));
  assert.ok(back.owned.has(group.keys('bar:0')[0] ?? ''));
});

test('an instance id that is in use is not given to another, by whatever member id', async () => {
  const { group } = await twoStatic();
  await using _ = group;
  assert.equal(
    await group.said(joining({ memberId: 'carl', instanceId: 'two' })),
    'UNRELEASED_INSTANCE_ID Static member carl with instance id two cannot join the group because the instance id is owned by bert member.',
  );
  assert.equal(
    await firstWord(group.said(joining({ memberId: 'bert', instanceId: 'two' }))),
    'UNRELEASED_INSTANCE_ID',
    'its own is no exception',
  );
  assert.equal(await group.state(), 'Stable 2/2');
});

test('only the member that holds an instance id may speak or leave for it', async () => {
  const { group } = await twoStatic();
  await using _ = group;
  const fenced = 'FENCED_INSTANCE_ID Static member carl with instance id two was fenced by member bert.';
  assert.equal(await group.said({ memberId: 'carl', instanceId: 'two', memberEpoch: 2 }), fenced);
  assert.equal(await group.said({ memberId: 'carl', instanceId: 'two', memberEpoch: -1 }), fenced);
  assert.equal(await group.said({ memberId: 'carl', instanceId: 'two', memberEpoch: -2 }), fenced);
  assert.equal(
    await group.said({ memberId: 'bert', instanceId: 'three', memberEpoch: 2 }),
    'UNKNOWN_MEMBER_ID Instance id three is unknown.',
  );
  assert.equal(
    await group.said({ memberId: 'bert', instanceId: 'three', memberEpoch: -1 }),
    'UNKNOWN_MEMBER_ID Instance id three is unknown.',
  );
});

test('a member id that was replaced is fenced from then on', async () => {
  const { group, bert } = await twoStatic();
  await using _ = group;
  await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: LEAVE_FOR_NOW_EPOCH });
  await group.beat(group.member('bert-again', { instanceId: 'two' }));
  assert.equal(await group.beat(bert), 'FENCED_INSTANCE_ID');
});

test('a static member that leaves for good makes room at once', async () => {
  const { group, anna } = await twoStatic();
  await using _ = group;
  assert.equal(await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: -1 }), '-1');
  assert.equal(await group.beat(anna), '3 [foo:0 foo:1 foo:2 foo:3]');
  assert.equal(await firstWord(group.beat(group.member('bert-again', { instanceId: 'two' }))), '4');
});

test('a static member that does not come back within its session is given up', async () => {
  const { group, anna, bert } = await twoStatic({ 'group.consumer.session.timeout.ms': '45000' });
  await using _ = group;
  await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: LEAVE_FOR_NOW_EPOCH });
  for (let beat = 0; beat < 8; beat += 1) {
    await group.wait(5600);
    assert.equal(await firstWord(group.beat(anna)), '2');
  }
  await group.wait(1000);
  assert.equal(await group.beat(anna), '3 [foo:0 foo:1 foo:2 foo:3]');
  assert.equal(await group.beat(bert), 'UNKNOWN_MEMBER_ID');
});

test('who takes the chair of a static member that was given up starts without partitions', async () => {
  const { group, anna } = await twoStatic();
  await using _ = group;
  for (let beat = 0; beat < 10; beat += 1) {
    await group.wait(5000);
    await group.beat(anna);
  }
  assert.equal(group.shown(anna.owned), 'foo:0 foo:1 foo:2 foo:3');
  assert.equal(await group.beat(group.member('bert-again', { instanceId: 'two' })), '4 []');
});

test('a chair that is empty for a while is so after a kill too', async () => {
  const { group, share, anna } = await twoStatic();
  await using _ = group;
  await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: LEAVE_FOR_NOW_EPOCH });
  group.broker = await group.broker.crash();
  await group.settle(anna);
  assert.equal(anna.owned.size, 2);
  assert.equal(await group.beat(group.member('bert-again', { instanceId: 'two' })), `2 [${share}]`);
});

test('what a static member was asked to let go of is free once it has left for a while', async () => {
  const { group, anna, bert } = await twoStatic();
  await using _ = group;
  const carl = group.member('carl');
  await group.beat(carl);
  await group.beatSlowly(bert);
  assert.equal(bert.toLetGo.length, 1);
  const asked = group.shown(bert.toLetGo);
  await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: LEAVE_FOR_NOW_EPOCH });
  assert.equal(await group.beat(carl), `3 [${asked}]`);
  assert.equal(anna.owned.size, 2);
});

test('a chair whose member left when it was asked to let go of something is kept for a session, also after a kill', async () => {
  await using group = await TestGroup.start({ foo: 4 });
  const anna = group.member('anna', { instanceId: 'one' });
  const bert = group.member('bert', { instanceId: 'two', rebalanceTimeoutMs: 10_000 });
  await group.settle(anna, bert);
  const carl = group.member('carl');
  await group.beat(carl);
  await group.beatSlowly(bert);
  const kept = group.shown(bert.target ?? []);
  await group.said({ memberId: 'bert', instanceId: 'two', memberEpoch: LEAVE_FOR_NOW_EPOCH });
  group.broker = await group.broker.crash();
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 5000) {
    await group.settle(anna, carl);
    await group.wait(5000);
  }
  assert.equal(await group.beat(group.member('bert-again', { instanceId: 'two' })), `3 [${kept}]`);
});

test('a new static member makes a new epoch as any other', async () => {
  const { group, anna, bert } = await twoStatic();
  await using _ = group;
  const carl = group.member('carl', { instanceId: 'three' });
  assert.equal(await group.beat(carl), '3 []');
  await group.settle(anna, bert, carl);
  assert.equal(carl.owned.size, 1);
});
