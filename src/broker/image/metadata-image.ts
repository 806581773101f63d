// The folded metadata: topics, partitions, configs, brokers, as the records of the metadata log have made them so far.
// Request handlers read it; only `apply` changes it, record by record, and the same call serves recovery. It is one
// object that grows rather than a copy per change: a handler reads it within one turn, and no change lands in between.
import { invariant, present } from '../../base/invariant.ts';
import { unnamedDirectories } from '../../storage/directory-ids.ts';
import { topicCollisionKey } from '../../storage/log/log-names.ts';
import type { MetadataRecord } from '../../storage/metadata/metadata-records.ts';
import { SortedNames } from './sorted-names.ts';

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

/** Where a broker listens, as it registered; its own connections know better what to tell their client. */
export interface EndPointImage {
  readonly host: string;
  readonly port: number;
}

export interface BrokerImage {
  readonly nodeId: number;
  readonly epoch: number;
  readonly incarnationId: string;
  readonly rack: string | null;
  readonly fenced: boolean;
  /** By listener name. */
  readonly endPoints: ReadonlyMap<string, EndPointImage>;
  /** The ids of its log dirs. */
  readonly logDirs: readonly string[];
}

/** ConfigResource.Type of Kafka. */
export const resourceTypes = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const;

const NO_CONFIG: ReadonlyMap<string, string> = new Map();
const UNASSIGNED_LEADER_CHANGE = -2;

export class MetadataImage {
  readonly #topicsByName = new Map<string, TopicImage>();
  readonly #topicsById = new Map<string, TopicImage>();
  readonly #names = new SortedNames();
  /** Names with a dot or an underscore, by what two of them must not have in common; others cannot collide. */
  readonly #collisions = new Map<string, Set<string>>();
  readonly #brokers = new Map<number, BrokerImage>();
  readonly #configs = new Map<string, Map<string, string>>();
  readonly #features = new Map<string, number>();
  #nextProducerId = 0;
  #partitionCount = 0;
  #firstLeaderEpoch = 0;
  #topicsVersion = 0;
  #placementVersion = 0;
  #topicsMade = 0;
  /** Lists of one content are one list: most partitions of a broker have the same replicas. */
  readonly #nodeLists = new Map<string, readonly number[]>();
  readonly #directoryLists = new Map<string, readonly string[]>();

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
  /**
   * The leader epoch in which a new topic begins: above that of every topic that was removed, so that a client that knows
   * no topic ids does not take a topic that was made again for stale news of the old one.
   */
  get firstLeaderEpoch(): number {
    return this.#firstLeaderEpoch;
  }

  /** Another number whenever topics have been made, have grown, have moved or have gone. Means nothing beyond this process. */
  get topicsVersion(): number {
    return this.#topicsVersion;
  }
  /** Another number whenever replicas of any topic, or brokers, may have come to other racks. */
  get placementVersion(): number {
    return this.#placementVersion;
  }
  /** How many topics have been made while this image was folded. */
  get topicsMade(): number {
    return this.#topicsMade;
  }

  /** Raises `firstLeaderEpoch`, for one who knows more of the topics that were removed than the records say. */
  beginLeaderEpochsAt(leaderEpoch: number): void {
    this.#firstLeaderEpoch = Math.max(this.#firstLeaderEpoch, leaderEpoch);
  }

  /** The log dir that a new replica of the broker goes to, by its id, where that is certain. */
  directoryOfNewReplica(nodeId: number): string {
    const [only, second] = this.#brokers.get(nodeId)?.logDirs ?? [];
    return only === undefined || second !== undefined ? unnamedDirectories.unassigned : only;
  }

  findTopic(name: string): TopicImage | undefined {
    return this.#topicsByName.get(name);
  }

  findTopicById(id: string): TopicImage | undefined {
    return this.#topicsById.get(id);
  }

  /** All names, ascending by UTF-16 units; valid until the next change. */
  get topicNames(): readonly string[] {
    return this.#names.all();
  }

  /** Where in `topicNames` the first stands that is not below `name`. */
  indexOfTopicFrom(name: string): number {
    return this.#names.indexFrom(name);
  }

  /** A topic whose name may not stand beside this one, since metrics show "." as "_"; the name itself does not count. */
  findCollision(name: string): string | undefined {
    if (!mayCollide(name)) return undefined;
    for (const other of this.#collisions.get(topicCollisionKey(name)) ?? []) if (other !== name) return other;
    return undefined;
  }

  /** Names of the resources of a type that have settings of their own. */
  configuredNames(resourceType: number): string[] {
    const prefix = `${resourceType}/`;
    return [...this.#configs.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  }

  /** The overrides of a resource, as they were given. */
  configOf(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(`${resourceType}/${resourceName}`) ?? NO_CONFIG;
  }

  apply(record: MetadataRecord): void {
    switch (record.type) {
      case 'TopicRecord':
        this.#put({ name: record.value.name, id: record.value.topicId, partitions: [] });
        this.#topicsMade += 1;
        break;
      case 'PartitionRecord': {
        const { topicId, partitionId: index, leader, leaderEpoch, partitionEpoch } = record.value;
        this.#putPartition(topicId, {
          index,
          replicas: this.#nodes(record.value.replicas),
          isr: this.#nodes(record.value.isr),
          leader,
          leaderEpoch,
          partitionEpoch,
          directories: this.#directories(record.value.directories),
        });
        this.#partitionCount += 1;
        this.#topicsVersion += 1;
        break;
      }
      case 'PartitionChangeRecord': {
        const change = record.value;
        const topic = present(this.#topicsById.get(change.topicId), `the topic ${change.topicId} of a partition change`);
        const before = present(topic.partitions[change.partitionId], `partition ${change.partitionId} of ${topic.name}`);
        if (change.replicas !== null) this.#noteMove();
        // The record carries no leader epoch: naming a leader raises it by one (PartitionRegistration.merge).
        const namesLeader = change.leader !== UNASSIGNED_LEADER_CHANGE;
        this.#putPartition(change.topicId, {
          index: before.index,
          replicas: change.replicas === null ? before.replicas : this.#nodes(change.replicas),
          isr: change.isr === null ? before.isr : this.#nodes(change.isr),
          leader: namesLeader ? change.leader : before.leader,
          leaderEpoch: before.leaderEpoch + (namesLeader ? 1 : 0),
          partitionEpoch: before.partitionEpoch + 1,
          directories: change.directories === null ? before.directories : this.#directories(change.directories),
        });
        break;
      }
      case 'RemoveTopicRecord': {
        const topic = present(this.#topicsById.get(record.value.topicId), `the removed topic ${record.value.topicId}`);
        this.#topicsById.delete(topic.id);
        this.#topicsByName.delete(topic.name);
        this.#topicsVersion += 1;
        this.#names.delete(topic.name);
        this.#forgetCollision(topic.name);
        this.#configs.delete(`${resourceTypes.topic}/${topic.name}`);
        this.#partitionCount -= topic.partitions.length;
        for (const { leaderEpoch } of topic.partitions) this.#firstLeaderEpoch = Math.max(this.#firstLeaderEpoch, leaderEpoch + 1);
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
        const { brokerId: nodeId, brokerEpoch: epoch, incarnationId, rack, fenced, logDirs } = record.value;
        const endPoints = new Map(record.value.endPoints.map(({ name, host, port }) => [name, { host, port }]));
        this.#brokers.set(nodeId, { nodeId, epoch, incarnationId, rack, fenced, endPoints, logDirs });
        this.#noteMove();
        break;
      }
      case 'BrokerRegistrationChangeRecord': {
        const { brokerId, fenced, logDirs } = record.value;
        this.#changeBroker(brokerId, { ...(fenced !== 0 && { fenced: fenced > 0 }), ...(logDirs.length > 0 && { logDirs }) });
        break;
      }
      case 'FenceBrokerRecord':
        this.#changeBroker(record.value.id, { fenced: true });
        break;
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record.value.id, { fenced: false });
        break;
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.value.brokerId);
        this.#noteMove();
        break;
      case 'ProducerIdsRecord':
        this.#nextProducerId = record.value.nextProducerId;
        break;
      case 'FeatureLevelRecord':
        if (record.value.featureLevel === 0) this.#features.delete(record.value.name);
        else this.#features.set(record.value.name, record.value.featureLevel);
        break;
      // Nothing here acts on these; the log and its snapshots keep them.
      case 'AbortTransactionRecord':
      case 'AccessControlEntryRecord':
      case 'BeginTransactionRecord':
      case 'ClearElrRecord':
      case 'ClientQuotaRecord':
      case 'DelegationTokenRecord':
      case 'EndTransactionRecord':
      case 'NoOpRecord':
      case 'RegisterControllerRecord':
      case 'RemoveAccessControlEntryRecord':
      case 'RemoveDelegationTokenRecord':
      case 'RemoveUserScramCredentialRecord':
      case 'UserScramCredentialRecord':
      case 'ZkMigrationStateRecord':
        break;
    }
  }

  #noteMove(): void {
    this.#placementVersion += 1;
    this.#topicsVersion += 1;
  }

  #changeBroker(nodeId: number, change: Partial<BrokerImage>): void {
    this.#brokers.set(nodeId, { ...present(this.#brokers.get(nodeId), `broker ${nodeId}, whose registration changes,`), ...change });
  }

  #put(topic: TopicImage): void {
    invariant(!this.#topicsByName.has(topic.name) && !this.#topicsById.has(topic.id), 'a topic is made once');
    this.#topicsByName.set(topic.name, topic);
    this.#topicsById.set(topic.id, topic);
    this.#names.add(topic.name);
    if (!mayCollide(topic.name)) return;
    const key = topicCollisionKey(topic.name);
    const colliding = this.#collisions.get(key);
    if (colliding === undefined) this.#collisions.set(key, new Set([topic.name]));
    else colliding.add(topic.name);
  }

  #forgetCollision(name: string): void {
    const key = topicCollisionKey(name);
    const colliding = this.#collisions.get(key);
    colliding?.delete(name);
    if (colliding?.size === 0) this.#collisions.delete(key);
  }

  #nodes(list: readonly number[]): readonly number[] {
    return shared(this.#nodeLists, list);
  }

  #directories(list: readonly string[]): readonly string[] {
    return shared(this.#directoryLists, list);
  }

  #putPartition(topicId: string, partition: PartitionImage): void {
    const topic = present(this.#topicsById.get(topicId), `the topic ${topicId} of a partition`);
    invariant(partition.index <= topic.partitions.length, 'a partition was skipped');
    // The list is this object's own until a reader has seen the topic; a thousand partitions are not a thousand copies.
    (topic.partitions as PartitionImage[])[partition.index] = partition;
  }
}

const mayCollide = (name: string): boolean => name.includes('.') || name.includes('_');

const MOST_SHARED_LISTS = 10_000;

function shared<Element>(lists: Map<string, readonly Element[]>, list: readonly Element[]): readonly Element[] {
  const key = list.join();
  const known = lists.get(key);
  if (known !== undefined) return known;
  if (lists.size < MOST_SHARED_LISTS) lists.set(key, list);
  return list;
}
