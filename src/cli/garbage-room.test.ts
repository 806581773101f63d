import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growingPercentOf } from './garbage-room.ts';

const MIB = 1024 * 1024;

test('the room for garbage stays the same however large the heap is, until V8 itself would give more', () => {
  const roomOf = (heapMib: number): number => (growingPercentOf(heapMib * MIB) / 100) * heapMib;
  for (const heapMib of [8, 20, 40, 100]) assert.ok(Math.abs(roomOf(heapMib) - 40) < 1, `${heapMib} MiB`);
  assert.equal(growingPercentOf(1000 * MIB), 30);
});
