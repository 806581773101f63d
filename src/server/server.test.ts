import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker } from '../broker/broker.ts';
import { resolveBrokerConfig } from '../config/broker-configs.ts';
import { CollectingLogger } from '../base/log.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { serverConfigOf } from './server-config.ts';
import { metadata, metadataAnswer, plaintext, produce, testApis, testEnv, TestNetwork, TestServer, TestSocket } from './server.testing.ts';
import { startServer, type Server } from './server.ts';

const FRAME_OF_1_MIB = Buffer.concat([Buffer.from([0, 0x10, 0, 0]), Buffer.alloc(1024 * 1024)]);

async function startOn(network: TestNetwork, listeners: Parameters<typeof startServer>[0]['listeners']): Promise<Server> {
  const broker: unknown = { nodeId: 1 };
  const env = testEnv(new FakeClock(), network);
  return startServer({ env, listeners, apis: testApis().apis, broker: broker as Broker, log: new CollectingLogger(), onFatal: () => {} });
}

const portsOf = (server: Server): number[] => server.listeners.map(({ port }) => port);

test('localhost is 127.0.0.1 and the same port on ::1', async () => {
  const network = new TestNetwork();
  const server = await startOn(network, [plaintext('localhost', 0), { ...plaintext('10.0.0.1', 9093), name: 'OTHER' }]);
  assert.deepEqual([...network.open.keys()], ['127.0.0.1:50000', '::1:50000', '10.0.0.1:9093']);
  assert.deepEqual(portsOf(server), [50_000, 9093]);
  await server.stop();
  assert.deepEqual([...network.open.keys()], []);
});

test('a machine without IPv6 serves localhost on 127.0.0.1 alone, and every interface through 0.0.0.0', async () => {
  const network = new TestNetwork();
  network.refused.set('::1', 'EADDRNOTAVAIL').set('::', 'EAFNOSUPPORT');
  await startOn(network, [plaintext('localhost', 9092), { ...plaintext(null, 9093), name: 'ALL' }]);
  assert.deepEqual([...network.open.keys()], ['127.0.0.1:9092', '0.0.0.0:9093']);
});

test('a free port that is taken on ::1 is given up for another', async () => {
  const network = new TestNetwork();
  network.refused.set('::1:50000', 'EADDRINUSE');
  const server = await startOn(network, [plaintext('localhost', 0)]);
  assert.deepEqual([...network.open.keys()], ['127.0.0.1:50001', '::1:50001']);
  assert.deepEqual(portsOf(server), [50_001]);
});

test('a port in use is an error that says what to do, and leaves nothing open', async () => {
  const network = new TestNetwork();
  network.refused.set('::1:9092', 'EADDRINUSE');
  await assert.rejects(startOn(network, [plaintext('127.0.0.1', 9093), { ...plaintext('localhost', 9092), name: 'SECOND' }]), {
    name: 'ListenError',
    code: 'EADDRINUSE',
    message:
      'listener SECOND (localhost:9092): port 9092 is in use by another process, perhaps another broker; stop that, or choose another port in listeners (0 takes a free one)',
  });
  assert.deepEqual([...network.open.keys()], []);
});

for (const [code, advice] of [
  ['EACCES', /may not bind port 80; choose one above 1023/],
  ['EADDRNOTAVAIL', /this machine has no address 10\.0\.0\.1/],
  ['EIO', /cannot be opened: listen EIO/],
] as const) {
  test(`a listener that fails with ${code} says so in words`, async () => {
    const network = new TestNetwork();
    network.refused.set('10.0.0.1', code);
    await assert.rejects(startOn(network, [plaintext('10.0.0.1', 80)]), advice);
  });
}

test('each connection is told the address it came in by, unless one is set', async () => {
  const network = new TestNetwork();
  const told = { ...plaintext('0.0.0.0', 9094), name: 'TOLD', advertised: { host: 'kafka.example', port: null } };
  const server = await startOn(network, [plaintext('0.0.0.0', 9092), told]);
  network.accept('0.0.0.0:9092', new TestSocket({ localAddress: '::ffff:192.168.1.5', localPort: 9092 }));
  network.accept('0.0.0.0:9092', new TestSocket({ localAddress: '::1', localPort: 9092 }));
  network.accept('0.0.0.0:9094', new TestSocket({ localAddress: '192.168.1.5', localPort: 9094 }));
  assert.deepEqual(
    server.connections().map(({ listenerName, advertised: { host, port } }) => `${listenerName} ${host}:${port}`),
    ['PLAINTEXT 192.168.1.5:9092', 'PLAINTEXT localhost:9092', 'TOLD kafka.example:9094'],
  );
});

test('connections above the limits are closed at once, counted, and do not disturb those that are open', async () => {
  const overrides = new Map([['10.0.0.9', 1]]);
  const server = await new TestServer().start({ maxConnections: 5, maxConnectionsPerIp: 2, maxConnectionsPerIpOverrides: overrides });
  const open = ['10.0.0.1', '10.0.0.1', '10.0.0.9', '::ffff:10.0.0.2', '10.0.0.2'].map((address) => server.connect(address));
  const refused = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => server.connect(address));
  assert.deepEqual(
    refused.map(({ destroyed }) => destroyed),
    [true, true, true],
  );
  assert.deepEqual(server.server.metrics.connectionsRefused, { 'max.connections': 3 });
  open[4]?.vanish();
  assert.equal(server.connect('10.0.0.1').destroyed, true);
  assert.equal(server.connect('10.0.0.9').destroyed, true);
  assert.deepEqual(server.server.metrics.connectionsRefused, { 'max.connections': 3, 'max.connections.per.ip': 2 });
  assert.equal(server.connect('10.0.0.2').destroyed, false);
  open[0]?.send(metadata(1));
  assert.deepEqual(open[0]?.correlationIds, [1]);
});

test('a flood of connections is let in at the creation rate', async () => {
  const server = await new TestServer().start({ maxConnectionCreationRate: 10 });
  const flood = (): number => Array.from({ length: 50 }, () => server.connect()).filter(({ destroyed }) => !destroyed).length;
  assert.equal(flood(), 10);
  assert.equal(flood(), 0);
  await server.clock.advanceMs(500);
  assert.equal(flood(), 5);
  assert.ok(server.log.lines.length <= 2, 'one line, not fifty');
});

test('a connection that is silent for connections.max.idle.ms is closed, one that is not stays', async () => {
  const server = await new TestServer().start({ connectionsMaxIdleMs: 60_000 });
  const [idle, busy, waiting] = [server.connect(), server.connect(), server.connect()];
  waiting.send(produce(1));
  for (let minute = 0; minute < 3; minute++) {
    await server.clock.advanceMs(55_000);
    busy.send(metadata(minute));
    if (minute === 0) assert.equal(idle.ended, false);
  }
  assert.equal(idle.ended, true);
  assert.equal(busy.ended, false);
  assert.equal(waiting.ended, false, 'it is the one who waits');
  await server.clock.advanceMs(20_000);
  assert.equal(idle.destroyed, true, 'a client that does not close its end is cut off');
  assert.equal(server.server.metrics.connectionsCut.idle, 1);
});

test('a client that takes no answer for connections.max.idle.ms is closed, one that takes them slowly is not', async () => {
  const server = await new TestServer().start({ connectionsMaxIdleMs: 60_000 });
  const [dead, slow] = [server.connect(), server.connect()];
  for (const client of [dead, slow]) {
    client.stuck = true;
    client.send(metadata(1));
  }
  for (let round = 0; round < 20; round++) {
    await server.clock.advanceMs(5_000);
    slow.queuedBytes -= 1;
  }
  assert.equal(dead.destroyed, true);
  assert.equal(slow.destroyed, false);
});

test('a frame that takes longer than its deadline closes the connection, however often a byte comes', async () => {
  const server = await new TestServer().start({ frameTimeoutMs: 30_000 });
  const [slowloris, steady] = [server.connect(), server.connect()];
  for (let second = 0; second < 40; second++) {
    slowloris.send(Buffer.from(FRAME_OF_1_MIB.subarray(second, second + 1)));
    steady.send(Buffer.from(FRAME_OF_1_MIB.subarray(second * 20_000, second * 20_000 + 20_000)));
    await server.clock.advanceMs(1000);
  }
  assert.equal(slowloris.destroyed, true);
  assert.equal(steady.destroyed, false);
  assert.equal(server.server.metrics.connectionsCut.slow, 1);
  assert.deepEqual(server.log.messages(), ['closing a connection whose request takes too long to arrive']);
});

test('without connections no timer runs', async () => {
  const server = await new TestServer().start();
  assert.equal(server.clock.pendingTimers, 0);
  const client = server.connect();
  assert.equal(server.clock.pendingTimers, 1);
  client.vanish();
  await server.clock.advanceMs(10_000);
  assert.equal(server.clock.pendingTimers, 0);
});

test('many producers at once stay within the memory for requests, and all get their answers', async () => {
  const limit = 4 * 1024 * 1024;
  const server = await new TestServer().start({ queuedMaxRequestBytes: limit });
  const clients = Array.from({ length: 40 }, () => server.connect());
  const frame = produce(1, { bytes: 500_000 });
  // All of them send the first part of their frame, then go on as the server lets them.
  for (const client of clients) client.send(frame.subarray(0, 3000));
  for (const client of clients)
    for (let at = 3000; at < frame.length; at += 60_000) client.send(Buffer.from(frame.subarray(at, at + 60_000)));
  let answered = 0;
  for (let round = 0; round < 400 && answered < clients.length; round++) {
    await server.clock.settle();
    assert.ok(server.server.requestMemoryBytes <= limit * 1.5 + 600_000, `${server.server.requestMemoryBytes}`);
    server.held.shift()?.answer();
    answered = clients.filter(({ correlationIds }) => correlationIds.length === 1).length;
  }
  assert.equal(answered, clients.length);
  assert.equal(server.server.requestMemoryBytes, 0);
});

test('unfinished frames that fill the memory do not block each other for ever', async () => {
  const limit = 1024 * 1024;
  const server = await new TestServer().start({ queuedMaxRequestBytes: limit, frameTimeoutMs: 600_000 });
  const frame = produce(1, { bytes: 1_500_000 });
  const clients = Array.from({ length: 30 }, () => server.connect());
  for (let at = 0; at < frame.length; at += 50_000) for (const client of clients) client.send(Buffer.from(frame.subarray(at, at + 50_000)));
  assert.ok(clients.every(({ paused }) => paused));
  for (let round = 0; round < 300; round++) {
    await server.clock.settle();
    for (const held of server.held) held.answer();
  }
  assert.deepEqual(
    clients.map(({ correlationIds }) => correlationIds.length),
    clients.map(() => 1),
  );
});

test('clients that fill the memory with unfinished frames and fall silent lose their turn, then their connection', async () => {
  const server = await new TestServer().start({ queuedMaxRequestBytes: 1024 * 1024, frameTimeoutMs: 600_000 });
  const attackers = Array.from({ length: 30 }, () => server.connect());
  for (const attacker of attackers) attacker.send(Buffer.from(FRAME_OF_1_MIB.subarray(0, 60_000)));
  const honest = server.connect();
  honest.send(produce(1), metadata(2));
  assert.equal(honest.correlationIds.length, 0);
  for (let round = 0; round < 60 && honest.correlationIds.length < 2; round++) {
    await server.clock.advanceMs(1000);
    for (const held of server.held) held.answer();
  }
  assert.deepEqual(honest.correlationIds, [1, 2]);
});

test('a stop finishes and answers what is in hand, starts nothing new, and lets nobody in', async () => {
  const slow = Promise.withResolvers<unknown>();
  const server = await new TestServer(testApis({ 3: { handle: () => slow.promise } })).start();
  const [idle, busy, producer] = [server.connect(), server.connect(), server.connect()];
  busy.send(metadata(1), metadata(2));
  producer.send(Buffer.concat([produce(1), produce(2)]));
  let stopped = false;
  const stopping = server.server.stop({ graceMs: 30_000 }).then(() => (stopped = true));
  await server.clock.settle();
  assert.equal(idle.ended, true);
  assert.equal(busy.ended, false);
  assert.equal(server.connect().destroyed, false, 'nobody listens there any more');
  slow.resolve(metadataAnswer);
  for (const held of server.held) held.answer();
  await server.clock.settle();
  assert.deepEqual([busy.correlationIds, producer.correlationIds], [[1], [1, 2]]);
  assert.deepEqual([busy.ended, producer.ended, stopped], [true, true, false]);
  for (const client of [idle, busy, producer]) client.vanish();
  await stopping;
  assert.equal(server.clock.pendingTimers, 0);
});

test('clients that do not close their end after a stop are cut off soon', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  const stopping = server.server.stop({ graceMs: 30_000 });
  await server.clock.advanceMs(1000);
  assert.equal(client.destroyed, true);
  await stopping;
});

test('a client that was closed before and has not closed its own end does not hold up a stop', async () => {
  const server = await new TestServer().start({ connectionsMaxIdleMs: 10_000 });
  const client = server.connect();
  await server.clock.advanceMs(13_000);
  assert.deepEqual([client.ended, client.destroyed], [true, false]);
  const stopping = server.server.stop({ graceMs: 30_000 });
  await server.clock.advanceMs(1000);
  assert.equal(client.destroyed, true);
  await stopping;
});

test('what is not done when the grace is over is cut off', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(produce(1));
  const stopping = server.server.stop({ graceMs: 3000 });
  await server.clock.advanceMs(2999);
  assert.equal(client.destroyed, false);
  await server.clock.advanceMs(1);
  assert.equal(client.destroyed, true);
  await stopping;
  assert.deepEqual(server.log.messages(), ['requests are cut off by the stop of the server']);
  server.held[0]?.answer(); // late, and harmless
  await server.clock.settle();
});

test('a stop waits for work whose client has gone', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(produce(1));
  client.vanish();
  let stopped = false;
  const stopping = server.server.stop().then(() => (stopped = true));
  await server.clock.settle();
  assert.equal(stopped, false);
  server.held[0]?.answer();
  await stopping;
});

test('the figures of the server are in the registry', async () => {
  const server = await new TestServer().start({ maxConnections: 2 });
  const [client, producer] = [server.connect(), server.connect()];
  server.connect();
  client.send(metadata(1));
  producer.send(produce(1));
  await server.clock.advanceMs(20);
  producer.send(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  const figures = (name: string, labels = {}): number | undefined => server.metrics.value(`bucketrider_${name}`, labels);
  assert.deepEqual(
    [figures('requests_in_flight'), figures('connections'), figures('connections_opened_total'), figures('connections_paused')],
    [1, 1, 2, 0],
  );
  assert.equal(figures('connections_refused_total', { reason: 'max.connections' }), 1);
  assert.equal(figures('connections_cut_total', { reason: 'protocol' }), 1);
  assert.equal(figures('request_seconds', { api: 'Metadata' }), 1);
  assert.equal(figures('received_bytes_total'), metadata(1).length + produce(1).length + 4);
  assert.equal(figures('sent_bytes_total'), client.received.length);
  server.held[0]?.answer();
  await server.clock.settle();
  const latency = server.metrics
    .snapshot()
    .find(({ name, labels }) => name === 'bucketrider_request_seconds' && labels['api'] === 'Produce');
  assert.equal(latency?.histogram?.sum, 0.02);
  assert.equal(figures('request_memory_bytes'), 0);
});

test('the settings become the limits of the server', () => {
  const level = new Map([
    ['socket.request.max.bytes', '1000'],
    ['connections.max.idle.ms', '-1'],
    ['max.connections.per.ip.overrides', '10.0.0.1:5, ::1:9'],
  ]);
  const config = serverConfigOf(resolveBrokerConfig({ static: level }));
  assert.equal(config.socketRequestMaxBytes, 1000);
  assert.equal(config.connectionsMaxIdleMs, Infinity);
  assert.equal(config.queuedMaxRequestBytes, 128 * 1024 * 1024);
  assert.deepEqual(
    [...config.maxConnectionsPerIpOverrides],
    [
      ['10.0.0.1', 5],
      ['::1', 9],
    ],
  );
});
