// Fetch (API 1): record batches from the offsets a client names, within its limits; waits for more when there is too
// little. Sizes are shared out here; which batches may be seen is decided by the log.
import { KafkaError, NONE, errorCodeOf } from '../protocol/errors.ts';
import type { fetchResponse, FetchRequest } from '../protocol/messages/fetch.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { Isolation, PartitionLog, ReadResult } from '../storage/log/partition-log.ts';
import { waitForAdvance } from '../broker/fetch-waiters.ts';
import type { RequestContext } from './handler.ts';

type FetchResponseData = Encodable<typeof fetchResponse>;

type PartitionAnswer = FetchResponseData['responses'][number]['partitions'][number];

/** One partition asked for, with what was found of it. */
interface Wanted {
  readonly index: number;
  readonly fetchOffset: number;
  readonly maxBytes: number;
  readonly currentLeaderEpoch: number;
  readonly log: PartitionLog | undefined;
  readonly failure: unknown;
}

interface WantedTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly Wanted[];
}

export async function handleFetch(request: FetchRequest, context: RequestContext): Promise<FetchResponseData> {
  const { env, config } = context.broker;
  const topics = request.topics.map((topic): WantedTopic => resolveTopic(topic, context));
  const isolation: Isolation = request.isolationLevel === 1 ? 'readCommitted' : 'readUncommitted';
  const maxBytes = Math.min(request.maxBytes, config['fetch.max.bytes']);
  const deadlineMs = context.receivedMs + request.maxWaitMs;

  for (;;) {
    const round = await readAll(topics, { maxBytes, isolation }, context);
    const waitMs = deadlineMs - env.monotonicMs();
    if (round.bytes >= request.minBytes || round.failed || waitMs <= 0 || context.signal.aborted) return round.response;
    const logs = topics.flatMap(({ partitions }) => partitions.flatMap(({ log }) => log ?? []));
    if (logs.length === 0) return round.response;
    await waitForAdvance(env, logs, round.seen, waitMs, context.signal);
  }
}

function resolveTopic(topic: FetchRequest['topics'][number], context: RequestContext): WantedTopic {
  const byId = context.apiVersion >= 13; // KIP-516: the id takes the place of the name
  const image = byId ? context.broker.image.findTopicById(topic.topicId) : context.broker.image.findTopic(topic.topic);
  const partitions = topic.partitions.map((asked): Wanted => {
    const wanted = {
      index: asked.partition,
      fetchOffset: asked.fetchOffset,
      maxBytes: asked.partitionMaxBytes,
      currentLeaderEpoch: asked.currentLeaderEpoch,
    };
    try {
      if (image === undefined) throw new KafkaError(byId ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION');
      context.authorize('READ', 'TOPIC', image.name);
      return { ...wanted, log: context.broker.partitions.ledHere(image, asked.partition), failure: undefined };
    } catch (thrown) {
      return { ...wanted, log: undefined, failure: thrown };
    }
  });
  return { topic: topic.topic, topicId: topic.topicId, partitions };
}

interface Round {
  readonly response: FetchResponseData;
  readonly bytes: number;
  /** Some partition has an error: the client should hear of it now. */
  readonly failed: boolean;
  /** High watermarks at the time of the reads, by log: a log that has moved since needs no wait. */
  readonly seen: ReadonlyMap<PartitionLog, number>;
}

async function readAll(
  topics: readonly WantedTopic[],
  limits: { maxBytes: number; isolation: Isolation },
  context: RequestContext,
): Promise<Round> {
  let bytes = 0;
  let failed = false;
  const seen = new Map<PartitionLog, number>();
  const responses: FetchResponseData['responses'][number][] = [];
  for (const { topic, topicId, partitions } of topics) {
    const answers: PartitionAnswer[] = [];
    for (const wanted of partitions) {
      try {
        if (wanted.log === undefined) throw wanted.failure;
        seen.set(wanted.log, wanted.log.highWatermark);
        const reading = wanted.log.read(wanted.fetchOffset, {
          maxBytes: Math.max(0, Math.min(wanted.maxBytes, limits.maxBytes - bytes)),
          // KIP-74: the first partition with data gives one whole batch, however large; the later ones keep to the limits.
          atLeastOneBatch: bytes === 0,
          isolation: limits.isolation,
          currentLeaderEpoch: wanted.currentLeaderEpoch,
        });
        const read = reading instanceof Promise ? await reading : reading;
        bytes += read.bytes;
        answers.push(shapeAnswer(wanted.index, read));
      } catch (thrown) {
        failed = true;
        answers.push(shapeFailure(wanted, errorCodeOf(thrown, context.log)));
      }
    }
    responses.push({ topic, topicId, partitions: answers });
  }
  return { response: { throttleTimeMs: 0, errorCode: NONE, sessionId: 0, responses }, bytes, failed, seen };
}

function shapeAnswer(partitionIndex: number, read: ReadResult): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: NONE,
    highWatermark: read.highWatermark,
    lastStableOffset: read.lastStableOffset,
    logStartOffset: read.logStartOffset,
    abortedTransactions: read.abortedTransactions,
    records: read.buffers,
  };
}

/** Records are empty, never null: clients have taken a null for a broken answer. */
function shapeFailure(wanted: Wanted, errorCode: number): PartitionAnswer {
  return {
    partitionIndex: wanted.index,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    records: [],
  };
}
