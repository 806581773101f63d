// AlterShareGroupOffsets (API 91): share groups continue from another offset (KIP-932).
// Wire tables only. Whether they may is decided by the group coordinator.
import { arrayOf, int16, int32, int64, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const alterShareGroupOffsetsRequest = message(
  'AlterShareGroupOffsetsRequest',
  { apiKey: 91, type: 'request', versions: '0', flexible: '0+' },
  {
    groupId: string('0+'),
    topics: arrayOf('0+', {
      topicName: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        startOffset: int64('0+'),
      }),
    }),
  },
);
export type AlterShareGroupOffsetsRequest = Decoded<typeof alterShareGroupOffsetsRequest>;

export const alterShareGroupOffsetsResponse = message(
  'AlterShareGroupOffsetsResponse',
  { apiKey: 91, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    responses: arrayOf('0+', {
      topicName: string('0+', { mapKey: true }),
      topicId: uuid('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
      }),
    }),
  },
);
export type AlterShareGroupOffsetsResponse = Decoded<typeof alterShareGroupOffsetsResponse>;
