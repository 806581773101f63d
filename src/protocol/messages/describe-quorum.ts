// DescribeQuorum (API 55): leader, voters and observers of the metadata log (KIP-595).
// Wire tables only. The answer is made from the metadata log.
import { arrayOf, int16, int32, int64, message, nullableString, string, uint16, uuid, type Decoded } from '../schema.ts';

const replicaState = {
  replicaId: int32('0+'),
  replicaDirectoryId: uuid('2+'), // KIP-853
  logEndOffset: int64('0+'),
  lastFetchTimestamp: int64('1+', { default: -1, ignorable: true }), // KIP-836
  lastCaughtUpTimestamp: int64('1+', { default: -1, ignorable: true }), // KIP-836
};

export const describeQuorumRequest = message(
  'DescribeQuorumRequest',
  { apiKey: 55, type: 'request', versions: '0-2', flexible: '0+' },
  {
    topics: arrayOf('0+', {
      topicName: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
);
export type DescribeQuorumRequest = Decoded<typeof describeQuorumRequest>;

export const describeQuorumResponse = message(
  'DescribeQuorumResponse',
  { apiKey: 55, type: 'response', versions: '0-2', flexible: '0+' },
  {
    errorCode: int16('0+'),
    errorMessage: nullableString('2+', { ignorable: true }), // KIP-853
    topics: arrayOf('0+', {
      topicName: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('2+', { ignorable: true }), // KIP-853
        leaderId: int32('0+'),
        leaderEpoch: int32('0+'),
        highWatermark: int64('0+'),
        currentVoters: arrayOf('0+', replicaState),
        observers: arrayOf('0+', replicaState),
      }),
    }),
    // KIP-853
    nodes: arrayOf('2+', {
      nodeId: int32('2+', { mapKey: true }),
      listeners: arrayOf('2+', {
        name: string('2+', { mapKey: true }),
        host: string('2+'),
        port: uint16('2+'),
      }),
    }),
  },
);
export type DescribeQuorumResponse = Decoded<typeof describeQuorumResponse>;
