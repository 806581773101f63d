// DescribeTopicPartitions (API 75): topics and partitions page by page, for clusters whose Metadata answer would be too large (KIP-966).
// Wire tables only. Where a page ends is decided in handlers/describe-topic-partitions.ts.
import {
  arrayOf,
  boolean,
  int16,
  int32,
  message,
  nullableArrayOf,
  nullableString,
  nullableStruct,
  string,
  uuid,
  type Decoded,
} from '../schema.ts';

export const describeTopicPartitionsRequest = message(
  'DescribeTopicPartitionsRequest',
  { apiKey: 75, type: 'request', versions: '0', flexible: '0+' },
  {
    topics: arrayOf('0+', {
      name: string('0+'),
    }),
    responsePartitionLimit: int32('0+', { default: 2000 }),
    cursor: nullableStruct(
      '0+',
      {
        topicName: string('0+'),
        partitionIndex: int32('0+'),
      },
      { default: null },
    ),
  },
);
export type DescribeTopicPartitionsRequest = Decoded<typeof describeTopicPartitionsRequest>;

export const describeTopicPartitionsResponse = message(
  'DescribeTopicPartitionsResponse',
  { apiKey: 75, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: arrayOf('0+', {
      errorCode: int16('0+'),
      name: nullableString('0+', { mapKey: true }),
      topicId: uuid('0+', { ignorable: true }),
      isInternal: boolean('0+', { default: false, ignorable: true }),
      partitions: arrayOf('0+', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+'),
        leaderEpoch: int32('0+', { default: -1, ignorable: true }),
        replicaNodes: arrayOf('0+', int32),
        isrNodes: arrayOf('0+', int32),
        eligibleLeaderReplicas: nullableArrayOf('0+', int32, { default: null }),
        lastKnownElr: nullableArrayOf('0+', int32, { default: null }),
        offlineReplicas: arrayOf('0+', int32, { ignorable: true }),
      }),
      topicAuthorizedOperations: int32('0+', { default: -2_147_483_648 }),
    }),
    nextCursor: nullableStruct(
      '0+',
      {
        topicName: string('0+'),
        partitionIndex: int32('0+'),
      },
      { default: null },
    ),
  },
);
export type DescribeTopicPartitionsResponse = Decoded<typeof describeTopicPartitionsResponse>;
