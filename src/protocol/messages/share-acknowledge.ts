// ShareAcknowledge (API 79): a member of a share group accepts, releases or rejects records it was given (KIP-932).
// Wire tables only. What an acknowledgement does is decided by the share partition.
import { arrayOf, boolean, int16, int32, int64, int8, message, nullableString, string, struct, uuid, type Decoded } from '../schema.ts';

export const shareAcknowledgeRequest = message(
  'ShareAcknowledgeRequest',
  { apiKey: 79, type: 'request', versions: '1-2', flexible: '0+' },
  {
    groupId: nullableString('0+', { default: null }),
    memberId: nullableString('0+'),
    shareSessionEpoch: int32('0+'),
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
  },
);
export type ShareAcknowledgeRequest = Decoded<typeof shareAcknowledgeRequest>;

export const shareAcknowledgeResponse = message(
  'ShareAcknowledgeResponse',
  { apiKey: 79, type: 'response', versions: '1-2', flexible: '0+' },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: nullableString('0+', { default: null }),
    acquisitionLockTimeoutMs: int32('2+', { ignorable: true }), // KIP-1222
    responses: arrayOf('0+', {
      topicId: uuid('0+', { mapKey: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: nullableString('0+', { default: null }),
        currentLeader: struct('0+', {
          leaderId: int32('0+'),
          leaderEpoch: int32('0+'),
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
export type ShareAcknowledgeResponse = Decoded<typeof shareAcknowledgeResponse>;
