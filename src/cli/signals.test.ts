import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StopRequests } from './signals.ts';

test('a signal that arrives twice at once is one, and one that comes later is another', () => {
  const requests = new StopRequests();
  assert.deepEqual(
    [1000, 1001, 1299, 1300, 5000].map((nowMs) => requests.heard(nowMs)),
    ['first', 'echo', 'echo', 'again', 'again'],
  );
});
