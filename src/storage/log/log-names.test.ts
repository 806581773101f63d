import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { KafkaError } from '../../protocol/errors.ts';
import {
  checkTopicName,
  fileMarks,
  markedDirectoryName,
  offsetFileName,
  offsetFileSuffixes,
  parseOffsetFileName,
  parsePartitionDirectoryName,
  partitionDirectoryName,
  topicCollisionKey,
  topicNameProblem,
} from './log-names.ts';

const uniqueId = '0123456789abcdef0123456789abcdef';
const legalTopic = fc
  .string({ unit: fc.constantFrom('a', 'b', 'Z', '0', '1', '9', '.', '_', '-'), minLength: 1, maxLength: 249 })
  .filter((name) => name !== '.' && name !== '..');

test('a topic is named by 1 to 249 of ASCII letters, digits, dot, underscore and hyphen', () => {
  for (const name of ['a', '...', '-', '_', 'Orders.eu_1-x', 'a'.repeat(249)]) assert.equal(topicNameProblem(name), undefined, name);
  for (const name of ['', '.', '..', 'a'.repeat(250), 'a/b', 'a b', 'ä', 'a\n', 'a\0', '../a', 'a:b', 'a\\b']) {
    assert.notEqual(topicNameProblem(name), undefined, JSON.stringify(name));
    assert.throws(
      () => checkTopicName(name),
      (thrown) => thrown instanceof KafkaError && thrown.errorName === 'INVALID_TOPIC_EXCEPTION',
    );
  }
});

test("the refusal of a topic name is in Kafka's words", () => {
  assert.throws(() => checkTopicName(''), { message: 'Topic name is invalid: the empty string is not allowed' });
  assert.throws(() => checkTopicName('a b'), {
    message: "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
  });
});

test('topics that differ only in dots and underscores collide', () => {
  assert.equal(topicCollisionKey('a.b_c'), topicCollisionKey('a_b.c'));
  assert.notEqual(topicCollisionKey('a.b'), topicCollisionKey('a-b'));
});

test('no illegal topic or partition becomes a path', () => {
  for (const topic of ['..', '../x', 'a/b', '']) assert.throws(() => partitionDirectoryName(topic, 0), KafkaError);
  for (const partition of [-1, 1.5, 2 ** 31, Number.NaN]) assert.throws(() => partitionDirectoryName('a', partition), KafkaError);
});

test('a partition directory reads back as its topic and partition, whatever hyphens and dots the topic has', () => {
  fc.assert(
    fc.property(legalTopic, fc.integer({ min: 0, max: 2 ** 31 - 1 }), (topic, partition) => {
      const name = partitionDirectoryName(topic, partition);
      assert.doesNotMatch(name, /[/\\]|^\.{1,2}$/);
      assert.deepEqual(parsePartitionDirectoryName(name), { topic, partition, mark: undefined });
    }),
    { seed: 3 },
  );
});

test('marked directories read back, the topic cut where the name would pass 255 bytes', () => {
  fc.assert(
    fc.property(
      legalTopic,
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.constantFrom('delete' as const, 'stray' as const, 'future' as const),
      (topic, partition, mark) => {
        const name = markedDirectoryName(topic, partition, uniqueId, mark);
        assert.ok(name.length <= 255);
        const read = parsePartitionDirectoryName(name);
        assert.ok(read);
        assert.ok(topic === read.topic || (name.length === 255 && topic.startsWith(read.topic)));
        assert.deepEqual([read.partition, read.mark], [partition, mark]);
      },
    ),
    { seed: 4 },
  );
  assert.equal(markedDirectoryName('a.b', 3, uniqueId, 'delete'), `a.b-3.${uniqueId}-delete`);
  assert.throws(() => markedDirectoryName('a', 0, '../..', 'delete'), TypeError);
});

test('a name that no partition directory can have is none', () => {
  for (const name of [
    'a',
    'a-',
    '-1',
    'a--x',
    'a-01',
    'a-+1',
    'a-2147483648',
    'a-1.x-deleted',
    'a b-1',
    '..-1',
    'a-1-delete',
    'a-1 ',
    '',
    '.lock',
  ])
    assert.equal(parsePartitionDirectoryName(name), undefined, name);
  assert.deepEqual(parsePartitionDirectoryName('a--1'), { topic: 'a-', partition: 1, mark: undefined });
  assert.deepEqual(parsePartitionDirectoryName('...-1'), { topic: '...', partition: 1, mark: undefined });
  assert.deepEqual(parsePartitionDirectoryName('x.y-delete-0'), { topic: 'x.y-delete', partition: 0, mark: undefined });
});

test('files are named after their offset in 20 digits, so that names sort as offsets do', () => {
  assert.equal(offsetFileName(0, '.log'), '00000000000000000000.log');
  assert.equal(offsetFileName(2 ** 53 - 1, '.timeindex', '.swap'), '00009007199254740991.timeindex.swap');
  for (const offset of [-1, 0.5, 2 ** 53]) assert.throws(() => offsetFileName(offset, '.log'), RangeError);
});

test('every name of an offset file reads back', () => {
  for (const suffix of offsetFileSuffixes)
    for (const mark of ['', ...fileMarks] as const)
      assert.deepEqual(parseOffsetFileName(offsetFileName(4711, suffix, mark)), {
        offset: 4711,
        suffix,
        mark: mark === '' ? undefined : mark,
      });
});

test('a name that no offset file can have is none', () => {
  for (const name of [
    '0.log',
    '00000000000000000000',
    '00000000000000000000.logs',
    '00000000000000000000.log.bak',
    '00000000000000000000.log.deleted.deleted',
    '00000000000000000000.deleted',
    '99999999999999999999.log',
    '-0000000000000000001.log',
    '00000000000000000000-0000000000.checkpoint',
    'leader-epoch-checkpoint',
    'partition.metadata',
  ])
    assert.equal(parseOffsetFileName(name), undefined, name);
});
