import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Comparison } from './comparison.ts';
import { figuresOf, formatValue, goalsOf, markdownOf, textOf } from './report.ts';

function produce(): Comparison {
  const comparison = new Comparison({
    title: 'Produce, 1 MiB',
    unit: 'MB/s',
    goals: [
      { of: 'ours', to: 'ceiling', wanted: 0.7, says: '0.7 of the ceiling' },
      { of: 'ours', to: 'nobody', wanted: 1, says: 'never judged' },
    ],
  });
  for (const value of [279, 248, 377]) comparison.add('ours', value, `p99 ${value / 10} ms`);
  for (const value of [392, 310, 555]) comparison.add('ceiling', value);
  comparison.add('Kafka', Number.NaN, 'failed: no | java\nat all');
  return comparison;
}

function memory(): Comparison {
  const comparison = new Comparison({
    title: 'Resident memory, idle',
    unit: 'MB',
    goals: [{ of: 'ours', wanted: 80, atMost: true, says: '80 MB' }],
  });
  comparison.add('ours', 72.4);
  return comparison;
}

test('a figure has as many digits as are worth reading', () => {
  assert.deepEqual(
    [114_700.4, 999.6, 279.4, 16.53, 0.6949].map((value) => formatValue(value)),
    ['114,700', '1000', '279', '16.5', '0.69'],
  );
  assert.equal(formatValue(279.4, 'MB/s'), '279 MB/s');
});

test('a table has a row for each party, with the median of its rounds, the smallest and the largest', () => {
  assert.deepEqual(figuresOf(produce()).split('\n'), [
    '### Produce, 1 MiB',
    '',
    '|         |    median of 3 rounds | in the last of them       |',
    '| ------- | --------------------: | ------------------------- |',
    '| ours    | 279 MB/s (248 to 377) | p99 37.7 ms               |',
    '| ceiling | 392 MB/s (310 to 555) |                           |',
    String.raw`| Kafka   |                failed | failed: no \| java at all |`,
    '',
  ]);
});

test('what was measured once has no range, and a table without remarks has no column for them', () => {
  assert.deepEqual(figuresOf(memory()).split('\n').slice(2), ['|      | one round |', '| ---- | --------: |', '| ours |   72.4 MB |', '']);
});

test('the goals of all comparisons stand in one table, with what was wanted and how it stands', () => {
  assert.deepEqual(goalsOf([produce(), memory()]).split('\n'), [
    '### Goals and ratios',
    '',
    '| goal                               |        wanted | measured            |             |',
    '| ---------------------------------- | ------------: | ------------------- | ----------- |',
    '| Produce, 1 MiB: 0.7 of the ceiling |  at least 0.7 | 0.71 (0.68 to 0.80) | on the line |',
    '| Resident memory, idle: 80 MB       | at most 80 MB | 72.4 MB             | reached     |',
    '',
  ]);
});

test('without goals there is no table of goals', () => {
  assert.equal(goalsOf([new Comparison({ title: 'Nothing asked', unit: 's' })]), '');
});

test('as markdown the facts come first, then the figures, then the goals', () => {
  const lines = markdownOf(['2 cores', 'data on ext4'], [produce(), memory()]).split('\n');
  const at = (line: string): number => lines.indexOf(line);
  assert.deepEqual(lines.slice(0, 3), ['- 2 cores', '- data on ext4', '']);
  assert.ok(at('### Produce, 1 MiB') < at('### Resident memory, idle') && at('### Resident memory, idle') < at('### Goals and ratios'));
});

test('as text every goal says whom it compares, what was wanted, and whether it is reached', () => {
  const lines = textOf(produce()).split('\n');
  assert.equal(lines[1], '  ours     279 MB/s (248 to 377)');
  assert.equal(lines[3], '  Kafka    failed');
  assert.equal(lines[4], '  ~ ours to ceiling: 0.71 (0.68 to 0.80); goal: at least 0.7, 0.7 of the ceiling');
  assert.equal(lines[5], '');
});

test('a ratio without a goal is printed, and no word of how it stands', () => {
  const cleaning = new Comparison({ title: 'Cleaning', unit: 'MB/s', goals: [{ of: 'cleaner', to: 'copy', says: 'beside a copy' }] });
  cleaning.add('cleaner', 30);
  cleaning.add('copy', 300);
  assert.equal(goalsOf([cleaning]).split('\n').at(-2), '| Cleaning: beside a copy |        | 0.10     |     |');
  assert.equal(textOf(cleaning).split('\n').at(-2), '    cleaner to copy: 0.10; beside a copy');
});
