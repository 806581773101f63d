// The records of __consumer_offsets: committed offsets, and the groups of the classic and the consumer protocol (KIP-848); share and
// Kafka Streams groups have files of their own. Tables only; broker/groups/ folds them into state.
import {
  arrayOf,
  bytes,
  int32,
  int64,
  int64Big,
  int8,
  message,
  nullableString,
  nullableStruct,
  string,
  uuid,
  type Decoded,
} from '../schema.ts';
import type { CoordinatorTables } from './coordinator-tables.ts';
import {
  shareGroupMemberMetadataKey,
  shareGroupMemberMetadataValue,
  shareGroupMetadataKey,
  shareGroupMetadataValue,
  shareGroupTargetAssignmentMetadataKey,
  shareGroupTargetAssignmentMetadataValue,
  shareGroupTargetAssignmentMemberKey,
  shareGroupTargetAssignmentMemberValue,
  shareGroupCurrentMemberAssignmentKey,
  shareGroupCurrentMemberAssignmentValue,
  shareGroupStatePartitionMetadataKey,
  shareGroupStatePartitionMetadataValue,
} from './share-group-log.ts';
import {
  streamsGroupMetadataKey,
  streamsGroupMetadataValue,
  streamsGroupMemberMetadataKey,
  streamsGroupMemberMetadataValue,
  streamsGroupTargetAssignmentMetadataKey,
  streamsGroupTargetAssignmentMetadataValue,
  streamsGroupTargetAssignmentMemberKey,
  streamsGroupTargetAssignmentMemberValue,
  streamsGroupCurrentMemberAssignmentKey,
  streamsGroupCurrentMemberAssignmentValue,
  streamsGroupTopologyKey,
  streamsGroupTopologyValue,
} from './streams-group-log.ts';

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: arrayOf('0+', int32),
};

export const legacyOffsetCommitKey = message(
  'LegacyOffsetCommitKey',
  { apiKey: 0, type: 'data', versions: '0', flexible: 'none' },
  {
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  },
);
export type LegacyOffsetCommitKey = Decoded<typeof legacyOffsetCommitKey>;

export const legacyOffsetCommitValue = message(
  'LegacyOffsetCommitValue',
  { apiKey: 0, type: 'data', versions: '0', flexible: 'none' },
  {
    offset: int64('0'),
    metadata: string('0'),
    commitTimestamp: int64('0'),
  },
);
export type LegacyOffsetCommitValue = Decoded<typeof legacyOffsetCommitValue>;

export const offsetCommitKey = message(
  'OffsetCommitKey',
  { apiKey: 1, type: 'data', versions: '0', flexible: 'none' },
  {
    group: string('0'),
    topic: string('0'),
    partition: int32('0'),
  },
);
export type OffsetCommitKey = Decoded<typeof offsetCommitKey>;

export const offsetCommitValue = message(
  'OffsetCommitValue',
  { apiKey: 1, type: 'data', versions: '0-4', flexible: '4+' },
  {
    offset: int64('0+'),
    leaderEpoch: int32('3+', { default: -1, ignorable: true }), // KIP-320
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
    topicId: uuid('4+', { tag: 0, ignorable: true }), // KIP-848
  },
);
export type OffsetCommitValue = Decoded<typeof offsetCommitValue>;

export const groupMetadataKey = message(
  'GroupMetadataKey',
  { apiKey: 2, type: 'data', versions: '0', flexible: 'none' },
  {
    group: string('0'),
  },
);
export type GroupMetadataKey = Decoded<typeof groupMetadataKey>;

export const groupMetadataValue = message(
  'GroupMetadataValue',
  { apiKey: 2, type: 'data', versions: '0-4', flexible: '4+' },
  {
    protocolType: string('0+'),
    generation: int32('0+'),
    protocol: nullableString('0+'),
    leader: nullableString('0+'),
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }), // KIP-211
    members: arrayOf('0+', {
      memberId: string('0+'),
      groupInstanceId: nullableString('3+', { default: null, ignorable: true }), // KIP-345
      clientId: string('0+'),
      clientHost: string('0+'),
      rebalanceTimeout: int32('1+', { default: -1, ignorable: true }), // KIP-62
      sessionTimeout: int32('0+'),
      subscription: bytes('0+'),
      assignment: bytes('0+'),
    }),
  },
);
export type GroupMetadataValue = Decoded<typeof groupMetadataValue>;

export const consumerGroupMetadataKey = message(
  'ConsumerGroupMetadataKey',
  { apiKey: 3, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ConsumerGroupMetadataKey = Decoded<typeof consumerGroupMetadataKey>;

export const consumerGroupMetadataValue = message(
  'ConsumerGroupMetadataValue',
  { apiKey: 3, type: 'data', versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    metadataHash: int64Big('0+', { tag: 0, default: 0n }), // KIP-1101: a hash, every bit counts
  },
);
export type ConsumerGroupMetadataValue = Decoded<typeof consumerGroupMetadataValue>;

export const consumerGroupPartitionMetadataKey = message(
  'ConsumerGroupPartitionMetadataKey',
  { apiKey: 4, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ConsumerGroupPartitionMetadataKey = Decoded<typeof consumerGroupPartitionMetadataKey>;

export const consumerGroupPartitionMetadataValue = message(
  'ConsumerGroupPartitionMetadataValue',
  { apiKey: 4, type: 'data', versions: '0', flexible: '0+' },
  {
    topics: arrayOf('0+', {
      topicId: uuid('0+'),
      topicName: string('0+'),
      numPartitions: int32('0+'),
      partitionMetadata: arrayOf('0+', {
        partition: int32('0+'),
        racks: arrayOf('0+', string),
      }),
    }),
  },
);
export type ConsumerGroupPartitionMetadataValue = Decoded<typeof consumerGroupPartitionMetadataValue>;

export const consumerGroupMemberMetadataKey = message(
  'ConsumerGroupMemberMetadataKey',
  { apiKey: 5, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ConsumerGroupMemberMetadataKey = Decoded<typeof consumerGroupMemberMetadataKey>;

export const consumerGroupMemberMetadataValue = message(
  'ConsumerGroupMemberMetadataValue',
  { apiKey: 5, type: 'data', versions: '0', flexible: '0+' },
  {
    instanceId: nullableString('0+'),
    rackId: nullableString('0+'),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: arrayOf('0+', string),
    subscribedTopicRegex: nullableString('0+'),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    serverAssignor: nullableString('0+'),
    // of a member that came over from the classic protocol
    classicMemberMetadata: nullableStruct(
      '0+',
      {
        sessionTimeoutMs: int32('0+'),
        supportedProtocols: arrayOf('0+', {
          name: string('0+'),
          metadata: bytes('0+'),
        }),
      },
      { tag: 0, default: null },
    ),
  },
);
export type ConsumerGroupMemberMetadataValue = Decoded<typeof consumerGroupMemberMetadataValue>;

export const consumerGroupTargetAssignmentMetadataKey = message(
  'ConsumerGroupTargetAssignmentMetadataKey',
  { apiKey: 6, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ConsumerGroupTargetAssignmentMetadataKey = Decoded<typeof consumerGroupTargetAssignmentMetadataKey>;

export const consumerGroupTargetAssignmentMetadataValue = message(
  'ConsumerGroupTargetAssignmentMetadataValue',
  { apiKey: 6, type: 'data', versions: '0', flexible: '0+' },
  {
    assignmentEpoch: int32('0+'),
  },
);
export type ConsumerGroupTargetAssignmentMetadataValue = Decoded<typeof consumerGroupTargetAssignmentMetadataValue>;

export const consumerGroupTargetAssignmentMemberKey = message(
  'ConsumerGroupTargetAssignmentMemberKey',
  { apiKey: 7, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ConsumerGroupTargetAssignmentMemberKey = Decoded<typeof consumerGroupTargetAssignmentMemberKey>;

export const consumerGroupTargetAssignmentMemberValue = message(
  'ConsumerGroupTargetAssignmentMemberValue',
  { apiKey: 7, type: 'data', versions: '0', flexible: '0+' },
  {
    topicPartitions: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
);
export type ConsumerGroupTargetAssignmentMemberValue = Decoded<typeof consumerGroupTargetAssignmentMemberValue>;

export const consumerGroupCurrentMemberAssignmentKey = message(
  'ConsumerGroupCurrentMemberAssignmentKey',
  { apiKey: 8, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ConsumerGroupCurrentMemberAssignmentKey = Decoded<typeof consumerGroupCurrentMemberAssignmentKey>;

export const consumerGroupCurrentMemberAssignmentValue = message(
  'ConsumerGroupCurrentMemberAssignmentValue',
  { apiKey: 8, type: 'data', versions: '0', flexible: '0+' },
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: arrayOf('0+', topicPartitions),
    partitionsPendingRevocation: arrayOf('0+', topicPartitions),
  },
);
export type ConsumerGroupCurrentMemberAssignmentValue = Decoded<typeof consumerGroupCurrentMemberAssignmentValue>;

export const consumerGroupRegularExpressionKey = message(
  'ConsumerGroupRegularExpressionKey',
  { apiKey: 16, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    regularExpression: string('0'),
  },
);
export type ConsumerGroupRegularExpressionKey = Decoded<typeof consumerGroupRegularExpressionKey>;

export const consumerGroupRegularExpressionValue = message(
  'ConsumerGroupRegularExpressionValue',
  { apiKey: 16, type: 'data', versions: '0', flexible: '0+' },
  {
    topics: arrayOf('0+', string),
    version: int64('0+'),
    timestamp: int64('0+'),
  },
);
export type ConsumerGroupRegularExpressionValue = Decoded<typeof consumerGroupRegularExpressionValue>;

/** Key and value tables by record type: the int16 that every key begins with. */
export const groupRecords: ReadonlyMap<number, CoordinatorTables> = new Map<number, CoordinatorTables>([
  [0, { key: legacyOffsetCommitKey, value: legacyOffsetCommitValue }],
  [1, { key: offsetCommitKey, value: offsetCommitValue }],
  [2, { key: groupMetadataKey, value: groupMetadataValue }],
  [3, { key: consumerGroupMetadataKey, value: consumerGroupMetadataValue }],
  [4, { key: consumerGroupPartitionMetadataKey, value: consumerGroupPartitionMetadataValue }],
  [5, { key: consumerGroupMemberMetadataKey, value: consumerGroupMemberMetadataValue }],
  [6, { key: consumerGroupTargetAssignmentMetadataKey, value: consumerGroupTargetAssignmentMetadataValue }],
  [7, { key: consumerGroupTargetAssignmentMemberKey, value: consumerGroupTargetAssignmentMemberValue }],
  [8, { key: consumerGroupCurrentMemberAssignmentKey, value: consumerGroupCurrentMemberAssignmentValue }],
  [10, { key: shareGroupMemberMetadataKey, value: shareGroupMemberMetadataValue }],
  [11, { key: shareGroupMetadataKey, value: shareGroupMetadataValue }],
  [12, { key: shareGroupTargetAssignmentMetadataKey, value: shareGroupTargetAssignmentMetadataValue }],
  [13, { key: shareGroupTargetAssignmentMemberKey, value: shareGroupTargetAssignmentMemberValue }],
  [14, { key: shareGroupCurrentMemberAssignmentKey, value: shareGroupCurrentMemberAssignmentValue }],
  [15, { key: shareGroupStatePartitionMetadataKey, value: shareGroupStatePartitionMetadataValue }],
  [16, { key: consumerGroupRegularExpressionKey, value: consumerGroupRegularExpressionValue }],
  [17, { key: streamsGroupMetadataKey, value: streamsGroupMetadataValue }],
  [19, { key: streamsGroupMemberMetadataKey, value: streamsGroupMemberMetadataValue }],
  [20, { key: streamsGroupTargetAssignmentMetadataKey, value: streamsGroupTargetAssignmentMetadataValue }],
  [21, { key: streamsGroupTargetAssignmentMemberKey, value: streamsGroupTargetAssignmentMemberValue }],
  [22, { key: streamsGroupCurrentMemberAssignmentKey, value: streamsGroupCurrentMemberAssignmentValue }],
  [23, { key: streamsGroupTopologyKey, value: streamsGroupTopologyValue }],
]);
