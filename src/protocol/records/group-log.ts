// The records of __consumer_offsets: committed offsets, and the groups of all three protocols (classic, consumer of KIP-848,
// share of KIP-932) and of Kafka Streams (KIP-1071). Tables only; broker/groups/ folds them into state.
import {
  arrayOf,
  bytes,
  int16,
  int32,
  int64,
  int8,
  message,
  nullableArrayOf,
  nullableString,
  nullableStruct,
  string,
  uint16,
  uuid,
  type Decoded,
  type Message,
} from '../schema.ts';

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: arrayOf('0+', int32),
};

const topicPartitionsInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: arrayOf('0+', int32),
};

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', int32),
};

const streamsGroupCurrentMemberAssignmentValueTaskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', int32),
  assignmentEpochs: nullableArrayOf('0+', int32, { tag: 0, default: null }),
};

const topicInfo = {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: arrayOf('0+', {
    key: string('0+'),
    value: string('0+'),
  }),
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
    leaderEpoch: int32('3+', { default: -1, ignorable: true }),
    metadata: string('0+'),
    commitTimestamp: int64('0+'),
    expireTimestamp: int64('1', { default: -1, ignorable: true }),
    topicId: uuid('4+', { tag: 0, ignorable: true }),
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
    currentStateTimestamp: int64('2+', { default: -1, ignorable: true }),
    members: arrayOf('0+', {
      memberId: string('0+'),
      groupInstanceId: nullableString('3+', { default: null, ignorable: true }),
      clientId: string('0+'),
      clientHost: string('0+'),
      rebalanceTimeout: int32('1+', { default: -1, ignorable: true }),
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
    metadataHash: int64('0+', { tag: 0, default: 0 }),
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

export const shareGroupMemberMetadataKey = message(
  'ShareGroupMemberMetadataKey',
  { apiKey: 10, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ShareGroupMemberMetadataKey = Decoded<typeof shareGroupMemberMetadataKey>;

export const shareGroupMemberMetadataValue = message(
  'ShareGroupMemberMetadataValue',
  { apiKey: 10, type: 'data', versions: '0', flexible: '0+' },
  {
    rackId: nullableString('0+'),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: arrayOf('0+', string),
  },
);
export type ShareGroupMemberMetadataValue = Decoded<typeof shareGroupMemberMetadataValue>;

export const shareGroupMetadataKey = message(
  'ShareGroupMetadataKey',
  { apiKey: 11, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ShareGroupMetadataKey = Decoded<typeof shareGroupMetadataKey>;

export const shareGroupMetadataValue = message(
  'ShareGroupMetadataValue',
  { apiKey: 11, type: 'data', versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    metadataHash: int64('0+'),
  },
);
export type ShareGroupMetadataValue = Decoded<typeof shareGroupMetadataValue>;

export const shareGroupTargetAssignmentMetadataKey = message(
  'ShareGroupTargetAssignmentMetadataKey',
  { apiKey: 12, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ShareGroupTargetAssignmentMetadataKey = Decoded<typeof shareGroupTargetAssignmentMetadataKey>;

export const shareGroupTargetAssignmentMetadataValue = message(
  'ShareGroupTargetAssignmentMetadataValue',
  { apiKey: 12, type: 'data', versions: '0', flexible: '0+' },
  {
    assignmentEpoch: int32('0+'),
  },
);
export type ShareGroupTargetAssignmentMetadataValue = Decoded<typeof shareGroupTargetAssignmentMetadataValue>;

export const shareGroupTargetAssignmentMemberKey = message(
  'ShareGroupTargetAssignmentMemberKey',
  { apiKey: 13, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ShareGroupTargetAssignmentMemberKey = Decoded<typeof shareGroupTargetAssignmentMemberKey>;

export const shareGroupTargetAssignmentMemberValue = message(
  'ShareGroupTargetAssignmentMemberValue',
  { apiKey: 13, type: 'data', versions: '0', flexible: '0+' },
  {
    topicPartitions: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
);
export type ShareGroupTargetAssignmentMemberValue = Decoded<typeof shareGroupTargetAssignmentMemberValue>;

export const shareGroupCurrentMemberAssignmentKey = message(
  'ShareGroupCurrentMemberAssignmentKey',
  { apiKey: 14, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type ShareGroupCurrentMemberAssignmentKey = Decoded<typeof shareGroupCurrentMemberAssignmentKey>;

export const shareGroupCurrentMemberAssignmentValue = message(
  'ShareGroupCurrentMemberAssignmentValue',
  { apiKey: 14, type: 'data', versions: '0', flexible: '0+' },
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
);
export type ShareGroupCurrentMemberAssignmentValue = Decoded<typeof shareGroupCurrentMemberAssignmentValue>;

export const shareGroupStatePartitionMetadataKey = message(
  'ShareGroupStatePartitionMetadataKey',
  { apiKey: 15, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type ShareGroupStatePartitionMetadataKey = Decoded<typeof shareGroupStatePartitionMetadataKey>;

export const shareGroupStatePartitionMetadataValue = message(
  'ShareGroupStatePartitionMetadataValue',
  { apiKey: 15, type: 'data', versions: '0', flexible: '0+' },
  {
    initializingTopics: arrayOf('0+', topicPartitionsInfo),
    initializedTopics: arrayOf('0+', topicPartitionsInfo),
    deletingTopics: arrayOf('0+', {
      topicId: uuid('0+'),
      topicName: string('0+'),
    }),
  },
);
export type ShareGroupStatePartitionMetadataValue = Decoded<typeof shareGroupStatePartitionMetadataValue>;

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

export const streamsGroupMetadataKey = message(
  'StreamsGroupMetadataKey',
  { apiKey: 17, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type StreamsGroupMetadataKey = Decoded<typeof streamsGroupMetadataKey>;

export const streamsGroupMetadataValue = message(
  'StreamsGroupMetadataValue',
  { apiKey: 17, type: 'data', versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    metadataHash: int64('0+'),
    validatedTopologyEpoch: int32('0+', { tag: 0, default: -1 }),
    lastAssignmentConfigs: nullableArrayOf(
      '0+',
      {
        key: string('0+'),
        value: string('0+'),
      },
      { tag: 1, default: null },
    ),
  },
);
export type StreamsGroupMetadataValue = Decoded<typeof streamsGroupMetadataValue>;

export const streamsGroupMemberMetadataKey = message(
  'StreamsGroupMemberMetadataKey',
  { apiKey: 19, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type StreamsGroupMemberMetadataKey = Decoded<typeof streamsGroupMemberMetadataKey>;

export const streamsGroupMemberMetadataValue = message(
  'StreamsGroupMemberMetadataValue',
  { apiKey: 19, type: 'data', versions: '0', flexible: '0+' },
  {
    instanceId: nullableString('0+'),
    rackId: nullableString('0+'),
    clientId: string('0+'),
    clientHost: string('0+'),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topologyEpoch: int32('0+'),
    processId: string('0+'),
    userEndpoint: nullableStruct(
      '0+',
      {
        host: string('0+'),
        port: uint16('0+'),
      },
      { default: null },
    ),
    clientTags: arrayOf('0+', {
      key: string('0+'),
      value: string('0+'),
    }),
  },
);
export type StreamsGroupMemberMetadataValue = Decoded<typeof streamsGroupMemberMetadataValue>;

export const streamsGroupTargetAssignmentMetadataKey = message(
  'StreamsGroupTargetAssignmentMetadataKey',
  { apiKey: 20, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type StreamsGroupTargetAssignmentMetadataKey = Decoded<typeof streamsGroupTargetAssignmentMetadataKey>;

export const streamsGroupTargetAssignmentMetadataValue = message(
  'StreamsGroupTargetAssignmentMetadataValue',
  { apiKey: 20, type: 'data', versions: '0', flexible: '0+' },
  {
    assignmentEpoch: int32('0+'),
  },
);
export type StreamsGroupTargetAssignmentMetadataValue = Decoded<typeof streamsGroupTargetAssignmentMetadataValue>;

export const streamsGroupTargetAssignmentMemberKey = message(
  'StreamsGroupTargetAssignmentMemberKey',
  { apiKey: 21, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type StreamsGroupTargetAssignmentMemberKey = Decoded<typeof streamsGroupTargetAssignmentMemberKey>;

export const streamsGroupTargetAssignmentMemberValue = message(
  'StreamsGroupTargetAssignmentMemberValue',
  { apiKey: 21, type: 'data', versions: '0', flexible: '0+' },
  {
    activeTasks: arrayOf('0+', taskIds),
    standbyTasks: arrayOf('0+', taskIds),
    warmupTasks: arrayOf('0+', taskIds),
  },
);
export type StreamsGroupTargetAssignmentMemberValue = Decoded<typeof streamsGroupTargetAssignmentMemberValue>;

export const streamsGroupCurrentMemberAssignmentKey = message(
  'StreamsGroupCurrentMemberAssignmentKey',
  { apiKey: 22, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
    memberId: string('0'),
  },
);
export type StreamsGroupCurrentMemberAssignmentKey = Decoded<typeof streamsGroupCurrentMemberAssignmentKey>;

export const streamsGroupCurrentMemberAssignmentValue = message(
  'StreamsGroupCurrentMemberAssignmentValue',
  { apiKey: 22, type: 'data', versions: '0', flexible: '0+' },
  {
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    activeTasks: arrayOf('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasks: arrayOf('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasks: arrayOf('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    activeTasksPendingRevocation: arrayOf('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasksPendingRevocation: arrayOf('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasksPendingRevocation: arrayOf('0+', streamsGroupCurrentMemberAssignmentValueTaskIds),
  },
);
export type StreamsGroupCurrentMemberAssignmentValue = Decoded<typeof streamsGroupCurrentMemberAssignmentValue>;

export const streamsGroupTopologyKey = message(
  'StreamsGroupTopologyKey',
  { apiKey: 23, type: 'data', versions: '0', flexible: 'none' },
  {
    groupId: string('0'),
  },
);
export type StreamsGroupTopologyKey = Decoded<typeof streamsGroupTopologyKey>;

export const streamsGroupTopologyValue = message(
  'StreamsGroupTopologyValue',
  { apiKey: 23, type: 'data', versions: '0', flexible: '0+' },
  {
    epoch: int32('0+'),
    subtopologies: arrayOf('0+', {
      subtopologyId: string('0+'),
      sourceTopics: arrayOf('0+', string),
      sourceTopicRegex: arrayOf('0+', string),
      stateChangelogTopics: arrayOf('0+', topicInfo),
      repartitionSinkTopics: arrayOf('0+', string),
      repartitionSourceTopics: arrayOf('0+', topicInfo),
      copartitionGroups: arrayOf('0+', {
        sourceTopics: arrayOf('0+', int16),
        sourceTopicRegex: arrayOf('0+', int16),
        repartitionSourceTopics: arrayOf('0+', int16),
      }),
    }),
  },
);
export type StreamsGroupTopologyValue = Decoded<typeof streamsGroupTopologyValue>;

/** Key and value tables by record type: the int16 that every key begins with. */
export const groupRecords: ReadonlyMap<number, { readonly key: Message; readonly value: Message }> = new Map<
  number,
  { readonly key: Message; readonly value: Message }
>([
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
