import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueBy } from './produce.ts';

test('the first request of a paced load is due at once, and each next one when its interval begins', () => {
  assert.deepEqual(
    [0, 19.9, 20.1, 39.9, 40.1].map((elapsedMs) => dueBy(elapsedMs, 50)),
    [1, 1, 2, 2, 3],
  );
});
