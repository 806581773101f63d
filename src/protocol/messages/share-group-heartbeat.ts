// ShareGroupHeartbeat (API 76): a member joins a share group, stays in it or leaves (KIP-932).
// Wire tables only. The state is kept by the group coordinator.
import { arrayOf, int16, int32, message, nullableArrayOf, nullableString, nullableStruct, string, uuid, type Decoded } from '../schema.ts';

export const shareGroupHeartbeatRequest = message(
  'ShareGroupHeartbeatRequest',
  { apiKey: 76, type: 'request', versions: '1', flexible: '0+' },
  {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'),
    rackId: nullableString('0+', { default: null }),
    subscribedTopicNames: nullableArrayOf('0+', string, { default: null }),
  },
);
export type ShareGroupHeartbeatRequest = Decoded<typeof shareGroupHeartbeatRequest>;

export const shareGroupHeartbeatResponse = message(
  'ShareGroupHeartbeatResponse',
  { apiKey: 76, type: 'response', versions: '1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    memberId: nullableString('0+', { default: null }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    assignment: nullableStruct(
      '0+',
      {
        topicPartitions: arrayOf('0+', {
          topicId: uuid('0+'),
          partitions: arrayOf('0+', int32),
        }),
      },
      { default: null },
    ),
  },
);
export type ShareGroupHeartbeatResponse = Decoded<typeof shareGroupHeartbeatResponse>;
