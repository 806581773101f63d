// CreateTopics (API 19): new topics, with partitions, replicas and settings.
// Wire tables only. What a legal topic is, is decided in handlers/create-topics.ts.
import { arrayOf, boolean, int16, int32, int8, message, nullableArrayOf, nullableString, string, uuid, type Decoded } from '../schema.ts';

export const createTopicsRequest = message(
  'CreateTopicsRequest',
  { apiKey: 19, type: 'request', versions: '2-7', flexible: '5+' },
  {
    topics: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      numPartitions: int32('0+'), // -1 asks for the default (KIP-464)
      replicationFactor: int16('0+'), // -1 asks for the default (KIP-464)
      assignments: arrayOf('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        brokerIds: arrayOf('0+', int32),
      }),
      configs: arrayOf('0+', {
        name: string('0+', { mapKey: true }),
        value: nullableString('0+'),
      }),
    }),
    timeoutMs: int32('0+', { default: 60_000 }),
    validateOnly: boolean('1+', { default: false }),
  },
);
export type CreateTopicsRequest = Decoded<typeof createTopicsRequest>;

export const createTopicsResponse = message(
  'CreateTopicsResponse',
  { apiKey: 19, type: 'response', versions: '2-7', flexible: '5+' },
  {
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: arrayOf('0+', {
      name: string('0+', { mapKey: true }),
      topicId: uuid('7+', { ignorable: true }), // KIP-516
      errorCode: int16('0+'),
      errorMessage: nullableString('1+', { ignorable: true }),
      topicConfigErrorCode: int16('5+', { tag: 0, ignorable: true }), // KIP-525
      numPartitions: int32('5+', { default: -1, ignorable: true }), // KIP-525
      replicationFactor: int16('5+', { default: -1, ignorable: true }), // KIP-525
      // KIP-525
      configs: nullableArrayOf(
        '5+',
        {
          name: string('5+'),
          value: nullableString('5+'),
          readOnly: boolean('5+'),
          configSource: int8('5+', { default: -1, ignorable: true }),
          isSensitive: boolean('5+'),
        },
        { ignorable: true },
      ),
    }),
  },
);
export type CreateTopicsResponse = Decoded<typeof createTopicsResponse>;
