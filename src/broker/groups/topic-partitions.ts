// Partitions by the id of their topic, as assignments tell them: each list ascending, without repetition and never empty.
// Values that nobody changes, and the few things done with them.

export type TopicPartitions = ReadonlyMap<string, readonly number[]>;

/** As records and messages write it. */
export interface TopicPartitionsEntry {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export const NO_PARTITIONS: TopicPartitions = new Map();

const NONE_OF_TOPIC: readonly number[] = [];

/** What a client or a record tells, put in order. */
export function fromEntries(entries: readonly TopicPartitionsEntry[]): TopicPartitions {
  const gathered = new Map<string, Set<number>>();
  for (const { topicId, partitions } of entries) {
    const known = gathered.get(topicId);
    if (known === undefined) gathered.set(topicId, new Set(partitions));
    else for (const partition of partitions) known.add(partition);
  }
  const ordered = new Map<string, readonly number[]>();
  for (const [topicId, partitions] of gathered) put(ordered, topicId, [...partitions].sort(ascending));
  return ordered;
}

export const toEntries = (partitions: TopicPartitions): TopicPartitionsEntry[] =>
  [...partitions].map(([topicId, list]) => ({ topicId, partitions: list }));

export const partitionsOf = (partitions: TopicPartitions, topicId: string): readonly number[] => partitions.get(topicId) ?? NONE_OF_TOPIC;

export function samePartitions(left: TopicPartitions, right: TopicPartitions): boolean {
  if (left === right) return true;
  if (left.size !== right.size) return false;
  for (const [topicId, partitions] of left) {
    const others = right.get(topicId);
    if (others === undefined || !sameList(partitions, others)) return false;
  }
  return true;
}

export function isSubset(part: TopicPartitions, whole: TopicPartitions): boolean {
  for (const [topicId, partitions] of part) {
    const others = new Set(partitionsOf(whole, topicId));
    if (!partitions.every((partition) => others.has(partition))) return false;
  }
  return true;
}

export function overlaps(left: TopicPartitions, right: TopicPartitions): boolean {
  for (const [topicId, partitions] of left) {
    const others = new Set(partitionsOf(right, topicId));
    if (partitions.some((partition) => others.has(partition))) return true;
  }
  return false;
}

export function union(left: TopicPartitions, right: TopicPartitions): TopicPartitions {
  if (left.size === 0) return right;
  if (right.size === 0) return left;
  return fromEntries([...toEntries(left), ...toEntries(right)]);
}

/** A topic of which nothing is left does not stand in the map. */
export function put(map: Map<string, readonly number[]>, topicId: string, partitions: readonly number[]): void {
  if (partitions.length > 0) map.set(topicId, partitions);
}

const ascending = (left: number, right: number): number => left - right;

const sameList = (left: readonly number[], right: readonly number[]): boolean =>
  left.length === right.length && left.every((partition, at) => right[at] === partition);
