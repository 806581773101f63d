// InitializeShareGroupState (API 83): the group coordinator makes the state of share partitions (KIP-932).
// Wire tables only. Brokers ask each other; a client needs permission on the cluster.
import { arrayOf, int16, int32, int64, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const initializeShareGroupStateRequest = message(
  'InitializeShareGroupStateRequest',
  { apiKey: 83, type: 'request', versions: '0', flexible: '0+' },
  {
    groupId: string('0+'),
    topics: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        stateEpoch: int32('0+'),
        startOffset: int64('0+'),
      }),
    }),
  },
);
export type InitializeShareGroupStateRequest = Decoded<typeof initializeShareGroupStateRequest>;

export const initializeShareGroupStateResponse = message(
  'InitializeShareGroupStateResponse',
  { apiKey: 83, type: 'response', versions: '0', flexible: '0+' },
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
export type InitializeShareGroupStateResponse = Decoded<typeof initializeShareGroupStateResponse>;
