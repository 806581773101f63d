// Record batches that lie, under checksums that are right: what is taken can be read back by everybody, on every kind of
// topic, also after a kill. Fixed seed; fresh ones by npm run test:hostile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgeAndReadBack } from './hostile/campaigns.ts';

test('of batches that lie none is stored that cannot be read, before a kill and after it', async () => {
  const { sent, taken } = await forgeAndReadBack(31, 80);
  // Both happen often, or the attack is no good.
  assert.ok(taken > sent / 10 && taken < (sent * 9) / 10, `${taken} of ${sent} taken`);
});
