// Reading: ListOffsets, Fetch with and without sessions, OffsetForLeaderEpoch.
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import { buildRecordBatch } from '../../src/protocol/record-batch-records.ts';
import { compute, UNKNOWN_ID, TIME, key, versionsOf, field, create, production } from './asking.ts';
import type { Body, Duel, Party } from './duel.ts';

interface Read {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly maxBytes?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
}

const fetching = (party: Party, version: number, reads: readonly Read[], more: Body = {}): Body => ({
  maxWaitMs: 100,
  minBytes: 1,
  maxBytes: 1_000_000,
  isolationLevel: 0,
  ...more,
  topics: reads.map(
    ({ topic = 'read', partition = 0, offset = 0, maxBytes = 1_000_000, currentLeaderEpoch = -1, lastFetchedEpoch = -1 }) => ({
      topic: version < 13 ? topic : '',
      topicId: version < 13 ? ZERO_UUID : topic === 'nowhere' ? UNKNOWN_ID : (party.valueOf(`the id of ${topic}`) as string),
      partitions: [
        {
          partition,
          fetchOffset: offset,
          partitionMaxBytes: maxBytes,
          ...(version >= 9 && { currentLeaderEpoch }),
          ...(version >= 12 && { lastFetchedEpoch }),
        },
      ],
    }),
  ),
  forgottenTopicsData: more['forgottenTopicsData'] ?? [],
});

export async function reading(duel: Duel): Promise<void> {
  await create(duel, { name: 'read', partitions: 3 });
  await create(duel, { name: 'empty' });
  const times = [TIME, TIME + 10, TIME + 20, TIME + 5, TIME + 50, TIME + 50];
  for (const [partition, groups] of [
    [0, [[0, 1, 2], [3, 4], [5]]],
    [1, [[0], [1], [2], [3]]],
  ] as const)
    for (const group of groups) {
      const records = group.map((at) => ({
        timestamp: times[at] as number,
        key: Buffer.from(`k${at}`),
        value: Buffer.from(`value ${at} `.repeat(20)),
        headers: [],
      }));
      await duel.ask(key.produce, 11, 'fill', (party) => production(party, 11, 'read', partition, buildRecordBatch(compute, records)));
    }
  for (const version of versionsOf(key.listOffsets)) {
    const ask = (
      what: string,
      timestamp: number,
      options: { topic?: string; partition?: number; epoch?: number; isolationLevel?: number } = {},
    ): Promise<unknown> =>
      duel.ask(key.listOffsets, version, what, {
        replicaId: -1,
        isolationLevel: options.isolationLevel ?? 0,
        topics: [
          {
            name: options.topic ?? 'read',
            partitions: [
              { partitionIndex: options.partition ?? 0, ...(version >= 4 && { currentLeaderEpoch: options.epoch ?? -1 }), timestamp },
            ],
          },
        ],
        timeoutMs: 0,
      });
    for (const timestamp of [
      -1,
      -2,
      -3,
      -4,
      -5,
      -6,
      -7,
      0,
      TIME - 1,
      TIME,
      TIME + 1,
      TIME + 11,
      TIME + 50,
      TIME + 51,
      Number.MAX_SAFE_INTEGER,
    ]) {
      await ask(`at ${timestamp > 0 ? timestamp - TIME : timestamp}`, timestamp);
      await ask(`at ${timestamp > 0 ? timestamp - TIME : timestamp} in the empty`, timestamp, { topic: 'empty' });
    }
    if (version >= 2) await ask('the latest, committed', -1, { isolationLevel: 1 });
    await ask('a topic that is not there', -1, { topic: 'nowhere' });
    await ask('a partition that is not there', -1, { partition: 9 });
    if (version >= 4) for (const epoch of [0, 1]) await ask(`in epoch ${epoch}`, -1, { epoch });
    await duel.ask(key.listOffsets, version, 'a partition twice', {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 'read', partitions: [0, 0].map((partitionIndex) => ({ partitionIndex, timestamp: -1 })) }],
      timeoutMs: 0,
    });
  }
  for (const version of versionsOf(key.fetch)) {
    const ask = (what: string, reads: readonly Read[], more: Body = {}): Promise<unknown> =>
      duel.ask(key.fetch, version, what, (party) => fetching(party, version, reads, more), { ignore: ['sessionId', 'nodeEndpoints'] });
    for (const offset of [0, 1, 2, 3, 4, 5]) await ask(`from ${offset}`, [{ offset }]);
    for (const offset of [6, 7, -1, -2, Number.MAX_SAFE_INTEGER]) await ask(`from ${offset}`, [{ offset }], { maxWaitMs: 10 });
    await ask('a topic that is not there', [{ topic: 'nowhere' }]);
    await ask('a partition that is not there', [{ partition: 9 }]);
    await ask('some', [{}, { partition: 1 }, { partition: 2 }, { topic: 'empty' }]);
    for (const maxBytes of [0, 1, 300, 700]) {
      await ask(`at most ${maxBytes} of each`, [{ maxBytes }, { partition: 1, maxBytes }]);
      await ask(`at most ${maxBytes}`, [{}, { partition: 1 }], { maxBytes });
    }
    await ask('committed', [{}], { isolationLevel: 1 });
    await ask('the end, committed', [{ offset: 6 }], { isolationLevel: 1, maxWaitMs: 10 });
    if (version >= 9) for (const currentLeaderEpoch of [0, 1]) await ask(`in epoch ${currentLeaderEpoch}`, [{ currentLeaderEpoch }]);
    if (version >= 12)
      for (const [lastFetchedEpoch, offset] of [
        [0, 3],
        [0, 6],
        [1, 3],
      ] as const)
        await ask(`after epoch ${lastFetchedEpoch}`, [{ lastFetchedEpoch, offset }], { maxWaitMs: 10 });
    await ask('a partition twice', [{}, { offset: 3 }]);
    if (version >= 7) await sessions(duel, version);
  }
  for (const version of versionsOf(key.offsetForLeaderEpoch)) {
    const ask = (
      what: string,
      asked: { topic?: string; partition?: number; leaderEpoch: number; currentLeaderEpoch?: number },
    ): Promise<unknown> =>
      duel.ask(key.offsetForLeaderEpoch, version, what, {
        ...(version >= 3 && { replicaId: -1 }),
        topics: [
          {
            topic: asked.topic ?? 'read',
            partitions: [
              { partition: asked.partition ?? 0, currentLeaderEpoch: asked.currentLeaderEpoch ?? -1, leaderEpoch: asked.leaderEpoch },
            ],
          },
        ],
      });
    for (const leaderEpoch of [-1, 0, 1, 5]) {
      await ask(`epoch ${leaderEpoch}`, { leaderEpoch });
      await ask(`epoch ${leaderEpoch} of the empty`, { leaderEpoch, topic: 'empty' });
    }
    for (const currentLeaderEpoch of [0, 1]) await ask(`in epoch ${currentLeaderEpoch}`, { leaderEpoch: 0, currentLeaderEpoch });
    await ask('a topic that is not there', { leaderEpoch: 0, topic: 'nowhere' });
    await ask('a partition that is not there', { leaderEpoch: 0, partition: 9 });
  }
}

async function sessions(duel: Duel, version: number): Promise<void> {
  const ids = new Map<Party, number>();
  const ask = async (what: string, reads: readonly Read[], sessionEpoch: number, more: Body = {}): Promise<void> => {
    const body = (party: Party): Body =>
      fetching(party, version, reads, { maxWaitMs: 10, sessionId: ids.get(party) ?? 0, sessionEpoch, ...more });
    const { ours, kafka } = await duel.ask(key.fetch, version, `session: ${what}`, body, { ignore: ['sessionId', 'nodeEndpoints'] });
    for (const [party, answer] of [
      [duel.ours, ours],
      [duel.kafka, kafka],
    ] as const) {
      const id = field(answer, 'sessionId');
      if (sessionEpoch === 0 && typeof id === 'number') ids.set(party, id);
    }
  };
  await ask('opened', [{ offset: 5 }, { partition: 1, offset: 4 }], 0);
  await ask('nothing new', [{ offset: 6 }], 1);
  await ask('a partition more', [{ partition: 2 }], 2);
  await ask('read again', [{ offset: 5 }], 3);
  const forgotten = (party: Party): Body => ({
    topic: version < 13 ? 'read' : '',
    topicId: version < 13 ? ZERO_UUID : party.valueOf('the id of read'),
    partitions: [0],
  });
  const forget = (party: Party): Body =>
    fetching(party, version, [], {
      maxWaitMs: 10,
      sessionId: ids.get(party) ?? 0,
      sessionEpoch: 4,
      forgottenTopicsData: [forgotten(party)],
    });
  await duel.ask(key.fetch, version, 'session: forgotten', forget, { ignore: ['sessionId', 'nodeEndpoints'] });
  await ask('a partition that is not there', [{ partition: 9 }], 5);
  await ask('it again', [], 6);
  await ask('a wrong epoch', [], 17);
  await ask('closed', [], -1);
  await ask('gone', [], 8);
}
