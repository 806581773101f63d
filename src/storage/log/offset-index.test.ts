import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InvariantError } from '../../base/invariant.ts';
import { DamagedFileError } from '../damaged-file.ts';
import { DamagedIndexError, OffsetIndex } from './offset-index.ts';

function indexOf(baseOffset: number, entries: readonly (readonly [offset: number, position: number])[]): OffsetIndex {
  const index = new OffsetIndex(baseOffset);
  for (const [offset, position] of entries) index.append(offset, position);
  return index;
}

const sample = indexOf(1000, [
  [1009, 5000],
  [1020, 9100],
  [1033, 14000],
]);

test('a lookup gives the position of the last entry not above the offset, and 0 below all', () => {
  assert.deepEqual(
    [1000, 1008, 1009, 1019, 1020, 1032, 1033, 999_999].map((offset) => sample.lookup(offset)),
    [0, 0, 5000, 5000, 9100, 9100, 14000, 14000],
  );
  assert.equal(new OffsetIndex(5).lookup(7), 0);
});

test('the first offset indexed at or behind a position is found, and none behind the last', () => {
  assert.deepEqual(
    [0, 5000, 5001, 14000, 14001].map((position) => sample.offsetFrom(position)),
    [1009, 1009, 1020, 1033, undefined],
  );
});

test('an empty index answers with its base', () => {
  const index = new OffsetIndex(42);
  assert.deepEqual([index.count, index.bytes, index.lastOffset, index.encode().length], [0, 0, 42, 0]);
});

test('an entry is a relative offset and a position, both big-endian int32', () => {
  assert.equal(
    indexOf(1000, [[1009, 5000]])
      .encode()
      .toString('hex'),
    '0000000900001388',
  );
});

test('encoding from an entry on gives what a file lacks that holds the entries before', () => {
  assert.deepEqual(sample.encode().subarray(16), sample.encode(2));
  assert.equal(sample.encode(3).length, 0);
  assert.equal(sample.bytes, 24);
});

test('truncating to an offset forgets the entries at it and above', () => {
  for (const [offset, count] of [
    [1034, 3],
    [1033, 2],
    [1021, 2],
    [1009, 0],
    [0, 0],
  ] as const) {
    const index = OffsetIndex.decode(1000, sample.encode());
    index.truncateTo(offset);
    assert.equal(index.count, count, `to ${offset}`);
    if (count < 3) index.append(1033, 13_999); // what is forgotten does not stand in the way
  }
});

test('entries that do not ascend, or do not fit an int32 from the base, break our own promise', () => {
  for (const [offset, position] of [
    [1033, 20_000],
    [1034, 14_000],
    [1000 + 2 ** 31, 20_000],
    [1034, 2 ** 31],
  ] as const)
    assert.throws(() => OffsetIndex.decode(1000, sample.encode()).append(offset, position), InvariantError);
  assert.throws(() => new OffsetIndex(1000).append(999, 0), InvariantError);
  indexOf(1000, [[1000 + 2 ** 31 - 1, 2 ** 31 - 1]]);
});

test('zeros that an unclean Kafka left behind the entries are dropped', () => {
  for (const zeros of [8, 800, 10_485_760 - 24]) {
    const index = OffsetIndex.decode(1000, Buffer.concat([sample.encode(), Buffer.alloc(zeros)]));
    assert.deepEqual(index.encode(), sample.encode());
  }
  assert.equal(OffsetIndex.decode(1000, Buffer.alloc(10_485_760)).count, 0);
  const roundPosition = indexOf(0, [[256, 65_536]]); // its own bytes end in zeros
  assert.equal(OffsetIndex.decode(0, Buffer.concat([roundPosition.encode(), Buffer.alloc(16)])).count, 1);
});

test('content that cannot be an index is damage, and says which file, why and what to do', () => {
  const broken = (change: (bytes: Buffer) => Buffer): void =>
    assert.throws(() => OffsetIndex.decode(1000, change(sample.encode())), DamagedIndexError);
  broken((bytes) => bytes.subarray(0, 23));
  broken((bytes) => Buffer.concat([bytes, bytes.subarray(0, 8)])); // starts over
  broken((bytes) => Buffer.concat([Buffer.alloc(8), bytes.subarray(8, 16), Buffer.alloc(8), bytes.subarray(16)])); // a hole
  broken((bytes) => (bytes.writeInt32BE(-1, 16), bytes));
  broken((bytes) => (bytes.writeInt32BE(9100, 20), bytes)); // a position twice
  assert.throws(
    () => OffsetIndex.decode(1000, sample.encode().subarray(0, 23)),
    (thrown) => thrown instanceof DamagedFileError && /base offset 1000.*23 bytes.*rebuild it/.test(thrown.message),
  );
});

test('what was appended and truncated in any order reads back and is found as in a plain list', () => {
  const steps = fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9000 })), { maxLength: 60 });
  fc.assert(
    fc.property(fc.nat(5000), steps, (baseOffset, taken) => {
      const index = new OffsetIndex(baseOffset);
      let model: [offset: number, position: number][] = [];
      for (const [kind, offsets, bytes] of taken) {
        const [lastOffset, lastPosition] = model.at(-1) ?? [baseOffset, 0];
        if (kind === 0) {
          const to = lastOffset - offsets;
          index.truncateTo(to);
          model = model.filter(([offset]) => offset < to);
        } else {
          index.append(lastOffset + offsets, lastPosition + bytes);
          model.push([lastOffset + offsets, lastPosition + bytes]);
        }
      }
      const read = OffsetIndex.decode(baseOffset, index.encode());
      assert.equal(read.count, model.length);
      assert.equal(read.lastOffset, model.at(-1)?.[0] ?? baseOffset);
      for (let offset = baseOffset; offset < read.lastOffset + 3; offset += 7)
        for (const either of [index, read]) assert.equal(either.lookup(offset), model.findLast(([indexed]) => indexed <= offset)?.[1] ?? 0);
    }),
    { seed: 1, numRuns: 200 },
  );
});
