// OffsetForLeaderEpoch (API 23): where the log of a leader epoch ends, so that a client or replica finds out whether it was cut behind its back.
// Wire tables only. The epochs are kept by the log.
import { arrayOf, int16, int32, int64, message, string, type Decoded } from '../schema.ts';

export const offsetForLeaderEpochRequest = message(
  'OffsetForLeaderEpochRequest',
  { apiKey: 23, type: 'request', versions: '2-4', flexible: '4+' },
  {
    replicaId: int32('3+', { default: -2, ignorable: true }), // -1 for clients; the default is Kafka's debugging consumer
    topics: arrayOf('0+', {
      topic: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        leaderEpoch: int32('0+'),
      }),
    }),
  },
);
export type OffsetForLeaderEpochRequest = Decoded<typeof offsetForLeaderEpochRequest>;

export const offsetForLeaderEpochResponse = message(
  'OffsetForLeaderEpochResponse',
  { apiKey: 23, type: 'response', versions: '2-4', flexible: '4+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: arrayOf('0+', {
      topic: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        errorCode: int16('0+'),
        partition: int32('0+'),
        leaderEpoch: int32('1+', { default: -1, ignorable: true }),
        endOffset: int64('0+', { default: -1 }),
      }),
    }),
  },
);
export type OffsetForLeaderEpochResponse = Decoded<typeof offsetForLeaderEpochResponse>;
