// The records of __transaction_state: what the transaction coordinator knows of each transactional id (KIP-98). Tables only;
// broker/transactions/ folds them into state.
import { arrayOf, int16, int32, int64, int8, message, nullableArrayOf, string, type Decoded } from '../schema.ts';
import type { CoordinatorTables } from './coordinator-tables.ts';

export const transactionLogKey = message(
  'TransactionLogKey',
  { apiKey: 0, type: 'data', versions: '0', flexible: 'none' },
  {
    transactionalId: string('0'),
  },
);
export type TransactionLogKey = Decoded<typeof transactionLogKey>;

export const transactionLogValue = message(
  'TransactionLogValue',
  { apiKey: 0, type: 'data', versions: '0-1', flexible: '1+' },
  {
    producerId: int64('0+'),
    previousProducerId: int64('1+', { tag: 0, default: -1 }), // KIP-890
    nextProducerId: int64('1+', { tag: 1, default: -1 }), // KIP-890
    producerEpoch: int16('0+'),
    nextProducerEpoch: int16('1+', { tag: 3, default: -1 }), // KIP-890
    transactionTimeoutMs: int32('0+'),
    transactionStatus: int8('0+'),
    transactionPartitions: nullableArrayOf('0+', {
      topic: string('0+'),
      partitionIds: arrayOf('0+', int32),
    }),
    transactionLastUpdateTimestampMs: int64('0+'),
    transactionStartTimestampMs: int64('0+'),
    clientTransactionVersion: int16('1+', { tag: 2, default: 0 }), // KIP-890
  },
);
export type TransactionLogValue = Decoded<typeof transactionLogValue>;

/** Key and value tables by record type: the int16 that every key begins with. */
export const transactionRecords: ReadonlyMap<number, CoordinatorTables> = new Map<number, CoordinatorTables>([
  [0, { key: transactionLogKey, value: transactionLogValue }],
]);
