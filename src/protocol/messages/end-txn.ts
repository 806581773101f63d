// EndTxn (API 26): a transaction is committed or aborted.
// Wire tables only. From version 5 on the answer carries the next epoch of the producer (KIP-890).
import { boolean, int16, int32, int64, message, string, type Decoded } from '../schema.ts';

export const endTxnRequest = message(
  'EndTxnRequest',
  { apiKey: 26, type: 'request', versions: '0-5', flexible: '3+' },
  {
    transactionalId: string('0+'),
    producerId: int64('0+'),
    producerEpoch: int16('0+'),
    committed: boolean('0+'),
  },
);
export type EndTxnRequest = Decoded<typeof endTxnRequest>;

export const endTxnResponse = message(
  'EndTxnResponse',
  { apiKey: 26, type: 'response', versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    producerId: int64('5+', { default: -1, ignorable: true }), // KIP-890
    producerEpoch: int16('5+', { default: -1, ignorable: true }), // KIP-890
  },
);
export type EndTxnResponse = Decoded<typeof endTxnResponse>;
