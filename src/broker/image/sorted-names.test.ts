import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../base/memory/random.ts';
import { SortedNames } from './sorted-names.ts';

test('names are in order after any sequence of additions and removals', () => {
  const random = new SeededRandom(7);
  const names = new SortedNames();
  const model = new Set<string>();
  for (let step = 0; step < 5_000; step += 1) {
    const name = `t${random.integer(400)}`;
    if (model.delete(name)) names.delete(name);
    else {
      model.add(name);
      names.add(name);
    }
    if (random.integer(20) > 0) continue;
    const expected = [...model].sort();
    assert.deepEqual(names.all(), expected);
    const from = `t${random.integer(400)}`;
    assert.equal(names.indexFrom(from), expected.filter((other) => other < from).length);
  }
});

test('order is that of UTF-16 units, in which capitals stand before small letters and the underscore between them', () => {
  const names = new SortedNames();
  for (const name of ['a', '_', 'Z', 'z', '-', 'A', '10', '9']) names.add(name);
  assert.deepEqual(names.all(), ['-', '10', '9', 'A', 'Z', '_', 'a', 'z']);
  assert.equal(names.indexFrom(''), 0);
  assert.equal(names.indexFrom('~'), 8);
});
