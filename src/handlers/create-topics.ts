// CreateTopics (API 19): new topics with their partitions and settings, each with its own outcome.
// Asks permission, and shapes question and answer; broker/topics decides what may be made.
import type { CreatedTopic } from '../broker/topics.ts';
import type { NewTopic } from '../broker/topic-plans.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { createTopicsResponse, CreateTopicsRequest } from '../protocol/messages/create-topics.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { namedTwice } from './named-twice.ts';
import { allows, CLUSTER_NAME } from './permission.ts';
import { mapInTurns } from './turns.ts';

type CreateTopicsResponseData = Encodable<typeof createTopicsResponse>;
type AskedTopic = CreateTopicsRequest['topics'][number];
type TopicAnswer = CreateTopicsResponseData['topics'][number];

/** In steps of a turn: the answer tells all settings of each topic. */
const STEPS_PER_TOPIC = 30;

export async function handleCreateTopics(request: CreateTopicsRequest, context: RequestContext): Promise<CreateTopicsResponseData> {
  const mayCreateAll = allows(context, 'CREATE', 'CLUSTER', CLUSTER_NAME);
  const twice = namedTwice(request.topics);
  const once = request.topics.filter(({ name }) => !twice.has(name));
  const [wanted, denied] = partition(once, ({ name }) => mayCreateAll || allows(context, 'CREATE', 'TOPIC', name));
  const outcomes = await context.broker.topics.create(wanted.map(newTopicOf), { validateOnly: request.validateOnly });
  const answers = await mapInTurns(
    context.broker.env,
    [...outcomes.entries()],
    ([at, outcome]) =>
      'created' in outcome
        ? shapeCreated(outcome.created, request.validateOnly, context)
        : shapeRefused(wanted[at]?.name ?? '', outcome.refused, context),
    STEPS_PER_TOPIC,
  );
  return {
    throttleTimeMs: 0,
    topics: [
      ...answers,
      // A name given twice is refused once, and neither of the two is tried.
      ...[...twice].map((name) => shapeRefused(name, new KafkaError('INVALID_REQUEST', 'Duplicate topic name.'), context)),
      ...denied.map(({ name }) => shapeRefused(name, new KafkaError('TOPIC_AUTHORIZATION_FAILED', 'Authorization failed.'), context)),
    ],
  };
}

function partition<Item>(items: readonly Item[], belongs: (item: Item) => boolean): [Item[], Item[]] {
  const [inside, outside]: [Item[], Item[]] = [[], []];
  for (const item of items) (belongs(item) ? inside : outside).push(item);
  return [inside, outside];
}

function newTopicOf(asked: AskedTopic): NewTopic {
  return {
    name: asked.name,
    partitionCount: asked.numPartitions,
    replicationFactor: asked.replicationFactor,
    assignments: asked.assignments.map(({ partitionIndex, brokerIds }) => ({ partitionIndex, replicas: brokerIds })),
    configs: new Map(asked.configs.map(({ name, value }) => [name, value])),
  };
}

const FIRST_VERSION_WITH_CONFIGS = 5;

/** KIP-525: what the topic has become, for those who may see settings. */
function shapeCreated(created: CreatedTopic, validateOnly: boolean, context: RequestContext): TopicAnswer {
  const answer = {
    name: created.name,
    topicId: validateOnly ? ZERO_UUID : created.id, // an id that nothing will ever have would only mislead
    errorCode: NONE,
    errorMessage: null,
  };
  if (context.apiVersion < FIRST_VERSION_WITH_CONFIGS) return { ...answer, configs: [] };
  if (!allows(context, 'DESCRIBE_CONFIGS', 'TOPIC', created.name))
    return { ...answer, configs: [], topicConfigErrorCode: errorCodeOf(new KafkaError('TOPIC_AUTHORIZATION_FAILED'), context.log) };
  return {
    ...answer,
    numPartitions: created.partitionCount,
    replicationFactor: created.replicationFactor,
    configs: context.broker.topics.describeConfigs(created.configs).map(({ name, value, readOnly, source, isSensitive }) => ({
      name,
      value,
      readOnly,
      configSource: source,
      isSensitive,
    })),
  };
}

const shapeRefused = (name: string, refused: KafkaError, context: RequestContext): TopicAnswer => ({
  name,
  topicId: ZERO_UUID,
  errorCode: errorCodeOf(refused, context.log),
  errorMessage: refused.message,
  configs: [],
});

export const createTopicsFailure = (
  errorCode: number,
  { topics }: CreateTopicsRequest,
  errorMessage: string | null,
): CreateTopicsResponseData => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name }) => ({ name, topicId: ZERO_UUID, errorCode, errorMessage, configs: [] })),
});
