// ListPartitionReassignments (API 46): the partitions that are moving between brokers (KIP-455).
// Wire tables only. The answer is made from the metadata image.
import { arrayOf, int16, int32, message, nullableArrayOf, nullableString, string, type Decoded } from '../schema.ts';

export const listPartitionReassignmentsRequest = message(
  'ListPartitionReassignmentsRequest',
  { apiKey: 46, type: 'request', versions: '0', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60_000 }),
    topics: nullableArrayOf(
      '0+',
      {
        name: string('0+'),
        partitionIndexes: arrayOf('0+', int32),
      },
      { default: null },
    ),
  },
);
export type ListPartitionReassignmentsRequest = Decoded<typeof listPartitionReassignmentsRequest>;

export const listPartitionReassignmentsResponse = message(
  'ListPartitionReassignmentsResponse',
  { apiKey: 46, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        replicas: arrayOf('0+', int32),
        addingReplicas: arrayOf('0+', int32),
        removingReplicas: arrayOf('0+', int32),
      }),
    }),
  },
);
export type ListPartitionReassignmentsResponse = Decoded<typeof listPartitionReassignmentsResponse>;
