// Topics come, grow and go: each change is one step over the image, whose plan stands in topic-plans.ts and whose records
// are one durable append. Every topic of a request has its own outcome.
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import { describeTopicConfig, type DescribedConfig } from '../config/describe-configs.ts';
import { KafkaError } from '../protocol/errors.ts';
import { checkTopicName } from '../storage/log/log-names.ts';
import type { NewMetadataRecord } from '../storage/metadata/metadata-records.ts';
import type { BrokerSettings } from './broker-settings.ts';
import type { MetadataImage } from './image/metadata-image.ts';
import { internalTopicOf } from './internal-topics.ts';
import type { MetadataController } from './metadata-controller.ts';
import {
  checkGrowthSize,
  checkRequestSize,
  planGrowth,
  planTopic,
  recordsOfPartitions,
  recordsOfTopic,
  TakenNames,
  type GrowingTopic,
  type NewTopic,
} from './topic-plans.ts';

export interface CreatedTopic {
  readonly name: string;
  readonly id: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}

export type CreateOutcome = { readonly created: CreatedTopic } | { readonly refused: KafkaError };

/** Undefined: done. */
export type Refusal = KafkaError | undefined;

export class Topics {
  readonly #env: Env;
  readonly #settings: BrokerSettings;
  readonly #controller: MetadataController;
  readonly #image: MetadataImage;
  readonly #log: Logger;

  constructor(options: { env: Env; settings: BrokerSettings; controller: MetadataController; image: MetadataImage; log: Logger }) {
    this.#env = options.env;
    this.#settings = options.settings;
    this.#controller = options.controller;
    this.#image = options.image;
    this.#log = options.log;
  }

  /**
   * Makes what can be made, in the order asked. With `validateOnly` nothing is made and the outcomes are the same.
   * @throws KafkaError POLICY_VIOLATION when the request as a whole is too large
   */
  create(wanted: readonly NewTopic[], options: { validateOnly: boolean }): Promise<CreateOutcome[]> {
    return this.#controller.execute((image) => {
      const { config } = this.#settings;
      checkRequestSize(wanted, config);
      const records: NewMetadataRecord[] = [];
      const taken = new TakenNames();
      const reply = wanted.map((topic): CreateOutcome => {
        try {
          const plan = planTopic(topic, image, config, taken);
          taken.add(topic.name);
          const id = this.#newTopicId(image);
          const partitions = { topicId: id, firstIndex: 0, leaderEpoch: image.firstLeaderEpoch, directoryOf: directoriesIn(image) };
          if (!options.validateOnly) records.push(...recordsOfTopic(plan, partitions));
          const { name, replicas, configs } = plan;
          return { created: { name, id, configs, partitionCount: replicas.length, replicationFactor: replicas[0]?.length ?? 0 } };
        } catch (thrown) {
          return { refused: refusalOf(thrown) };
        }
      });
      return { records, reply };
    });
  }

  /**
   * Makes topics as their first use does: with the defaults of the settings, internal ones as their coordinator wants them.
   * When it resolves they are there, with a leader; the map says why each that is not could not be made.
   */
  async createOnFirstUse(names: readonly string[]): Promise<Map<string, KafkaError>> {
    const { config } = this.#settings;
    const wanted = names.map((name): NewTopic => {
      const internal = internalTopicOf(name, config);
      return {
        name,
        partitionCount: internal?.partitionCount ?? -1,
        replicationFactor: internal === undefined ? -1 : this.#asManyAsThereAre(name, internal.replicationFactor),
        assignments: [],
        configs: internal?.configs ?? new Map(),
      };
    });
    const refusals = new Map<string, KafkaError>();
    let outcomes: CreateOutcome[];
    try {
      outcomes = await this.create(wanted, { validateOnly: false });
    } catch (thrown) {
      // Too many at once, or a disk that is full: whoever asked still learns of the topics that are there.
      const refused = refusalOf(thrown);
      outcomes = wanted.map(() => ({ refused }));
    }
    for (const [at, outcome] of outcomes.entries()) {
      const name = names[at];
      // Somebody else's first use came first: the topic is there.
      if (name !== undefined && 'refused' in outcome && outcome.refused.errorName !== 'TOPIC_ALREADY_EXISTS')
        refusals.set(name, outcome.refused);
    }
    return refusals;
  }

  /** Settings taken over from a cluster ask for three; without its coordinators' topics a broker is of no use. */
  #asManyAsThereAre(name: string, asked: number): number {
    const replicationFactor = Math.min(asked, Math.max(this.#image.brokers.size, 1));
    if (replicationFactor < asked)
      this.#log.warn('an internal topic gets fewer replicas than the settings ask for: there are no more brokers', {
        topic: name,
        asked,
        replicationFactor,
      });
    return replicationFactor;
  }

  /** Removes topics by their ids, which must be different ones. When it resolves their records are gone, also after a crash. */
  delete(ids: readonly string[]): Promise<Refusal[]> {
    return this.#controller.execute((image) => {
      const records: NewMetadataRecord[] = [];
      const reply = ids.map((topicId): Refusal => {
        if (image.findTopicById(topicId) === undefined) return new KafkaError('UNKNOWN_TOPIC_ID');
        records.push({ type: 'RemoveTopicRecord', value: { topicId } });
        return undefined;
      });
      return { records, reply };
    });
  }

  /** Adds partitions to topics, which must be different ones. */
  grow(growing: readonly GrowingTopic[], options: { validateOnly: boolean }): Promise<Refusal[]> {
    return this.#controller.execute((image) => {
      const records: NewMetadataRecord[] = [];
      const reply = growing.map((topic): Refusal => {
        try {
          const { topic: grown, replicas } = planGrowth(topic, image);
          checkGrowthSize(records.length + replicas.length);
          const firstIndex = grown.partitions.length;
          const partitions = { topicId: grown.id, firstIndex, leaderEpoch: 0, directoryOf: directoriesIn(image) };
          records.push(...recordsOfPartitions(replicas, partitions));
          return undefined;
        } catch (thrown) {
          return refusalOf(thrown);
        }
      });
      return { records: options.validateOnly ? [] : records, reply };
    });
  }

  /** The settings a topic with these overrides has, as DescribeConfigs tells them. */
  describeConfigs(overrides: ReadonlyMap<string, string>): DescribedConfig[] {
    return describeTopicConfig(overrides, this.#settings.levels);
  }

  /** What to say of a topic that is not there. */
  whyMissing(name: string): KafkaError {
    try {
      checkTopicName(name);
    } catch (thrown) {
      return refusalOf(thrown);
    }
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic '${name}'`);
  }

  #newTopicId(image: MetadataImage): string {
    for (;;) {
      const id = Buffer.from(this.#env.randomBytes(16)).toString('base64url');
      // Ids that begin with a dash are a nuisance on command lines; Kafka avoids them too, and keeps a few for itself.
      if (!id.startsWith('-') && !id.startsWith('AAAAAAAAAAAAAAAAAAAAA') && image.findTopicById(id) === undefined) return id;
    }
  }
}

/** Only a client's fault is an outcome of its topic; anything else fails the request. */
function refusalOf(thrown: unknown): KafkaError {
  if (thrown instanceof KafkaError) return thrown;
  throw thrown;
}

const directoriesIn =
  (image: MetadataImage) =>
  (nodeId: number): string =>
    image.directoryOfNewReplica(nodeId);
