import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unnamedDirectories } from '../directory-ids.ts';
import { FoldedMetadata, InconsistentMetadataError } from './folded-metadata.ts';
import { decodeMetadataRecord, encodeMetadataRecord, NewerMetadataError, type NewMetadataRecord } from './metadata-records.ts';
import { featureLevel, removal, topicId, topicRecords } from './metadata-world.testing.ts';

const id = 'LTgjaufeaQUZzug7jJPQLw';
const other = 'r4jgWqfLR0OFdYqWfuliqA';

/** The records go through their bytes, as they do from a log. */
function fold(records: readonly NewMetadataRecord[], folded = new FoldedMetadata()): FoldedMetadata {
  for (const record of records) folded.apply(decodeMetadataRecord(encodeMetadataRecord(record, 29)));
  return folded;
}

/** What is left of the records, as they come out of a snapshot. */
const left = (...records: NewMetadataRecord[]): unknown[] => fold(fold(records).records()).records().map(plain);
const plain = ({ type, value }: NewMetadataRecord): unknown =>
  decodeMetadataRecord(encodeMetadataRecord({ type, value } as NewMetadataRecord, 29));
const as = (...records: NewMetadataRecord[]): unknown[] => records.map(plain);

const broker = (value: object = {}): NewMetadataRecord => ({
  type: 'RegisterBrokerRecord',
  value: {
    brokerId: 1,
    incarnationId: id,
    brokerEpoch: 7,
    endPoints: [],
    features: [],
    rack: null,
    fenced: true,
    logDirs: [id],
    ...value,
  },
});
const config = (name: string, value: string | null, resourceName = 'topic-1'): NewMetadataRecord => ({
  type: 'ConfigRecord',
  value: { resourceType: 2, resourceName, name, value },
});

test('what no one here acts on is kept whole: users, rights, quotas, tokens, controllers, features', () => {
  const kept: NewMetadataRecord[] = [
    featureLevel('metadata.version', 29),
    featureLevel('group.version', 1),
    {
      type: 'RegisterControllerRecord',
      value: {
        controllerId: 1,
        incarnationId: id,
        zkMigrationReady: false,
        endPoints: [],
        features: [{ name: 'x', minSupportedVersion: 0, maxSupportedVersion: 1 }],
      },
    },
    {
      type: 'ClientQuotaRecord',
      value: { entity: [{ entityType: 'user', entityName: null }], key: 'producer_byte_rate', value: 1.5, remove: false },
    },
    { type: 'ProducerIdsRecord', value: { brokerId: 1, brokerEpoch: 7, nextProducerId: 2_000 } },
    {
      type: 'AccessControlEntryRecord',
      value: { id, resourceType: 2, resourceName: 'a', patternType: 3, principal: 'User:anna', host: '*', operation: 3, permissionType: 3 },
    },
    {
      type: 'UserScramCredentialRecord',
      value: {
        name: 'anna',
        mechanism: 1,
        salt: Buffer.from('salt'),
        storedKey: Buffer.from('stored'),
        serverKey: Buffer.from('server'),
        iterations: 4096,
      },
    },
    {
      type: 'DelegationTokenRecord',
      value: {
        owner: 'User:a',
        requester: 'User:b',
        renewers: ['User:c'],
        issueTimestamp: 1,
        maxTimestamp: 2,
        expirationTimestamp: 3,
        tokenId: 't',
      },
    },
  ];
  assert.deepEqual(left(...kept), as(...kept));
});

test('of what was set again the last counts, and what was removed is gone', () => {
  const quota = (value: number, remove = false): NewMetadataRecord => ({
    type: 'ClientQuotaRecord',
    value: {
      entity: [
        { entityType: 'user', entityName: 'anna' },
        { entityType: 'client-id', entityName: null },
      ],
      key: 'k',
      value,
      remove,
    },
  });
  const sameQuotaTurned: NewMetadataRecord = {
    type: 'ClientQuotaRecord',
    value: {
      entity: [
        { entityType: 'client-id', entityName: null },
        { entityType: 'user', entityName: 'anna' },
      ],
      key: 'k',
      value: 3,
      remove: false,
    },
  };
  assert.deepEqual(left(quota(1), quota(2)), as(quota(2)));
  assert.deepEqual(left(quota(1), sameQuotaTurned), as(sameQuotaTurned));
  assert.deepEqual(left(quota(1), quota(0, true)), []);
  assert.deepEqual(left(featureLevel('group.version', 1), featureLevel('group.version', 0)), []);
  assert.deepEqual(
    left(config('retention.ms', '1'), config('retention.ms', '2'), config('x', '3')),
    as(config('retention.ms', '2'), config('x', '3')),
  );
  assert.deepEqual(left(config('retention.ms', '1'), config('retention.ms', null)), []);
  const acl = (entry: string): NewMetadataRecord => ({
    type: 'AccessControlEntryRecord',
    value: {
      id: entry,
      resourceType: 2,
      resourceName: 'a',
      patternType: 3,
      principal: 'User:anna',
      host: '*',
      operation: 3,
      permissionType: 3,
    },
  });
  assert.deepEqual(left(acl(id), acl(other), { type: 'RemoveAccessControlEntryRecord', value: { id } }), as(acl(other)));
  const scram = (mechanism: number): NewMetadataRecord => ({
    type: 'UserScramCredentialRecord',
    value: { name: 'anna', mechanism, salt: Buffer.from('s'), storedKey: Buffer.from('t'), serverKey: Buffer.from('u'), iterations: 4096 },
  });
  assert.deepEqual(
    left(scram(1), scram(2), { type: 'RemoveUserScramCredentialRecord', value: { name: 'anna', mechanism: 1 } }),
    as(scram(2)),
  );
  const token = { owner: 'a', requester: 'b', renewers: [], issueTimestamp: 1, maxTimestamp: 2, expirationTimestamp: 3, tokenId: 't' };
  assert.deepEqual(
    left({ type: 'DelegationTokenRecord', value: token }, { type: 'RemoveDelegationTokenRecord', value: { tokenId: 't' } }),
    [],
  );
  assert.deepEqual(left(broker(), broker({ brokerEpoch: 9 })), as(broker({ brokerEpoch: 9 })));
  assert.deepEqual(left(broker(), { type: 'UnregisterBrokerRecord', value: { brokerId: 1, brokerEpoch: 7 } }), []);
});

test('a registration is changed in place: fenced, stopping, its log dirs', () => {
  const change = (value: object): NewMetadataRecord => ({
    type: 'BrokerRegistrationChangeRecord',
    value: { brokerId: 1, brokerEpoch: 7, ...value },
  });
  assert.deepEqual(left(broker(), change({ fenced: -1 })), as(broker({ fenced: false })));
  assert.deepEqual(
    left(broker(), change({ fenced: -1 }), change({ fenced: 1, inControlledShutdown: 1 }), change({ logDirs: [other] })),
    as(broker({ fenced: true, inControlledShutdown: true, logDirs: [other] })),
  );
  assert.deepEqual(left(broker(), { type: 'UnfenceBrokerRecord', value: { id: 1, epoch: 7 } }), as(broker({ fenced: false })));
  assert.deepEqual(left(broker({ fenced: false }), { type: 'FenceBrokerRecord', value: { id: 1, epoch: 7 } }), as(broker()));
});

test('a removed topic takes its partitions and settings along, and those of its name only', () => {
  assert.deepEqual(
    left(...topicRecords(1, 3), ...topicRecords(2), config('x', '1'), config('x', '1', 'topic-2'), removal(1)),
    as(...topicRecords(2), config('x', '1', 'topic-2')),
  );
});

const change = (value: object): NewMetadataRecord => ({
  type: 'PartitionChangeRecord',
  value: { topicId: topicId(1), partitionId: 0, ...value },
});

const partitionAfter = (...changes: NewMetadataRecord[]): unknown => fold([...topicRecords(1), ...changes]).findPartition(topicId(1), 0);

test('a change of a partition names what is new; naming a leader raises its epoch', () => {
  const before = fold(topicRecords(1)).findPartition(topicId(1), 0);
  assert.deepEqual(partitionAfter(change({ isr: [] })), { ...before, isr: [], partitionEpoch: 1 });
  assert.deepEqual(partitionAfter(change({ leader: -1 }), change({ leader: 1 })), {
    ...before,
    leader: 1,
    leaderEpoch: 2,
    partitionEpoch: 2,
  });
  assert.deepEqual(partitionAfter(change({ leaderRecoveryState: 1 }), change({ directories: [other] })), {
    ...before,
    leaderRecoveryState: 1,
    directories: [other],
    partitionEpoch: 2,
  });
  // As Kafka 4.2.1 stops with eligible leader replicas, and as we take over.
  const stopped = change({ isr: [], leader: -1, eligibleLeaderReplicas: [1], lastKnownElr: [1] });
  assert.deepEqual(partitionAfter(stopped), {
    ...before,
    isr: [],
    leader: -1,
    leaderEpoch: 1,
    partitionEpoch: 1,
    eligibleLeaderReplicas: [1],
    lastKnownElr: [1],
  });
  const taken = change({ isr: [1], leader: 1, eligibleLeaderReplicas: [], lastKnownElr: [] });
  assert.deepEqual(partitionAfter(stopped, taken), { ...before, leaderEpoch: 2, partitionEpoch: 2 });
  assert.deepEqual(partitionAfter(stopped, { type: 'ClearElrRecord', value: { topicName: '' } }), {
    ...before,
    isr: [],
    leader: -1,
    leaderEpoch: 1,
    partitionEpoch: 1,
  });
  assert.deepEqual(
    partitionAfter(stopped, { type: 'ClearElrRecord', value: { topicName: 'topic-1' } }),
    partitionAfter(stopped, { type: 'ClearElrRecord', value: { topicName: '' } }),
  );
});

test('replicas without named directories have one unnamed each, however many they become', () => {
  const grown = fold([...topicRecords(1), change({ directories: [] }), change({ replicas: [1, 2] })]).findPartition(topicId(1), 0);
  assert.deepEqual(grown?.directories, [unnamedDirectories.migrating, unnamedDirectories.migrating]);
});

test('metadata.version comes first in a snapshot, since it says how to read the rest', () => {
  assert.deepEqual(
    fold([featureLevel('a', 1), ...topicRecords(1), featureLevel('metadata.version', 29)])
      .records()
      .slice(0, 2),
    [featureLevel('metadata.version', 29), featureLevel('a', 1)],
  );
});

test('records that contradict those before them are refused, and so is a level that nobody here knows', () => {
  const refused = (records: NewMetadataRecord[], message: RegExp): void => {
    assert.throws(
      () => fold(records),
      (error: Error) => error instanceof InconsistentMetadataError && message.test(error.message),
    );
  };
  refused([...topicRecords(1), ...topicRecords(1)], /the topic topic-1 is made twice/);
  refused([removal(1)], /there is no topic with the id/);
  refused([change({ leader: 1 })], /there is no topic with the id/);
  refused([...topicRecords(1), change({ partitionId: 1 })], /the topic topic-1 has no partition 1 to change/);
  refused([...topicRecords(1).slice(0, 1), ...topicRecords(1, 2).slice(2)], /partition 0 of the topic topic-1 is missing/);
  refused([{ type: 'UnfenceBrokerRecord', value: { id: 1, epoch: 7 } }], /broker 1 is not registered/);
  refused([featureLevel('metadata.version', 6)], /6, and 7 is the lowest that can be opened: raise it with Kafka 3.9/);
  assert.throws(
    () => fold([featureLevel('metadata.version', 30)]),
    (error: Error) => /30, and 29 is the highest/.test(error.message) && error.cause instanceof NewerMetadataError,
  );
});
