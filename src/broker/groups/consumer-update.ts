// What follows in a consumer group when a member tells of itself, by whichever protocol: the group's epoch follows what its
// members want and what the topics are, the target follows the epoch, and the member takes its next step towards its target
// (the common part of consumerGroupHeartbeat and classicGroupJoinToConsumerGroup of Kafka 4.2).
import type { ConsumerGroup } from './consumer-group.ts';
import { sameMetadata, sameProgress, sameTopicNames, type ConsumerMember } from './consumer-member.ts';
import { reconcile } from './consumer-reconciliation.ts';
import { currentAssignmentRecord, groupEpochRecord, memberRecord, partitionMetadataTombstone } from './consumer-records.ts';
import { followRegexes, type RegexChange } from './consumer-regexes.ts';
import type { GroupStep, MaySee } from './group-step.ts';
import { updateTarget } from './target-assignment.ts';
import type { TopicPartitions } from './topic-partitions.ts';

export interface JoiningMember {
  /** As it was before this request; of a static member that has come back, the old one under its new id. */
  readonly member: ConsumerMember;
  /** The static member whose place it takes. */
  readonly replaced: ConsumerMember | undefined;
}

export interface MemberUpdate extends JoiningMember {
  /** The member as it tells of itself now. */
  readonly told: ConsumerMember;
  readonly owned: TopicPartitions | null;
  readonly maySee: MaySee;
}

/** What has changed of the member itself is written down, and whether it wants other topics than before is told. */
export function noteMember(
  group: ConsumerGroup,
  { member, told, maySee }: MemberUpdate,
  step: GroupStep,
): { readonly namesChanged: boolean; readonly regexChange: RegexChange } {
  if (!sameMetadata(member, told)) step.records.push(memberRecord(group.groupId, told));
  const regexChange = followRegexes(group, { before: member, after: told, maySee }, step);
  return { namesChanged: !sameTopicNames(member, told), regexChange };
}

/** The group's epoch, which grows when its members or the topics they read are not what they were. */
export function followTopics(group: ConsumerGroup, { told, replaced }: MemberUpdate, raisesEpoch: boolean, step: GroupStep): number {
  const { groupId, groupEpoch } = group;
  const { version } = step.topics;
  if (!raisesEpoch && group.seenTopicsVersion === version) return groupEpoch;
  const members = new Map<string, ConsumerMember>(group.members);
  if (replaced !== undefined) members.delete(replaced.memberId);
  members.set(told.memberId, told);
  const hash = step.topics.hashOf(group.topicsSubscribedBy(members.values()));
  const grows = raisesEpoch || hash !== group.metadataHash;
  if (grows) step.records.push(groupEpochRecord(groupId, groupEpoch + 1, hash));
  if (group.hasPartitionMetadata) step.records.push(partitionMetadataTombstone(groupId));
  step.onceAppliedTo(groupId, (applied) => (applied.seenTopicsVersion = version));
  return grows ? groupEpoch + 1 : groupEpoch;
}

/** The target follows the epoch, and the member takes its next step towards it. Returns the member as it stands then. */
export function approachTarget(
  group: ConsumerGroup,
  { told, replaced, owned }: MemberUpdate,
  { groupEpoch, subscriptionHasChanged }: { groupEpoch: number; subscriptionHasChanged: boolean },
  step: GroupStep,
): ConsumerMember {
  const isBehind = groupEpoch > group.assignmentEpoch;
  const target = isBehind
    ? updateTarget(group, { updated: told, replaced }, groupEpoch, step)
    : group.targetOf(replaced?.memberId ?? told.memberId);
  const assignmentEpoch = isBehind ? groupEpoch : group.assignmentEpoch;
  return reconcileMember(group, told, { target, assignmentEpoch, subscriptionHasChanged, owned }, step);
}

export interface ReconcileOptions {
  readonly target: TopicPartitions;
  readonly assignmentEpoch: number;
  readonly subscriptionHasChanged: boolean;
  readonly owned: TopicPartitions | null;
}

/** One step of the member towards its target, written down if there is one. */
export function reconcileMember(group: ConsumerGroup, member: ConsumerMember, options: ReconcileOptions, step: GroupStep): ConsumerMember {
  const { groupId, resolvedRegexes } = group;
  const isOwned = (topicId: string, partition: number): boolean => group.ownerOf(topicId, partition) !== undefined;
  const after = reconcile(member, { ...options, topics: step.topics, resolvedRegexes, isOwned });
  if (sameProgress(member, after)) return after;
  step.records.push(currentAssignmentRecord(groupId, after));
  if (after.classic === null) step.onceAppliedTo(groupId, (applied) => watchRevocation(applied, after, step));
  return after;
}

/** A member that is asked to let go has its rebalance timeout for it. */
export function watchRevocation(
  group: ConsumerGroup,
  { memberId, memberEpoch, state, rebalanceTimeoutMs }: ConsumerMember,
  step: GroupStep,
): void {
  const session = group.sessionOf(memberId);
  session.revocation = state === 'unrevoked' ? { deadlineMs: step.nowMs + rebalanceTimeoutMs, memberEpoch } : undefined;
  group.noteDeadline(session.earliestDeadlineMs);
  step.noteDeadline(group);
}
