import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../src/base/memory/random.ts';
import type { LoadResult } from './load/messages.ts';
import { orderOfRound, rateOf, remarkOn } from './turns.ts';

const contenders = ['bucketrider', 'ceiling', 'Kafka', 'Kafka, fsync'];
const result: LoadResult = {
  seconds: 2,
  requests: 1000,
  bytes: 400e6,
  records: 16_000,
  allRequests: 1250,
  allBytes: 500e6,
  allRecords: 20_000,
  latencyMs: { p50: 1, p99: 12.34, p999: 20, max: 30 },
  generatorCpu: 0.424,
};

test('everybody has one turn in each round', () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 50; round += 1)
    assert.deepEqual(orderOfRound(contenders, random).toSorted(), contenders.toSorted(), `round ${round}`);
  assert.deepEqual(orderOfRound([], random), []);
});

test('over the rounds everybody comes behind everybody, and first as often as others', () => {
  const random = new SeededRandom(1);
  const behind = new Map<string, number>();
  const first = new Map<string, number>();
  const count = (of: Map<string, number>, key: string): void => void of.set(key, (of.get(key) ?? 0) + 1);
  for (let round = 0; round < 400; round += 1) {
    const order = orderOfRound(contenders, random);
    count(first, order[0] ?? '');
    for (const [at, name] of order.entries()) if (at > 0) count(behind, `${name} behind ${order[at - 1] ?? ''}`);
  }
  assert.equal(behind.size, 12);
  for (const [pair, times] of behind) assert.ok(times > 50 && times < 150, `${pair}: ${times} of 400`);
  for (const [name, times] of first) assert.ok(times > 60 && times < 140, `${name} first: ${times} of 400`);
});

test('the same seed gives the same orders, so that two runs are alike', () => {
  const orders = (): string[][] => {
    const random = new SeededRandom(7);
    return Array.from({ length: 10 }, () => orderOfRound(contenders, random));
  };
  assert.deepEqual(orders(), orders());
});

test('a rate is of the time that is measured, in megabytes or in requests', () => {
  assert.equal(rateOf(result, 'MB/s'), 200);
  assert.equal(rateOf(result, 'requests/s'), 500);
});

test('processor time is set against all that was answered in the turn, measured or not', () => {
  assert.equal(remarkOn(result, 1.5), 'p99 12.3 ms, 3.0 ms of processor a MB, generator 42 % of a core');
});
