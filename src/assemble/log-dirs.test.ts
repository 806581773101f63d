// Several log dirs under one broker: where partitions go, and what stays when one of them fails or is not what it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kafkaErrors } from '../protocol/errors.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { batchOf, createTopic, fetchOne, produce, recordsOf } from '../handlers/data-path.testing.ts';
import { startTestBroker, type TestBroker } from './broker.testing.ts';

const settings = { 'log.dirs': '/a,/b,/c' };
const [STORAGE_ERROR] = kafkaErrors.KAFKA_STORAGE_ERROR;

const partitionsIn = async ({ env }: TestBroker, directory: string): Promise<string[]> =>
  (await env.files.readDirectory(directory))
    .filter(({ name, isDirectory }) => isDirectory && /^[a-z]+-\d/.test(name))
    .map(({ name }) => name.replace(/[0-9a-f]{32}/, '<id>'))
    .sort();

async function fill(broker: TestBroker, topic: string, partitions: number): Promise<void> {
  await createTopic(broker, { name: topic, partitions });
  for (let partition = 0; partition < partitions; partition += 1)
    assert.equal((await produce(broker.client, batchOf([`${topic}${partition}`]), { topic, partition })).errorCode, 0);
}

const read = async (broker: TestBroker, topic: string, partition: number): Promise<string[] | number> => {
  const told = await fetchOne(broker.client, 0, { topic, partition });
  return told.errorCode === 0 ? recordsOf(told) : told.errorCode;
};

test('a new partition goes to the log dir with the fewest, and is found there again', async () => {
  await using broker = await startTestBroker({ settings });
  await fill(broker, 'one', 6);
  for (const directory of ['/a', '/b', '/c']) assert.equal((await partitionsIn(broker, directory)).length, 2);
  await using again = await broker.crash();
  for (let partition = 0; partition < 6; partition += 1) assert.deepEqual(await read(again, 'one', partition), [`0:one${partition}`]);
  await fill(again, 'two', 3);
  for (const directory of ['/a', '/b', '/c']) assert.equal((await partitionsIn(again, directory)).length, 3);
});

test('a log dir that fails takes its partitions out of service, and nothing else', async () => {
  await using broker = await startTestBroker({ settings });
  await fill(broker, 'one', 6);
  broker.env.disk.inject({ kinds: ['dataSync'], path: /^\/b\//, code: 'EIO' });
  const offline = new Set<number>();
  for (const round of [1, 2]) {
    for (let partition = 0; partition < 6; partition += 1) {
      const { errorCode } = await produce(broker.client, batchOf([`more${round}`]), { topic: 'one', partition });
      if (errorCode === STORAGE_ERROR) offline.add(partition);
      else assert.equal(errorCode, 0);
    }
  }
  assert.equal(offline.size, 2);
  assert.deepEqual(broker.failures, []);
  await fill(broker, 'two', 4);
  assert.equal((await partitionsIn(broker, '/b')).length, 2, 'new ones go elsewhere');
  // What was acknowledged before is still read.
  for (const partition of offline) assert.deepEqual(await read(broker, 'one', partition), [`0:one${partition}`]);
});

test('the broker fails with the log dir of its metadata', async () => {
  await using broker = await startTestBroker({ settings });
  await fill(broker, 'one', 3);
  broker.env.disk.inject({ kinds: ['dataSync'], path: /^\/a\//, code: 'EIO' });
  await createTopic(broker, { name: 'two' }).catch(() => undefined);
  assert.equal(broker.failures.length, 1);
  assert.match(String(broker.failures[0]), /EIO/);
});

test('a partition that cannot be told whose it is is refused until it is mended; its neighbours are served', async () => {
  await using broker = await startTestBroker();
  await fill(broker, 'one', 2);
  await broker.stop();
  const path = '/data/one-0/partition.metadata';
  const mended = await broker.env.files.readFile(path);
  await broker.env.files.remove(path);
  await using second = await broker.restart();
  assert.equal(await read(second, 'one', 0), STORAGE_ERROR);
  assert.equal((await produce(second.client, batchOf(['x']), { topic: 'one', partition: 0 })).errorCode, STORAGE_ERROR);
  assert.deepEqual(await read(second, 'one', 1), ['0:one1']);
  assert.match(JSON.stringify(second.log.lines), /a partition cannot be opened.*one-0.*it is missing; restore it, or write it/);
  await second.stop();
  const file = await second.env.files.open(path, 'create');
  await file.write([mended], 0);
  await file.close();
  await using third = await second.restart();
  assert.deepEqual(await read(third, 'one', 0), ['0:one0']);
});

test('a partition whose folder is gone is not taken for a new one, until its topic is deleted', async () => {
  await using broker = await startTestBroker();
  await fill(broker, 'one', 2);
  await broker.stop();
  await broker.env.files.remove('/data/one-0');
  await using second = await broker.restart();
  assert.equal(await read(second, 'one', 0), STORAGE_ERROR);
  assert.equal((await produce(second.client, batchOf(['x']), { topic: 'one', partition: 0 })).errorCode, STORAGE_ERROR);
  const answer = await second.client.request({ request: deleteTopicsRequest, response: deleteTopicsResponse }, 5, {
    topics: [],
    topicNames: ['one'],
    timeoutMs: 1000,
  });
  assert.equal(answer.responses[0]?.errorCode, 0);
  await fill(second, 'one', 2);
  await using third = await second.restart();
  assert.deepEqual(await read(third, 'one', 0), ['0:one0']);
});

test('a topic that the metadata forgot is set aside and said to be', async () => {
  await using broker = await startTestBroker();
  await fill(broker, 'one', 1);
  await broker.stop();
  await broker.env.files.makeDirectory('/data/stranger-7');
  await using second = await broker.restart();
  assert.deepEqual(await partitionsIn(second, '/data'), ['one-0', 'stranger-7.<id>-stray']);
});
