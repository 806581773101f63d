import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../base/memory/random.ts';
import { InvariantError } from '../base/invariant.ts';
import { CloseConnectionError, type RequestContext } from '../handlers/handler.ts';
import { KafkaError, ProtocolError } from '../protocol/errors.ts';
import type { Connection } from './connection.ts';
import {
  apiVersions,
  decodeApiVersions,
  metadata,
  metadataAnswer,
  produce,
  produceAnswer,
  testApis,
  TestServer,
} from './server.testing.ts';

test('a request that is answered at once is written at the end of the same chunk', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(Buffer.concat([metadata(1), metadata(2), metadata(3)]));
  assert.deepEqual(client.correlationIds, [1, 2, 3]);
  assert.equal(client.writes.length, 1, 'answers of one turn leave in one write');
});

test('requests are understood wherever the stream is cut', async () => {
  const server = await new TestServer().start();
  const stream = Buffer.concat([metadata(1), apiVersions(2), metadata(3)]);
  for (let cut = 0; cut <= stream.length; cut++) {
    const client = server.connect();
    client.send(Buffer.from(stream.subarray(0, cut)), Buffer.from(stream.subarray(cut)));
    assert.deepEqual(client.correlationIds, [1, 2, 3]);
  }
  const slow = server.connect();
  for (const byte of stream) slow.send(Buffer.from([byte]));
  assert.deepEqual(slow.correlationIds, [1, 2, 3]);
});

test('a run of produce requests overlaps, and its answers leave in the order of arrival', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(Buffer.concat([produce(1), produce(2), produce(3)]));
  assert.equal(server.held.length, 3);
  server.held[2]?.answer();
  server.held[1]?.answer();
  await server.clock.settle();
  assert.deepEqual(client.correlationIds, []);
  server.held[0]?.answer();
  await server.clock.settle();
  assert.deepEqual(client.correlationIds, [1, 2, 3]);
  assert.equal(client.writes.length, 1);
});

test('any other request starts when all earlier ones are answered, and holds up those behind it', async () => {
  const waiting = Promise.withResolvers<unknown>();
  const apis = testApis({ 3: { handle: () => waiting.promise } });
  const server = await new TestServer(apis).start();
  const client = server.connect();
  client.send(Buffer.concat([produce(1), metadata(2), produce(3), produce(4)]));
  await server.clock.settle();
  assert.equal(server.held.length, 1);
  server.held[0]?.answer();
  await server.clock.settle();
  assert.equal(server.held.length, 1, 'the metadata request is in work');
  assert.deepEqual(client.correlationIds, [1]);
  waiting.resolve(metadataAnswer);
  await server.clock.settle();
  assert.equal(server.held.length, 3);
  for (const held of server.held) held.answer();
  await server.clock.settle();
  assert.deepEqual(client.correlationIds, [1, 2, 3, 4]);
});

test('produce requests stage in the order of arrival, whatever their preparation takes', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(Buffer.concat([produce(1), produce(2), produce(3), produce(4)]));
  const staged: number[] = [];
  const stage = (index: number): unknown => server.held[index]?.context.inArrivalOrder(() => staged.push(index));
  void stage(3);
  server.held[1]?.fail(new KafkaError('INVALID_REQUIRED_ACKS')); // fails before it stages
  await server.clock.settle();
  assert.deepEqual(staged, []);
  void stage(0);
  assert.deepEqual(staged, [0]);
  void stage(2);
  assert.deepEqual(staged, [0, 2, 3]);
});

test('a request with acks=0 gets no bytes back, and those behind it are not held up', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(Buffer.concat([produce(1, { acks: 0 }), produce(2), produce(3, { acks: 0 })]));
  for (const held of server.held) held.answer();
  await server.clock.settle();
  assert.deepEqual(client.correlationIds, [2]);
  assert.equal(server.server.metrics.requestsInFlight, 0);
});

test('ApiVersions in a version we lack is answered in version 0 with the range we have, and the connection stays', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  for (const version of [5, 99, 32_767, -1]) {
    const request = apiVersions(7, 3);
    request.writeInt16BE(version, 6);
    client.send(request);
    const answer = decodeApiVersions(client.frames.at(-1)!, 0);
    assert.equal(answer.errorCode, 35);
    assert.deepEqual(answer.apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
  }
  client.send(apiVersions(8, 4));
  assert.equal(decodeApiVersions(client.frames.at(-1)!, 4).errorCode, 0);
  assert.equal(client.closed, false);
});

test('an API or version that is not served closes the connection, with one line that says which', async () => {
  const server = await new TestServer().start();
  const unknownVersion = metadata(1);
  unknownVersion.writeInt16BE(99, 6);
  const unknownApi = metadata(1);
  unknownApi.writeInt16BE(234, 4);
  for (const request of [unknownVersion, unknownApi]) {
    const client = server.connect();
    client.send(Buffer.concat([metadata(5), request, metadata(6)]));
    assert.deepEqual(client.correlationIds, [5], 'what came before is still answered');
    assert.equal(client.destroyed, true);
  }
  assert.deepEqual(
    server.log.lines.map(({ message, fields }) => [message, fields['reason']]),
    [['closing a connection that asked for what is not served', 'version 99 of Metadata is not served, 0 to 13 are']],
    'the second line within ten seconds is left out',
  );
  assert.equal(server.server.metrics.connectionsCut.protocol, 2);
});

for (const [what, bytes] of [
  ['an empty frame', Buffer.from([0, 0, 0, 0])],
  ['a frame without a whole header', Buffer.from([0, 0, 0, 9, 0, 3, 0, 9, 0, 0, 0, 1, 0])],
  ['a body that ends too early', metadata(1).fill(0xff, 17)],
  ['a TLS client hello', Buffer.from('16030100', 'hex')],
] as const) {
  test(`${what} closes its own connection and no other`, async () => {
    const server = await new TestServer().start();
    const other = server.connect();
    const client = server.connect();
    client.send(bytes);
    assert.equal(client.destroyed, true);
    assert.deepEqual(client.frames, []);
    assert.equal(server.log.messages('warn').length, 1);
    other.send(metadata(9));
    assert.deepEqual(other.correlationIds, [9]);
    assert.equal(server.server.connections().length, 1);
    assert.equal(server.server.metrics.requestsInFlight, 0);
  });
}

test('mutilated requests are answered or close their own connection, and nothing else happens', async () => {
  const server = await new TestServer(testApis({ 0: { handle: () => produceAnswer } })).start();
  const other = server.connect();
  const random = new SeededRandom(11);
  const valid = [metadata(1), apiVersions(2), produce(3, { bytes: 100 }), metadata(4, 8)];
  let closed = 0;
  for (let round = 0; round < 3000; round++) {
    const client = server.connect();
    const bytes = Buffer.from(random.pick(valid));
    for (let change = random.integer(4); change >= 0; change--) bytes[random.integer(bytes.length)] = random.integer(256);
    client.send(bytes.subarray(0, random.chance(0.2) ? random.integer(bytes.length) : bytes.length), metadata(5));
    client.hangUp();
    if (client.destroyed) closed += 1;
    else client.vanish();
  }
  await server.clock.settle();
  assert.ok(closed > 300 && closed < 2900, `${closed} of 3000`);
  other.send(metadata(9));
  assert.deepEqual(other.correlationIds, [9]);
  assert.deepEqual([server.server.connections().length, server.server.metrics.requestsInFlight, server.fatal.length], [1, 0, 0]);
  assert.deepEqual(server.log.messages('error'), []);
  assert.equal(server.server.requestMemoryBytes, 0);
});

test('what a client calls itself is escaped in the log', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(produce(1, { clientId: 'evil\n\u001b[31mname"' }));
  client.send(Buffer.from([0xff, 0xff, 0xff, 0xff]));
  assert.equal(server.log.lines[0]?.fields['clientId'], String.raw`evil\u000a\u001b[31mname\u0022`);
});

test('a failure of the whole request is answered in the shape of its API', async () => {
  const failure = (errorCode: number): unknown => ({ errorCode, apiKeys: [], throttleTimeMs: 0 });
  const thrown: unknown[] = [new KafkaError('INVALID_REQUEST'), new Error('surprise')];
  const apis = testApis({
    18: {
      failure,
      handle: () => {
        throw thrown.shift();
      },
    },
  });
  const server = await new TestServer(apis).start();
  const client = server.connect();
  client.send(apiVersions(1), apiVersions(2));
  assert.deepEqual(
    client.frames.map((frame) => decodeApiVersions(frame, 3).errorCode),
    [42, -1],
  );
  assert.deepEqual(server.log.messages(), ['a handler failed unexpectedly']);
});

test('without such a shape a failed request closes its connection', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(produce(1));
  server.held[0]?.fail(new Error('surprise'));
  await server.clock.settle();
  assert.equal(client.destroyed, true);
  assert.deepEqual(client.frames, []);
});

test('a handler can have the connection closed, or say that the bytes are not Kafka', async () => {
  const server = await new TestServer().start();
  for (const error of [new CloseConnectionError('acks=0 failed'), new ProtocolError('records are cut short')]) {
    const client = server.connect();
    client.send(produce(1, { acks: 0 }));
    server.held.at(-1)?.fail(error);
    await server.clock.settle();
    assert.equal(client.destroyed, true);
  }
  assert.equal(server.server.metrics.connectionsCut.protocol, 1);
});

test('a broken invariant reaches the broker, from a handler that throws and from one that rejects', async () => {
  const broken = new InvariantError('two and two');
  const apis = testApis({
    3: {
      handle: () => {
        throw broken;
      },
    },
  });
  const server = await new TestServer(apis).start();
  const client = server.connect();
  client.send(produce(1));
  server.held[0]?.fail(broken);
  await server.clock.settle();
  server.connect().send(metadata(2));
  assert.deepEqual(server.fatal, [broken, broken]);
  assert.deepEqual(client.frames, []);
});

test('a failure of the server itself closes the connection, and is no unhandled rejection', async () => {
  const large = Promise.resolve({ ...metadataAnswer, clusterId: 'x'.repeat(30_000) });
  const server = await new TestServer(testApis({ 3: { handle: () => large } })).start();
  const client = server.connect();
  client.write = () => {
    throw new TypeError('the socket is not what it was');
  };
  client.send(Buffer.concat([metadata(1), metadata(2), metadata(3)]));
  await server.clock.settle().catch(() => {}); // what is thrown in deferred work goes to the environment
  await server.clock.settle();
  assert.equal(client.destroyed, true);
  assert.equal(server.server.metrics.requestsInFlight, 0);
});

test('an answer that cannot be encoded closes the connection and is logged', async () => {
  const apis = testApis({ 3: { handle: () => ({ ...metadataAnswer, controllerId: 2 ** 40 }) } });
  const server = await new TestServer(apis).start();
  const client = server.connect();
  client.send(metadata(1));
  assert.equal(client.destroyed, true);
  assert.equal(server.log.messages('error').length, 1);
});

test('while a client does not take its answers, none of its requests starts', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  const other = server.connect();
  client.stuck = true;
  client.send(metadata(1));
  client.send(Buffer.concat([metadata(2), metadata(3)]));
  other.send(metadata(9));
  await server.clock.settle();
  assert.deepEqual(client.correlationIds, [1]);
  assert.deepEqual(other.correlationIds, [9]);
  client.readAll();
  assert.deepEqual(client.correlationIds, [1, 2, 3]);
});

test('answers to pipelined requests are not piled up before a client that does not take them', async () => {
  const large = { ...metadataAnswer, clusterId: 'x'.repeat(30_000) };
  const server = await new TestServer(testApis({ 3: { handle: () => large } })).start();
  const client = server.connect();
  client.stuck = true;
  client.send(Buffer.concat(Array.from({ length: 20 }, (_, id) => metadata(id))));
  assert.equal(client.frames.length, 3);
  client.readAll();
  assert.equal(client.frames.length, 20);
});

test('time in which we do not read does not count for a frame that is under way', async () => {
  const server = await new TestServer().start({ frameTimeoutMs: 20_000, maxRequestsInFlight: 2 });
  const client = server.connect();
  const last = produce(3, { bytes: 5000 });
  client.send(Buffer.concat([produce(1), produce(2), last.subarray(0, 1000)]));
  assert.equal(client.paused, true);
  await server.clock.advanceMs(100_000);
  for (const held of server.held) held.answer();
  await server.clock.settle();
  assert.equal(client.paused, false);
  await server.clock.advanceMs(15_000);
  client.send(last.subarray(1000));
  server.held[2]?.answer();
  await server.clock.settle();
  assert.deepEqual(client.correlationIds, [1, 2, 3]);
});

test('a client that does not take its answers and goes on sending is not read past a bound', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.stuck = true;
  client.send(metadata(1));
  for (let id = 2; id < 100; id++) client.send(produce(id, { bytes: 10_000 }));
  assert.equal(client.paused, true);
  assert.ok(client.unreadBytes > 900_000, `${client.unreadBytes}`);
  client.readAll();
  await server.clock.settle();
  for (let round = 0; round < 100; round++) {
    for (const held of server.held) held.answer();
    await server.clock.settle();
  }
  assert.deepEqual(
    client.correlationIds,
    Array.from({ length: 99 }, (_, index) => index + 1),
  );
});

test('behind a request that waits, the socket is read far enough to hear the client hang up', async () => {
  let signal: AbortSignal | undefined;
  const apis = testApis({
    3: {
      handle: (_request: never, context: RequestContext) => {
        ({ signal } = context);
        return new Promise(() => {});
      },
    },
  });
  const server = await new TestServer(apis).start();
  const client = server.connect();
  client.send(metadata(1), produce(2), produce(3));
  assert.equal(client.paused, false);
  assert.equal(signal?.aborted, false);
  client.hangUp();
  assert.equal(signal?.aborted, true);
});

test('requests in flight are bounded per connection; the rest stays in the socket', async () => {
  const server = await new TestServer().start({ maxRequestsInFlight: 8 });
  const client = server.connect();
  for (let id = 1; id <= 50; id++) client.send(produce(id));
  assert.equal(server.held.length, 8);
  assert.equal(client.paused, true);
  assert.equal(server.server.metrics.connectionsPaused, 1);
  for (let round = 0; round < 50; round++) {
    for (const held of server.held) held.answer();
    await server.clock.settle();
    assert.ok(server.server.metrics.requestsInFlight <= 8);
  }
  assert.deepEqual(
    client.correlationIds,
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  assert.equal(client.paused, false);
  assert.equal(server.server.metrics.connectionsPaused, 0);
});

test('a client that vanishes while it is not read leaves no trace', async () => {
  const server = await new TestServer().start({ maxRequestsInFlight: 2 });
  const client = server.connect();
  client.send(Buffer.concat([produce(1), produce(2), produce(3), produce(4).subarray(0, 20)]));
  assert.equal(server.server.metrics.connectionsPaused, 1);
  client.vanish();
  for (const held of server.held) held.answer();
  await server.clock.settle();
  assert.equal(server.held.length, 2, 'what had not begun does not begin');
  assert.equal(server.server.metrics.connectionsPaused, 0);
  assert.equal(server.server.requestMemoryBytes, 0);
});

test('bytes in flight are bounded per connection', async () => {
  const server = await new TestServer().start({ maxBytesInFlight: 100_000 });
  const client = server.connect();
  for (let id = 1; id <= 20; id++) client.send(produce(id, { bytes: 30_000 }));
  assert.equal(server.held.length, 4);
  assert.equal(client.paused, true);
  for (let round = 0; round < 20; round++) {
    for (const held of server.held) held.answer();
    await server.clock.settle();
  }
  assert.equal(client.correlationIds.length, 20);
});

test('an answer with a throttle time leaves at once, and the connection is mute for that long (KIP-219)', async () => {
  const answers = [{ ...metadataAnswer, throttleTimeMs: 500 }, metadataAnswer];
  const server = await new TestServer(testApis({ 3: { handle: () => answers.shift() } })).start();
  const client = server.connect();
  client.send(Buffer.concat([metadata(1), metadata(2)]));
  assert.deepEqual(client.correlationIds, [1]);
  await server.clock.advanceMs(499);
  assert.deepEqual(client.correlationIds, [1]);
  await server.clock.advanceMs(1);
  assert.deepEqual(client.correlationIds, [1, 2]);
});

test('a client that has said all is answered, and then our end closes too', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(Buffer.concat([produce(1), produce(2, { acks: 0 }), metadata(3)]));
  client.hangUp();
  assert.equal(client.ended, false);
  for (const held of server.held) held.answer();
  await server.clock.settle();
  assert.deepEqual(client.correlationIds, [1, 3]);
  assert.equal(client.ended, true);
});

test('what a vanished client had asked for goes on and is not answered', async () => {
  const server = await new TestServer().start();
  const client = server.connect();
  client.send(Buffer.concat([produce(1), produce(2), metadata(3)]));
  const staged: number[] = [];
  const second = server.held[1]?.context.inArrivalOrder(() => staged.push(2));
  client.vanish(new Error('ECONNRESET'));
  assert.equal(server.held[0]?.context.signal.aborted, true);
  void server.held[0]?.context.inArrivalOrder(() => staged.push(1));
  await second;
  assert.deepEqual(staged, [1, 2]);
  assert.equal(server.server.metrics.requestsInFlight, 2);
  for (const held of server.held) held.answer();
  await server.clock.settle();
  assert.equal(server.server.metrics.requestsInFlight, 0);
  assert.deepEqual(client.frames, []);
  assert.deepEqual(server.log.lines, []);
  assert.deepEqual(server.server.connections(), []);
});

test('a wait that ends because the client hung up is no error', async () => {
  const apis = testApis({
    3: {
      handle: (_request: never, { signal }: RequestContext) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    },
  });
  const server = await new TestServer(apis).start();
  const [one, two] = [server.connect(), server.connect()];
  one.send(metadata(1));
  two.send(metadata(1));
  one.vanish();
  two.hangUp();
  await server.clock.settle();
  assert.equal(two.destroyed, true);
  assert.deepEqual(server.log.lines, []);
  assert.equal(server.server.metrics.requestsInFlight, 0);
});

test('a handler is told who asks, when it arrived, and through which end of the socket', async () => {
  let seen: RequestContext | undefined;
  const apis = testApis({
    3: {
      handle: (_request: never, context: RequestContext) => {
        seen = context;
        context.connection.clientSoftwareName = 'kafkajs';
        return metadataAnswer;
      },
    },
  });
  const server = await new TestServer(apis).start();
  await server.clock.advanceMs(234);
  server.connect('::ffff:10.1.2.3').send(metadata(1));
  assert.deepEqual(
    { ...seen?.connection, apiKey: seen?.apiKey, apiVersion: seen?.apiVersion, clientId: seen?.clientId, nodeId: seen?.broker.nodeId },
    { ...seen?.connection, apiKey: 3, apiVersion: 9, clientId: 'test', nodeId: 1 },
  );
  assert.equal(seen?.receivedMs, 234);
  assert.equal(seen?.principal, 'User:ANONYMOUS');
  assert.equal(seen?.connection.remoteAddress, '10.1.2.3');
  const [summary] = server.server.connections();
  assert.equal(summary?.clientSoftwareName, 'kafkajs');
  assert.equal(summary?.clientId, 'test');
  assert.equal(summary?.listenerName, 'PLAINTEXT');
});

test('much work on one connection does not keep the others waiting', async () => {
  const server: TestServer = await new TestServer(
    testApis({
      3: {
        handle: () => {
          server.clock.advanceSyncMs(4);
          return metadataAnswer;
        },
      },
    }),
  ).start();
  const client = server.connect();
  client.send(Buffer.concat(Array.from({ length: 20 }, (_, index) => metadata(index))));
  assert.deepEqual(client.correlationIds, [0, 1, 2]);
  await server.clock.settle();
  assert.deepEqual(
    client.correlationIds,
    Array.from({ length: 20 }, (_, index) => index),
  );
});

test('a produce request that takes long is a line in the log, a request that is meant to wait is not', async () => {
  const server = await new TestServer().start({ slowRequestMs: 500 });
  const client = server.connect();
  client.send(Buffer.concat([produce(1), produce(2)]));
  server.held[0]?.answer();
  await server.clock.advanceMs(700);
  server.held[1]?.answer();
  await server.clock.settle();
  assert.deepEqual(
    server.log.lines.map(({ message, fields }) => [message, fields['api'], fields['tookMs']]),
    [['a request took long', 'Produce', 700]],
  );
});

test('before a client has said who it is, it may ask for nothing but the way to say it, in small frames', async () => {
  const server = await new TestServer().start({}, 'SASL_PLAINTEXT');
  const [large, curious] = [server.connect(), server.connect()];
  large.send(apiVersions(1), Buffer.from([0, 8, 0, 1]));
  assert.deepEqual([large.correlationIds, large.destroyed], [[1], true]);
  await server.clock.advanceMs(10_000);
  curious.send(apiVersions(1), metadata(2));
  assert.deepEqual([curious.correlationIds, curious.destroyed], [[1], true]);
  assert.equal(server.log.lines.at(-1)?.fields['reason'], 'Metadata is asked for before the client has authenticated');
  const apis = testApis({
    18: {
      handle: (_request: never, { connection }: RequestContext) => {
        (connection as Connection).authenticateAs('User:anna');
        return { errorCode: 0, apiKeys: [], throttleTimeMs: 0 };
      },
    },
  });
  const trusting = await new TestServer(apis).start({}, 'SASL_PLAINTEXT');
  const anna = trusting.connect();
  anna.send(apiVersions(1), metadata(2), produce(3, { bytes: 600_000 }));
  assert.equal(trusting.held[0]?.context.principal, 'User:anna');
  assert.deepEqual(anna.correlationIds, [1, 2]);
});

for (let seed = 1; seed <= 40; seed++) {
  test(`answers are complete and in order under a random schedule (seed ${seed})`, async () => {
    const chance = new SeededRandom(seed);
    const random = (): number => chance.next();
    const upTo = (count: number): number => Math.floor(random() * count);
    const server: TestServer = await new TestServer(
      testApis({
        0: {
          handle: (request: { acks: number }, context: RequestContext) => {
            const { correlationId } = context as unknown as { correlationId: number };
            started.push(correlationId);
            return new Promise((resolve) => {
              const answer = (): unknown => {
                staged.push(correlationId);
                const finish = (): void => resolve(request.acks === 0 ? undefined : produceAnswer);
                if (random() < 0.5) finish();
                else void server.clock.timer(upTo(50), finish);
                return undefined;
              };
              // Some preparations answer at once, some take long.
              if (random() < 0.3) void context.inArrivalOrder(answer);
              else void server.clock.timer(upTo(100), () => void context.inArrivalOrder(answer));
            });
          },
        },
        3: {
          handle: () => {
            assert.equal(server.server.metrics.requestsInFlight, 1, 'it runs alone');
            return random() < 0.5
              ? metadataAnswer
              : new Promise((resolve) => void server.clock.timer(upTo(50), () => resolve(metadataAnswer)));
          },
        },
      }),
    ).start({ maxRequestsInFlight: 1 + upTo(10), maxBytesInFlight: 1000 + upTo(20_000), queuedMaxRequestBytes: 1000 + upTo(20_000) });
    const started: number[] = [];
    const staged: number[] = [];
    const client = server.connect();
    const count = 60;
    const answered: number[] = [];
    const produced: number[] = [];
    const stream: Buffer[] = [];
    for (let id = 0; id < count; id++) {
      if (random() < 0.2) {
        stream.push(metadata(id));
        answered.push(id);
        continue;
      }
      const acks = random() < 0.2 ? 0 : 1;
      stream.push(produce(id, { acks, bytes: upTo(3000) }));
      produced.push(id);
      if (acks !== 0) answered.push(id);
    }
    const bytes = Buffer.concat(stream);
    for (let at = 0; at < bytes.length;) {
      const next = at + 1 + upTo(random() < 0.5 ? 40 : 5000);
      client.stuck = random() < 0.3;
      client.send(Buffer.from(bytes.subarray(at, next)));
      if (random() < 0.5) await server.clock.advanceMs(upTo(30));
      if (client.stuck) client.readAll();
      at = next;
    }
    client.hangUp();
    for (let round = 0; round < 200 && !client.ended; round++) await server.clock.advanceMs(100);
    assert.deepEqual(client.correlationIds, answered);
    assert.deepEqual(started, produced);
    assert.deepEqual(staged, produced);
    assert.equal(server.server.metrics.requestsInFlight, 0);
    assert.equal(client.ended, true);
    client.vanish();
    await server.clock.settle();
    assert.deepEqual(server.server.connections(), []);
    assert.deepEqual(server.log.lines, []);
  });
}
