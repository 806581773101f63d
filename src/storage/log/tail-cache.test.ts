import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slabs } from '../../base/buffers.ts';
import { PartitionTail, TailCache } from './tail-cache.ts';

const BATCH_BYTES = 100;

/** Ten batches to a slab, two slabs to the cache. */
function newTail(): { add: (count: number) => Buffer[]; tail: PartitionTail; written: () => void } {
  const cache = new TailCache({ limitBytes: 20 * BATCH_BYTES, slabs: new Slabs(10 * BATCH_BYTES) });
  const tail = new PartitionTail(cache, 0);
  let next = 0;
  return {
    tail,
    add: (count) =>
      Array.from({ length: count }, () => {
        const bytes = cache.own(Buffer.alloc(BATCH_BYTES, next % 251));
        tail.add({ baseOffset: next, endOffset: next + 1, bytes });
        next += 1;
        return bytes;
      }),
    written: () => tail.written(next),
  };
}

const slabOf = (batches: readonly Buffer[]): unknown => batches[0]?.buffer;
const whole = (batches: readonly Buffer[], first: number): boolean =>
  batches.every((bytes, index) => bytes.every((byte) => byte === (first + index) % 251));

test('the memory of batches that were written and given up takes the next ones', () => {
  const { add, written } = newTail();
  const slabs = new Set<unknown>();
  for (let round = 0; round < 50; round += 1) {
    const batches = add(10);
    assert.ok(whole(batches, round * 10));
    slabs.add(slabOf(batches));
    written();
  }
  assert.ok(slabs.size <= 4, `${slabs.size} slabs`);
});

test('what a reader was given stays as it was, however long the reader takes', () => {
  const { add, tail, written } = newTail();
  add(10);
  written();
  const { buffers, bytes } = tail.read(3, 10, 1_000_000, true);
  assert.equal(bytes, 7 * BATCH_BYTES);
  assert.equal(buffers.length, 1, 'neighbours are one piece');
  for (let round = 0; round < 50; round += 1) {
    add(10);
    written();
  }
  assert.ok(tail.startOffset > 10, 'it was given up long ago');
  const held = Array.from({ length: 7 }, (_, index) => (buffers[0] as Buffer).subarray(index * BATCH_BYTES, (index + 1) * BATCH_BYTES));
  assert.ok(whole(held, 3));
});

test('what is not written yet is kept, and its memory with it, whatever the bound', () => {
  const { add, written } = newTail();
  const unwritten = add(100);
  assert.equal(new Set(unwritten.map(({ buffer }) => buffer)).size, 10);
  assert.ok(whole(unwritten, 0));
  written();
  const later = add(10);
  assert.ok(unwritten.some(({ buffer }) => buffer === later[0]?.buffer));
});

test('the memory of a log that is reopened is not used again: a write of it may still be under way', () => {
  const { add, tail, written } = newTail();
  const abandoned = add(30);
  tail.clear(30);
  for (let round = 0; round < 20; round += 1) {
    add(10);
    written();
  }
  assert.ok(whole(abandoned, 0));
});
