// Metadata (API 3): where the cluster's brokers are, and who leads which partition. Creates topics that are asked for
// and missing, where both the client and the settings allow it; they come back with their leader in the same answer.
import type { TopicImage } from '../broker/image/metadata-image.ts';
import { OPERATIONS_NOT_ASKED, supportedOperations } from '../broker/security/operations.ts';
import { isInternalTopic } from '../broker/topics.ts';
import { errorCodeOf, KafkaError, NONE } from '../protocol/errors.ts';
import type { metadataResponse, MetadataRequest } from '../protocol/messages/metadata.ts';
import type { Encodable } from '../protocol/schema.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import type { RequestContext } from './handler.ts';

type MetadataResponseData = Encodable<typeof metadataResponse>;

type TopicAnswer = MetadataResponseData['topics'][number];

export async function handleMetadata(request: MetadataRequest, context: RequestContext): Promise<MetadataResponseData> {
  const { broker } = context;
  const all = request.topics === null || (context.apiVersion === 0 && request.topics.length === 0);
  const operations = request.includeTopicAuthorizedOperations ? supportedOperations.TOPIC : OPERATIONS_NOT_ASKED;
  const shape = (topic: TopicImage): TopicAnswer => shapeTopic(topic, operations);
  return {
    throttleTimeMs: 0,
    brokers: [...broker.image.brokers.values()].map(({ nodeId, rack }) => ({ nodeId, ...context.connection.advertised, rack })),
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics: all ? [...broker.image.topics.values()].map(shape) : await answerAsked(request, context, shape),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? supportedOperations.CLUSTER : OPERATIONS_NOT_ASKED,
    errorCode: NONE,
  };
}

async function answerAsked(
  request: MetadataRequest,
  context: RequestContext,
  shape: (topic: TopicImage) => TopicAnswer,
): Promise<TopicAnswer[]> {
  const { broker, apiVersion } = context;
  const asked = request.topics ?? [];
  // v10 and v11 carry ids that they may not be asked by; a name may be left out only where an id can stand for it.
  if (apiVersion < 12 && asked.some(({ name, topicId }) => topicId !== ZERO_UUID || name === null)) {
    throw new KafkaError('INVALID_REQUEST', 'topics cannot be asked for by id below version 12');
  }
  const missing = new Set(
    asked.flatMap(({ name, topicId }) =>
      topicId === ZERO_UUID && name !== null && broker.image.findTopic(name) === undefined ? name : [],
    ),
  );
  const refusals = new Map<string, KafkaError>();
  if (missing.size > 0 && request.allowAutoTopicCreation && broker.config['auto.create.topics.enable']) {
    const outcomes = await broker.topics.createWithDefaults([...missing]);
    for (const [name, refused] of outcomes) refusals.set(name, refused);
  }
  return asked.map(({ name, topicId }): TopicAnswer => {
    try {
      if (topicId !== ZERO_UUID) {
        const topic = broker.image.findTopicById(topicId);
        if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_ID');
        return shape(topic);
      }
      const topic = broker.image.findTopic(name ?? '');
      if (topic !== undefined) return shape(topic);
      throw refusals.get(name ?? '') ?? broker.topics.whyMissing(name ?? '');
    } catch (thrown) {
      return {
        errorCode: errorCodeOf(thrown, context.log),
        name: topicId === ZERO_UUID ? name : null,
        topicId,
        isInternal: name !== null && isInternalTopic(name),
        partitions: [],
        topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
      };
    }
  });
}

function shapeTopic(topic: TopicImage, topicAuthorizedOperations: number): TopicAnswer {
  return {
    errorCode: NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map(({ index, leader, leaderEpoch, replicas, isr }) => ({
      errorCode: NONE,
      partitionIndex: index,
      leaderId: leader,
      leaderEpoch,
      replicaNodes: replicas,
      isrNodes: isr,
      offlineReplicas: [],
    })),
    topicAuthorizedOperations,
  };
}
