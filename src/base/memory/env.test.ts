import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compute, Socket } from '../env.ts';
import { Recorder } from '../network.testing.ts';
import { makeMemoryEnv, type MemoryEnvOptions } from './env.ts';
import { keepNothing } from './power-loss.ts';
import { MemoryDisk } from './disk.ts';

const compute: Compute = {
  crc32c: () => 7,
  compress: (_codec, bytes) => Promise.resolve(Buffer.from(bytes)),
  decompress: (_codec, bytes) => Buffer.from(bytes),
};

/** A program that keeps a journal of what reaches it, in a file. */
async function run(options: Partial<MemoryEnvOptions>): Promise<string[]> {
  const env = makeMemoryEnv({ compute, ...options });
  const events: string[] = [];
  await env.files.makeDirectory('/data');
  const journal = await env.files.open('/data/journal', 'create');
  let position = 0;
  await env.network.listen({ host: '127.0.0.1', port: 9092 }, (socket: Socket) => {
    socket.listen({
      data: (chunk) => {
        events.push(`${env.monotonicMs()} data ${chunk.length} ${env.random()}`);
        env.defer(() => {
          const at = position;
          position += chunk.length;
          void journal.write([chunk], at).then(() => socket.write([Buffer.from('ok')]));
        });
      },
      ended: () => socket.end(),
      drained: () => {},
      closed: () => events.push(`${env.monotonicMs()} closed`),
    });
  });
  const client = new Recorder(await env.network.connect({ host: 'localhost', port: 9092 }));
  for (let round = 0; round < 5; round += 1) {
    env.timer(round * 10, () => client.socket.write([env.randomBytes(100)]));
  }
  await env.advanceMs(100);
  client.socket.end();
  await env.settle();
  events.push(`client heard ${client.bytes}`, (await env.files.readFile('/data/journal')).toString('hex'));
  return events;
}

test('the same seed gives the same run, another seed another', async () => {
  const first = await run({ seed: 5 });
  assert.equal(first.length, 8);
  assert.equal(first[0]?.startsWith('0 data 100 '), true);
  assert.equal(first[4]?.startsWith('40 data 100 '), true);
  assert.equal(first[5], '100 closed');
  assert.equal(first[6], 'client heard 10');
  assert.deepEqual(await run({ seed: 5 }), first);
  assert.notDeepEqual(await run({ seed: 6 }), first);
});

test('wall time starts where it is told', () => {
  const env = makeMemoryEnv({ compute, startWallMs: 1_234 });
  assert.equal(env.wallMs(), 1_234);
  assert.equal(env.monotonicMs(), 0);
});

test('a killed program does nothing more, and another one goes on with its disk, clock and wire', async () => {
  const clockDisk = new MemoryDisk({ modelsPowerLoss: true });
  const first = makeMemoryEnv({ compute, disk: clockDisk });
  await first.files.makeDirectory('/data');
  await first.files.syncDirectory('/');
  const file = await first.files.open('/data/a', 'create');
  await file.write([Buffer.from('unsynced')], 0);
  await first.network.listen({ host: '127.0.0.1', port: 9092 }, () => {});
  let alive = 0;
  first.timer(10, () => (alive += 1));
  first.defer(() => (alive += 1));
  void file
    .dataSync()
    .then(() => file.write([Buffer.from('more')], 8))
    .then(() => (alive += 1));
  first.kill();
  const second = makeMemoryEnv({ compute, disk: first.disk, clock: first.clock, wire: first.wire });
  await second.advanceMs(100);
  assert.equal(alive, 0);
  assert.equal((await second.files.readFile('/data/a')).toString(), 'unsynced');
  await second.network.listen({ host: '127.0.0.1', port: 9092 }, () => {});
  second.kill();
  second.disk.losePower(keepNothing);
  const third = makeMemoryEnv({ compute, disk: first.disk, clock: first.clock, wire: first.wire });
  assert.deepEqual(await third.files.readDirectory('/data'), []);
});

test('work on a thread counts as under way', async () => {
  const env = makeMemoryEnv({
    compute: { ...compute, compress: () => new Promise((resolve) => void setTimeout(resolve, 5, Buffer.from('done'))) },
  });
  let result = '';
  void Promise.resolve(env.compute.compress('gzip', Buffer.alloc(1))).then((bytes) => (result = bytes.toString()));
  await env.settle();
  assert.equal(result, 'done');
  assert.equal(env.compute.crc32c(Buffer.alloc(0)), 7);
});

test('what callbacks throw goes to onThrown', async () => {
  const thrown: unknown[] = [];
  const env = makeMemoryEnv({ compute, onThrown: (error) => thrown.push(error) });
  const error = new Error('a broken promise');
  env.defer(() => {
    throw error;
  });
  env.timer(1, () => {
    throw error;
  });
  await env.advanceMs(1);
  assert.deepEqual(thrown, [error, error]);
});
