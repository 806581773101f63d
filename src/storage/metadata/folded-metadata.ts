// What all records of the metadata log add up to, whether this broker acts on them or not: what a snapshot must hold so that
// nothing is lost when the log before it goes. Follows Kafka's rules of replay (MetadataDelta and its parts); what handlers read is
// the image in broker/, made from the same records.
import { unnamedDirectories } from '../directory-ids.ts';
import {
  METADATA_VERSION_FEATURE,
  metadataVersions,
  NewerMetadataError,
  type MetadataRecord,
  type NewMetadataRecord,
  type RecordValue,
} from './metadata-records.ts';

type PartitionRecord = RecordValue<'PartitionRecord'>;
type PartitionChangeRecord = RecordValue<'PartitionChangeRecord'>;
type RegisterBrokerRecord = RecordValue<'RegisterBrokerRecord'>;

/** A record contradicts those before it: the log was not written by one who followed the rules. */
export class InconsistentMetadataError extends Error {
  override readonly name = 'InconsistentMetadataError';
}

interface Topic {
  readonly name: string;
  readonly id: string;
  readonly partitions: Map<number, PartitionRecord>;
}

const TOPIC_RESOURCE = 2;
const NO_LEADER_CHANGE = -2;
const NO_RECOVERY_CHANGE = -1;
const FENCE = 1;
const UNFENCE = -1;

export class FoldedMetadata {
  readonly #features = new Map<string, number>();
  readonly #brokers = new Map<number, RegisterBrokerRecord>();
  readonly #controllers = new Map<number, RecordValue<'RegisterControllerRecord'>>();
  readonly #topics = new Map<string, Topic>();
  readonly #topicIds = new Map<string, string>();
  /** By resource, then by the name of the setting. */
  readonly #configs = new Map<string, Map<string, RecordValue<'ConfigRecord'>>>();
  readonly #quotas = new Map<string, RecordValue<'ClientQuotaRecord'>>();
  readonly #acls = new Map<string, RecordValue<'AccessControlEntryRecord'>>();
  readonly #scram = new Map<string, RecordValue<'UserScramCredentialRecord'>>();
  readonly #tokens = new Map<string, RecordValue<'DelegationTokenRecord'>>();
  #producerIds: RecordValue<'ProducerIdsRecord'> | undefined;
  /** Lists of one content are one list: most partitions of a broker have the same replicas. */
  readonly #lists = new Map<string, readonly unknown[]>();

  /** The level of metadata.version; undefined as long as no record has set it. */
  get metadataVersion(): number | undefined {
    return this.#features.get(METADATA_VERSION_FEATURE);
  }

  findPartition(topicId: string, index: number): PartitionRecord | undefined {
    return this.#topics.get(topicId)?.partitions.get(index);
  }

  /** @throws InconsistentMetadataError; nothing has changed then */
  apply(record: MetadataRecord): void {
    switch (record.type) {
      case 'FeatureLevelRecord':
        if (record.value.name === METADATA_VERSION_FEATURE) checkMetadataVersion(record.value.featureLevel);
        if (record.value.featureLevel === 0) this.#features.delete(record.value.name);
        else this.#features.set(record.value.name, record.value.featureLevel);
        break;
      case 'RegisterBrokerRecord':
        this.#brokers.set(record.value.brokerId, record.value);
        break;
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.value.brokerId);
        break;
      case 'FenceBrokerRecord':
        this.#changeBroker(record.value.id, { fenced: true });
        break;
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record.value.id, { fenced: false });
        break;
      case 'BrokerRegistrationChangeRecord': {
        const { brokerId, fenced, inControlledShutdown, logDirs } = record.value;
        this.#changeBroker(brokerId, {
          ...((fenced === FENCE || fenced === UNFENCE) && { fenced: fenced === FENCE }),
          ...(inControlledShutdown > 0 && { inControlledShutdown: true }),
          ...(logDirs.length > 0 && { logDirs }),
        });
        break;
      }
      case 'RegisterControllerRecord':
        this.#controllers.set(record.value.controllerId, record.value);
        break;
      case 'TopicRecord':
        if (this.#topics.has(record.value.topicId) || this.#topicIds.has(record.value.name))
          throw new InconsistentMetadataError(`the topic ${record.value.name} is made twice`);
        this.#topics.set(record.value.topicId, { name: record.value.name, id: record.value.topicId, partitions: new Map() });
        this.#topicIds.set(record.value.name, record.value.topicId);
        break;
      case 'RemoveTopicRecord': {
        const topic = this.#topic(record.value.topicId);
        this.#topics.delete(topic.id);
        this.#topicIds.delete(topic.name);
        this.#configs.delete(resourceKey(TOPIC_RESOURCE, topic.name));
        break;
      }
      case 'PartitionRecord': {
        const topic = this.#topic(record.value.topicId);
        if (record.value.partitionId > topic.partitions.size)
          throw new InconsistentMetadataError(`partition ${topic.partitions.size} of the topic ${topic.name} is missing`);
        this.#keep(topic, record.value);
        break;
      }
      case 'PartitionChangeRecord': {
        const { topicId, partitionId } = record.value;
        const topic = this.#topic(topicId);
        const before = topic.partitions.get(partitionId);
        if (before === undefined) throw new InconsistentMetadataError(`the topic ${topic.name} has no partition ${partitionId} to change`);
        this.#keep(topic, merged(before, record.value));
        break;
      }
      case 'ClearElrRecord':
        this.#clearEligibleLeaders(record.value.topicName);
        break;
      case 'ConfigRecord':
        this.#configure(record.value);
        break;
      case 'ClientQuotaRecord':
        if (record.value.remove) this.#quotas.delete(quotaKey(record.value));
        else this.#quotas.set(quotaKey(record.value), record.value);
        break;
      case 'ProducerIdsRecord':
        this.#producerIds = record.value;
        break;
      case 'AccessControlEntryRecord':
        this.#acls.set(record.value.id, record.value);
        break;
      case 'RemoveAccessControlEntryRecord':
        this.#acls.delete(record.value.id);
        break;
      case 'UserScramCredentialRecord':
        this.#scram.set(`${record.value.mechanism}/${record.value.name}`, record.value);
        break;
      case 'RemoveUserScramCredentialRecord':
        this.#scram.delete(`${record.value.mechanism}/${record.value.name}`);
        break;
      case 'DelegationTokenRecord':
        this.#tokens.set(record.value.tokenId, record.value);
        break;
      case 'RemoveDelegationTokenRecord':
        this.#tokens.delete(record.value.tokenId);
        break;
      case 'NoOpRecord':
      case 'ZkMigrationStateRecord': // of clusters that came from ZooKeeper; means nothing since Kafka 4.0
      case 'BeginTransactionRecord': // transactions are the log's: what is aborted in one never comes here
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
        break;
    }
  }

  /** Everything, as the records a snapshot holds, in Kafka's order: metadata.version first, since it says how to read the rest. */
  records(): NewMetadataRecord[] {
    const records: NewMetadataRecord[] = [];
    const { metadataVersion } = this;
    if (metadataVersion !== undefined) records.push(featureLevel(METADATA_VERSION_FEATURE, metadataVersion));
    for (const [name, level] of this.#features) if (name !== METADATA_VERSION_FEATURE) records.push(featureLevel(name, level));
    for (const value of this.#brokers.values()) records.push({ type: 'RegisterBrokerRecord', value });
    for (const value of this.#controllers.values()) records.push({ type: 'RegisterControllerRecord', value });
    for (const { name, id, partitions } of this.#topics.values()) {
      records.push({ type: 'TopicRecord', value: { name, topicId: id } });
      for (const value of partitions.values()) records.push({ type: 'PartitionRecord', value });
    }
    for (const settings of this.#configs.values()) for (const value of settings.values()) records.push({ type: 'ConfigRecord', value });
    for (const value of this.#quotas.values()) records.push({ type: 'ClientQuotaRecord', value });
    if (this.#producerIds !== undefined) records.push({ type: 'ProducerIdsRecord', value: this.#producerIds });
    for (const value of this.#acls.values()) records.push({ type: 'AccessControlEntryRecord', value });
    for (const value of this.#scram.values()) records.push({ type: 'UserScramCredentialRecord', value });
    for (const value of this.#tokens.values()) records.push({ type: 'DelegationTokenRecord', value });
    return records;
  }

  #topic(id: string): Topic {
    const topic = this.#topics.get(id);
    if (topic === undefined) throw new InconsistentMetadataError(`there is no topic with the id ${id}`);
    return topic;
  }

  #changeBroker(brokerId: number, change: Partial<RegisterBrokerRecord>): void {
    const broker = this.#brokers.get(brokerId);
    if (broker === undefined) throw new InconsistentMetadataError(`broker ${brokerId} is not registered, and its registration changes`);
    this.#brokers.set(brokerId, { ...broker, ...change });
  }

  #configure(value: RecordValue<'ConfigRecord'>): void {
    const key = resourceKey(value.resourceType, value.resourceName);
    const settings = this.#configs.get(key);
    if (value.value !== null) {
      if (settings === undefined) this.#configs.set(key, new Map([[value.name, value]]));
      else settings.set(value.name, value);
    } else if (settings?.delete(value.name) === true && settings.size === 0) {
      this.#configs.delete(key);
    }
  }

  #clearEligibleLeaders(topicName: string): void {
    const id = this.#topicIds.get(topicName);
    const topics = topicName === '' ? this.#topics.values() : id === undefined ? [] : [this.#topic(id)];
    for (const topic of topics) {
      for (const partition of topic.partitions.values()) {
        const { eligibleLeaderReplicas: eligible, lastKnownElr } = partition;
        if ((eligible?.length ?? 0) > 0 || (lastKnownElr?.length ?? 0) > 0)
          this.#keep(topic, { ...partition, eligibleLeaderReplicas: null, lastKnownElr: null });
      }
    }
  }

  #keep(topic: Topic, partition: PartitionRecord): void {
    topic.partitions.set(partition.partitionId, {
      ...partition,
      topicId: topic.id,
      replicas: this.#shared(partition.replicas),
      isr: this.#shared(partition.isr),
      removingReplicas: this.#shared(partition.removingReplicas),
      addingReplicas: this.#shared(partition.addingReplicas),
      directories: this.#shared(directoriesOf(partition)),
    });
  }

  #shared<Element extends string | number>(list: readonly Element[]): readonly Element[] {
    const key = `${typeof list[0]} ${list.join()}`;
    const known = this.#lists.get(key);
    if (known !== undefined) return known as readonly Element[];
    if (this.#lists.size < MOST_SHARED_LISTS) this.#lists.set(key, list);
    return list;
  }
}

function checkMetadataVersion(level: number): void {
  const { lowest, newest } = metadataVersions;
  if (level > newest)
    throw new InconsistentMetadataError(`metadata.version is ${level}, and ${newest} is the highest that is known here`, {
      cause: new NewerMetadataError(),
    });
  if (level < lowest)
    throw new InconsistentMetadataError(
      `metadata.version is ${level}, and ${lowest} is the lowest that can be opened: raise it with Kafka 3.9 first (kafka-features.sh upgrade)`,
    );
}

const MOST_SHARED_LISTS = 10_000;

/** PartitionRegistration.merge of Kafka: the record carries no epochs, naming a leader raises the leader's by one. */
function merged(before: PartitionRecord, change: PartitionChangeRecord): PartitionRecord {
  const namesLeader = change.leader !== NO_LEADER_CHANGE;
  return {
    ...before,
    replicas: change.replicas ?? before.replicas,
    isr: change.isr ?? before.isr,
    removingReplicas: change.removingReplicas ?? before.removingReplicas,
    addingReplicas: change.addingReplicas ?? before.addingReplicas,
    leader: namesLeader ? change.leader : before.leader,
    leaderRecoveryState: change.leaderRecoveryState === NO_RECOVERY_CHANGE ? before.leaderRecoveryState : change.leaderRecoveryState,
    leaderEpoch: before.leaderEpoch + (namesLeader ? 1 : 0),
    partitionEpoch: before.partitionEpoch + 1,
    directories: change.directories ?? before.directories,
    eligibleLeaderReplicas: nullWhenEmpty(change.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas),
    lastKnownElr: nullWhenEmpty(change.lastKnownElr ?? before.lastKnownElr),
  };
}

/** One for each replica; where none is named, as many that say so (PartitionRegistration.defaultToMigrating). */
function directoriesOf({ replicas, directories }: PartitionRecord): readonly string[] {
  return directories.every((id) => id === unnamedDirectories.migrating) ? replicas.map(() => unnamedDirectories.migrating) : directories;
}

/** An empty list says what a list that is not there says, and takes room. */
const nullWhenEmpty = <Element>(list: readonly Element[] | null): readonly Element[] | null => (list?.length === 0 ? null : list);

const featureLevel = (name: string, level: number): NewMetadataRecord => ({
  type: 'FeatureLevelRecord',
  value: { name, featureLevel: level },
});

const resourceKey = (type: number, name: string): string => `${type}/${name}`;

/** The parts of an entity come in any order. */
function quotaKey({ entity, key }: RecordValue<'ClientQuotaRecord'>): string {
  const parts = entity.map(({ entityType, entityName }) => JSON.stringify([entityType, entityName])).sort(byText);
  return `${parts.join()} ${key}`;
}

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
