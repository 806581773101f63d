// How a classic group comes to its next generation: the round begins, members join until all are there or time is up, the
// leader hands out the work; and what becomes of those who fall silent (GroupMetadataManager of Kafka 4.2, its classic part).
import { kafkaErrors, NONE, type ErrorName } from '../../protocol/errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import { NO_ASSIGNMENT, type ClassicMember, type JoinResponse, type SyncResponse } from './classic-member.ts';
import type { GroupStep, Waiter } from './group-step.ts';

/** A client may ask for a rebalance timeout of nothing at all. */
const LEAST_RETRY_MS = 1000;

export const codeOf = (errorName: ErrorName): number => kafkaErrors[errorName][0];

export const joinError = (memberId: string, errorName: ErrorName): JoinResponse => ({
  errorCode: codeOf(errorName),
  generationId: -1,
  protocolType: null,
  protocolName: null,
  leader: '',
  skipAssignment: false,
  memberId,
  members: [],
});

export const syncError = (errorName: ErrorName): SyncResponse => ({
  errorCode: codeOf(errorName),
  protocolType: null,
  protocolName: null,
  assignment: NO_ASSIGNMENT,
});

/** The generation as one member is told of it; only the leader hears who is in it. */
export function joinedResponse(group: ClassicGroup, memberId: string): JoinResponse {
  return {
    errorCode: NONE,
    generationId: group.generationId,
    protocolType: group.protocolType ?? null,
    protocolName: group.protocolName,
    leader: group.leaderId ?? '',
    skipAssignment: false,
    memberId,
    members: group.isLeader(memberId) ? currentMembers(group) : [],
  };
}

export const currentMembers = (group: ClassicGroup): JoinResponse['members'] =>
  [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: member.metadataOf(group.protocolName),
  }));

/** A member has changed something: a new round begins, or the one under way may be complete now. */
export function rebalanceOrCompleteJoin(group: ClassicGroup, step: GroupStep): void {
  if (group.state === 'PreparingRebalance') completeJoinIfAllThere(group, step);
  else prepareRebalance(group, step);
}

export function prepareRebalance(group: ClassicGroup, step: GroupStep): void {
  withdrawAssignments(group, step);
  group.pendingSync.clear();
  group.syncDeadlineMs = Infinity;

  const initial = group.isEmpty;
  group.transitionTo('PreparingRebalance', step.wallMs);
  if (initial) {
    // The first members of a group seldom come alone: a little patience saves everybody a rebalance.
    const delayMs = step.config['group.initial.rebalance.delay.ms'];
    const remainingMs = Math.max(group.rebalanceTimeoutMs - delayMs, 0);
    group.endJoinBy({ atMs: step.nowMs + delayMs, initial: { delayMs, remainingMs } });
    return;
  }
  if (group.allHaveJoined) completeJoin(group, step);
  else group.endJoinBy({ atMs: step.nowMs + group.rebalanceTimeoutMs, initial: undefined });
}

export function completeJoinIfAllThere(group: ClassicGroup, step: GroupStep): void {
  // The first round of an empty group lasts as long as its delay, whoever is there.
  if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty' || !group.allHaveJoined) return;
  completeJoin(group, step);
}

/** The round of joining is over: who is there makes the next generation. */
export function completeJoin(group: ClassicGroup, step: GroupStep): void {
  group.joinDeadline = undefined;
  // A static member may be restarting: it keeps its place until its session ends (KIP-345).
  for (const member of group.members.values()) if (member.awaitingJoin === undefined && !member.isStatic) group.remove(member.memberId);

  if (!group.electJoinedLeader() && group.members.size > 0) {
    // None but static members, and none of them is back: their sessions decide.
    group.endJoinBy({ atMs: step.nowMs + Math.max(group.rebalanceTimeoutMs, LEAST_RETRY_MS), initial: undefined });
    return;
  }
  if (group.members.size === 0) {
    step.records.push(group.emptyRecord(step.wallMs));
    return;
  }
  group.generationId += 1;
  group.protocolName = group.selectProtocol();
  group.noteSubscriptions();
  group.transitionTo('CompletingRebalance', step.wallMs);
  group.pendingSync.clear();
  for (const member of group.members.values()) {
    answerJoin(member, joinedResponse(group, member.memberId), step);
    member.isNew = false;
    group.heardOf(member, step.nowMs);
    group.pendingSync.add(member.memberId);
  }
  group.endSyncBy(step.nowMs + group.rebalanceTimeoutMs);
}

/**
 * Those who wait for their assignment will not get it: they have to join again. In a stable group that is whoever waits for
 * what the leader has handed out to be durable (Kafka calls the group stable only then).
 */
function withdrawAssignments(group: ClassicGroup, step: GroupStep): void {
  for (const member of group.members.values()) {
    if (group.state === 'CompletingRebalance') member.assignment = NO_ASSIGNMENT;
    if (answerSync(member, syncError('REBALANCE_IN_PROGRESS'), step)) group.heardOf(member, step.nowMs);
  }
}

/** Every one who waits for the leader has its share; it is told when that is durable, unless it has had another answer by then. */
export function handOutAssignments(group: ClassicGroup, assignments: ReadonlyMap<string, Buffer>, step: GroupStep): void {
  for (const member of group.members.values()) {
    const { awaitingSync } = member;
    const assignment = assignments.get(member.memberId);
    if (awaitingSync === undefined || assignment === undefined) continue;
    step.holdSession(group, member);
    step.answerWhenDurable(stillWaiting(member, awaitingSync), {
      errorCode: NONE,
      protocolType: group.protocolType ?? null,
      protocolName: group.protocolName,
      assignment,
    });
  }
}

/** The same one, as long as nothing else has answered it. */
function stillWaiting(member: ClassicMember, waiter: Waiter<SyncResponse>): Waiter<SyncResponse> {
  const answerOnce = (answer: () => void): void => {
    if (member.awaitingSync !== waiter) return;
    member.awaitingSync = undefined;
    answer();
  };
  return {
    resolve: (response) => answerOnce(() => waiter.resolve(response)),
    reject: (error) => answerOnce(() => waiter.reject(error)),
  };
}

export function answerJoin(member: ClassicMember, response: JoinResponse, step: GroupStep): void {
  if (member.awaitingJoin === undefined) return;
  step.answer(member.awaitingJoin, response);
  member.awaitingJoin = undefined;
}

export function answerSync(member: ClassicMember, response: SyncResponse, step: GroupStep): boolean {
  if (member.awaitingSync === undefined) return false;
  step.answer(member.awaitingSync, response);
  member.awaitingSync = undefined;
  return true;
}

/** Takes a member out that waits for something, perhaps: it is told that it is not known any more. */
export function removeMember(group: ClassicGroup, member: ClassicMember, step: GroupStep): void {
  answerJoin(member, joinError('', 'UNKNOWN_MEMBER_ID'), step);
  answerSync(member, syncError('UNKNOWN_MEMBER_ID'), step);
  group.remove(member.memberId);
}

/** Does what is due by now: silent members go, rounds end. */
export function expire(group: ClassicGroup, step: GroupStep): void {
  for (const [memberId, deadlineMs] of group.pendingJoin) {
    if (deadlineMs > step.nowMs) continue;
    group.remove(memberId);
    if (group.state === 'PreparingRebalance' && group.allHaveJoined) completeJoin(group, step);
  }
  for (const member of group.members.values()) {
    if (member.deadlineMs > step.nowMs || member.isHeld || group.members.get(member.memberId) !== member) continue;
    removeMember(group, member, step);
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') rebalanceOrCompleteJoin(group, step);
    else if (group.state === 'PreparingRebalance' && group.allHaveJoined) completeJoin(group, step);
  }
  if (group.joinDeadline !== undefined && group.joinDeadline.atMs <= step.nowMs) endJoin(group, step);
  if (group.syncDeadlineMs <= step.nowMs) endSync(group, step);
}

function endJoin(group: ClassicGroup, step: GroupStep): void {
  const { initial } = group.joinDeadline ?? {};
  if (initial === undefined || !group.newMemberAdded || initial.remainingMs === 0) {
    group.newMemberAdded = false;
    completeJoin(group, step);
    return;
  }
  group.newMemberAdded = false;
  const delayMs = Math.min(step.config['group.initial.rebalance.delay.ms'], initial.remainingMs);
  const remainingMs = Math.max(initial.remainingMs - initial.delayMs, 0);
  group.endJoinBy({ atMs: step.nowMs + delayMs, initial: { delayMs, remainingMs } });
}

/** Members that have not asked for their assignment are given up, though they send heartbeats. */
function endSync(group: ClassicGroup, step: GroupStep): void {
  group.syncDeadlineMs = Infinity;
  if (group.pendingSync.size === 0 || (group.state !== 'CompletingRebalance' && group.state !== 'Stable')) return;
  for (const memberId of group.pendingSync) removeMember(group, group.getMember(memberId), step);
  prepareRebalance(group, step);
}
