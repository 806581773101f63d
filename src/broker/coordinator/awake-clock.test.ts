import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/memory/clock.ts';
import { makeMemoryEnv } from '../../base/memory/env.ts';
import { makeCompute } from '../../base/real/compute.ts';
import { AwakeClock } from './awake-clock.ts';

const compute = makeCompute();

/** A broker that can be stopped: time goes on, and its timers fire when it runs again. */
function sleeper() {
  const env = makeMemoryEnv({ compute, clock: new FakeClock() });
  let sleptMs = 0;
  const clock = new AwakeClock({ ...env, timer: env.timer.bind(env), monotonicMs: () => env.monotonicMs() + sleptMs });
  return { env, clock, sleep: (ms: number) => (sleptMs += ms) };
}

test('it goes with the monotonic clock while the broker runs', () => {
  const { env, clock } = sleeper();
  const fired: number[] = [];
  const startMs = clock.nowMs();
  clock.at(startMs + 5_500, () => fired.push(clock.nowMs() - startMs));
  env.clock.advanceSyncMs(5_499);
  assert.deepEqual(fired, []);
  env.clock.advanceSyncMs(1);
  assert.deepEqual(fired, [5_500]);
});

test('time in which the broker did not run does not count', () => {
  const { env, clock, sleep } = sleeper();
  const fired: number[] = [];
  const startMs = clock.nowMs();
  clock.at(startMs + 10_000, () => fired.push(env.monotonicMs()));
  env.clock.advanceSyncMs(4_000);
  sleep(3_600_000);
  assert.ok(clock.nowMs() - startMs <= 5_000);
  env.clock.advanceSyncMs(4_000);
  assert.deepEqual(fired, []);
  env.clock.advanceSyncMs(2_000);
  assert.equal(fired.length, 1);
});

test('while nobody waits for anything nothing is looked at, and no time is lost either', () => {
  const { env, clock, sleep } = sleeper();
  const startMs = clock.nowMs();
  clock.at(startMs + 100, () => undefined);
  env.clock.advanceSyncMs(100);
  assert.equal(env.clock.pendingTimers, 0);
  sleep(60_000);
  assert.equal(clock.nowMs() - startMs, 60_100);
});

test('a timer that is disposed of does not fire', () => {
  const { env, clock } = sleeper();
  const timer = clock.at(clock.nowMs() + 100, () => assert.fail());
  timer[Symbol.dispose]();
  timer[Symbol.dispose]();
  env.clock.advanceSyncMs(1_000);
  assert.equal(env.clock.pendingTimers, 0);
});
