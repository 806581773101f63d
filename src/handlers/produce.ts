// Produce (API 0): a client hands over record batches for partitions this broker leads.
// Prepares every batch, stages them in the order of arrival, waits for the commit that `acks` asks for, and shapes the
// answer partition by partition; what may be appended is decided by `prepare` and the log.
import type { TopicImage } from '../broker/image/metadata-image.ts';
import { isInternalTopic } from '../broker/internal-topics.ts';
import { KafkaError, NONE, errorCodeOf, type ErrorName } from '../protocol/errors.ts';
import type { produceResponse, ProduceRequest } from '../protocol/messages/produce.ts';
import { isTransactional, RECORD_BATCH_OVERHEAD } from '../protocol/record-batch.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { PartitionLog, Ticket } from '../storage/log/partition-log.ts';
import { InvalidRecordsError, prepare, type PreparedBatch, type PrepareLimits } from '../storage/log/prepare.ts';
import { CurrentLeaders, isOfLeadership } from './current-leaders.ts';
import { CloseConnectionError, type RequestContext } from './handler.ts';
import { Turns } from './turns.ts';

type ProduceResponseData = Encodable<typeof produceResponse>;

/** One partition's part of the request, on its way through. */
interface Append {
  readonly index: number;
  log: PartitionLog | undefined;
  leaderEpoch: number;
  batch: PreparedBatch | undefined;
  ticket: Ticket | undefined;
  failure: unknown;
}

const ACKS_NONE = 0;
const ACKS_ALL = -1;
/** KIP-951. */
const FIRST_VERSION_WITH_LEADERS = 10;
/** KIP-516: the id takes the place of the name. */
const FIRST_VERSION_BY_ID = 13;
/** Checksum and walk of so many bytes of records take as long as a look-up. */
const BYTES_PER_STEP = 4096;

export async function handleProduce(request: ProduceRequest, context: RequestContext): Promise<ProduceResponseData | undefined> {
  const topics = request.topicData.map((topic) => ({
    topic,
    appends: topic.partitionData.map((partition): Append => ({
      index: partition.index,
      log: undefined,
      leaderEpoch: -1,
      batch: undefined,
      ticket: undefined,
      failure: undefined,
    })),
  }));

  // Prepared first, all of them: preparing may leave this turn, staging may not.
  const turns = new Turns(context.broker.env);
  const unauthorized = request.transactionalId === null && hasTransactionalBatch(request);
  const preparing: Promise<void>[] = [];
  for (const { topic, appends } of topics) {
    for (const [at, append] of appends.entries()) {
      const records = topic.partitionData[at]?.records ?? null;
      if (turns.isOver(1 + (records?.length ?? 0) / BYTES_PER_STEP)) await turns.next();
      try {
        if (unauthorized) throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
        const prepared = prepareOne(request, topic, append, records, context);
        if (prepared instanceof Promise) {
          preparing.push(
            prepared.then(
              (batch) => void (append.batch = batch),
              (thrown: unknown) => void (append.failure = thrown),
            ),
          );
        } else append.batch = prepared;
      } catch (thrown) {
        append.failure = thrown;
      }
    }
  }
  if (preparing.length > 0) await Promise.all(preparing);

  const staged = context.inArrivalOrder(() => {
    for (const { appends } of topics) for (const append of appends) stageOne(append);
  });
  if (staged instanceof Promise) await staged;

  if (request.acks === ACKS_NONE) {
    const failed = topics.flatMap(({ appends }) => appends).find(({ failure }) => failure !== undefined);
    // Nobody reads an answer: closing is how the client learns that a batch was refused, and looks at its metadata again.
    if (failed !== undefined) throw new CloseConnectionError(`a batch with acks=0 was refused: ${String(failed.failure)}`);
  }

  // Without acks too: until then the request is in hand, and its bytes count. A slow disk would fill the memory otherwise.
  for (const { appends } of topics) {
    for (const { ticket } of appends) {
      const waiting = ticket?.committed.wait();
      if (waiting !== undefined) await waiting;
    }
  }
  if (request.acks === ACKS_NONE) return undefined;
  await turns.last();

  const leaders = new CurrentLeaders(context);
  return {
    responses: topics.map(({ topic, appends }) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitionResponses: appends.map((append) => {
        const answer = shapeAnswer(append, context);
        const moved = context.apiVersion >= FIRST_VERSION_WITH_LEADERS && isOfLeadership(answer.errorCode);
        return moved ? { ...answer, currentLeader: leaders.of(findTopic(topic, context), append.index) } : answer;
      }),
    })),
    throttleTimeMs: 0,
    nodeEndpoints: leaders.nodeEndpoints,
  };
}

const findTopic = (topic: { name: string; topicId: string }, { apiVersion, broker }: RequestContext): TopicImage | undefined =>
  apiVersion >= FIRST_VERSION_BY_ID ? broker.image.findTopicById(topic.topicId) : broker.image.findTopic(topic.name);

/** What a batch is says the batch, whatever the request says of itself: its own word would be a way around every check. */
const isTransactionalBatch = (records: Buffer | null): boolean =>
  records !== null && records.length >= RECORD_BATCH_OVERHEAD && isTransactional(records, 0);

const hasTransactionalBatch = ({ topicData }: ProduceRequest): boolean =>
  topicData.some(({ partitionData }) => partitionData.some(({ records }) => isTransactionalBatch(records)));

function prepareOne(
  request: ProduceRequest,
  topic: { name: string; topicId: string },
  append: Append,
  records: Buffer | null,
  context: RequestContext,
): PreparedBatch | Promise<PreparedBatch> {
  if (request.acks !== ACKS_NONE && request.acks !== 1 && request.acks !== ACKS_ALL) throw new KafkaError('INVALID_REQUIRED_ACKS');
  const { broker } = context;
  const image = findTopic(topic, context);
  if (image === undefined)
    throw new KafkaError(context.apiVersion >= FIRST_VERSION_BY_ID ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION');
  context.authorize('WRITE', 'TOPIC', image.name);
  // Coordinators alone write there; Kafka makes the same exception for its own admin client.
  if (isInternalTopic(image.name) && context.clientId !== '__admin_client') throw new KafkaError('INVALID_TOPIC_EXCEPTION');
  const log = broker.partitions.ledHere(image, append.index);
  append.log = log;
  append.leaderEpoch = log.leaderEpoch;
  if (request.acks === ACKS_ALL) checkInSync(image, append.index, log.config['min.insync.replicas']);
  // Nobody here could end the transaction, and what it leaves open would end committed reads at it for ever.
  if (isTransactionalBatch(records)) throw new KafkaError('INVALID_TXN_STATE', 'this broker keeps no transactions yet');
  return prepare(records ?? EMPTY, limitsOf(log, context), broker.env);
}

const EMPTY = Buffer.alloc(0);

/** Before anything is appended: what too few replicas have should not be there. No more can be in sync than there are. */
function checkInSync({ name, partitions }: TopicImage, index: number, minInSync: number): void {
  const { isr, replicas } = partitions[index] ?? { isr: [], replicas: [] };
  if (isr.length < Math.min(minInSync, replicas.length))
    throw new KafkaError('NOT_ENOUGH_REPLICAS', `${name}-${index} has ${isr.length} replicas in sync, and acks=all asks for ${minInSync}`);
}

function limitsOf(log: PartitionLog, context: RequestContext): PrepareLimits {
  const config = log.config;
  return {
    maxMessageBytes: config['max.message.bytes'],
    timestampType: config['message.timestamp.type'],
    timestampBeforeMaxMs: config['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: config['message.timestamp.after.max.ms'],
    keyRequired: config['cleanup.policy'].includes('compact'),
    compressionType: config['compression.type'],
    compressionLevels: {
      gzip: config['compression.gzip.level'],
      lz4: config['compression.lz4.level'],
      zstd: config['compression.zstd.level'],
    },
    zstdAllowed: context.apiVersion >= 7, // KIP-110
  };
}

function stageOne(append: Append): void {
  if (append.failure !== undefined || append.log === undefined || append.batch === undefined) return;
  try {
    append.ticket = append.log.append(append.batch, { origin: 'client', expectedLeaderEpoch: append.leaderEpoch });
  } catch (thrown) {
    append.failure = thrown;
  }
}

/** Refusals for which Kafka does not tell where the log begins; for all others of a log that is led here it does. */
const saidWithoutLog: ReadonlySet<ErrorName> = new Set([
  'MESSAGE_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'KAFKA_STORAGE_ERROR',
  'INVALID_REQUIRED_ACKS',
  'UNSUPPORTED_COMPRESSION_TYPE',
]);

function shapeAnswer(append: Append, context: RequestContext): ProduceResponseData['responses'][number]['partitionResponses'][number] {
  const { ticket, log } = append;
  const failure = append.failure ?? (ticket !== undefined && log !== undefined ? log.failureOf(ticket) : undefined);
  if (failure === undefined && ticket !== undefined) {
    return {
      index: append.index,
      errorCode: NONE,
      baseOffset: ticket.baseOffset,
      logAppendTimeMs: ticket.logAppendTimeMs,
      logStartOffset: ticket.logStartOffset,
      recordErrors: [],
    };
  }
  return {
    index: append.index,
    errorCode: errorCodeOf(failure, context.log),
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: failure instanceof KafkaError && !saidWithoutLog.has(failure.errorName) ? (log?.logStartOffset ?? -1) : -1,
    recordErrors:
      failure instanceof InvalidRecordsError
        ? failure.recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }))
        : [],
    errorMessage: failure instanceof KafkaError ? failure.message : null,
  };
}
