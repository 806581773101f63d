// ReadShareGroupState (API 84): a share-partition leader reads back what was delivered and acknowledged (KIP-932).
// Wire tables only. Brokers ask each other; a client needs permission on the cluster.
import { arrayOf, int16, int32, int64, int8, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const readShareGroupStateRequest = message(
  'ReadShareGroupStateRequest',
  { apiKey: 84, type: 'request', versions: '0', flexible: '0+' },
  {
    groupId: string('0+'),
    topics: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        leaderEpoch: int32('0+'),
      }),
    }),
  },
);
export type ReadShareGroupStateRequest = Decoded<typeof readShareGroupStateRequest>;

export const readShareGroupStateResponse = message(
  'ReadShareGroupStateResponse',
  { apiKey: 84, type: 'response', versions: '0', flexible: '0+' },
  {
    results: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        stateEpoch: int32('0+'),
        startOffset: int64('0+'),
        stateBatches: arrayOf('0+', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          deliveryState: int8('0+'),
          deliveryCount: int16('0+'),
        }),
      }),
    }),
  },
);
export type ReadShareGroupStateResponse = Decoded<typeof readShareGroupStateResponse>;
