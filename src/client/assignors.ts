// How the leader of a classic group shares out partitions, by the three ways that every client library knows. The broker
// has no say in it: whichever the members agree on, the leader has to be able to do.
import { partitionKey, type TopicPartition } from './list-offsets.ts';

export interface MemberWish {
  readonly memberId: string;
  /** Of a static member. */
  readonly instanceId: string | null;
  readonly topics: readonly string[];
  /** What it still reads while the group rebalances (KIP-429); nothing with the eager ways. */
  readonly owned: readonly TopicPartition[];
  /** Of the generation in which it owned that; -1 when it does not say (KIP-792). */
  readonly generation: number;
}

/** Partitions of each topic that there is. */
export type PartitionCounts = ReadonlyMap<string, number>;

/** By member id. */
export type Assignment = Map<string, TopicPartition[]>;

type Assignor = (members: readonly MemberWish[], counts: PartitionCounts) => Assignment;

/** In the order in which we prefer them. */
export const assignors: ReadonlyMap<string, Assignor> = new Map([
  ['range', range],
  ['roundrobin', roundRobin],
  ['cooperative-sticky', cooperativeSticky],
]);

/** Topic by topic, to each member a run of neighbours; the first get one more. */
function range(members: readonly MemberWish[], counts: PartitionCounts): Assignment {
  const given = nothingFor(members);
  for (const [topic, count] of counts) {
    const readers = members.filter(({ topics }) => topics.includes(topic)).toSorted(byName);
    const [each, more] = [Math.floor(count / readers.length), count % readers.length];
    let next = 0;
    for (const [index, { memberId }] of readers.entries())
      for (let left = each + (index < more ? 1 : 0); left > 0; left -= 1) {
        given.get(memberId)?.push({ topic, partition: next });
        next += 1;
      }
  }
  return given;
}

/** All partitions of all topics, one after the other, to one member after the other. */
function roundRobin(members: readonly MemberWish[], counts: PartitionCounts): Assignment {
  const given = nothingFor(members);
  const circle = members.toSorted(byName);
  let turn = 0;
  for (const one of partitionsOf(counts)) {
    const found = circle.findIndex((_, step) => circle[(turn + step) % circle.length]?.topics.includes(one.topic));
    if (found < 0) continue;
    given.get(circle[(turn + found) % circle.length]?.memberId ?? '')?.push(one);
    turn += found + 1;
  }
  return given;
}

/**
 * Everybody keeps what they own, the rest goes to who has least, and from who has more than another could take by two or more,
 * one moves. Once shares are as even as the wishes allow nothing moves any more. A partition that is to move is given to
 * nobody yet: its owner has to let go of it first, and joins again then (KIP-429).
 */
function cooperativeSticky(members: readonly MemberWish[], counts: PartitionCounts): Assignment {
  const owners = ownersOf(members, counts);
  const given = nothingFor(members);
  const sizeOf = ({ memberId }: MemberWish): number => given.get(memberId)?.length ?? 0;
  const bySize = (a: MemberWish, b: MemberWish): number => sizeOf(a) - sizeOf(b) || byName(a, b);
  const leastReaderOf = (topic: string): MemberWish | undefined =>
    members
      .filter(({ topics }) => topics.includes(topic))
      .reduce<MemberWish | undefined>((least, one) => (least === undefined || bySize(one, least) < 0 ? one : least), undefined);
  for (const one of partitionsOf(counts)) {
    const reader = owners.get(partitionKey(one)) ?? leastReaderOf(one.topic)?.memberId;
    if (reader !== undefined) given.get(reader)?.push(one);
  }
  /** One that evens the shares out; each makes them more even, so there is a last one. */
  const moveOne = (): boolean => {
    for (const from of members.toSorted(bySize).toReversed())
      for (const topic of new Set(given.get(from.memberId)?.map((one) => one.topic))) {
        const to = leastReaderOf(topic);
        if (to === undefined || sizeOf(from) - sizeOf(to) < 2) continue;
        const owned = given.get(from.memberId) ?? [];
        const [moved] = owned.splice(
          owned.findLastIndex((one) => one.topic === topic),
          1,
        );
        if (moved !== undefined) given.get(to.memberId)?.push(moved);
        return true;
      }
    return false;
  };
  while (moveOne());
  for (const [memberId, partitions] of given)
    given.set(
      memberId,
      partitions.filter((one) => (owners.get(partitionKey(one)) ?? memberId) === memberId),
    );
  return given;
}

/** Member ids by `partitionKey`. Of two that claim a partition the one of the later generation has it, and neither when there is none. */
function ownersOf(members: readonly MemberWish[], counts: PartitionCounts): ReadonlyMap<string, string> {
  const claims = new Map<string, { memberId: string | undefined; generation: number }>();
  for (const { memberId, owned, topics, generation } of members)
    for (const one of owned) {
      if (!topics.includes(one.topic) || one.partition >= (counts.get(one.topic) ?? 0)) continue;
      const key = partitionKey(one);
      const other = claims.get(key);
      if (other === undefined || generation > other.generation) claims.set(key, { memberId, generation });
      else if (generation === other.generation) claims.set(key, { memberId: undefined, generation });
    }
  return new Map([...claims].flatMap(([key, { memberId }]) => (memberId === undefined ? [] : [[key, memberId] as const])));
}

const nothingFor = (members: readonly MemberWish[]): Assignment => new Map(members.map(({ memberId }) => [memberId, []]));

/** By topic, then by number. */
const partitionsOf = (counts: PartitionCounts): TopicPartition[] =>
  [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => ({ topic, partition })));

/** Static members first and by their own names, so that a restart changes nothing. */
function byName(a: MemberWish, b: MemberWish): number {
  if ((a.instanceId === null) !== (b.instanceId === null)) return a.instanceId === null ? 1 : -1;
  return (a.instanceId ?? a.memberId) < (b.instanceId ?? b.memberId) ? -1 : 1;
}
