import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { kafkaErrors, KafkaError, type ErrorName } from '../protocol/errors.ts';
import type { FindCoordinatorRequest } from '../protocol/messages/find-coordinator.ts';
import type { OffsetFetchRequest } from '../protocol/messages/offset-fetch.ts';
import { ZERO_UUID } from '../protocol/reader.ts';
import { commitOffsets, deleteOffsets, fetchCommitted } from './committed-offsets.ts';
import { encodeAssignment } from '../protocol/consumer-protocol.ts';
import { FakeWorld, metadataOf, TIMEOUT_MS, type Answers, type AskedRequest } from './fake-broker.testing.ts';
import { deleteGroups, describeGroups, listGroups } from './groups.ts';

const code = (name: ErrorName): number => kafkaErrors[name][0];

/** Broker n listens at localhost:n and keeps the groups whose names end in n. */
const findCoordinator = (request: FindCoordinatorRequest, { version }: AskedRequest): unknown => {
  const tell = (key: string) => ({
    key,
    nodeId: Number(key.at(-1)),
    host: 'localhost',
    port: Number(key.at(-1)),
    errorCode: 0,
    errorMessage: null,
  });
  const one = version < 4 ? tell(request.key) : { errorCode: 0, errorMessage: null, nodeId: 0, host: '', port: 0 };
  return { throttleTimeMs: 0, ...one, coordinators: request.coordinatorKeys.map(tell) };
};

const classic = (groupId: string, more: object = {}) => ({
  errorCode: 0,
  errorMessage: null,
  groupId,
  groupState: 'Stable',
  protocolType: 'consumer',
  protocolData: 'range',
  members: [
    {
      memberId: 'm',
      groupInstanceId: null,
      clientId: 'c',
      clientHost: '/127.0.0.1',
      memberMetadata: Buffer.alloc(0),
      memberAssignment: encodeAssignment([{ topic: 't', partitions: [1, 0] }]),
    },
  ],
  authorizedOperations: 0,
  ...more,
});

const consumer = (groupId: string, error?: ErrorName) => ({
  errorCode: error === undefined ? 0 : code(error),
  errorMessage: null,
  groupId,
  groupState: 'Reconciling',
  groupEpoch: 7,
  assignmentEpoch: 6,
  assignorName: 'uniform',
  members:
    error === undefined
      ? [
          {
            memberId: 'm',
            instanceId: 'i',
            rackId: 'r',
            memberEpoch: 6,
            clientId: 'c',
            clientHost: '/::1',
            subscribedTopicNames: ['t'],
            subscribedTopicRegex: null,
            assignment: { topicPartitions: [{ topicId: ZERO_UUID, topicName: 't', partitions: [0] }] },
            targetAssignment: { topicPartitions: [] },
            memberType: 1,
          },
        ]
      : [],
  authorizedOperations: 0,
});

interface Served {
  readonly ports?: readonly number[];
  readonly ranges?: Readonly<Record<string, readonly [number, number]>>;
  readonly answers: Answers;
}

async function worldOf({ ports = [1], ranges, answers }: Served) {
  const world = new FakeWorld();
  const all = {
    Metadata: () => metadataOf(ports, [{ name: 't', leaders: [1, 1] }]),
    FindCoordinator: findCoordinator as never,
    ...answers,
  };
  for (const port of ports) await world.broker({ port, answers: all, ...(ranges && { ranges }) });
  return { world, cluster: await world.cluster({ ports }) };
}

const errorOf = (outcome: unknown): string => (outcome instanceof KafkaError ? outcome.errorName : 'no error');

suite('describing groups', () => {
  test('each is asked for as a consumer group first, and as a classic one where there is none', async () => {
    const { world, cluster } = await worldOf({
      ports: [1, 2],
      answers: {
        ConsumerGroupDescribe: ({ groupIds }: { groupIds: string[] }) => ({
          throttleTimeMs: 0,
          groups: groupIds.map((groupId) => consumer(groupId, groupId.startsWith('new') ? undefined : 'GROUP_ID_NOT_FOUND')),
        }),
        DescribeGroups: ({ groups }: { groups: string[] }) => ({
          throttleTimeMs: 0,
          groups: groups.map((groupId) =>
            classic(groupId, groupId.startsWith('gone') ? { errorCode: 69, groupState: 'Dead', members: [] } : {}),
          ),
        }),
      },
    });
    const described = await describeGroups(cluster, ['new-1', 'old-1', 'gone-2']);
    assert.deepEqual(
      world.askedApis
        .split(' ')
        .filter((api) => api.includes('Describe'))
        .toSorted(),
      ['ConsumerGroupDescribe', 'ConsumerGroupDescribe', 'DescribeGroups', 'DescribeGroups'],
    );
    assert.deepEqual([...described.keys()], ['new-1', 'old-1', 'gone-2']);
    const shared = { memberId: 'm', clientId: 'c' };
    assert.deepEqual(described.get('new-1'), {
      groupId: 'new-1',
      type: 'consumer',
      state: 'Reconciling',
      protocolType: 'consumer',
      assignor: 'uniform',
      coordinator: 1,
      epoch: 7,
      assignmentEpoch: 6,
      members: [
        {
          ...shared,
          instanceId: 'i',
          host: '/::1',
          rackId: 'r',
          epoch: 6,
          assignment: [{ topic: 't', partitions: [0] }],
          targetAssignment: [],
        },
      ],
    });
    assert.deepEqual(described.get('old-1'), {
      groupId: 'old-1',
      type: 'classic',
      state: 'Stable',
      protocolType: 'consumer',
      assignor: 'range',
      coordinator: 1,
      epoch: undefined,
      assignmentEpoch: undefined,
      members: [
        {
          ...shared,
          instanceId: null,
          host: '/127.0.0.1',
          rackId: null,
          epoch: undefined,
          assignment: [{ topic: 't', partitions: [1, 0] }],
          targetAssignment: undefined,
        },
      ],
    });
    assert.equal(errorOf(described.get('gone-2')), 'GROUP_ID_NOT_FOUND');
  });

  test('a broker without consumer groups is asked for classic ones alone, and one that calls a missing group Dead is understood', async () => {
    const { world, cluster } = await worldOf({
      ranges: { ApiVersions: [0, 4], Metadata: [0, 9], FindCoordinator: [0, 3], DescribeGroups: [0, 4] },
      answers: {
        DescribeGroups: ({ groups }: { groups: string[] }) => ({
          throttleTimeMs: 0,
          groups: groups.map((groupId) => classic(groupId, groupId === 'dead-1' ? { groupState: 'Dead', members: [] } : {})),
        }),
      },
    });
    const described = await describeGroups(cluster, ['old-1', 'dead-1']);
    assert.equal(errorOf(described.get('dead-1')), 'GROUP_ID_NOT_FOUND');
    const old = described.get('old-1');
    assert.ok(old !== undefined && !(old instanceof KafkaError) && old.state === 'Stable');
    assert.equal(world.askedApis, 'FindCoordinator FindCoordinator Metadata DescribeGroups');
  });

  test('an assignment that is none of ours, or that cannot be read, is nobody’s', async () => {
    const [member] = classic('a-1').members;
    const { cluster } = await worldOf({
      answers: {
        ConsumerGroupDescribe: ({ groupIds }: { groupIds: string[] }) => ({
          throttleTimeMs: 0,
          groups: groupIds.map((groupId) => consumer(groupId, 'UNSUPPORTED_VERSION')),
        }),
        DescribeGroups: () => ({
          throttleTimeMs: 0,
          groups: [
            classic('connect-1', { protocolType: 'connect' }),
            classic('odd-1', { members: [{ ...member, memberAssignment: Buffer.from([0, 1, 9]) }] }),
          ],
        }),
      },
    });
    const described = await describeGroups(cluster, ['connect-1', 'odd-1']);
    for (const group of described.values())
      assert.deepEqual(group instanceof KafkaError ? group : group.members.map(({ assignment }) => assignment), [[]]);
  });
});

suite('asking coordinators', () => {
  test('one that has moved is found again, and one that still loads is waited for', async () => {
    let asked = 0;
    const answers = ['NOT_COORDINATOR', 'COORDINATOR_LOAD_IN_PROGRESS', undefined] as const;
    const { world, cluster } = await worldOf({
      answers: {
        DeleteGroups: ({ groupsNames }: { groupsNames: string[] }) => {
          const error = answers[asked];
          asked += 1;
          return {
            throttleTimeMs: 0,
            results: groupsNames.map((groupId) => ({
              groupId,
              errorCode: groupId === 'busy-1' ? code('NON_EMPTY_GROUP') : error === undefined ? 0 : code(error),
            })),
          };
        },
      },
    });
    const outcomes = await world.clock.until(deleteGroups(cluster, ['a-1', 'busy-1']));
    assert.deepEqual(
      [...outcomes.values()].map((outcome) => (outcome === 'deleted' ? outcome : errorOf(outcome))),
      ['deleted', 'NON_EMPTY_GROUP'],
    );
    assert.equal(asked, 3);
    assert.equal(world.asked.filter(({ api }) => api === 'FindCoordinator').length, 3);
  });

  test('a coordinator that is not there is waited for no longer than the timeout, and each group knows why', async () => {
    const { world, cluster } = await worldOf({
      answers: {
        FindCoordinator: ({ coordinatorKeys }: FindCoordinatorRequest) => ({
          throttleTimeMs: 0,
          errorCode: 0,
          errorMessage: null,
          nodeId: 0,
          host: '',
          port: 0,
          coordinators: coordinatorKeys.map((key) => ({ key, nodeId: -1, host: '', port: -1, errorCode: 15, errorMessage: 'not yet' })),
        }),
      },
    });
    const outcomes = await world.clock.until(deleteGroups(cluster, ['a-1']));
    assert.equal(errorOf(outcomes.get('a-1')), 'COORDINATOR_NOT_AVAILABLE');
    assert.ok(world.clock.monotonicMs() <= TIMEOUT_MS);
  });

  test('groups of all brokers are listed together, filtered here where a broker cannot', async () => {
    const { cluster } = await worldOf({
      ports: [1, 2],
      ranges: { ApiVersions: [0, 4], Metadata: [0, 9], ListGroups: [0, 4] },
      answers: {
        ListGroups: (_body: never, { port }: AskedRequest) => ({
          throttleTimeMs: 0,
          errorCode: 0,
          groups: [{ groupId: `g${3 - port}`, protocolType: 'consumer', groupState: port === 1 ? 'Stable' : 'Empty', groupType: '' }],
        }),
      },
    });
    const listed = await listGroups(cluster);
    assert.deepEqual(
      listed.map(({ groupId, state, type, coordinator }) => [groupId, state, type, coordinator]),
      [
        ['g1', 'Empty', undefined, 2],
        ['g2', 'Stable', undefined, 1],
      ],
    );
    assert.deepEqual(
      (await listGroups(cluster, { states: ['empty'] })).map(({ groupId }) => groupId),
      ['g1'],
    );
    assert.deepEqual(await listGroups(cluster, { types: ['consumer'] }), []);
  });
});

suite('committed offsets', () => {
  const partition = (partitionIndex: number, committedOffset: number) => ({
    partitionIndex,
    committedOffset,
    committedLeaderEpoch: -1,
    metadata: 'note',
    errorCode: 0,
  });

  test('of many groups are fetched at once, or one by one from a broker that cannot', async () => {
    for (const [last, requests] of [
      [9, 1],
      [7, 2],
    ] as const) {
      const { world, cluster } = await worldOf({
        ranges: { ApiVersions: [0, 4], Metadata: [0, 9], FindCoordinator: [0, 4], OffsetFetch: [1, last] },
        answers: {
          OffsetFetch: ({ groups }: OffsetFetchRequest) => {
            const topics = [{ name: 't', topicId: ZERO_UUID, partitions: [partition(1, 5), partition(0, -1), partition(2, 0)] }];
            return {
              throttleTimeMs: 0,
              topics: groups.length > 0 ? [] : topics,
              errorCode: 0,
              groups: groups.map(({ groupId }) => ({
                groupId,
                topics,
                errorCode: groupId === 'b-1' ? code('GROUP_AUTHORIZATION_FAILED') : 0,
              })),
            };
          },
        },
      });
      const committed = await fetchCommitted(cluster, ['a-1', 'b-1']);
      const shared = { topic: 't', leaderEpoch: -1, metadata: 'note' };
      assert.deepEqual(committed.get('a-1'), [
        { ...shared, partition: 1, offset: 5 },
        { ...shared, partition: 2, offset: 0 },
      ]);
      assert.equal(errorOf(committed.get('b-1')), last === 9 ? 'GROUP_AUTHORIZATION_FAILED' : 'no error');
      assert.equal(world.asked.filter(({ api }) => api === 'OffsetFetch').length, requests);
    }
  });

  test('are written as nobody in particular, and again where the coordinator has moved', async () => {
    const bodies: unknown[] = [];
    const { world, cluster } = await worldOf({
      answers: {
        OffsetCommit: (body: never) => {
          bodies.push(body);
          const errorCode = bodies.length === 1 ? code('NOT_COORDINATOR') : 0;
          const partitions = [
            { partitionIndex: 0, errorCode },
            { partitionIndex: 1, errorCode: errorCode || code('OFFSET_METADATA_TOO_LARGE') },
          ];
          return { throttleTimeMs: 0, topics: [{ name: 't', topicId: ZERO_UUID, partitions }] };
        },
      },
    });
    const outcomes = await world.clock.until(
      commitOffsets(cluster, 'a-1', [
        { topic: 't', partition: 0, offset: 3 },
        { topic: 't', partition: 1, offset: 4, metadata: 'x' },
      ]),
    );
    assert.deepEqual(
      [...outcomes].map(([key, outcome]) => [key, errorOf(outcome)]),
      [
        ['t/0', 'no error'],
        ['t/1', 'OFFSET_METADATA_TOO_LARGE'],
      ],
    );
    assert.equal(bodies.length, 2);
    const { memberId, generationIdOrMemberEpoch } = bodies[1] as { memberId: string; generationIdOrMemberEpoch: number };
    assert.deepEqual([memberId, generationIdOrMemberEpoch], ['', -1]);
  });

  test('are deleted by partition; a group that is not there is an error of the whole', async () => {
    const { cluster } = await worldOf({
      answers: {
        OffsetDelete: ({ groupId }: { groupId: string }) => ({
          errorCode: groupId === 'gone-1' ? code('GROUP_ID_NOT_FOUND') : 0,
          throttleTimeMs: 0,
          topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: code('GROUP_SUBSCRIBED_TO_TOPIC') }] }],
        }),
      },
    });
    const outcomes = await deleteOffsets(cluster, 'a-1', [{ topic: 't', partition: 0 }]);
    assert.equal(errorOf(outcomes.get('t/0')), 'GROUP_SUBSCRIBED_TO_TOPIC');
    await assert.rejects(deleteOffsets(cluster, 'gone-1', [{ topic: 't', partition: 0 }]), { errorName: 'GROUP_ID_NOT_FOUND' });
  });
});
