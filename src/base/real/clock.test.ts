import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { makeRealClock, nextTurn } from './clock.ts';

test('fake timers of a test runner do not stop a clock that was loaded before them', async () => {
  const clock = makeRealClock();
  const before = { wall: clock.wallMs(), monotonic: clock.monotonicMs() };
  mock.timers.enable({ apis: ['setTimeout', 'setImmediate', 'setInterval', 'Date'], now: 0 });
  try {
    assert.equal(Date.now(), 0);
    assert.ok(clock.wallMs() >= before.wall);
    await new Promise<void>((resolve) => void clock.timer(2, resolve));
    assert.ok(clock.monotonicMs() - before.monotonic >= 2);
    await new Promise<void>((resolve) => clock.defer(resolve));
    await nextTurn();
  } finally {
    mock.timers.reset();
  }
});

test('a timer never fires before its time, and a disposed one not at all', async () => {
  const clock = makeRealClock();
  let early = 0;
  let disposedRan = false;
  clock.timer(1, () => (disposedRan = true))[Symbol.dispose]();
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const ms = 1 + index * 0.7;
      const start = clock.monotonicMs();
      return new Promise<void>((resolve) => {
        clock.timer(ms, () => {
          if (clock.monotonicMs() - start < ms) early += 1;
          resolve();
        });
      });
    }),
  );
  assert.equal(early, 0);
  assert.equal(disposedRan, false);
});

test('a timer beyond 2^31 - 1 ms does not fire at once', async () => {
  const clock = makeRealClock();
  let fired = 0;
  const timers = [2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER].map((ms) => clock.timer(ms, () => (fired += 1), { unref: true }));
  await new Promise<void>((resolve) => void clock.timer(5, resolve));
  for (const timer of timers) timer[Symbol.dispose]();
  assert.equal(fired, 0);
});

test('deferred work runs in order, after the microtasks, and what it defers waits a turn', async () => {
  const clock = makeRealClock();
  const order: string[] = [];
  const done = Promise.withResolvers<void>();
  clock.defer(() => {
    order.push('first');
    clock.defer(() => {
      order.push('next turn');
      done.resolve();
    });
  });
  clock.defer(() => order.push('second'));
  void Promise.resolve().then(() => order.push('microtask'));
  order.push('caller');
  await done.promise;
  assert.deepEqual(order, ['caller', 'microtask', 'first', 'second', 'next turn']);
});

test('what timers and deferred work throw goes to onThrown, and the others run', async () => {
  const thrown: unknown[] = [];
  const clock = makeRealClock((error) => thrown.push(error));
  const order: string[] = [];
  const fail = new Error('deferred');
  clock.defer(() => order.push('a'));
  clock.defer(() => {
    throw fail;
  });
  clock.defer(() => order.push('b'));
  await nextTurn();
  await nextTurn();
  assert.deepEqual(order, ['a', 'b']);
  assert.deepEqual(thrown, [fail]);
  await new Promise<void>((resolve) => {
    clock.timer(0, () => {
      resolve();
      throw fail;
    });
  });
  assert.deepEqual(thrown, [fail, fail]);
});

test('chance comes in the asked size', () => {
  const clock = makeRealClock();
  assert.equal(clock.randomBytes(16).length, 16);
  assert.notDeepEqual(clock.randomBytes(16), clock.randomBytes(16));
  const value = clock.random();
  assert.ok(value >= 0 && value < 1);
});
