import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatencyHistogram } from './histogram.ts';

test('a percentile is off by less than two percent, and the largest value is exact', () => {
  const histogram = new LatencyHistogram();
  for (let nth = 1; nth <= 10_000; nth += 1) histogram.add(nth / 100);
  for (const [share, exactMs] of [
    [0.5, 50],
    [0.99, 99],
    [0.999, 99.9],
  ] as const) {
    const ratio = histogram.percentileMs(share) / exactMs;
    assert.ok(ratio >= 1 && ratio < 1.02, `${share}: ${histogram.percentileMs(share)} ms`);
  }
  assert.equal(histogram.maxMs, 100);
  assert.equal(histogram.percentileMs(1), 100);
});

test('without any value a percentile is 0', () => {
  assert.equal(new LatencyHistogram().percentileMs(0.5), 0);
});
