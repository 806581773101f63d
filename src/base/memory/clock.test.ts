import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './clock.ts';
import { SeededRandom } from './random.ts';

test('time stands still until it is moved, and wall time can jump alone', async () => {
  const clock = new FakeClock({ startWallMs: 1_000_000 });
  assert.equal(clock.monotonicMs(), 0);
  assert.equal(clock.wallMs(), 1_000_000);
  await clock.advanceMs(1_500);
  assert.equal(clock.monotonicMs(), 1_500);
  assert.equal(clock.wallMs(), 1_001_500);
  clock.jumpWallMs(-3_600_000);
  assert.equal(clock.monotonicMs(), 1_500);
  assert.equal(clock.wallMs(), 1_001_500 - 3_600_000);
});

test('timers fire in the order of their time, and at the same time in the order they were set', async () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  const note = (name: string) => (): void => void fired.push(`${name}@${clock.monotonicMs()}`);
  clock.timer(20, note('c'));
  clock.timer(10, note('a'));
  clock.timer(20, note('d'));
  clock.timer(10, note('b'));
  clock.timer(21, note('not yet'));
  await clock.advanceMs(20);
  assert.deepEqual(fired, ['a@10', 'b@10', 'c@20', 'd@20']);
  assert.equal(clock.pendingTimers, 1);
  assert.equal(clock.nextTimerInMs, 1);
});

test('however many timers are due at one moment, they fire in the order they were set', () => {
  const clock = new FakeClock();
  const fired: number[] = [];
  for (let index = 0; index < 100; index += 1) clock.timer(index % 2 === 0 ? 5 : 7, () => fired.push(index));
  clock.advanceSyncMs(7);
  const even = Array.from({ length: 50 }, (_, index) => index * 2);
  assert.deepEqual(fired, [...even, ...even.map((index) => index + 1)]);
});

test('what a timer sets in the past of the advance still fires within it', async () => {
  const clock = new FakeClock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.monotonicMs());
    clock.timer(30, again);
  };
  clock.timer(30, again);
  await clock.advanceMs(100);
  assert.deepEqual(fired, [30, 60, 90]);
  clock.advanceSyncMs(20);
  assert.deepEqual(fired, [30, 60, 90, 120]);
});

test('a disposed timer does not fire, also when it is disposed by one of the same moment', async () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  clock.timer(10, () => second[Symbol.dispose]());
  const second = clock.timer(10, () => fired.push('second'));
  const third = clock.timer(10, () => fired.push('third'));
  await clock.advanceMs(10);
  third[Symbol.dispose]();
  assert.deepEqual(fired, ['third']);
  assert.equal(clock.pendingTimers, 0);
});

test('timers that are set and taken back all day do not pile up, and the others keep their order', async () => {
  const clock = new FakeClock();
  const random = new SeededRandom(4);
  const expected: number[] = [];
  const fired: number[] = [];
  for (let index = 0; index < 3_000; index += 1) {
    const dueMs = random.integer(500);
    const timer = clock.timer(dueMs, () => fired.push(dueMs));
    if (random.chance(0.8)) timer[Symbol.dispose]();
    else expected.push(dueMs);
  }
  assert.equal(clock.pendingTimers, expected.length);
  clock.advanceSyncMs(500);
  assert.deepEqual(
    fired,
    expected.sort((a, b) => a - b),
  );
});

test('between two timers everything goes on that can', async () => {
  const clock = new FakeClock();
  const order: string[] = [];
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.timer(ms, resolve));
  const work = async (): Promise<void> => {
    await wait(10);
    for (let step = 0; step < 20; step += 1) await Promise.resolve();
    order.push(`first done at ${clock.monotonicMs()}`);
    await new Promise<void>((resolve) => clock.defer(() => clock.defer(resolve)));
    order.push(`deferred done at ${clock.monotonicMs()}`);
    await wait(5);
    order.push(`second done at ${clock.monotonicMs()}`);
  };
  const done = work();
  clock.timer(11, () => order.push('timer at 11'));
  await clock.advanceMs(15);
  await done;
  assert.deepEqual(order, ['first done at 10', 'deferred done at 10', 'timer at 11', 'second done at 15']);
});

test('deferred work goes on by itself, in order, and what it defers waits a turn', async () => {
  const clock = new FakeClock();
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
  await done.promise;
  assert.deepEqual(order, ['microtask', 'first', 'second', 'next turn']);
});

test('settle waits for tracked work', async () => {
  const clock = new FakeClock();
  let over = false;
  const work = clock.track(
    new Promise<void>((resolve) => {
      setTimeout(() => {
        over = true;
        resolve();
      }, 5);
    }),
  );
  await clock.settle();
  assert.equal(over, true);
  await work;
});

test('until advances as far as the work takes, and says when it never ends', async () => {
  const clock = new FakeClock();
  const sleeps = async (): Promise<string> => {
    for (let index = 0; index < 3; index += 1) await new Promise<void>((resolve) => void clock.timer(60_000, resolve));
    return 'rested';
  };
  assert.equal(await clock.until(sleeps()), 'rested');
  assert.equal(clock.monotonicMs(), 180_000);
  await assert.rejects(clock.until(new Promise(() => {})), /no timer is left/);
  await assert.rejects(clock.until(sleeps(), { withinMs: 100_000 }), /not done within 100000 ms/);
  assert.equal(await clock.until(Promise.resolve('at once')), 'at once');
  await assert.rejects(clock.until(Promise.reject(new Error('its own'))), /its own/);
});

test('two advances at the same time are refused', async () => {
  const clock = new FakeClock();
  const first = clock.advanceMs(10);
  await assert.rejects(clock.advanceMs(10), /one advance/);
  await first;
  assert.equal(clock.monotonicMs(), 10);
});
