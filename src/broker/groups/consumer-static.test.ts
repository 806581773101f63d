// Static members of a consumer group (KIP-345 in KIP-848): they go for a while and come back, and nobody takes their name meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsumerHarness, type TestConsumer } from './consumer-harness.testing.ts';

function pair(): { harness: ConsumerHarness; anna: TestConsumer; bert: TestConsumer } {
  const harness = new ConsumerHarness();
  harness.makeTopic('orders', 4);
  const anna = harness.consumer('anna', { instanceId: 'left' });
  const bert = harness.consumer('bert', { instanceId: 'right' });
  anna.beat();
  bert.beat();
  harness.settle(anna, bert);
  return { harness, anna, bert };
}

test('a static member that leaves for a while gets back what it held, under another id, and nobody is disturbed', () => {
  const { harness, anna, bert } = pair();
  const { groupEpoch } = harness.group;
  assert.equal(bert.leaveForNow(), 'NONE');
  assert.equal(bert.epoch, -2);
  assert.equal(harness.group.groupEpoch, groupEpoch);
  const again = harness.consumer('bert 2', { instanceId: 'right' });
  assert.equal(again.beat(), 'NONE');
  assert.deepEqual(again.assigned, bert.assigned);
  assert.equal(again.epoch, groupEpoch);
  assert.equal(harness.group.groupEpoch, groupEpoch);
  assert.deepEqual([...harness.group.members.keys()].sort(), ['anna', 'bert 2']);
  anna.beat();
  assert.deepEqual(harness.lastRecords, []);
});

test('a static member that comes back with another subscription gets another share', () => {
  const { harness, anna, bert } = pair();
  harness.makeTopic('bills', 2);
  bert.leaveForNow();
  const again = harness.consumer('bert 2', { instanceId: 'right', topics: ['bills'] });
  assert.equal(again.beat(), 'NONE');
  harness.settle(anna, again);
  assert.deepEqual([anna.assigned, again.assigned], [{ orders: [0, 1, 2, 3] }, { bills: [0, 1] }]);
});

test('an instance id that is in use is not given to another, and whoever pretends to have it is fenced', () => {
  const { harness, bert } = pair();
  const other = harness.consumer('other', { instanceId: 'right' });
  assert.equal(other.beat(), 'UNRELEASED_INSTANCE_ID');
  assert.equal(other.beat({ memberEpoch: bert.epoch }), 'FENCED_INSTANCE_ID');
  assert.equal(other.leave(), 'FENCED_INSTANCE_ID');
  assert.equal(other.leaveForNow(), 'FENCED_INSTANCE_ID');
  assert.equal(harness.consumer('x', { instanceId: 'unknown' }).beat({ memberEpoch: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(harness.consumer('x', { instanceId: 'unknown' }).leave(), 'UNKNOWN_MEMBER_ID');
  assert.equal(bert.beat(), 'NONE');
});

test('whoever still has the old id of a static member that came back is fenced', () => {
  const { harness, bert } = pair();
  const { epoch } = bert;
  bert.leaveForNow();
  harness.consumer('bert 2', { instanceId: 'right' }).beat();
  assert.equal(bert.beat({ memberEpoch: epoch }), 'FENCED_INSTANCE_ID');
});

test('a static member that does not come back within its session is given up', () => {
  const { harness, anna, bert } = pair();
  bert.leaveForNow();
  harness.advance(40_000);
  assert.equal(anna.beat(), 'NONE');
  harness.advance(5_000);
  assert.deepEqual([...harness.group.members.keys()], ['anna']);
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { orders: [0, 1, 2, 3] });
});

test('a static member that leaves for good makes room at once', () => {
  const { harness, anna, bert } = pair();
  assert.equal(bert.leave(), 'NONE');
  harness.settle(anna);
  assert.deepEqual(anna.assigned, { orders: [0, 1, 2, 3] });
  assert.equal(harness.consumer('other', { instanceId: 'right' }).beat(), 'NONE');
});

test('a static member that is away over a restart of the broker is still expected', () => {
  const { harness, anna, bert } = pair();
  bert.leaveForNow();
  harness.restart();
  assert.equal(anna.beat(), 'NONE');
  const again = harness.consumer('bert 2', { instanceId: 'right' });
  assert.equal(again.beat(), 'NONE');
  assert.deepEqual(again.assigned, bert.assigned);
});
