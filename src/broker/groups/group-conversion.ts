// A group changes its protocol while its members go on: a classic one whose members are consumers comes over with the first
// ConsumerGroupHeartbeat, and goes back when the last member that sends them is gone (convertToConsumerGroup and
// convertToClassicGroup of Kafka 4.2). Both are records: tombstones of what the group was, then what it is.
import { invariant } from '../../base/invariant.ts';
import { check, KafkaError, ProtocolError } from '../../protocol/errors.ts';
import { ClassicGroup, CONSUMER_PROTOCOL_TYPE } from './classic-group.ts';
import { ClassicMember, NO_ASSIGNMENT } from './classic-member.ts';
import { joinError, prepareRebalance, syncError } from './classic-rebalance.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { inOrder, isReconciledTo, newMember, type ClassicMembership, type ConsumerMember } from './consumer-member.ts';
import {
  currentAssignmentRecord,
  groupEpochRecord,
  groupTombstones,
  memberRecord,
  targetAssignmentEpochRecord,
  targetAssignmentRecord,
} from './consumer-records.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, withTopicIds } from './embedded-protocol.ts';
import type { ConsumerGroupRecord, GroupRecord } from './group-records.ts';
import type { GroupStep } from './group-step.ts';
import type { GroupsState } from './groups-state.ts';
import { NO_PARTITIONS, put, union, type TopicPartitions } from './topic-partitions.ts';

/**
 * The group that a heartbeat is for. One that is not there, or nobody is in, begins as a consumer group when the member joins;
 * its records are the step's first. @throws KafkaError GROUP_ID_NOT_FOUND
 */
export function groupForHeartbeat(state: GroupsState, groupId: string, { creates }: { creates: boolean }, step: GroupStep): ConsumerGroup {
  const group = state.find(groupId);
  if (group?.kind === 'consumer') return group;
  if (group === undefined) {
    check(creates, 'GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`);
    return new ConsumerGroup(groupId);
  }
  check(creates, 'GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`);
  if (!group.isEmpty) return convertToConsumerGroup(group, step);
  step.records.push(classicTombstone(groupId));
  return new ConsumerGroup(groupId);
}

const classicTombstone = (groupId: string): GroupRecord => ({ type: 'GroupMetadata', key: { group: groupId }, value: null });

// --- from the classic protocol

function convertToConsumerGroup(classic: ClassicGroup, step: GroupStep): ConsumerGroup {
  const { groupId } = classic;
  checkMayBecomeConsumer(classic, step);
  const members = cameOver(classic, step);
  const records: ConsumerGroupRecord[] = [];
  const group = new ConsumerGroup(groupId);
  group.cameInARound = classic.state !== 'Stable';
  const write = (record: GroupRecord): void => {
    if (record.type === 'OffsetCommit' || record.type === 'GroupMetadata') return;
    records.push(record);
    group.apply(record);
  };
  for (const member of members) write(memberRecord(groupId, member));
  write(groupEpochRecord(groupId, classic.generationId, step.topics.hashOf(group.subscribedTopics)));
  for (const member of members) write(targetAssignmentRecord(groupId, member.memberId, member.assigned));
  write(targetAssignmentEpochRecord(groupId, classic.generationId));
  for (const member of members) write(currentAssignmentRecord(groupId, member));
  step.records.push(classicTombstone(groupId), ...records);

  // Whoever waits in a round joins again, in the group as it is then.
  for (const { memberId, awaitingJoin, awaitingSync } of classic.members.values()) {
    if (awaitingJoin !== undefined) step.answer(awaitingJoin, joinError(memberId, 'REBALANCE_IN_PROGRESS'));
    if (awaitingSync !== undefined) step.answer(awaitingSync, syncError('REBALANCE_IN_PROGRESS'));
  }
  for (const { memberId, sessionTimeoutMs } of classic.members.values()) step.holdConsumerSession(groupId, memberId, sessionTimeoutMs);
  return group;
}

function checkMayBecomeConsumer({ groupId, usesConsumerProtocol, members }: ClassicGroup, { config }: GroupStep): void {
  const policy = config['group.consumer.migration.policy'];
  const refuse = (why: string): KafkaError =>
    new KafkaError('GROUP_ID_NOT_FOUND', `Cannot upgrade classic group ${groupId} to consumer group because ${why}.`);
  if (policy !== 'bidirectional' && policy !== 'upgrade') throw refuse('online upgrade is disabled');
  if (!usesConsumerProtocol) throw refuse('the group does not use the consumer embedded protocol');
  if (members.size > config['group.consumer.max.size']) throw refuse('the group size exceeds the consumer group maximum size');
}

/**
 * The members as they are in the new protocol, each with what it was given last, and cooperative ones with what they say they hold
 * besides: it may have been taken back, by a round that was broken off or by one whose outcome they have just been told, while they read
 * on, and others would be given it at once. (Kafka 4.2 forgets it.)
 */
function cameOver(classic: ClassicGroup, { topics }: GroupStep): ConsumerMember[] {
  const { groupId, generationId } = classic;
  // All may have gone in the round under way.
  if (classic.members.size === 0) return [];
  // A group in its first round has not chosen a protocol yet.
  const protocolName = classic.protocolName ?? classic.selectProtocol();
  const taken = new TakenPartitions();
  try {
    const coming = [...classic.members.values()].map((member) => {
      const { partitions, userData } = decodeAssignment(member.assignment);
      if (userData !== null && userData.length > 0) throw customAssignor(groupId);
      const subscription = decodeSubscription(member.metadataOf(protocolName));
      return { member, subscription, assigned: taken.without(withTopicIds(partitions, topics)) };
    });
    // Who says so in a later generation knows it better.
    for (const one of coming.toSorted((left, right) => right.subscription.generationId - left.subscription.generationId))
      one.assigned = union(one.assigned, taken.without(withTopicIds(one.subscription.ownedPartitions, topics)));
    return coming.map(({ member, subscription, assigned }) => ({
      ...newMember(member.memberId),
      instanceId: member.groupInstanceId,
      rackId: subscription.rackId || null,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      subscribedTopicNames: inOrder(subscription.topics),
      classic: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: member.protocols },
      memberEpoch: generationId,
      previousMemberEpoch: generationId,
      assigned,
    }));
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    const why = `Cannot upgrade classic group ${groupId} to consumer group because the embedded consumer protocol is malformed.`;
    throw new KafkaError('GROUP_ID_NOT_FOUND', why);
  }
}

/** A leader may have given a partition to two members: here the first has it. */
class TakenPartitions {
  readonly #taken = new Set<string>();

  without(partitions: TopicPartitions): TopicPartitions {
    const free = new Map<string, readonly number[]>();
    for (const [topicId, list] of partitions)
      put(
        free,
        topicId,
        list.filter((partition) => !this.#taken.has(`${topicId}/${partition}`)),
      );
    for (const [topicId, list] of free) for (const partition of list) this.#taken.add(`${topicId}/${partition}`);
    return free;
  }
}

const customAssignor = (groupId: string): KafkaError =>
  new KafkaError(
    'GROUP_ID_NOT_FOUND',
    `Cannot upgrade classic group ${groupId} to consumer group because an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade.`,
  );

// --- and back

/** Whether a group of these members goes back to the classic protocol. */
export function mayBecomeClassic(members: ReadonlyMap<string, ConsumerMember>, { config }: GroupStep): boolean {
  const policy = config['group.consumer.migration.policy'];
  if (members.size === 0 || members.size > config['group.max.size'] || (policy !== 'bidirectional' && policy !== 'downgrade')) return false;
  for (const { classic } of members.values()) if (classic === null) return false;
  return true;
}

export interface ToClassicOptions {
  /** Who is in it afterwards; all speak the classic protocol. */
  readonly members: ReadonlyMap<string, ConsumerMember>;
  /** Of a member that has just taken the place of another, whose records stand in this step already. */
  readonly replacement: { readonly memberId: string; readonly replaced: string } | undefined;
  /** The members have to share the work anew. They do also where some have not come to their shares yet. */
  readonly rebalances: boolean;
}

export function convertToClassicGroup(group: ConsumerGroup, options: ToClassicOptions, step: GroupStep): void {
  const { groupId } = group;
  const { replacement } = options;
  const rebalances = options.rebalances || !isSettled(group, options.members);
  const memberIds = [...group.members.keys()].map((memberId) => (memberId === replacement?.replaced ? replacement.memberId : memberId));
  step.records.push(...groupTombstones(groupId, memberIds, group.resolvedRegexes.keys()));
  const members = [...options.members.values()].map((member) => wentBack(member));
  // In a round nobody is told of this: it says who may be reading what, for a group that comes over again before everybody has joined.
  const assigned = (memberId: string): TopicPartitions =>
    rebalances
      ? heldBy(options.members.get(memberId))
      : group.targetOf(memberId === replacement?.memberId ? replacement.replaced : memberId);
  step.records.push(classicRecord(group, members, assigned, step));

  step.onceApplied(() => {
    const classic = step.findGroup(groupId);
    invariant(classic?.kind === 'classic', 'the group has just become a classic one');
    for (const { memberId, protocols } of members) {
      const member = classic.getMember(memberId);
      // The record has room for the one in use.
      member.protocols = protocols;
      classic.heardOf(member, step.nowMs);
    }
    // None of them has joined the round yet, so no record comes of it.
    if (rebalances) prepareRebalance(classic, step);
    step.noteDeadline(classic);
  });
}

/** All have what the target gives them, and the target is that of the group. */
function isSettled({ groupEpoch, assignmentEpoch }: ConsumerGroup, members: ReadonlyMap<string, ConsumerMember>): boolean {
  return groupEpoch === assignmentEpoch && [...members.values()].every((member) => isReconciledTo(member, assignmentEpoch));
}

const heldBy = (member: ConsumerMember | undefined): TopicPartitions =>
  member === undefined ? NO_PARTITIONS : union(member.assigned, member.pendingRevocation);

function wentBack(member: ConsumerMember): ClassicMember {
  const { sessionTimeoutMs, supportedProtocols } = classicMembershipOf(member);
  return new ClassicMember({
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocols: supportedProtocols,
  });
}

export function classicMembershipOf({ memberId, classic }: ConsumerMember): ClassicMembership {
  invariant(classic !== null, `member ${memberId} speaks the classic protocol`);
  return classic;
}

/** The group as it begins again: in the generation that its epoch was, with the targets as assignments. */
function classicRecord(
  group: ConsumerGroup,
  members: readonly ClassicMember[],
  assigned: (memberId: string) => TopicPartitions,
  { topics, wallMs }: GroupStep,
): GroupRecord {
  const classic = new ClassicGroup(group.groupId, wallMs);
  for (const member of members) classic.add(member);
  classic.generationId = group.groupEpoch;
  const protocolName = classic.selectProtocol();
  classic.protocolName = protocolName;
  const assignments = new Map<string, Buffer>();
  for (const member of members) {
    const subscription = member.metadataOf(protocolName);
    const assignment = subscription.length === 0 ? NO_ASSIGNMENT : encodeAssignment(assigned(member.memberId), subscription, topics);
    assignments.set(member.memberId, assignment);
  }
  return classic.record(wallMs, assignments);
}
