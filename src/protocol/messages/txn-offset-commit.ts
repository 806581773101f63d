// TxnOffsetCommit (API 28): a group notes how far it has read, to take effect with a transaction.
// Wire tables only. Who may commit is decided by the group coordinator.
import { arrayOf, int16, int32, int64, message, nullableString, string, type Decoded } from '../schema.ts';

export const txnOffsetCommitRequest = message(
  'TxnOffsetCommitRequest',
  { apiKey: 28, type: 'request', versions: '0-5', flexible: '3+' },
  {
    transactionalId: string('0+'),
    groupId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    generationId: int32('3+', { default: -1 }), // KIP-447
    memberId: string('3+', { default: '' }), // KIP-447
    groupInstanceId: nullableString('3+', { default: null }), // KIP-447
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }), // KIP-320
        committedMetadata: nullableString('0+'),
      }),
    }),
  },
);
export type TxnOffsetCommitRequest = Decoded<typeof txnOffsetCommitRequest>;

export const txnOffsetCommitResponse = message(
  'TxnOffsetCommitResponse',
  { apiKey: 28, type: 'response', versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
);
export type TxnOffsetCommitResponse = Decoded<typeof txnOffsetCommitResponse>;
