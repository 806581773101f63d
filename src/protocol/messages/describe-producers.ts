// DescribeProducers (API 61): the producers that are writing to partitions, and their open transactions (KIP-664).
// Wire tables only. The producer state is kept by the log.
import { arrayOf, int16, int32, int64, message, nullableString, string, type Decoded } from '../schema.ts';

export const describeProducersRequest = message(
  'DescribeProducersRequest',
  { apiKey: 61, type: 'request', versions: '0', flexible: '0+' },
  {
    topics: arrayOf('0+', {
      name: string('0+'),
      partitionIndexes: arrayOf('0+', int32),
    }),
  },
);
export type DescribeProducersRequest = Decoded<typeof describeProducersRequest>;

export const describeProducersResponse = message(
  'DescribeProducersResponse',
  { apiKey: 61, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        activeProducers: arrayOf('0+', {
          producerId: int64('0+'),
          producerEpoch: int32('0+'),
          lastSequence: int32('0+', { default: -1 }),
          lastTimestamp: int64('0+', { default: -1 }),
          coordinatorEpoch: int32('0+'),
          currentTxnStartOffset: int64('0+', { default: -1 }),
        }),
      }),
    }),
  },
);
export type DescribeProducersResponse = Decoded<typeof describeProducersResponse>;
