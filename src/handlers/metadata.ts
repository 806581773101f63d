// Metadata (API 3): where the cluster's brokers are, and who leads which partition. Makes topics that are asked for
// and missing, where both the client and the settings allow it; they come back with their leader in the same answer, where
// Kafka has the client ask again.
import type { TopicImage } from '../broker/image/metadata-image.ts';
import { isInternalTopic } from '../broker/internal-topics.ts';
import { OPERATIONS_NOT_ASKED } from '../broker/security/operations.ts';
import { errorCodeOf, KafkaError, kafkaErrors, NONE } from '../protocol/errors.ts';
import type { metadataResponse, MetadataRequest } from '../protocol/messages/metadata.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import type { Encodable } from '../protocol/schema.ts';
import type { RequestContext } from './handler.ts';
import { controllerOf, nodesOf } from './nodes.ts';
import { PartitionStates } from './partition-state.ts';
import { allows, authorizedOperations, CLUSTER_NAME } from './permission.ts';
import { Turns } from './turns.ts';

type MetadataResponseData = Encodable<typeof metadataResponse>;
type TopicAnswer = MetadataResponseData['topics'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

const FIRST_VERSION_BY_ID = 12; // KIP-516: versions 10 and 11 tell ids and are not asked by them
const FIRST_VERSION_WITH_LISTENER_NOT_FOUND = 6;

export async function handleMetadata(request: MetadataRequest, context: RequestContext): Promise<MetadataResponseData> {
  checkAskedByName(request, context.apiVersion);
  // Made first: what the answer says of brokers and topics is of one moment.
  const refusals = await createMissing(request, context);
  const shape = new TopicShape(request, context);
  const topics = asksForAll(request, context.apiVersion) ? shapeAll(shape, context) : await shapeAsked(request, refusals, shape, context);
  return {
    throttleTimeMs: 0,
    brokers: nodesOf(context)
      .filter(({ fenced }) => !fenced)
      .map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })),
    clusterId: context.broker.clusterId,
    controllerId: controllerOf(context),
    topics,
    clusterAuthorizedOperations: clusterOperations(request, context),
    errorCode: NONE,
  };
}

/** In version 0 an empty list stands for all topics; from then on null does, and empty means none. */
const asksForAll = ({ topics }: MetadataRequest, apiVersion: number): boolean =>
  topics === null || (apiVersion === 0 && topics.length === 0);

function checkAskedByName({ topics }: MetadataRequest, apiVersion: number): void {
  if (apiVersion >= FIRST_VERSION_BY_ID) return;
  for (const { name, topicId } of topics ?? []) {
    if (name === null) throw new KafkaError('INVALID_REQUEST', `Topic name can not be null for version ${apiVersion}`);
    if (topicId !== ZERO_UUID) throw new KafkaError('INVALID_REQUEST', `Topic IDs are not supported in requests for version ${apiVersion}`);
  }
}

/** Why each name that was asked for, and might have been made, was not. */
async function createMissing(request: MetadataRequest, context: RequestContext): Promise<ReadonlyMap<string, KafkaError>> {
  const { broker } = context;
  const refusals = new Map<string, KafkaError>();
  if (!request.allowAutoTopicCreation || !broker.config['auto.create.topics.enable']) return refusals;
  const missing = new Set<string>();
  for (const { name, topicId } of request.topics ?? []) {
    if (name === null || topicId !== ZERO_UUID || broker.image.findTopic(name) !== undefined) continue;
    if (!allows(context, 'DESCRIBE', 'TOPIC', name)) continue;
    if (allows(context, 'CREATE', 'CLUSTER', CLUSTER_NAME) || allows(context, 'CREATE', 'TOPIC', name)) missing.add(name);
    else refusals.set(name, new KafkaError('TOPIC_AUTHORIZATION_FAILED'));
  }
  if (missing.size === 0) return refusals;
  for (const [name, refused] of await broker.topics.createOnFirstUse([...missing])) refusals.set(name, refused);
  return refusals;
}

/** What may not be seen is not mentioned. */
function shapeAll(shape: TopicShape, context: RequestContext): TopicAnswer[] {
  const answers: TopicAnswer[] = [];
  for (const topic of context.broker.image.topics.values())
    if (allows(context, 'DESCRIBE', 'TOPIC', topic.name)) answers.push(shape.found(topic));
  return answers;
}

/** Every name and every id once, however often it was asked for. */
async function shapeAsked(
  request: MetadataRequest,
  refusals: ReadonlyMap<string, KafkaError>,
  shape: TopicShape,
  context: RequestContext,
): Promise<TopicAnswer[]> {
  const { env, image, topics } = context.broker;
  const turns = new Turns(env);
  const answers = new Map<string, TopicAnswer>();
  for (const { name, topicId } of request.topics ?? []) {
    const byId = topicId !== ZERO_UUID;
    const key = byId ? `id ${topicId}` : `name ${name}`;
    if (answers.has(key)) continue;
    if (turns.isOver()) await turns.next();
    const topic = byId ? image.findTopicById(topicId) : image.findTopic(name ?? '');
    const known = byId ? topic?.name : (name ?? '');
    // Whether the topic exists is not told to those who may not know it. Ids are no secret.
    if (known !== undefined && !allows(context, 'DESCRIBE', 'TOPIC', known))
      answers.set(key, shape.denied(byId ? null : known, byId ? topicId : ZERO_UUID));
    else if (topic !== undefined) answers.set(key, shape.found(topic));
    else if (byId) answers.set(key, shape.unknownId(topicId));
    else answers.set(key, shape.missing(name ?? '', refusals.get(name ?? '') ?? topics.whyMissing(name ?? '')));
  }
  await turns.last();
  return [...answers.values()];
}

/** Topics as one answer shows them. */
class TopicShape {
  readonly #context: RequestContext;
  readonly #states: PartitionStates;
  readonly #operations: boolean;

  constructor(request: MetadataRequest, context: RequestContext) {
    this.#context = context;
    this.#states = new PartitionStates(context);
    this.#operations = request.includeTopicAuthorizedOperations;
  }

  found(topic: TopicImage): TopicAnswer {
    return {
      errorCode: NONE,
      name: topic.name,
      topicId: topic.id,
      isInternal: isInternalTopic(topic.name),
      partitions: topic.partitions.map((partition) => this.#partition(partition)),
      topicAuthorizedOperations: this.#operationsOn(topic.name),
    };
  }

  missing(name: string, why: KafkaError): TopicAnswer {
    return {
      errorCode: errorCodeOf(why, this.#context.log),
      name,
      topicId: ZERO_UUID,
      isInternal: isInternalTopic(name),
      partitions: [],
      topicAuthorizedOperations: this.#operationsOn(name),
    };
  }

  unknownId(topicId: string): TopicAnswer {
    return { errorCode: kafkaErrors.UNKNOWN_TOPIC_ID[0], name: null, topicId, partitions: [] };
  }

  denied(name: string | null, topicId: string): TopicAnswer {
    return { errorCode: kafkaErrors.TOPIC_AUTHORIZATION_FAILED[0], name, topicId, partitions: [] };
  }

  #operationsOn(name: string): number {
    return this.#operations ? authorizedOperations(this.#context, 'TOPIC', name) : OPERATIONS_NOT_ASKED;
  }

  #partition(partition: TopicImage['partitions'][number]): PartitionAnswer {
    const { leaderId, leaderIsKnown, offlineReplicas } = this.#states.of(partition);
    const { apiVersion } = this.#context;
    const { index, leaderEpoch, replicas, isr } = partition;
    const answer = { partitionIndex: index, leaderId, leaderEpoch, replicaNodes: replicas, isrNodes: isr, offlineReplicas };
    if (leaderId < 0) {
      const code = leaderIsKnown && apiVersion >= FIRST_VERSION_WITH_LISTENER_NOT_FOUND ? 'LISTENER_NOT_FOUND' : 'LEADER_NOT_AVAILABLE';
      return { ...answer, errorCode: kafkaErrors[code][0] };
    }
    // Version 0 lists only replicas that are there, and says so; later ones list all of them.
    if (apiVersion > 0 || offlineReplicas.length === 0) return { ...answer, errorCode: NONE };
    const isThere = (nodeId: number): boolean => !offlineReplicas.includes(nodeId);
    return {
      ...answer,
      errorCode: kafkaErrors.REPLICA_NOT_AVAILABLE[0],
      replicaNodes: replicas.filter(isThere),
      isrNodes: isr.filter(isThere),
    };
  }
}

function clusterOperations({ includeClusterAuthorizedOperations }: MetadataRequest, context: RequestContext): number {
  if (!includeClusterAuthorizedOperations) return OPERATIONS_NOT_ASKED;
  return allows(context, 'DESCRIBE', 'CLUSTER', CLUSTER_NAME) ? authorizedOperations(context, 'CLUSTER', CLUSTER_NAME) : 0;
}

/** Each topic asked for has the error; so does the answer as a whole, in the version that has room for it (13). */
export const metadataFailure = (errorCode: number, { topics }: MetadataRequest): MetadataResponseData => ({
  throttleTimeMs: 0,
  brokers: [],
  topics: (topics ?? []).map(({ name, topicId }) => ({ errorCode, name: name ?? '', topicId, partitions: [] })),
  errorCode,
});
