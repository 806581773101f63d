// ConsumerGroupHeartbeat (API 68): the one request of the consumer group protocol (KIP-848): a member joins, stays, changes its subscription, leaves.
// Wire tables only. What a null field means is decided by the group coordinator: null is "as before".
import { arrayOf, int16, int32, message, nullableArrayOf, nullableString, nullableStruct, string, uuid, type Decoded } from '../schema.ts';

export const consumerGroupHeartbeatRequest = message(
  'ConsumerGroupHeartbeatRequest',
  { apiKey: 68, type: 'request', versions: '0-1', flexible: '0+' },
  {
    groupId: string('0+'),
    memberId: string('0+'),
    memberEpoch: int32('0+'), // 0 joins, -1 leaves, -2 leaves for a while as a static member
    instanceId: nullableString('0+', { default: null }),
    rackId: nullableString('0+', { default: null }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    subscribedTopicNames: nullableArrayOf('0+', string, { default: null }),
    subscribedTopicRegex: nullableString('1+', { default: null }), // the broker's own regular expressions, evaluated here
    serverAssignor: nullableString('0+', { default: null }),
    topicPartitions: nullableArrayOf(
      '0+',
      {
        topicId: uuid('0+'),
        partitions: arrayOf('0+', int32),
      },
      { default: null },
    ),
  },
);
export type ConsumerGroupHeartbeatRequest = Decoded<typeof consumerGroupHeartbeatRequest>;

export const consumerGroupHeartbeatResponse = message(
  'ConsumerGroupHeartbeatResponse',
  { apiKey: 68, type: 'response', versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    memberId: nullableString('0+', { default: null }),
    memberEpoch: int32('0+'),
    heartbeatIntervalMs: int32('0+'),
    // null when it has not changed
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
export type ConsumerGroupHeartbeatResponse = Decoded<typeof consumerGroupHeartbeatResponse>;
