// All that one shard of the group coordinator knows: its groups and their committed offsets. Changed by `apply`, record by
// record, at a start as well as later; what a step does to a live group besides is soft, and told in classic-group.ts.
import { KafkaError } from '../../protocol/errors.ts';
import type { GroupMetadataValue } from '../../protocol/records/group-log.ts';
import type { Machine, RecordOrigin } from '../coordinator/shard.ts';
import { ClassicGroup } from './classic-group.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord } from './group-records.ts';

/** Told apart by `kind`; one name is one group, whatever its protocol. */
export type Group = ClassicGroup;

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

  apply(record: GroupRecord, origin: RecordOrigin): void {
    switch (record.type) {
      case 'OffsetCommit':
        // Whoever commits without joining has a group too: an empty one that has no protocol.
        if (record.value !== null && !this.groups.has(record.key.group))
          this.groups.set(record.key.group, new ClassicGroup(record.key.group, record.value.commitTimestamp));
        this.offsets.apply(record.key, record.value, origin);
        break;
      case 'GroupMetadata':
        this.#applyMetadata(record.key.group, record.value);
        break;
    }
  }

  #applyMetadata(groupId: string, value: GroupMetadataValue | null): void {
    const group = this.groups.get(groupId);
    if (value === null) this.groups.delete(groupId);
    else if (this.live && group !== undefined) group.confirm(value);
    else this.groups.set(groupId, ClassicGroup.restored(groupId, value));
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
