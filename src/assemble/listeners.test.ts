// Listeners and limits as settings of a whole broker: which sockets they open, what each tells its clients of where the
// broker is, who is let in and how much may be asked. The rules of a single connection stand in server/.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../client/connection.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { describeClusterRequest, describeClusterResponse } from '../protocol/messages/describe-cluster.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../protocol/messages/find-coordinator.ts';
import { incrementalAlterConfigsRequest, incrementalAlterConfigsResponse } from '../protocol/messages/incremental-alter-configs.ts';
import { askMetadata, BROKER_RESOURCE, describeConfigs } from '../handlers/topic-admin.testing.ts';
import { batchOf, createTopic, produce } from '../handlers/data-path.testing.ts';
import { startTestBroker, type TestBroker } from './broker.testing.ts';

/** Every address of the broker that answers of any API and version name to this client; they should be one. */
async function addressesToldTo(client: Connection): Promise<string[]> {
  const told = new Set<string>();
  for (const version of [0, 1, 9, 13])
    for (const { host, port } of (await askMetadata({ client }, [], { version })).brokers) told.add(`${host}:${port}`);
  for (const version of [0, 1, 2]) {
    const body = { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers: false };
    const { brokers } = await client.request({ request: describeClusterRequest, response: describeClusterResponse }, version, body);
    for (const { host, port } of brokers) told.add(`${host}:${port}`);
  }
  for (const version of [0, 3, 4, 6]) {
    const body = version < 4 ? { key: 'g', coordinatorKeys: [] } : { key: '', coordinatorKeys: ['g'] };
    const answer = await client.request({ request: findCoordinatorRequest, response: findCoordinatorResponse }, version, {
      keyType: 0,
      ...body,
    });
    for (const { host, port } of version < 4 ? [answer] : answer.coordinators) told.add(`${host}:${port}`);
  }
  return [...told];
}

/** What became of each setting that a client wanted to change, for this broker or, as '', for all. */
async function alter(client: Connection, name: '' | '1', changes: Readonly<Record<string, string | null>>): Promise<string> {
  const answer = await client.request({ request: incrementalAlterConfigsRequest, response: incrementalAlterConfigsResponse }, 1, {
    validateOnly: false,
    resources: [
      {
        resourceType: BROKER_RESOURCE,
        resourceName: name,
        configs: Object.entries(changes).map(([key, value]) => ({ name: key, value, configOperation: value === null ? 1 : 0 })),
      },
    ],
  });
  return String(errorNameOf(answer.responses[0]?.errorCode ?? -1));
}

const isServed = (client: Connection): Promise<boolean> =>
  describeConfigs({ client }, []).then(
    () => true,
    () => false,
  );

/** How many of so many new connections are served. */
async function letIn(broker: TestBroker, count: number, host = '127.0.0.1'): Promise<Connection[]> {
  const served: Connection[] = [];
  for (let at = 0; at < count; at++) {
    const client = await broker.connect({ host });
    if (await isServed(client)) served.push(client);
  }
  return served;
}

test('each listener tells its clients, in every answer that names the broker, the address by which they came or the one set for it', async () => {
  await using broker = await startTestBroker({
    settings: {
      listeners: 'V4://127.0.0.1:0,V6://[::1]:0,BOTH://localhost:0,ALL://:0,TOLD://0.0.0.0:0,SIX://[::]:0,HALF://localhost:0',
      'listener.security.protocol.map': ['V4', 'V6', 'BOTH', 'ALL', 'TOLD', 'SIX', 'HALF'].map((name) => `${name}:PLAINTEXT`).join(','),
      'advertised.listeners': 'TOLD://kafka.example:19092,SIX://[2001:db8::7]:29092,HALF://half.example:0',
    },
  });
  const ports = Object.fromEntries(broker.server.listeners.map(({ name, port }) => [name, port]));
  assert.equal(new Set(Object.values(ports)).size, 7, 'port 0 is a free port for each');
  for (const [name, host, expected] of [
    ['V4', '127.0.0.1', `localhost:${ports['V4']}`],
    ['V6', '::1', `localhost:${ports['V6']}`],
    ['BOTH', '127.0.0.1', `localhost:${ports['BOTH']}`],
    ['BOTH', '::1', `localhost:${ports['BOTH']}`],
    ['ALL', '127.0.0.1', `localhost:${ports['ALL']}`],
    ['ALL', '10.1.2.3', `10.1.2.3:${ports['ALL']}`],
    ['ALL', 'fd00::5', `fd00::5:${ports['ALL']}`],
    ['TOLD', '10.1.2.3', 'kafka.example:19092'],
    ['SIX', 'fd00::5', '2001:db8::7:29092'],
    ['HALF', '::1', `half.example:${ports['HALF']}`],
  ] as const) {
    assert.deepEqual(await addressesToldTo(await broker.connect({ host, port: ports[name] ?? 0 })), [expected], `${name} over ${host}`);
  }
});

test('advertised.listeners=auto is as if nothing were advertised', async () => {
  await using broker = await startTestBroker({ settings: { 'advertised.listeners': 'auto' } });
  assert.deepEqual(await addressesToldTo(broker.client), [`localhost:${broker.port}`]);
});

test('max.connections holds over all listeners, from the settings and from what clients set for one broker or for all', async () => {
  await using broker = await startTestBroker({
    settings: {
      listeners: 'ONE://localhost:0,TWO://localhost:0',
      'listener.security.protocol.map': 'ONE:PLAINTEXT,TWO:PLAINTEXT',
      'max.connections': '3',
    },
  });
  const [, two] = broker.server.listeners;
  const second = await broker.connect({ port: two?.port ?? 0 });
  assert.equal(await isServed(second), true);
  const [third] = await letIn(broker, 2);
  assert.ok(third);
  assert.equal(await isServed(await broker.connect({ port: two?.port ?? 0 })), false, 'the other listener lets nobody in either');
  assert.equal(await alter(broker.client, '', { 'max.connections': '4' }), 'NONE');
  assert.equal((await letIn(broker, 2)).length, 1);
  assert.equal(await alter(broker.client, '1', { 'max.connections': '2' }), 'NONE');
  assert.deepEqual([await isServed(second), await isServed(third)], [true, true], 'who is in stays in');
  third.close();
  assert.equal((await letIn(broker, 1)).length, 0);
  assert.equal(await alter(broker.client, '1', { 'max.connections': null }), 'NONE');
  assert.equal((await letIn(broker, 2)).length, 1, 'what is set for all holds again');
});

test('max.connections.per.ip and its overrides count addresses, and change while the broker runs', async () => {
  await using broker = await startTestBroker({
    settings: { listeners: 'ALL://:0', 'listener.security.protocol.map': 'ALL:PLAINTEXT', 'max.connections.per.ip': '2' },
  });
  // The broker's own client came from 127.0.0.1.
  assert.equal((await letIn(broker, 3)).length, 1);
  assert.equal((await letIn(broker, 3, '::1')).length, 2);
  assert.equal((await letIn(broker, 3, '10.0.0.1')).length, 2);
  assert.equal(await alter(broker.client, '', { 'max.connections.per.ip.overrides': '10.0.0.1:3,10.0.0.2:0' }), 'NONE');
  assert.equal((await letIn(broker, 3, '10.0.0.1')).length, 1);
  assert.equal((await letIn(broker, 1, '10.0.0.2')).length, 0);
  assert.equal(await alter(broker.client, '', { 'max.connections.per.ip': '4' }), 'NONE');
  assert.equal((await letIn(broker, 9)).length, 2);
  assert.equal(await alter(broker.client, '', { 'max.connections.per.ip.overrides': 'nonsense' }), 'INVALID_REQUEST');
});

test('max.connection.creation.rate lets so many in a second, and changes while the broker runs', async () => {
  await using broker = await startTestBroker({ settings: { 'max.connection.creation.rate': '5' } });
  assert.equal((await letIn(broker, 9)).length, 4, 'the first of the five is that of the broker’s own client');
  await broker.env.advanceMs(1000);
  assert.equal((await letIn(broker, 9)).length, 5);
  assert.equal(await alter(broker.client, '1', { 'max.connection.creation.rate': '7' }), 'NONE');
  await broker.env.advanceMs(1000);
  assert.equal((await letIn(broker, 9)).length, 7);
});

test('connections.max.idle.ms closes who is silent, and -1 nobody', async () => {
  for (const [setting, open] of [
    ['60000', false],
    ['-1', true],
  ] as const) {
    await using broker = await startTestBroker({ settings: { 'connections.max.idle.ms': setting } });
    const idle = await broker.connect();
    assert.equal(await isServed(idle), true);
    for (let minute = 0; minute < 30; minute++) {
      assert.equal(await isServed(broker.client), true);
      await broker.env.advanceMs(50_000);
    }
    assert.equal(idle.closed, !open, setting);
    assert.equal(broker.server.connections().length, open ? 2 : 1);
  }
});

test('socket.request.max.bytes is the largest request that is read; what announces more is closed', async () => {
  await using broker = await startTestBroker({ settings: { 'socket.request.max.bytes': '20000' } });
  await createTopic(broker);
  assert.equal((await produce(broker.client, batchOf(['x'.repeat(19_000)]))).errorCode, 0);
  await assert.rejects(produce(broker.client, batchOf(['x'.repeat(20_000)])), { name: 'ConnectionClosedError' });
  assert.equal(await isServed(await broker.connect()), true);
});

test('queued.max.request.bytes bounds what many producers have in hand together, and all are answered', async () => {
  const limit = 300_000;
  await using broker = await startTestBroker({
    settings: { 'socket.request.max.bytes': '200000', 'queued.max.request.bytes': String(limit) },
  });
  await createTopic(broker);
  using _slow = broker.env.disk.inject({ kinds: ['write'], delayMs: 20 });
  const clients = await Promise.all(Array.from({ length: 20 }, () => broker.connect()));
  let answered = 0;
  const answers = clients.flatMap((client) =>
    [1, 2, 3, 4, 5, 6].map(() => produce(client, batchOf(['x'.repeat(150_000)])).finally(() => (answered += 1))),
  );
  let most = 0;
  while (answered < answers.length) {
    most = Math.max(most, broker.server.requestMemoryBytes);
    await broker.env.advanceMs(5);
  }
  assert.deepEqual(new Set((await Promise.all(answers)).map(({ errorCode }) => errorCode)), new Set([0]));
  // Beyond the limit come a chunk of each that sends at that moment, and frames that are read to their end for a quarter of it.
  assert.ok(most > limit / 2 && most < limit * 1.25 + 20 * 64 * 1024 + 150_000, `${most} bytes were held at a time`);
  assert.equal(broker.server.requestMemoryBytes, 0);
});

test('what Kafka reads at the start only is not changed while the broker runs', async () => {
  await using broker = await startTestBroker();
  for (const name of ['connections.max.idle.ms', 'socket.request.max.bytes', 'queued.max.request.bytes', 'advertised.listeners'])
    assert.equal(await alter(broker.client, '1', { [name]: '70000' }), 'INVALID_REQUEST', name);
});

for (const [protocol, settings] of [
  ['SSL', { listeners: 'SSL://localhost:0' }],
  ['SASL_PLAINTEXT', { listeners: 'PLAINTEXT://localhost:0,SASL_PLAINTEXT://localhost:0' }],
  ['SASL_SSL', { listeners: 'GUARDED://localhost:0', 'listener.security.protocol.map': 'GUARDED:SASL_SSL' }],
] as const) {
  test(`a listener that is to speak ${protocol} keeps the broker from starting, and nothing is opened`, async () => {
    await assert.rejects(startTestBroker({ settings }), new RegExp(`is to speak ${protocol}, which is not built yet; only PLAINTEXT is`));
  });
}
