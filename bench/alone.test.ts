import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figureOf } from './alone.ts';

test('a figure that a bench did not tell is missed by name, so that no table has a hole in silence', () => {
  const figures = new Map([['rss KiB each', [5.1]]]);
  assert.deepEqual(figureOf(figures, 'rss KiB each'), [5.1]);
  assert.throws(() => figureOf(figures, 'heap KiB each'), /did not tell heap KiB each, only rss KiB each/);
});
