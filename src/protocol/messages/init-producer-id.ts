// InitProducerId (API 22): a producer gets its id and epoch; with a transactional id, earlier producers of that id are fenced off.
// Wire tables only. Version 6 (two-phase commit) is not stable in Kafka and not spoken here.
import { boolean, int16, int32, int64, message, nullableString, type Decoded } from '../schema.ts';

export const initProducerIdRequest = message(
  'InitProducerIdRequest',
  { apiKey: 22, type: 'request', versions: '0-6', flexible: '2+', unstable: '6' },
  {
    transactionalId: nullableString('0+'),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1 }), // KIP-360: the client goes on with the id it has
    producerEpoch: int16('3+', { default: -1 }), // KIP-360
    enable2Pc: boolean('6+', { default: false }), // KIP-939
    keepPreparedTxn: boolean('6+', { default: false }), // KIP-939
  },
);
export type InitProducerIdRequest = Decoded<typeof initProducerIdRequest>;

export const initProducerIdResponse = message(
  'InitProducerIdResponse',
  { apiKey: 22, type: 'response', versions: '0-6', flexible: '2+', unstable: '6' },
  {
    throttleTimeMs: int32('0+', { ignorable: true }),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1 }),
    producerEpoch: int16('0+'),
    ongoingTxnProducerId: int64('6+', { default: -1 }), // KIP-939
    ongoingTxnProducerEpoch: int16('6+', { default: -1 }), // KIP-939
  },
);
export type InitProducerIdResponse = Decoded<typeof initProducerIdResponse>;
