import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Compute, Env, FileLockHolder, ProcessIdentity } from '../base/env.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../base/memory/env.ts';
import { keepEverything, keepNothing, randomSurvival } from '../base/memory/power-loss.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { acquireDirLock, DirectoryLockedError, type DirLock } from './dir-lock.ts';

const noCompute: Compute = {
  crc32c: () => 0,
  compress: () => Buffer.alloc(0),
  decompress: () => Buffer.alloc(0),
};

interface World {
  readonly clock: FakeClock;
  readonly disk: MemoryDisk;
}

const newWorld = (): World => {
  const clock = new FakeClock();
  return { clock, disk: new MemoryDisk({ clock, modelsPowerLoss: true }) };
};
const start = ({ clock, disk }: World, seed = 1): MemoryEnv => makeMemoryEnv({ compute: noCompute, clock, disk, seed });

const namesIn = async (env: Env, folder: string): Promise<string[]> =>
  (await env.files.readDirectory(folder)).map(({ name }) => name).sort();

/** A lock that was left by a program which nobody here can look for. */
async function leaveForeignLock(env: Env, holder: Partial<ProcessIdentity> = {}): Promise<string> {
  await env.files.makeDirectory('/data/.bucketrider-lock');
  const path = '/data/.bucketrider-lock/foreign.json';
  await put(env, path, JSON.stringify({ pid: 7, startedAt: '1', bootId: 'b', pidNamespace: 'n', host: 'elsewhere', ...holder }));
  return path;
}

async function put(env: Env, path: string, text: string): Promise<void> {
  const file = await env.files.open(path, 'create');
  await file.write([Buffer.from(text)], 0);
  await file.close();
}

/** Lets the clock run until the work has ended. */
async function whileTimePasses<T>(env: MemoryEnv, work: Promise<T>, mostMs = 60_000): Promise<T> {
  const progress = { ended: false };
  const over = (): void => void (progress.ended = true);
  work.then(over, over);
  for (let ms = 0; !progress.ended && ms < mostMs; ms += 100) await env.advanceMs(100);
  assert.ok(progress.ended, 'it ends in a minute');
  return work;
}

test('a log dir has one broker at a time, and the next one when that has stopped', async () => {
  const world = newWorld();
  const first = start(world);
  const lock = await acquireDirLock(first, '/data');
  const second = start(world);
  await assert.rejects(acquireDirLock(second, '/data'), (error: Error) => {
    assert.ok(error instanceof DirectoryLockedError);
    assert.match(error.message, /^\/data is in use by the broker with process id 1 on host "memory", which is running; stop that broker/);
    return true;
  });
  assert.deepEqual(await namesIn(second, '/data'), ['.bucketrider-lock']);
  await lock.release();
  await lock.release();
  assert.deepEqual(await namesIn(second, '/data'), []);
  await acquireDirLock(second, '/data');
});

test('two brokers of one process do not share a log dir', async () => {
  const env = start(newWorld());
  await acquireDirLock(env, '/data');
  await assert.rejects(acquireDirLock(env, '/data'), /\/data is in use by another broker in this process \(1\)/);
  await acquireDirLock(env, '/other');
});

test('the lock of a killed program is taken over at once', async () => {
  const world = newWorld();
  const killed = start(world);
  await acquireDirLock(killed, '/data');
  killed.kill();
  const next = start(world);
  await acquireDirLock(next, '/data');
  assert.equal((await namesIn(next, '/data/.bucketrider-lock')).length, 1);
});

test('the lock is there for all of a power failure, or not at all, and never keeps the next start out', async () => {
  for (const survives of [
    keepNothing,
    keepEverything,
    ...Array.from({ length: 30 }, (_, seed) => randomSurvival(new SeededRandom(seed))),
  ]) {
    const world = newWorld();
    await acquireDirLock(start(world), '/data');
    world.disk.losePower(survives);
    await acquireDirLock(start(world), '/data');
  }
});

test('a start that is killed at any step leaves nothing that stops the next one, nor that stops Kafka after its clean stop', async () => {
  for (const leftBehind of ['nothing', 'lock of a killed program'] as const) {
    for (let step = 0; ; step += 1) {
      let taken = false;
      const world = newWorld();
      const before = start(world);
      await before.files.makeDirectory('/data');
      if (leftBehind === 'lock of a killed program') await acquireDirLock(before, '/data');
      before.kill();
      const killed = start(world);
      // The operation at which it is killed never returns, and neither does anything after it.
      const attempt = acquireDirLock(dyingAfter(killed, step), '/data').then(() => (taken = true));
      await Promise.race([attempt, killed.settle()]);
      killed.kill();
      const next = start(world);
      const lock = await acquireDirLock(next, '/data');
      await lock.release();
      assert.deepEqual(await namesIn(next, '/data'), [], `${leftBehind}, step ${step}`);
      if (taken) break;
      assert.ok(step < 100, 'a start takes a bounded number of steps');
    }
  }
});

/** An environment that is killed when it asks for one more file operation than `operations`. */
function dyingAfter(env: MemoryEnv, operations: number): Env {
  let left = operations;
  const files = new Proxy(env.files, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]): unknown => {
        if (left === 0) env.kill();
        left -= 1;
        return Reflect.apply(member, target, given);
      };
    },
  });
  return { ...env, files };
}

test('of many that start at the same moment one gets the lock, whatever was left and however their steps mix', async () => {
  for (let seed = 0; seed < 150; seed += 1) {
    const random = new SeededRandom(seed);
    const clock = new FakeClock();
    let slow = false;
    const disk = new MemoryDisk({ clock, latencyMs: () => (slow ? random.integer(4) : 0) });
    const world = { clock, disk };
    const before = start(world);
    await before.files.makeDirectory('/data');
    if (seed % 3 > 0) await acquireDirLock(before, '/data');
    before.kill();
    slow = true;
    const envs = Array.from({ length: 3 }, (_, index) => start(world, seed * 3 + index));
    const attempts = envs.map((env) =>
      acquireDirLock(env, '/data').then(
        (lock) => lock,
        (error: unknown) => {
          assert.ok(error instanceof DirectoryLockedError, `seed ${seed}: ${String(error)}`);
          return undefined;
        },
      ),
    );
    const locks = await whileTimePasses(envs[0] as MemoryEnv, Promise.all(attempts));
    assert.equal(locks.filter((lock) => lock !== undefined).length, 1, `seed ${seed}`);
    slow = false;
    await locks.find((lock) => lock !== undefined)?.release();
    assert.deepEqual(await namesIn(envs[0] as MemoryEnv, '/data'), [], `seed ${seed}`);
  }
});

test('a holder that cannot be looked for has given up when its last sign of life is older than ten seconds', async () => {
  const world = newWorld();
  const env = start(world);
  await leaveForeignLock(env);
  await env.advanceMs(10_001);
  const waits: string[] = [];
  await acquireDirLock(env, '/data', { onWait: (why) => waits.push(why) });
  assert.deepEqual(waits, []);
});

test('a start waits ten seconds to see whether a holder elsewhere is still there', async () => {
  const world = newWorld();
  const env = start(world);
  await leaveForeignLock(env);
  const waits: string[] = [];
  const began = env.monotonicMs();
  await whileTimePasses(env, acquireDirLock(env, '/data', { onWait: (why) => waits.push(why) }));
  assert.ok(env.monotonicMs() - began > 10_000 && env.monotonicMs() - began < 12_000);
  assert.deepEqual(waits, [
    '/data was in use 0 s ago by the broker with process id 7 on host "elsewhere"; waiting to see whether it still is',
  ]);
});

test('a sign of life from a holder elsewhere refuses the start, naming it', async () => {
  const world = newWorld();
  const env = start(world);
  const path = await leaveForeignLock(env);
  const attempt = acquireDirLock(env, '/data');
  attempt.catch(() => undefined);
  await env.advanceMs(3_000);
  await put(env, path, '{"pid":7,');
  await assert.rejects(whileTimePasses(env, attempt), /in use by .*: it gave a sign of life just now; stop that broker/);
  assert.deepEqual(await namesIn(env, '/data'), ['.bucketrider-lock']);
});

test('a live holder gives a sign of life every three seconds', async () => {
  const world = newWorld();
  const env = start(world);
  await acquireDirLock(env, '/data');
  const [holder] = await namesIn(env, '/data/.bucketrider-lock');
  for (let beat = 1; beat <= 5; beat += 1) {
    await env.advanceMs(3_000);
    assert.equal((await env.files.stat(`/data/.bucketrider-lock/${holder}`))?.modifiedMs, env.wallMs());
  }
});

test('a holder whose lock was taken away hears of it, and leaves the new one alone', async () => {
  const world = newWorld();
  const slept = start(world);
  const lost: Error[] = [];
  const lock = await acquireDirLock(slept, '/data', { onLost: (error) => lost.push(error) });
  const [holder] = await namesIn(slept, '/data/.bucketrider-lock');
  await slept.files.remove(`/data/.bucketrider-lock/${holder}`);
  const other = start(world);
  await acquireDirLock(other, '/data');
  await slept.advanceMs(3_000);
  assert.match(lost[0]?.message ?? '', /^\/data: the lock of this broker was taken away/);
  await slept.advanceMs(30_000);
  assert.equal(lost.length, 1);
  await lock.release();
  assert.deepEqual(await namesIn(other, '/data'), ['.bucketrider-lock']);
});

test('a disk that refuses a sign of life does not cost the lock', async () => {
  const world = newWorld();
  const env = start(world);
  const lost: Error[] = [];
  await acquireDirLock(env, '/data', { onLost: (error) => lost.push(error) });
  using _fault = world.disk.inject({ kinds: ['write'], code: 'ENOSPC' });
  await env.advanceMs(30_000);
  assert.deepEqual(lost, []);
});

test('a running Kafka keeps its log dir, and one that has stopped gives it up', async () => {
  const env = start(newWorld());
  await env.files.makeDirectory('/data');
  await put(env, '/data/.lock', '');
  const heldBy = (holder: FileLockHolder | undefined): Env => withKafka(env, () => holder);
  await assert.rejects(
    acquireDirLock(heldBy({ pid: 4711, command: 'java … kafka.Kafka server.properties' }), '/data'),
    /^DirectoryLockedError: \/data is in use: process 4711 \("java … kafka.Kafka server.properties"\) holds a lock on its file .lock, as Apache Kafka does/,
  );
  await assert.rejects(
    acquireDirLock(heldBy({ pid: undefined, command: undefined }), '/data'),
    /a process outside of this container holds/,
  );
  assert.deepEqual(await namesIn(env, '/data'), ['.lock']);
  const lock = await acquireDirLock(heldBy(undefined), '/data');
  await lock.release();
  assert.deepEqual(await namesIn(env, '/data'), ['.lock']);
});

test('a Kafka that starts while a broker takes the lock keeps the log dir', async () => {
  const env = start(newWorld());
  let looks = 0;
  const kafka = withKafka(env, () => (looks++ === 0 ? undefined : { pid: 12, command: undefined }));
  await assert.rejects(acquireDirLock(kafka, '/data'), /process 12 holds a lock/);
  assert.deepEqual(await namesIn(env, '/data'), []);
});

const withKafka = (env: Env, look: () => FileLockHolder | undefined): Env => ({
  ...env,
  processes: {
    self: () => env.processes.self(),
    state: (of) => env.processes.state(of),
    fileLockHolder: (path) => {
      assert.equal(path, '/data/.lock');
      return Promise.resolve(look());
    },
  },
});

test('the lock says who holds it, for people and for programs', async () => {
  const world = newWorld();
  const env = start(world);
  const lock: DirLock = await acquireDirLock(env, '/data');
  const [name] = await namesIn(env, '/data/.bucketrider-lock');
  const holder: unknown = JSON.parse((await env.files.readFile(`/data/.bucketrider-lock/${name}`)).toString());
  assert.deepEqual(holder, await env.processes.self());
  await lock.release();
});
