import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNameOf, KafkaError } from '../../protocol/errors.ts';
import { ZERO_UUID } from '../../protocol/reader.ts';
import { encodeGroupRecord } from './group-records.ts';
import { GroupHarness, type Outcome } from './group-harness.testing.ts';
import { commitOffsets, deleteGroup, deleteOffsets, expireOffsets, fetchOffsets } from './offset-steps.ts';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAABQ';
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAABg';
const DAY = 24 * 3_600_000;

interface CommitOptions {
  readonly groupId?: string;
  readonly memberId?: string;
  readonly groupInstanceId?: string | null;
  readonly generationId?: number;
  readonly retentionTimeMs?: number;
  readonly version?: number;
  readonly topicId?: string;
  readonly metadata?: string | null;
  readonly leaderEpoch?: number;
}

function outcomeOf(run: () => number[][]): Outcome {
  try {
    return errorNameOf(run()[0]?.[0] ?? -1);
  } catch (thrown) {
    if (thrown instanceof KafkaError) return thrown.errorName;
    throw thrown;
  }
}

const commit = (harness: GroupHarness, offset: number, options: CommitOptions = {}): Outcome =>
  outcomeOf(() =>
    harness.run((step, state) =>
      commitOffsets(
        state,
        {
          groupId: options.groupId ?? harness.groupId,
          memberId: options.memberId ?? '',
          groupInstanceId: options.groupInstanceId ?? null,
          generationId: options.generationId ?? -1,
          retentionTimeMs: options.retentionTimeMs ?? -1,
          knowsGroupIdNotFound: (options.version ?? 9) >= 9,
          knowsMemberEpochs: (options.version ?? 9) >= 9,
          topics: [
            {
              name: 'orders',
              topicId: options.topicId ?? TOPIC_ID,
              partitions: [
                {
                  partitionIndex: 0,
                  committedOffset: offset,
                  committedLeaderEpoch: options.leaderEpoch ?? -1,
                  committedMetadata: options.metadata === undefined ? '' : options.metadata,
                },
              ],
            },
          ],
        },
        step,
      ),
    ),
  );

const fetched = (harness: GroupHarness, { groupId = harness.groupId, topicId = TOPIC_ID, requireStable = false } = {}) =>
  fetchOffsets(harness.state, groupId, [{ name: 'orders', topicId, partitionIndexes: [0] }], requireStable)[0]?.partitions[0];

const expireAll = (harness: GroupHarness): void => {
  for (const group of harness.state.groups.values()) harness.run((step, state) => expireOffsets(state, group, step));
};

test('without a generation offsets are committed only while the group is empty', () => {
  const harness = new GroupHarness();
  assert.equal(commit(harness, 1), 'NONE');
  assert.equal(commit(harness, 1, { groupId: 'nobody joined this' }), 'NONE');
  harness.form(1);
  assert.equal(commit(harness, 2), 'UNKNOWN_MEMBER_ID');
  assert.equal(fetched(harness)?.committedOffset, 1);
});

test('a member commits in its own name and generation', () => {
  const harness = new GroupHarness();
  const [anna] = harness.form(1) as [string];
  assert.equal(commit(harness, 5, { memberId: anna, generationId: 1 }), 'NONE');
  assert.equal(commit(harness, 6, { memberId: anna, generationId: 2 }), 'ILLEGAL_GENERATION');
  assert.equal(commit(harness, 6, { memberId: anna }), 'ILLEGAL_GENERATION');
  assert.equal(commit(harness, 6, { memberId: 'bert', generationId: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(commit(harness, 6, { memberId: anna, generationId: 1, groupInstanceId: 'i1' }), 'UNKNOWN_MEMBER_ID');
  assert.equal(fetched(harness)?.committedOffset, 5);
});

test('commits are taken while the group prepares to rebalance, and refused while it completes one', () => {
  const harness = new GroupHarness();
  const [anna, bert] = harness.form(2) as [string, string];
  const other = { protocols: [{ name: 'range', metadata: Buffer.from('other') }] };
  harness.join(bert, other);
  assert.equal(harness.group.state, 'PreparingRebalance');
  assert.equal(commit(harness, 5, { memberId: anna, generationId: 1 }), 'NONE');
  harness.join(anna);
  assert.equal(harness.group.state, 'CompletingRebalance');
  assert.equal(commit(harness, 6, { memberId: anna, generationId: 2 }), 'REBALANCE_IN_PROGRESS');
});

test('a generation of a group that is not there is called illegal, and from version 9 on the group is called missing', () => {
  const harness = new GroupHarness();
  assert.equal(commit(harness, 1, { groupId: 'other', generationId: 3, version: 8 }), 'ILLEGAL_GENERATION');
  assert.equal(commit(harness, 1, { groupId: 'other', generationId: 3, version: 9 }), 'GROUP_ID_NOT_FOUND');
});

test('metadata and leader epoch come back as they were given, and metadata is never null', () => {
  const harness = new GroupHarness();
  commit(harness, 7, { metadata: 'half way', leaderEpoch: 3 });
  assert.deepEqual(fetched(harness), {
    partitionIndex: 0,
    committedOffset: 7,
    committedLeaderEpoch: 3,
    metadata: 'half way',
    errorCode: 0,
  });
  commit(harness, 8, { metadata: null });
  assert.equal(fetched(harness)?.metadata, '');
  harness.restart();
  assert.equal(fetched(harness)?.committedOffset, 8);
});

test('metadata that is too long is refused for its partition', () => {
  const harness = new GroupHarness({ 'offset.metadata.max.bytes': '10' });
  assert.equal(commit(harness, 1, { metadata: '12345678901' }), 'OFFSET_METADATA_TOO_LARGE');
  assert.equal(commit(harness, 1, { metadata: '1234567890' }), 'NONE');
});

test('what was never committed is offset -1 without an error', () => {
  const harness = new GroupHarness();
  assert.deepEqual(fetched(harness), { partitionIndex: 0, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 });
  assert.equal(fetched(harness, { groupId: 'unknown' })?.committedOffset, -1);
});

test('an offset of a topic that was removed says nothing about a new one of the same name', () => {
  const harness = new GroupHarness();
  commit(harness, 5);
  assert.equal(fetched(harness, { topicId: OTHER_ID })?.committedOffset, -1);
  assert.equal(fetched(harness, { topicId: ZERO_UUID })?.committedOffset, 5);
  commit(harness, 1, { topicId: OTHER_ID });
  assert.equal(fetched(harness, { topicId: OTHER_ID })?.committedOffset, 1);
  assert.equal(fetched(harness, { topicId: TOPIC_ID })?.committedOffset, -1);
  assert.equal(harness.state.offsets.count, 1);
});

test('the session of a member does not run while its commit waits for the disk', () => {
  const harness = new GroupHarness();
  const [anna] = harness.form(1) as [string];
  harness.slowDown();
  commit(harness, 5, { memberId: anna, generationId: 1 });
  harness.advance(60_000);
  assert.deepEqual(harness.memberIds, [anna]);
  harness.written();
  harness.advance(9_999);
  assert.deepEqual(harness.memberIds, [anna]);
});

// --- expiry (KIP-211)

test('offsets go seven days after their group became empty, however old they are', () => {
  const harness = new GroupHarness();
  const [anna] = harness.form(1, { sessionTimeoutMs: 3_600_000 }) as [string];
  commit(harness, 5, { memberId: anna, generationId: 1 });
  for (let day = 0; day < 10; day += 1) {
    for (let part = 0; part < 48; part += 1) {
      harness.advance(DAY / 48);
      harness.heartbeat(anna);
    }
    expireAll(harness);
  }
  // This harness has no subscription that can be read, so its topics count as in use.
  assert.equal(fetched(harness)?.committedOffset, 5);
  harness.leave({ memberId: anna, groupInstanceId: null });
  harness.advance(7 * DAY - 1);
  expireAll(harness);
  assert.equal(fetched(harness)?.committedOffset, 5);
  harness.advance(1);
  expireAll(harness);
  assert.equal(fetched(harness)?.committedOffset, -1);
  assert.equal(harness.state.find(harness.groupId), undefined, 'an empty group without offsets goes too');
  harness.restart();
  assert.equal(harness.state.groups.size, 0);
});

test('offsets of a group that nobody joins go seven days after their commit', () => {
  const harness = new GroupHarness();
  commit(harness, 5, { groupId: 'alone' });
  harness.advance(6 * DAY);
  expireAll(harness);
  assert.equal(fetched(harness, { groupId: 'alone' })?.committedOffset, 5);
  harness.advance(DAY);
  expireAll(harness);
  assert.equal(harness.state.find('alone'), undefined);
});

test('offsets of a topic that a stable group does not read any more go seven days after their commit', () => {
  const harness = new GroupHarness();
  commit(harness, 5);
  // Version 0: one topic, `other`, and no user data.
  const subscription = Buffer.from('\0\0\0\0\0\u0001\0\u0005other\u00ff\u00ff\u00ff\u00ff', 'latin1');
  const [anna] = harness.form(1, { sessionTimeoutMs: 1_800_000, protocols: [{ name: 'range', metadata: subscription }] }) as [string];
  for (let left = 7 * 96; left > 0; left -= 1) {
    harness.advance(DAY / 96);
    harness.heartbeat(anna);
  }
  expireAll(harness);
  assert.equal(fetched(harness)?.committedOffset, -1);
  assert.equal(harness.group.state, 'Stable');
});

test('an old client sets the time of its offsets itself', () => {
  const harness = new GroupHarness();
  commit(harness, 5, { retentionTimeMs: 1000 });
  harness.restart();
  harness.advance(999);
  expireAll(harness);
  assert.equal(fetched(harness)?.committedOffset, 5);
  harness.advance(1);
  expireAll(harness);
  assert.equal(fetched(harness)?.committedOffset, -1);
});

// --- deleting

const remove = (harness: GroupHarness): Outcome =>
  outcomeOf(() => harness.run((step, state) => deleteOffsets(state, harness.groupId, [{ name: 'orders', partitions: [0] }], step)));

test('offsets are deleted unless the group reads their topic', () => {
  const harness = new GroupHarness();
  commit(harness, 5);
  assert.equal(remove(harness), 'NONE');
  assert.equal(fetched(harness)?.committedOffset, -1);
  harness.form(1);
  assert.equal(remove(harness), 'GROUP_SUBSCRIBED_TO_TOPIC', 'its subscription cannot be read');
});

test('offsets of a group of another kind of client are deleted only while it is empty', () => {
  const harness = new GroupHarness();
  harness.form(1, { protocolType: 'connect' });
  assert.equal(remove(harness), 'NON_EMPTY_GROUP');
});

test('a group is deleted with its offsets once it is empty', () => {
  const harness = new GroupHarness();
  commit(harness, 5);
  const [anna] = harness.form(1) as [string];
  const drop = (): void => harness.run((step, state) => deleteGroup(state, harness.groupId, step));
  assert.throws(drop, { errorName: 'NON_EMPTY_GROUP' });
  harness.leave({ memberId: anna, groupInstanceId: null });
  drop();
  assert.equal(harness.state.find(harness.groupId), undefined);
  assert.equal(fetched(harness)?.committedOffset, -1);
  assert.throws(drop, { errorName: 'GROUP_ID_NOT_FOUND' });
  harness.restart();
  assert.equal(harness.state.groups.size, 0);
});

// --- offsets in transactions, as a log of Kafka may hold them

const staged = (harness: GroupHarness, offset: number, recordOffset: number): void =>
  harness.state.apply(
    {
      type: 'OffsetCommit',
      key: { group: harness.groupId, topic: 'orders', partition: 0 },
      value: { offset, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1, topicId: ZERO_UUID },
    },
    { offset: recordOffset, producerId: 9 },
  );

test('offsets of an open transaction are not seen, and who wants stable ones is told to wait', () => {
  const harness = new GroupHarness();
  commit(harness, 5);
  staged(harness, 9, 100);
  assert.equal(fetched(harness)?.committedOffset, 5);
  assert.equal(errorNameOf(fetched(harness, { requireStable: true })?.errorCode ?? 0), 'UNSTABLE_OFFSET_COMMIT');
  harness.state.offsets.endTransaction(9, 'abort');
  assert.equal(fetched(harness, { requireStable: true })?.committedOffset, 5);
  staged(harness, 9, 101);
  harness.state.offsets.endTransaction(9, 'commit');
  assert.equal(fetched(harness, { requireStable: true })?.committedOffset, 9);
});

test('of a transaction and a later plain commit the later record counts, whenever the transaction ends', () => {
  const harness = new GroupHarness();
  staged(harness, 9, -1);
  commit(harness, 5);
  harness.state.offsets.endTransaction(9, 'commit');
  assert.equal(fetched(harness)?.committedOffset, 5);
});

test('offsets staged by an open transaction neither expire nor let their group go', () => {
  const harness = new GroupHarness();
  commit(harness, 5);
  staged(harness, 9, 100);
  harness.advance(30 * DAY);
  expireAll(harness);
  assert.equal(fetched(harness)?.committedOffset, 5);
});

// --- the bytes, as Kafka 4.2 writes them

//  key:   | type int16 | group: length int16, text | topic likewise | partition int32 |
//  value: | version int16 | offset int64 | leader epoch int32 (3+) | metadata | commit timestamp int64 | expiry int64 (1) | tags (4+) |
test('records are those of Kafka, byte for byte', () => {
  const key = { group: 'g', topic: 't', partition: 1 };
  const value = { offset: 5, leaderEpoch: 2, metadata: 'm', commitTimestamp: 1000, expireTimestamp: -1, topicId: ZERO_UUID };
  const hex = ({ key, value }: { key: Buffer; value: Buffer | null }): [string, string | undefined] => [
    key.toString('hex'),
    value?.toString('hex'),
  ];
  assert.deepEqual(hex(encodeGroupRecord({ type: 'OffsetCommit', key, value })), [
    '000100016700017400000001',
    '0004000000000000000500000002026d00000000000003e800',
  ]);
  assert.deepEqual(hex(encodeGroupRecord({ type: 'OffsetCommit', key, value: { ...value, expireTimestamp: 2000 } })), [
    '000100016700017400000001',
    '0001000000000000000500016d00000000000003e800000000000007d0',
  ]);
  assert.deepEqual(hex(encodeGroupRecord({ type: 'GroupMetadata', key: { group: 'g' }, value: null })), ['0002000167', undefined]);
});
