// How a member comes from what it holds to what the target assignment gives it: first it lets go of what is not its own any
// more, then it is given what nobody else holds (CurrentAssignmentBuilder of Kafka 4.2). A partition therefore has one owner at
// most at any time. Pure: the member comes in, the member as it stands afterwards comes out.
import { KafkaError } from '../../protocol/errors.ts';
import { isReconciledTo, regexOf, type ConsumerMember, type MemberState } from './consumer-member.ts';
import type { ResolvedRegex } from './consumer-records.ts';
import type { GroupTopics } from './group-topics.ts';
import { NO_PARTITIONS, overlaps, partitionsOf, put, union, type TopicPartitions } from './topic-partitions.ts';

export interface ReconciliationOptions {
  readonly assignmentEpoch: number;
  readonly target: TopicPartitions;
  readonly topics: GroupTopics;
  readonly resolvedRegexes: ReadonlyMap<string, ResolvedRegex>;
  /** The member has just changed what it is subscribed to. */
  readonly subscriptionHasChanged: boolean;
  /** Whether anybody holds the partition, this member included. */
  readonly isOwned: (topicId: string, partition: number) => boolean;
  /** What the member says it holds; null when it does not say. */
  readonly owned: TopicPartitions | null;
}

/** @throws KafkaError FENCED_MEMBER_EPOCH when the member is in a state that a newer broker has written, and holds partitions */
export function reconcile(member: ConsumerMember, options: ReconciliationOptions): ConsumerMember {
  const { assignmentEpoch, subscriptionHasChanged, owned } = options;
  if (!subscriptionHasChanged && isReconciledTo(member, assignmentEpoch)) return member;
  switch (member.state) {
    case 'stable':
      if (member.memberEpoch !== assignmentEpoch) return nextAssignment(member, options);
      return withoutUnsubscribed(member, options);
    case 'unrevoked':
      if (!stillHolds(owned, member.pendingRevocation)) return nextAssignment(member, options);
      return subscriptionHasChanged ? withoutUnsubscribed(member, options) : member;
    case 'unreleased':
      return nextAssignment(member, options);
    case 'unknown':
      if (owned === null || owned.size > 0)
        throw new KafkaError(
          'FENCED_MEMBER_EPOCH',
          'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.',
        );
      return nextAssignment(member, options);
    default:
      return member.state satisfies never;
  }
}

/** Whether a member waits for partitions that others have not let go of yet. */
export function waitsForOthers(member: ConsumerMember, target: TopicPartitions, isOwned: ReconciliationOptions['isOwned']): boolean {
  if (member.state !== 'unreleased') return false;
  for (const [topicId, partitions] of target) {
    const assigned = new Set(partitionsOf(member.assigned, topicId));
    if (partitions.some((partition) => !assigned.has(partition) && isOwned(topicId, partition))) return true;
  }
  return false;
}

/** A member that does not say what it holds may hold anything. */
const stillHolds = (owned: TopicPartitions | null, asked: TopicPartitions): boolean => owned === null || overlaps(owned, asked);

const inEpoch = (member: ConsumerMember, memberEpoch: number): ConsumerMember => ({
  ...member,
  memberEpoch,
  previousMemberEpoch: member.memberEpoch,
});

function nextAssignment(member: ConsumerMember, options: ReconciliationOptions): ConsumerMember {
  const { kept, leaving, coming, isWaiting } = differences(member, options);
  if (leaving.size > 0 && stillHolds(options.owned, leaving))
    return { ...inEpoch(member, member.memberEpoch), state: 'unrevoked', assigned: kept, pendingRevocation: leaving };
  const state: MemberState = isWaiting ? 'unreleased' : 'stable';
  return { ...inEpoch(member, options.assignmentEpoch), state, assigned: union(kept, coming), pendingRevocation: NO_PARTITIONS };
}

interface Differences {
  readonly kept: TopicPartitions;
  /** Held, and not in the target any more. */
  readonly leaving: TopicPartitions;
  /** In the target, not held, and free. */
  readonly coming: TopicPartitions;
  /** Something in the target is held by others. */
  readonly isWaiting: boolean;
}

function differences(member: ConsumerMember, options: ReconciliationOptions): Differences {
  const { target, isOwned } = options;
  const subscribed = subscribedIds(member, options);
  const kept = new Map<string, readonly number[]>();
  const leaving = new Map<string, readonly number[]>();
  const coming = new Map<string, readonly number[]>();
  let isWaiting = false;
  for (const topicId of new Set([...target.keys(), ...member.assigned.keys()])) {
    // What it is not subscribed to any more is not its own, whatever a target from before says.
    const wanted = subscribed.has(topicId) ? partitionsOf(target, topicId) : [];
    const held = partitionsOf(member.assigned, topicId);
    const [wantedSet, heldSet] = [new Set(wanted), new Set(held)];
    // What it still has to let go of is held by nobody but itself.
    const ownPending = new Set(partitionsOf(member.pendingRevocation, topicId));
    const isFree = (partition: number): boolean => !isOwned(topicId, partition) || ownPending.has(partition);
    const missing = wanted.filter((partition) => !heldSet.has(partition));
    const free = missing.filter(isFree);
    if (free.length < missing.length) isWaiting = true;
    put(
      kept,
      topicId,
      held.filter((partition) => wantedSet.has(partition)),
    );
    put(
      leaving,
      topicId,
      held.filter((partition) => !wantedSet.has(partition)),
    );
    put(coming, topicId, free);
  }
  return { kept, leaving, coming, isWaiting };
}

/** The target is still to come, but what the member is not subscribed to any more it has to let go of at once. */
function withoutUnsubscribed(member: ConsumerMember, options: ReconciliationOptions): ConsumerMember {
  const subscribed = subscribedIds(member, options);
  const kept = new Map<string, readonly number[]>();
  const leaving = new Map<string, readonly number[]>();
  for (const [topicId, partitions] of member.assigned) (subscribed.has(topicId) ? kept : leaving).set(topicId, partitions);
  if (leaving.size === 0) return member;
  const pendingRevocation = union(member.pendingRevocation, leaving);
  if (!stillHolds(options.owned, pendingRevocation)) return { ...member, assigned: kept };
  return { ...member, state: 'unrevoked', assigned: kept, pendingRevocation };
}

/** A regular expression that has not been looked up yet matches nothing. */
function subscribedIds(member: ConsumerMember, { topics, resolvedRegexes }: ReconciliationOptions): ReadonlySet<string> {
  const ids = new Set<string>();
  const add = (name: string): void => {
    const id = topics.idOf(name);
    if (id !== undefined) ids.add(id);
  };
  for (const name of member.subscribedTopicNames) add(name);
  for (const name of resolvedRegexes.get(regexOf(member) ?? '')?.topics ?? []) add(name);
  return ids;
}
