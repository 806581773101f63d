// What tests of topics and settings share: the requests in any version with their usual fields, and answers in a line each.
import type { TestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { createTopicsRequest, createTopicsResponse, type CreateTopicsResponse } from '../protocol/messages/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { describeConfigsRequest, describeConfigsResponse, type DescribeConfigsResponse } from '../protocol/messages/describe-configs.ts';
import { metadataRequest, metadataResponse, type MetadataResponse } from '../protocol/messages/metadata.ts';
import { ZERO_UUID } from '../protocol/reader.ts';

type Client = Pick<TestBroker, 'client'>;

export interface NewTopicAsked {
  readonly name: string;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly assignments?: readonly (readonly [partition: number, replicas: readonly number[]])[];
  readonly configs?: Readonly<Record<string, string | null>>;
}

export async function createTopics(
  { client }: Client,
  topics: readonly (string | NewTopicAsked)[],
  options: { version?: number; validateOnly?: boolean } = {},
): Promise<CreateTopicsResponse['topics']> {
  const { version = 7, validateOnly = false } = options;
  const answer = await client.request({ request: createTopicsRequest, response: createTopicsResponse }, version, {
    topics: topics.map((asked) => {
      const topic: NewTopicAsked = typeof asked === 'string' ? { name: asked } : asked;
      const assigned = topic.assignments !== undefined;
      return {
        name: topic.name,
        numPartitions: topic.partitions ?? (assigned ? -1 : 1),
        replicationFactor: topic.replicationFactor ?? (assigned ? -1 : 1),
        assignments: (topic.assignments ?? []).map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
        configs: Object.entries(topic.configs ?? {}).map(([name, value]) => ({ name, value })),
      };
    }),
    validateOnly,
  });
  return answer.topics;
}

/** `name ERROR message` of each, in order of names. */
export const outcomes = (answers: readonly { name: string | null; errorCode: number; errorMessage?: string | null }[]): string[] =>
  answers
    .map(({ name, errorCode, errorMessage }) => [name, errorNameOf(errorCode), errorMessage].filter((part) => part != null).join(' '))
    .sort();

/** By name, or by id where that is told. */
export interface TopicAsked {
  readonly name?: string | null;
  readonly topicId?: string;
}

export async function deleteTopics(
  { client }: Client,
  topics: readonly (string | TopicAsked)[],
  version = 6,
): Promise<{ name: string | null; topicId: string; errorCode: number; errorMessage: string | null }[]> {
  const asked = topics.map((topic) => (typeof topic === 'string' ? { name: topic } : topic));
  const answer = await client.request({ request: deleteTopicsRequest, response: deleteTopicsResponse }, version, {
    topics: version >= 6 ? asked.map(({ name = null, topicId = ZERO_UUID }) => ({ name, topicId })) : [],
    topicNames: version < 6 ? asked.map(({ name }) => name ?? '') : [],
    timeoutMs: 1000,
  });
  return [...answer.responses];
}

export interface MetadataAsked {
  readonly version?: number;
  readonly create?: boolean;
  readonly topicOperations?: boolean;
  readonly clusterOperations?: boolean;
}

export function askMetadata(
  { client }: Client,
  topics: readonly (string | TopicAsked)[] | null,
  options: MetadataAsked = {},
): Promise<MetadataResponse> {
  const { version = 12, create = version < 4, topicOperations = false, clusterOperations = false } = options;
  return client.request({ request: metadataRequest, response: metadataResponse }, version, {
    topics:
      topics?.map((topic) =>
        typeof topic === 'string' ? { name: topic, topicId: ZERO_UUID } : { name: null, topicId: ZERO_UUID, ...topic },
      ) ?? null,
    allowAutoTopicCreation: create,
    includeClusterAuthorizedOperations: clusterOperations,
    includeTopicAuthorizedOperations: topicOperations,
  });
}

/** Types of resources, as the APIs about settings number them. */
export const TOPIC_RESOURCE = 2;
export const BROKER_RESOURCE = 4;

export interface ResourceAsked {
  readonly type?: number;
  readonly name: string;
  readonly keys?: readonly string[] | null;
}

export async function describeConfigs(
  { client }: Client,
  resources: readonly ResourceAsked[],
  options: { version?: number; synonyms?: boolean; documentation?: boolean } = {},
): Promise<DescribeConfigsResponse['results']> {
  const { version = 4, synonyms = false, documentation = false } = options;
  const answer = await client.request({ request: describeConfigsRequest, response: describeConfigsResponse }, version, {
    resources: resources.map(({ type = TOPIC_RESOURCE, name, keys = null }) => ({
      resourceType: type,
      resourceName: name,
      configurationKeys: keys,
    })),
    includeSynonyms: synonyms,
    includeDocumentation: documentation,
  });
  return answer.results;
}

/** `name=value@source` of some settings of one resource. */
export async function configsOf(broker: Client, resource: ResourceAsked): Promise<string[]> {
  const [described] = await describeConfigs(broker, [resource]);
  return described?.configs.map(({ name, value, configSource }) => `${name}=${value}@${configSource}`) ?? [];
}
