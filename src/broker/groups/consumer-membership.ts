// Members of a consumer group that go: by themselves, for a while, because they fell silent or did not let go in time; and static
// members that come back under another id (consumerGroupLeave, consumerGroupFenceMembers and replaceMember of Kafka 4.2).
import { check, KafkaError } from '../../protocol/errors.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { regexOf, STATIC_LEAVE_EPOCH, type ConsumerMember } from './consumer-member.ts';
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberRecord,
  memberTombstones,
  regexTombstone,
  targetAssignmentRecord,
} from './consumer-records.ts';
import { convertToClassicGroup, mayBecomeClassic } from './group-conversion.ts';
import type { GroupStep } from './group-step.ts';
import type { GroupsState } from './groups-state.ts';
import { NO_PARTITIONS } from './topic-partitions.ts';

export interface LeaveRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly instanceId: string | null;
}

/** @throws KafkaError GROUP_ID_NOT_FOUND, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
export function leaveConsumerGroup(state: GroupsState, request: LeaveRequest, step: GroupStep): void {
  const { groupId, memberId, memberEpoch, instanceId } = request;
  const group = state.getConsumerGroup(groupId);
  if (instanceId === null) {
    fenceMembers(group, [group.getMember(memberId)], step);
    return;
  }
  const member = checkInstance(group.findStaticMember(instanceId), request);
  if (memberEpoch !== STATIC_LEAVE_EPOCH) fenceMembers(group, [member], step);
  // It keeps what it holds until it comes back, or until its session ends.
  else
    step.records.push(currentAssignmentRecord(groupId, { ...member, memberEpoch: STATIC_LEAVE_EPOCH, pendingRevocation: NO_PARTITIONS }));
}

/** @throws KafkaError UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID when another member has the instance id */
export function checkInstance(
  existing: ConsumerMember | undefined,
  { memberId, instanceId }: { memberId: string; instanceId: string | null },
): ConsumerMember {
  if (existing === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`);
  check(
    existing.memberId === memberId,
    'FENCED_INSTANCE_ID',
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${existing.memberId}.`,
  );
  return existing;
}

/** They are members no more, and the others share what they held. With the last of the new protocol, the group is a classic one again. */
export function fenceMembers(group: ConsumerGroup, members: readonly ConsumerMember[], step: GroupStep): void {
  if (members.length === 0) return;
  const { groupId } = group;
  const remaining = new Map(group.members);
  for (const { memberId } of members) remaining.delete(memberId);
  if (mayBecomeClassic(remaining, step)) {
    convertToClassicGroup(group, { members: remaining, replacement: undefined, rebalances: true }, step);
    return;
  }
  for (const { memberId } of members) step.records.push(...memberTombstones(groupId, memberId));
  const regexes = new Set([...remaining.values()].map(regexOf));
  for (const regex of new Set(members.map(regexOf)))
    if (regex !== undefined && !regexes.has(regex)) step.records.push(regexTombstone(groupId, regex));
  const hash = step.topics.hashOf(group.topicsSubscribedBy(remaining.values()));
  step.records.push(groupEpochRecord(groupId, group.groupEpoch + 1, hash));
}

/** The static member goes on under another id, in epoch 0 and with all it holds. Returns it. */
export function replaceStaticMember(group: ConsumerGroup, old: ConsumerMember, memberId: string, step: GroupStep): ConsumerMember {
  const { groupId } = group;
  const member: ConsumerMember = { ...old, memberId, memberEpoch: 0, previousMemberEpoch: 0 };
  step.records.push(
    ...memberTombstones(groupId, old.memberId),
    memberRecord(groupId, member),
    targetAssignmentRecord(groupId, memberId, group.targetOf(old.memberId)),
    currentAssignmentRecord(groupId, member),
  );
  return member;
}

/** Does what is due by now: who is silent, or has not done what it was asked for, is given up. */
export function expireConsumerMembers(group: ConsumerGroup, step: GroupStep): void {
  const due: ConsumerMember[] = [];
  for (const member of group.members.values()) {
    const session = group.sessionOf(member.memberId);
    if (session.requestsInHand > 0) continue;
    const { revocation } = session;
    // A member that has come to another epoch meanwhile has let go.
    if (revocation !== undefined && revocation.memberEpoch !== member.memberEpoch) session.revocation = undefined;
    if (session.earliestDeadlineMs <= step.nowMs) due.push(member);
  }
  fenceMembers(group, due, step);
}
