// ElectLeaders (API 43): partitions get a new leader, the preferred one or any that is alive (KIP-460).
// Wire tables only. Who can lead is decided in handlers/elect-leaders.ts.
import { arrayOf, int16, int32, int8, message, nullableArrayOf, nullableString, string, type Decoded } from '../schema.ts';

export const electLeadersRequest = message(
  'ElectLeadersRequest',
  { apiKey: 43, type: 'request', versions: '0-2', flexible: '2+' },
  {
    electionType: int8('1+'), // KIP-460: 0 preferred, 1 unclean
    topicPartitions: nullableArrayOf('0+', {
      topic: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', int32),
    }),
    timeoutMs: int32('0+', { default: 60_000 }),
  },
);
export type ElectLeadersRequest = Decoded<typeof electLeadersRequest>;

export const electLeadersResponse = message(
  'ElectLeadersResponse',
  { apiKey: 43, type: 'response', versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('1+'),
    replicaElectionResults: arrayOf('0+', {
      topic: string('0+'),
      partitionResult: arrayOf('0+', {
        partitionId: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+'),
      }),
    }),
  },
);
export type ElectLeadersResponse = Decoded<typeof electLeadersResponse>;
