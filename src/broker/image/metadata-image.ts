// The folded metadata: topics, partitions, configs, brokers, as the records of the metadata log have made them so far.
// Request handlers read it; only `apply` changes it, record by record, and the same call serves recovery. It is one
// object that grows rather than a copy per change: a handler reads it within one turn, and no change lands in between.
import { invariant, present } from '../../base/invariant.ts';
import type { MetadataRecord } from '../../storage/metadata/metadata-records.ts';

export interface PartitionImage {
  readonly index: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Node id, or -1. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  /** The log dir of each replica, by its directory id. */
  readonly directories: readonly string[];
}

export interface TopicImage {
  readonly name: string;
  readonly id: string;
  readonly partitions: readonly PartitionImage[];
}

export interface BrokerImage {
  readonly nodeId: number;
  readonly epoch: number;
  readonly incarnationId: string;
  readonly rack: string | null;
  readonly fenced: boolean;
}

/** ConfigResource.Type of Kafka. */
export const resourceTypes = { topic: 2, broker: 4, clientMetrics: 16, group: 32 } as const;

const NO_CONFIG: ReadonlyMap<string, string> = new Map();
const UNASSIGNED_LEADER_CHANGE = -2;

export class MetadataImage {
  readonly #topicsByName = new Map<string, TopicImage>();
  readonly #topicsById = new Map<string, TopicImage>();
  readonly #brokers = new Map<number, BrokerImage>();
  readonly #configs = new Map<string, Map<string, string>>();
  readonly #features = new Map<string, number>();
  #nextProducerId = 0;
  #partitionCount = 0;

  get topics(): ReadonlyMap<string, TopicImage> {
    return this.#topicsByName;
  }
  get brokers(): ReadonlyMap<number, BrokerImage> {
    return this.#brokers;
  }
  /** Finalized feature levels. */
  get features(): ReadonlyMap<string, number> {
    return this.#features;
  }
  /** The first producer id that no block has been taken from yet. */
  get nextProducerId(): number {
    return this.#nextProducerId;
  }
  get partitionCount(): number {
    return this.#partitionCount;
  }

  findTopic(name: string): TopicImage | undefined {
    return this.#topicsByName.get(name);
  }

  findTopicById(id: string): TopicImage | undefined {
    return this.#topicsById.get(id);
  }

  /** The overrides of a resource, as they were given. */
  configOf(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(`${resourceType}/${resourceName}`) ?? NO_CONFIG;
  }

  apply(record: MetadataRecord): void {
    switch (record.type) {
      case 'TopicRecord':
        this.#put({ name: record.value.name, id: record.value.topicId, partitions: [] });
        break;
      case 'PartitionRecord': {
        const { topicId, partitionId: index, replicas, isr, leader, leaderEpoch, partitionEpoch, directories } = record.value;
        this.#putPartition(topicId, { index, replicas, isr, leader, leaderEpoch, partitionEpoch, directories: directories ?? [] });
        this.#partitionCount += 1;
        break;
      }
      case 'PartitionChangeRecord': {
        const change = record.value;
        const topic = present(this.#topicsById.get(change.topicId), `the topic ${change.topicId} of a partition change`);
        const before = present(topic.partitions[change.partitionId], `partition ${change.partitionId} of ${topic.name}`);
        // The record carries no leader epoch: naming a leader raises it by one (PartitionRegistration.merge).
        const namesLeader = change.leader !== UNASSIGNED_LEADER_CHANGE;
        this.#putPartition(change.topicId, {
          index: before.index,
          replicas: change.replicas ?? before.replicas,
          isr: change.isr ?? before.isr,
          leader: namesLeader ? change.leader : before.leader,
          leaderEpoch: before.leaderEpoch + (namesLeader ? 1 : 0),
          partitionEpoch: before.partitionEpoch + 1,
          directories: change.directories ?? before.directories,
        });
        break;
      }
      case 'RemoveTopicRecord': {
        const topic = present(this.#topicsById.get(record.value.topicId), `the removed topic ${record.value.topicId}`);
        this.#topicsById.delete(topic.id);
        this.#topicsByName.delete(topic.name);
        this.#configs.delete(`${resourceTypes.topic}/${topic.name}`);
        this.#partitionCount -= topic.partitions.length;
        break;
      }
      case 'ConfigRecord': {
        const { resourceType, resourceName, name, value } = record.value;
        const key = `${resourceType}/${resourceName}`;
        const config = this.#configs.get(key) ?? new Map<string, string>();
        if (value === null) config.delete(name);
        else config.set(name, value);
        if (config.size === 0) this.#configs.delete(key);
        else this.#configs.set(key, config);
        break;
      }
      case 'RegisterBrokerRecord': {
        const { brokerId: nodeId, brokerEpoch: epoch, incarnationId, rack, fenced } = record.value;
        this.#brokers.set(nodeId, { nodeId, epoch, incarnationId, rack, fenced });
        break;
      }
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.value.brokerId);
        break;
      case 'ProducerIdsRecord':
        this.#nextProducerId = record.value.nextProducerId;
        break;
      case 'FeatureLevelRecord':
        if (record.value.featureLevel === 0) this.#features.delete(record.value.name);
        else this.#features.set(record.value.name, record.value.featureLevel);
        break;
      default: // records of Kafka that say nothing this broker acts on; the log keeps them
        break;
    }
  }

  #put(topic: TopicImage): void {
    this.#topicsByName.set(topic.name, topic);
    this.#topicsById.set(topic.id, topic);
  }

  #putPartition(topicId: string, partition: PartitionImage): void {
    const topic = present(this.#topicsById.get(topicId), `the topic ${topicId} of a partition`);
    invariant(partition.index <= topic.partitions.length, 'a partition was skipped');
    // The list is this object's own until a reader has seen the topic; a thousand partitions are not a thousand copies.
    (topic.partitions as PartitionImage[])[partition.index] = partition;
  }
}
