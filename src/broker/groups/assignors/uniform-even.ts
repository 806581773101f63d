// The uniform assignor for members that all subscribe to the same topics: shares differ by one partition at most, and no partition
// moves that need not. One walk over the current target decides who keeps what, one over what is left fills up who has too little.
import { compareText, keepIfEqual, type Assignment, type AssignorInput, type MemberAssignment } from './assignor.ts';

interface Share {
  readonly memberId: string;
  readonly kept: Map<string, number[]>;
  readonly current: MemberAssignment;
  /** Partitions it may still take. */
  room: number;
}

export function assignEvenly(input: AssignorInput): Assignment {
  const owned = unownedTopics(input);
  const total = [...owned.values()].reduce((sum, { length }) => sum + length, 0);
  const shares = keepWithinQuota(input, owned, total);
  giveTheRest(shares, owned);
  return new Map(shares.map(({ memberId, kept, current }) => [memberId, keepIfEqual(current, kept)]));
}

/** For each topic, in the order of their ids, a byte for each partition: 1 once it is owned. */
function unownedTopics({ members, topics }: AssignorInput): Map<string, Uint8Array> {
  const [any] = members.values();
  const owned = new Map<string, Uint8Array>();
  for (const topicId of [...(any?.subscribedTopicIds ?? [])].sort(compareText)) {
    const count = topics.partitionCountOf(topicId);
    if (count !== undefined) owned.set(topicId, new Uint8Array(count));
  }
  return owned;
}

/**
 * Every member keeps what it has up to its quota. Where the partitions do not divide, `extras` members may have one more: the first
 * that have it already, and only if too few have, the last of all.
 */
function keepWithinQuota({ members }: AssignorInput, owned: ReadonlyMap<string, Uint8Array>, total: number): Share[] {
  const quota = Math.floor(total / members.size);
  let extras = total % members.size;
  return [...members]
    .sort(([left], [right]) => compareText(left, right))
    .map(([memberId, { assigned: current }], index) => {
      const mayHaveExtra = extras > 0;
      const share: Share = { memberId, current, kept: new Map(), room: quota + (mayHaveExtra ? 1 : 0) };
      keep(share, owned);
      const mustHaveExtra = members.size - index <= extras;
      if (mayHaveExtra && (share.room === 0 || mustHaveExtra)) extras -= 1;
      else if (mayHaveExtra) share.room -= 1;
      return share;
    });
}

function keep(share: Share, owned: ReadonlyMap<string, Uint8Array>): void {
  for (const [topicId, partitions] of [...share.current].sort(([left], [right]) => compareText(left, right))) {
    const taken = owned.get(topicId);
    if (taken === undefined) continue; // not subscribed to any more, or gone
    const kept: number[] = [];
    for (const partition of partitions) {
      if (share.room === 0) break;
      if (taken[partition] !== 0) continue; // beyond the end, or another's
      taken[partition] = 1;
      kept.push(partition);
      share.room -= 1;
    }
    if (kept.length > 0) share.kept.set(topicId, kept);
  }
}

function giveTheRest(shares: readonly Share[], owned: ReadonlyMap<string, Uint8Array>): void {
  const hungry = shares.filter(({ room }) => room > 0).values();
  let share = hungry.next().value;
  for (const [topicId, taken] of owned) {
    for (let partition = taken.indexOf(0); partition >= 0; partition = taken.indexOf(0, partition + 1)) {
      while (share !== undefined && share.room === 0) {
        sortGiven(share);
        share = hungry.next().value;
      }
      if (share === undefined) return; // nobody is there: the quotas add up to the total otherwise
      const given = share.kept.get(topicId);
      if (given === undefined) share.kept.set(topicId, [partition]);
      else given.push(partition);
      share.room -= 1;
    }
  }
  if (share !== undefined) sortGiven(share);
}

function sortGiven({ kept }: Share): void {
  for (const partitions of kept.values()) partitions.sort((left, right) => left - right);
}
