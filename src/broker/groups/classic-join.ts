// JoinGroup for a classic group: who is let in, under which id, and whether that begins a new round. The round itself is
// classic-rebalance's (GroupMetadataManager.classicGroupJoin of Kafka 4.2).
import { KafkaError } from '../../protocol/errors.ts';
import type { ClassicGroup } from './classic-group.ts';
import { ClassicMember, type ClassicProtocol, type JoinResponse } from './classic-member.ts';
import {
  answerJoin,
  answerSync,
  completeJoinIfAllThere,
  currentMembers,
  joinedResponse,
  joinError,
  prepareRebalance,
  rebalanceOrCompleteJoin,
  syncError,
} from './classic-rebalance.ts';
import type { GroupStep, Waiter } from './group-step.ts';

export interface JoinRequest {
  readonly groupId: string;
  /** Empty when the client has none yet. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  /** Each name once. */
  readonly protocols: readonly ClassicProtocol[];
  /** A dynamic member gets an id first, and joins with it in a second request (KIP-394, version 4). */
  readonly requiresKnownMemberId: boolean;
  /** The leader of a stable group may be told that there is nothing to assign (KIP-814, version 9). */
  readonly supportsSkippingAssignment: boolean;
}

/** A new member is told its id with the end of the round; if that takes longer than this, it is asked to try again. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;
/** Ids are stored as strings of at most 32,767 bytes. */
const MOST_ID_PREFIX = 10_000;

export function join(group: ClassicGroup, request: JoinRequest, waiter: Waiter<JoinResponse>, step: GroupStep): void {
  const { memberId } = request;
  if (!hasRoomFor(group, memberId, step)) {
    const member = group.members.get(memberId);
    if (member !== undefined) answerSync(member, syncError('UNKNOWN_MEMBER_ID'), step);
    group.remove(memberId);
    step.answer(waiter, joinError('', 'GROUP_MAX_SIZE_REACHED'));
    completeJoinIfAllThere(group, step);
  } else if (!group.accepts(request.protocolType, request.protocols)) {
    step.answer(waiter, joinError(memberId, 'INCONSISTENT_GROUP_PROTOCOL'));
  } else if (memberId === '') joinAsNew(group, request, waiter, step);
  else joinAgain(group, request, waiter, step);
}

/** KIP-389. Who was in the last generation may come back as long as there is room. */
function hasRoomFor(group: ClassicGroup, memberId: string, { config }: GroupStep): boolean {
  const maxSize = config['group.max.size'];
  if (group.isEmpty) return true;
  if (group.state === 'PreparingRebalance')
    return group.members.get(memberId)?.awaitingJoin !== undefined || group.awaitingJoinCount < maxSize;
  return group.members.has(memberId) || group.members.size < maxSize;
}

function joinAsNew(group: ClassicGroup, request: JoinRequest, waiter: Waiter<JoinResponse>, step: GroupStep): void {
  const { groupInstanceId, clientId } = request;
  const memberId = `${(groupInstanceId ?? clientId).slice(0, MOST_ID_PREFIX)}-${step.newUuid()}`;
  if (groupInstanceId !== null) {
    const existing = group.findStaticMemberId(groupInstanceId);
    if (existing === undefined) addMember(group, memberId, request, waiter, step);
    else replaceStaticMember(group, group.getMember(existing), memberId, request, waiter, step);
  } else if (request.requiresKnownMemberId) {
    group.expectPending(memberId, step.nowMs + request.sessionTimeoutMs);
    step.answer(waiter, joinError(memberId, 'MEMBER_ID_REQUIRED'));
  } else addMember(group, memberId, request, waiter, step);
}

function joinAgain(group: ClassicGroup, request: JoinRequest, waiter: Waiter<JoinResponse>, step: GroupStep): void {
  const { memberId, groupInstanceId } = request;
  if (group.pendingJoin.has(memberId) && groupInstanceId === null) {
    addMember(group, memberId, request, waiter, step);
    return;
  }
  try {
    group.checkMember(memberId, groupInstanceId);
  } catch (thrown) {
    if (!(thrown instanceof KafkaError)) throw thrown;
    step.answer(waiter, joinError(memberId, thrown.errorName));
    return;
  }
  const member = group.getMember(memberId);
  const unchanged = member.matches(request.protocols);
  switch (group.state) {
    case 'CompletingRebalance':
      // Perhaps the answer to its JoinGroup was lost: it gets the same again.
      if (unchanged) step.answer(waiter, joinedResponse(group, memberId));
      else updateMember(group, member, request, waiter, step);
      break;
    case 'Stable':
      // A leader that joins again wants a new assignment; a follower that has nothing new is told where the group stands.
      if (unchanged && !group.isLeader(memberId)) step.answer(waiter, joinedResponse(group, memberId));
      else updateMember(group, member, request, waiter, step);
      break;
    case 'PreparingRebalance':
      updateMember(group, member, request, waiter, step);
      break;
    case 'Empty':
      step.answer(waiter, joinError(memberId, 'UNKNOWN_MEMBER_ID'));
      break;
  }
}

function addMember(group: ClassicGroup, memberId: string, request: JoinRequest, waiter: Waiter<JoinResponse>, step: GroupStep): void {
  const member = new ClassicMember({ ...request, memberId });
  member.isNew = true;
  member.awaitingJoin = waiter;
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true;
  group.add(member);
  // It cannot send heartbeats yet, and its client may be gone without our seeing it.
  group.expectBy(member, step.nowMs + NEW_MEMBER_JOIN_TIMEOUT_MS);
  rebalanceOrCompleteJoin(group, step);
}

function updateMember(
  group: ClassicGroup,
  member: ClassicMember,
  request: JoinRequest,
  waiter: Waiter<JoinResponse>,
  step: GroupStep,
): void {
  takeOver(member, request, waiter, step);
  rebalanceOrCompleteJoin(group, step);
}

function takeOver(member: ClassicMember, request: JoinRequest, waiter: Waiter<JoinResponse>, step: GroupStep): void {
  // The same member on another connection: whoever waited on the old one has been left.
  answerJoin(member, joinError(member.memberId, 'REBALANCE_IN_PROGRESS'), step);
  member.protocols = request.protocols;
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
  member.sessionTimeoutMs = request.sessionTimeoutMs;
  member.awaitingJoin = waiter;
}

/** A static member that was started again takes its place under a new id; whoever still has the old one is fenced (KIP-345). */
function replaceStaticMember(
  group: ClassicGroup,
  old: ClassicMember,
  memberId: string,
  request: JoinRequest,
  waiter: Waiter<JoinResponse>,
  step: GroupStep,
): void {
  const oldLeader = group.leaderId ?? '';
  answerJoin(old, joinError(old.memberId, 'FENCED_INSTANCE_ID'), step);
  answerSync(old, syncError('FENCED_INSTANCE_ID'), step);
  const member = group.replaceStatic(old, memberId);
  if (group.pendingSync.delete(old.memberId)) group.pendingSync.add(memberId);
  takeOver(member, request, waiter, step);
  group.heardOf(member, step.nowMs);
  switch (group.state) {
    case 'Stable':
      if (group.selectProtocol() === group.protocolName) keepAssignment(group, member, oldLeader, request, step);
      else rebalanceOrCompleteJoin(group, step);
      break;
    case 'CompletingRebalance':
      // The leader may be assigning to the old id just now: nobody would get what it assigns.
      prepareRebalance(group, step);
      break;
    case 'PreparingRebalance':
      completeJoinIfAllThere(group, step);
      break;
    case 'Empty':
      break;
  }
}

/** The group goes on as it is; that the member has another id now is stored, or a restart would fence it. */
function keepAssignment(group: ClassicGroup, member: ClassicMember, oldLeader: string, request: JoinRequest, step: GroupStep): void {
  const waiter = member.awaitingJoin;
  member.awaitingJoin = undefined;
  if (waiter === undefined) return;
  const assignments = new Map([...group.members.values()].map(({ memberId, assignment }) => [memberId, assignment]));
  step.records.push(group.record(step.wallMs, assignments));
  step.holdSession(group, member);
  const isLeader = group.isLeader(member.memberId);
  const answer = { ...joinedResponse(group, member.memberId), members: [] };
  // Older clients are told of a leader with another id, so that they do not assign what would not be handed out.
  if (!request.supportsSkippingAssignment) step.answerWhenDurable(waiter, { ...answer, leader: oldLeader });
  else step.answerWhenDurable(waiter, { ...answer, skipAssignment: isLeader, members: isLeader ? currentMembers(group) : [] });
}
