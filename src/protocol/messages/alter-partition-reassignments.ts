// AlterPartitionReassignments (API 45): partitions move to other brokers, or stop moving (KIP-455).
// Wire tables only. Where they can move is decided in handlers/alter-partition-reassignments.ts.
import { arrayOf, boolean, int16, int32, message, nullableArrayOf, nullableString, string, type Decoded } from '../schema.ts';

export const alterPartitionReassignmentsRequest = message(
  'AlterPartitionReassignmentsRequest',
  { apiKey: 45, type: 'request', versions: '0-1', flexible: '0+' },
  {
    timeoutMs: int32('0+', { default: 60_000 }),
    allowReplicationFactorChange: boolean('1+', { default: true }), // KIP-860
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        replicas: nullableArrayOf('0+', int32, { default: null }),
      }),
    }),
  },
);
export type AlterPartitionReassignmentsRequest = Decoded<typeof alterPartitionReassignmentsRequest>;

export const alterPartitionReassignmentsResponse = message(
  'AlterPartitionReassignmentsResponse',
  { apiKey: 45, type: 'response', versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    allowReplicationFactorChange: boolean('1+', { default: true, ignorable: true }), // KIP-860
    errorCode: int16('0+'),
    errorMessage: nullableString('0+'),
    responses: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+'),
      }),
    }),
  },
);
export type AlterPartitionReassignmentsResponse = Decoded<typeof alterPartitionReassignmentsResponse>;
