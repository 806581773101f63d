import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Assignment, Assignor, AssignorInput, AssignorMember, MemberAssignment } from './assignor.ts';
import { rangeAssignor, uniformAssignor } from './assignors.ts';

// --- groups, written down and generated

interface Group {
  /** Topic -> count of partitions. */
  topics: Record<string, number>;
  /** Member id -> topics. */
  members: Record<string, readonly string[]>;
  instances?: Record<string, string>;
}

const nothing: MemberAssignment = new Map();
const noRacks: ReadonlySet<string> = new Set();

/** What the assignor is asked when the group is this and the last target was that. */
function inputOf({ topics, members, instances = {} }: Group, last: Assignment = new Map()): AssignorInput {
  return {
    topics: { partitionCountOf: (topicId) => topics[topicId], racksOf: () => noRacks },
    members: new Map(
      Object.entries(members).map(([memberId, subscribed]): [string, AssignorMember] => [
        memberId,
        {
          subscribedTopicIds: new Set(subscribed),
          instanceId: instances[memberId] ?? null,
          rackId: null,
          assigned: last.get(memberId) ?? nothing,
        },
      ]),
    ),
  };
}

const plain = (assignment: Assignment): Record<string, Record<string, readonly number[]>> =>
  Object.fromEntries([...assignment].map(([memberId, share]) => [memberId, Object.fromEntries(share)]));

const written = (shares: Record<string, Record<string, number[]>>): Assignment =>
  new Map(Object.entries(shares).map(([memberId, share]) => [memberId, new Map(Object.entries(share))]));

const sizeOf = (share: MemberAssignment | undefined): number => [...(share ?? [])].reduce((sum, [, { length }]) => sum + length, 0);

function ownersOf(assignment: Assignment): Map<string, string> {
  const owners = new Map<string, string>();
  for (const [memberId, share] of assignment) {
    for (const [topicId, partitions] of share) {
      for (const partition of partitions) {
        assert.ok(!owners.has(`${topicId}:${partition}`), `${topicId}:${partition} is owned twice`);
        owners.set(`${topicId}:${partition}`, memberId);
      }
    }
  }
  return owners;
}

/** Partitions of which another is the owner now. */
function movesBetween(before: Assignment, after: Assignment): string[] {
  const now = ownersOf(after);
  return [...ownersOf(before)]
    .filter(([partition, owner]) => now.has(partition) && now.get(partition) !== owner)
    .map(([partition]) => partition);
}

function assertWhole(group: Group, assignment: Assignment): void {
  const owners = ownersOf(assignment);
  const expected = new Set<string>();
  for (const topics of Object.values(group.members))
    for (const topic of topics) for (let at = 0; at < (group.topics[topic] ?? 0); at += 1) expected.add(`${topic}:${at}`);
  assert.deepEqual(new Set(owners.keys()), expected, 'every partition of a subscribed topic, and no other');
  for (const [partition, memberId] of owners)
    assert.ok(group.members[memberId]?.includes(partition.split(':')[0] ?? ''), 'only subscribers own');
  assert.deepEqual([...assignment.keys()].sort(), Object.keys(group.members).sort(), 'every member has an entry');
  for (const share of assignment.values())
    for (const partitions of share.values()) {
      assert.ok(partitions.length > 0);
      assert.deepEqual(
        partitions,
        [...partitions].sort((left, right) => left - right),
      );
    }
}

const topicNames = ['A', 'B', 'C', 'D', 'E'];
const topicsOf = fc
  .tuple(...topicNames.map(() => fc.integer({ min: 1, max: 12 })))
  .map((counts) => Object.fromEntries(topicNames.map((name, at) => [name, counts[at] ?? 1])));
const memberIds = fc.uniqueArray(
  fc.integer({ min: 0, max: 99 }).map((number) => `member-${number}`),
  { minLength: 1, maxLength: 9 },
);
const subscription = fc.subarray(topicNames, { minLength: 1 });
const evenGroup = fc
  .record({ topics: topicsOf, ids: memberIds, subscribed: subscription })
  .map(({ topics, ids, subscribed }): Group => ({ topics, members: Object.fromEntries(ids.map((id) => [id, subscribed])) }));
const unevenGroup = fc
  .record({ topics: topicsOf, ids: memberIds, subscribed: fc.array(fc.subarray(topicNames), { minLength: 9, maxLength: 9 }) })
  .map(({ topics, ids, subscribed }): Group => ({ topics, members: Object.fromEntries(ids.map((id, at) => [id, subscribed[at] ?? []])) }));
/** One group, and what it has become. */
const history = (groups: fc.Arbitrary<Group>) => fc.array(groups, { minLength: 1, maxLength: 4 });
const fixed = { seed: 848, numRuns: 300 };

function check<T>(arbitrary: fc.Arbitrary<T>, look: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, look), fixed);
}

const assignTo = (assignor: Assignor, groups: readonly Group[]): Assignment =>
  groups.reduce<Assignment>((last, group) => assignor.assign(inputOf(group, last)), new Map());

function lastOf<T>(items: readonly T[]): T {
  const last = items.at(-1);
  assert.ok(last !== undefined);
  return last;
}

// --- what holds for both

for (const assignor of [uniformAssignor, rangeAssignor]) {
  test(`${assignor.name}: every partition of a subscribed topic has one owner, a subscriber, whatever the last target was`, () => {
    check(history(fc.oneof(evenGroup, unevenGroup)), (groups) => assertWhole(lastOf(groups), assignTo(assignor, groups)));
  });

  test(`${assignor.name}: when nothing has changed nothing changes, and members get the very maps they had`, () => {
    check(history(fc.oneof(evenGroup, unevenGroup)), (groups) => {
      const before = assignTo(assignor, groups);
      const after = assignor.assign(inputOf(lastOf(groups), before));
      for (const [memberId, share] of before) assert.equal(after.get(memberId), share);
    });
  });

  test(`${assignor.name}: the order in which members, topics and targets are told does not matter`, () => {
    check(history(fc.oneof(evenGroup, unevenGroup)), (groups) => {
      const last = assignTo(assignor, groups);
      const turned = new Map([...last].reverse().map(([id, share]) => [id, new Map([...share].reverse())] as const));
      const group = lastOf(groups);
      const next: Group = { ...group, topics: { ...group.topics, A: 13, B: 1 } };
      const backwards: Group = {
        ...next,
        members: Object.fromEntries(
          Object.entries(next.members)
            .reverse()
            .map(([id, topics]) => [id, topics.toReversed()]),
        ),
      };
      assert.deepEqual(plain(assignor.assign(inputOf(backwards, turned))), plain(assignor.assign(inputOf(next, last))));
    });
  });

  test(`${assignor.name}: without members, subscriptions or topics nothing is assigned`, () => {
    assert.deepEqual(plain(assignor.assign(inputOf({ topics: { A: 3 }, members: {} }))), {});
    assert.deepEqual(plain(assignor.assign(inputOf({ topics: { A: 3 }, members: { anna: [] } }))), { anna: {} });
    const gone = { topics: {}, members: { anna: ['A'], bert: ['A', 'B'] } };
    assert.deepEqual(plain(assignor.assign(inputOf(gone, written({ anna: { A: [0] }, bert: { B: [1] } })))), { anna: {}, bert: {} });
  });

  test(`${assignor.name}: a last target that names partitions twice, or that are not there, is no reason to assign any twice`, () => {
    const last = written({ anna: { A: [0, 1, 7] }, bert: { A: [0, 1], B: [0] } });
    for (const members of [
      { anna: ['A'], bert: ['A'] },
      { anna: ['A'], bert: ['A', 'B'] },
    ]) {
      const group: Group = { topics: { A: 3, B: 1 }, members };
      assertWhole(group, assignor.assign(inputOf(group, last)));
    }
  });
}

// --- uniform

test('uniform: with equal subscriptions shares differ by one partition at most', () => {
  check(history(evenGroup), (groups) => {
    const sizes = [...assignTo(uniformAssignor, groups).values()].map(sizeOf);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join(' '));
  });
});

test('uniform: with equal subscriptions only those partitions move that balance asks for', () => {
  check(fc.tuple(history(evenGroup), evenGroup), ([groups, { members }]) => {
    const before = assignTo(uniformAssignor, groups);
    // Other members, the same topics: what a member has beyond its new quota has to go, and nothing else.
    const { topics, members: old } = lastOf(groups);
    const subscribed = Object.values(old)[0] ?? [];
    const group: Group = { topics, members: Object.fromEntries(Object.keys(members).map((id) => [id, subscribed])) };
    const after = uniformAssignor.assign(inputOf(group, before));
    const total = subscribed.reduce((sum, topic) => sum + (topics[topic] ?? 0), 0);
    const count = Object.keys(members).length;
    const quota = Math.floor(total / count);
    const staying = Object.keys(members).map((id) => sizeOf(before.get(id)));
    const mayKeepOneMore = Math.min(total % count, staying.filter((size) => size > quota).length);
    const mustGo = staying.reduce((sum, size) => sum + Math.max(0, size - quota), 0) - mayKeepOneMore;
    const moved = movesBetween(before, after).filter((partition) => (ownersOf(before).get(partition) ?? '') in members);
    assert.equal(moved.length, mustGo);
  });
});

test('uniform: when a member leaves only what it owned moves', () => {
  check(history(evenGroup), (groups) => {
    const { topics, members } = lastOf(groups);
    const before = assignTo(uniformAssignor, groups);
    const [leaving, ...staying] = Object.keys(members);
    const after = uniformAssignor.assign(
      inputOf({ topics, members: Object.fromEntries(staying.map((id) => [id, members[id] ?? []])) }, before),
    );
    for (const partition of movesBetween(before, after)) assert.equal(ownersOf(before).get(partition), leaving);
  });
});

test('uniform: when a member joins it takes its share, and nothing moves between the others', () => {
  check(history(evenGroup), (groups) => {
    const { topics, members } = lastOf(groups);
    const before = assignTo(uniformAssignor, groups);
    const group: Group = { topics, members: { ...members, another: Object.values(members)[0] ?? [] } };
    const after = uniformAssignor.assign(inputOf(group, before));
    assert.equal(movesBetween(before, after).length, sizeOf(after.get('another')));
  });
});

test('uniform: with different subscriptions no partition could move to even out the subscribers of its topic', () => {
  check(history(unevenGroup), (groups) => {
    const { members } = lastOf(groups);
    const after = assignTo(uniformAssignor, groups);
    for (const [partition, owner] of ownersOf(after)) {
      const topic = partition.split(':')[0] ?? '';
      for (const [other, subscribed] of Object.entries(members))
        if (subscribed.includes(topic))
          assert.ok(sizeOf(after.get(owner)) - sizeOf(after.get(other)) <= 1, `${partition} of ${owner}, not ${other}`);
    }
  });
});

test('uniform: with different subscriptions everybody keeps what is balanced already', () => {
  const group: Group = { topics: { A: 4, B: 3 }, members: { anna: ['A'], bert: ['A', 'B'], carl: ['B'] } };
  const last = written({ anna: { A: [0, 3] }, bert: { A: [1, 2] }, carl: { B: [0, 1, 2] } });
  assert.deepEqual(plain(uniformAssignor.assign(inputOf(group, last))), {
    anna: { A: [0, 3] },
    bert: { A: [1, 2] },
    carl: { B: [0, 1, 2] },
  });
});

test('uniform: a new group is filled member by member, topic by topic', () => {
  const group: Group = { topics: { A: 3, B: 2 }, members: { anna: ['A', 'B'], bert: ['A', 'B'] } };
  assert.deepEqual(plain(uniformAssignor.assign(inputOf(group))), { anna: { A: [0, 1] }, bert: { A: [2], B: [0, 1] } });
});

test('uniform: partitions that a topic grows by go to who has least, and nobody gives anything up', () => {
  const last = written({ anna: { A: [0, 1] }, bert: { A: [2] } });
  assert.deepEqual(plain(uniformAssignor.assign(inputOf({ topics: { A: 6 }, members: { anna: ['A'], bert: ['A'] } }, last))), {
    anna: { A: [0, 1, 3] },
    bert: { A: [2, 4, 5] },
  });
});

// --- range

test('range: a topic is cut into contiguous ranges in the order of its subscribers, the first of them one longer', () => {
  const group: Group = { topics: { A: 5, B: 1 }, members: { bert: ['A', 'B'], anna: ['A', 'B'], carl: ['A', 'B'] } };
  assert.deepEqual(plain(rangeAssignor.assign(inputOf(group))), { anna: { A: [0, 1], B: [0] }, bert: { A: [2, 3] }, carl: { A: [4] } });
});

test('range: topics of one size are co-partitioned between equal members', () => {
  check(fc.tuple(evenGroup, fc.integer({ min: 1, max: 20 })), ([{ members }, count]) => {
    const topics = Object.fromEntries(topicNames.map((name) => [name, count]));
    for (const share of rangeAssignor.assign(inputOf({ topics, members })).values())
      for (const partitions of share.values()) assert.deepEqual(partitions, share.values().next().value);
  });
});

test('range: for each topic shares are contiguous and differ by one at most', () => {
  check(unevenGroup, (group) => {
    const assignment = rangeAssignor.assign(inputOf(group));
    for (const topic of topicNames) {
      const shares = Object.entries(group.members)
        .filter(([, subscribed]) => subscribed.includes(topic))
        .map(([id]) => assignment.get(id)?.get(topic) ?? []);
      if (shares.length === 0) continue;
      for (const share of shares) if (share.length > 0) assert.equal(lastOf(share) - (share[0] ?? 0), share.length - 1);
      const sizes = shares.map(({ length }) => length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }
  });
});

test('range: static members come first, by instance id, and keep their ranges under new member ids', () => {
  const topics = { A: 4 };
  const before = rangeAssignor.assign(inputOf({ topics, members: { x: ['A'], y: ['A'], a: ['A'] }, instances: { x: 'two', y: 'one' } }));
  assert.deepEqual(plain(before), { y: { A: [0, 1] }, x: { A: [2] }, a: { A: [3] } });
  const after = rangeAssignor.assign(
    inputOf({ topics, members: { a: ['A'], p: ['A'], q: ['A'] }, instances: { p: 'one', q: 'two' } }, before),
  );
  assert.deepEqual(plain(after), { p: { A: [0, 1] }, q: { A: [2] }, a: { A: [3] } });
});

test('a thousand members and ten thousand partitions are assigned in well under a second', () => {
  const topics = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`topic-${at}`, 100]));
  const all = Object.keys(topics);
  const even: Group = { topics, members: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`member-${at}`, all])) };
  const uneven: Group = {
    topics,
    members: Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`member-${at}`, all.slice(at % 10, 21 + (at % 80))])),
  };
  for (const assignor of [uniformAssignor, rangeAssignor]) {
    for (const group of [even, uneven]) {
      const before = process.cpuUsage();
      const first = assignor.assign(inputOf(group));
      const fewer = { topics, members: Object.fromEntries(Object.entries(group.members).slice(1)) };
      const second = assignor.assign(inputOf(fewer, first));
      const spentMs = process.cpuUsage(before).user / 1000;
      assert.ok(spentMs < 2000, `${assignor.name}: ${spentMs} ms for two assignments`);
      assert.equal(ownersOf(second).size, 10_000);
      if (process.env['SHOW_FIGURES'] !== undefined) console.log(assignor.name, group === even ? 'equal' : 'different', spentMs / 2, 'ms');
    }
  }
});
