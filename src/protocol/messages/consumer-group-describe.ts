// ConsumerGroupDescribe (API 69): state, members and assignments of groups of the consumer protocol (KIP-848).
// Wire tables only. The state is kept by the group coordinator.
import { arrayOf, boolean, int16, int32, int8, message, nullableString, string, struct, uuid, type Decoded } from '../schema.ts';

const assignment = {
  topicPartitions: arrayOf('0+', {
    topicId: uuid('0+'),
    topicName: string('0+'),
    partitions: arrayOf('0+', int32),
  }),
};

export const consumerGroupDescribeRequest = message(
  'ConsumerGroupDescribeRequest',
  { apiKey: 69, type: 'request', versions: '0-1', flexible: '0+' },
  {
    groupIds: arrayOf('0+', string),
    includeAuthorizedOperations: boolean('0+'),
  },
);
export type ConsumerGroupDescribeRequest = Decoded<typeof consumerGroupDescribeRequest>;

export const consumerGroupDescribeResponse = message(
  'ConsumerGroupDescribeResponse',
  { apiKey: 69, type: 'response', versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    groups: arrayOf('0+', {
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
      groupId: string('0+'),
      groupState: string('0+'),
      groupEpoch: int32('0+'),
      assignmentEpoch: int32('0+'),
      assignorName: string('0+'),
      members: arrayOf('0+', {
        memberId: string('0+'),
        instanceId: nullableString('0+', { default: null }),
        rackId: nullableString('0+', { default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: arrayOf('0+', string),
        subscribedTopicRegex: nullableString('0+', { default: null }),
        assignment: struct('0+', assignment),
        targetAssignment: struct('0+', assignment),
        memberType: int8('1+', { default: -1, ignorable: true }), // KIP-1099
      }),
      authorizedOperations: int32('0+', { default: -2_147_483_648 }),
    }),
  },
);
export type ConsumerGroupDescribeResponse = Decoded<typeof consumerGroupDescribeResponse>;
