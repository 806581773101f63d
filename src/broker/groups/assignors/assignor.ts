// What a server-side assignor of KIP-848 is given and gives back. Assignors are pure functions: the same members, topics and current
// target always give the same new target, whatever order the maps were filled in.

export interface AssignorMember {
  readonly subscribedTopicIds: ReadonlySet<string>;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  /** The current target: topic id -> partitions in ascending order. */
  readonly assigned: ReadonlyMap<string, readonly number[]>;
}

export interface AssignorTopics {
  /** Undefined for a topic that is not there (any more): nothing of it is assigned. */
  partitionCountOf(topicId: string): number | undefined;
  /** Of the replicas. Neither assignor of Kafka 4.2 asks; racks only make a group compute its assignment anew when they change. */
  racksOf(topicId: string, partition: number): ReadonlySet<string>;
}

export interface AssignorInput {
  readonly members: ReadonlyMap<string, AssignorMember>;
  readonly topics: AssignorTopics;
}

/** Member id -> topic id -> partitions in ascending order. Every member of the input has an entry, of a topic only where it owns some. */
export type Assignment = ReadonlyMap<string, MemberAssignment>;
export type MemberAssignment = ReadonlyMap<string, readonly number[]>;

export interface Assignor {
  readonly name: 'uniform' | 'range';
  /** A member whose share does not change gets the very map that it came with, so that a caller may compare by identity. */
  assign(input: AssignorInput): Assignment;
}

/** As Kafka compares strings: by UTF-16 code unit. */
export const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

export function subscriptionsAreEqual(members: ReadonlyMap<string, AssignorMember>): boolean {
  const [first] = members.values();
  if (first === undefined) return true;
  const topicIds = first.subscribedTopicIds;
  return members.values().every(({ subscribedTopicIds: others }) => topicIds === others || holdTheSame(topicIds, others));
}

const holdTheSame = (left: ReadonlySet<string>, right: ReadonlySet<string>): boolean =>
  left.size === right.size && left.values().every((topicId) => right.has(topicId));

/** The current map when it says the same as the new one. */
export function keepIfEqual(current: MemberAssignment, next: ReadonlyMap<string, readonly number[]>): MemberAssignment {
  if (current.size !== next.size) return next;
  for (const [topicId, partitions] of next) {
    const before = current.get(topicId);
    if (before === undefined || before.length !== partitions.length) return next;
    for (let at = 0; at < partitions.length; at += 1) if (before[at] !== partitions[at]) return next;
  }
  return current;
}
