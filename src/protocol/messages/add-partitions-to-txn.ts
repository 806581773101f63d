// AddPartitionsToTxn (API 24): partitions become part of a transaction before the first write to them.
// Wire tables only. Until version 3 clients ask for one transaction, from version 4 on brokers verify many (KIP-890).
import { arrayOf, boolean, int16, int32, int64, message, string, type Decoded } from '../schema.ts';

const addPartitionsToTxnTopic = {
  name: string('0+', { mapKey: true }),
  partitions: arrayOf('0+', int32),
};

const addPartitionsToTxnTopicResult = {
  name: string('0+', { mapKey: true }),
  resultsByPartition: arrayOf('0+', {
    partitionIndex: int32('0+', { mapKey: true }),
    partitionErrorCode: int16('0+'),
  }),
};

export const addPartitionsToTxnRequest = message(
  'AddPartitionsToTxnRequest',
  { apiKey: 24, type: 'request', versions: '0-5', flexible: '3+' },
  {
    // KIP-890
    transactions: arrayOf('4+', {
      transactionalId: string('4+', { mapKey: true }),
      producerId: int64('4+'),
      producerEpoch: int16('4+'),
      verifyOnly: boolean('4+', { default: false }),
      topics: arrayOf('4+', addPartitionsToTxnTopic),
    }),
    v3AndBelowTransactionalId: string('0-3'),
    v3AndBelowProducerId: int64('0-3'),
    v3AndBelowProducerEpoch: int16('0-3'),
    v3AndBelowTopics: arrayOf('0-3', addPartitionsToTxnTopic),
  },
);
export type AddPartitionsToTxnRequest = Decoded<typeof addPartitionsToTxnRequest>;

export const addPartitionsToTxnResponse = message(
  'AddPartitionsToTxnResponse',
  { apiKey: 24, type: 'response', versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('4+', { ignorable: true }), // KIP-890
    // KIP-890
    resultsByTransaction: arrayOf('4+', {
      transactionalId: string('4+', { mapKey: true }),
      topicResults: arrayOf('4+', addPartitionsToTxnTopicResult),
    }),
    resultsByTopicV3AndBelow: arrayOf('0-3', addPartitionsToTxnTopicResult),
  },
);
export type AddPartitionsToTxnResponse = Decoded<typeof addPartitionsToTxnResponse>;
