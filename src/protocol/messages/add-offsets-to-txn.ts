// AddOffsetsToTxn (API 25): a group's offsets become part of a transaction.
// Wire tables only. The partition of __consumer_offsets is worked out by the transaction coordinator.
import { int16, int32, int64, message, string, type Decoded } from '../schema.ts';

export const addOffsetsToTxnRequest = message(
  'AddOffsetsToTxnRequest',
  { apiKey: 25, type: 'request', versions: '0-4', flexible: '3+' },
  {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    groupId: string('0+'),
  },
);
export type AddOffsetsToTxnRequest = Decoded<typeof addOffsetsToTxnRequest>;

export const addOffsetsToTxnResponse = message(
  'AddOffsetsToTxnResponse',
  { apiKey: 25, type: 'response', versions: '0-4', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
  },
);
export type AddOffsetsToTxnResponse = Decoded<typeof addOffsetsToTxnResponse>;
