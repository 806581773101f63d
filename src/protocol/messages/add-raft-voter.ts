// AddRaftVoter (API 80): a controller becomes a voter of the metadata log (KIP-853).
// Wire tables only. Whether it may is decided in handlers/add-raft-voter.ts.
import { arrayOf, boolean, int16, int32, message, nullableString, string, uint16, uuid, type Decoded } from '../schema.ts';

export const addRaftVoterRequest = message(
  'AddRaftVoterRequest',
  { apiKey: 80, type: 'request', versions: '0-1', flexible: '0+' },
  {
    clusterId: nullableString('0+'),
    timeoutMs: int32('0+'),
    voterId: int32('0+'),
    voterDirectoryId: uuid('0+'),
    listeners: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      host: string('0+'),
      port: uint16('0+'),
    }),
    ackWhenCommitted: boolean('1+', { default: true }),
  },
);
export type AddRaftVoterRequest = Decoded<typeof addRaftVoterRequest>;

export const addRaftVoterResponse = message(
  'AddRaftVoterResponse',
  { apiKey: 80, type: 'response', versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { ignorable: true }),
  },
);
export type AddRaftVoterResponse = Decoded<typeof addRaftVoterResponse>;
