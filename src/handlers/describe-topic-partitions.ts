// DescribeTopicPartitions (API 75): topics and their partitions page by page, in the order of names (KIP-966). A page ends
// after so many partitions, in the middle of a topic where it must, and its cursor says where the next one begins.
import { isInternalTopic } from '../broker/internal-topics.ts';
import type { TopicImage } from '../broker/image/metadata-image.ts';
import { check, errorCodeOf, kafkaErrors, NONE } from '../protocol/errors.ts';
import type { describeTopicPartitionsResponse, DescribeTopicPartitionsRequest } from '../protocol/messages/describe-topic-partitions.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { PartitionStates } from './partition-state.ts';
import { allows, authorizedOperations } from './permission.ts';
import { Turns } from './turns.ts';

type DescribeTopicPartitionsResponseData = Encodable<typeof describeTopicPartitionsResponse>;
type TopicAnswer = DescribeTopicPartitionsResponseData['topics'][number];
type Cursor = NonNullable<DescribeTopicPartitionsRequest['cursor']>;

export async function handleDescribeTopicPartitions(
  request: DescribeTopicPartitionsRequest,
  context: RequestContext,
): Promise<DescribeTopicPartitionsResponseData> {
  checkCursor(request);
  const { cursor, responsePartitionLimit } = request;
  const most = Math.max(1, Math.min(responsePartitionLimit, context.broker.config['max.request.partition.size.limit']));
  const asked = request.topics.length === 0 ? undefined : askedFrom(request);
  const page = new Page(context, { most, cursor, tellsMissing: asked !== undefined });
  if (asked === undefined) addAll(page, cursor?.topicName ?? '', context);
  else {
    const turns = new Turns(context.broker.env);
    for (const name of asked) {
      if (turns.isOver()) await turns.next();
      if (!page.add(name)) break;
    }
    await turns.last();
  }
  return { throttleTimeMs: 0, topics: page.topics, nextCursor: page.nextCursor };
}

/** @throws KafkaError INVALID_REQUEST for the request as a whole */
function checkCursor({ cursor, topics }: DescribeTopicPartitionsRequest): void {
  if (cursor === null) return;
  const { topicName, partitionIndex } = cursor;
  check(
    topics.length === 0 || topics.some(({ name }) => name === topicName),
    'INVALID_REQUEST',
    `DescribeTopicPartitionsRequest topic list should contain the cursor topic: ${topicName}`,
  );
  check(
    partitionIndex >= 0,
    'INVALID_REQUEST',
    `DescribeTopicPartitionsRequest cursor partition must be valid: Cursor(topicName='${topicName}', partitionIndex=${partitionIndex})`,
  );
}

const askedFrom = ({ topics, cursor }: DescribeTopicPartitionsRequest): string[] =>
  [...new Set(topics.map(({ name }) => name))].filter((name) => name >= (cursor?.topicName ?? '')).sort();

/** Never more than the page takes, and all of it in one turn: the names stand in order already, and stay until the next change. */
function addAll(page: Page, from: string, { broker: { image } }: RequestContext): void {
  const names = image.topicNames;
  for (let at = image.indexOfTopicFrom(from); at < names.length; at += 1) if (!page.add(names[at] as string)) return;
}

/** One answer as it fills up. */
class Page {
  readonly topics: TopicAnswer[] = [];
  nextCursor: Cursor | null = null;
  readonly #context: RequestContext;
  readonly #states: PartitionStates;
  readonly #cursor: Cursor | null;
  readonly #tellsMissing: boolean;
  #left: number;

  constructor(context: RequestContext, options: { most: number; cursor: Cursor | null; tellsMissing: boolean }) {
    this.#context = context;
    this.#states = new PartitionStates(context);
    this.#cursor = options.cursor;
    this.#tellsMissing = options.tellsMissing;
    this.#left = options.most;
  }

  /** False when the page is full, and the cursor set. */
  add(name: string): boolean {
    if (!allows(this.#context, 'DESCRIBE', 'TOPIC', name)) {
      // Whether the topic exists is not told to those who may not know it.
      if (this.#tellsMissing) this.topics.push(shapeError(name, kafkaErrors.TOPIC_AUTHORIZATION_FAILED[0]));
      return true;
    }
    if (this.#left === 0) {
      this.nextCursor = { topicName: name, partitionIndex: 0 };
      return false;
    }
    const topic = this.#context.broker.image.findTopic(name);
    if (topic !== undefined) return this.#addFound(topic);
    const why = this.#context.broker.topics.whyMissing(name);
    if (this.#tellsMissing)
      this.topics.push({ ...shapeError(name, errorCodeOf(why, this.#context.log)), topicAuthorizedOperations: this.#operationsOn(name) });
    return true;
  }

  #addFound(topic: TopicImage): boolean {
    const from = this.#cursor?.topicName === topic.name ? this.#cursor.partitionIndex : 0;
    const to = Math.min(topic.partitions.length, from + this.#left);
    const partitions = topic.partitions.slice(from, to).map((partition) => {
      const { leaderId, offlineReplicas } = this.#states.of(partition);
      return {
        errorCode: NONE,
        partitionIndex: partition.index,
        leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicaNodes: partition.replicas,
        isrNodes: partition.isr,
        // KIP-966: replicas that left the in-sync set and may still lead. They are not tracked here, so there are none.
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
        offlineReplicas,
      };
    });
    this.topics.push({
      errorCode: NONE,
      name: topic.name,
      topicId: topic.id,
      isInternal: isInternalTopic(topic.name),
      partitions,
      topicAuthorizedOperations: this.#operationsOn(topic.name),
    });
    this.#left -= partitions.length;
    if (to >= topic.partitions.length) return true;
    this.nextCursor = { topicName: topic.name, partitionIndex: to };
    return false;
  }

  #operationsOn(name: string): number {
    return authorizedOperations(this.#context, 'TOPIC', name);
  }
}

const shapeError = (name: string, errorCode: number): TopicAnswer => ({
  errorCode,
  name,
  topicId: ZERO_UUID,
  isInternal: isInternalTopic(name),
  partitions: [],
});

export const describeTopicPartitionsFailure = (
  errorCode: number,
  { topics }: DescribeTopicPartitionsRequest,
): DescribeTopicPartitionsResponseData => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name }) => ({ errorCode, name, topicId: ZERO_UUID, partitions: [] })),
});
