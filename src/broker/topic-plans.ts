// What a new topic, or a topic that grows, comes to: names, counts, replicas and settings checked in the order and with the
// words of Kafka 4.2's ReplicationControlManager. Pure functions over the image; topics.ts makes them durable.
import type { BrokerConfig } from '../config/broker-configs.ts';
import { ConfigError } from '../config/config-value.ts';
import { checkTopicConfigs } from '../config/topic-configs.ts';
import { check, KafkaError } from '../protocol/errors.ts';
import { checkTopicName, topicCollisionKey } from '../storage/log/log-names.ts';
import type { NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import { METADATA_TOPIC } from '../storage/metadata/metadata-log.ts';
import { resourceTypes, type MetadataImage, type TopicImage } from './image/metadata-image.ts';

export interface NewTopic {
  readonly name: string;
  /** -1 takes `num.partitions`. */
  readonly partitionCount: number;
  /** -1 takes `default.replication.factor`. */
  readonly replicationFactor: number;
  /** Replicas of single partitions, instead of the two counts (both -1 then); empty when the broker is to choose. */
  readonly assignments: readonly { readonly partitionIndex: number; readonly replicas: readonly number[] }[];
  readonly configs: ReadonlyMap<string, string | null>;
}

export interface GrowingTopic {
  readonly name: string;
  /** How many partitions there are to be, the old ones counted. */
  readonly partitionCount: number;
  /** Replicas of the new partitions in order; null when the broker is to choose. */
  readonly assignments: readonly (readonly number[])[] | null;
}

/** What was decided for a topic before anything is written. */
export interface TopicPlan {
  readonly name: string;
  /** Replicas by partition, the leader first. */
  readonly replicas: readonly (readonly number[])[];
  readonly configs: ReadonlyMap<string, string>;
}

/** Names that have been given away by this request already: by name, and by what may not collide. */
export class TakenNames {
  readonly #names = new Set<string>();
  readonly #keys = new Map<string, string>();

  add(name: string): void {
    this.#names.add(name);
    this.#keys.set(topicCollisionKey(name), name);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  findCollision(name: string): string | undefined {
    return this.#keys.get(topicCollisionKey(name));
  }
}

/** Kafka's bound on one request (ReplicationControlManager.MAX_PARTITIONS_PER_BATCH). */
const MAX_PARTITIONS_PER_REQUEST = 10_000;
/** Kafka's bound on what one request may change (QuorumController.MAX_RECORDS_PER_USER_OP). */
const MAX_CHANGES_PER_REQUEST = 10_000;
/** Kafka's bound on a stored value (ConfigurationControlManager). */
const MAX_CONFIG_CHARACTERS = 32_767;

export interface NewPartitions {
  readonly topicId: string;
  readonly firstIndex: number;
  readonly leaderEpoch: number;
  /** The log dir of a new replica on the node, by its id. */
  readonly directoryOf: (nodeId: number) => string;
}

/** @throws KafkaError POLICY_VIOLATION for the request as a whole */
export function checkRequestSize(topics: readonly NewTopic[], config: BrokerConfig): void {
  let partitions = 0;
  for (const { assignments, partitionCount } of topics) {
    if (assignments.length > 0) partitions += assignments.length;
    else if (partitionCount === -1) partitions += config['num.partitions'];
    else partitions += Math.max(1, partitionCount); // what will be refused is a step too
  }
  check(partitions <= MAX_PARTITIONS_PER_REQUEST, 'POLICY_VIOLATION', 'Excessively large number of partitions per request.');
}

/** @throws KafkaError why the topic cannot be made */
export function planTopic(topic: NewTopic, image: MetadataImage, config: BrokerConfig, taken: TakenNames): TopicPlan {
  checkNewName(topic.name, image, taken);
  const configs = checkedConfigs(topic.configs, config);
  return { name: topic.name, configs, replicas: topic.assignments.length > 0 ? assigned(topic, image) : placed(topic, image, config) };
}

function checkNewName(name: string, image: MetadataImage, taken: TakenNames): void {
  check(name !== METADATA_TOPIC, 'INVALID_REQUEST', `Creation of internal topic ${METADATA_TOPIC} is prohibited.`);
  checkTopicName(name);
  check(image.findTopic(name) === undefined && !taken.has(name), 'TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`);
  // Kafka looks at topics that exist; two of one request that collide with each other are caught here too.
  const colliding = image.findCollision(name) ?? taken.findCollision(name);
  check(colliding === undefined, 'INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${colliding}`);
}

function checkedConfigs(asked: ReadonlyMap<string, string | null>, config: BrokerConfig): ReadonlyMap<string, string> {
  const nulls = [...asked].filter(([, value]) => value === null).map(([name]) => name);
  check(nulls.length === 0, 'INVALID_CONFIG', `Null value not supported for topic configs: ${nulls.join(',')}`);
  const configs = asked as ReadonlyMap<string, string>;
  for (const value of configs.values()) checkConfigLength(value);
  inKafkaWords(() => checkTopicConfigs(configs, config));
  return configs;
}

/** @throws KafkaError INVALID_CONFIG */
export function checkConfigLength(value: string): void {
  check(
    value.length <= MAX_CONFIG_CHARACTERS,
    'INVALID_CONFIG',
    `The configuration value cannot be added because it exceeds the maximum value size of ${MAX_CONFIG_CHARACTERS} bytes.`,
  );
}

/** Runs a check of src/config; what it refuses becomes the error that a client is answered with. */
export function inKafkaWords(configCheck: () => void): void {
  try {
    configCheck();
  } catch (thrown) {
    if (thrown instanceof ConfigError) throw new KafkaError(thrown.errorName, thrown.message);
    throw thrown;
  }
}

function assigned(topic: NewTopic, image: MetadataImage): readonly (readonly number[])[] {
  check(
    topic.replicationFactor === -1,
    'INVALID_REQUEST',
    'A manual partition assignment was specified, but replication factor was not set to -1.',
  );
  check(
    topic.partitionCount === -1,
    'INVALID_REQUEST',
    'A manual partition assignment was specified, but numPartitions was not set to -1.',
  );
  const byIndex = new Map<number, readonly number[]>();
  let replicationFactor: number | undefined;
  for (const { partitionIndex, replicas } of topic.assignments) {
    check(
      !byIndex.has(partitionIndex),
      'INVALID_REPLICA_ASSIGNMENT',
      `Found multiple manual partition assignments for partition ${partitionIndex}`,
    );
    checkReplicas(replicas, replicationFactor, image);
    replicationFactor = replicas.length;
    byIndex.set(partitionIndex, replicas);
  }
  return Array.from({ length: byIndex.size }, (_, index) => {
    const replicas = byIndex.get(index);
    check(replicas !== undefined, 'INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence');
    return replicas;
  });
}

function checkReplicas(replicas: readonly number[], replicationFactor: number | undefined, image: MetadataImage): void {
  check(replicas.length > 0, 'INVALID_REPLICA_ASSIGNMENT', 'The manual partition assignment includes an empty replica list.');
  const sorted = [...replicas].sort((left, right) => left - right);
  for (const [at, nodeId] of sorted.entries()) {
    check(
      image.brokers.has(nodeId),
      'INVALID_REPLICA_ASSIGNMENT',
      `The manual partition assignment includes broker ${nodeId}, but no such broker is registered.`,
    );
    check(
      at === 0 || sorted[at - 1] !== nodeId,
      'INVALID_REPLICA_ASSIGNMENT',
      `The manual partition assignment includes the broker ${nodeId} more than once.`,
    );
  }
  check(
    replicationFactor === undefined || replicas.length === replicationFactor,
    'INVALID_REPLICA_ASSIGNMENT',
    `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not consistent with previous partitions, which have ${replicationFactor} replica(s).`,
  );
}

function placed(topic: NewTopic, image: MetadataImage, config: BrokerConfig): readonly (readonly number[])[] {
  check(
    topic.replicationFactor === -1 || topic.replicationFactor > 0,
    'INVALID_REPLICATION_FACTOR',
    'Replication factor must be larger than 0, or -1 to use the default value.',
  );
  check(
    topic.partitionCount === -1 || topic.partitionCount > 0,
    'INVALID_PARTITIONS',
    'Number of partitions was set to an invalid non-positive value.',
  );
  const partitionCount = topic.partitionCount === -1 ? config['num.partitions'] : topic.partitionCount;
  const asked = topic.replicationFactor === -1 ? config['default.replication.factor'] : topic.replicationFactor;
  const replicationFactor = config['storage.replication.factor.clamp'] ? Math.min(asked, Math.max(image.brokers.size, 1)) : asked;
  try {
    return placeReplicas(image, { from: 0, count: partitionCount, replicationFactor });
  } catch (thrown) {
    if (!(thrown instanceof KafkaError)) throw thrown;
    throw new KafkaError(thrown.errorName, `Unable to replicate the partition ${replicationFactor} time(s): ${thrown.message}`);
  }
}

/** Replicas of `count` partitions from the index `from` on: brokers in turn, so that each leads its share. */
function placeReplicas(image: MetadataImage, wanted: { from: number; count: number; replicationFactor: number }): readonly number[][] {
  const { from, count, replicationFactor } = wanted;
  check(
    replicationFactor > 0,
    'INVALID_REPLICATION_FACTOR',
    `Invalid replication factor ${replicationFactor}: the replication factor must be positive.`,
  );
  const usable = [...image.brokers.values()].filter(({ fenced }) => !fenced).map(({ nodeId }) => nodeId);
  check(usable.length > 0, 'INVALID_REPLICATION_FACTOR', 'All brokers are currently fenced.');
  check(
    replicationFactor <= usable.length,
    'INVALID_REPLICATION_FACTOR',
    `The target replication factor of ${replicationFactor} cannot be reached because only ${image.brokers.size} broker(s) are registered.`,
  );
  return Array.from({ length: count }, (_, at) =>
    Array.from({ length: replicationFactor }, (_, replica) => usable[(from + at + replica) % usable.length] as number),
  );
}

/** The replicas of the partitions that are added. @throws KafkaError why the topic cannot grow so */
export function planGrowth(growing: GrowingTopic, image: MetadataImage): { topic: TopicImage; replicas: readonly (readonly number[])[] } {
  const topic = image.findTopic(growing.name);
  check(topic !== undefined, 'UNKNOWN_TOPIC_OR_PARTITION');
  const { length } = topic.partitions;
  check(growing.partitionCount !== length, 'INVALID_PARTITIONS', `Topic already has ${length} partition(s).`);
  check(
    growing.partitionCount > length,
    'INVALID_PARTITIONS',
    `The topic ${topic.name} currently has ${length} partition(s); ${growing.partitionCount} would not be an increase.`,
  );
  const additional = growing.partitionCount - length;
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 1;
  if (growing.assignments === null) {
    checkGrowthSize(additional); // before lists of that length are made
    return { topic, replicas: placeReplicas(image, { from: length, count: additional, replicationFactor }) };
  }
  check(
    growing.assignments.length === additional,
    'INVALID_REPLICA_ASSIGNMENT',
    `Attempted to add ${additional} additional partition(s), but only ${growing.assignments.length} assignment(s) were specified.`,
  );
  for (const replicas of growing.assignments) checkReplicas(replicas, replicationFactor, image);
  return { topic, replicas: growing.assignments };
}

/** @throws KafkaError POLICY_VIOLATION */
export function checkGrowthSize(added: number): void {
  check(added <= MAX_PARTITIONS_PER_REQUEST, 'POLICY_VIOLATION', 'Unable to perform excessively large batch operation.');
}

/** Of things that one request would change, each of them a step that nobody can interrupt. @throws KafkaError POLICY_VIOLATION */
export function checkChangesSize(changes: number): void {
  check(changes <= MAX_CHANGES_PER_REQUEST, 'POLICY_VIOLATION', 'Unable to perform excessively large batch operation.');
}

/** In Kafka's order: the topic, its settings, its partitions. */
export function recordsOfTopic(plan: TopicPlan, options: NewPartitions): NewMetadataRecord[] {
  return [
    { type: 'TopicRecord', value: { name: plan.name, topicId: options.topicId } },
    ...[...plan.configs].map(([name, value]): NewMetadataRecord => ({
      type: 'ConfigRecord',
      value: { resourceType: resourceTypes.topic, resourceName: plan.name, name, value },
    })),
    ...recordsOfPartitions(plan.replicas, options),
  ];
}

export function recordsOfPartitions(
  replicas: readonly (readonly number[])[],
  { topicId, firstIndex, leaderEpoch, directoryOf }: NewPartitions,
): NewMetadataRecord[] {
  return replicas.map((nodes, at) => ({
    type: 'PartitionRecord',
    value: {
      partitionId: firstIndex + at,
      topicId,
      replicas: nodes,
      isr: nodes,
      removingReplicas: [],
      addingReplicas: [],
      leader: nodes[0] ?? -1,
      leaderEpoch,
      partitionEpoch: 0,
      directories: nodes.map(directoryOf),
    },
  }));
}
