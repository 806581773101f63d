// Topics: Metadata, CreateTopics, CreatePartitions, DeleteTopics, DescribeTopicPartitions.
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import { UNKNOWN_ID, key, versionsOf, type NewTopic, creation, create, metadataBody } from './asking.ts';
import type { Body, Duel } from './duel.ts';

export async function topics(duel: Duel): Promise<void> {
  await create(duel, { name: 'alpha', partitions: 3 });
  await create(duel, { name: 'beta.x', partitions: 1, configs: { 'cleanup.policy': 'compact' } });
  for (const version of versionsOf(key.metadata)) {
    const creates = version < 4 ? { allowAutoTopicCreation: true } : {};
    const ask = (what: string, topics: readonly { name?: string | null; topicId?: string }[] | null, more: Body = {}): Promise<unknown> =>
      duel.ask(key.metadata, version, what, metadataBody(topics, { ...creates, ...more }));
    if (version > 0) await ask('all', null);
    await ask('an empty list', []);
    await ask('known', [{ name: 'alpha' }, { name: 'beta.x' }]);
    await ask('twice', [{ name: 'alpha' }, { name: 'alpha' }]);
    if (version >= 4) await ask('unknown', [{ name: 'nowhere' }]);
    for (const name of ['', '.', '..', 'a b', 'x'.repeat(250)]) await ask(`the name ${name.slice(0, 10)}`, [{ name }]);
    if (version >= 8)
      await ask('operations', [{ name: 'alpha' }], {
        includeTopicAuthorizedOperations: true,
        ...(version <= 10 && { includeClusterAuthorizedOperations: true }),
      });
    if (version >= 10) {
      await duel.ask(key.metadata, version, 'by id', (party) => metadataBody([{ topicId: party.valueOf('the id of alpha') as string }]));
      await ask('by an unknown id', [{ topicId: UNKNOWN_ID }]);
      await ask('neither name nor id', [{}]);
      await duel.ask(key.metadata, version, 'by name and id', (party) =>
        metadataBody([{ name: 'alpha', topicId: party.valueOf('the id of alpha') as string }]),
      );
    }
  }
  for (const version of versionsOf(key.createTopics)) {
    const ask = (
      what: string,
      topics: readonly NewTopic[],
      options: { validateOnly?: boolean; ignore?: string[] } = {},
    ): Promise<unknown> =>
      duel.ask(key.createTopics, version, what, creation(topics, options.validateOnly ?? true), {
        ignore: ['topicId', ...(options.ignore ?? [])],
      });
    const good = { ignore: ['configs'] };
    await ask('a good one', [{ name: 'good', partitions: 2 }], good);
    await ask('the defaults', [{ name: 'good', partitions: -1, replicas: -1 }], good);
    await ask('an existing one', [{ name: 'alpha' }]);
    await ask('a colliding one', [{ name: 'beta_x' }]);
    await ask('a name given twice', [{ name: 'twin' }, { name: 'twin' }, { name: 'other' }], good);
    for (const name of ['', '.', '..', 'a b', 'a/b', '../x', 'x'.repeat(249), 'x'.repeat(250)])
      await ask(`the name ${name.slice(0, 10)}`, [{ name }], good);
    for (const partitions of [0, -2]) await ask(`${partitions} partitions`, [{ name: 'none', partitions }]);
    for (const replicas of [0, -2, 2]) await ask(`${replicas} replicas`, [{ name: 'none', replicas }]);
    await ask(
      'an assignment',
      [
        {
          name: 'placed',
          assignments: [
            [0, [1]],
            [1, [1]],
          ],
        },
      ],
      good,
    );
    await ask('an assignment with a gap', [
      {
        name: 'placed',
        assignments: [
          [0, [1]],
          [2, [1]],
        ],
      },
    ]);
    await ask('an assignment to nobody', [{ name: 'placed', assignments: [[0, [9]]] }]);
    await ask('an empty assignment', [{ name: 'placed', assignments: [[0, []]] }]);
    await ask('an assignment twice to the same', [{ name: 'placed', assignments: [[0, [1, 1]]] }]);
    await ask('a partition assigned twice', [
      {
        name: 'placed',
        assignments: [
          [0, [1]],
          [0, [1]],
        ],
      },
    ]);
    await ask('an assignment and a number', [{ name: 'placed', partitions: 1, assignments: [[0, [1]]] }]);
    await ask('a config', [{ name: 'set', configs: { 'retention.ms': '5000' } }], good);
    for (const configs of [
      { nonsense: '1' },
      { 'retention.ms': 'soon' },
      { 'retention.ms': '-2' },
      { 'retention.ms': null },
      { 'cleanup.policy': 'burn' },
      { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' },
    ])
      await ask(`the config ${JSON.stringify(configs)}`, [{ name: 'set', configs }]);
    await duel.ask(key.createTopics, version, 'no topics', creation([]));
  }
  for (const version of versionsOf(key.createPartitions)) {
    const ask = (
      what: string,
      asked: readonly { name: string; count: number; assignments?: readonly (readonly number[])[] }[],
    ): Promise<unknown> =>
      duel.ask(key.createPartitions, version, what, {
        topics: asked.map(({ name, count, assignments }) => ({
          name,
          count,
          assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
        })),
        timeoutMs: 5000,
        validateOnly: true,
      });
    await ask('more', [{ name: 'alpha', count: 5 }]);
    for (const count of [3, 2, 0, -1]) await ask(`to ${count}`, [{ name: 'alpha', count }]);
    await ask('of a topic that is not there', [{ name: 'nowhere', count: 5 }]);
    await ask('twice', [
      { name: 'alpha', count: 5 },
      { name: 'alpha', count: 6 },
    ]);
    await ask('placed', [{ name: 'alpha', count: 5, assignments: [[1], [1]] }]);
    await ask('placed, too few', [{ name: 'alpha', count: 5, assignments: [[1]] }]);
    await ask('placed at nobody', [{ name: 'alpha', count: 4, assignments: [[7]] }]);
    await ask('placed, none', [{ name: 'alpha', count: 4, assignments: [] }]);
  }
  for (const version of versionsOf(key.deleteTopics)) {
    if (version < 6) {
      await duel.ask(key.deleteTopics, version, 'unknown and twice', {
        topics: [],
        topicNames: ['nowhere', 'none', 'none', ''],
        timeoutMs: 5000,
      });
      continue;
    }
    const ask = (what: string, topics: readonly Body[]): Promise<unknown> =>
      duel.ask(key.deleteTopics, version, what, { topics, topicNames: [], timeoutMs: 5000 });
    await ask('unknown', [{ name: 'nowhere', topicId: ZERO_UUID }]);
    await ask('unknown id', [{ name: null, topicId: UNKNOWN_ID }]);
    await ask('twice', [
      { name: 'none', topicId: ZERO_UUID },
      { name: 'none', topicId: ZERO_UUID },
    ]);
    await ask('neither', [{ name: null, topicId: ZERO_UUID }]);
    await ask('both', [{ name: 'none', topicId: UNKNOWN_ID }]);
  }
  await describeTopicPartitions(duel);
}

async function describeTopicPartitions(duel: Duel): Promise<void> {
  const ask = (
    what: string,
    names: readonly string[],
    limit: number,
    cursor: { topicName: string; partitionIndex: number } | null = null,
  ): Promise<unknown> =>
    duel.ask(key.describeTopicPartitions, 0, what, { topics: names.map((name) => ({ name })), responsePartitionLimit: limit, cursor });
  await ask('all', [], 2000);
  await ask('some', ['beta.x', 'alpha', 'alpha', 'nowhere', 'a b'], 2000);
  for (const limit of [-1, 0, 1, 2, 3, 4, 5]) await ask(`at most ${limit}`, [], limit);
  for (const limit of [1, 2, 3]) await ask(`at most ${limit} of some`, ['alpha', 'beta.x', 'nowhere'], limit);
  for (const [topicName, partitionIndex] of [
    ['alpha', 0],
    ['alpha', 2],
    ['alpha', 3],
    ['alpha', 99],
    ['alpha', -1],
    ['beta.x', 0],
    ['aaa', 0],
    ['zzz', 0],
    ['b', 1],
    ['', 0],
  ] as const) {
    await ask(`from ${topicName} ${partitionIndex}`, [], 2, { topicName, partitionIndex });
    await ask(`from ${topicName} ${partitionIndex} of some`, ['alpha', 'beta.x'], 2, { topicName, partitionIndex });
  }
}
