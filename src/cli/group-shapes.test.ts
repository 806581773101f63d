import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationText, lagText } from './group-shapes.ts';

test('a duration is told in two units at most', () => {
  const told = [undefined, 0, 350, 1000, 59_999, 60_000, 200_000, 3_600_000, 18_605_000, 183_600_000].map(durationText);
  assert.deepEqual(told, ['-', '0', '350ms', '1s', '59s', '1m', '3m20s', '1h', '5h10m', '2d3h']);
});

test('lag is records, and how long they have been waiting', () => {
  assert.equal(lagText({ lag: 0, lagTimeMs: 0 }), '0 records');
  assert.equal(lagText({ lag: 1, lagTimeMs: 61_000 }), '1 record, 1m1s');
  assert.equal(lagText({ lag: 2, lagTimeMs: undefined }), '2 records');
});
