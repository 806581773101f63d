// The records of __consumer_offsets that Kafka Streams groups leave there (KIP-1071): members, topology, tasks.
// Tables only; broker/groups/ folds them into state.
import {
  arrayOf,
  int16,
  int32,
  int64Big,
  int8,
  message,
  nullableArrayOf,
  nullableString,
  nullableStruct,
  string,
  uint16,
  type Decoded,
} from '../schema.ts';

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
    metadataHash: int64Big('0+'), // KIP-1101: a hash, every bit counts
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
