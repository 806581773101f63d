// WriteTxnMarkers (API 27): the outcome of transactions is written into their partitions.
// Wire tables only. Sent by transaction coordinators, and by admin clients to end a hanging transaction.
import { arrayOf, boolean, int16, int32, int64, int8, message, string, type Decoded } from '../schema.ts';

export const writeTxnMarkersRequest = message(
  'WriteTxnMarkersRequest',
  { apiKey: 27, type: 'request', versions: '1-2', flexible: '1+' },
  {
    markers: arrayOf('0+', {
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      transactionResult: boolean('0+'),
      topics: arrayOf('0+', {
        name: string('0+'),
        partitionIndexes: arrayOf('0+', int32),
      }),
      coordinatorEpoch: int32('0+'),
      transactionVersion: int8('2+', { default: 0, ignorable: true }), // KIP-1228
    }),
  },
);
export type WriteTxnMarkersRequest = Decoded<typeof writeTxnMarkersRequest>;

export const writeTxnMarkersResponse = message(
  'WriteTxnMarkersResponse',
  { apiKey: 27, type: 'response', versions: '1-2', flexible: '1+' },
  {
    markers: arrayOf('0+', {
      producerId: int64('0+'),
      topics: arrayOf('0+', {
        name: string('0+'),
        partitions: arrayOf('0+', {
          partitionIndex: int32('0+'),
          errorCode: int16('0+'),
        }),
      }),
    }),
  },
);
export type WriteTxnMarkersResponse = Decoded<typeof writeTxnMarkersResponse>;
