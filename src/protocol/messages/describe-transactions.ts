// DescribeTransactions (API 65): the state of transactions by transactional id (KIP-664).
// Wire tables only. The state is kept by the transaction coordinator.
import { arrayOf, int16, int32, int64, message, string, type Decoded } from '../schema.ts';

export const describeTransactionsRequest = message(
  'DescribeTransactionsRequest',
  { apiKey: 65, type: 'request', versions: '0', flexible: '0+' },
  {
    transactionalIds: arrayOf('0+', string),
  },
);
export type DescribeTransactionsRequest = Decoded<typeof describeTransactionsRequest>;

export const describeTransactionsResponse = message(
  'DescribeTransactionsResponse',
  { apiKey: 65, type: 'response', versions: '0', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    transactionStates: arrayOf('0+', {
      errorCode: int16('0+'),
      transactionalId: string('0+'),
      transactionState: string('0+'),
      transactionTimeoutMs: int32('0+'),
      transactionStartTimeMs: int64('0+'),
      producerId: int64('0+'),
      producerEpoch: int16('0+'),
      topics: arrayOf('0+', {
        topic: string('0+', { mapKey: true }),
        partitions: arrayOf('0+', int32),
      }),
    }),
  },
);
export type DescribeTransactionsResponse = Decoded<typeof describeTransactionsResponse>;
