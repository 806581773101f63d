// The partitions led here, by topic and index: finds the log of one, opens and starts logs as the metadata says, and follows
// it as it changes: new settings reach the logs, removed topics leave the disk.
import { inParallel } from '../base/in-parallel.ts';
import { InvariantError, present } from '../base/invariant.ts';
import type { Logger } from '../base/log.ts';
import { resolveTopicConfig, type TopicConfig } from '../config/topic-configs.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { LogDir } from '../storage/log-dir.ts';
import { partitionDirectoryName } from '../storage/log/log-names.ts';
import type { PartitionLog } from '../storage/log/partition-log.ts';
import { METADATA_TOPIC } from '../storage/metadata/metadata-log.ts';
import type { MetadataRecord } from '../storage/metadata/metadata-records.ts';
import { ALL_BROKERS, type BrokerSettings } from './broker-settings.ts';
import { resourceTypes, type MetadataImage, type TopicImage } from './image/metadata-image.ts';

interface OpenPartition {
  readonly log: PartitionLog;
  readonly dir: LogDir;
}

interface OpenTopic {
  readonly name: string;
  /** By index; a partition without files gets its log when it is first asked for. */
  readonly partitions: (OpenPartition | undefined)[];
}

interface DoomedFolder {
  readonly topic: string;
  readonly partition: number;
}

/** Folders that are to go, by the dir in which they lie. */
class DoomedFolders {
  readonly byDir = new Map<LogDir, DoomedFolder[]>();

  add(dir: LogDir, folder: DoomedFolder): void {
    const folders = this.byDir.get(dir);
    if (folders === undefined) this.byDir.set(dir, [folder]);
    else folders.push(folder);
  }
}

interface Unavailable {
  readonly topic: string;
  readonly topicId: string;
  readonly index: number;
  readonly why: string;
}

/** Partitions recovered at a time: enough to keep a disk busy, few enough for libuv's threads. */
const OPENED_AT_A_TIME = 4;

export class Partitions {
  readonly #settings: BrokerSettings;
  readonly #image: MetadataImage;
  readonly #nodeId: number;
  readonly #logDirs: readonly LogDir[];
  readonly #log: Logger;
  /** By topic id. */
  readonly #topics = new Map<string, OpenTopic>();
  /** How many logs are open in each dir. */
  readonly #load = new Map<LogDir, number>();
  /** Names of folders that hold what was removed, and are still to go or would not: nothing new may be written into them. */
  readonly #leftovers = new Set<string>();
  /** Folder names of partitions that nothing may be read from or written to, and why; nobody must take them for empty. */
  readonly #unavailable = new Map<string, Unavailable>();

  constructor(options: { settings: BrokerSettings; image: MetadataImage; nodeId: number; logDirs: readonly LogDir[]; log: Logger }) {
    this.#settings = options.settings;
    this.#image = options.image;
    this.#nodeId = options.nodeId;
    this.#logDirs = options.logDirs;
    this.#log = options.log;
  }

  /** Opens every partition of the image that has files; several at a time, as the disk allows. What the image does not know is set aside. */
  async open(): Promise<void> {
    await Promise.all(this.#logDirs.map((dir) => dir.setAsideUnknown((topic, index) => this.#isKnown(topic, index))));
    const waiting: { topic: TopicImage; index: number; dir: LogDir }[] = [];
    for (const topic of this.#image.topics.values()) {
      for (const { index } of topic.partitions) {
        const dir = this.#logDirs.find((candidate) => candidate.has(topic.name, index));
        if (dir !== undefined) waiting.push({ topic, index, dir });
        else this.#checkMissing(topic, index);
      }
    }
    await inParallel(OPENED_AT_A_TIME, waiting, ({ topic, index, dir }) => this.#open(topic, index, dir));
  }

  async #open(topic: TopicImage, index: number, dir: LogDir): Promise<void> {
    const { leaderEpoch } = present(topic.partitions[index], 'a partition of the image');
    const identity = { topic: topic.name, topicId: topic.id, partition: index };
    try {
      this.#keep(topic, index, { dir, log: await dir.openLog(identity, this.configOf(topic), leaderEpoch) });
    } catch (thrown) {
      if (thrown instanceof InvariantError) throw thrown;
      this.#refuse(topic, index, thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #isKnown(name: string, index: number): boolean {
    return name === METADATA_TOPIC || this.#image.findTopic(name)?.partitions[index] !== undefined;
  }

  #checkMissing(topic: TopicImage, index: number): void {
    for (const dir of this.#logDirs) {
      const endOffset = dir.missingUpTo(topic.name, index);
      if (endOffset === undefined) continue;
      const folder = `${dir.directory}/${partitionDirectoryName(topic.name, index)}`;
      this.#refuse(topic, index, `${folder} is gone, and held records up to offset ${endOffset}: restore it, or delete the topic`);
    }
  }

  #refuse({ name, id }: TopicImage, index: number, why: string): void {
    const partition = partitionDirectoryName(name, index);
    this.#unavailable.set(partition, { topic: name, topicId: id, index, why });
    this.#log.error('a partition cannot be opened, and is neither read nor written', { partition, why });
  }

  /**
   * The log of a partition that this broker leads.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR
   */
  ledHere(topic: TopicImage, index: number): PartitionLog {
    const partition = topic.partitions[index];
    if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic.name} has no partition ${index}`);
    if (partition.leader !== this.#nodeId) throw new KafkaError('NOT_LEADER_OR_FOLLOWER');
    return this.#topics.get(topic.id)?.partitions[index]?.log ?? this.#start(topic, index, partition.leaderEpoch);
  }

  /** The log of a partition that has one open; nothing is started. */
  find(topic: TopicImage, index: number): PartitionLog | undefined {
    return this.#topics.get(topic.id)?.partitions[index]?.log;
  }

  configOf(topic: TopicImage): TopicConfig {
    return resolveTopicConfig(this.#settings.config, this.#image.configOf(resourceTypes.topic, topic.name));
  }

  /** The object that the topic's other logs have: a thousand partitions are not a thousand copies of their settings. */
  #sharedConfigOf(topic: TopicImage): TopicConfig {
    return this.#topics.get(topic.id)?.partitions.find((open) => open !== undefined)?.log.config ?? this.configOf(topic);
  }

  /**
   * Does what changes of the metadata, which are in the image already, mean for the logs. Returns a promise where a disk
   * is needed: it never rejects, and when it resolves nothing of a removed topic can come back.
   */
  follow(records: readonly MetadataRecord[]): Promise<void> | undefined {
    const reconfigured = new Set<string>();
    const doomed = new DoomedFolders();
    let all = false;
    for (const record of records) {
      if (record.type === 'RemoveTopicRecord') this.#close(record.value.topicId, doomed);
      if (record.type === 'PartitionRecord') this.#findLeftover(record.value.topicId, record.value.partitionId, doomed);
      if (record.type === 'PartitionChangeRecord') this.#followLeader(record.value.topicId, record.value.partitionId);
      if (record.type !== 'ConfigRecord') continue;
      const { resourceType, resourceName } = record.value;
      if (resourceType === resourceTypes.topic) reconfigured.add(resourceName);
      if (resourceType === resourceTypes.broker && [ALL_BROKERS, String(this.#nodeId)].includes(resourceName)) all = true;
    }
    for (const name of all ? this.#image.topics.keys() : reconfigured) this.#reconfigure(name);
    const unopened = [...this.#unavailable.values()].filter(({ topicId }) => this.#image.findTopicById(topicId) === undefined);
    if (doomed.byDir.size === 0 && unopened.length === 0) return undefined;
    const dropping = [...doomed.byDir].map(([dir, partitions]) => this.#drop(dir, partitions));
    return Promise.all([...dropping, ...unopened.map((one) => this.#setAside(one))]).then(() => undefined);
  }

  #followLeader(topicId: string, index: number): void {
    const partition = this.#image.findTopicById(topicId)?.partitions[index];
    const open = this.#topics.get(topicId)?.partitions[index];
    if (partition?.leader === this.#nodeId) open?.log.leadFrom(partition.leaderEpoch);
  }

  #reconfigure(name: string): void {
    const topic = this.#image.findTopic(name);
    const open = topic === undefined ? undefined : this.#topics.get(topic.id);
    if (topic === undefined || open === undefined) return;
    const config = this.configOf(topic);
    for (const partition of open.partitions) partition?.log.configure(config);
  }

  /** From here on nobody finds the topic's logs. */
  #close(topicId: string, doomed: DoomedFolders): void {
    const open = this.#topics.get(topicId);
    if (open === undefined) return;
    this.#topics.delete(topicId);
    for (const [partition, held] of open.partitions.entries()) {
      if (held === undefined) continue;
      this.#load.set(held.dir, (this.#load.get(held.dir) ?? 1) - 1);
      doomed.add(held.dir, { topic: open.name, partition });
    }
  }

  /** A crash between the end of a topic and that of its folders leaves these behind: they go before one of the same name is used. */
  #findLeftover(topicId: string, partition: number, doomed: DoomedFolders): void {
    const topic = this.#image.findTopicById(topicId);
    if (topic === undefined) return;
    for (const dir of this.#logDirs) {
      if (!dir.has(topic.name, partition)) continue;
      this.#leftovers.add(partitionDirectoryName(topic.name, partition));
      doomed.add(dir, { topic: topic.name, partition });
    }
  }

  /** Of a partition that could not be opened: whose records they are is not known for certain. */
  async #setAside({ topic, index }: Unavailable): Promise<void> {
    try {
      for (const dir of this.#logDirs)
        await dir.setAside({ topic, partition: index }, 'its topic was deleted while it could not be opened');
      this.#unavailable.delete(partitionDirectoryName(topic, index));
    } catch (error) {
      this.#log.error('the folder of a removed partition could not be set aside', { topic, partition: index, error });
    }
  }

  /** The topics are gone whatever the disk says; what it keeps of them is found by the next start, by its topic id. */
  async #drop(dir: LogDir, partitions: readonly DoomedFolder[]): Promise<void> {
    const names = partitions.map(({ topic, partition }) => partitionDirectoryName(topic, partition));
    try {
      await dir.dropLogs(partitions);
      for (const name of names) this.#leftovers.delete(name);
    } catch (error) {
      for (const name of names) this.#leftovers.add(name);
      this.#log.error('the folders of removed partitions could not be set aside', { directory: dir.directory, error });
    }
  }

  #start(topic: TopicImage, index: number, leaderEpoch: number): PartitionLog {
    // The caller found the topic before it waited for something, and it was removed meanwhile.
    if (this.#image.findTopicById(topic.id) === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    const name = partitionDirectoryName(topic.name, index);
    if (this.#leftovers.has(name)) throw new KafkaError('KAFKA_STORAGE_ERROR', `the folder ${name} still holds a topic that was removed`);
    const unavailable = this.#unavailable.get(name);
    if (unavailable !== undefined) throw new KafkaError('KAFKA_STORAGE_ERROR', `${name} cannot be used: ${unavailable.why}`);
    const dir = this.#dirForNew();
    const identity = { topic: topic.name, topicId: topic.id, partition: index };
    return this.#keep(topic, index, { dir, log: dir.startLog(identity, this.#sharedConfigOf(topic), leaderEpoch) });
  }

  #keep(topic: TopicImage, index: number, open: OpenPartition): PartitionLog {
    let known = this.#topics.get(topic.id);
    if (known === undefined) this.#topics.set(topic.id, (known = { name: topic.name, partitions: [] }));
    known.partitions[index] = open;
    this.#load.set(open.dir, (this.#load.get(open.dir) ?? 0) + 1);
    return open.log;
  }

  /** The dir with the fewest partitions, as in Kafka, of those that work. */
  #dirForNew(): LogDir {
    let best: LogDir | undefined;
    for (const dir of this.#logDirs)
      if (dir.offline === undefined && (best === undefined || (this.#load.get(dir) ?? 0) < (this.#load.get(best) ?? 0))) best = dir;
    if (best === undefined) throw new KafkaError('KAFKA_STORAGE_ERROR', 'every log dir is offline');
    return best;
  }
}
