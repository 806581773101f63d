// Requests that are broken or mad, at every served API and version: each is answered or its connection closed, and nobody else
// notices. Fixed seeds; fresh ones by npm run test:hostile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askMadly, breakRequests } from './hostile/campaigns.ts';
import { startVictim } from './hostile/victim.ts';

test('a request of any API and version, cut at any byte or broken anywhere, is answered or closes its connection', async () => {
  await using victim = await startVictim();
  const { sent, answered } = await breakRequests(victim, 21, 60);
  // Both happen often, or the attack is no good.
  assert.ok(answered > 1000 && sent - answered > 5000, `${answered} of ${sent} answered`);
});

test('a well-formed request of any API and version is answered whatever it asks, and nothing is made outside of the data dir', async () => {
  await using victim = await startVictim();
  await askMadly(victim, 22, 20);
});
