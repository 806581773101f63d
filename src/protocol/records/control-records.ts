// What stands in control batches: transaction markers, and what the metadata log says about itself (leader changes, voters, the
// frame of a snapshot). Tables only; the int16 version and int16 type of a control record are its key, not part of these.
import { arrayOf, int16, int32, int64, message, string, struct, uint16, uuid, type Decoded } from '../schema.ts';

const voter = {
  voterId: int32('0+'),
  voterDirectoryId: uuid('1+'), // KIP-853
};

export const endTxnMarker = message(
  'EndTxnMarker',
  { type: 'data', versions: '0', flexible: 'none' },
  {
    coordinatorEpoch: int32('0+'),
  },
);
export type EndTxnMarker = Decoded<typeof endTxnMarker>;

export const leaderChangeMessage = message(
  'LeaderChangeMessage',
  { type: 'data', versions: '0-1', flexible: '0+' },
  {
    version: int16('0+'),
    leaderId: int32('0+'),
    voters: arrayOf('0+', voter),
    grantingVoters: arrayOf('0+', voter),
  },
);
export type LeaderChangeMessage = Decoded<typeof leaderChangeMessage>;

export const snapshotHeaderRecord = message(
  'SnapshotHeaderRecord',
  { type: 'data', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
    lastContainedLogTimestamp: int64('0+'),
  },
);
export type SnapshotHeaderRecord = Decoded<typeof snapshotHeaderRecord>;

export const snapshotFooterRecord = message(
  'SnapshotFooterRecord',
  { type: 'data', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
  },
);
export type SnapshotFooterRecord = Decoded<typeof snapshotFooterRecord>;

export const kraftVersionRecord = message(
  'KRaftVersionRecord',
  { type: 'data', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
    kraftVersion: int16('0+'),
  },
);
export type KraftVersionRecord = Decoded<typeof kraftVersionRecord>;

export const votersRecord = message(
  'VotersRecord',
  { type: 'data', versions: '0', flexible: '0+' },
  {
    version: int16('0+'),
    voters: arrayOf('0+', {
      voterId: int32('0+'),
      voterDirectoryId: uuid('0+'),
      endpoints: arrayOf('0+', {
        name: string('0+', { mapKey: true }),
        host: string('0+'),
        port: uint16('0+'),
      }),
      kraftVersionFeature: struct('0+', {
        minSupportedVersion: int16('0+'),
        maxSupportedVersion: int16('0+'),
      }),
    }),
  },
);
export type VotersRecord = Decoded<typeof votersRecord>;
