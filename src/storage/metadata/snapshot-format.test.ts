import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DamagedFileError } from '../damaged-file.ts';
import { decodeSnapshot, encodeSnapshot, type VotersRecord } from './snapshot-format.ts';
import { parseSnapshotFileName, snapshotFileName } from './snapshot-files.ts';
import { compute, featureLevel, topicRecords } from './metadata-world.testing.ts';
import type { NewMetadataRecord } from './metadata-records.ts';

const voters: VotersRecord = {
  version: 0,
  voters: [
    {
      voterId: 1,
      voterDirectoryId: 'T63K19hHRhSL9p6Qms6lHg',
      endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 39193 }],
      kraftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
    },
  ],
};

const encode = (records: readonly NewMetadataRecord[], voted?: VotersRecord): Buffer[] => [
  ...encodeSnapshot(compute, { records, metadataVersion: 29, lastContainedLogTimestamp: 77, voters: voted, epoch: 3, nowMs: 99 }),
];
const decode = (bytes: Buffer): ReturnType<typeof decodeSnapshot> => decodeSnapshot(compute, bytes, '/x/s.checkpoint', 'do this');

test('a snapshot holds what was put in, in batches, between a header and its end', () => {
  const records = [featureLevel('metadata.version', 29), ...topicRecords(1, 9_000)];
  const chunks = encode(records, voters);
  assert.ok(chunks.length > 4, `${chunks.length} batches`);
  assert.ok(chunks.every((chunk) => chunk.length < 400_000));
  const read = decode(Buffer.concat(chunks));
  assert.equal(read.records.length, records.length);
  assert.deepEqual(encode(read.records, read.voters), chunks);
  assert.equal(read.lastContainedLogTimestamp, 77);
  assert.deepEqual(read.voters, voters);
});

test('one of nothing is whole too', () => {
  assert.deepEqual(decode(Buffer.concat(encode([]))), { records: [], lastContainedLogTimestamp: 77, voters: undefined });
});

test('the voters are those of Kafka, byte for byte', () => {
  // The value of the voters record that kafka-storage 4.2.1 format --standalone wrote.
  const kafkas = [
    '000002000000014fadcad7d84746148bf69e909acea51e02',
    '0b434f4e54524f4c4c45520a6c6f63616c686f73749919',
    '0000000001000000',
  ].join('');
  const [header = Buffer.alloc(0)] = encode([], voters);
  assert.ok(header.toString('hex').includes(kafkas));
});

test('no damaged snapshot is taken for a whole one: cut at any byte, any byte changed, anything behind', () => {
  const bytes = Buffer.concat(encode([featureLevel('metadata.version', 29), ...topicRecords(1, 3)]));
  const refused = (damaged: Buffer): string => {
    let message = '';
    assert.throws(
      () => decode(damaged),
      (error: Error) => {
        assert.ok(error instanceof DamagedFileError, String(error));
        message = error.message;
        return /^\/x\/s.checkpoint: .*; do this$/.test(message);
      },
    );
    return message;
  };
  for (let cut = 0; cut < bytes.length; cut += 1) refused(bytes.subarray(0, cut));
  const unprotected: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    try {
      refused(changed);
    } catch {
      unprotected.push(at);
    }
  }
  // The leader epoch of each of the three batches lies outside of its checksum, and says nothing that the name of the file does not say.
  assert.equal(unprotected.length, 3 * 4);
  refused(Buffer.concat([bytes, bytes]));
  refused(Buffer.concat([bytes, Buffer.from([0])]));
  assert.match(refused(bytes.subarray(0, 83)), /it ends at byte 83 without its end/);
  const flipped = Buffer.from(bytes);
  flipped[120] = 0xff;
  assert.match(refused(flipped), /at byte 83 \(offset 1\): the record batch has CRC/);
});

test('the name of a snapshot says what it stands for, and other names are none', () => {
  const id = { endOffset: 1_234, epoch: 56 };
  assert.equal(snapshotFileName(id), '00000000000000001234-0000000056.checkpoint');
  assert.deepEqual(parseSnapshotFileName(snapshotFileName(id)), id);
  for (const name of ['bootstrap.checkpoint', `${snapshotFileName(id)}.part`, `${snapshotFileName(id)}.deleted`, '1-2.checkpoint'])
    assert.equal(parseSnapshotFileName(name), undefined);
});
