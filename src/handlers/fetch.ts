// Fetch (API 1): record batches from the offsets a client names, within its limits; waits for more when there is too
// little. Sizes are shared out here; which batches may be seen is decided by the log, what is news by the session.
import type { FetchContext, FetchTarget } from '../broker/fetch-sessions.ts';
import { waitForAdvance } from '../broker/fetch-waiters.ts';
import { KafkaError, NONE, errorCodeOf } from '../protocol/errors.ts';
import type { fetchResponse, FetchRequest } from '../protocol/messages/fetch.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { EpochEnd } from '../storage/log/leader-epochs.ts';
import type { Isolation, PartitionLog, ReadResult } from '../storage/log/partition-log.ts';
import { CurrentLeaders, isOfLeadership } from './current-leaders.ts';
import type { RequestContext } from './handler.ts';

type FetchResponseData = Encodable<typeof fetchResponse>;
type TopicAnswer = FetchResponseData['responses'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

/** Topics are named by id from here on (KIP-516). */
const FIRST_VERSION_BY_ID = 13;
/** KIP-951. */
const FIRST_VERSION_WITH_LEADERS = 16;
/** A request for very many partitions lets others have their turn in between. */
const PARTITIONS_PER_TURN = 1000;

export async function handleFetch(request: FetchRequest, context: RequestContext): Promise<FetchResponseData> {
  const { env, config, fetchSessions, stopping } = context.broker;
  const byId = context.apiVersion >= FIRST_VERSION_BY_ID;
  const session = fetchSessions.open({
    sessionId: request.sessionId,
    sessionEpoch: request.sessionEpoch,
    usesTopicIds: byId,
    targets: request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map(({ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch }): FetchTarget => ({
        topic,
        topicId,
        partition,
        fetchOffset,
        maxBytes: partitionMaxBytes,
        currentLeaderEpoch,
        lastFetchedEpoch,
        knownName: '',
      })),
    ),
    forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic, topicId, partition })),
    ),
  });
  const limits: Limits = {
    maxBytes: Math.min(request.maxBytes, config['fetch.max.bytes']),
    isolation: request.isolationLevel === 1 ? 'readCommitted' : 'readUncommitted',
    byId,
    // A replica of ours does not exist; somebody who says to be one gets no more than a client.
    isReplica: Math.max(request.replicaId, request.replicaState.replicaId) >= 0,
  };
  const deadlineMs = context.receivedMs + request.maxWaitMs;

  for (;;) {
    const round = await readAll(session.targets, limits, context);
    const waitMs = deadlineMs - env.monotonicMs();
    if (
      round.bytes >= request.minBytes ||
      round.failed ||
      waitMs <= 0 ||
      round.seen.size === 0 ||
      context.signal.aborted ||
      stopping.aborted
    ) {
      return shapeResponse(session, round, context);
    }
    await waitForAdvance(env, round.seen, waitMs, [context.signal, stopping]);
  }
}

interface Limits {
  readonly maxBytes: number;
  readonly isolation: Isolation;
  readonly byId: boolean;
  readonly isReplica: boolean;
}

interface Round {
  readonly answers: PartitionAnswer[];
  readonly sizes: number[];
  readonly bytes: number;
  /** Some partition has an error: the client should hear of it now. */
  readonly failed: boolean;
  /** High watermarks at the time of the reads: a log that has moved since needs no wait. */
  readonly seen: ReadonlyMap<PartitionLog, number>;
}

async function readAll(targets: readonly FetchTarget[], limits: Limits, context: RequestContext): Promise<Round> {
  const { env } = context.broker;
  const answers: PartitionAnswer[] = [];
  const sizes: number[] = [];
  const seen = new Map<PartitionLog, number>();
  let bytes = 0;
  let failed = false;
  for (const [at, target] of targets.entries()) {
    if (at > 0 && at % PARTITIONS_PER_TURN === 0) await new Promise<void>((resolve) => env.defer(resolve));
    try {
      const log = findLog(target, limits, context);
      seen.set(log, log.highWatermark);
      const divergingEpoch = divergenceOf(target, log);
      if (divergingEpoch !== undefined) {
        failed = true; // news that the client should have at once
        answers.push(shapeDivergence(target, log, divergingEpoch));
        sizes.push(0);
        continue;
      }
      const reading = log.read(target.fetchOffset, {
        maxBytes: Math.max(0, Math.min(target.maxBytes, limits.maxBytes - bytes)),
        // KIP-74: the first partition with data gives one whole batch, however large; the later ones keep to the limits.
        atLeastOneBatch: bytes === 0,
        isolation: limits.isolation,
        currentLeaderEpoch: target.currentLeaderEpoch,
      });
      const read = reading instanceof Promise ? await reading : reading;
      bytes += read.bytes;
      answers.push(shapeAnswer(target, read));
      sizes.push(read.bytes);
    } catch (thrown) {
      failed = true;
      answers.push(shapeFailure(target, errorCodeOf(thrown, context.log)));
      sizes.push(0);
    }
  }
  return { answers, sizes, bytes, failed, seen };
}

/** Looked up anew for each round: while a fetch waits its topic may go. */
function findLog(target: FetchTarget, { byId, isReplica }: Limits, context: RequestContext): PartitionLog {
  const { image, partitions } = context.broker;
  const topic = byId ? image.findTopicById(target.topicId) : image.findTopic(target.topic);
  if (topic === undefined) {
    if (!byId || target.knownName !== '') {
      throw new KafkaError(image.findTopic(target.knownName) === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INCONSISTENT_TOPIC_ID');
    }
    throw new KafkaError('UNKNOWN_TOPIC_ID');
  }
  context.authorize('READ', 'TOPIC', topic.name);
  if (isReplica) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', 'this partition has no such replica');
  target.knownName = topic.name;
  return partitions.ledHere(topic, target.partition);
}

/**
 * Where a reader that says its last epoch parts from this log (KIP-595): what it has of that epoch must be here too. Undefined
 * when it does not part. Looked at before the offset is: a reader that has more than there is should cut, not begin anew.
 * @throws KafkaError OFFSET_OUT_OF_RANGE for an epoch that this log has not reached
 */
function divergenceOf({ lastFetchedEpoch, fetchOffset, currentLeaderEpoch }: FetchTarget, log: PartitionLog): EpochEnd | undefined {
  if (lastFetchedEpoch < 0) return undefined;
  log.checkLeaderEpoch(currentLeaderEpoch);
  const end = log.endOfLeaderEpoch(lastFetchedEpoch);
  if (end.epoch < 0 || end.endOffset < 0) throw new KafkaError('OFFSET_OUT_OF_RANGE');
  return end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset ? end : undefined;
}

const shapeDivergence = ({ partition }: FetchTarget, log: PartitionLog, divergingEpoch: EpochEnd): PartitionAnswer => ({
  partitionIndex: partition,
  errorCode: NONE,
  highWatermark: log.highWatermark,
  lastStableOffset: log.lastStableOffset,
  logStartOffset: log.logStartOffset,
  abortedTransactions: null,
  divergingEpoch,
  records: [],
});

function shapeAnswer(target: FetchTarget, read: ReadResult): PartitionAnswer {
  const { highWatermark, lastStableOffset, logStartOffset, abortedTransactions, buffers } = read;
  return {
    partitionIndex: target.partition,
    errorCode: NONE,
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions,
    records: buffers,
  };
}

/** Records are empty, never null: clients have taken a null for a broken answer. */
function shapeFailure(target: FetchTarget, errorCode: number): PartitionAnswer {
  return {
    partitionIndex: target.partition,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    records: [],
  };
}

/** Partitions of a topic that follow each other are listed together. */
function shapeResponse(session: FetchContext, { answers, sizes }: Round, context: RequestContext): FetchResponseData {
  const { sessionId, listed } = session.conclude(
    answers.map(({ errorCode, highWatermark, logStartOffset, divergingEpoch }, at) => ({
      errorCode,
      highWatermark,
      logStartOffset: logStartOffset ?? -1,
      bytes: sizes[at] ?? 0,
      diverges: divergingEpoch !== undefined,
    })),
  );
  const responses: { topic: string; topicId: string; partitions: PartitionAnswer[] }[] = [];
  const leaders = new CurrentLeaders(context);
  const shape = (answer: PartitionAnswer, { topicId, partition }: FetchTarget): PartitionAnswer =>
    context.apiVersion >= FIRST_VERSION_WITH_LEADERS && isOfLeadership(answer.errorCode)
      ? { ...answer, currentLeader: leaders.of(context.broker.image.findTopicById(topicId), partition) }
      : answer;
  for (const [at, answer] of answers.entries()) {
    const target = session.targets[at];
    if (target === undefined || listed[at] !== true) continue;
    const last = responses.at(-1);
    if (last !== undefined && last.topic === target.topic && last.topicId === target.topicId) last.partitions.push(shape(answer, target));
    else responses.push({ topic: target.topic, topicId: target.topicId, partitions: [shape(answer, target)] });
  }
  // A session is known to versions that have it; others never opened one.
  return {
    throttleTimeMs: 0,
    errorCode: NONE,
    sessionId: context.apiVersion >= 7 ? sessionId : 0,
    responses,
    nodeEndpoints: leaders.nodeEndpoints,
  };
}

/** What is wrong with the session is said of the answer as a whole; versions before sessions have no place for it. */
export const fetchFailure = (errorCode: number): FetchResponseData => ({ throttleTimeMs: 0, errorCode, sessionId: 0, responses: [] });
