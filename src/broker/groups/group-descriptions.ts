// Groups as administrators are told of them: in lists, and one by one with their members. Looks at the state and shapes it.
import type { GroupsState, Group } from './groups-state.ts';

export interface GroupFilters {
  /** States as they are written in answers, in lower case; empty lets all pass. */
  readonly states: ReadonlySet<string>;
  /** `classic`, `consumer`, ...; empty lets all pass. */
  readonly types: ReadonlySet<string>;
}

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly groupState: string;
  readonly groupType: string;
}

export interface DescribedGroup {
  readonly groupState: string;
  readonly protocolType: string;
  /** The protocol in use, once the group has one. */
  readonly protocolData: string;
  readonly members: readonly DescribedMember[];
}

export interface DescribedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly memberMetadata: Buffer;
  readonly memberAssignment: Buffer;
}

/** Kafka's names of the types of groups (Group.GroupType). */
const typeNames = { classic: 'classic', consumer: 'consumer' } as const satisfies Record<Group['kind'], string>;

export function listGroups(state: GroupsState, { states, types }: GroupFilters): ListedGroup[] {
  const listed: ListedGroup[] = [];
  for (const group of state.groups.values()) {
    if (states.size > 0 && !states.has(group.state.toLowerCase())) continue;
    if (types.size > 0 && !types.has(typeNames[group.kind])) continue;
    const { groupId, protocolType = '', kind } = group;
    listed.push({ groupId, protocolType, groupState: group.state, groupType: typeNames[kind] });
  }
  return listed;
}

/** Of a classic group. @throws KafkaError GROUP_ID_NOT_FOUND, also for a group of another kind */
export function describeGroup(state: GroupsState, groupId: string): DescribedGroup {
  const group = state.getClassicGroup(groupId);
  // While members come and go there is no protocol in which to tell what they want.
  const protocolName = group.state === 'Stable' ? group.protocolName : null;
  return {
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocolName ?? '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: member.metadataOf(protocolName),
      memberAssignment: member.assignment,
    })),
  };
}
