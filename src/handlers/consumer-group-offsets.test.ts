// Offsets of a consumer group (KIP-848): who may commit and ask with which epoch, and what survives. Each is what Kafka 4.2 does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNameOf } from '../protocol/errors.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from '../protocol/messages/offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { TestGroup } from './consumer-group.testing.ts';

const offsetCommit = { request: offsetCommitRequest, response: offsetCommitResponse };
const offsetFetch = { request: offsetFetchRequest, response: offsetFetchResponse };
const offsetDelete = { request: offsetDeleteRequest, response: offsetDeleteResponse };
const deleteGroups = { request: deleteGroupsRequest, response: deleteGroupsResponse };

interface Speaker {
  readonly memberId?: string | null;
  readonly epoch?: number;
  readonly version?: number;
}

async function commit(group: TestGroup, { memberId = '', epoch = -1, version = 9 }: Speaker, offset = 10, partition = 0) {
  const [key = ''] = group.keys(`foo:${partition}`);
  const answer = await group.until(
    group.broker.client.request(offsetCommit, version, {
      groupId: 'readers',
      generationIdOrMemberEpoch: epoch,
      memberId: memberId ?? '',
      groupInstanceId: null,
      topics: [
        {
          name: version < 10 ? 'foo' : '',
          topicId: key.split(':')[0] ?? '',
          partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: '' }],
        },
      ],
    }),
  );
  return errorNameOf(answer.topics[0]?.partitions[0]?.errorCode ?? -1);
}

async function fetch(group: TestGroup, { memberId = null, epoch = -1, version = 9 }: Speaker) {
  const [key = ''] = group.keys('foo:0');
  const topics = [{ name: 'foo', topicId: key.split(':')[0] ?? '', partitionIndexes: [0] }];
  const groups = [{ groupId: 'readers', memberId, memberEpoch: epoch, topics }];
  const answer = await group.until(group.broker.client.request(offsetFetch, version, { groupId: '', topics: [], groups }));
  const [found] = answer.groups;
  return found?.errorCode === 0 ? found.topics[0]?.partitions[0]?.committedOffset : errorNameOf(found?.errorCode ?? -1);
}

async function withAnna() {
  const group = await TestGroup.start({ foo: 2, bar: 1 });
  const anna = group.member('anna');
  await group.settle(anna);
  return { group, anna };
}

test('a member commits and asks with its epoch, by name and by topic id', async () => {
  const { group } = await withAnna();
  await using _ = group;
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1 }, 7), 'NONE');
  assert.equal(await fetch(group, { memberId: 'anna', epoch: 1 }), 7);
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1, version: 10 }, 8), 'NONE');
  assert.equal(await fetch(group, { memberId: 'anna', epoch: 1, version: 10 }), 8);
});

test('an epoch that is not the member’s is stale, above and below', async () => {
  const { group, anna } = await withAnna();
  await using _ = group;
  await group.settle(anna, group.member('bert'));
  assert.equal(anna.memberEpoch, 2);
  for (const epoch of [1, 3, 0, -1]) {
    assert.equal(await commit(group, { memberId: 'anna', epoch }), 'STALE_MEMBER_EPOCH');
    assert.equal(await fetch(group, { memberId: 'anna', epoch }), 'STALE_MEMBER_EPOCH');
  }
});

test('who is no member may not commit while there are members, nor ask as one', async () => {
  const { group } = await withAnna();
  await using _ = group;
  assert.equal(await commit(group, { memberId: 'bert', epoch: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await commit(group, {}), 'UNKNOWN_MEMBER_ID', 'an administrator');
  assert.equal(await fetch(group, { memberId: 'bert', epoch: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await fetch(group, { memberId: '', epoch: -1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await fetch(group, {}), -1, 'an administrator may look');
  assert.equal(await fetch(group, { version: 8 }), -1, 'and versions that know no members');
});

test('an administrator commits for a group that has no members', async () => {
  const { group } = await withAnna();
  await using _ = group;
  assert.equal(await group.said({ memberEpoch: -1 }), '-1');
  assert.equal(await commit(group, {}, 5), 'NONE');
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1 }), 'UNKNOWN_MEMBER_ID');
  assert.equal(await fetch(group, {}), 5);
  await group.beat(group.member('bert'));
  assert.equal(await fetch(group, { memberId: 'bert', epoch: 3 }), 5, 'members go on from there');
});

test('versions that know no member epoch cannot commit for a member', async () => {
  const { group } = await withAnna();
  await using _ = group;
  for (const version of [2, 5, 8]) assert.equal(await commit(group, { memberId: 'anna', epoch: 1, version }), 'UNSUPPORTED_VERSION');
});

test('a commit with an epoch to a group that is not there is refused as the version knows it', async () => {
  await using group = await TestGroup.start({ foo: 1 });
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1 }), 'GROUP_ID_NOT_FOUND');
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1, version: 8 }), 'ILLEGAL_GENERATION');
});

test('a static member that has left for a while may not commit', async () => {
  await using group = await TestGroup.start({ foo: 1 });
  await group.settle(group.member('anna', { instanceId: 'one' }));
  await group.said({ memberEpoch: -2, instanceId: 'one' });
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1 }), 'STALE_MEMBER_EPOCH');
});

test('a partition that a topic does not have takes no commit', async () => {
  const { group } = await withAnna();
  await using _ = group;
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1 }, 1, 9), 'UNKNOWN_TOPIC_OR_PARTITION');
});

test('a commit does not keep a silent member in the group', async () => {
  await using group = await TestGroup.start({ foo: 1 }, { 'group.consumer.session.timeout.ms': '45000' });
  await group.settle(group.member('anna'));
  for (let time = 0; time < 4; time += 1) {
    await group.wait(11_000);
    assert.equal(await commit(group, { memberId: 'anna', epoch: 1 }, time), 'NONE');
  }
  await group.wait(2000);
  assert.equal(await commit(group, { memberId: 'anna', epoch: 1 }), 'UNKNOWN_MEMBER_ID');
});

test('offsets survive their members, a kill and a topic of the same name does not inherit them', async () => {
  const { group } = await withAnna();
  await using _ = group;
  await commit(group, { memberId: 'anna', epoch: 1 }, 7);
  await group.said({ memberEpoch: -1 });
  group.broker = await group.broker.crash();
  assert.equal(await fetch(group, {}), 7);
  const anna = group.member('anna');
  await group.settle(anna);
  assert.equal(await fetch(group, { memberId: 'anna', epoch: anna.memberEpoch }), 7);
  await group.deleteTopic('foo');
  await group.createTopic('foo', 2);
  assert.equal(await fetch(group, {}), -1);
});

test('offsets of topics that members subscribe to are not deleted, those of others are', async () => {
  const { group } = await withAnna();
  await using _ = group;
  await commit(group, { memberId: 'anna', epoch: 1 }, 7);
  const remove = async (name: string) => {
    const asked = { groupId: 'readers', topics: [{ name, partitions: [{ partitionIndex: 0 }] }] };
    const answer = await group.until(group.broker.client.request(offsetDelete, 0, asked));
    return errorNameOf(answer.errorCode === 0 ? (answer.topics[0]?.partitions[0]?.errorCode ?? -1) : answer.errorCode);
  };
  assert.equal(await remove('foo'), 'GROUP_SUBSCRIBED_TO_TOPIC');
  assert.equal(await remove('bar'), 'NONE');
  assert.equal(await fetch(group, {}), 7);
  await group.said({ memberEpoch: -1 });
  assert.equal(await remove('foo'), 'NONE');
  assert.equal(await fetch(group, {}), -1);
});

test('a group is deleted with its offsets when it has no members, and not before', async () => {
  const { group } = await withAnna();
  await using _ = group;
  await commit(group, { memberId: 'anna', epoch: 1 }, 7);
  const remove = async () => {
    const answer = await group.until(group.broker.client.request(deleteGroups, 2, { groupsNames: ['readers'] }));
    return errorNameOf(answer.results[0]?.errorCode ?? -1);
  };
  assert.equal(await remove(), 'NON_EMPTY_GROUP');
  await group.said({ memberEpoch: -1 });
  assert.equal(await remove(), 'NONE');
  assert.equal(await group.state(), 'GROUP_ID_NOT_FOUND');
  group.broker = await group.broker.crash();
  assert.equal(await group.state(), 'GROUP_ID_NOT_FOUND', 'after a kill as well');
  assert.equal(await fetch(group, {}), -1);
  assert.equal(await group.beat(group.member('anna')), '1 [foo:0 foo:1]', 'a group of the same name begins anew');
});
