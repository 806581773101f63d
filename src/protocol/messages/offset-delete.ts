// OffsetDelete (API 47): committed offsets of a group go, partition by partition (KIP-496).
// Wire tables only. Which are in use is decided by the group coordinator.
import { arrayOf, int16, int32, message, string, type Decoded } from '../schema.ts';

export const offsetDeleteRequest = message(
  'OffsetDeleteRequest',
  { apiKey: 47, type: 'request', versions: '0', flexible: 'none' },
  {
    groupId: string('0+'),
    topics: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
      }),
    }),
  },
);
export type OffsetDeleteRequest = Decoded<typeof offsetDeleteRequest>;

export const offsetDeleteResponse = message(
  'OffsetDeleteResponse',
  { apiKey: 47, type: 'response', versions: '0', flexible: 'none' },
  {
    errorCode: int16('0+'),
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        errorCode: int16('0+'),
      }),
    }),
  },
);
export type OffsetDeleteResponse = Decoded<typeof offsetDeleteResponse>;
