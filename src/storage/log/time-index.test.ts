import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InvariantError } from '../../base/invariant.ts';
import { DamagedIndexError } from './offset-index.ts';
import { TimeIndex } from './time-index.ts';

function indexOf(baseOffset: number, entries: readonly (readonly [timestamp: number, offset: number])[]): TimeIndex {
  const index = new TimeIndex(baseOffset);
  for (const [timestamp, offset] of entries) index.maybeAppend(timestamp, offset);
  return index;
}

const sample = indexOf(1000, [
  [1_700_000_000_000, 1003],
  [1_700_000_000_500, 1010],
  [1_700_000_009_000, 1044],
]);

test('a lookup gives the last entry whose timestamp is not above the one asked for', () => {
  assert.deepEqual(sample.lookup(1_699_999_999_999), { timestamp: -1, offset: 1000 });
  assert.deepEqual(sample.lookup(1_700_000_000_000), { timestamp: 1_700_000_000_000, offset: 1003 });
  assert.deepEqual(sample.lookup(1_700_000_000_499), { timestamp: 1_700_000_000_000, offset: 1003 });
  assert.deepEqual(sample.lookup(Number.MAX_SAFE_INTEGER), { timestamp: 1_700_000_009_000, offset: 1044 });
  assert.deepEqual(new TimeIndex(7).lookup(5), { timestamp: -1, offset: 7 });
});

test('only a larger timestamp makes an entry', () => {
  const index = TimeIndex.decode(1000, sample.encode());
  assert.equal(index.maybeAppend(1_700_000_009_000, 1044), false);
  assert.equal(index.maybeAppend(1_700_000_009_000, 1050), false);
  assert.equal(index.maybeAppend(1_700_000_009_001, 1051), true);
  assert.deepEqual(index.lastEntry, { timestamp: 1_700_000_009_001, offset: 1051 });
  assert.equal(new TimeIndex(0).maybeAppend(-1, 0), false); // records without a timestamp leave the index empty
  assert.equal(new TimeIndex(0).maybeAppend(0, 0), true);
});

test('a timestamp or an offset below the last entry breaks our own promise', () => {
  const index = TimeIndex.decode(1000, sample.encode());
  assert.throws(() => index.maybeAppend(1_700_000_008_999, 1050), InvariantError);
  assert.throws(() => index.maybeAppend(1_700_000_009_001, 1043), InvariantError);
  assert.throws(() => index.maybeAppend(1_700_000_009_001, 1000 + 2 ** 31), InvariantError);
});

test('an entry is an int64 timestamp and an int32 relative offset, big-endian', () => {
  assert.equal(
    indexOf(1000, [[1_700_000_000_000, 1003]])
      .encode()
      .toString('hex'),
    '0000018bcfe5680000000003',
  );
  assert.equal(sample.bytes, 36);
  assert.deepEqual(sample.encode(1), sample.encode().subarray(12));
});

test('truncating to an offset forgets the entries at it and above', () => {
  for (const [offset, count] of [
    [1045, 3],
    [1044, 2],
    [1010, 1],
    [1000, 0],
  ] as const) {
    const index = TimeIndex.decode(1000, sample.encode());
    index.truncateTo(offset);
    assert.equal(index.count, count);
  }
});

test('zeros that an unclean Kafka left behind the entries are dropped', () => {
  const index = TimeIndex.decode(1000, Buffer.concat([sample.encode(), Buffer.alloc(10_485_756 - 36)]));
  assert.deepEqual(index.encode(), sample.encode());
  assert.equal(TimeIndex.decode(0, Buffer.alloc(10_485_756)).count, 0);
});

test('content that cannot be a time index is damage', () => {
  const broken = (change: (bytes: Buffer) => Buffer): void =>
    assert.throws(() => TimeIndex.decode(1000, change(sample.encode())), DamagedIndexError);
  broken((bytes) => bytes.subarray(0, 35));
  broken((bytes) => Buffer.concat([bytes, bytes]));
  broken((bytes) => (bytes.writeInt32BE(-5, 8), bytes));
  broken((bytes) => (bytes.writeInt32BE(2, 20), bytes)); // an offset below the one before
  broken((bytes) => Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(12), bytes.subarray(12)])); // a hole
});

test('what was appended and truncated in any order reads back and is found as in a plain list', () => {
  const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(40), fc.nat(5)), { maxLength: 60 });
  fc.assert(
    fc.property(fc.nat(5000), steps, (baseOffset, taken) => {
      const index = new TimeIndex(baseOffset);
      let model: { timestamp: number; offset: number }[] = [];
      for (const [kind, offsets, time] of taken) {
        const last = model.at(-1) ?? { timestamp: 5, offset: baseOffset };
        if (kind === 0) {
          const to = last.offset - offsets;
          index.truncateTo(to);
          model = model.filter(({ offset }) => offset < to);
        } else if (index.maybeAppend(last.timestamp + time, last.offset + offsets)) {
          assert.ok(time > 0 || model.length === 0);
          model.push({ timestamp: last.timestamp + time, offset: last.offset + offsets });
        }
      }
      const read = TimeIndex.decode(baseOffset, index.encode());
      for (let timestamp = -2; timestamp < (model.at(-1)?.timestamp ?? 0) + 3; timestamp++)
        for (const either of [index, read])
          assert.deepEqual(
            either.lookup(timestamp),
            model.findLast((entry) => entry.timestamp <= timestamp) ?? { timestamp: -1, offset: baseOffset },
          );
    }),
    { seed: 2, numRuns: 200 },
  );
});
