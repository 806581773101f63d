// ListTransactions (API 66): the transactional ids that this broker coordinates (KIP-664).
// Wire tables only. The state is kept by the transaction coordinator.
import { arrayOf, int16, int32, int64, message, nullableString, string, type Decoded } from '../schema.ts';

export const listTransactionsRequest = message(
  'ListTransactionsRequest',
  { apiKey: 66, type: 'request', versions: '0-2', flexible: '0+' },
  {
    stateFilters: arrayOf('0+', string),
    producerIdFilters: arrayOf('0+', int64),
    durationFilter: int64('1+', { default: -1 }), // KIP-994
    transactionalIdPattern: nullableString('2+', { default: null }), // KIP-1152
  },
);
export type ListTransactionsRequest = Decoded<typeof listTransactionsRequest>;

export const listTransactionsResponse = message(
  'ListTransactionsResponse',
  { apiKey: 66, type: 'response', versions: '0-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    unknownStateFilters: arrayOf('0+', string),
    transactionStates: arrayOf('0+', {
      transactionalId: string('0+'),
      producerId: int64('0+'),
      transactionState: string('0+'),
    }),
  },
);
export type ListTransactionsResponse = Decoded<typeof listTransactionsResponse>;
