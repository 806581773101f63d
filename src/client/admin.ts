// Changing and describing topics. Every topic has its own outcome; a change goes to the controller, and is asked again
// where the controller has moved on.
import { KafkaError, kafkaErrors, NONE } from '../protocol/errors.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../protocol/messages/create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from '../protocol/messages/create-topics.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { describeConfigsRequest, describeConfigsResponse } from '../protocol/messages/describe-configs.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { kafkaErrorOf, type BrokerLink } from './broker-link.ts';
import type { Cluster } from './cluster.ts';
import { retrying } from './waiting.ts';

export interface TopicToCreate {
  readonly name: string;
  /** -1 leaves it to the broker (from CreateTopics 4 on). */
  readonly partitions: number;
  /** -1 leaves it to the broker (from CreateTopics 4 on). */
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}

/** Undefined: it was done. */
export type Outcomes = ReadonlyMap<string, KafkaError | undefined>;

export interface CreateOutcome {
  readonly error: KafkaError | undefined;
  /** Undefined where the broker is too old to say (before CreateTopics 7, 5 and 5). */
  readonly topicId: string | undefined;
  readonly partitions: number | undefined;
  readonly replicationFactor: number | undefined;
}

const createTopicsTables = { request: createTopicsRequest, response: createTopicsResponse };
const deleteTopicsTables = { request: deleteTopicsRequest, response: deleteTopicsResponse };
const createPartitionsTables = { request: createPartitionsRequest, response: createPartitionsResponse };
const describeConfigsTables = { request: describeConfigsRequest, response: describeConfigsResponse };

const FIRST_VERSION_WITH_DEFAULTS = 4; // of CreateTopics, KIP-464
const FIRST_VERSION_BY_ID = 6; // of DeleteTopics, KIP-516
const TOPIC_RESOURCE = 2;

/** @throws KafkaError, UnsupportedApiError and what a link throws */
export async function createTopics(
  cluster: Cluster,
  topics: readonly TopicToCreate[],
  options: { validateOnly?: boolean } = {},
): Promise<Map<string, CreateOutcome>> {
  const answer = await atController(cluster, async (link) => {
    const version = link.versionOf(createTopicsTables);
    const response = await link.request(createTopicsTables, {
      topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
        name,
        // An older broker has no defaults to fall back to; one is what everybody means.
        numPartitions: partitions === -1 && version < FIRST_VERSION_WITH_DEFAULTS ? 1 : partitions,
        replicationFactor: replicationFactor === -1 && version < FIRST_VERSION_WITH_DEFAULTS ? 1 : replicationFactor,
        assignments: [],
        configs: [...configs].map(([name, value]) => ({ name, value })),
      })),
      timeoutMs: cluster.timeoutMs,
      validateOnly: options.validateOnly ?? false,
    });
    throwIfMoved(response.topics);
    return response;
  });
  return new Map(
    answer.topics.map(({ name, errorCode, errorMessage, topicId, numPartitions, replicationFactor }) => [
      name,
      {
        error: errorCode === NONE ? undefined : kafkaErrorOf(errorCode, errorMessage),
        topicId: topicId === ZERO_UUID ? undefined : topicId,
        partitions: numPartitions < 0 ? undefined : numPartitions,
        replicationFactor: replicationFactor < 0 ? undefined : replicationFactor,
      },
    ]),
  );
}

/** @throws KafkaError, UnsupportedApiError and what a link throws */
export async function deleteTopics(cluster: Cluster, names: readonly string[]): Promise<Outcomes> {
  const answer = await atController(cluster, async (link) => {
    const response = await link.request(deleteTopicsTables, (version) => ({
      topics: version < FIRST_VERSION_BY_ID ? [] : names.map((name) => ({ name, topicId: ZERO_UUID })),
      topicNames: version < FIRST_VERSION_BY_ID ? names : [],
      timeoutMs: cluster.timeoutMs,
    }));
    throwIfMoved(response.responses);
    return response;
  });
  return new Map(
    answer.responses.map(({ name, errorCode, errorMessage }) => [
      name ?? '',
      errorCode === NONE ? undefined : kafkaErrorOf(errorCode, errorMessage),
    ]),
  );
}

/** `counts`: how many partitions each topic is to have in all. @throws KafkaError, UnsupportedApiError and what a link throws */
export async function createPartitions(
  cluster: Cluster,
  counts: ReadonlyMap<string, number>,
  options: { validateOnly?: boolean } = {},
): Promise<Outcomes> {
  const answer = await atController(cluster, async (link) => {
    const response = await link.request(createPartitionsTables, {
      topics: [...counts].map(([name, count]) => ({ name, count, assignments: null })),
      timeoutMs: cluster.timeoutMs,
      validateOnly: options.validateOnly ?? false,
    });
    throwIfMoved(response.results);
    return response;
  });
  return new Map(
    answer.results.map(({ name, errorCode, errorMessage }) => [
      name,
      errorCode === NONE ? undefined : kafkaErrorOf(errorCode, errorMessage),
    ]),
  );
}

export interface ConfigEntry {
  readonly name: string;
  /** Null where it is secret or has no value. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly readOnly: boolean;
  readonly sensitive: boolean;
}

const configSources = [
  'unknown',
  'topic',
  'dynamic broker',
  'dynamic default broker',
  'static broker',
  'default',
  'dynamic broker logger',
  'client metrics',
  'group',
] as const;
export type ConfigSource = (typeof configSources)[number];

/** The settings of topics, in order of their names. @throws KafkaError of the first topic that has none; UnsupportedApiError */
export async function describeTopicConfigs(cluster: Cluster, names: readonly string[]): Promise<Map<string, ConfigEntry[]>> {
  const answer = await retrying(cluster.env, { withinMs: cluster.timeoutMs }, async () => {
    const link = await cluster.any();
    const response = await link.request(describeConfigsTables, {
      resources: names.map((resourceName) => ({ resourceType: TOPIC_RESOURCE, resourceName, configurationKeys: null })),
    });
    for (const { errorCode, errorMessage } of response.results) if (errorCode !== NONE) throw kafkaErrorOf(errorCode, errorMessage);
    return response;
  });
  return new Map(
    answer.results.map(({ resourceName, configs }) => [
      resourceName,
      configs
        .map(({ name, value, configSource, readOnly, isSensitive }) => ({
          name,
          value,
          source: configSources[configSource] ?? 'unknown',
          readOnly,
          sensitive: isSensitive,
        }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ]),
  );
}

function atController<Response>(cluster: Cluster, ask: (link: BrokerLink) => Promise<Response>): Promise<Response> {
  return retrying(
    cluster.env,
    {
      withinMs: cluster.timeoutMs,
      // A change whose connection broke may have been made: asked again, it would be refused for being there already.
      mayRetry: (thrown) => thrown instanceof KafkaError && thrown.errorName === 'NOT_CONTROLLER',
      beforeRetry: async () => void (await cluster.metadata([])),
    },
    async () => ask(await cluster.controller()),
  );
}

/** A broker that is not the controller refuses every topic alike. */
function throwIfMoved(outcomes: readonly { readonly errorCode: number }[]): void {
  if (outcomes.some(({ errorCode }) => errorCode === kafkaErrors.NOT_CONTROLLER[0])) throw new KafkaError('NOT_CONTROLLER');
}
