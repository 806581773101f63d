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
    clusterId: nullableString('12+', { tag: 0, default: null, ignorable: true }), // KIP-595
    replicaId: int32('0-14', { default: -1 }), // -1 for clients; 0 and above is a replica and needs permission on the cluster
    // KIP-903: takes the place of replicaId
    replicaState: struct(
      '15+',
      {
        replicaId: int32('15+', { default: -1 }), // -1 for clients; 0 and above is a replica and needs permission on the cluster
        replicaEpoch: int64('15+', { default: -1 }),
      },
      { tag: 1 },
    ),
    maxWaitMs: int32('0+'),
    minBytes: int32('0+'),
    maxBytes: int32('3+', { default: 0x7fff_ffff, ignorable: true }),
    isolationLevel: int8('4+', { default: 0, ignorable: true }), // KIP-98: 0 read_uncommitted, 1 read_committed
    sessionId: int32('7+', { default: 0, ignorable: true }), // KIP-227
    sessionEpoch: int32('7+', { default: -1, ignorable: true }), // KIP-227: 0 opens a session, -1 goes without
    topics: arrayOf('0+', {
      topic: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }), // KIP-516
      partitions: arrayOf('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('9+', { default: -1, ignorable: true }), // KIP-320
        fetchOffset: int64('0+'),
        lastFetchedEpoch: int32('12+', { default: -1 }), // KIP-595
        logStartOffset: int64('5+', { default: -1, ignorable: true }), // KIP-107: of the follower that asks
        partitionMaxBytes: int32('0+'),
        replicaDirectoryId: uuid('17+', { tag: 0, ignorable: true }), // KIP-853
        highWatermark: int64('18+', { tag: 1, default: Number.MAX_SAFE_INTEGER, ignorable: true }), // KIP-1166: of the replica that asks; the default means that it does not say
      }),
    }),
    // KIP-227
    forgottenTopicsData: arrayOf('7+', {
      topic: string('7-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }),
      partitions: arrayOf('7+', int32),
    }),
    rackId: string('11+', { default: '', ignorable: true }), // KIP-392
  },
);
export type FetchRequest = Decoded<typeof fetchRequest>;

export const fetchResponse = message(
  'FetchResponse',
  { apiKey: 1, type: 'response', versions: '4-18', flexible: '12+' },
  {
    throttleTimeMs: int32('1+', { ignorable: true }),
    errorCode: int16('7+', { ignorable: true }), // KIP-227
    sessionId: int32('7+', { default: 0 }), // KIP-227
    responses: arrayOf('0+', {
      topic: string('0-12', { ignorable: true }),
      topicId: uuid('13+', { ignorable: true }), // KIP-516
      partitions: arrayOf('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        highWatermark: int64('0+'),
        lastStableOffset: int64('4+', { default: -1, ignorable: true }),
        logStartOffset: int64('5+', { default: -1, ignorable: true }), // KIP-107
        // KIP-595
        divergingEpoch: struct(
          '12+',
          {
            epoch: int32('12+', { default: -1 }),
            endOffset: int64('12+', { default: -1 }),
          },
          { tag: 0 },
        ),
        // KIP-595, and for clients KIP-951
        currentLeader: struct(
          '12+',
          {
            leaderId: int32('12+', { default: -1 }),
            leaderEpoch: int32('12+', { default: -1 }),
          },
          { tag: 1 },
        ),
        // KIP-630
        snapshotId: struct(
          '12+',
          {
            endOffset: int64('0+', { default: -1 }),
            epoch: int32('0+', { default: -1 }),
          },
          { tag: 2 },
        ),
        // KIP-98: null unless read_committed was asked for
        abortedTransactions: nullableArrayOf(
          '4+',
          {
            producerId: int64('4+'),
            firstOffset: int64('4+'),
          },
          { ignorable: true },
        ),
        preferredReadReplica: int32('11+', { default: -1 }), // KIP-392
        records: nullableRecords('0+'), // never null in an answer of ours, on which some clients fail: empty instead
      }),
    }),
    // KIP-951
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
