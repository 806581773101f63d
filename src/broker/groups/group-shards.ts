// The shards of the group coordinator: one for each partition of `__consumer_offsets`, made when it is first needed, and the
// topic itself likewise. Finds the one that keeps a group; what happens there is the coordinator's.
import { Background } from '../../base/background.ts';
import type { Env } from '../../base/env.ts';
import { inParallel } from '../../base/in-parallel.ts';
import type { Logger } from '../../base/log.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { coordinatorPartition } from '../coordinator/coordinator-partition.ts';
import { Shard, type Machine } from '../coordinator/shard.ts';
import type { MetadataImage, TopicImage } from '../image/metadata-image.ts';
import { GROUP_METADATA_TOPIC } from '../internal-topics.ts';
import type { Partitions } from '../partitions.ts';
import type { Topics } from '../topics.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupsState } from './groups-state.ts';

export type GroupShard = Shard<GroupsState, GroupRecord>;

/** Partitions read at a time at a start. */
const LOADED_AT_A_TIME = 2;

export interface GroupShardsOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly image: MetadataImage;
  readonly nodeId: number;
  readonly topics: Topics;
  readonly partitions: Partitions;
  readonly makeMachine: () => Machine<GroupsState, GroupRecord>;
  readonly onFatal: (error: unknown) => void;
}

export class GroupShards {
  readonly #options: GroupShardsOptions;
  readonly #background: Background;
  #topicId: string | undefined;
  #shards: (GroupShard | undefined)[] = [];
  #creating: Promise<void> | undefined;
  /** Why the topic could not be made; clients ask again and again, and it is said once. */
  #lastRefusal: string | undefined;
  #closed = false;

  constructor(options: GroupShardsOptions) {
    this.#options = options;
    this.#background = new Background({ log: options.log, onFatal: options.onFatal });
  }

  /** Those that are in use. */
  *all(): Generator<GroupShard> {
    this.#follow();
    for (const shard of this.#shards) if (shard !== undefined) yield shard;
  }

  /** Node id of the broker that keeps the group; undefined when the topic has no leader for it, or is not there yet. */
  ownerOf(groupId: string): number | undefined {
    const topic = this.#options.image.findTopic(GROUP_METADATA_TOPIC);
    return topic?.partitions[coordinatorPartition(groupId, topic.partitions.length)]?.leader;
  }

  get topicExists(): boolean {
    return this.#options.image.findTopic(GROUP_METADATA_TOPIC) !== undefined;
  }

  /** Makes the topic, if it is not there. @throws KafkaError COORDINATOR_NOT_AVAILABLE when it cannot be made */
  async ensureTopic(): Promise<void> {
    if (this.topicExists) return;
    this.#creating ??= this.#create().finally(() => (this.#creating = undefined));
    await this.#creating;
  }

  async #create(): Promise<void> {
    const refusals = await this.#options.topics.createOnFirstUse([GROUP_METADATA_TOPIC]);
    const refused = refusals.get(GROUP_METADATA_TOPIC);
    if (refused === undefined) return;
    if (refused.message !== this.#lastRefusal)
      this.#options.log.error('the topic of committed offsets could not be made: no group can be served', { error: refused });
    this.#lastRefusal = refused.message;
    throw new KafkaError('COORDINATOR_NOT_AVAILABLE', refused.message);
  }

  /** @throws KafkaError NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE; the topic must be there */
  shardOf(groupId: string): GroupShard {
    const topic = this.#follow();
    if (topic === undefined || this.#closed) throw new KafkaError('NOT_COORDINATOR');
    const index = coordinatorPartition(groupId, topic.partitions.length);
    if (topic.partitions[index]?.leader !== this.#options.nodeId) throw new KafkaError('NOT_COORDINATOR');
    return this.#shardAt(index);
  }

  /** Reads every partition that has records, a few at a time. What is asked for meanwhile is still loading. */
  loadAll(): void {
    const topic = this.#follow();
    if (topic === undefined) return;
    const { nodeId, partitions } = this.#options;
    const led = topic.partitions.filter(({ leader, index }) => leader === nodeId && partitions.find(topic, index) !== undefined);
    this.#background.run('load groups', () => inParallel(LOADED_AT_A_TIME, led, ({ index }) => this.#shardAt(index).load()));
  }

  /** Whoever waits is told; nothing is done afterwards. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const shard of this.#shards) shard?.close(new KafkaError('NOT_COORDINATOR', 'the broker stops'));
    await this.#background.stop();
  }

  /** A topic that was removed, and perhaps made again, has other groups. */
  #follow(): TopicImage | undefined {
    const topic = this.#options.image.findTopic(GROUP_METADATA_TOPIC);
    if (topic?.id === this.#topicId) return topic;
    for (const shard of this.#shards) shard?.close(new KafkaError('NOT_COORDINATOR', 'the topic of committed offsets was removed'));
    this.#shards = [];
    this.#topicId = topic?.id;
    return topic;
  }

  #shardAt(index: number): GroupShard {
    return (this.#shards[index] ??= this.#makeShard(index));
  }

  #makeShard(index: number): GroupShard {
    const { env, log, image, partitions, makeMachine } = this.#options;
    return new Shard({
      env,
      log,
      name: `${GROUP_METADATA_TOPIC}-${index}`,
      machine: makeMachine(),
      findLog: () => {
        const topic = image.findTopic(GROUP_METADATA_TOPIC);
        return topic === undefined ? undefined : partitions.find(topic, index);
      },
      openLog: () => {
        const topic = image.findTopic(GROUP_METADATA_TOPIC);
        if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
        return partitions.ledHere(topic, index);
      },
      inBackground: (name, work) => this.#background.run(name, work),
    });
  }
}
