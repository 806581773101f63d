// OffsetCommit (API 8): a group notes how far it has read.
// Wire tables only. Who may commit, and when, is decided by the group coordinator.
import { arrayOf, int16, int32, int64, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const offsetCommitRequest = message(
  'OffsetCommitRequest',
  { apiKey: 8, type: 'request', versions: '2-10', flexible: '8+' },
  {
    groupId: string('0+'),
    generationIdOrMemberEpoch: int32('1+', { default: -1, ignorable: true }), // the member epoch in groups of KIP-848, from version 9 on
    memberId: string('1+', { ignorable: true }),
    groupInstanceId: nullableString('7+', { default: null }), // KIP-345
    retentionTimeMs: int64('2-4', { default: -1, ignorable: true }), // gone with KIP-211
    topics: arrayOf('0+', {
      name: string('0-9', { ignorable: true }),
      topicId: uuid('10+', { ignorable: true }), // KIP-848
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('6+', { default: -1, ignorable: true }), // KIP-320
        committedMetadata: nullableString('0+'),
      }),
    }),
  },
);
export type OffsetCommitRequest = Decoded<typeof offsetCommitRequest>;

export const offsetCommitResponse = message(
  'OffsetCommitResponse',
  { apiKey: 8, type: 'response', versions: '2-10', flexible: '8+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: arrayOf('0+', {
      name: string('0-9', { ignorable: true }),
      topicId: uuid('10+', { ignorable: true }), // KIP-848
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
);
export type OffsetCommitResponse = Decoded<typeof offsetCommitResponse>;
