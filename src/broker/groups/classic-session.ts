// What members of a classic group do between two rounds: ask for their assignment, send heartbeats, leave
// (GroupMetadataManager.classicGroupSync, classicGroupHeartbeat and classicGroupLeave of Kafka 4.2).
import { check, KafkaError, NONE, type ErrorName } from '../../protocol/errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import { NO_ASSIGNMENT, type SyncResponse } from './classic-member.ts';
import {
  answerSync,
  codeOf,
  completeJoinIfAllThere,
  handOutAssignments,
  rebalanceOrCompleteJoin,
  removeMember,
  syncError,
} from './classic-rebalance.ts';
import type { GroupStep, Waiter } from './group-step.ts';

export interface SyncRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
  /** Null before version 5. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** Of the leader; empty from all others. */
  readonly assignments: ReadonlyMap<string, Buffer>;
}

/** @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS */
export function sync(group: ClassicGroup, request: SyncRequest, waiter: Waiter<SyncResponse>, step: GroupStep): void {
  checkSync(group, request);
  const member = group.getMember(request.memberId);
  group.pendingSync.delete(request.memberId);
  if (group.pendingSync.size === 0) group.syncDeadlineMs = Infinity;
  // The same member on another connection: whoever waited on the old one has been left.
  answerSync(member, syncError('REBALANCE_IN_PROGRESS'), step);
  member.awaitingSync = waiter;
  if (group.state === 'Stable') {
    handOutAssignments(group, new Map([[member.memberId, member.assignment]]), step);
    return;
  }
  if (!group.isLeader(request.memberId)) return;
  const assignments = new Map([...group.members.keys()].map((memberId) => [memberId, request.assignments.get(memberId) ?? NO_ASSIGNMENT]));
  // Applied, it makes the group stable; nobody hears of it before it is durable, so no assignment is ever taken back.
  step.records.push(group.record(step.wallMs, assignments));
  handOutAssignments(group, assignments, step);
}

function checkSync(group: ClassicGroup, { memberId, groupInstanceId, generationId, protocolType, protocolName }: SyncRequest): void {
  check(!group.isEmpty, 'UNKNOWN_MEMBER_ID');
  group.checkMember(memberId, groupInstanceId);
  check(generationId === group.generationId, 'ILLEGAL_GENERATION');
  const fits = (told: string | null, own: string | null | undefined): boolean => told === null || own == null || told === own;
  check(fits(protocolType, group.protocolType) && fits(protocolName, group.protocolName), 'INCONSISTENT_GROUP_PROTOCOL');
  check(group.state !== 'PreparingRebalance', 'REBALANCE_IN_PROGRESS');
}

export interface HeartbeatRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

/** Returns NONE or REBALANCE_IN_PROGRESS. @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION */
export function heartbeat(group: ClassicGroup, request: HeartbeatRequest, nowMs: number): number {
  group.checkMember(request.memberId, request.groupInstanceId);
  check(request.generationId === group.generationId, 'ILLEGAL_GENERATION');
  group.heardOf(group.getMember(request.memberId), nowMs);
  return group.state === 'PreparingRebalance' ? codeOf('REBALANCE_IN_PROGRESS') : NONE;
}

export interface LeavingMember {
  /** Empty when an administrator removes a static member by its instance id. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface LeftMember extends LeavingMember {
  readonly errorCode: number;
}

export function leave(group: ClassicGroup, leaving: readonly LeavingMember[], step: GroupStep): LeftMember[] {
  const before = group.members.size;
  const left = leaving.map((member) => {
    const refusal = leaveOne(group, member, step);
    return { ...member, errorCode: refusal === undefined ? NONE : codeOf(refusal) };
  });
  if (group.state === 'PreparingRebalance') completeJoinIfAllThere(group, step);
  // One that had only been given an id took no part in the generation.
  else if (group.members.size < before) rebalanceOrCompleteJoin(group, step);
  return left;
}

function leaveOne(group: ClassicGroup, { memberId, groupInstanceId }: LeavingMember, step: GroupStep): ErrorName | undefined {
  if (group.pendingJoin.has(memberId)) {
    group.remove(memberId);
    return undefined;
  }
  const knownId = memberId === '' && groupInstanceId !== null ? (group.findStaticMemberId(groupInstanceId) ?? '') : memberId;
  try {
    group.checkMember(knownId, groupInstanceId);
  } catch (thrown) {
    if (thrown instanceof KafkaError) return thrown.errorName;
    throw thrown;
  }
  removeMember(group, group.getMember(knownId), step);
  return undefined;
}
