import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recorder, testNetwork } from '../network.testing.ts';
import { FakeClock } from './clock.ts';
import { MemoryNetwork, type MemoryNetworkOptions } from './network.ts';
import { SeededRandom } from './random.ts';

testNetwork('memory', () => {
  const clock = new FakeClock();
  return { network: new MemoryNetwork({ clock }).join(), settle: () => clock.settle() };
});

testNetwork('memory in pieces', () => {
  const clock = new FakeClock();
  const wire = new MemoryNetwork({ clock, fragments: new SeededRandom(2), windowBytes: 40_000 });
  return { network: wire.join(), settle: () => clock.settle() };
});

async function pair(options: Omit<MemoryNetworkOptions, 'clock'> = {}): Promise<{
  clock: FakeClock;
  wire: MemoryNetwork;
  server: Recorder;
  client: Recorder;
  programs: { server: ReturnType<MemoryNetwork['join']>; client: ReturnType<MemoryNetwork['join']> };
}> {
  const clock = new FakeClock();
  const wire = new MemoryNetwork({ clock, ...options });
  const programs = { server: wire.join(), client: wire.join() };
  let server: Recorder | undefined;
  await programs.server.listen({ host: '0.0.0.0', port: 9092 }, (socket) => (server = new Recorder(socket)));
  const client = new Recorder(await clock.until(programs.client.connect({ host: '10.0.0.1', port: 9092 })));
  assert.ok(server);
  return { clock, wire, server, client, programs };
}

test('the same seed cuts the same bytes into the same chunks', async () => {
  const lengths = async (seed: number): Promise<number[]> => {
    const { clock, server, client } = await pair({ fragments: new SeededRandom(seed) });
    client.socket.write([Buffer.alloc(10_000, 'x')]);
    await clock.settle();
    assert.equal(server.bytes, 10_000);
    return server.chunks.map((chunk) => chunk.length);
  };
  const first = await lengths(7);
  assert.ok(first.length > 3);
  assert.deepEqual(await lengths(7), first);
  assert.notDeepEqual(await lengths(8), first);
});

test('latency holds chunks back, and none overtakes another', async () => {
  const random = new SeededRandom(3);
  const { clock, server, client } = await pair({ latencyMs: () => random.integer(50) });
  for (let index = 0; index < 20; index += 1) {
    client.socket.write([Buffer.from(`${index} `)]);
    await clock.advanceMs(1);
  }
  client.socket.end();
  await clock.advanceMs(50);
  assert.equal(server.text, Array.from({ length: 20 }, (_, index) => `${index} `).join(''));
  assert.deepEqual(server.heard, ['data', 'ended']);
  server.socket.end();
  await clock.advanceMs(50);
  assert.equal(client.heard.at(-1), 'closed');
});

test('a destroyed side is a reset for the other, after what was on its way is lost', async () => {
  const { clock, server, client } = await pair();
  client.socket.write([Buffer.from('lost')]);
  client.socket.destroy();
  await clock.settle();
  assert.deepEqual(server.heard, ['closed']);
  assert.equal((server.error as NodeJS.ErrnoException).code, 'ECONNRESET');
  assert.equal(client.error, undefined);
});

test('a broken wire is an error on both sides, at one port or everywhere', async () => {
  const { clock, wire, server, client } = await pair();
  wire.breakAll('ETIMEDOUT', { port: 9093 });
  await clock.settle();
  assert.equal(wire.openSockets, 2);
  wire.breakAll('ETIMEDOUT', { port: 9092 });
  await clock.settle();
  for (const side of [server, client]) assert.equal((side.error as NodeJS.ErrnoException).code, 'ETIMEDOUT');
  assert.equal(wire.openSockets, 0);
});

test('a stalled wire delivers nothing and loses nothing', async () => {
  const { clock, wire, server, client } = await pair();
  const stall = wire.stall();
  client.socket.write([Buffer.from('late')]);
  client.socket.end();
  await clock.settle();
  assert.deepEqual(server.heard, []);
  stall[Symbol.dispose]();
  await clock.settle();
  assert.equal(server.text, 'late');
  assert.deepEqual(server.heard, ['data', 'ended']);
});

test('a killed program hears nothing, its peers see resets and its port is free', async () => {
  const { clock, wire, server, client, programs } = await pair();
  client.socket.write([Buffer.from('x')]);
  programs.server.kill();
  await clock.settle();
  assert.deepEqual(server.heard, []);
  assert.deepEqual(client.heard, ['closed']);
  assert.equal((client.error as NodeJS.ErrnoException).code, 'ECONNRESET');
  await assert.rejects(programs.client.connect({ host: '10.0.0.1', port: 9092 }), { code: 'ECONNREFUSED' });
  await wire.join().listen({ host: '127.0.0.1', port: 9092 }, () => {});
});

test('a listener for every address overlaps those for one, of its family', async () => {
  const network = new MemoryNetwork({ clock: new FakeClock() }).join();
  await network.listen({ host: '127.0.0.1', port: 1 }, () => {});
  await network.listen({ host: '::1', port: 1 }, () => {});
  await network.listen({ host: '127.0.0.2', port: 1 }, () => {});
  await assert.rejects(
    network.listen({ host: '0.0.0.0', port: 1 }, () => {}),
    { code: 'EADDRINUSE' },
  );
  await network.listen({ host: '0.0.0.0', port: 2 }, () => {});
  await network.listen({ host: '::1', port: 2 }, () => {});
  await assert.rejects(
    network.listen({ host: '::', port: 2 }, () => {}),
    { code: 'EADDRINUSE' },
  );
  let seen = '';
  await network.listen({ host: '::', port: 3 }, (socket) => (seen = socket.remoteAddress));
  await network.connect({ host: '127.0.0.1', port: 3 });
  assert.equal(seen, '::ffff:127.0.0.1');
});

test('a reader that stops bounds what is under way', async () => {
  const { clock, server, client } = await pair({ windowBytes: 10_000 });
  server.socket.pause();
  assert.equal(client.socket.write([Buffer.alloc(100_000)]), false);
  await clock.settle();
  assert.equal(client.socket.queuedBytes, 90_000);
  server.socket.resume();
  await clock.settle();
  assert.equal(server.bytes, 100_000);
  assert.deepEqual(client.heard, ['drained']);
});

test('the writer may use its buffer again once it has left', async () => {
  const { clock, server, client } = await pair();
  const buffer = Buffer.from('first');
  client.socket.write([buffer]);
  await clock.settle();
  buffer.write('xxxxx');
  assert.equal(server.text, 'first');
});
