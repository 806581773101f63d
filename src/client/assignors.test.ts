import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SeededRandom } from '../base/memory/random.ts';
import { assignors, type MemberWish } from './assignors.ts';
import { partitionKey, type TopicPartition } from './list-offsets.ts';

const member = (memberId: string, topics: readonly string[], more: Partial<MemberWish> = {}): MemberWish => ({
  memberId,
  instanceId: null,
  topics,
  owned: [],
  generation: -1,
  ...more,
});

const partitions = (...keys: string[]): TopicPartition[] =>
  keys.map((key) => ({ topic: key.split('/')[0] ?? '', partition: Number(key.split('/')[1]) }));

function assign(name: string, members: readonly MemberWish[], counts: Record<string, number>): Record<string, string> {
  const given = assignors.get(name)?.(members, new Map(Object.entries(counts)));
  assert.ok(given);
  return Object.fromEntries([...given].map(([memberId, ones]) => [memberId, ones.map(partitionKey).join(' ')]));
}

suite('sharing out partitions', () => {
  test('range gives neighbours, topic by topic, and the first members one more', () => {
    assert.deepEqual(assign('range', [member('b', ['t', 'u']), member('a', ['t']), member('c', ['t', 'u'])], { t: 4, u: 1 }), {
      b: 't/2 u/0',
      a: 't/0 t/1',
      c: 't/3',
    });
    assert.deepEqual(assign('range', [member('z', ['t'], { instanceId: 'first' }), member('a', ['t'])], { t: 1 }), { z: 't/0', a: '' });
  });

  test('roundrobin deals all partitions around, past members that do not want a topic', () => {
    assert.deepEqual(assign('roundrobin', [member('a', ['t', 'u']), member('b', ['u'])], { t: 2, u: 3 }), {
      a: 't/0 t/1 u/1',
      b: 'u/0 u/2',
    });
  });

  test('cooperative-sticky lets everybody keep their share, and gives nobody what another has not let go of', () => {
    const anna = member('a', ['t'], { owned: partitions('t/0', 't/1', 't/2', 't/3'), generation: 3 });
    const bert = member('b', ['t']);
    assert.deepEqual(assign('cooperative-sticky', [anna, bert], { t: 4 }), { a: 't/0 t/1', b: '' });
    const later = member('a', ['t'], { owned: partitions('t/0', 't/1'), generation: 4 });
    assert.deepEqual(assign('cooperative-sticky', [later, bert], { t: 4 }), { a: 't/0 t/1', b: 't/2 t/3' });
  });

  test('of two that claim the same partition, the one of the later generation has it', () => {
    const stale = member('a', ['t'], { owned: partitions('t/0'), generation: 3 });
    const owner = member('b', ['t'], { owned: partitions('t/0'), generation: 4 });
    assert.deepEqual(assign('cooperative-sticky', [stale, owner], { t: 2 }), { a: 't/1', b: 't/0' });
  });

  test('every partition that somebody wants has one owner at last, and shares are even where all want the same', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = new SeededRandom(seed);
      const below = (most: number): number => Math.floor(random.next() * most);
      const topics = ['t', 'u', 'v'].slice(0, 1 + below(3));
      const counts = Object.fromEntries(topics.map((topic) => [topic, below(9)]));
      const alike = below(2) === 0;
      const name = [...assignors.keys()][below(3)] ?? 'range';
      let members = Array.from({ length: 1 + below(6) }, (_, index) =>
        member(`m${index}`, alike ? topics : topics.filter(() => below(3) > 0), { generation: 1 }),
      );
      let given: Record<string, string> = {};
      // Round after round, with members that own what they were given, until nothing moves.
      for (let round = 0; round < 12; round += 1) {
        given = assign(name, members, counts);
        members = members.map((one) => ({ ...one, owned: partitions(...(given[one.memberId] ?? '').split(' ').filter(Boolean)) }));
        if (round === 1 && name === 'cooperative-sticky' && members.length > 2) members = members.slice(1);
      }
      const wanted = Object.entries(counts).flatMap(([topic, count]) =>
        members.some((one) => one.topics.includes(topic)) ? Array.from({ length: count }, (_, index) => `${topic}/${index}`) : [],
      );
      const dealt = Object.values(given).flatMap((text) => text.split(' ').filter(Boolean));
      assert.deepEqual(dealt.toSorted(), wanted.toSorted(), `seed ${seed}`);
      const sizes = Object.values(given).map((text) => text.split(' ').filter(Boolean).length);
      if (alike && name !== 'range') assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `seed ${seed}: ${sizes.join(' ')}`);
    }
  });
});
