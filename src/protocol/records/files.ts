// The binary files of a log directory whose content is a struct: the producer snapshot and the state of the quorum. Tables only; the
// int16 version before each, and the checksum, are for those who read the file.
import { arrayOf, int16, int32, int64, message, nullableArrayOf, string, uint32, uuid, type Decoded } from '../schema.ts';

export const producerSnapshot = message(
  'ProducerSnapshot',
  { type: 'data', versions: '1', flexible: 'none' },
  {
    crc: uint32('1'), // CRC-32C of what follows
    producerEntries: arrayOf('1', {
      producerId: int64('1'),
      epoch: int16('1'),
      lastSequence: int32('1'),
      lastOffset: int64('1'),
      offsetDelta: int32('1'),
      timestamp: int64('1'),
      coordinatorEpoch: int32('1'),
      currentTxnFirstOffset: int64('1'),
    }),
  },
);
export type ProducerSnapshot = Decoded<typeof producerSnapshot>;

export const quorumStateData = message(
  'QuorumStateData',
  { type: 'data', versions: '0-1', flexible: '0+' },
  {
    clusterId: string('0'),
    leaderId: int32('0+', { default: -1 }),
    leaderEpoch: int32('0+', { default: -1 }),
    votedId: int32('0+', { default: -1 }),
    votedDirectoryId: uuid('1+'), // KIP-853
    appliedOffset: int64('0'),
    currentVoters: nullableArrayOf('0', {
      voterId: int32('0'),
    }),
  },
);
export type QuorumStateData = Decoded<typeof quorumStateData>;
