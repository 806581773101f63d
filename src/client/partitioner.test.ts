import assert from 'node:assert/strict';
import { test } from 'node:test';
import { murmur2, partitionOfKey, StickyPartition } from './partitioner.ts';

// From Kafka's own test of it (UtilsTest.testMurmur2).
const hashes: readonly (readonly [text: string, hash: number])[] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
];

test('a key has the hash that it has in Java', () => {
  for (const [text, hash] of hashes) assert.equal(murmur2(Buffer.from(text)), hash, text);
});

test('a key goes to the partition to which Java sends it', () => {
  assert.equal(partitionOfKey(Buffer.from('21'), 10), (-973_932_308 & 0x7fff_ffff) % 10);
  assert.equal(partitionOfKey(Buffer.from('abc'), 10), 7);
});

test('records without a key stay with a partition until told to move on, and reach all of them', () => {
  const draws = [0.5, 0.9, 0, 0.4, 0.99];
  const sticky = new StickyPartition([3, 5, 7], () => draws.shift() ?? 0);
  const seen: number[] = [];
  for (let moves = 0; moves < 4; moves += 1) {
    const before = sticky.current;
    assert.equal(sticky.current, before);
    seen.push(before);
    sticky.moveOn();
    assert.notEqual(sticky.current, before);
  }
  assert.deepEqual(new Set(seen), new Set([3, 5, 7]));
  const only = new StickyPartition([4], () => 0.7);
  only.moveOn();
  assert.equal(only.current, 4);
});
