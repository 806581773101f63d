// CreateTopics (API 19): names, counts and settings of new topics, each with its own outcome.
// Shapes question and answer; `broker/topics` decides.
import type { CreatedTopic, NewTopic } from '../broker/topics.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { createTopicsResponse, CreateTopicsRequest } from '../protocol/messages/create-topics.ts';
import type { Encodable } from '../protocol/schema.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import type { RequestContext } from './handler.ts';

type CreateTopicsResponseData = Encodable<typeof createTopicsResponse>;

type Asked = CreateTopicsRequest['topics'][number];
type TopicAnswer = CreateTopicsResponseData['topics'][number];

export async function handleCreateTopics(request: CreateTopicsRequest, context: RequestContext): Promise<CreateTopicsResponseData> {
  const { broker } = context;
  const counts = new Map<string, number>();
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
  // A name given twice is refused once, and neither of the two is tried.
  const wanted = request.topics.filter(({ name }) => counts.get(name) === 1);
  const outcomes = await broker.topics.create(wanted.map(newTopicOf), { validateOnly: request.validateOnly });
  const answers = new Map<string, TopicAnswer>();
  for (const name of counts.keys())
    answers.set(name, shapeRefusal(name, new KafkaError('INVALID_REQUEST', 'Duplicate topic name.'), context));
  for (const [at, { name }] of wanted.entries()) {
    const outcome = outcomes[at];
    if (outcome === undefined) continue;
    answers.set(
      name,
      'created' in outcome ? shapeCreated(outcome.created, request.validateOnly, context) : shapeRefusal(name, outcome.refused, context),
    );
  }
  return { throttleTimeMs: 0, topics: [...answers.values()] };
}

function newTopicOf(asked: Asked): NewTopic {
  return {
    name: asked.name,
    partitionCount: asked.numPartitions,
    replicationFactor: asked.replicationFactor,
    assignments: new Map(asked.assignments.map(({ partitionIndex, brokerIds }) => [partitionIndex, brokerIds])),
    configs: new Map(asked.configs.map(({ name, value }) => [name, value])),
  };
}

function shapeCreated(created: CreatedTopic, validateOnly: boolean, context: RequestContext): TopicAnswer {
  return {
    name: created.name,
    topicId: validateOnly ? ZERO_UUID : created.id,
    errorCode: NONE,
    errorMessage: null,
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

function shapeRefusal(name: string, refused: KafkaError, context: RequestContext): TopicAnswer {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: errorCodeOf(refused, context.log),
    errorMessage: refused.message,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  };
}
