// How far groups have read: the offsets of each group, by topic and partition, and those that open transactions have staged.
// State and its changes by records; which commit is allowed is decided in offset-steps.ts.
import type { OffsetCommitKey, OffsetCommitValue } from '../../protocol/records/group-log.ts';
import { ZERO_UUID } from '../../protocol/reader.ts';
import type { RecordOrigin } from '../coordinator/shard.ts';

export interface CommittedOffset {
  readonly offset: number;
  /** -1 when the client did not tell one (KIP-320). */
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Wall time. */
  readonly commitTimestampMs: number;
  /** Of clients before KIP-211, which set it for each offset; -1 otherwise. */
  readonly expireTimestampMs: number;
  /** Where its record lies: of two, the later one counts, whatever the order in which transactions end. */
  readonly recordOffset: number;
}

export class TopicOffsets {
  /** ZERO_UUID when it was never told. */
  topicId = ZERO_UUID;
  readonly partitions = new Map<number, CommittedOffset>();
}

export type GroupOffsets = ReadonlyMap<string, TopicOffsets>;

const NO_OFFSETS: GroupOffsets = new Map();
const NO_PRODUCER = -1;

export class CommittedOffsets {
  readonly #byGroup = new Map<string, Map<string, TopicOffsets>>();
  /** What open transactions have staged, by producer id. */
  readonly #staged = new Map<number, CommittedOffsets>();
  #count = 0;

  /** Offsets that are committed. */
  get count(): number {
    return this.#count;
  }

  groupIds(): Iterable<string> {
    return this.#byGroup.keys();
  }

  ofGroup(groupId: string): GroupOffsets {
    return this.#byGroup.get(groupId) ?? NO_OFFSETS;
  }

  /** Undefined also when it was committed to a topic of the same name that is gone, as far as the ids tell. */
  find(groupId: string, topic: string, topicId: string, partition: number): CommittedOffset | undefined {
    const offsets = this.#byGroup.get(groupId)?.get(topic);
    if (offsets === undefined || (topicId !== ZERO_UUID && offsets.topicId !== ZERO_UUID && offsets.topicId !== topicId)) return undefined;
    return offsets.partitions.get(partition);
  }

  /** Whether an open transaction has staged an offset for the partition (KIP-447). */
  isUnstable(groupId: string, topic: string, partition: number): boolean {
    for (const staged of this.#staged.values())
      if (staged.#byGroup.get(groupId)?.get(topic)?.partitions.has(partition) === true) return true;
    return false;
  }

  /** Whether an open transaction has staged anything for the group. */
  hasStaged(groupId: string): boolean {
    for (const staged of this.#staged.values()) if (staged.#byGroup.has(groupId)) return true;
    return false;
  }

  /** Partitions for which only an open transaction has an offset. */
  *stagedAlone(groupId: string): Generator<[topic: string, partition: number]> {
    const seen = new Set<string>();
    for (const staged of this.#staged.values())
      for (const [topic, { partitions }] of staged.ofGroup(groupId))
        for (const partition of partitions.keys()) {
          if (this.#byGroup.get(groupId)?.get(topic)?.partitions.has(partition) === true || seen.has(`${partition} ${topic}`)) continue;
          seen.add(`${partition} ${topic}`);
          yield [topic, partition];
        }
  }

  apply(
    { group, topic, partition }: OffsetCommitKey,
    value: OffsetCommitValue | null,
    { offset: recordOffset, producerId }: RecordOrigin,
  ): void {
    if (value === null) {
      this.#remove(group, topic, partition);
      for (const [producer, staged] of this.#staged) {
        staged.#remove(group, topic, partition);
        if (staged.#byGroup.size === 0) this.#staged.delete(producer);
      }
      return;
    }
    this.#storeOf(producerId).#put(group, topic, partition, value.topicId, {
      offset: value.offset,
      leaderEpoch: value.leaderEpoch,
      metadata: value.metadata,
      commitTimestampMs: value.commitTimestamp,
      expireTimestampMs: value.expireTimestamp,
      recordOffset,
    });
  }

  endTransaction(producerId: number, outcome: 'commit' | 'abort'): void {
    const staged = this.#staged.get(producerId);
    if (staged === undefined) return;
    this.#staged.delete(producerId);
    if (outcome === 'abort') return;
    for (const [group, topics] of staged.#byGroup)
      for (const [topic, { topicId, partitions }] of topics)
        for (const [partition, offset] of partitions) {
          const existing = this.#byGroup.get(group)?.get(topic)?.partitions.get(partition);
          if (existing === undefined || offset.recordOffset > existing.recordOffset) this.#put(group, topic, partition, topicId, offset);
        }
  }

  #storeOf(producerId: number): CommittedOffsets {
    if (producerId === NO_PRODUCER) return this;
    let staged = this.#staged.get(producerId);
    if (staged === undefined) this.#staged.set(producerId, (staged = new CommittedOffsets()));
    return staged;
  }

  #put(group: string, topic: string, partition: number, topicId: string, offset: CommittedOffset): void {
    let topics = this.#byGroup.get(group);
    if (topics === undefined) this.#byGroup.set(group, (topics = new Map()));
    let offsets = topics.get(topic);
    if (offsets === undefined) topics.set(topic, (offsets = new TopicOffsets()));
    if (topicId !== ZERO_UUID && topicId !== offsets.topicId) {
      // A topic of this name was made again: what was read of the old one says nothing about it.
      if (offsets.topicId !== ZERO_UUID) {
        this.#count -= offsets.partitions.size;
        offsets.partitions.clear();
      }
      offsets.topicId = topicId;
    }
    if (!offsets.partitions.has(partition)) this.#count += 1;
    offsets.partitions.set(partition, offset);
  }

  #remove(group: string, topic: string, partition: number): void {
    const topics = this.#byGroup.get(group);
    const offsets = topics?.get(topic);
    if (topics === undefined || offsets === undefined || !offsets.partitions.delete(partition)) return;
    this.#count -= 1;
    if (offsets.partitions.size === 0) topics.delete(topic);
    if (topics.size === 0) this.#byGroup.delete(group);
  }
}
