import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from './random.ts';

test('a seed always gives the same numbers, another seed others', () => {
  const take = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 20 }, () => random.integer(1_000_000));
  };
  assert.deepEqual(take(42), take(42));
  const distinct = new Set([0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 40].map((seed) => take(seed).join(',')));
  assert.equal(distinct.size, 7);
  assert.deepEqual(take(42).slice(0, 3), [456_255, 574_377, 831_097]);
});

test('numbers lie in their range and are spread evenly', () => {
  const random = new SeededRandom(5);
  const buckets = Array.from({ length: 10 }, () => 0);
  for (let round = 0; round < 100_000; round += 1) {
    const value = random.next();
    assert.ok(value >= 0 && value < 1);
    const bucket = Math.floor(value * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  for (const count of buckets) assert.ok(Math.abs(count - 10_000) < 500, `${count}`);
  const heads = Array.from({ length: 10_000 }, () => random.chance(0.25)).filter(Boolean).length;
  assert.ok(Math.abs(heads - 2_500) < 200, `${heads}`);
  assert.equal(random.bytes(33).length, 33);
  assert.ok(['a', 'b'].includes(random.pick(['a', 'b'])));
  assert.throws(() => random.pick([]));
});

test('a forked stream does not change what its source gives next', () => {
  const one = new SeededRandom(9);
  const other = new SeededRandom(9);
  const fork = one.fork();
  other.fork();
  for (let round = 0; round < 100; round += 1) fork.next();
  assert.equal(one.next(), other.next());
});
