import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Comparison, spreadOf, standingOf, type Goal } from './comparison.ts';

const goal = (about: Partial<Goal> = {}): Goal => ({ of: 'ours', to: 'theirs', wanted: 1, says: 'as much', ...about });
const comparisonOf = (figures: Readonly<Record<string, readonly number[]>>, ...goals: Goal[]): Comparison => {
  const comparison = new Comparison({ title: 'Produce', unit: 'MB/s', goals });
  for (const [party, values] of Object.entries(figures)) for (const value of values) comparison.add(party, value);
  return comparison;
};

test('a ratio is taken within each round, so that a slow moment of the machine does not count', () => {
  const comparison = comparisonOf({ ours: [300, 30, 150], theirs: [200, 20, 100] });
  assert.deepEqual(comparison.ratios({ of: 'ours', to: 'theirs' }), [1.5, 1.5, 1.5]);
  assert.deepEqual(comparison.ratios({ of: 'theirs', to: 'ours' }), [200 / 300, 20 / 30, 100 / 150]);
});

test('a round in which one of the two failed gives no ratio, and does not shift the others', () => {
  const comparison = comparisonOf({ ours: [300, Number.NaN, 150, 80], theirs: [200, 20, Number.NaN, 40] });
  assert.deepEqual(comparison.ratios({ of: 'ours', to: 'theirs' }), [1.5, 2]);
});

test('rounds that only one took part in, and figures of zero, give no ratio', () => {
  const comparison = comparisonOf({ ours: [300, 100, 50], theirs: [100, 0] });
  assert.deepEqual(comparison.ratios({ of: 'ours', to: 'theirs' }), [3]);
  assert.deepEqual(comparison.ratios({ of: 'ours', to: 'nobody' }), []);
});

test('the median of an even number of rounds lies between the two in the middle', () => {
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { min: 1, median: 2.5, max: 4 });
  assert.deepEqual(spreadOf([100, 9, 20]), { min: 9, median: 20, max: 100 });
  assert.deepEqual(spreadOf([Number.NaN, 7, Infinity]), { min: 7, median: 7, max: 7 });
  assert.equal(spreadOf([Number.NaN]), undefined);
});

test('a goal is judged by the median of the ratios, not by the ratio of the medians', () => {
  // The medians are 20 and 20; within the rounds ours is behind twice.
  const comparison = comparisonOf({ ours: [10, 20, 90], theirs: [20, 40, 15] }, goal());
  const [verdict] = comparison.verdicts();
  assert.deepEqual(verdict?.spread, { min: 0.5, median: 0.5, max: 6 });
  assert.equal(verdict?.standing, 'not yet');
});

test('a goal without another party is judged by the figure itself', () => {
  const comparison = comparisonOf({ ours: [72, 70, 74] }, { of: 'ours', wanted: 80, atMost: true, says: '80 MB' });
  assert.deepEqual(
    comparison.verdicts().map(({ spread, standing }) => [spread.median, standing]),
    [[72, 'reached']],
  );
});

test('a goal whose parties did not both take part has no verdict', () => {
  assert.deepEqual(comparisonOf({ ours: [1] }, goal(), goal({ of: 'nobody' })).verdicts(), []);
});

test('a goal is on the line when the rounds lie on both sides of it and the median within a tenth', () => {
  const standing = (min: number, median: number, max: number, about: Partial<Goal> = {}): string =>
    standingOf(goal({ wanted: 0.7, ...about }), { min, median, max });
  assert.equal(standing(0.5, 0.7, 0.84), 'on the line');
  assert.equal(standing(0.62, 0.69, 0.76), 'on the line');
  assert.equal(standing(0.5, 0.78, 1), 'reached', 'the median is more than a tenth above');
  assert.equal(standing(0.4, 0.6, 0.8), 'not yet', 'the median is more than a tenth below');
  assert.equal(standing(0.65, 0.68, 0.69), 'not yet', 'no round has reached it');
  assert.equal(standing(0.71, 0.72, 0.75), 'reached', 'every round has reached it');
});

test('where less is better, a goal is reached from above', () => {
  const standing = (min: number, median: number, max: number): string =>
    standingOf(goal({ wanted: 100, atMost: true }), { min, median, max });
  assert.equal(standing(60, 80, 130), 'reached');
  assert.equal(standing(66, 108, 138), 'on the line');
  assert.equal(standing(101, 105, 109), 'not yet');
  assert.equal(standing(100, 100, 100), 'reached');
});

test('a ratio that nothing is wanted of is only to be known', () => {
  assert.equal(standingOf({ of: 'ours', to: 'a copy', says: 'beside a copy' }, { min: 0.1, median: 0.2, max: 0.3 }), 'no goal');
});
