import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerStoppedError, InvalidArgumentError, RecordsNotSeenError } from './errors.ts';
import { startTestEmbedded } from './embedded.testing.ts';

test('waiting ends with the records that are there already', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 2 } });
  const { broker } = embedded;
  await broker.produce('orders', 'a', 'b', 'c');
  const records = await broker.waitForRecords('orders', { count: 2 });
  assert.deepEqual(
    records.map((record) => record.text()),
    ['a', 'c'],
    'as many as were asked for, in the order of reading',
  );
});

test('waiting ends when enough records that match have come, and tells only those', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  await broker.produce('orders', { json: { id: 1 } });
  const waiting = broker.waitForRecords('orders', { count: 2, where: (record) => record.json<{ id: number }>().id % 2 === 0 });
  await broker.produce('orders', { json: { id: 2 } }, { json: { id: 3 } });
  await broker.produce('orders', { json: { id: 4 } });
  assert.deepEqual(
    (await waiting).map((record) => record.json()),
    [{ id: 2 }, { id: 4 }],
  );
});

test('a topic that is not there yet is waited for too', async () => {
  await using embedded = await startTestEmbedded();
  const { broker } = embedded;
  const waiting = broker.waitForRecords('orders');
  await embedded.env.settle();
  await broker.createTopic('orders', 3);
  await embedded.env.settle();
  await broker.produce('orders', { key: 'k', value: 'v' });
  assert.equal((await waiting)[0]?.text(), 'v');
});

test('what did not come is reported with what was there instead', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 2, payments: 1 } });
  const { broker, env } = embedded;
  await broker.produce(
    'orders',
    { key: 'a', json: { id: 1 }, partition: 0, timestamp: Date.UTC(2023, 0, 1) },
    { value: 'no\nJSON', partition: 1, timestamp: Date.UTC(2023, 0, 2) },
    { key: 'b', value: null, partition: 1, timestamp: Date.UTC(2023, 0, 3) },
  );
  const startedMs = env.clock.monotonicMs();
  const error = await embedded
    .until(broker.waitForRecords('orders', { count: 2, where: (record) => record.key?.toString() === 'a', timeoutMs: 250 }))
    .catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RecordsNotSeenError);
  assert.equal(env.clock.monotonicMs() - startedMs, 250);
  assert.equal(error.code, 'RECORDS_NOT_SEEN');
  assert.equal(error.topic, 'orders');
  assert.equal(error.expected, 2);
  assert.deepEqual(
    error.matched.map(({ offset, partition }) => [partition, offset]),
    [[0, 0]],
  );
  assert.equal(error.lastSeen.length, 3);
  assert.equal(
    error.message,
    [
      "waited 250 ms for 2 records that match in 'orders': 1 of 2 came",
      "  condition  (record) => record.key?.toString() === 'a'",
      '  topics     orders (offsets by partition 0: 0..1, 1: 0..2)',
      '             payments (offsets by partition 0: 0..0)',
      "  seen       3 records of 'orders':",
      '    + orders-0@0 2023-01-01T00:00:00.000Z key "a" value {"id":1}',
      '    - orders-1@0 2023-01-02T00:00:00.000Z value "no\\nJSON"',
      '    - orders-1@1 2023-01-03T00:00:00.000Z key "b" no value',
    ].join('\n'),
  );
});

test('a report of many records shows the last ten, and of a long one its beginning', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  await broker.produce('orders', ...Array.from({ length: 25 }, (_, index) => `${index}`), 'x'.repeat(5000));
  const error = await embedded.until(broker.waitForRecords('orders', { count: 27 })).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof RecordsNotSeenError);
  assert.equal(error.lastSeen.length, 10);
  assert.match(error.message, /seen {7}26 records of 'orders', the last 10:/);
  assert.match(error.message, /x{300}"… \(5000 characters\)$/);
});

test('the report for a topic that never came says so, and which one was perhaps meant', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const message = /there is no topic 'order'\. Did you mean 'orders'\?/;
  await assert.rejects(embedded.until(embedded.broker.waitForRecords('order')), { name: 'RecordsNotSeenError', message });
  await using empty = await startTestEmbedded();
  await assert.rejects(empty.until(empty.broker.waitForRecords('order')), { message: /There are no topics/ });
});

test('a wait ends with the broker, and says what it waited for', async () => {
  const embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  const waiting = assert.rejects(broker.waitForRecords('orders'), (error: unknown) => {
    assert.ok(error instanceof BrokerStoppedError);
    assert.match(error.message, /the broker stopped while 1 record in 'orders' were waited for: 0 of 1 came/);
    return true;
  });
  await embedded.env.settle();
  await embedded.until(broker.stop());
  await waiting;
});

test('what the condition throws is thrown', async () => {
  await using embedded = await startTestEmbedded();
  await embedded.broker.produce('orders', 'no JSON');
  const where = (): boolean => {
    throw new TypeError('of the caller');
  };
  await assert.rejects(embedded.broker.waitForRecords('orders', { where }), { name: 'TypeError', message: 'of the caller' });
});

test('nothing is left of a wait that is over', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker, env } = embedded;
  await env.settle();
  const timers = env.clock.pendingTimers;
  const waiting = broker.waitForRecords('orders');
  await env.settle();
  assert.equal(env.clock.pendingTimers, timers + 1);
  await broker.produce('orders', 'a');
  await waiting;
  await env.clock.advanceMs(2000); // the checkpoint of the log dir
  assert.ok(env.clock.pendingTimers <= timers);
});

test('a count or a time that is none is refused', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker } = embedded;
  await assert.rejects(broker.waitForRecords('orders', { count: -1 }), InvalidArgumentError);
  await assert.rejects(broker.waitForRecords('orders', { count: 1.5 }), InvalidArgumentError);
  await assert.rejects(broker.waitForRecords('orders', { timeoutMs: Number.NaN }), InvalidArgumentError);
  assert.deepEqual(await broker.waitForRecords('orders', { count: 0 }), []);
});
