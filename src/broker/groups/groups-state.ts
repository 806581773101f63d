// All that one shard of the group coordinator knows: its groups and their committed offsets. Changed by `apply`, record by
// record, at a start as well as later; what a step does to a live group besides is soft, and told in classic-group.ts.
import { KafkaError } from '../../protocol/errors.ts';
import type { GroupMetadataValue } from '../../protocol/records/group-log.ts';
import type { Machine, RecordOrigin } from '../coordinator/shard.ts';
import { ClassicGroup } from './classic-group.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { decodeGroupRecord, encodeGroupRecord, type ConsumerGroupRecord, type GroupRecord } from './group-records.ts';

/** Told apart by `kind`; one name is one group, whatever its protocol. */
export type Group = ClassicGroup | ConsumerGroup;

export class GroupsState {
  readonly groups = new Map<string, Group>();
  readonly offsets = new CommittedOffsets();
  /** The log has been read: records from here on are told of groups that live. */
  live = false;

  find(groupId: string): Group | undefined {
    return this.groups.get(groupId);
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND */
  get(groupId: string): Group {
    const group = this.groups.get(groupId);
    if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`);
    return group;
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND, also when the group is of another kind */
  getConsumerGroup(groupId: string): ConsumerGroup {
    const group = this.get(groupId);
    if (group.kind === 'consumer') return group;
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`);
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND, also when the group is of another kind */
  getClassicGroup(groupId: string): ClassicGroup {
    const group = this.get(groupId);
    if (group.kind === 'classic') return group;
    throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a classic group.`);
  }

  apply(record: GroupRecord, origin: RecordOrigin): void {
    if (record.type === 'OffsetCommit') {
      // Whoever commits without joining has a group too: an empty one that has no protocol.
      if (record.value !== null && !this.groups.has(record.key.group))
        this.groups.set(record.key.group, new ClassicGroup(record.key.group, record.value.commitTimestamp));
      this.offsets.apply(record.key, record.value, origin);
    } else if (record.type === 'GroupMetadata') this.#applyMetadata(record.key.group, record.value);
    else this.#applyToConsumerGroup(record);
  }

  #applyMetadata(groupId: string, value: GroupMetadataValue | null): void {
    const group = this.groups.get(groupId);
    if (value === null) {
      if (group?.kind === 'classic') this.groups.delete(groupId);
    } else if (this.live && group?.kind === 'classic') group.confirm(value);
    else this.groups.set(groupId, ClassicGroup.restored(groupId, value));
  }

  #applyToConsumerGroup(record: ConsumerGroupRecord): void {
    const { groupId } = record.key;
    let group = this.groups.get(groupId);
    if (group?.kind !== 'consumer') {
      // What is gone is gone. And a classic group of this name has only come of offsets that were committed to it.
      if (record.value === null) return;
      this.groups.set(groupId, (group = new ConsumerGroup(groupId)));
    }
    group.apply(record);
    if (record.type === 'ConsumerGroupMetadata' && record.value === null) this.groups.delete(groupId);
  }
}

export interface GroupsMachineOptions {
  readonly onLoaded: (state: GroupsState) => void;
  readonly onDropped: (state: GroupsState, error: KafkaError) => void;
}

export function groupsMachine({ onLoaded, onDropped }: GroupsMachineOptions): Machine<GroupsState, GroupRecord> {
  return {
    start: () => new GroupsState(),
    encode: encodeGroupRecord,
    decode: decodeGroupRecord,
    apply: (state, record, origin) => state.apply(record, origin),
    endTransaction: (state, producerId, outcome) => state.offsets.endTransaction(producerId, outcome),
    loaded: (state) => {
      state.live = true;
      onLoaded(state);
    },
    dropped: onDropped,
  };
}
