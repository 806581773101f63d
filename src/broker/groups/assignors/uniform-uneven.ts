// The uniform assignor for members whose subscriptions differ: everybody keeps what they may, what nobody owns goes to the least loaded
// subscriber, then partitions move from loaded to less loaded subscribers of a topic until no such move makes the loads more even.
// Exact where all subscribers of a topic subscribe to the same; where subscriptions only overlap, even topic by topic.
import { compareText, keepIfEqual, type Assignment, type AssignorInput } from './assignor.ts';

/** Each round over the topics about halves what is uneven; nearly always the second finds nothing to do. */
const MAX_ROUNDS = 16;
const NOBODY = -1;

interface SharedTopic {
  readonly topicId: string;
  /** Indexes of members, ascending. */
  readonly subscribers: number[];
  /** The member that owns each partition, by index. */
  readonly owners: Int32Array;
}

/** Partitions that each member owns, of all topics. */
type Loads = Int32Array;

export function assignUneven(input: AssignorInput): Assignment {
  const memberIds = [...input.members.keys()].sort(compareText);
  const topics = sharedTopics(input, memberIds);
  const loads = new Int32Array(memberIds.length);
  keepCurrent(input, memberIds, topics, loads);
  // Topics with the most partitions for each subscriber go first: those after them can still level out.
  const inOrder = [...topics.values()].sort(
    (left, right) =>
      right.owners.length / right.subscribers.length - left.owners.length / left.subscribers.length ||
      left.subscribers.length - right.subscribers.length ||
      compareText(left.topicId, right.topicId),
  );
  for (const topic of inOrder) giveUnowned(topic, loads);
  levelOut(
    inOrder.filter(({ subscribers }) => subscribers.length > 1),
    loads,
  );
  return sharesOf(input, memberIds, topics);
}

function sharedTopics({ members, topics }: AssignorInput, memberIds: readonly string[]): Map<string, SharedTopic> {
  const shared = new Map<string, SharedTopic>();
  for (const [index, memberId] of memberIds.entries()) {
    for (const topicId of members.get(memberId)?.subscribedTopicIds ?? []) {
      const known = shared.get(topicId);
      if (known !== undefined) known.subscribers.push(index);
      else {
        const owners = new Int32Array(topics.partitionCountOf(topicId) ?? 0).fill(NOBODY);
        shared.set(topicId, { topicId, subscribers: [index], owners });
      }
    }
  }
  return shared;
}

function keepCurrent(
  { members }: AssignorInput,
  memberIds: readonly string[],
  topics: ReadonlyMap<string, SharedTopic>,
  loads: Loads,
): void {
  for (const [index, memberId] of memberIds.entries()) {
    const { subscribedTopicIds, assigned } = members.get(memberId) ?? {};
    for (const [topicId, partitions] of assigned ?? []) {
      const topic = topics.get(topicId);
      if (topic === undefined || !subscribedTopicIds?.has(topicId)) continue;
      for (const partition of partitions) {
        if (topic.owners[partition] !== NOBODY) continue; // beyond the end, or another's
        assignTo(topic, partition, index, loads);
      }
    }
  }
}

function assignTo({ owners }: SharedTopic, partition: number, member: number, loads: Loads): void {
  const before = owners[partition] ?? NOBODY;
  if (before !== NOBODY) loads[before] = (loads[before] ?? 0) - 1;
  owners[partition] = member;
  loads[member] = (loads[member] ?? 0) + 1;
}

function giveUnowned(topic: SharedTopic, loads: Loads): void {
  let partition = topic.owners.indexOf(NOBODY);
  if (partition < 0) return;
  const takers = leastLoadedFirst(topic.subscribers, loads);
  for (; partition >= 0; partition = topic.owners.indexOf(NOBODY, partition + 1)) {
    const taker = takers.pop();
    assignTo(topic, partition, taker, loads);
    takers.push(taker);
  }
}

/** Ends after a whole round in which nothing moved. */
function levelOut(topics: readonly SharedTopic[], loads: Loads): void {
  let unmoved = 0;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const topic of topics) {
      unmoved = levelTopic(topic, loads) > 0 ? 0 : unmoved + 1;
      if (unmoved >= topics.length) return;
    }
  }
}

/** @returns how many partitions moved */
function levelTopic(topic: SharedTopic, loads: Loads): number {
  const { subscribers, owners } = topic;
  if (unevenness(subscribers, loads) <= 1) return 0;
  const owned = new Map<number, number[]>();
  for (const [partition, owner] of owners.entries()) {
    const partitions = owned.get(owner);
    if (partitions === undefined) owned.set(owner, [partition]);
    else partitions.push(partition);
  }
  const takers = leastLoadedFirst(subscribers, loads);
  // Only who owns partitions of this topic can give. Givers sink and takers rise until they meet: nobody is both before that.
  const givers = mostLoadedFirst([...owned.keys()], loads);
  for (let moved = 0; ; moved += 1) {
    if (givers.size === 0) return moved;
    const giver = givers.pop();
    const taker = takers.pop();
    if ((loads[giver] ?? 0) - (loads[taker] ?? 0) <= 1) return moved;
    const partition = owned.get(giver)?.pop();
    if (partition === undefined) return moved;
    assignTo(topic, partition, taker, loads);
    takers.push(taker);
    if (owned.get(giver)?.length) givers.push(giver);
  }
}

function unevenness(subscribers: readonly number[], loads: Loads): number {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const member of subscribers) {
    const load = loads[member] ?? 0;
    if (load < least) least = load;
    if (load > most) most = load;
  }
  return most - least;
}

function sharesOf({ members }: AssignorInput, memberIds: readonly string[], topics: ReadonlyMap<string, SharedTopic>): Assignment {
  const shares = memberIds.map(() => new Map<string, number[]>());
  for (const { topicId, owners } of topics.values()) {
    for (const [partition, owner] of owners.entries()) {
      const share = shares[owner];
      const partitions = share?.get(topicId);
      if (partitions !== undefined) partitions.push(partition);
      else share?.set(topicId, [partition]);
    }
  }
  return new Map(
    memberIds.map((memberId, index) => [
      memberId,
      keepIfEqual(members.get(memberId)?.assigned ?? new Map<string, readonly number[]>(), shares[index] ?? new Map<string, number[]>()),
    ]),
  );
}

const leastLoadedFirst = (members: readonly number[], loads: Loads): MemberHeap =>
  new MemberHeap(members, (left, right) => (loads[left] ?? 0) - (loads[right] ?? 0) || left - right);

const mostLoadedFirst = (members: readonly number[], loads: Loads): MemberHeap =>
  new MemberHeap(members, (left, right) => (loads[right] ?? 0) - (loads[left] ?? 0) || right - left);

/** A binary heap: the first by the order comes out first. Loads may change only of a member that is out. */
class MemberHeap {
  readonly #members: number[];
  readonly #order: (left: number, right: number) => number;

  constructor(members: readonly number[], order: (left: number, right: number) => number) {
    this.#members = [...members].sort(order);
    this.#order = order;
  }

  get size(): number {
    return this.#members.length;
  }

  /** May not be called when it is empty. */
  pop(): number {
    const first = this.#members[0] ?? NOBODY;
    const last = this.#members.pop() ?? NOBODY;
    if (this.#members.length > 0) this.#sink(last);
    return first;
  }

  push(member: number): void {
    let at = this.#members.push(member) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = this.#members[above] ?? NOBODY;
      if (this.#order(other, member) <= 0) break;
      this.#members[at] = other;
      at = above;
    }
    this.#members[at] = member;
  }

  /** Puts a member in the place of the first, and down to where it belongs. */
  #sink(member: number): void {
    const members = this.#members;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= members.length) break;
      if (below + 1 < members.length && this.#order(members[below + 1] ?? NOBODY, members[below] ?? NOBODY) < 0) below += 1;
      const other = members[below] ?? NOBODY;
      if (this.#order(member, other) <= 0) break;
      members[at] = other;
      at = below;
    }
    members[at] = member;
  }
}
