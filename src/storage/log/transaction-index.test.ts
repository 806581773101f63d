import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '../../base/invariant.ts';
import { DamagedIndexError } from './offset-index.ts';
import { type AbortedTransaction, byFirstOffset, TransactionIndex } from './transaction-index.ts';

const aborted: readonly AbortedTransaction[] = [
  { producerId: 7, firstOffset: 105, lastOffset: 120, lastStableOffset: 103 }, // producer 8 is open since 103
  { producerId: 8, firstOffset: 103, lastOffset: 130, lastStableOffset: 131 },
  { producerId: 7, firstOffset: 140, lastOffset: 150, lastStableOffset: 151 },
];

function filled(): TransactionIndex {
  const index = new TransactionIndex(100);
  for (const transaction of aborted) index.append(transaction);
  return index;
}

test('the aborted transactions that touch the range are collected, and no more', () => {
  const collect = (from: number, to: number): unknown => filled().collectAborted(from, to);
  assert.deepEqual(collect(100, 103), { transactions: [], complete: true });
  assert.deepEqual(collect(100, 104), { transactions: [aborted[1]], complete: true });
  assert.deepEqual(collect(100, 106), { transactions: [aborted[0], aborted[1]], complete: true });
  assert.deepEqual(collect(121, 131), { transactions: [aborted[1]], complete: true });
  assert.deepEqual(collect(131, 140), { transactions: [], complete: true });
});

test('collecting is complete once a transaction was decided with everything below the bound stable', () => {
  assert.equal(filled().collectAborted(100, 151).complete, true);
  assert.equal(filled().collectAborted(100, 152).complete, false);
  assert.equal(new TransactionIndex(0).collectAborted(0, 10).complete, false);
});

test('sorted by first offset, an answer suits clients that look at the head of the list only', () => {
  const { transactions } = filled().collectAborted(100, 200);
  assert.deepEqual(
    transactions.sort(byFirstOffset).map(({ firstOffset }) => firstOffset),
    [103, 105, 140],
  );
});

test('an entry takes 34 bytes: version, producer id, first, last and last stable offset', () => {
  const index = new TransactionIndex(100);
  index.append(aborted[0]!);
  assert.equal(
    index.encode().toString('hex'),
    '0000 0000000000000007 0000000000000069 0000000000000078 0000000000000067'.replaceAll(' ', ''),
  );
  assert.deepEqual([index.count, index.bytes], [1, 34]);
});

test('what was encoded reads back, and the rest can be encoded alone', () => {
  const bytes = filled().encode();
  const read = TransactionIndex.decode(100, bytes);
  assert.deepEqual(read.collectAborted(0, 1000).transactions, aborted);
  assert.deepEqual(read.encode(1), bytes.subarray(34));
  assert.equal(TransactionIndex.decode(0, Buffer.alloc(0)).bytes, 0);
});

test('truncating to an offset forgets the transactions whose marker lies at it or above', () => {
  for (const [offset, count] of [
    [151, 3],
    [150, 2],
    [121, 1],
    [120, 0],
  ] as const) {
    const index = filled();
    index.truncateTo(offset);
    assert.equal(index.count, count);
    assert.equal(index.encode().length, count * 34);
  }
});

test('markers are indexed in the order of the log', () => {
  assert.throws(() => filled().append({ producerId: 9, firstOffset: 145, lastOffset: 150, lastStableOffset: 151 }), InvariantError);
});

test('content that cannot be a transaction index is damage', () => {
  const broken = (change: (bytes: Buffer) => Buffer): void =>
    assert.throws(() => TransactionIndex.decode(100, change(filled().encode())), DamagedIndexError);
  broken((bytes) => bytes.subarray(0, 101));
  broken((bytes) => (bytes.writeInt16BE(1, 34), bytes)); // another version
  broken((bytes) => Buffer.concat([bytes, bytes]));
  broken((bytes) => (bytes.writeInt32BE(-1, 2), bytes)); // a negative producer id
  broken((bytes) => (bytes.writeInt32BE(200, 14), bytes)); // begins behind its end
  broken(() => Buffer.alloc(34)); // zeros: ends below the segment's base
});
