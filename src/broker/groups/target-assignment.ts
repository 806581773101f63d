// What each member of a consumer group is to hold in the end, worked out by the assignor that most members ask for
// (TargetAssignmentBuilder of Kafka 4.2). Looks at the group and says which records follow.
import { present } from '../../base/invariant.ts';
import type { Assignor, AssignorMember } from './assignors/assignor.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { regexOf, type ConsumerMember } from './consumer-member.ts';
import { targetAssignmentEpochRecord, targetAssignmentRecord } from './consumer-records.ts';
import type { GroupStep } from './group-step.ts';
import { NO_PARTITIONS, samePartitions, type TopicPartitions } from './topic-partitions.ts';

/**
 * The group with `updated` in the place of `replaced` gets a new target. Returns that of the updated member.
 * `groupEpoch` is the epoch of the target.
 */
export function updateTarget(
  group: ConsumerGroup,
  { updated, replaced }: { updated: ConsumerMember; replaced: ConsumerMember | undefined },
  groupEpoch: number,
  step: GroupStep,
): TopicPartitions {
  const { groupId } = group;
  const members = new Map<string, ConsumerMember>(group.members);
  if (replaced !== undefined) members.delete(replaced.memberId);
  members.set(updated.memberId, updated);

  const assignor = preferredAssignor(members.values(), step);
  const subscriptions = new Subscriptions(group, step);
  const input = new Map<string, AssignorMember>();
  for (const member of members.values()) {
    // A static member that has come back under another id goes on where it left.
    const targetId = member === updated && replaced !== undefined ? replaced.memberId : member.memberId;
    input.set(member.memberId, {
      subscribedTopicIds: subscriptions.idsOf(member),
      instanceId: member.instanceId,
      rackId: member.rackId,
      assigned: group.targetOf(targetId),
    });
  }
  const assignment = assignor.assign({ members: input, topics: step.topics });
  for (const memberId of members.keys()) {
    const target = assignment.get(memberId) ?? NO_PARTITIONS;
    const before = group.target.get(memberId);
    if (before === undefined || !samePartitions(before, target)) step.records.push(targetAssignmentRecord(groupId, memberId, target));
  }
  step.records.push(targetAssignmentEpochRecord(groupId, groupEpoch));
  return assignment.get(updated.memberId) ?? NO_PARTITIONS;
}

/** What most members ask for; of equal ones the one that stands first in the settings. */
function preferredAssignor(members: Iterable<ConsumerMember>, { assignors }: GroupStep): Assignor {
  const name = preferredAssignorName(members, [...assignors.keys()]);
  return present(assignors.get(name), 'an assignor that was checked when it was asked for');
}

/** `offered` are the names of the settings, of which the first serves members that name none. */
export function preferredAssignorName(members: Iterable<ConsumerMember>, offered: readonly string[]): string {
  const votes = new Map<string, number>();
  for (const { serverAssignor } of members) if (serverAssignor !== null) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1);
  let preferred = present(offered[0], 'an assignor');
  // What the settings do not offer any more cannot be had.
  for (const name of offered) if ((votes.get(name) ?? 0) > (votes.get(preferred) ?? 0)) preferred = name;
  return preferred;
}

/** Topic ids by subscription; members with the same one share a set, by which assignors tell that a group is of one mind. */
class Subscriptions {
  readonly #group: ConsumerGroup;
  readonly #step: GroupStep;
  readonly #known = new Map<string, ReadonlySet<string>>();

  constructor(group: ConsumerGroup, step: GroupStep) {
    this.#group = group;
    this.#step = step;
  }

  idsOf(member: ConsumerMember): ReadonlySet<string> {
    const regex = regexOf(member);
    const key = JSON.stringify([regex ?? null, member.subscribedTopicNames]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const ids = new Set<string>();
    for (const name of this.#group.topicsSubscribedBy([member])) {
      const id = this.#step.topics.idOf(name);
      if (id !== undefined) ids.add(id);
    }
    this.#known.set(key, ids);
    return ids;
  }
}
