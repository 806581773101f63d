// A consumer group as ConsumerGroupDescribe tells of it: epochs, members, what each holds and what it is to hold.
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { GroupTopics } from './group-topics.ts';
import { preferredAssignorName } from './target-assignment.ts';
import type { TopicPartitions } from './topic-partitions.ts';

export interface DescribedAssignment {
  readonly topicPartitions: readonly { readonly topicId: string; readonly topicName: string; readonly partitions: readonly number[] }[];
}

export interface DescribedConsumerMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: readonly string[];
  readonly subscribedTopicRegex: string | null;
  readonly assignment: DescribedAssignment;
  readonly targetAssignment: DescribedAssignment;
  /** KIP-1099 */
  readonly memberType: number;
}

export interface DescribedConsumerGroup {
  readonly groupState: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly assignorName: string;
  readonly members: readonly DescribedConsumerMember[];
}

const memberTypes = { classic: 0, consumer: 1 } as const;

export function describeConsumerGroup(
  group: ConsumerGroup,
  { topics, offered }: { topics: GroupTopics; offered: readonly string[] },
): DescribedConsumerGroup {
  return {
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: preferredAssignorName(group.members.values(), offered),
    members: [...group.members.values()].map((member) => describeMember(member, group.targetOf(member.memberId), topics)),
  };
}

const describeMember = (member: ConsumerMember, target: TopicPartitions, topics: GroupTopics): DescribedConsumerMember => ({
  memberId: member.memberId,
  instanceId: member.instanceId,
  rackId: member.rackId,
  memberEpoch: member.memberEpoch,
  clientId: member.clientId,
  clientHost: member.clientHost,
  subscribedTopicNames: member.subscribedTopicNames,
  subscribedTopicRegex: member.subscribedTopicRegex,
  assignment: describeAssignment(member.assigned, topics),
  targetAssignment: describeAssignment(target, topics),
  memberType: member.classic === null ? memberTypes.consumer : memberTypes.classic,
});

/** Without the topics that are gone. */
const describeAssignment = (partitions: TopicPartitions, topics: GroupTopics): DescribedAssignment => ({
  topicPartitions: [...partitions].flatMap(([topicId, list]) => {
    const topicName = topics.nameOf(topicId);
    return topicName === undefined ? [] : [{ topicId, topicName, partitions: list }];
  }),
});
