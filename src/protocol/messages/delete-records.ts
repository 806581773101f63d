// DeleteRecords (API 21): moves a partition's log start offset forward.
// Wire tables only. What is deleted, and what may not be, is decided in handlers/delete-records.ts.
import { arrayOf, int16, int32, int64, message, string, type Decoded } from '../schema.ts';

export const deleteRecordsRequest = message(
  'DeleteRecordsRequest',
  { apiKey: 21, type: 'request', versions: '0-2', flexible: '2+' },
  {
    topics: arrayOf('0+', {
      name: string('0+'),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        offset: int64('0+'), // -1 asks for the high watermark
      }),
    }),
    timeoutMs: int32('0+'),
  },
);
export type DeleteRecordsRequest = Decoded<typeof deleteRecordsRequest>;

export const deleteRecordsResponse = message(
  'DeleteRecordsResponse',
  { apiKey: 21, type: 'response', versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+'),
    topics: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        lowWatermark: int64('0+'),
        errorCode: int16('0+'),
      }),
    }),
  },
);
export type DeleteRecordsResponse = Decoded<typeof deleteRecordsResponse>;
