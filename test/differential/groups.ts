// Groups, as far as that goes without members: FindCoordinator, offsets, and what is refused.
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import { key, versionsOf, field, settled, create } from './asking.ts';
import type { Answer, Body, Duel, Party } from './duel.ts';

export async function groups(duel: Duel): Promise<void> {
  // The first question makes the topic of offsets; Kafka asks for patience until its coordinators have loaded.
  const first = (answer: Answer): unknown => (field(answer, 'coordinators') as { errorCode: number }[] | undefined)?.[0]?.errorCode;
  await settled(() => duel.kafka.ask(key.findCoordinator, 4, { key: '', coordinatorKeys: ['g'], keyType: 0 }), first);
  for (const groupId of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'nobody', 'commit-5'])
    await settled(() => duel.kafka.ask(key.heartbeat, 4, { groupId, generationId: 1, memberId: 'm' }));
  for (const version of versionsOf(key.findCoordinator))
    for (const keyType of [0, 7]) {
      const body = version < 4 ? { key: 'g', coordinatorKeys: [] } : { key: '', coordinatorKeys: ['g', '', 'h'] };
      const typed = version < 1 ? {} : { keyType };
      await duel.ask(key.findCoordinator, version, `type ${keyType}`, { ...body, ...typed }, { ignore: ['errorMessage'] });
    }
  await create(duel, { name: 'grouped', partitions: 2 });
  for (const version of versionsOf(key.joinGroup))
    for (const [what, more] of [
      ['no group', { groupId: '' }],
      ['a session too short', { sessionTimeoutMs: 1 }],
      ['a session too long', { sessionTimeoutMs: 99_999_999 }],
      ['a member that is not known', { memberId: 'nobody' }],
      ['no protocols', { protocols: [] }],
      ['no protocol type', { protocolType: '' }],
    ] as const)
      await duel.ask(
        key.joinGroup,
        version,
        what,
        {
          groupId: `join-${version}`,
          sessionTimeoutMs: 10_000,
          ...(version >= 1 && { rebalanceTimeoutMs: 10_000 }),
          memberId: version < 4 ? 'nobody' : '',
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
          ...more,
        },
        { ignore: version >= 4 && what.startsWith('no protoco') ? ['memberId'] : [] },
      );
  for (const version of versionsOf(key.heartbeat))
    for (const groupId of ['', 'nobody'])
      await duel.ask(key.heartbeat, version, `of ${groupId}`, { groupId, generationId: 1, memberId: 'm' });
  for (const version of versionsOf(key.syncGroup))
    for (const groupId of ['', 'nobody'])
      await duel.ask(key.syncGroup, version, `of ${groupId}`, {
        groupId,
        generationId: 1,
        memberId: 'm',
        assignments: [],
        ...(version >= 5 && { protocolType: 'consumer', protocolName: 'range' }),
      });
  for (const version of versionsOf(key.leaveGroup))
    for (const groupId of ['', 'nobody'])
      await duel.ask(
        key.leaveGroup,
        version,
        `of ${groupId}`,
        version < 3
          ? { groupId, memberId: 'm', members: [] }
          : {
              groupId,
              members: [
                { memberId: 'm', groupInstanceId: null },
                { memberId: '', groupInstanceId: 'i' },
              ],
            },
      );
  for (const version of versionsOf(key.offsetCommit)) {
    const ask = (what: string, groupId: string, more: Body = {}, partitions: readonly Body[] = [{}]): Promise<unknown> =>
      duel.ask(key.offsetCommit, version, what, (party) => ({
        groupId,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        ...more,
        topics: [
          {
            name: version < 10 ? 'grouped' : '',
            topicId: version < 10 ? ZERO_UUID : (party.valueOf('the id of grouped') as string),
            partitions: partitions.map((partition) => ({ partitionIndex: 0, committedOffset: 5, committedMetadata: 'm', ...partition })),
          },
        ],
      }));
    await ask('without members', `commit-${version}`);
    await ask('no group', '');
    await ask('a member of a group that is not there', 'nobody', { memberId: 'm', generationIdOrMemberEpoch: 1 });
    await ask('a generation without a member', `commit-${version}`, { generationIdOrMemberEpoch: 3 });
    await ask('a partition that is not there', `commit-${version}`, {}, [{ partitionIndex: 9 }, {}]);
    await ask('metadata that is null', `commit-${version}`, {}, [{ committedMetadata: null }]);
    await ask('metadata that is long', `commit-${version}`, {}, [{ committedMetadata: 'x'.repeat(5000) }]);
    await ask('an offset below zero', `commit-${version}`, {}, [{ committedOffset: -5 }]);
  }
  for (const version of versionsOf(key.offsetFetch)) {
    const asked = (party: Party, groupId: string, all: boolean): Body => {
      const byId = version >= 10;
      const named = {
        name: byId ? '' : 'grouped',
        topicId: byId ? (party.valueOf('the id of grouped') as string) : ZERO_UUID,
        partitionIndexes: [0, 1, 9],
      };
      const topics = all ? null : [version >= 8 ? named : { name: 'grouped', partitionIndexes: [0, 1, 9] }];
      return version >= 8
        ? { groupId: '', topics: [], groups: [{ groupId, memberId: null, memberEpoch: -1, topics }], requireStable: false }
        : { groupId, topics, groups: [], ...(version >= 7 && { requireStable: true }) };
    };
    for (const groupId of ['', 'nobody', 'commit-5'])
      for (const all of version >= 2 ? [false, true] : [false])
        await duel.ask(key.offsetFetch, version, `${all ? 'all' : 'some'} of ${groupId}`, (party) => asked(party, groupId, all));
  }
  for (const version of versionsOf(key.describeGroups))
    await duel.ask(key.describeGroups, version, 'some', { groups: ['', 'nobody', 'commit-5'], includeAuthorizedOperations: version >= 3 });
  for (const version of versionsOf(key.listGroups)) {
    await duel.ask(key.listGroups, version, 'all', { statesFilter: [], typesFilter: [] });
    if (version >= 4)
      for (const states of [['Empty'], ['empty', 'stable'], ['nonsense']])
        await duel.ask(key.listGroups, version, `in ${states.join()}`, { statesFilter: states, typesFilter: [] });
    if (version >= 5)
      for (const types of [['classic'], ['Consumer'], ['nonsense']])
        await duel.ask(key.listGroups, version, `of ${types.join()}`, { statesFilter: [], typesFilter: types });
  }
  await duel.ask(key.offsetDelete, 0, 'of nobody', {
    groupId: 'nobody',
    topics: [{ name: 'grouped', partitions: [{ partitionIndex: 0 }] }],
  });
  await duel.ask(key.offsetDelete, 0, 'of no group', { groupId: '', topics: [{ name: 'grouped', partitions: [{ partitionIndex: 0 }] }] });
  await duel.ask(key.offsetDelete, 0, 'some', {
    groupId: 'commit-5',
    topics: [
      { name: 'grouped', partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] },
      { name: 'nowhere', partitions: [{ partitionIndex: 0 }] },
    ],
  });
  for (const version of versionsOf(key.deleteGroups))
    await duel.ask(key.deleteGroups, version, 'some', { groupsNames: ['', 'nobody', `commit-${version + 2}`] });
}
