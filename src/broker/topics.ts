// Creating topics: which names and shapes are allowed, which records say so. Pure steps over the image; the controller
// makes them durable.
import type { Env } from '../base/env.ts';
import { ConfigError } from '../config/config-value.ts';
import type { BrokerConfig, BrokerLevels } from '../config/broker-configs.ts';
import { describeTopicConfig, type DescribedConfig } from '../config/describe-configs.ts';
import { checkTopicConfigs } from '../config/topic-configs.ts';
import { check, KafkaError } from '../protocol/errors.ts';
import { checkTopicName, internalTopics, topicCollisionKey } from '../storage/log/log-names.ts';
import type { NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import { resourceTypes, type MetadataImage } from './image/metadata-image.ts';
import type { MetadataController } from './metadata-controller.ts';

export interface NewTopic {
  readonly name: string;
  /** -1 takes `num.partitions`. */
  readonly partitionCount: number;
  /** -1 takes `default.replication.factor`. */
  readonly replicationFactor: number;
  /** Replica node ids by partition, instead of the two counts (both -1 then). */
  readonly assignments: ReadonlyMap<number, readonly number[]>;
  readonly configs: ReadonlyMap<string, string | null>;
}

export interface CreatedTopic {
  readonly name: string;
  readonly id: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}

export type CreateOutcome = { readonly created: CreatedTopic } | { readonly refused: KafkaError };

/** Kafka's bound on what one request may create (QuorumController MAX_RECORDS_PER_USER_OP). */
const MAX_PARTITIONS_PER_REQUEST = 10_000;
const ONLINE_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'; // DirectoryId.UNASSIGNED: the broker chooses

export class Topics {
  readonly #env: Env;
  readonly #config: BrokerConfig;
  readonly #levels: BrokerLevels;
  readonly #nodeId: number;
  readonly #controller: MetadataController;

  constructor(options: { env: Env; config: BrokerConfig; levels: BrokerLevels; nodeId: number; controller: MetadataController }) {
    this.#env = options.env;
    this.#config = options.config;
    this.#levels = options.levels;
    this.#nodeId = options.nodeId;
    this.#controller = options.controller;
  }

  /** Creates what can be created, in one metadata append; each topic has its own outcome, in the order asked. */
  create(wanted: readonly NewTopic[], options: { validateOnly: boolean }): Promise<CreateOutcome[]> {
    return this.#controller.execute((image) => {
      const records: NewMetadataRecord[] = [];
      const taken = new Set<string>();
      let partitionsLeft = MAX_PARTITIONS_PER_REQUEST;
      const reply = wanted.map((topic): CreateOutcome => {
        try {
          const created = this.#plan(topic, image, taken);
          partitionsLeft -= created.partitionCount;
          check(partitionsLeft >= 0, 'POLICY_VIOLATION', `one request may create ${MAX_PARTITIONS_PER_REQUEST} partitions at most`);
          taken.add(topic.name);
          if (!options.validateOnly) records.push(...this.#recordsOf(created, topic));
          return { created };
        } catch (thrown) {
          if (thrown instanceof KafkaError) return { refused: thrown };
          throw thrown;
        }
      });
      return { records, reply };
    });
  }

  /** Creates topics as their first use does, with the defaults of the settings; returns why each that was not created was not. */
  async createWithDefaults(names: readonly string[]): Promise<Map<string, KafkaError>> {
    const wanted = names.map((name): NewTopic => ({
      name,
      partitionCount: -1,
      replicationFactor: -1,
      assignments: new Map(),
      configs: new Map(),
    }));
    const outcomes = await this.create(wanted, { validateOnly: false });
    const refusals = new Map<string, KafkaError>();
    for (const [at, outcome] of outcomes.entries()) {
      const name = names[at];
      // Somebody else's first use came first: the topic is there.
      if (name !== undefined && 'refused' in outcome && outcome.refused.errorName !== 'TOPIC_ALREADY_EXISTS')
        refusals.set(name, outcome.refused);
    }
    return refusals;
  }

  /** The settings a topic with these overrides has, as DescribeConfigs tells them. */
  describeConfigs(overrides: ReadonlyMap<string, string>): DescribedConfig[] {
    return describeTopicConfig(overrides, this.#levels);
  }

  /** What to say of a topic that is not there. */
  whyMissing(name: string): KafkaError {
    try {
      checkTopicName(name);
    } catch (thrown) {
      if (thrown instanceof KafkaError) return thrown;
      throw thrown;
    }
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${name}'`);
  }

  #plan(topic: NewTopic, image: MetadataImage, taken: ReadonlySet<string>): CreatedTopic {
    checkTopicName(topic.name);
    check(
      image.findTopic(topic.name) === undefined && !taken.has(topic.name),
      'TOPIC_ALREADY_EXISTS',
      `Topic '${topic.name}' already exists.`,
    );
    this.#checkCollision(topic.name, image, taken);
    const configs = this.#checkedConfigs(topic.configs);
    if (topic.assignments.size > 0) {
      check(
        topic.partitionCount === -1,
        'INVALID_REQUEST',
        'A manual partition assignment was specified, but numPartitions was not set to -1.',
      );
      check(
        topic.replicationFactor === -1,
        'INVALID_REQUEST',
        'A manual partition assignment was specified, but replication factor was not set to -1.',
      );
      for (let index = 0; index < topic.assignments.size; index += 1) {
        const replicas = topic.assignments.get(index);
        check(replicas !== undefined, 'INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence');
        check(replicas.length > 0, 'INVALID_REPLICA_ASSIGNMENT', `The manual partition assignment for partition ${index} has no replicas.`);
        check(
          new Set(replicas).size === replicas.length,
          'INVALID_REPLICA_ASSIGNMENT',
          `The manual partition assignment for partition ${index} names a replica twice.`,
        );
        const stranger = replicas.find((replica) => !image.brokers.has(replica));
        check(
          stranger === undefined,
          'INVALID_REPLICA_ASSIGNMENT',
          `The manual partition assignment includes broker ${stranger}, but no such broker is registered.`,
        );
      }
      return { name: topic.name, id: this.#newTopicId(image), partitionCount: topic.assignments.size, replicationFactor: 1, configs };
    }
    check(
      topic.partitionCount === -1 || topic.partitionCount > 0,
      'INVALID_PARTITIONS',
      'Number of partitions was set to an invalid non-positive value.',
    );
    check(
      topic.replicationFactor === -1 || topic.replicationFactor > 0,
      'INVALID_REPLICATION_FACTOR',
      'Replication factor was set to an invalid non-positive value.',
    );
    const partitionCount = topic.partitionCount === -1 ? this.#config['num.partitions'] : topic.partitionCount;
    const replicationFactor = topic.replicationFactor === -1 ? this.#config['default.replication.factor'] : topic.replicationFactor;
    check(
      replicationFactor <= image.brokers.size,
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicationFactor} time(s): The target replication factor of ${replicationFactor} cannot be reached because only ${image.brokers.size} broker(s) are registered.`,
    );
    return { name: topic.name, id: this.#newTopicId(image), partitionCount, replicationFactor, configs };
  }

  #checkedConfigs(asked: ReadonlyMap<string, string | null>): Map<string, string> {
    try {
      checkTopicConfigs(asked, this.#config);
    } catch (thrown) {
      if (thrown instanceof ConfigError) throw new KafkaError('INVALID_CONFIG', thrown.message);
      throw thrown;
    }
    return new Map([...asked].filter((entry): entry is [string, string] => entry[1] !== null));
  }

  #checkCollision(name: string, image: MetadataImage, taken: ReadonlySet<string>): void {
    // Only names with one of the two characters can collide, and only with each other (metrics names of old).
    if (!/[._]/.test(name)) return;
    const key = topicCollisionKey(name);
    for (const other of [...image.topics.keys(), ...taken]) {
      check(topicCollisionKey(other) !== key, 'INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`);
    }
  }

  #recordsOf(created: CreatedTopic, wanted: NewTopic): NewMetadataRecord[] {
    const records: NewMetadataRecord[] = [{ type: 'TopicRecord', value: { name: created.name, topicId: created.id } }];
    for (let partitionId = 0; partitionId < created.partitionCount; partitionId += 1) {
      const replicas = wanted.assignments.get(partitionId) ?? [this.#nodeId];
      records.push({
        type: 'PartitionRecord',
        value: {
          partitionId,
          topicId: created.id,
          replicas,
          isr: replicas,
          removingReplicas: [],
          addingReplicas: [],
          leader: replicas[0] ?? this.#nodeId,
          leaderEpoch: 0,
          partitionEpoch: 0,
          directories: replicas.map(() => ONLINE_DIRECTORY),
        },
      });
    }
    for (const [name, value] of created.configs) {
      records.push({ type: 'ConfigRecord', value: { resourceType: resourceTypes.topic, resourceName: created.name, name, value } });
    }
    return records;
  }

  #newTopicId(image: MetadataImage): string {
    for (;;) {
      const id = Buffer.from(this.#env.randomBytes(16)).toString('base64url');
      // Ids that begin with a dash are a nuisance on command lines; Kafka avoids them too, and keeps a few for itself.
      if (!id.startsWith('-') && !id.startsWith('AAAAAAAAAAAAAAAAAAAAA') && image.findTopicById(id) === undefined) return id;
    }
  }
}

/** Topics that coordinators keep their records in; clients may read them and not produce into them. */
export const isInternalTopic = (name: string): boolean => internalTopics.has(name);
