// ReadShareGroupStateSummary (API 87): the group coordinator asks how far share partitions have got (KIP-932).
// Wire tables only. Brokers ask each other; a client needs permission on the cluster.
import { arrayOf, int16, int32, int64, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const readShareGroupStateSummaryRequest = message(
  'ReadShareGroupStateSummaryRequest',
  { apiKey: 87, type: 'request', versions: '0-1', flexible: '0+' },
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
export type ReadShareGroupStateSummaryRequest = Decoded<typeof readShareGroupStateSummaryRequest>;

export const readShareGroupStateSummaryResponse = message(
  'ReadShareGroupStateSummaryResponse',
  { apiKey: 87, type: 'response', versions: '0-1', flexible: '0+' },
  {
    results: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        stateEpoch: int32('0+'),
        leaderEpoch: int32('0+'),
        startOffset: int64('0+'),
        deliveryCompleteCount: int32('1+', { default: -1, ignorable: true }), // KIP-1226
      }),
    }),
  },
);
export type ReadShareGroupStateSummaryResponse = Decoded<typeof readShareGroupStateSummaryResponse>;
