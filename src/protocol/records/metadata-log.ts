// The records of the metadata log, __cluster_metadata: everything the cluster knows, as changes. Tables only; the image in
// broker/image/ is what they add up to, and storage/metadata/ puts the frame (version, type, record version) around them.
import {
  arrayOf,
  boolean,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  message,
  nullableArrayOf,
  nullableString,
  string,
  uint16,
  uuid,
  type Decoded,
  type Message,
} from '../schema.ts';

export const registerBrokerRecord = message(
  'RegisterBrokerRecord',
  { apiKey: 0, type: 'data', versions: '0-3', flexible: '0+' },
  {
    brokerId: int32('0+'),
    isMigratingZkBroker: boolean('2+', { default: false }), // KIP-866
    incarnationId: uuid('0+'),
    brokerEpoch: int64('0+'),
    endPoints: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
    rack: nullableString('0+'),
    fenced: boolean('0+', { default: true }),
    inControlledShutdown: boolean('1+', { default: false }), // KIP-841
    logDirs: arrayOf('3+', uuid, { tag: 0 }), // KIP-858
  },
);
export type RegisterBrokerRecord = Decoded<typeof registerBrokerRecord>;

export const unregisterBrokerRecord = message(
  'UnregisterBrokerRecord',
  { apiKey: 1, type: 'data', versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
  },
);
export type UnregisterBrokerRecord = Decoded<typeof unregisterBrokerRecord>;

export const topicRecord = message(
  'TopicRecord',
  { apiKey: 2, type: 'data', versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    topicId: uuid('0+'),
  },
);
export type TopicRecord = Decoded<typeof topicRecord>;

export const partitionRecord = message(
  'PartitionRecord',
  { apiKey: 3, type: 'data', versions: '0-2', flexible: '0+' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    replicas: arrayOf('0+', int32),
    isr: arrayOf('0+', int32),
    removingReplicas: arrayOf('0+', int32),
    addingReplicas: arrayOf('0+', int32),
    leader: int32('0+', { default: -1 }),
    leaderRecoveryState: int8('0+', { tag: 0, default: 0 }),
    leaderEpoch: int32('0+', { default: -1 }),
    partitionEpoch: int32('0+', { default: -1 }),
    directories: arrayOf('1+', uuid), // KIP-858
    eligibleLeaderReplicas: nullableArrayOf('2+', int32, { tag: 1, default: null }), // KIP-966
    lastKnownElr: nullableArrayOf('2+', int32, { tag: 2, default: null }), // KIP-966
  },
);
export type PartitionRecord = Decoded<typeof partitionRecord>;

export const configRecord = message(
  'ConfigRecord',
  { apiKey: 4, type: 'data', versions: '0', flexible: '0+' },
  {
    resourceType: int8('0+'),
    resourceName: string('0+'),
    name: string('0+'),
    value: nullableString('0+'),
  },
);
export type ConfigRecord = Decoded<typeof configRecord>;

export const partitionChangeRecord = message(
  'PartitionChangeRecord',
  { apiKey: 5, type: 'data', versions: '0-2', flexible: '0+' },
  {
    partitionId: int32('0+', { default: -1 }),
    topicId: uuid('0+'),
    isr: nullableArrayOf('0+', int32, { tag: 0, default: null }),
    leader: int32('0+', { tag: 1, default: -2 }), // -1 none, -2 as before; naming a leader adds 1 to the leader epoch
    replicas: nullableArrayOf('0+', int32, { tag: 2, default: null }),
    removingReplicas: nullableArrayOf('0+', int32, { tag: 3, default: null }),
    addingReplicas: nullableArrayOf('0+', int32, { tag: 4, default: null }),
    leaderRecoveryState: int8('0+', { tag: 5, default: -1 }),
    directories: nullableArrayOf('1+', uuid, { tag: 8, default: null }), // KIP-858
    eligibleLeaderReplicas: nullableArrayOf('2+', int32, { tag: 6, default: null }), // KIP-966
    lastKnownElr: nullableArrayOf('2+', int32, { tag: 7, default: null }), // KIP-966
  },
);
export type PartitionChangeRecord = Decoded<typeof partitionChangeRecord>;

export const fenceBrokerRecord = message(
  'FenceBrokerRecord',
  { apiKey: 7, type: 'data', versions: '0', flexible: '0+' },
  {
    id: int32('0+'),
    epoch: int64('0+'),
  },
);
export type FenceBrokerRecord = Decoded<typeof fenceBrokerRecord>;

export const unfenceBrokerRecord = message(
  'UnfenceBrokerRecord',
  { apiKey: 8, type: 'data', versions: '0', flexible: '0+' },
  {
    id: int32('0+'),
    epoch: int64('0+'),
  },
);
export type UnfenceBrokerRecord = Decoded<typeof unfenceBrokerRecord>;

export const removeTopicRecord = message(
  'RemoveTopicRecord',
  { apiKey: 9, type: 'data', versions: '0', flexible: '0+' },
  {
    topicId: uuid('0+'),
  },
);
export type RemoveTopicRecord = Decoded<typeof removeTopicRecord>;

export const delegationTokenRecord = message(
  'DelegationTokenRecord',
  { apiKey: 10, type: 'data', versions: '0', flexible: '0+' },
  {
    owner: string('0+'),
    requester: string('0+'),
    renewers: arrayOf('0+', string),
    issueTimestamp: int64('0+'),
    maxTimestamp: int64('0+'),
    expirationTimestamp: int64('0+'),
    tokenId: string('0+'),
  },
);
export type DelegationTokenRecord = Decoded<typeof delegationTokenRecord>;

export const userScramCredentialRecord = message(
  'UserScramCredentialRecord',
  { apiKey: 11, type: 'data', versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    mechanism: int8('0+'),
    salt: bytes('0+'),
    storedKey: bytes('0+'),
    serverKey: bytes('0+'),
    iterations: int32('0+'),
  },
);
export type UserScramCredentialRecord = Decoded<typeof userScramCredentialRecord>;

export const featureLevelRecord = message(
  'FeatureLevelRecord',
  { apiKey: 12, type: 'data', versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    featureLevel: int16('0+'),
  },
);
export type FeatureLevelRecord = Decoded<typeof featureLevelRecord>;

export const clientQuotaRecord = message(
  'ClientQuotaRecord',
  { apiKey: 14, type: 'data', versions: '0', flexible: '0+' },
  {
    entity: arrayOf('0+', {
      entityType: string('0+'),
      entityName: nullableString('0+'),
    }),
    key: string('0+'),
    value: float64('0+'),
    remove: boolean('0+'),
  },
);
export type ClientQuotaRecord = Decoded<typeof clientQuotaRecord>;

export const producerIdsRecord = message(
  'ProducerIdsRecord',
  { apiKey: 15, type: 'data', versions: '0', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+', { default: -1 }),
    nextProducerId: int64('0+'),
  },
);
export type ProducerIdsRecord = Decoded<typeof producerIdsRecord>;

export const brokerRegistrationChangeRecord = message(
  'BrokerRegistrationChangeRecord',
  { apiKey: 17, type: 'data', versions: '0-2', flexible: '0+' },
  {
    brokerId: int32('0+'),
    brokerEpoch: int64('0+'),
    fenced: int8('0+', { tag: 0 }),
    inControlledShutdown: int8('1+', { tag: 1 }), // KIP-841
    logDirs: arrayOf('2+', uuid, { tag: 2 }), // KIP-858
  },
);
export type BrokerRegistrationChangeRecord = Decoded<typeof brokerRegistrationChangeRecord>;

export const accessControlEntryRecord = message(
  'AccessControlEntryRecord',
  { apiKey: 18, type: 'data', versions: '0', flexible: '0+' },
  {
    id: uuid('0+'),
    resourceType: int8('0+'),
    resourceName: string('0+'),
    patternType: int8('0+'),
    principal: string('0+'),
    host: string('0+'),
    operation: int8('0+'),
    permissionType: int8('0+'),
  },
);
export type AccessControlEntryRecord = Decoded<typeof accessControlEntryRecord>;

export const removeAccessControlEntryRecord = message(
  'RemoveAccessControlEntryRecord',
  { apiKey: 19, type: 'data', versions: '0', flexible: '0+' },
  {
    id: uuid('0+'),
  },
);
export type RemoveAccessControlEntryRecord = Decoded<typeof removeAccessControlEntryRecord>;

export const noOpRecord = message('NoOpRecord', { apiKey: 20, type: 'data', versions: '0', flexible: '0+' }, {});

export const zkMigrationStateRecord = message(
  'ZkMigrationStateRecord',
  { apiKey: 21, type: 'data', versions: '0', flexible: '0+' },
  {
    zkMigrationState: int8('0+'),
  },
);
export type ZkMigrationStateRecord = Decoded<typeof zkMigrationStateRecord>;

export const removeUserScramCredentialRecord = message(
  'RemoveUserScramCredentialRecord',
  { apiKey: 22, type: 'data', versions: '0', flexible: '0+' },
  {
    name: string('0+'),
    mechanism: int8('0+'),
  },
);
export type RemoveUserScramCredentialRecord = Decoded<typeof removeUserScramCredentialRecord>;

export const beginTransactionRecord = message(
  'BeginTransactionRecord',
  { apiKey: 23, type: 'data', versions: '0', flexible: '0+' },
  {
    name: nullableString('0+', { tag: 0, default: null }),
  },
);
export type BeginTransactionRecord = Decoded<typeof beginTransactionRecord>;

export const endTransactionRecord = message('EndTransactionRecord', { apiKey: 24, type: 'data', versions: '0', flexible: '0+' }, {});

export const abortTransactionRecord = message(
  'AbortTransactionRecord',
  { apiKey: 25, type: 'data', versions: '0', flexible: '0+' },
  {
    reason: nullableString('0+', { tag: 0, default: null }),
  },
);
export type AbortTransactionRecord = Decoded<typeof abortTransactionRecord>;

export const removeDelegationTokenRecord = message(
  'RemoveDelegationTokenRecord',
  { apiKey: 26, type: 'data', versions: '0', flexible: '0+' },
  {
    tokenId: string('0+'),
  },
);
export type RemoveDelegationTokenRecord = Decoded<typeof removeDelegationTokenRecord>;

export const registerControllerRecord = message(
  'RegisterControllerRecord',
  { apiKey: 27, type: 'data', versions: '0', flexible: '0+' },
  {
    controllerId: int32('0+'),
    incarnationId: uuid('0+'),
    zkMigrationReady: boolean('0+'),
    endPoints: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
      securityProtocol: int16('0+'),
    }),
    features: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      minSupportedVersion: int16('0+'),
      maxSupportedVersion: int16('0+'),
    }),
  },
);
export type RegisterControllerRecord = Decoded<typeof registerControllerRecord>;

export const clearElrRecord = message(
  'ClearElrRecord',
  { apiKey: 28, type: 'data', versions: '0', flexible: '0+' },
  {
    topicName: string('0+'),
  },
);
export type ClearElrRecord = Decoded<typeof clearElrRecord>;

/** The records of the metadata log by their type, which stands before each of them on the wire. */
export const metadataRecords: ReadonlyMap<number, Message> = new Map<number, Message>(
  [
    registerBrokerRecord,
    unregisterBrokerRecord,
    topicRecord,
    partitionRecord,
    configRecord,
    partitionChangeRecord,
    fenceBrokerRecord,
    unfenceBrokerRecord,
    removeTopicRecord,
    delegationTokenRecord,
    userScramCredentialRecord,
    featureLevelRecord,
    clientQuotaRecord,
    producerIdsRecord,
    brokerRegistrationChangeRecord,
    accessControlEntryRecord,
    removeAccessControlEntryRecord,
    noOpRecord,
    zkMigrationStateRecord,
    removeUserScramCredentialRecord,
    beginTransactionRecord,
    endTransactionRecord,
    abortTransactionRecord,
    removeDelegationTokenRecord,
    registerControllerRecord,
    clearElrRecord,
  ].map((record) => [record.apiKey ?? -1, record]),
);
