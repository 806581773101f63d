import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRequire } from 'node:module';
import { murmur2, partitionOf } from './default-partitioner.ts';

// From the Java client's own test, UtilsTest.testMurmur2.
const known = new Map([
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
]);

test('keys hash as in the Java client', () => {
  for (const [key, hash] of known) assert.equal(murmur2(Buffer.from(key)), hash, key);
});

test('keys of every length go where kafkajs sends them', () => {
  const kafkajs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (key: Buffer) => number;
  for (let length = 0; length < 40; length += 1) {
    const key = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length * 11) & 0xff));
    assert.equal(partitionOf(key, 7), (kafkajs(key) & 0x7fff_ffff) % 7, `a key of ${length} bytes`);
  }
});
