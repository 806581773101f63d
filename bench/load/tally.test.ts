import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Tally } from './tally.ts';

const answer = (nowMs: number) => ({ nowMs, latencyMs: 4, bytes: 100, records: 10 });

test('only what is answered between begin and end is measured; everything counts as work of the server', () => {
  const tally = new Tally();
  tally.add(answer(performance.now()));
  tally.begin();
  tally.add(answer(performance.now()));
  tally.add(answer(performance.now()));
  tally.end();
  tally.add(answer(performance.now() + 1000));
  const { requests, bytes, records, allRequests, allBytes, allRecords } = tally.result();
  assert.deepEqual({ requests, bytes, records }, { requests: 2, bytes: 200, records: 20 });
  assert.deepEqual({ allRequests, allBytes, allRecords }, { allRequests: 4, allBytes: 400, allRecords: 40 });
});
