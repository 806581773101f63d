// The partitions led here, by topic and index: finds the log of one, opens and starts logs as the metadata says.
import { present } from '../base/invariant.ts';
import { resolveTopicConfig, type TopicConfig } from '../config/topic-configs.ts';
import type { BrokerConfig } from '../config/broker-configs.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { LogDir } from '../storage/log-dir.ts';
import type { PartitionLog } from '../storage/log/partition-log.ts';
import { resourceTypes, type MetadataImage, type TopicImage } from './image/metadata-image.ts';

export class Partitions {
  readonly #config: BrokerConfig;
  readonly #image: MetadataImage;
  readonly #nodeId: number;
  readonly #logDirs: readonly LogDir[];
  /** By topic id; a partition without files gets its log when it is first asked for. */
  readonly #logs = new Map<string, (PartitionLog | undefined)[]>();

  constructor(options: { config: BrokerConfig; image: MetadataImage; nodeId: number; logDirs: readonly LogDir[] }) {
    this.#config = options.config;
    this.#image = options.image;
    this.#nodeId = options.nodeId;
    this.#logDirs = options.logDirs;
  }

  /** Opens every partition of the image that has files; many at a time, as the disk allows. */
  async open(): Promise<void> {
    const waiting: { topic: TopicImage; index: number; dir: LogDir }[] = [];
    for (const topic of this.#image.topics.values()) {
      for (const { index } of topic.partitions) {
        const dir = this.#logDirs.find((candidate) => candidate.has(topic.name, index));
        if (dir !== undefined) waiting.push({ topic, index, dir });
      }
    }
    const opener = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { topic, index, dir } = next;
        const { leaderEpoch } = present(topic.partitions[index], 'a partition of the image');
        this.#keep(
          topic,
          index,
          await dir.openLog({ topic: topic.name, topicId: topic.id, partition: index }, this.configOf(topic), leaderEpoch),
        );
      }
    };
    await Promise.all(Array.from({ length: 4 }, opener));
  }

  /**
   * The log of a partition that this broker leads.
   * @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER
   */
  ledHere(topic: TopicImage, index: number): PartitionLog {
    const open = this.#logs.get(topic.id)?.[index];
    if (open !== undefined) return open;
    const partition = topic.partitions[index];
    if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic.name} has no partition ${index}`);
    if (partition.leader !== this.#nodeId) throw new KafkaError('NOT_LEADER_OR_FOLLOWER');
    const dir = this.#dirForNew();
    return this.#keep(
      topic,
      index,
      dir.startLog({ topic: topic.name, topicId: topic.id, partition: index }, this.configOf(topic), partition.leaderEpoch),
    );
  }

  configOf(topic: TopicImage): TopicConfig {
    return resolveTopicConfig(this.#config, this.#image.configOf(resourceTypes.topic, topic.name));
  }

  #keep(topic: TopicImage, index: number, log: PartitionLog): PartitionLog {
    let logs = this.#logs.get(topic.id);
    if (logs === undefined) this.#logs.set(topic.id, (logs = []));
    logs[index] = log;
    return log;
  }

  #dirForNew(): LogDir {
    return present(this.#logDirs[0], 'a log dir');
  }
}
