import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBytes } from './random-bytes.ts';

for (const count of [0, 16, 256, 257, 65_536]) {
  test(`${count} random bytes are as many as asked for, and not the same twice`, () => {
    const [one, other] = [randomBytes(count), randomBytes(count)];
    assert.equal(one.length, count);
    assert.equal(other.length, count);
    if (count > 0) assert.notDeepEqual([...one], [...other]);
  });
}
