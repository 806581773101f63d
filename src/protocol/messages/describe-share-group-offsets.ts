// DescribeShareGroupOffsets (API 90): how far share groups have got (KIP-932).
// Wire tables only. The state is kept by the share coordinator.
import { arrayOf, int16, int32, int64, message, nullableArrayOf, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const describeShareGroupOffsetsRequest = message(
  'DescribeShareGroupOffsetsRequest',
  { apiKey: 90, type: 'request', versions: '0-1', flexible: '0+' },
  {
    groups: arrayOf('0+', {
      groupId: string('0+'),
      topics: nullableArrayOf('0+', {
        topicName: string('0+'),
        partitions: arrayOf('0+', int32),
      }),
    }),
  },
);
export type DescribeShareGroupOffsetsRequest = Decoded<typeof describeShareGroupOffsetsRequest>;

export const describeShareGroupOffsetsResponse = message(
  'DescribeShareGroupOffsetsResponse',
  { apiKey: 90, type: 'response', versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    groups: arrayOf('0+', {
      groupId: string('0+'),
      topics: arrayOf('0+', {
        topicName: string('0+'),
        topicId: uuid('0+'),
        partitions: arrayOf('0+', {
          partitionIndex: int32('0+'),
          startOffset: int64('0+'),
          leaderEpoch: int32('0+'),
          lag: int64('1+', { default: -1, ignorable: true }), // KIP-1226
          errorCode: int16('0+'),
          errorMessage: nullableString('0+', { default: null }),
        }),
      }),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
    }),
  },
);
export type DescribeShareGroupOffsetsResponse = Decoded<typeof describeShareGroupOffsetsResponse>;
