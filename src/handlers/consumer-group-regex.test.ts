// Subscriptions by regular expression (KIP-848): resolved by the broker, beside the heartbeat that brings them, and again when topics
// come. Each is what Kafka 4.2 does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joining, TestGroup } from './consumer-group.testing.ts';

const byRegex = (regex: string, names: readonly string[] = []) => ({ subscription: { names, regex } });
const topics = { 'foo-1': 1, 'foo-2': 1, bar: 1 };

test('an expression that is none is refused with its reason, from who joins and from who is there', async () => {
  await using group = await TestGroup.start(topics);
  const refusal = 'INVALID_REGULAR_EXPRESSION SubscribedTopicRegex `[` is not a valid regular expression: ';
  const said = await group.said(joining({ subscribedTopicNames: null, subscribedTopicRegex: '[' }));
  assert.ok(said.startsWith(refusal), said);
  assert.match(said, /missing closing ]/);
  assert.equal(await group.said(joining({ subscribedTopicNames: null, subscribedTopicRegex: '.*' })), '1 []');
  assert.ok((await group.said({ memberEpoch: 1, subscribedTopicRegex: '[' })).startsWith(refusal));
  assert.equal((await group.describe()).members[0]?.subscribedTopicRegex, '.*', 'nothing of the refused request was kept');
});

test('a new expression is resolved beside the heartbeat that brings it, and a later heartbeat gives what it means', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*'));
  assert.equal(await group.beat(anna), '1 []');
  assert.equal(await group.beat(anna), '2 [foo-1:0 foo-2:0]');
  assert.equal(await group.state(), 'Stable 2/2');
});

test('an expression that another member has brought is known at once', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*'));
  await group.settle(anna);
  const bert = group.member('bert', byRegex('foo.*'));
  assert.equal(await group.beat(bert), '3 []', 'the epoch rises with the join');
  await group.settle(anna, bert);
  assert.deepEqual([anna.owned.size, bert.owned.size], [1, 1]);
});

test('an expression matches whole names, and names that are listed are subscribed to as well', async () => {
  await using group = await TestGroup.start({ ...topics, 'my-foo-1': 1 });
  const anna = group.member('anna', byRegex('foo-.', ['bar', 'foo-1']));
  await group.settle(anna);
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'bar:0 foo-1:0 foo-2:0');
});

test('a topic that matches is found soon after it was made, and one that is removed is given up', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*'));
  await group.settle(anna);
  await group.settle(anna);
  await group.createTopic('foo-3', 1);
  for (let beat = 0; beat < 3; beat += 1) {
    await group.wait(5000); // expressions are looked at every 10 s at most
    await group.beat(anna);
  }
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'foo-1:0 foo-2:0 foo-3:0');
  await group.deleteTopic('foo-1');
  await group.settle(anna);
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'foo-2:0 foo-3:0');
});

test('who changes its expression loses what the new one is not known to match, until it is resolved', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*'));
  await group.settle(anna);
  await group.settle(anna);
  assert.equal(anna.memberEpoch, 2);
  anna.subscription = { names: [], regex: 'foo.*|bar' };
  await group.wait(10_001);
  assert.equal(await group.beat(anna), '2 []');
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'bar:0 foo-1:0 foo-2:0');
});

test('an expression is taken back with the empty text, or by naming topics instead', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*'));
  await group.settle(anna);
  await group.settle(anna);
  anna.subscription = { names: ['bar'], regex: null };
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'bar:0');
  assert.equal((await group.describe()).members[0]?.subscribedTopicRegex, '');
});

test('what a member gives up with its expression alone is shared among the others', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*', ['bar']));
  const bert = group.member('bert', { subscription: { names: ['foo-1', 'foo-2'], regex: null } });
  for (let time = 0; time < 3; time += 1) await group.settle(anna, bert);
  assert.equal(anna.owned.size + bert.owned.size, 3);
  anna.subscription = { names: ['bar'], regex: null };
  for (let time = 0; time < 3; time += 1) await group.settle(anna, bert);
  assert.deepEqual([group.shown(anna.owned), group.shown(bert.owned)], ['bar:0', 'foo-1:0 foo-2:0']);
});

test('what expressions mean survives a kill, and goes with the last member that brought them', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*'));
  await group.settle(anna);
  await group.settle(anna);
  group.broker = await group.broker.crash();
  const bert = group.member('bert', byRegex('foo.*'));
  await group.settle(anna, bert);
  assert.deepEqual([anna.owned.size, bert.owned.size], [1, 1]);
  for (const memberId of ['anna', 'bert']) await group.said({ memberId, memberEpoch: -1 });
  group.broker = await group.broker.crash();
  const carl = group.member('carl', byRegex('foo.*'));
  assert.equal(await group.beat(carl).then((said) => said.replace(/^\d+ /, '')), '[]', 'resolved anew');
  await group.settle(carl);
  await group.settle(carl);
  assert.equal(carl.owned.size, 2);
});

test('internal topics are matched as any other', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('__consumer_.*'));
  await group.settle(anna);
  await group.settle(anna);
  assert.equal(anna.owned.size, 2, 'the two partitions of __consumer_offsets');
});

test('a static member that comes back with another expression loses what the new one is not known to match', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', { instanceId: 'one', ...byRegex('foo.*') });
  await group.settle(anna);
  await group.settle(anna);
  await group.said({ memberEpoch: -2, instanceId: 'one' });
  await group.wait(10_001);
  const back = group.member('anna-again', { instanceId: 'one', ...byRegex('foo-1|bar') });
  assert.match(await group.beat(back), /\[\]$/);
  await group.settle(back);
  await group.settle(back);
  assert.equal(group.shown(back.owned), 'bar:0 foo-1:0');
});

test('an expression that is replaced before it was resolved leaves nothing behind', async () => {
  await using group = await TestGroup.start(topics);
  const anna = group.member('anna', byRegex('foo.*'));
  const connection = await group.connectionOf(anna);
  const first = anna.heartbeat(connection);
  const second = first.then(async () => {
    anna.subscription = { names: [], regex: 'bar' };
    return anna.heartbeat(connection); // before the broker had a turn to look anything up
  });
  assert.equal(await group.until(second), 'NONE');
  await group.wait(10_001);
  await group.settle(anna);
  await group.settle(anna);
  assert.equal(group.shown(anna.owned), 'bar:0');
});

test('with members of the same and of other expressions everything that any of them matches is shared among those', async () => {
  await using group = await TestGroup.start(topics);
  const members = [
    group.member('anna', byRegex('foo.*')),
    group.member('bert', byRegex('foo-1|bar')),
    group.member('carl', byRegex('foo.*')),
  ];
  for (let time = 0; time < 3; time += 1) {
    await group.settle(...members);
    await group.wait(10_001);
  }
  await group.settle(...members);
  assert.equal(
    members
      .map(({ owned }) => group.shown(owned))
      .sort()
      .join(' '),
    'bar:0 foo-1:0 foo-2:0',
  );
  assert.equal(group.shown(members[1]?.owned ?? []), 'bar:0');
});
