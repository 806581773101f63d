import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker } from '../assemble/broker.testing.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from '../protocol/messages/find-coordinator.ts';
import { joinGroupRequest, joinGroupResponse, type JoinGroupResponse } from '../protocol/messages/join-group.ts';

for (let version = 0; version <= 9; version += 1) {
  test(`JoinGroup ${version} ${version >= 4 ? 'tells a member without an id which one to come back with' : 'lets a member without an id in at once'}`, async () => {
    await using broker = await startTestBroker({ settings: { 'group.initial.rebalance.delay.ms': '0' } });
    await broker.client.request({ request: findCoordinatorRequest, response: findCoordinatorResponse }, 0, {
      key: 'g',
      coordinatorKeys: [],
    });
    await broker.env.settle();
    const join = (memberId: string): Promise<JoinGroupResponse> =>
      broker.client.request({ request: joinGroupRequest, response: joinGroupResponse }, version, {
        groupId: 'g',
        sessionTimeoutMs: 10_000,
        ...(version >= 1 && { rebalanceTimeoutMs: 10_000 }),
        memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.from('m') }],
      });
    let answer = await broker.env.clock.until(join(''));
    if (version >= 4) {
      assert.equal(errorNameOf(answer.errorCode), 'MEMBER_ID_REQUIRED');
      // No protocol was chosen: an empty name, and null where there may be one (KIP-559).
      assert.equal(answer.protocolName, version >= 7 ? null : '');
      answer = await broker.env.clock.until(join(answer.memberId));
    }
    assert.equal(errorNameOf(answer.errorCode), 'NONE');
    assert.deepEqual([answer.protocolName, answer.leader], ['range', answer.memberId]);
    assert.equal(answer.protocolType, version >= 7 ? 'consumer' : null);
    assert.deepEqual(
      answer.members.map(({ metadata }) => metadata.toString()),
      ['m'],
    );
  });
}
