import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coordinatorPartition, javaHashCode } from './coordinator-partition.ts';

test('hash codes are those of Java', () => {
  assert.equal(javaHashCode(''), 0);
  assert.equal(javaHashCode('hello'), 99_162_322);
  assert.equal(javaHashCode('polygenelubricants'), -(2 ** 31));
});

test('the partition of a key is never negative', () => {
  assert.equal(coordinatorPartition('polygenelubricants', 50), 0);
  assert.equal(coordinatorPartition('hello', 50), 22);
  assert.equal(javaHashCode('shared'), -903_566_235);
  assert.equal(coordinatorPartition('shared', 50), 35, 'where Kafka keeps it');
});
