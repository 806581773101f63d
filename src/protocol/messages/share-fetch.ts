// ShareFetch (API 78): records for a member of a share group, which it has to acknowledge one by one (KIP-932).
// Wire tables only. Which records it gets is decided by the share partition.
import {
  arrayOf,
  boolean,
  int16,
  int32,
  int64,
  int8,
  message,
  nullableString,
  records,
  string,
  struct,
  uuid,
  type Decoded,
} from '../schema.ts';

export const shareFetchRequest = message(
  'ShareFetchRequest',
  { apiKey: 78, type: 'request', versions: '1-2', flexible: '0+' },
  {
    groupId: nullableString('0+', { default: null }),
    memberId: nullableString('0+'),
    shareSessionEpoch: int32('0+'),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('0+', { default: 0x7fff_ffff }),
    maxRecords: int32('1+'),
    batchSize: int32('1+'),
    shareAcquireMode: int8('2+', { default: 0, ignorable: true }), // KIP-1206
    isRenewAck: boolean('2+', { default: false }), // KIP-1222
    topics: arrayOf('0+', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+', { mapKey: true }),
        acknowledgementBatches: arrayOf('0+', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          acknowledgeTypes: arrayOf('0+', int8),
        }),
      }),
    }),
    forgottenTopicsData: arrayOf('0+', {
      topicId: uuid('0+'),
      partitions: arrayOf('0+', int32),
    }),
  },
);
export type ShareFetchRequest = Decoded<typeof shareFetchRequest>;

export const shareFetchResponse = message(
  'ShareFetchResponse',
  { apiKey: 78, type: 'response', versions: '1-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    acquisitionLockTimeoutMs: int32('1+'),
    responses: arrayOf('0+', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        acknowledgeErrorCode: int16('0+'),
        acknowledgeErrorMessage: nullableString('0+', { default: null }),
        currentLeader: struct('0+', {
          leaderId: int32('0+'),
          leaderEpoch: int32('0+'),
        }),
        records: records('0+'),
        acquiredRecords: arrayOf('0+', {
          firstOffset: int64('0+'),
          lastOffset: int64('0+'),
          deliveryCount: int16('0+'),
        }),
      }),
    }),
    nodeEndpoints: arrayOf('0+', {
      nodeId: int32('0+', { mapKey: true }),
      host: string('0+'),
      port: int32('0+'),
      rack: nullableString('0+', { default: null }),
    }),
  },
);
export type ShareFetchResponse = Decoded<typeof shareFetchResponse>;
