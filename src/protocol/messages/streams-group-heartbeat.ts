// StreamsGroupHeartbeat (API 88): a member of a Kafka Streams group joins, stays, reports its tasks, leaves (KIP-1071).
// Wire tables only. The state is kept by the group coordinator; null is "as before".
import {
  arrayOf,
  boolean,
  int16,
  int32,
  int64,
  int8,
  message,
  nullableArrayOf,
  nullableString,
  nullableStruct,
  string,
  struct,
  uint16,
  type Decoded,
} from '../schema.ts';

const keyValue = {
  key: string('0+'),
  value: string('0+'),
};

const topicInfo = {
  name: string('0+'),
  partitions: int32('0+'),
  replicationFactor: int16('0+'),
  topicConfigs: arrayOf('0+', keyValue),
};

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', int32),
};

const taskOffset = {
  subtopologyId: string('0+'),
  partition: int32('0+'),
  offset: int64('0+'),
};

const topicPartition = {
  topic: string('0+'),
  partitions: arrayOf('0+', int32),
};

export const streamsGroupHeartbeatRequest = message(
  'StreamsGroupHeartbeatRequest',
  { apiKey: 88, type: 'request', versions: '0', flexible: '0+' },
  {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    endpointInformationEpoch: int32('0+'),
    instanceId: nullableString('0+', { default: null }),
    rackId: nullableString('0+', { default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    topology: nullableStruct(
      '0+',
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
      { default: null },
    ),
    activeTasks: nullableArrayOf('0+', taskIds, { default: null }),
    standbyTasks: nullableArrayOf('0+', taskIds, { default: null }),
    warmupTasks: nullableArrayOf('0+', taskIds, { default: null }),
    processId: nullableString('0+', { default: null }),
    userEndpoint: nullableStruct(
      '0+',
      {
        host: string('0+'),
        port: uint16('0+'),
      },
      { default: null },
    ),
    clientTags: nullableArrayOf('0+', keyValue, { default: null }),
    taskOffsets: nullableArrayOf('0+', taskOffset, { default: null }),
    taskEndOffsets: nullableArrayOf('0+', taskOffset, { default: null }),
    shutdownApplication: boolean('0+', { default: false }),
  },
);
export type StreamsGroupHeartbeatRequest = Decoded<typeof streamsGroupHeartbeatRequest>;

export const streamsGroupHeartbeatResponse = message(
  'StreamsGroupHeartbeatResponse',
  { apiKey: 88, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    acceptableRecoveryLag: int32('0+'),
    taskOffsetIntervalMs: int32('0+'),
    status: nullableArrayOf(
      '0+',
      {
        statusCode: int8('0+'),
        statusDetail: string('0+'),
      },
      { default: null },
    ),
    activeTasks: nullableArrayOf('0+', taskIds, { default: null }),
    standbyTasks: nullableArrayOf('0+', taskIds, { default: null }),
    warmupTasks: nullableArrayOf('0+', taskIds, { default: null }),
    endpointInformationEpoch: int32('0+'),
    partitionsByUserEndpoint: nullableArrayOf(
      '0+',
      {
        userEndpoint: struct('0+', {
          host: string('0+'),
          port: uint16('0+'),
        }),
        activePartitions: arrayOf('0+', topicPartition),
        standbyPartitions: arrayOf('0+', topicPartition),
      },
      { default: null },
    ),
  },
);
export type StreamsGroupHeartbeatResponse = Decoded<typeof streamsGroupHeartbeatResponse>;
