// RemoveRaftVoter (API 81): a controller stops being a voter of the metadata log (KIP-853).
// Wire tables only. Whether it may is decided in handlers/remove-raft-voter.ts.
import { int16, int32, message, nullableString, uuid, type Decoded } from '../schema.ts';

export const removeRaftVoterRequest = message(
  'RemoveRaftVoterRequest',
  { apiKey: 81, type: 'request', versions: '0', flexible: '0+' },
  {
    clusterId: nullableString('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
  },
);
export type RemoveRaftVoterRequest = Decoded<typeof removeRaftVoterRequest>;

export const removeRaftVoterResponse = message(
  'RemoveRaftVoterResponse',
  { apiKey: 81, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { ignorable: true }),
  },
);
export type RemoveRaftVoterResponse = Decoded<typeof removeRaftVoterResponse>;
