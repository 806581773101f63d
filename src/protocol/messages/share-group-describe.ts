// ShareGroupDescribe (API 77): state, members and assignments of share groups (KIP-932).
// Wire tables only. The state is kept by the group coordinator.
import { arrayOf, boolean, int16, int32, message, nullableString, string, struct, uuid, type Decoded } from '../schema.ts';

export const shareGroupDescribeRequest = message(
  'ShareGroupDescribeRequest',
  { apiKey: 77, type: 'request', versions: '1', flexible: '0+' },
  {
    groupIds: arrayOf('0+', string),
    includeAuthorizedOperations: boolean('0+'),
  },
);
export type ShareGroupDescribeRequest = Decoded<typeof shareGroupDescribeRequest>;

export const shareGroupDescribeResponse = message(
  'ShareGroupDescribeResponse',
  { apiKey: 77, type: 'response', versions: '1', flexible: '0+' },
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
        rackId: nullableString('0+', { default: null }),
        memberEpoch: int32('0+'),
        clientId: string('0+'),
        clientHost: string('0+'),
        subscribedTopicNames: arrayOf('0+', string),
        assignment: struct('0+', {
          topicPartitions: arrayOf('0+', {
            topicId: uuid('0+'),
            topicName: string('0+'),
            partitions: arrayOf('0+', int32),
          }),
        }),
      }),
      authorizedOperations: int32('0+', { default: -2_147_483_648 }),
    }),
  },
);
export type ShareGroupDescribeResponse = Decoded<typeof shareGroupDescribeResponse>;
