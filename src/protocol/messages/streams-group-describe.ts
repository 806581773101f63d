// StreamsGroupDescribe (API 89): state, topology, members and tasks of Kafka Streams groups (KIP-1071).
// Wire tables only. The state is kept by the group coordinator.
import {
  arrayOf,
  boolean,
  int16,
  int32,
  int64,
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

const taskOffset = {
  subtopologyId: string('0+'),
  partition: int32('0+'),
  offset: int64('0+'),
};

const taskIds = {
  subtopologyId: string('0+'),
  partitions: arrayOf('0+', int32),
};

const assignment = {
  activeTasks: arrayOf('0+', taskIds),
  standbyTasks: arrayOf('0+', taskIds),
  warmupTasks: arrayOf('0+', taskIds),
};

export const streamsGroupDescribeRequest = message(
  'StreamsGroupDescribeRequest',
  { apiKey: 89, type: 'request', versions: '0', flexible: '0+' },
  {
    groupIds: arrayOf('0+', string),
    includeAuthorizedOperations: boolean('0+'),
  },
);
export type StreamsGroupDescribeRequest = Decoded<typeof streamsGroupDescribeRequest>;

export const streamsGroupDescribeResponse = message(
  'StreamsGroupDescribeResponse',
  { apiKey: 89, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    groups: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
      groupId: string('0+'),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      topology: nullableStruct(
        '0+',
        {
          epoch: int32('0+'),
          subtopologies: nullableArrayOf(
            '0+',
            {
              subtopologyId: string('0+'),
              sourceTopics: arrayOf('0+', string),
              repartitionSinkTopics: arrayOf('0+', string),
              stateChangelogTopics: arrayOf('0+', topicInfo),
              repartitionSourceTopics: arrayOf('0+', topicInfo),
            },
            { default: null },
          ),
        },
        { default: null },
      ),
      members: arrayOf('0+', {
        memberId: string('0+'),
        memberEpoch: int32('0+'),
        instanceId: nullableString('0+', { default: null }),
        rackId: nullableString('0+', { default: null }),
        clientId: string('0+'),
        clientHost: string('0+'),
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
        clientTags: arrayOf('0+', keyValue),
        taskOffsets: arrayOf('0+', taskOffset),
        taskEndOffsets: arrayOf('0+', taskOffset),
        assignment: struct('0+', assignment),
        targetAssignment: struct('0+', assignment),
        isClassic: boolean('0+'),
      }),
      authorizedOperations: int32('0+', { default: -2_147_483_648 }),
    }),
  },
);
export type StreamsGroupDescribeResponse = Decoded<typeof streamsGroupDescribeResponse>;
