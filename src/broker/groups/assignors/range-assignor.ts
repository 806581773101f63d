// The range assignor of KIP-848: each topic's partitions in contiguous ranges, in the order of its subscribers. Members that subscribe
// to the same topics, all of one size, own the same partition numbers in each (co-partitioning), which joins of streams rest on.
// As in Kafka 4.2 the order alone keeps it steady: static members by instance id, then the others by member id. What is assigned
// now is not looked at, nor are racks.
import { compareText, keepIfEqual, type Assignment, type AssignorInput, type AssignorMember, type MemberAssignment } from './assignor.ts';

interface TopicRange {
  readonly partitionCount: number;
  subscriberCount: number;
  /** Subscribers that have been served. */
  served: number;
}

export function assignRanges({ members, topics }: AssignorInput): Assignment {
  const ranges = new Map<string, TopicRange>();
  for (const { subscribedTopicIds } of members.values()) {
    for (const topicId of subscribedTopicIds) {
      const known = ranges.get(topicId);
      if (known !== undefined) known.subscriberCount += 1;
      else ranges.set(topicId, { partitionCount: topics.partitionCountOf(topicId) ?? 0, subscriberCount: 1, served: 0 });
    }
  }
  const assignment = new Map<string, MemberAssignment>();
  for (const [memberId, member] of [...members].sort(byInstanceThenMember)) {
    const share = new Map<string, readonly number[]>();
    for (const topicId of member.subscribedTopicIds) {
      const range = ranges.get(topicId);
      const partitions = range === undefined ? [] : nextRange(range);
      if (partitions.length > 0) share.set(topicId, partitions);
    }
    assignment.set(memberId, keepIfEqual(member.assigned, share));
  }
  return assignment;
}

/** The first of the subscribers get one more where the partitions do not divide. */
function nextRange(range: TopicRange): number[] {
  const { partitionCount, subscriberCount, served } = range;
  const quota = Math.floor(partitionCount / subscriberCount);
  const extra = partitionCount % subscriberCount;
  const start = served * quota + Math.min(served, extra);
  range.served += 1;
  return Array.from({ length: quota + (served < extra ? 1 : 0) }, (_, at) => start + at);
}

function byInstanceThenMember(
  [leftId, left]: readonly [string, AssignorMember],
  [rightId, right]: readonly [string, AssignorMember],
): number {
  if (left.instanceId !== null && right.instanceId !== null) return compareText(left.instanceId, right.instanceId);
  if (left.instanceId !== null) return -1;
  if (right.instanceId !== null) return 1;
  return compareText(leftId, rightId);
}
