// ListOffsets (API 2): the offset that belongs to a timestamp, or one of the special offsets (earliest, latest, ...).
// Wire tables only. The special timestamps are below 0; what they mean is decided in handlers/list-offsets.ts.
import { arrayOf, int16, int32, int64, int8, message, string, type Decoded } from '../schema.ts';

export const listOffsetsRequest = message(
  'ListOffsetsRequest',
  { apiKey: 2, type: 'request', versions: '1-11', flexible: '6+' },
  {
    replicaId: int32('0+'),
    isolationLevel: int8('2+'), // KIP-98
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }), // KIP-320
        timestamp: int64('0+'), // -1 latest, -2 earliest, -3 largest timestamp (KIP-734), -4 and -5 tiered storage (KIP-405, KIP-1005), -6 (KIP-1023)
      }),
    }),
    timeoutMs: int32('10+', { ignorable: true }), // KIP-1075
  },
);
export type ListOffsetsRequest = Decoded<typeof listOffsetsRequest>;

export const listOffsetsResponse = message(
  'ListOffsetsResponse',
  { apiKey: 2, type: 'response', versions: '1-11', flexible: '6+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        timestamp: int64('1+', { default: -1 }),
        offset: int64('1+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }), // KIP-320
      }),
    }),
  },
);
export type ListOffsetsResponse = Decoded<typeof listOffsetsResponse>;
