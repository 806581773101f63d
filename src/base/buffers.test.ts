import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBudget, joinNeighbours, PinnedBytes, Slabs } from './buffers.ts';
import { InvariantError } from './invariant.ts';

test('small copies share a slab, large ones have a buffer of their own, and none overlaps another', () => {
  const slabs = new Slabs(1_000);
  const copies = Array.from({ length: 50 }, (_, index) => slabs.copy(Buffer.alloc(60, index)));
  for (const [index, copy] of copies.entries()) assert.ok(copy.every((byte) => byte === index));
  const buffers = new Set(copies.map((copy) => copy.buffer));
  assert.equal(buffers.size, 4); // 16 slices of 60 bytes each
  for (const buffer of buffers) assert.equal(buffer.byteLength, 1_000);
  const large = slabs.take(126);
  assert.equal(large.buffer.byteLength, 126);
  assert.equal(slabs.take(0).length, 0);
  assert.equal(new Slabs().take(10).buffer.byteLength, 1024 * 1024);
});

test('a slab whose slices have all been given back is filled again, unless one of them was lent', () => {
  const slabs = new Slabs(1_000);
  const fill = (): Buffer[] => Array.from({ length: 10 }, () => slabs.take(100));
  const [first, second, third] = [fill(), fill(), fill()];
  const bufferOf = (slices: readonly Buffer[]): unknown => slices[0]?.buffer;
  slabs.lend(second[3] as Buffer);
  for (const slice of [...first.slice(0, 9), ...second]) slabs.giveBack(slice);
  assert.notEqual(bufferOf(fill()), bufferOf(first), 'one slice of it is still out');
  slabs.giveBack(first[9] as Buffer);
  assert.equal(bufferOf(fill()), bufferOf(first));
  for (const slice of third) slabs.giveBack(slice);
  assert.equal(bufferOf(fill()), bufferOf(third));
  for (let round = 0; round < 3; round += 1) assert.notEqual(bufferOf(fill()), bufferOf(second));
});

test('a slab is not filled again while it is the one being filled, and no slice is given back twice', () => {
  const slabs = new Slabs(1_000);
  const slice = slabs.take(100);
  slabs.giveBack(slice);
  const next = slabs.take(100);
  assert.equal(next.buffer, slice.buffer);
  assert.notEqual(next.byteOffset, slice.byteOffset);
  slabs.giveBack(next);
  assert.throws(() => slabs.giveBack(next), InvariantError);
  slabs.giveBack(slabs.take(500)); // has a buffer of its own
});

test('neighbours in one buffer are joined into one piece, and the bytes stay in order', () => {
  const bytes = Buffer.from('abcdefgh');
  const [ab, cd, gh] = [bytes.subarray(0, 2), bytes.subarray(2, 4), bytes.subarray(6)];
  const other = Buffer.alloc(2, 'x');
  const joined = joinNeighbours([ab, cd, gh, other, ab]);
  assert.deepEqual(joined.map(String), ['abcd', 'gh', 'xx', 'ab']);
  assert.equal(joined[0]?.buffer, bytes.buffer);
  assert.deepEqual(joinNeighbours([]), []);
});

test('pinned bytes count each underlying buffer once and whole, until its last slice goes', () => {
  const slabs = new Slabs(1_000);
  const pinned = new PinnedBytes();
  const slices = Array.from({ length: 20 }, () => slabs.copy(Buffer.alloc(100)));
  const own = Buffer.allocUnsafeSlow(5_000).subarray(0, 1);
  for (const slice of slices) pinned.add(slice);
  pinned.add(own);
  assert.equal(pinned.bytes, 2_000 + 5_000);
  for (const slice of slices.slice(0, 9)) pinned.remove(slice);
  assert.equal(pinned.bytes, 7_000);
  for (const slice of slices.slice(9, 10)) pinned.remove(slice);
  assert.equal(pinned.bytes, 6_000);
  pinned.remove(own);
  for (const slice of slices.slice(10)) pinned.remove(slice);
  assert.equal(pinned.bytes, 0);
  assert.throws(() => pinned.remove(own), InvariantError);
});

const settled = async (promise: Promise<unknown>): Promise<string> => {
  const state = await Promise.race([promise.then(() => 'taken'), new Promise((resolve) => void setImmediate(resolve, 'waits'))]);
  return String(state);
};

test('a budget is served in the order of asking, also when a later share would fit', async () => {
  const budget = new ByteBudget(100);
  assert.equal(budget.tryTake(60), true);
  assert.equal(budget.tryTake(60), false);
  const large = budget.take(80);
  const small = budget.take(10);
  assert.equal(await settled(large), 'waits');
  assert.equal(await settled(small), 'waits');
  assert.equal(budget.tryTake(10), false, 'nobody overtakes');
  assert.equal(budget.waiting, 2);
  budget.give(60);
  await Promise.all([large, small]);
  assert.equal(budget.used, 90);
  assert.equal(budget.tryTake(11), false);
  assert.equal(budget.tryTake(10), true);
  budget.give(100);
  assert.equal(budget.used, 0);
  assert.throws(() => budget.give(1), InvariantError);
});

test('a share above the whole budget is granted alone', async () => {
  const budget = new ByteBudget(100);
  await budget.take(1);
  const huge = budget.take(1_000);
  const next = budget.take(1);
  assert.equal(await settled(huge), 'waits');
  budget.give(1);
  await huge;
  assert.equal(await settled(next), 'waits');
  budget.give(1_000);
  await next;
  assert.equal(budget.used, 1);
});

test('who gives up waiting takes nothing and lets the next one through', async () => {
  const budget = new ByteBudget(100);
  await budget.take(50);
  const controller = new AbortController();
  const why = new Error('the client is gone');
  const large = budget.take(80, controller.signal);
  const small = budget.take(50);
  controller.abort(why);
  await assert.rejects(large, why);
  await small;
  assert.equal(budget.used, 100);
  assert.equal(budget.waiting, 0);
  await assert.rejects(budget.take(1, AbortSignal.abort(why)), why);
});
