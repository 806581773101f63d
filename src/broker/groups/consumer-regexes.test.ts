// Subscriptions by regular expression: looked up outside of the heartbeat, again when topics are made, and seen only as far as the
// member may see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsumerHarness } from './consumer-harness.testing.ts';

function withTopics(...names: readonly string[]): ConsumerHarness {
  const harness = new ConsumerHarness();
  for (const name of names) harness.makeTopic(name, 1);
  return harness;
}

const byRegex = (regex: string) => ({ topics: null, regex });

test('a member that subscribes by an expression joins at once, and has its topics when they have been looked up', () => {
  const harness = withTopics('order-a', 'order-b', 'bills');
  const anna = harness.consumer('anna', byRegex('order-.*'));
  assert.equal(anna.beat(), 'NONE');
  assert.deepEqual([anna.epoch, anna.assigned], [1, {}]);
  harness.lookUp();
  assert.equal(harness.group.state, 'Assigning');
  harness.settle(anna);
  assert.deepEqual([anna.epoch, anna.assigned], [2, { 'order-a': [0], 'order-b': [0] }]);
});

test('an expression has to match the whole name, and one that cannot be read is refused', () => {
  const harness = withTopics('orders', 'old-orders');
  const anna = harness.consumer('anna', byRegex('orders'));
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { orders: [0] });
  assert.equal(harness.consumer('bert', byRegex('(?<=a)b')).beat(), 'INVALID_REGULAR_EXPRESSION');
  assert.equal(harness.consumer('bert', byRegex('[')).beat(), 'INVALID_REGULAR_EXPRESSION');
  assert.equal(harness.group.members.size, 1);
});

test('a topic that is made later is found, though not sooner than ten seconds after the last lookup', () => {
  const harness = withTopics('order-a');
  const anna = harness.consumer('anna', byRegex('order-.*'));
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  harness.makeTopic('order-b', 1);
  anna.beat();
  assert.deepEqual(harness.refreshes, []);
  harness.advance(10_001);
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { 'order-a': [0], 'order-b': [0] });
  harness.advance(10_001);
  anna.beat();
  assert.deepEqual(harness.refreshes, [], 'nothing has been made since');
});

test('expressions are looked up again every ten minutes, since who may see a topic may have changed', () => {
  const harness = withTopics('order-a', 'order-b');
  let sees = 'order-a';
  const anna = harness.consumer('anna', { ...byRegex('order-.*'), maySee: (topic) => topic === sees });
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { 'order-a': [0] });
  sees = 'order-b';
  for (let waitedMs = 0; waitedMs < 600_000; waitedMs += 30_000) {
    harness.advance(30_000);
    anna.beat();
    harness.lookUp();
  }
  harness.advance(1);
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { 'order-b': [0] });
});

test('a second member of the same expression has its share at once', () => {
  const harness = withTopics('order-a', 'order-b');
  const [anna, bert] = [harness.consumer('anna', byRegex('order-.*')), harness.consumer('bert', byRegex('order-.*'))];
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  bert.beat();
  harness.settle(anna, bert);
  assert.equal(Object.keys(anna.assigned).length, 1);
  assert.equal(Object.keys(bert.assigned).length, 1);
  assert.deepEqual(harness.refreshes, []);
});

test('with the last member of an expression goes what it meant', () => {
  const harness = withTopics('order-a', 'bills');
  const [anna, bert] = [harness.consumer('anna', byRegex('order-.*')), harness.consumer('bert', { topics: ['bills'] })];
  anna.beat();
  harness.lookUp();
  bert.beat();
  harness.settle(anna, bert);
  assert.equal(harness.group.isSubscribedTo('order-a'), true);
  anna.leave();
  assert.equal(harness.group.isSubscribedTo('order-a'), false);
  assert.equal(harness.group.resolvedRegexes.size, 0);
});

test('a member that turns from an expression to names, and to another expression, follows', () => {
  const harness = withTopics('order-a', 'bills');
  const anna = harness.consumer('anna', byRegex('order-.*'));
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  anna.beat({ subscribedTopicRegex: '', subscribedTopicNames: ['bills'] });
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { bills: [0] });
  harness.advance(10_001);
  anna.beat({ subscribedTopicRegex: '.*a', subscribedTopicNames: [] });
  harness.lookUp();
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { 'order-a': [0] });
});

test('what comes of a lookup is nothing to a group that has let go of the expression meanwhile', () => {
  const harness = withTopics('order-a');
  const anna = harness.consumer('anna', byRegex('order-.*'));
  anna.beat();
  anna.leave();
  harness.lookUp();
  assert.deepEqual(harness.lastRecords, []);
  assert.equal(harness.group.state, 'Empty');
});

test('what an expression meant is known after a restart, and looked up anew with the next heartbeat', () => {
  const harness = withTopics('order-a');
  const anna = harness.consumer('anna', byRegex('order-.*'));
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  harness.makeTopic('order-b', 1);
  harness.restart();
  assert.deepEqual([...(harness.group.resolvedRegexes.get('order-.*')?.topics ?? [])], ['order-a']);
  harness.advance(10_001);
  anna.beat();
  harness.lookUp();
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { 'order-a': [0], 'order-b': [0] });
});
