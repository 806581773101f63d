import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker } from '../assemble/broker.testing.ts';
import { kafkaErrors, type ErrorName } from '../protocol/errors.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import type { FetchResponse } from '../protocol/messages/fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { appendInTransaction, batchOf, createTopic, fetchAll, fetchOne, produce, recordsOf, TOPIC } from './data-path.testing.ts';

const code = (name: ErrorName): number => kafkaErrors[name][0];

for (let version = 4; version <= 18; version += 1) {
  test(`Fetch ${version} reads what was appended, from the middle of a batch on too`, async () => {
    await using broker = await startTestBroker();
    const topicId = await createTopic(broker);
    await produce(broker.client, batchOf(['a', 'b', 'c']));
    await produce(broker.client, batchOf(['d']));
    const asked = version >= 13 ? { version, topic: '', topicId } : { version };
    const told = await fetchOne(broker.client, 1, asked);
    assert.deepEqual([told.errorCode, told.highWatermark, told.lastStableOffset], [0, 4, 4]);
    assert.deepEqual(await recordsOf(told), ['0:a', '1:b', '2:c', '3:d'], 'the whole batch that holds the offset comes');
    assert.equal(told.preferredReadReplica, -1);
  });
}

test('what was read from memory before is read from the files after a restart', async () => {
  let broker = await startTestBroker();
  await createTopic(broker);
  const values = Array.from({ length: 50 }, (_, index) => `value ${index} ${'x'.repeat(index * 20)}`);
  for (const value of values) await produce(broker.client, batchOf([value]));
  broker = await broker.restart();
  const told = await fetchOne(broker.client, 17);
  assert.deepEqual(
    await recordsOf(told),
    values.slice(17).map((value, index) => `${17 + index}:${value}`),
  );
  await broker.stop();
});

test('the log end is a legal offset with nothing to read; beyond it and below the start is out of range', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  await produce(broker.client, batchOf(['a']));
  const end = await fetchOne(broker.client, 1);
  assert.deepEqual([end.errorCode, end.records?.length], [0, 0]);
  for (const offset of [2, -1, Number.MAX_SAFE_INTEGER]) {
    const beyond = await fetchOne(broker.client, offset);
    assert.deepEqual(
      [beyond.errorCode, beyond.records?.length],
      [code('OFFSET_OUT_OF_RANGE'), 0],
      'records are empty on errors, never null',
    );
  }
});

test('the first partition with data gives one whole batch above both limits, later ones keep to them', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { partitions: 3 });
  for (const partition of [1, 2]) {
    await produce(broker.client, batchOf(['x'.repeat(1000)]), { partition });
    await produce(broker.client, batchOf(['y'.repeat(1000)]), { partition });
  }
  const asked = [0, 1, 2].map((partition) => ({ partition, offset: 0, maxBytes: 10 }));
  const small = await fetchAll(broker.client, asked, { maxBytes: 10 });
  const sizes = (answer: FetchResponse): number[] =>
    answer.responses.flatMap(({ partitions }) => partitions.map(({ records }) => records?.length ?? -1));
  assert.equal(sizes(small)[0], 0);
  assert.ok((sizes(small)[1] ?? 0) > 1000);
  assert.equal(sizes(small)[2], 0);
  assert.equal((await recordsOf(small.responses.flatMap(({ partitions }) => partitions)[1] as never)).length, 1);
});

test('max bytes of the whole answer is shared out in the order asked', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { partitions: 2 });
  for (const partition of [0, 1])
    for (let index = 0; index < 4; index += 1) await produce(broker.client, batchOf(['z'.repeat(100)]), { partition });
  const one = (await fetchOne(broker.client, 0)).records?.length ?? 0;
  const answer = await fetchAll(
    broker.client,
    [
      { partition: 0, offset: 0 },
      { partition: 1, offset: 0 },
    ],
    { maxBytes: one + one / 2 },
  );
  const [first, second] = answer.responses.flatMap(({ partitions }) => partitions);
  assert.equal((await recordsOf(first as never)).length, 4);
  assert.equal((await recordsOf(second as never)).length, 2);
});

test('a fetch waits for min bytes over all partitions, and is answered when they are there', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { partitions: 2 });
  const reader = await broker.connect();
  const answers: FetchResponse[] = [];
  const waiting = fetchAll(
    reader,
    [
      { partition: 0, offset: 0 },
      { partition: 1, offset: 0 },
    ],
    { maxWaitMs: 60_000, minBytes: 250 },
  ).then((found) => answers.push(found));
  await produce(broker.client, batchOf(['x'.repeat(100)]), { partition: 0 });
  await broker.env.settle();
  assert.equal(answers.length, 0, 'one batch is too little');
  await produce(broker.client, batchOf(['x'.repeat(100)]), { partition: 1 });
  await waiting;
  assert.deepEqual(
    answers[0]?.responses.flatMap(({ partitions }) => partitions.map(({ highWatermark }) => highWatermark)),
    [1, 1],
  );
});

test('a fetch that waits is answered when its time is over, with nothing', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  let answered = false;
  const waiting = fetchOne(broker.client, 0, { maxWaitMs: 500, minBytes: 1 }).then((told) => {
    answered = true;
    return told;
  });
  await broker.env.advanceMs(499);
  assert.equal(answered, false);
  await broker.env.advanceMs(1);
  assert.equal((await waiting).records?.length, 0);
});

test('an error in any partition is answered at once', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  const answer = await fetchAll(
    broker.client,
    [
      { partition: 0, offset: 0 },
      { partition: 9, offset: 0 },
    ],
    { maxWaitMs: 60_000, minBytes: 1 },
  );
  assert.deepEqual(
    answer.responses.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)),
    [0, code('UNKNOWN_TOPIC_OR_PARTITION')],
  );
});

test('a fetch that waits on a topic that is deleted hears of it', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  const reader = await broker.connect();
  const waiting = fetchOne(reader, 0, { maxWaitMs: 60_000, minBytes: 1 });
  await broker.env.settle();
  await broker.client.request({ request: deleteTopicsRequest, response: deleteTopicsResponse }, 5, {
    topics: [],
    topicNames: [TOPIC],
    timeoutMs: 1000,
  });
  assert.equal((await waiting).errorCode, code('UNKNOWN_TOPIC_OR_PARTITION'));
});

test('a topic that is made anew has a new id and none of the old records; the old id is unknown', async () => {
  await using broker = await startTestBroker();
  const oldId = await createTopic(broker);
  await produce(broker.client, batchOf(['old']));
  await broker.client.request({ request: deleteTopicsRequest, response: deleteTopicsResponse }, 5, {
    topics: [],
    topicNames: [TOPIC],
    timeoutMs: 1000,
  });
  const newId = await createTopic(broker);
  assert.notEqual(newId, oldId);
  assert.equal((await fetchOne(broker.client, 0, { version: 13, topic: '', topicId: oldId })).errorCode, code('UNKNOWN_TOPIC_ID'));
  assert.equal((await fetchOne(broker.client, 0)).highWatermark, 0);
  assert.equal(
    (await produce(broker.client, batchOf(['new']), { version: 13, topic: '', topicId: oldId })).errorCode,
    code('UNKNOWN_TOPIC_ID'),
  );
});

test('in a session the id of a topic that was made anew is inconsistent, of one that is gone unknown', async () => {
  await using broker = await startTestBroker();
  const topicId = await createTopic(broker);
  const opened = await fetchAll(broker.client, [{ topic: '', topicId, offset: 0 }], { version: 13, sessionEpoch: 0 });
  assert.notEqual(opened.sessionId, 0);
  const remove = (): Promise<unknown> =>
    broker.client.request({ request: deleteTopicsRequest, response: deleteTopicsResponse }, 5, {
      topics: [],
      topicNames: [TOPIC],
      timeoutMs: 1000,
    });
  await remove();
  const gone = await fetchAll(broker.client, [], { version: 13, sessionId: opened.sessionId, sessionEpoch: 1 });
  assert.equal(gone.responses[0]?.partitions[0]?.errorCode, code('UNKNOWN_TOPIC_OR_PARTITION'));
  await createTopic(broker);
  const anew = await fetchAll(broker.client, [], { version: 13, sessionId: opened.sessionId, sessionEpoch: 2 });
  assert.equal(anew.responses[0]?.partitions[0]?.errorCode, code('INCONSISTENT_TOPIC_ID'));
});

test('a session answers only what is new, and errors of the session are said of the whole answer', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker, { partitions: 2 });
  const asked = [
    { partition: 0, offset: 0 },
    { partition: 1, offset: 0 },
  ];
  const opened = await fetchAll(broker.client, asked, { sessionEpoch: 0 });
  await produce(broker.client, batchOf(['a']), { partition: 1 });
  const next = await fetchAll(broker.client, [], { sessionId: opened.sessionId, sessionEpoch: 1 });
  assert.deepEqual(
    next.responses.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex)),
    [1],
  );
  assert.equal(
    (await fetchAll(broker.client, [], { sessionId: opened.sessionId, sessionEpoch: 7 })).errorCode,
    code('INVALID_FETCH_SESSION_EPOCH'),
  );
  assert.equal((await fetchAll(broker.client, [], { sessionId: 12345, sessionEpoch: 1 })).errorCode, code('FETCH_SESSION_ID_NOT_FOUND'));
});

test('an older leader epoch is fenced, a newer one unknown, -1 not checked', async () => {
  let broker = await startTestBroker();
  await createTopic(broker);
  broker = await broker.restart(); // the epoch is 1 now
  assert.equal((await fetchOne(broker.client, 0, { currentLeaderEpoch: 0 })).errorCode, code('FENCED_LEADER_EPOCH'));
  assert.equal((await fetchOne(broker.client, 0, { currentLeaderEpoch: 2 })).errorCode, code('UNKNOWN_LEADER_EPOCH'));
  assert.equal((await fetchOne(broker.client, 0, { currentLeaderEpoch: 1 })).errorCode, 0);
  assert.equal((await fetchOne(broker.client, 0, { currentLeaderEpoch: -1 })).errorCode, 0);
  await broker.stop();
});

test('what is not committed is not read, however large the log is', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  await produce(broker.client, batchOf(['durable']));
  using _slow = broker.env.disk.inject({ kinds: ['dataSync'], delayMs: 60_000 });
  const writer = await broker.connect();
  const pending = produce(writer, batchOf(['in doubt']));
  await broker.env.advanceMs(1000);
  const told = await fetchOne(broker.client, 0);
  assert.deepEqual([told.highWatermark, await recordsOf(told)], [1, ['0:durable']]);
  await broker.env.advanceMs(60_000);
  assert.equal((await pending).baseOffset, 1);
  assert.deepEqual(await recordsOf(await fetchOne(broker.client, 1)), ['1:in doubt']);
});

test('read_uncommitted has no list of aborted transactions, read_committed an empty one', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  await produce(broker.client, batchOf(['a']));
  assert.equal((await fetchOne(broker.client, 0)).abortedTransactions, null);
  assert.deepEqual((await fetchOne(broker.client, 0, { isolationLevel: 1 })).abortedTransactions, []);
});

test('read_committed ends at the last stable offset, waits there, and is told of what was aborted within what it reads', async () => {
  await using broker = await startTestBroker();
  await createTopic(broker);
  await produce(broker.client, batchOf(['before']));
  await appendInTransaction(broker, ['in doubt']);
  await produce(broker.client, batchOf(['behind']));
  const uncommitted = await fetchOne(broker.client, 0);
  assert.deepEqual(await recordsOf(uncommitted), ['0:before', '1:in doubt', '2:behind']);
  assert.deepEqual([uncommitted.highWatermark, uncommitted.lastStableOffset], [3, 1]);
  const committed = await fetchOne(broker.client, 0, { isolationLevel: 1 });
  assert.deepEqual(await recordsOf(committed), ['0:before']);
  let answered = false;
  const reader = await broker.connect();
  const waiting = fetchOne(reader, 1, { isolationLevel: 1, minBytes: 1, maxWaitMs: 60_000 }).finally(() => (answered = true));
  await produce(broker.client, batchOf(['more']));
  await broker.env.settle();
  assert.equal(answered, false, 'what was appended lies behind the last stable offset');
  await appendInTransaction(broker, 'abort');
  const decided = await waiting;
  assert.equal(decided.lastStableOffset, 5);
  assert.deepEqual(decided.abortedTransactions, [{ producerId: 900, firstOffset: 1 }]);
  assert.deepEqual((await fetchOne(broker.client, 2, { isolationLevel: 1 })).abortedTransactions, [{ producerId: 900, firstOffset: 1 }]);
  assert.equal((await fetchOne(broker.client, 0)).abortedTransactions, null);
});

test('a reader that says its last epoch is told where that ended here, before anything else is wrong', async () => {
  let broker = await startTestBroker();
  await createTopic(broker);
  await produce(broker.client, batchOf(['a', 'b']));
  broker = await broker.restart();
  broker = await broker.restart();
  await produce(broker.client, batchOf(['c'])); // epoch 0 ends at 2, nothing was written in epoch 1
  const ask = async (lastFetchedEpoch: number, offset: number): Promise<unknown[]> => {
    const { errorCode, divergingEpoch, records, highWatermark } = await fetchOne(broker.client, offset, { lastFetchedEpoch });
    return [errorCode, divergingEpoch.epoch, divergingEpoch.endOffset, records?.length === 0, highWatermark];
  };
  assert.deepEqual(await ask(0, 2), [0, -1, -1, false, 3], 'they agree');
  assert.deepEqual(await ask(2, 3), [0, -1, -1, true, 3], 'they agree up to the end');
  assert.deepEqual(await ask(0, 3), [0, 0, 2, true, 3], 'of epoch 0 the reader has more');
  assert.deepEqual(await ask(0, 9), [0, 0, 2, true, 3], 'it has more than there is at all');
  assert.deepEqual(await ask(1, 2), [0, 0, 2, true, 3], 'of epoch 1 nobody knows here');
  assert.equal((await fetchOne(broker.client, 3, { lastFetchedEpoch: 7 })).errorCode, code('OFFSET_OUT_OF_RANGE'), 'an epoch to come');
  await broker.stop();
});

test('sessions are as many as max.incremental.fetch.session.cache.slots says, and one gives way after two minutes', async () => {
  await using broker = await startTestBroker({ settings: { 'max.incremental.fetch.session.cache.slots': '2' } });
  await createTopic(broker);
  const open = async (): Promise<boolean> => (await fetchAll(broker.client, [{ offset: 0 }], { sessionEpoch: 0 })).sessionId !== 0;
  assert.deepEqual([await open(), await open(), await open()], [true, true, false], 'a fetch without a session is answered all the same');
  await broker.env.advanceMs(120_000);
  assert.equal(await open(), false);
  await broker.env.advanceMs(1);
  assert.equal(await open(), true);
});

test('a topic id of zeros is no topic', async () => {
  await using broker = await startTestBroker();
  assert.equal((await fetchOne(broker.client, 0, { version: 15, topic: '', topicId: ZERO_UUID })).errorCode, code('UNKNOWN_TOPIC_ID'));
});
