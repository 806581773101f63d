import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growingPercentOf, QuietWatch } from './garbage-room.ts';

const MIB = 1024 * 1024;

test('the room for garbage stays the same however large the heap is, until V8 itself would give more', () => {
  const roomOf = (heapMib: number): number => (growingPercentOf(heapMib * MIB, Infinity) / 100) * heapMib;
  for (const heapMib of [8, 20, 40, 100]) assert.ok(Math.abs(roomOf(heapMib) - 80) < 1, `${heapMib} MiB`);
  assert.equal(growingPercentOf(1000 * MIB, Infinity), 30);
});

test('in a small container the room for garbage is an eighth of it', () => {
  assert.equal(growingPercentOf(16 * MIB, 256 * MIB), 200);
  assert.equal(growingPercentOf(16 * MIB, 1024 * MIB), 500);
});

test('garbage is given back once in each quiet time, and not in its first moments', () => {
  const quiet = new QuietWatch();
  const looks = (utilization: number, count: number): string =>
    Array.from({ length: count }, () => (quiet.shouldGiveBack(utilization) ? 'y' : 'n')).join('');
  assert.equal(looks(0.8, 3), 'nnn');
  assert.equal(looks(0.01, 10), 'nyyyynnnnn');
  assert.equal(looks(0.5, 1), 'n');
  assert.equal(looks(0.01, 3), 'nyy');
  assert.equal(looks(0.06, 1), 'n', 'work has come in between');
  assert.equal(looks(0, 2), 'ny');
});
