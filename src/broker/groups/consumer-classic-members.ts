// Members that speak the classic protocol in a consumer group, while a group comes over or goes back: JoinGroup is a heartbeat
// that tells everything, SyncGroup asks for what the member holds, Heartbeat says when to join again (classicGroupJoinToConsumerGroup
// and its siblings in GroupMetadataManager of Kafka 4.2). There are no rounds: nobody waits for others.
import { check, KafkaError, NONE, ProtocolError } from '../../protocol/errors.ts';
import type { ConsumerProtocolSubscription } from '../../protocol/records/consumer-protocol.ts';
import { CONSUMER_PROTOCOL_TYPE } from './classic-group.ts';
import type { JoinRequest } from './classic-join.ts';
import type { JoinResponse, SyncResponse } from './classic-member.ts';
import { codeOf, joinError, syncError } from './classic-rebalance.ts';
import type { HeartbeatRequest, LeavingMember, LeftMember, SyncRequest } from './classic-session.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { checkRoom } from './consumer-heartbeat.ts';
import { inOrder, newMember, type ConsumerMember } from './consumer-member.ts';
import { checkInstance, fenceMembers, replaceStaticMember } from './consumer-membership.ts';
import { waitsForOthers } from './consumer-reconciliation.ts';
import { approachTarget, followTopics, noteMember, reconcileMember, type JoiningMember, type MemberUpdate } from './consumer-update.ts';
import { decodeSubscription, encodeAssignment, withTopicIds } from './embedded-protocol.ts';
import { classicMembershipOf, convertToClassicGroup, mayBecomeClassic } from './group-conversion.ts';
import type { GroupStep, Waiter } from './group-step.ts';

const NO_REGEX = '';

/** Who is not let in is told so: GROUP_MAX_SIZE_REACHED, INCONSISTENT_GROUP_PROTOCOL, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID. */
export function joinConsumerGroup(group: ConsumerGroup, request: JoinRequest, waiter: Waiter<JoinResponse>, step: GroupStep): void {
  try {
    letIn(group, request, waiter, step);
  } catch (thrown) {
    if (!(thrown instanceof KafkaError)) throw thrown;
    step.forget();
    step.answer(waiter, joinError(request.memberId, thrown.errorName));
  }
}

function letIn(group: ConsumerGroup, request: JoinRequest, waiter: Waiter<JoinResponse>, step: GroupStep): void {
  const { groupId, groupInstanceId } = request;
  const memberId = request.memberId === '' ? step.newUuid() : request.memberId;
  checkRoom(group, memberId, step);
  checkProtocols(group, request);
  if (request.requiresKnownMemberId && request.memberId === '' && groupInstanceId === null) {
    step.answer(waiter, joinError(memberId, 'MEMBER_ID_REQUIRED'));
    return;
  }
  const subscription = subscriptionOf(request);
  const { member, replaced } = joiningMember(group, request, memberId, step);
  const told = withSubscription(member, request, subscription);
  const owned = withTopicIds(subscription.ownedPartitions, step.topics);
  const update: MemberUpdate = { member, told, replaced, owned, maySee: () => true };
  const { namesChanged, regexChange } = noteMember(group, update, step);
  const subscriptionHasChanged = namesChanged || regexChange !== 'none';
  const groupEpoch = followTopics(group, update, subscriptionHasChanged, step);

  const members = new Map(group.members);
  const taken = group.findStaticMember(groupInstanceId);
  if (taken !== undefined) members.delete(taken.memberId);
  members.set(memberId, told);
  // The last member of the new protocol comes back as one of the old.
  const goesBack = taken !== undefined && taken.classic === null && mayBecomeClassic(members, step);
  const updated = goesBack
    ? goBack(group, update, { members, subscriptionHasChanged }, step)
    : approachTarget(group, update, { groupEpoch, subscriptionHasChanged }, step);
  if (!goesBack) watchJoined(groupId, updated, step);
  step.answerWhenDurable(waiter, {
    errorCode: NONE,
    generationId: updated.memberEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: protocolNameOf(updated),
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  });
}

function checkProtocols(group: ConsumerGroup, { memberId, protocolType, protocols }: JoinRequest): void {
  const classic = [...group.members.values()].flatMap((member) => member.classic ?? []);
  const supportedByAll = (name: string): boolean =>
    classic.every(({ supportedProtocols }) => supportedProtocols.some((protocol) => protocol.name === name));
  check(
    protocolType === CONSUMER_PROTOCOL_TYPE && protocols.some(({ name }) => supportedByAll(name)),
    'INCONSISTENT_GROUP_PROTOCOL',
    `Member ${memberId}'s protocols are not supported.`,
  );
}

/** All protocols of a consumer carry the same subscription. */
function subscriptionOf({ memberId, protocols: [first] }: JoinRequest): ConsumerProtocolSubscription {
  try {
    if (first !== undefined) return decodeSubscription(first.metadata);
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
  }
  throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', `The subscription of member ${memberId} cannot be read.`);
}

function joiningMember(group: ConsumerGroup, request: JoinRequest, memberId: string, step: GroupStep): JoiningMember {
  const { groupInstanceId: instanceId } = request;
  const known = group.members.get(memberId) ?? newMember(memberId);
  if (instanceId === null) return { member: known, replaced: undefined };
  const existing = group.findStaticMember(instanceId);
  if (request.memberId !== '') return { member: checkInstance(existing, { memberId, instanceId }), replaced: undefined };
  if (existing === undefined) return { member: known, replaced: undefined };
  return { member: replaceStaticMember(group, existing, memberId, step), replaced: existing };
}

function withSubscription(member: ConsumerMember, request: JoinRequest, subscription: ConsumerProtocolSubscription): ConsumerMember {
  const { rebalanceTimeoutMs, sessionTimeoutMs, protocols } = request;
  return {
    ...member,
    instanceId: request.groupInstanceId ?? member.instanceId,
    rackId: subscription.rackId || member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    subscribedTopicNames: inOrder(subscription.topics),
    subscribedTopicRegex: NO_REGEX,
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: { sessionTimeoutMs, supportedProtocols: protocols },
  };
}

function goBack(
  group: ConsumerGroup,
  { told, replaced, owned }: MemberUpdate,
  { members, subscriptionHasChanged }: { members: ReadonlyMap<string, ConsumerMember>; subscriptionHasChanged: boolean },
  step: GroupStep,
): ConsumerMember {
  const target = group.targetOf(replaced?.memberId ?? told.memberId);
  // One that wants something else brings a round of joining with it, which settles everything.
  const updated = subscriptionHasChanged
    ? told
    : reconcileMember(group, told, { target, assignmentEpoch: group.assignmentEpoch, subscriptionHasChanged, owned }, step);
  const replacement = replaced === undefined ? undefined : { memberId: told.memberId, replaced: replaced.memberId };
  const afterwards = new Map(members).set(updated.memberId, updated);
  convertToClassicGroup(group, { members: afterwards, replacement, rebalances: subscriptionHasChanged }, step);
  return updated;
}

/** It has joined; now it has its rebalance timeout to ask for its assignment. */
function watchJoined(groupId: string, member: ConsumerMember, step: GroupStep): void {
  step.holdConsumerSession(groupId, member.memberId, classicMembershipOf(member).sessionTimeoutMs);
  step.onceAppliedTo(groupId, (group) => {
    const session = group.sessionOf(member.memberId);
    session.revocation = undefined;
    session.joinDeadlineMs = Infinity;
    session.syncDeadlineMs = step.nowMs + member.rebalanceTimeoutMs;
  });
}

const protocolNameOf = (member: ConsumerMember): string => classicMembershipOf(member).supportedProtocols[0]?.name ?? '';

/** @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, INCONSISTENT_GROUP_PROTOCOL */
export function syncConsumerGroup(group: ConsumerGroup, request: SyncRequest, waiter: Waiter<SyncResponse>, step: GroupStep): void {
  const { groupId, memberId, generationId, protocolType, protocolName } = request;
  const member = classicMember(group, memberId, request.groupInstanceId);
  check(generationId === member.memberEpoch, 'ILLEGAL_GENERATION');
  const fits =
    (protocolType === null || protocolType === CONSUMER_PROTOCOL_TYPE) &&
    (protocolName === null || protocolName === protocolNameOf(member));
  check(fits, 'INCONSISTENT_GROUP_PROTOCOL');
  const { sessionTimeoutMs, supportedProtocols } = classicMembershipOf(member);
  // One that has to let go first has joined already, and is told to join again when it has.
  if (group.groupEpoch > member.memberEpoch && member.state !== 'unrevoked') {
    expectToJoin(group, member, step.nowMs);
    step.noteDeadline(group);
    step.answer(waiter, syncError('REBALANCE_IN_PROGRESS'));
    return;
  }
  step.holdConsumerSession(groupId, memberId, sessionTimeoutMs);
  step.onceAppliedTo(groupId, (applied) => (applied.sessionOf(memberId).syncDeadlineMs = Infinity));
  const subscription = supportedProtocols[0]?.metadata ?? Buffer.alloc(0);
  const assignment = encodeAssignment(member.assigned, subscription, step.topics);
  step.answerWhenDurable(waiter, { errorCode: NONE, protocolType, protocolName, assignment });
}

/** @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID */
function classicMember(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember {
  const member =
    instanceId === null ? group.getMember(memberId) : checkInstance(group.findStaticMember(instanceId), { memberId, instanceId });
  check(member.classic !== null, 'UNKNOWN_MEMBER_ID', `Member ${memberId} does not use the classic protocol.`);
  return member;
}

/** NONE, or REBALANCE_IN_PROGRESS when it is to join again. @throws KafkaError UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION */
export function heartbeatInConsumerGroup(group: ConsumerGroup, request: HeartbeatRequest, nowMs: number): number {
  const member = classicMember(group, request.memberId, request.groupInstanceId);
  check(request.generationId === member.memberEpoch, 'ILLEGAL_GENERATION');
  const session = group.sessionOf(member.memberId);
  session.deadlineMs = nowMs + classicMembershipOf(member).sessionTimeoutMs;
  group.noteDeadline(session.deadlineMs);
  const isOwned = (topicId: string, partition: number): boolean => group.ownerOf(topicId, partition) !== undefined;
  const hasToJoin =
    member.memberEpoch < group.groupEpoch ||
    member.state === 'unrevoked' ||
    (member.state === 'unreleased' && !waitsForOthers(member, group.targetOf(member.memberId), isOwned));
  if (!hasToJoin) return NONE;
  expectToJoin(group, member, nowMs);
  return codeOf('REBALANCE_IN_PROGRESS');
}

/** Told once to join again, it has its rebalance timeout from then on, however often it is told. */
function expectToJoin(group: ConsumerGroup, { memberId, rebalanceTimeoutMs }: ConsumerMember, nowMs: number): void {
  const session = group.sessionOf(memberId);
  if (session.joinDeadlineMs === Infinity) session.joinDeadlineMs = nowMs + rebalanceTimeoutMs;
  group.noteDeadline(session.joinDeadlineMs);
}

export function leaveConsumerGroupAsClassic(group: ConsumerGroup, leaving: readonly LeavingMember[], step: GroupStep): LeftMember[] {
  const gone = new Set<ConsumerMember>();
  const left = leaving.map((one): LeftMember => {
    try {
      gone.add(leavingMember(group, one));
      return { ...one, errorCode: NONE };
    } catch (thrown) {
      if (thrown instanceof KafkaError) return { ...one, errorCode: thrown.code };
      throw thrown;
    }
  });
  fenceMembers(group, [...gone], step);
  return left;
}

/** An administrator may remove a static member by its instance id alone. */
function leavingMember(group: ConsumerGroup, { memberId, groupInstanceId: instanceId }: LeavingMember): ConsumerMember {
  if (instanceId === null) return group.getMember(memberId);
  const existing = group.findStaticMember(instanceId);
  return checkInstance(existing, { memberId: memberId === '' ? (existing?.memberId ?? '') : memberId, instanceId });
}
