// The embedded broker as a program uses it: over real sockets, with the clients that users have, in processes that must end.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { Admin, Consumer, Producer, stringSerializers } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { startBroker, BrokerStartError, type Broker } from '../src/index.ts';

const run = promisify(execFile);
const entry = new URL('../src/index.ts', import.meta.url).href;

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bucketrider-embedded-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const kafkajsOf = ({ bootstrapServers }: Broker) =>
  new kafkajs.Kafka({ brokers: [bootstrapServers], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 0 } });

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  const accepted = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'close').then(() => false)]).catch(
    () => false,
  );
  socket.destroy();
  return accepted;
}

test('kafkajs produces to it, and the program sees the records', async () => {
  await using broker = await startBroker({ topics: { orders: 3 } });
  const producer = kafkajsOf(broker).producer();
  await producer.connect();
  const sent = await producer.send({
    topic: 'orders',
    messages: [
      { key: 'a', value: '{"id":1}', headers: { trace: 'x' } },
      { key: 'b', value: '{"id":2}' },
    ],
  });
  await producer.disconnect();
  const records = await broker.waitForRecords('orders', { count: 2 });
  assert.deepEqual(new Set(records.map((record) => record.json<{ id: number }>().id)), new Set([1, 2]));
  assert.equal(records.find((record) => record.key?.toString() === 'a')?.header('trace'), 'x');
  // A record produced by the broker's own method with the same key lies beside it.
  const [beside] = await broker.produce('orders', { key: 'a', value: 'more' });
  assert.equal(beside?.partition, records.find((record) => record.key?.toString() === 'a')?.partition);
  assert.equal(sent.length, 2);
});

test('@platformatic/kafka reads what the program produced', async () => {
  await using broker = await startBroker({ topics: ['orders'] });
  await broker.produce('orders', { key: 'a', json: { id: 1 } });
  const base = { clientId: 'test', bootstrapBrokers: [broker.bootstrapServers] };
  const admin = new Admin(base);
  assert.deepEqual(await admin.listTopics(), ['orders']);
  const consumer = new Consumer({ ...base, groupId: 'never-joined' });
  const { topics } = await consumer.metadata({ topics: ['orders'] });
  const partition = { partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, lastFetchedEpoch: -1, partitionMaxBytes: 1_000_000 };
  const fetched = await consumer.fetch({
    node: topics.get('orders')!.partitions[0]!.leader,
    topics: [{ topicId: topics.get('orders')!.id, partitions: [partition] }],
    maxWaitTime: 1000,
    minBytes: 1,
    maxBytes: 1_000_000,
  });
  assert.equal(String(fetched.responses[0]?.partitions[0]?.records?.[0]?.records[0]?.value), '{"id":1}');
  const producer = new Producer({ ...base, serializers: stringSerializers });
  await producer.send({ messages: [{ topic: 'orders', value: 'and back' }] });
  await Promise.all([admin.close(), consumer.close(), producer.close()]);
  assert.equal((await broker.waitForRecords('orders', { count: 2 }))[1]?.text(), 'and back');
});

test('a group of kafkajs is waited for until it has read everything, without the seconds in which a broker waits for members', async () => {
  await using broker = await startBroker({ topics: { orders: 3 } });
  await broker.produce('orders', 'a', 'b', 'c', 'd');
  const consumer = kafkajsOf(broker).consumer({ groupId: 'billing' });
  await consumer.connect();
  await consumer.subscribe({ topic: 'orders', fromBeginning: true });
  await consumer.run({ autoCommitThreshold: 1, eachMessage: () => Promise.resolve() });
  const group = await broker.waitForGroup('billing', { members: 1, maxLag: 0 });
  assert.deepEqual(
    group.partitions.map(({ committedOffset }) => committedOffset),
    [2, 1, 1],
  );
  assert.deepEqual(
    (await broker.groups()).map(({ groupId, state }) => [groupId, state]),
    [['billing', 'Stable']],
  );
  await consumer.disconnect();
  await broker.waitForGroup('billing', { members: 0 });
});

test('several brokers in one process know nothing of each other', async () => {
  const brokers = await Promise.all(Array.from({ length: 4 }, () => startBroker({ topics: ['orders'] })));
  assert.equal(new Set(brokers.map(({ port }) => port)).size, 4);
  assert.equal(new Set(brokers.map(({ clusterId }) => clusterId)).size, 4);
  await Promise.all(brokers.map((broker, index) => broker.produce('orders', `of ${index}`)));
  await brokers[0]!.stop();
  for (const [index, broker] of brokers.slice(1).entries())
    assert.deepEqual(
      (await Array.fromAsync(broker.records('orders'))).map((record) => record.text()),
      [`of ${index + 1}`],
    );
  await Promise.all(brokers.map((broker) => broker.stop()));
});

test('localhost is reached over both versions of IP, and the port is free again after the stop', async () => {
  const broker = await startBroker();
  assert.equal(broker.bootstrapServers, `localhost:${broker.port}`);
  assert.ok(await accepts('127.0.0.1', broker.port));
  assert.ok(await accepts('localhost', broker.port));
  await assert.rejects(startBroker({ port: broker.port }), (error: unknown) => {
    assert.ok(error instanceof BrokerStartError);
    assert.equal(error.code, 'EADDRINUSE');
    return true;
  });
  await broker.stop();
  assert.equal(await accepts('127.0.0.1', broker.port), false);
  await using again = await startBroker({ port: broker.port, host: '127.0.0.1' });
  assert.equal(again.bootstrapServers, `127.0.0.1:${broker.port}`);
});

test('await using stops the broker at the end of its block', async () => {
  let port: number;
  {
    await using broker = await startBroker();
    ({ port } = broker);
    assert.ok(await accepts('127.0.0.1', port));
  }
  assert.equal(await accepts('127.0.0.1', port), false);
});

test('data in a directory outlives the broker', async (t) => {
  const dir = await scratch(t);
  const first = await startBroker({ storage: { dir }, topics: { orders: 2 } });
  await assert.rejects(startBroker({ storage: { dir } }), { code: 'DIRECTORY_IN_USE', message: /another broker in this process/ });
  await first.produce('orders', { key: 'a', value: '1' }, { key: 'b', value: '2' });
  await first.stop();
  await using second = await startBroker({ storage: { dir } });
  assert.equal(second.clusterId, first.clusterId);
  assert.equal((await Array.fromAsync(second.records('orders'))).length, 2);
});

test('timers and clocks of a test runner in place of the platform’s do not stop it', async (t) => {
  await using broker = await startBroker({ topics: ['orders'] });
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now: 0 });
  await using another = await startBroker({ topics: ['orders'] });
  for (const each of [broker, another]) {
    const [metadata] = await each.produce('orders', 'a');
    assert.ok(metadata!.timestamp > Date.UTC(2024, 0, 1), 'the time of the machine, not that of the runner');
    await assert.rejects(each.waitForRecords('orders', { count: 2, timeoutMs: 1 }), { code: 'RECORDS_NOT_SEEN' });
    await assert.rejects(each.waitForGroup('billing', { timeoutMs: 60 }), { code: 'GROUP_NOT_READY' });
    // Long work takes several turns of the event loop: recompressing 3 MB is that.
    await each.createTopic('packed', { config: { 'compression.type': 'lz4', 'max.message.bytes': '4MiB' } });
    await each.produce('packed', 'x'.repeat(3_000_000));
    assert.equal((await each.waitForRecords('packed'))[0]?.value?.length, 3_000_000);
  }
  assert.equal(Date.now(), 0);
  t.mock.timers.reset();
});

/** A program of its own; it must end by itself. @throws when it does not, or with another code than 0 */
async function program(source: string): Promise<string> {
  const { stdout, stderr } = await run(
    process.execPath,
    ['--input-type=module-typescript', '--eval', `import { startBroker } from ${JSON.stringify(entry)};\n${source}`],
    { timeout: 30_000 },
  );
  return stdout + stderr;
}

test('nothing keeps the process alive after the stop', async () => {
  const output = await program(`
    import { connect } from 'node:net';
    const broker = await startBroker({ topics: ['orders'] });
    const client = connect({ host: '127.0.0.1', port: broker.port });
    await new Promise((resolve) => client.once('connect', resolve));
    await broker.produce('orders', 'a');
    await broker.waitForRecords('orders');
    const closed = new Promise((resolve) => client.once('close', resolve));
    await broker.stop();
    await closed;
    console.log('stopped', process.getActiveResourcesInfo().filter((name) => !name.includes('Pipe') && !name.includes('Wrap')));
  `);
  assert.match(output, /^stopped \[\]\n$/);
});

test('a broker that was left running keeps the process alive only without unref', async (t) => {
  const dir = await scratch(t);
  const source = `
    const broker = await startBroker({ unref: true, topics: ['orders'], storage: { dir: ${JSON.stringify(dir)} } });
    await broker.produce('orders', 'a');
    const { connect } = await import('node:net');
    const client = connect({ host: '127.0.0.1', port: broker.port }).unref();
    await new Promise((resolve) => client.once('connect', resolve));
    await broker.waitForRecords('orders', { count: 2, timeoutMs: 20 }).catch((error) => console.log(error.code));
  `;
  assert.equal(await program(source), 'RECORDS_NOT_SEEN\n');
  const without = program(`await startBroker(); console.log(process.getActiveResourcesInfo().includes('TCPServerWrap')); process.exit();`);
  assert.equal(await without, 'true\n');
});
