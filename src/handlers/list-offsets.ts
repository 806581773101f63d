// ListOffsets (API 2): the offset at a timestamp, or at one of the places that negative timestamps name.
import { check, KafkaError, NONE, errorCodeOf } from '../protocol/errors.ts';
import type { listOffsetsResponse, ListOffsetsRequest } from '../protocol/messages/list-offsets.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { Isolation, PartitionLog } from '../storage/log/partition-log.ts';
import type { RequestContext } from './handler.ts';
import { Turns } from './turns.ts';

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
  const turns = new Turns(context.broker.env);
  const twice = await partitionsNamedTwice(request, turns);
  const isolation: Isolation = request.isolationLevel === 1 ? 'readCommitted' : 'readUncommitted';
  const topics: { name: string; answers: (PartitionAnswer | Promise<PartitionAnswer>)[] }[] = [];
  for (const { name, partitions } of request.topics) {
    const answers: (PartitionAnswer | Promise<PartitionAnswer>)[] = [];
    topics.push({ name, answers });
    for (const asked of partitions) {
      if (turns.isOver()) await turns.next();
      answers.push(answerPartition(name, asked, { isolation, twice }, context));
    }
  }
  const answered: ListOffsetsResponseData['topics'][number][] = [];
  for (const { name, answers } of topics)
    answered.push({ name, partitions: await Promise.all(answers.map((answer) => Promise.resolve(answer))) });
  await turns.last();
  return { throttleTimeMs: 0, topics: answered };
}

async function partitionsNamedTwice({ topics }: ListOffsetsRequest, turns: Turns): Promise<ReadonlySet<string>> {
  const asked = new Set<string>();
  const twice = new Set<string>();
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      if (turns.isOver()) await turns.next();
      const key = `${name}-${partitionIndex}`;
      (asked.has(key) ? twice : asked).add(key);
    }
  }
  return twice;
}

/** Without a promise where no file has to be looked at. */
function answerPartition(
  name: string,
  asked: ListOffsetsRequest['topics'][number]['partitions'][number],
  around: { isolation: Isolation; twice: ReadonlySet<string> },
  context: RequestContext,
): PartitionAnswer | Promise<PartitionAnswer> {
  const { partitionIndex, currentLeaderEpoch, timestamp } = asked;
  const refuse = (thrown: unknown): PartitionAnswer => ({ partitionIndex, errorCode: errorCodeOf(thrown, context.log), ...UNKNOWN });
  // Version 4 brought the leader epoch (KIP-320), and no older one has room for it.
  const shape = (place: typeof UNKNOWN): PartitionAnswer => ({
    partitionIndex,
    errorCode: NONE,
    ...place,
    leaderEpoch: context.apiVersion >= 4 ? place.leaderEpoch : -1,
  });
  try {
    check(!around.twice.has(`${name}-${partitionIndex}`), 'INVALID_REQUEST', 'the partition is named twice');
    context.authorize('DESCRIBE', 'TOPIC', name);
    const topic = context.broker.image.findTopic(name);
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    const log = context.broker.partitions.ledHere(topic, partitionIndex);
    log.checkLeaderEpoch(currentLeaderEpoch);
    const place = placeOf(log, timestamp, around.isolation, context.apiVersion);
    return place instanceof Promise ? place.then(shape, refuse) : shape(place);
  } catch (thrown) {
    return refuse(thrown);
  }
}

function placeOf(log: PartitionLog, timestamp: number, isolation: Isolation, version: number): typeof UNKNOWN | Promise<typeof UNKNOWN> {
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
      return log.offsetOfMaxTimestamp().then((found) => found ?? UNKNOWN);
    default:
      if (timestamp < 0) throw new KafkaError('UNSUPPORTED_VERSION', `${timestamp} names no place in a log`);
      return log.offsetForTimestamp(timestamp, isolation).then((found) => found ?? UNKNOWN);
  }
}
