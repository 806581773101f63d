// DeleteShareGroupOffsets (API 92): share groups forget topics (KIP-932).
// Wire tables only. Whether they may is decided by the group coordinator.
import { arrayOf, int16, int32, message, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const deleteShareGroupOffsetsRequest = message(
  'DeleteShareGroupOffsetsRequest',
  { apiKey: 92, type: 'request', versions: '0', flexible: '0+' },
  {
    groupId: string('0+'),
    topics: arrayOf('0+', {
      topicName: string('0+'),
    }),
  },
);
export type DeleteShareGroupOffsetsRequest = Decoded<typeof deleteShareGroupOffsetsRequest>;

export const deleteShareGroupOffsetsResponse = message(
  'DeleteShareGroupOffsetsResponse',
  { apiKey: 92, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    responses: arrayOf('0+', {
      topicName: string('0+'),
      topicId: uuid('0+'),
      errorCode: int16('0+'),
      errorMessage: nullableString('0+', { default: null }),
    }),
  },
);
export type DeleteShareGroupOffsetsResponse = Decoded<typeof deleteShareGroupOffsetsResponse>;
