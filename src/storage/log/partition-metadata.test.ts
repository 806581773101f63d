import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedFileError } from '../damaged-file.ts';
import { decodePartitionMetadata, encodePartitionMetadata } from './partition-metadata.ts';

const topicId = 'Gv-nyEr3TKaxeAAP291sXQ';

test('partition.metadata is a version and a topic id, without a newline at the end', () => {
  assert.equal(encodePartitionMetadata(topicId).toString(), `version: 0\ntopic_id: ${topicId}`);
  assert.deepEqual(decodePartitionMetadata(encodePartitionMetadata(topicId)), { topicId });
});

test('a later version, padding and further lines do not hinder reading', () => {
  assert.deepEqual(decodePartitionMetadata(Buffer.from(`version: 7\ntopic_id:  ${topicId}==\r\nmore: x\n`)), { topicId });
});

test('what is no metadata is damage, and says what to do', () => {
  for (const text of [
    '',
    'version: 0',
    'version: 0\n',
    `topic_id: ${topicId}`,
    `version: x\ntopic_id: ${topicId}`,
    'version: 0\ntopic_id: short',
    `version: 0\ntopic_id: ${'A'.repeat(22)}`,
    '\0'.repeat(43),
  ])
    assert.throws(
      () => decodePartitionMetadata(Buffer.from(text), 'orders-0/partition.metadata'),
      (thrown) => thrown instanceof DamagedFileError && /^orders-0\/partition.metadata: .*restore the file$/.test(thrown.message),
      JSON.stringify(text),
    );
});
