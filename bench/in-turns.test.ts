import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurns } from './in-turns.ts';

test('each round gives everybody one turn, and what is measured besides comes at its end', async () => {
  const seen: string[] = [];
  await inTurns(
    3,
    ['ours', 'theirs'],
    async (name) => void seen.push(name),
    async () => void seen.push('the disk'),
  );
  const rounds = [seen.slice(0, 3), seen.slice(3, 6), seen.slice(6)];
  for (const round of rounds) {
    assert.deepEqual(round.toSorted(), ['ours', 'the disk', 'theirs']);
    assert.equal(round.at(-1), 'the disk');
  }
});

test('nobody is left to measure: the rounds are of what is measured besides', async () => {
  let besides = 0;
  await inTurns(
    2,
    [],
    () => assert.fail('nobody has a turn'),
    async () => void (besides += 1),
  );
  assert.equal(besides, 2);
});
