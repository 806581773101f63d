// WriteShareGroupState (API 85): a share-partition leader writes down what was delivered and acknowledged (KIP-932).
// Wire tables only. Brokers ask each other; a client needs permission on the cluster.
import { arrayOf, int16, int32, int64, int8, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const writeShareGroupStateRequest = message(
  'WriteShareGroupStateRequest',
  { apiKey: 85, type: 'request', versions: '0-1', flexible: '0+' },
  {
    groupId: string('0+'),
    topics: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        stateEpoch: int32('0+'),
        leaderEpoch: int32('0+'),
        startOffset: int64('0+'),
        deliveryCompleteCount: int32('1+', { default: -1, ignorable: true }), // KIP-1226
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
export type WriteShareGroupStateRequest = Decoded<typeof writeShareGroupStateRequest>;

export const writeShareGroupStateResponse = message(
  'WriteShareGroupStateResponse',
  { apiKey: 85, type: 'response', versions: '0-1', flexible: '0+' },
  {
    results: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
      }),
    }),
  },
);
export type WriteShareGroupStateResponse = Decoded<typeof writeShareGroupStateResponse>;
