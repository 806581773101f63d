// Fetch (API 1): record batches from an offset on, for clients and for replicas.
// Wire tables only. Sessions, waiting and limits are decided in handlers/fetch.ts.
import {
  arrayOf,
  int16,
  int32,
  int64,
  int8,
  message,
  nullableArrayOf,
  nullableRecords,
  nullableString,
  string,
  struct,
  uuid,
  type Decoded,
} from '../schema.ts';

export const fetchRequest = message(
  'FetchRequest',
  { apiKey: 1, type: 'request', versions: '4-18', flexible: '12+' },
  {
    clusterId: nullableString('12+', { tag: 0, default: null, ignorable: true }),
    replicaId: int32('0-14', { default: -1 }),
    replicaState: struct(
      '15+',
      {
        replicaId: int32('15+', { default: -1 }),
        replicaEpoch: int64('15+', { default: -1 }),
      },
      { tag: 1 },
    ),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('3+', { default: 0x7fff_ffff, ignorable: true }),
    isolationLevel: int8('4+', { default: 0, ignorable: true }),
    sessionId: int32('7+', { default: 0, ignorable: true }),
    sessionEpoch: int32('7+', { default: -1, ignorable: true }),
    topics: arrayOf('0+', {
      topic: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('9+', { default: -1, ignorable: true }),
        fetchOffset: int64('0+'),
        lastFetchedEpoch: int32('12+', { default: -1 }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        partitionMaxBytes: int32('0+'),
        replicaDirectoryId: uuid('17+', { tag: 0, ignorable: true }),
        highWatermark: int64('18+', { tag: 1, default: Number.MAX_SAFE_INTEGER, ignorable: true }),
      }),
    }),
    forgottenTopicsData: arrayOf('7+', {
      topic: string('7-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: arrayOf('7+', int32),
    }),
    rackId: string('11+', { default: '', ignorable: true }),
  },
);
export type FetchRequest = Decoded<typeof fetchRequest>;

export const fetchResponse = message(
  'FetchResponse',
  { apiKey: 1, type: 'response', versions: '4-18', flexible: '12+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('7+', { ignorable: true }),
    sessionId: int32('7+', { default: 0 }),
    responses: arrayOf('0+', {
      topic: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        highWatermark: int64('0+'),
        lastStableOffset: int64('4+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }),
        divergingEpoch: struct(
          '12+',
          {
            epoch: int32('12+', { default: -1 }),
            endOffset: int64('12+', { default: -1 }),
          },
          { tag: 0 },
        ),
        currentLeader: struct(
          '12+',
          {
            leaderId: int32('12+', { default: -1 }),
            leaderEpoch: int32('12+', { default: -1 }),
          },
          { tag: 1 },
        ),
        snapshotId: struct(
          '12+',
          {
            endOffset: int64('0+', { default: -1 }),
            epoch: int32('0+', { default: -1 }),
          },
          { tag: 2 },
        ),
        abortedTransactions: nullableArrayOf(
          '4+',
          {
            producerId: int64('4+'),
            firstOffset: int64('4+'),
          },
          { ignorable: true },
        ),
        preferredReadReplica: int32('11+', { default: -1 }),
        records: nullableRecords('0+'),
      }),
    }),
    nodeEndpoints: arrayOf(
      '16+',
      {
        nodeId: int32('16+', { mapKey: true }),
        host: string('16+'),
        port: int32('16+'),
        rack: nullableString('16+', { default: null }),
      },
      { tag: 0 },
    ),
  },
);
export type FetchResponse = Decoded<typeof fetchResponse>;
