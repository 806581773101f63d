// OffsetFetch (API 9): how far a group has read.
// Wire tables only. Until version 7 one group is asked for, from version 8 on a list.
import { arrayOf, boolean, int16, int32, int64, message, nullableArrayOf, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const offsetFetchRequest = message(
  'OffsetFetchRequest',
  { apiKey: 9, type: 'request', versions: '1-10', flexible: '6+' },
  {
    groupId: string('0-7'),
    // null asks for all topics of the group
    topics: arrayOf(
      '0-7',
      {
        name: string('0-7'),
        partitionIndexes: arrayOf('0-7', int32),
      },
      { nullable: '2-7' },
    ),
    // KIP-709
    groups: arrayOf('8+', {
      groupId: string('8+'),
      memberId: nullableString('9+', { default: null, ignorable: true }), // KIP-848
      memberEpoch: int32('9+', { default: -1, ignorable: true }), // KIP-848
      // null asks for all topics of the group
      topics: nullableArrayOf('8+', {
        name: string('8-9', { ignorable: true }),
        topicId: uuid('10+', { ignorable: true }), // KIP-848
        partitionIndexes: arrayOf('8+', int32),
      }),
    }),
    requireStable: boolean('7+', { default: false }), // KIP-447: do not answer past an open transaction
  },
);
export type OffsetFetchRequest = Decoded<typeof offsetFetchRequest>;

export const offsetFetchResponse = message(
  'OffsetFetchResponse',
  { apiKey: 9, type: 'response', versions: '1-10', flexible: '6+' },
  {
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: arrayOf('0-7', {
      name: string('0-7'),
      partitions: arrayOf('0-7', {
        partitionIndex: int32('0-7'),
        committedOffset: int64('0-7'),
        committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }), // KIP-320
        metadata: nullableString('0-7'),
        errorCode: int16('0-7'),
      }),
    }),
    errorCode: int16('2-7', { default: 0, ignorable: true }),
    // KIP-709
    groups: arrayOf('8+', {
      groupId: string('8+'),
      topics: arrayOf('8+', {
        name: string('8-9', { ignorable: true }),
        topicId: uuid('10+', { ignorable: true }), // KIP-848
        partitions: arrayOf('8+', {
          partitionIndex: int32('8+'),
          committedOffset: int64('8+'),
          committedLeaderEpoch: int32('8+', { default: -1, ignorable: true }), // KIP-320
          metadata: nullableString('8+'),
          errorCode: int16('8+'),
        }),
      }),
      errorCode: int16('8+', { default: 0 }),
    }),
  },
);
export type OffsetFetchResponse = Decoded<typeof offsetFetchResponse>;
