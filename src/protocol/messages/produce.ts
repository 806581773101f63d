// Produce (API 0): a client hands over record batches for partitions this broker leads.
// Wire tables only. What may be appended, and where, is decided in handlers/produce.ts.
import { arrayOf, int16, int32, int64, message, nullableRecords, nullableString, string, struct, uuid, type Decoded } from '../schema.ts';

export const produceRequest = message(
  'ProduceRequest',
  { apiKey: 0, type: 'request', versions: '3-13', flexible: '9+' },
  {
    transactionalId: nullableString('3+', { default: null }), // KIP-98
    acks: int16('0+'), // -1 all in-sync replicas, 0 no answer, 1 the leader
    timeoutMs: int32('0+'),
    topicData: arrayOf('0+', {
      name: string('0-12', { ignorable: true, mapKey: true }),
      topicId: uuid('13+', { ignorable: true, mapKey: true }), // KIP-516: the id takes the place of the name
      partitionData: arrayOf('0+', {
        index: int32('0+'),
        records: nullableRecords('0+'), // record batches stay opaque bytes
      }),
    }),
  },
);
export type ProduceRequest = Decoded<typeof produceRequest>;

export const produceResponse = message(
  'ProduceResponse',
  { apiKey: 0, type: 'response', versions: '3-13', flexible: '9+' },
  {
    responses: arrayOf('0+', {
      name: string('0-12', { ignorable: true, mapKey: true }),
      topicId: uuid('13+', { ignorable: true, mapKey: true }), // KIP-516
      partitionResponses: arrayOf('0+', {
        index: int32('0+'),
        errorCode: int16('0+'),
        baseOffset: int64('0+'),
        logAppendTimeMs: int64('2+', { default: -1, ignorable: true }), // KIP-32: -1 unless the topic stamps records on append
        logStartOffset: int64('5+', { default: -1, ignorable: true }), // KIP-207
        // KIP-467
        recordErrors: arrayOf(
          '8+',
          {
            batchIndex: int32('8+'),
            batchIndexErrorMessage: nullableString('8+', { default: null }),
          },
          { ignorable: true },
        ),
        errorMessage: nullableString('8+', { default: null, ignorable: true }), // KIP-467
        // KIP-951: saves the client a Metadata request
        currentLeader: struct(
          '10+',
          {
            leaderId: int32('10+', { default: -1 }),
            leaderEpoch: int32('10+', { default: -1 }),
          },
          { tag: 0 },
        ),
      }),
    }),
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    // KIP-951
    nodeEndpoints: arrayOf(
      '10+',
      {
        nodeId: int32('10+', { mapKey: true }),
        host: string('10+'),
        port: int32('10+'),
        rack: nullableString('10+', { default: null }),
      },
      { tag: 0 },
    ),
  },
);
export type ProduceResponse = Decoded<typeof produceResponse>;
