import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { errorNameOf, kafkaErrors } from '../protocol/errors.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { batchOf, fetchAll, fetchOne, offsetAt, produce, recordsOf } from './data-path.testing.ts';
import { askMetadata, configsOf, createTopics, deleteTopics, outcomes } from './topic-admin.testing.ts';

const NOBODYS_ID = 'ABCDEFGHIJKLMNOPQRSTUw';

const idOf = ({ broker }: TestBroker, name: string): string => broker.image.findTopic(name)?.id ?? ZERO_UUID;

for (let version = 1; version <= 6; version += 1) {
  test(`DeleteTopics ${version} removes topics by name, and says of others that they are not there`, async () => {
    await using broker = await startTestBroker();
    await createTopics(broker, ['orders', 'kept']);
    const answers = await deleteTopics(broker, ['orders', 'none'], version);
    assert.deepEqual(answers.map(({ name, errorCode }) => `${name} ${errorNameOf(errorCode)}`).sort(), [
      'none UNKNOWN_TOPIC_OR_PARTITION',
      'orders NONE',
    ]);
    // KIP-599 came with version 5.
    assert.equal(
      answers.some(({ errorMessage }) => errorMessage !== null),
      version >= 5,
    );
    assert.deepEqual(
      (await askMetadata(broker, null)).topics.map(({ name }) => name),
      ['kept'],
    );
  });
}

test('a topic goes by its id from version 6 on, and the answer has name and id either way', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['one', 'two']);
  const ids = [idOf(broker, 'one'), idOf(broker, 'two')];
  const answers = await deleteTopics(broker, [{ topicId: ids[0] ?? '' }, 'two', { topicId: NOBODYS_ID }]);
  assert.deepEqual(answers.map(({ name, topicId, errorCode }) => `${name} ${topicId} ${errorNameOf(errorCode)}`).sort(), [
    `null ${NOBODYS_ID} UNKNOWN_TOPIC_ID`,
    `one ${ids[0]} NONE`,
    `two ${ids[1]} NONE`,
  ]);
});

test('a topic that is not named once and clearly is not removed', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['a', 'b', 'c', 'd']);
  const [a, b, c] = ['a', 'b', 'c'].map((name) => idOf(broker, name));
  assert.ok(a && b && c);
  const asked = [{}, { name: 'a', topicId: a }, { topicId: b }, { topicId: b }, { topicId: c }, 'c', 'd', 'd'];
  assert.deepEqual(outcomes(await deleteTopics(broker, asked)), [
    'INVALID_REQUEST Duplicate topic id.',
    'INVALID_REQUEST Neither topic name nor id were specified.',
    'a INVALID_REQUEST You may not specify both topic name and topic id.',
    'c INVALID_REQUEST The provided topic name maps to an ID that was already supplied.',
    'd INVALID_REQUEST Duplicate topic name.',
  ]);
  assert.equal(broker.broker.image.topics.size, 4);
});

test('where topics may not be deleted the answer is TOPIC_DELETION_DISABLED, and INVALID_REQUEST before version 3', async () => {
  await using broker = await startTestBroker({ settings: { 'delete.topic.enable': 'false' } });
  await createTopics(broker, ['orders']);
  for (let version = 1; version <= 6; version += 1) {
    const answers = await deleteTopics(broker, ['orders', 'none'], version);
    const told = version < 3 ? 'INVALID_REQUEST' : 'TOPIC_DELETION_DISABLED';
    assert.deepEqual(
      answers.map(({ name, errorCode }) => [name, errorNameOf(errorCode)]),
      [
        ['orders', told],
        ['none', told],
      ],
    );
  }
  assert.notEqual(broker.broker.image.findTopic('orders'), undefined);
});

test('the log of the metadata is no topic that could go', async () => {
  await using broker = await startTestBroker();
  const [answer] = await deleteTopics(broker, ['__cluster_metadata']);
  assert.equal(answer?.errorCode, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION[0]);
});

test('a fetch that waits on a topic hears of its end at once: by name of an unknown topic, by id of an unknown id', async () => {
  for (const [version, told] of [
    [12, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [13, 'UNKNOWN_TOPIC_ID'],
  ] as const) {
    await using broker = await startTestBroker();
    await createTopics(broker, ['orders']);
    const topicId = idOf(broker, 'orders');
    const reader = await broker.connect();
    const waiting = fetchAll(reader, [{ offset: 0, topic: 'orders', topicId }], { version, maxWaitMs: 60_000, minBytes: 1 });
    await broker.env.settle();
    await deleteTopics(broker, ['orders']);
    const answer = await waiting;
    const code = answer.responses[0]?.partitions[0]?.errorCode ?? 0;
    // A session that knew the topic by its name says that the id is not its any more.
    assert.ok([told, 'UNKNOWN_TOPIC_OR_PARTITION'].includes(errorNameOf(code) ?? ''), errorNameOf(code));
    assert.equal(broker.env.monotonicMs(), 0, 'no time has passed');
  }
});

test('records are neither taken nor given for a topic that is gone', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  await produce(broker.client, batchOf(['v']));
  await deleteTopics(broker, ['orders']);
  assert.equal(errorNameOf((await produce(broker.client, batchOf(['v']))).errorCode), 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal(errorNameOf((await fetchOne(broker.client, 0)).errorCode), 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal(errorNameOf((await offsetAt(broker.client, -1)).errorCode), 'UNKNOWN_TOPIC_OR_PARTITION');
});

test('a topic that is made again has another id, a higher leader epoch, and nothing of the old one', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, [{ name: 'orders', partitions: 2, configs: { 'retention.ms': '5000' } }]);
  const before = broker.broker.image.findTopic('orders');
  assert.ok(before);
  for (const partition of [0, 1]) await produce(broker.client, batchOf(['old', 'old']), { partition });
  const epochBefore = before.partitions[0]?.leaderEpoch ?? -1;
  await deleteTopics(broker, ['orders']);
  await createTopics(broker, [{ name: 'orders', partitions: 1 }]);

  const { topics } = await askMetadata(broker, ['orders']);
  const [after] = topics;
  assert.ok(after);
  assert.notEqual(after.topicId, before.id);
  assert.equal(after.partitions.length, 1);
  assert.ok((after.partitions[0]?.leaderEpoch ?? -1) > epochBefore);
  assert.deepEqual(await configsOf(broker, { name: 'orders', keys: ['retention.ms'] }), ['retention.ms=604800000@5']);
  assert.deepEqual(await recordsOf(await fetchOne(broker.client, 0)), []);
  assert.equal((await offsetAt(broker.client, -1)).offset, 0);

  const old = await produce(broker.client, batchOf(['late']), { version: 13, topic: '', topicId: before.id });
  assert.equal(errorNameOf(old.errorCode), 'UNKNOWN_TOPIC_ID');
  assert.equal((await produce(broker.client, batchOf(['new']))).baseOffset, 0);
  assert.deepEqual(await recordsOf(await fetchOne(broker.client, 0)), ['0:new']);
});

test('what is deleted stays deleted, and what was made again keeps its own records, over a restart and a power failure', async () => {
  let broker = await startTestBroker({ disk: new MemoryDisk({ modelsPowerLoss: true }) });
  await createTopics(broker, ['orders', 'gone']);
  await produce(broker.client, batchOf(['old']));
  await produce(broker.client, batchOf(['old']), { topic: 'gone' });
  await deleteTopics(broker, ['orders', 'gone']);
  await createTopics(broker, ['orders']);
  await produce(broker.client, batchOf(['new']));
  for (const start of [
    () => broker.restart(),
    () => broker.crash({ survives: () => false }),
    () => broker.crash({ survives: () => true }),
  ]) {
    broker = await start();
    assert.deepEqual(
      (await askMetadata(broker, null)).topics.map(({ name }) => name),
      ['orders'],
    );
    assert.deepEqual(await recordsOf(await fetchOne(broker.client, 0)), ['0:new']);
  }
  await createTopics(broker, ['gone']);
  assert.deepEqual(await recordsOf(await fetchOne(broker.client, 0, { topic: 'gone' })), []);
  await broker.stop();
});

test('the folders of removed partitions are set aside before the answer, and the bytes go', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, [{ name: 'orders', partitions: 2 }]);
  for (const partition of [0, 1]) await produce(broker.client, batchOf(['v']), { partition });
  const folders = async (): Promise<string[]> =>
    (await broker.env.files.readDirectory('/data')).map(({ name }) => name).filter((name) => name.startsWith('orders'));
  assert.deepEqual((await folders()).sort(), ['orders-0', 'orders-1']);
  await deleteTopics(broker, ['orders']);
  assert.ok((await folders()).every((name) => name.endsWith('-delete')));
  await broker.env.settle();
  assert.deepEqual(await folders(), []);
});

test('a disk that will not let go of a folder does not keep the topic, and nothing new is written into that folder', async () => {
  await using broker = await startTestBroker();
  await createTopics(broker, ['orders']);
  await produce(broker.client, batchOf(['old']));
  using _ = broker.env.disk.inject({ kinds: ['rename'], path: /orders-0/, code: 'EACCES' });
  assert.deepEqual(outcomes(await deleteTopics(broker, ['orders'])), ['orders NONE']);
  assert.ok(broker.log.messages('error').includes('the folders of removed partitions could not be set aside'));
  await createTopics(broker, ['orders']);
  assert.equal(errorNameOf((await produce(broker.client, batchOf(['new']))).errorCode), 'KAFKA_STORAGE_ERROR');
});

test('what a crash left of a removed topic is not found in one of the same name', async () => {
  const first = await startTestBroker();
  await createTopics(first, ['orders']);
  await produce(first.client, batchOf(['old', 'old', 'old']));
  // The record of the removal is durable when the broker is killed, and the folder has not been set aside.
  const slow = first.env.disk.inject({ kinds: ['rename'], path: /orders-0/, delayMs: 1_000 });
  const unanswered = assert.rejects(deleteTopics(first, ['orders']));
  await first.env.settle();
  await using second = await first.crash();
  await unanswered;
  slow[Symbol.dispose]();
  assert.equal(second.broker.image.findTopic('orders'), undefined);
  const folders = (await second.env.files.readDirectory('/data')).map(({ name }) => name).filter((name) => name.startsWith('orders'));
  assert.match(folders.join(), /^orders-0\.[0-9a-f]{32}-stray$/, 'it is out of the way before anything is written');
  await createTopics(second, ['orders']);
  assert.deepEqual(await recordsOf(await fetchOne(second.client, 0)), []);
  assert.equal((await produce(second.client, batchOf(['new']))).baseOffset, 0);
  await using third = await second.restart();
  assert.deepEqual(await recordsOf(await fetchOne(third.client, 0)), ['0:new']);
});

test('topics that are made and removed by the hundred leave no logs open', async () => {
  await using broker = await startTestBroker();
  const names = Array.from({ length: 100 }, (_, at) => `t${at}`);
  for (let round = 0; round < 3; round += 1) {
    await createTopics(broker, names);
    for (const name of names.slice(0, 10)) assert.equal((await produce(broker.client, batchOf(['v']), { topic: name })).baseOffset, 0);
    await deleteTopics(broker, names);
  }
  assert.equal(broker.broker.image.topics.size, 0);
  assert.equal(broker.broker.image.partitionCount, 0);
  await broker.env.settle();
  const left = (await broker.env.files.readDirectory('/data')).filter(({ name }) => /^t\d/.test(name));
  assert.deepEqual(left, []);
});
