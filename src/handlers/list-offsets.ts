// ListOffsets (API 2): the offset at a timestamp, or at one of the places that negative timestamps name.
import { KafkaError, NONE, errorCodeOf } from '../protocol/errors.ts';
import type { listOffsetsResponse, ListOffsetsRequest } from '../protocol/messages/list-offsets.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { Isolation, PartitionLog } from '../storage/log/partition-log.ts';
import type { RequestContext } from './handler.ts';

type ListOffsetsResponseData = Encodable<typeof listOffsetsResponse>;

type PartitionAnswer = ListOffsetsResponseData['topics'][number]['partitions'][number];

/** Timestamps that name a place, and the version from which each may be asked (ListOffsetsRequest of Kafka). */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3; //      v7, KIP-734
const EARLIEST_LOCAL = -4; //     v8, KIP-405
const LATEST_TIERED = -5; //      v9, KIP-1005
const EARLIEST_PENDING_UPLOAD = -6; // v11, KIP-1023
const firstVersionOf = new Map([
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
]);

const UNKNOWN = { timestamp: -1, offset: -1, leaderEpoch: -1 };

export async function handleListOffsets(request: ListOffsetsRequest, context: RequestContext): Promise<ListOffsetsResponseData> {
  const isolation: Isolation = request.isolationLevel === 1 ? 'readCommitted' : 'readUncommitted';
  const asked = new Set<string>();
  const twice = new Set<string>();
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}-${partitionIndex}`;
      (asked.has(key) ? twice : asked).add(key);
    }
  }
  return {
    throttleTimeMs: 0,
    topics: await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ partitionIndex, currentLeaderEpoch, timestamp }): Promise<PartitionAnswer> => {
            try {
              if (twice.has(`${name}-${partitionIndex}`)) throw new KafkaError('INVALID_REQUEST', 'the partition is named twice');
              context.authorize('DESCRIBE', 'TOPIC', name);
              const topic = context.broker.image.findTopic(name);
              if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
              const log = context.broker.partitions.ledHere(topic, partitionIndex);
              log.checkLeaderEpoch(currentLeaderEpoch);
              const place = await placeOf(log, timestamp, isolation, context.apiVersion);
              // Version 4 brought the leader epoch (KIP-320), and no older one has room for it.
              return { partitionIndex, errorCode: NONE, ...place, leaderEpoch: context.apiVersion >= 4 ? place.leaderEpoch : -1 };
            } catch (thrown) {
              return { partitionIndex, errorCode: errorCodeOf(thrown, context.log), ...UNKNOWN };
            }
          }),
        ),
      })),
    ),
  };
}

async function placeOf(log: PartitionLog, timestamp: number, isolation: Isolation, version: number): Promise<typeof UNKNOWN> {
  if ((firstVersionOf.get(timestamp) ?? 0) > version) throw new KafkaError('UNSUPPORTED_VERSION');
  switch (timestamp) {
    case LATEST: {
      const offset = isolation === 'readCommitted' ? log.lastStableOffset : log.highWatermark;
      return { timestamp: -1, offset, leaderEpoch: log.leaderEpoch };
    }
    // Nothing is tiered: what is here is all there is, and nothing waits to be uploaded.
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { timestamp: -1, offset: log.logStartOffset, leaderEpoch: log.leaderEpochs.epochAt(log.logStartOffset) ?? log.leaderEpoch };
    case LATEST_TIERED:
      return UNKNOWN;
    case EARLIEST_PENDING_UPLOAD:
      return UNKNOWN;
    case MAX_TIMESTAMP:
      return (await log.offsetOfMaxTimestamp()) ?? UNKNOWN;
    default:
      if (timestamp < 0) throw new KafkaError('UNSUPPORTED_VERSION', `${timestamp} names no place in a log`);
      return (await log.offsetForTimestamp(timestamp, isolation)) ?? UNKNOWN;
  }
}
