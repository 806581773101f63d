import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../protocol/errors.ts';
import type { FetchRequest } from '../protocol/messages/fetch.ts';
import type { ListOffsetsRequest } from '../protocol/messages/list-offsets.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { buildRecordBatch } from '../protocol/record-batch-records.ts';
import { encodeAssignment } from '../protocol/consumer-protocol.ts';
import { FakeWorld, metadataOf } from './fake-broker.testing.ts';
import { measureGroups, type GroupLag } from './group-lag.ts';

/** Each partition of `t`: where its log begins and ends, and what the group has committed. */
interface Partition {
  readonly start: number;
  readonly end: number;
  readonly committed?: number;
  readonly assigned?: boolean;
  /** First offsets of batches of one record, written so many ms ago; gaps are what compaction leaves. */
  readonly records?: Readonly<Record<number, number>>;
}

async function measure(partitions: readonly Partition[], { gone = false } = {}): Promise<GroupLag> {
  const world = new FakeWorld();
  const nowMs = world.clock.wallMs();
  await world.broker({
    port: 1,
    answers: {
      Metadata: () => metadataOf([1], gone ? [] : [{ name: 't', leaders: partitions.map(() => 1) }]),
      FindCoordinator: () => ({
        throttleTimeMs: 0,
        errorCode: 0,
        errorMessage: null,
        nodeId: 0,
        host: '',
        port: 0,
        coordinators: [{ key: 'g', nodeId: 1, host: 'localhost', port: 1, errorCode: 0, errorMessage: null }],
      }),
      ConsumerGroupDescribe: () => ({
        throttleTimeMs: 0,
        groups: [{ errorCode: 69, groupId: 'g', groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }],
      }),
      DescribeGroups: () => ({
        throttleTimeMs: 0,
        groups: [
          {
            errorCode: 0,
            groupId: 'g',
            groupState: 'Stable',
            protocolType: 'consumer',
            protocolData: 'range',
            members: [
              {
                memberId: 'm',
                clientId: 'c',
                clientHost: '/h',
                memberMetadata: Buffer.alloc(0),
                memberAssignment: encodeAssignment([
                  { topic: 't', partitions: partitions.flatMap(({ assigned }, index) => (assigned === true ? index : [])) },
                ]),
              },
            ],
          },
        ],
      }),
      OffsetFetch: () => ({
        throttleTimeMs: 0,
        topics: [],
        groups: [
          {
            groupId: 'g',
            topics: [
              {
                name: 't',
                topicId: ZERO_UUID,
                partitions: partitions.map(({ committed = -1 }, partitionIndex) => ({
                  partitionIndex,
                  committedOffset: committed,
                  metadata: 'note',
                  errorCode: 0,
                })),
              },
            ],
          },
        ],
      }),
      ListOffsets: ({ topics }: ListOffsetsRequest) => ({
        throttleTimeMs: 0,
        topics: topics.map(({ name, partitions: asked }) => ({
          name,
          partitions: asked.map(({ partitionIndex, timestamp }) => ({
            partitionIndex,
            errorCode: 0,
            offset: partitions[partitionIndex]?.[timestamp === -1 ? 'end' : 'start'],
          })),
        })),
      }),
      // As a broker that has room for one partition in each answer.
      Fetch: ({ topics }: FetchRequest) => ({
        throttleTimeMs: 0,
        errorCode: 0,
        sessionId: 0,
        responses: topics.map(({ topic, partitions: asked }) => ({
          topic,
          topicId: ZERO_UUID,
          partitions: asked.map(({ partition, fetchOffset }, index) => ({
            partitionIndex: partition,
            errorCode: 0,
            highWatermark: 0,
            abortedTransactions: null,
            divergingEpoch: {},
            currentLeader: {},
            snapshotId: {},
            records: index === 0 ? oneBatch(partitions[partition]?.records ?? {}, fetchOffset) : Buffer.alloc(0),
          })),
        })),
      }),
    },
  });
  const oneBatch = (records: Readonly<Record<number, number>>, from: number): Buffer => {
    const next = Object.entries(records).find(([offset]) => Number(offset) >= from);
    if (next === undefined) return Buffer.alloc(0);
    const record = { timestamp: nowMs - next[1], value: Buffer.from('x') };
    return buildRecordBatch(world.compute, [record], { baseOffset: Number(next[0]) });
  };
  const cluster = await world.cluster({ ports: [1] });
  const measured = (await measureGroups(cluster, ['g'], { times: { compute: world.compute } })).get('g');
  assert.ok(measured !== undefined && !(measured instanceof KafkaError));
  return measured;
}

const lags = ({ partitions }: GroupLag) => partitions.map(({ committedOffset, lag, lagTimeMs }) => [committedOffset, lag, lagTimeMs]);

test('lag is what lies between the committed offset and the end, and as old as its first record', async () => {
  const group = await measure([
    { start: 0, end: 10, committed: 4, records: { 4: 9_000, 5: 1_000 } },
    { start: 0, end: 10, committed: 10 },
    { start: 0, end: 10, committed: 9, records: { 9: 50 } },
  ]);
  assert.deepEqual(lags(group), [
    [4, 6, 9_000],
    [10, 0, 0],
    [9, 1, 50],
  ]);
  assert.deepEqual([group.lag, group.lagTimeMs], [7, 9_000]);
});

test('where nothing is committed all that is there is lag, and partitions that nobody reads are left out', async () => {
  const group = await measure([
    { start: 3, end: 10, assigned: true, records: { 3: 700 } },
    { start: 0, end: 5 },
  ]);
  assert.deepEqual(lags(group), [[undefined, 7, 700]]);
  assert.deepEqual([group.lag, group.lagTimeMs, group.partitions[0]?.member?.memberId], [7, 700, 'm']);
});

test('records that are deleted by now are not behind anybody', async () => {
  const group = await measure([{ start: 8, end: 10, committed: 2, records: { 8: 300 } }]);
  assert.deepEqual(lags(group), [[2, 2, 300]]);
});

test('compaction may have taken the record at the offset: the next one counts; where there is none, no time does', async () => {
  const group = await measure([
    { start: 0, end: 10, committed: 4, records: { 2: 9_000, 7: 400 } },
    { start: 0, end: 10, committed: 4, records: { 1: 9_000 } },
  ]);
  assert.deepEqual(lags(group), [
    [4, 6, 400],
    [4, 6, undefined],
  ]);
  assert.equal(group.lagTimeMs, 400);
});

test('a topic that is gone leaves what was committed, and no lag', async () => {
  const group = await measure([{ start: 0, end: 10, committed: 4 }], { gone: true });
  assert.deepEqual(lags(group), [[4, undefined, undefined]]);
  assert.deepEqual([group.lag, group.lagTimeMs], [0, undefined]);
});
