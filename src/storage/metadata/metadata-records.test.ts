import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtocolError } from '../../protocol/errors.ts';
import { metadataRecords } from '../../protocol/records/metadata-log.ts';
import { decodeMetadataRecord, encodeMetadataRecord, NewerMetadataError, type NewMetadataRecord } from './metadata-records.ts';

const id = 'LTgjaufeaQUZzug7jJPQLw';
const partition: NewMetadataRecord = {
  type: 'PartitionRecord',
  value: {
    partitionId: 3,
    topicId: id,
    replicas: [1, 2],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch: 4,
    partitionEpoch: 5,
    directories: [id, id],
    eligibleLeaderReplicas: [2],
    lastKnownElr: null,
  },
};

/** Version and value as they come back. */
function written(record: NewMetadataRecord, metadataVersion: number): { version: number | undefined; value: Record<string, unknown> } {
  const bytes = encodeMetadataRecord(record, metadataVersion);
  return { version: bytes[2], value: decodeMetadataRecord(bytes).value };
}

test('every record that Kafka knows can be read', () => {
  for (const [typeId, table] of metadataRecords) {
    const bytes = Buffer.from([1, typeId, table.versions.max]);
    // Whatever it says of the missing fields, it is not that the record is unknown.
    try {
      assert.equal(decodeMetadataRecord(bytes).type, table.name);
    } catch (thrown) {
      assert.ok(thrown instanceof ProtocolError && !(thrown instanceof NewerMetadataError), `${table.name}: ${String(thrown)}`);
    }
  }
});

test('the version of a record follows metadata.version, and what it has no room for is left out', () => {
  assert.deepEqual(
    [29, 23, 22, 17, 16, 7].map((level) => written(partition, level).version),
    [2, 2, 1, 1, 0, 0],
  );
  assert.deepEqual(written(partition, 29).value['eligibleLeaderReplicas'], [2]);
  assert.equal(written(partition, 22).value['eligibleLeaderReplicas'], null);
  assert.deepEqual(written(partition, 17).value['directories'], [id, id]);
  assert.deepEqual(written(partition, 16).value['directories'], []);
  const change: NewMetadataRecord = {
    type: 'PartitionChangeRecord',
    value: { partitionId: 0, topicId: id, leader: 1, directories: [id], isr: [1] },
  };
  assert.deepEqual(
    [29, 22, 16].map((level) => written(change, level).value['directories']),
    [[id], [id], null],
  );
  const broker: NewMetadataRecord = {
    type: 'RegisterBrokerRecord',
    value: { brokerId: 1, incarnationId: id, brokerEpoch: 7, endPoints: [], features: [], rack: null, logDirs: [id] },
  };
  assert.deepEqual(
    [17, 16, 7].map((level) => [written(broker, level).version, written(broker, level).value['logDirs']]),
    [
      [3, [id]],
      [2, []],
      [1, []],
    ],
  );
});

test('a changed registration is written in the lowest version that says it, as Kafka does', () => {
  const change = (value: object): NewMetadataRecord => ({
    type: 'BrokerRegistrationChangeRecord',
    value: { brokerId: 1, brokerEpoch: 2, ...value },
  });
  assert.equal(written(change({ fenced: 1 }), 29).version, 0);
  assert.equal(written(change({ fenced: 1, inControlledShutdown: 1 }), 29).version, 1);
  assert.equal(written(change({ logDirs: [id] }), 29).version, 2);
});

test('a record of Kafka 4.2.1 has the bytes that ours has', () => {
  // From a bootstrap.checkpoint that kafka-storage 4.2.1 wrote.
  const kafkas = Buffer.from('010c00116d657461646174612e76657273696f6e001d00', 'hex');
  assert.deepEqual(encodeMetadataRecord({ type: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 29 } }, 29), kafkas);
});

test('what only a newer Kafka knows is told apart from what nobody can read', () => {
  assert.throws(() => decodeMetadataRecord(Buffer.from([1, 99, 0])), {
    message: 'the metadata record type 99 is not known',
    constructor: NewerMetadataError,
  });
  assert.throws(() => decodeMetadataRecord(Buffer.from([1, 3, 9])), {
    message: 'version 9 of PartitionRecord is not known',
    constructor: NewerMetadataError,
  });
  assert.throws(() => decodeMetadataRecord(Buffer.from([2, 3, 0])), {
    message: 'a metadata record has frame version 2, known is 1',
    constructor: ProtocolError,
  });
  assert.throws(() => decodeMetadataRecord(Buffer.alloc(0)), ProtocolError);
  const longer = Buffer.concat([encodeMetadataRecord(partition, 29), Buffer.from([0])]);
  assert.throws(() => decodeMetadataRecord(longer), /1 bytes follow the PartitionRecord/);
});
