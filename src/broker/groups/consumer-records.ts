// The records that tell of a consumer group, one function for each (GroupCoordinatorRecordHelpers of Kafka 4.2). What they
// mean is folded in consumer-group.ts.
import type { GroupRecord } from './group-records.ts';
import { stateCodeOf, type ConsumerMember } from './consumer-member.ts';
import { toEntries, type TopicPartitions } from './topic-partitions.ts';

/** Which topics a regular expression has been found to mean. */
export interface ResolvedRegex {
  readonly topics: ReadonlySet<string>;
  /** The offset of the metadata log up to which topics were looked at. */
  readonly version: number;
  /** Wall time at which that was. */
  readonly timestampMs: number;
}

export const memberRecord = (groupId: string, member: ConsumerMember): GroupRecord => ({
  type: 'ConsumerGroupMemberMetadata',
  key: { groupId, memberId: member.memberId },
  value: {
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: member.serverAssignor,
    classicMemberMetadata:
      member.classic === null
        ? null
        : { sessionTimeoutMs: member.classic.sessionTimeoutMs, supportedProtocols: member.classic.supportedProtocols },
  },
});

export const groupEpochRecord = (groupId: string, epoch: number, metadataHash: bigint): GroupRecord => ({
  type: 'ConsumerGroupMetadata',
  key: { groupId },
  value: { epoch, metadataHash },
});

export const targetAssignmentRecord = (groupId: string, memberId: string, partitions: TopicPartitions): GroupRecord => ({
  type: 'ConsumerGroupTargetAssignmentMember',
  key: { groupId, memberId },
  value: { topicPartitions: toEntries(partitions) },
});

export const targetAssignmentEpochRecord = (groupId: string, assignmentEpoch: number): GroupRecord => ({
  type: 'ConsumerGroupTargetAssignmentMetadata',
  key: { groupId },
  value: { assignmentEpoch },
});

export const currentAssignmentRecord = (groupId: string, member: ConsumerMember): GroupRecord => ({
  type: 'ConsumerGroupCurrentMemberAssignment',
  key: { groupId, memberId: member.memberId },
  value: {
    memberEpoch: member.memberEpoch,
    previousMemberEpoch: member.previousMemberEpoch,
    state: stateCodeOf(member.state),
    assignedPartitions: toEntries(member.assigned),
    partitionsPendingRevocation: toEntries(member.pendingRevocation),
  },
});

export const regexRecord = (groupId: string, regularExpression: string, resolved: ResolvedRegex): GroupRecord => ({
  type: 'ConsumerGroupRegularExpression',
  key: { groupId, regularExpression },
  value: { topics: [...resolved.topics].sort(), version: resolved.version, timestamp: resolved.timestampMs },
});

export const regexTombstone = (groupId: string, regularExpression: string): GroupRecord => ({
  type: 'ConsumerGroupRegularExpression',
  key: { groupId, regularExpression },
  value: null,
});

/** Kafka before 4.1 kept what is known of the topics in a record, where a hash stands today. */
export const partitionMetadataTombstone = (groupId: string): GroupRecord => ({
  type: 'ConsumerGroupPartitionMetadata',
  key: { groupId },
  value: null,
});

export const memberTombstones = (groupId: string, memberId: string): GroupRecord[] => [
  { type: 'ConsumerGroupCurrentMemberAssignment', key: { groupId, memberId }, value: null },
  { type: 'ConsumerGroupTargetAssignmentMember', key: { groupId, memberId }, value: null },
  { type: 'ConsumerGroupMemberMetadata', key: { groupId, memberId }, value: null },
];

/** In the order in which Kafka expects to read them: nothing may be left of a group when the last of them is read. */
export const groupTombstones = (groupId: string, memberIds: readonly string[], regexes: Iterable<string>): GroupRecord[] => [
  ...memberIds.map((memberId): GroupRecord => ({ type: 'ConsumerGroupCurrentMemberAssignment', key: { groupId, memberId }, value: null })),
  ...memberIds.map((memberId): GroupRecord => ({ type: 'ConsumerGroupTargetAssignmentMember', key: { groupId, memberId }, value: null })),
  { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null },
  ...memberIds.map((memberId): GroupRecord => ({ type: 'ConsumerGroupMemberMetadata', key: { groupId, memberId }, value: null })),
  ...[...regexes].map((regularExpression) => regexTombstone(groupId, regularExpression)),
  partitionMetadataTombstone(groupId),
  { type: 'ConsumerGroupMetadata', key: { groupId }, value: null },
];
