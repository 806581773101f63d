// Groups that change their protocol while their members go on: classic members beside new ones, the way there and the way back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNameOf } from '../../protocol/errors.ts';
import { ClassicGroup } from './classic-group.ts';
import { join, type JoinRequest } from './classic-join.ts';
import type { JoinResponse, SyncResponse } from './classic-member.ts';
import { heartbeat, leave, sync } from './classic-session.ts';
import { heartbeatInConsumerGroup, joinConsumerGroup, leaveConsumerGroupAsClassic, syncConsumerGroup } from './consumer-classic-members.ts';
import { ConsumerHarness, type TestConsumer } from './consumer-harness.testing.ts';
import { assignment, subscription, type Named } from './embedded-protocol.testing.ts';
import { decodeAssignment, decodeSubscription } from './embedded-protocol.ts';
import type { GroupStep, Waiter } from './group-step.ts';
import { refusalOf } from './steps-harness.testing.ts';

interface ClassicOptions {
  readonly instanceId?: string | null;
  readonly topics?: readonly string[];
  readonly protocols?: readonly string[];
}

/** A member that speaks the classic protocol, whatever its group is; the leader shares the partitions out as a test says. */
class ClassicMember {
  readonly #harness: ConsumerHarness;
  readonly #options: ClassicOptions;
  memberId: string;
  generationId = -1;
  assigned: Named = {};
  joined: JoinResponse | undefined;
  synced: SyncResponse | undefined;

  constructor(harness: ConsumerHarness, memberId: string, options: ClassicOptions = {}) {
    this.#harness = harness;
    this.memberId = memberId;
    this.#options = options;
  }

  #run(run: (group: NonNullable<ReturnType<ConsumerHarness['state']['find']>>, step: GroupStep) => void): unknown {
    try {
      this.#harness.run((step, state) => {
        const group = state.find(this.#harness.groupId);
        assert.ok(group);
        run(group, step);
      });
      return 'NONE';
    } catch (thrown) {
      return refusalOf(thrown);
    }
  }

  /** Undefined while the answer is held back. */
  join(changes: Partial<JoinRequest> = {}): unknown {
    const { instanceId = null, topics = ['orders'], protocols = ['range'] } = this.#options;
    const metadata = subscription(topics, this.assigned);
    const request: JoinRequest = {
      groupId: this.#harness.groupId,
      memberId: this.memberId,
      groupInstanceId: instanceId,
      clientId: 'classic',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols: protocols.map((name) => ({ name, metadata })),
      requiresKnownMemberId: false,
      supportsSkippingAssignment: true,
      ...changes,
    };
    this.joined = undefined;
    const waiter: Waiter<JoinResponse> = { resolve: (answer) => this.#takeJoined(answer), reject: () => undefined };
    const refusal = this.#run((group, step) =>
      group.kind === 'classic' ? join(group, request, waiter, step) : joinConsumerGroup(group, request, waiter, step),
    );
    return refusal === 'NONE' ? this.joinError : refusal;
  }

  #takeJoined(answer: JoinResponse): void {
    this.joined = answer;
    if (answer.memberId !== '') this.memberId = answer.memberId;
    if (answer.errorCode === 0) this.generationId = answer.generationId;
  }

  get joinError(): unknown {
    return this.joined === undefined ? undefined : errorNameOf(this.joined.errorCode);
  }

  sync(shares: Readonly<Record<string, Buffer>> = {}): unknown {
    this.synced = undefined;
    const request = {
      groupId: this.#harness.groupId,
      memberId: this.memberId,
      groupInstanceId: this.#options.instanceId ?? null,
      generationId: this.generationId,
      protocolType: 'consumer',
      protocolName: this.joined?.protocolName ?? null,
      assignments: new Map(Object.entries(shares)),
    };
    const waiter: Waiter<SyncResponse> = { resolve: (answer) => this.#takeSynced(answer), reject: () => undefined };
    const refusal = this.#run((group, step) =>
      group.kind === 'classic' ? sync(group, request, waiter, step) : syncConsumerGroup(group, request, waiter, step),
    );
    if (refusal !== 'NONE') return refusal;
    return this.synced === undefined ? undefined : errorNameOf((this.synced as SyncResponse).errorCode);
  }

  #takeSynced(answer: SyncResponse): void {
    this.synced = answer;
    if (answer.errorCode !== 0) return;
    const { partitions } = decodeAssignment(answer.assignment);
    this.assigned = Object.fromEntries(partitions.map(({ topic, partitions: list }) => [topic, list]));
  }

  beat(): unknown {
    let code = 0;
    const { generationId, memberId } = this;
    const request = { groupId: this.#harness.groupId, memberId, groupInstanceId: this.#options.instanceId ?? null, generationId };
    const refusal = this.#run((group, step) => {
      code = group.kind === 'classic' ? heartbeat(group, request, step.nowMs) : heartbeatInConsumerGroup(group, request, step.nowMs);
    });
    return refusal === 'NONE' ? errorNameOf(code) : refusal;
  }

  leave(memberId = this.memberId): unknown {
    let code = 0;
    const leaving = [{ memberId, groupInstanceId: this.#options.instanceId ?? null }];
    this.#run((group, step) => {
      const [left] = group.kind === 'classic' ? leave(group, leaving, step) : leaveConsumerGroupAsClassic(group, leaving, step);
      code = left?.errorCode ?? 0;
    });
    return errorNameOf(code);
  }

  /** As a client does that was told to join again: lets go of what it must (eagerly of all, for the sake of the test), joins, asks. */
  rejoin(): unknown {
    this.assigned = {};
    const outcome = this.join();
    return outcome === 'NONE' ? this.sync() : outcome;
  }
}

/** A stable classic group of these members, who share four partitions of `orders`. */
function classicGroup(
  settings: Readonly<Record<string, string>> = {},
  options: ClassicOptions = {},
): { harness: ConsumerHarness; anna: ClassicMember; bert: ClassicMember } {
  const harness = new ConsumerHarness({ 'group.initial.rebalance.delay.ms': '0', ...settings });
  harness.makeTopic('orders', 4);
  harness.state.groups.set(harness.groupId, new ClassicGroup(harness.groupId, harness.wallMs));
  const anna = new ClassicMember(harness, '', options);
  const bert = new ClassicMember(
    harness,
    '',
    options.instanceId === undefined ? options : { ...options, instanceId: `${options.instanceId} 2` },
  );
  anna.join();
  bert.join();
  harness.advance(0);
  assert.deepEqual([anna.joinError, bert.joinError], ['NONE', 'NONE']);
  const shares = { [anna.memberId]: assignment({ orders: [0, 1] }), [bert.memberId]: assignment({ orders: [2, 3] }) };
  anna.sync(shares);
  bert.sync();
  assert.deepEqual([anna.assigned, bert.assigned], [{ orders: [0, 1] }, { orders: [2, 3] }]);
  return { harness, anna, bert };
}

/** Everybody does what it is told until nobody is told anything any more. */
function settle(harness: ConsumerHarness, classic: readonly ClassicMember[], consumers: readonly TestConsumer[]): void {
  for (let round = 0; round < 20; round += 1) {
    let calm = true;
    for (const member of classic)
      if (member.beat() === 'REBALANCE_IN_PROGRESS') {
        member.rejoin();
        calm = false;
      }
    const before = JSON.stringify(consumers.map(({ epoch, assigned }) => [epoch, assigned]));
    for (const consumer of consumers) assert.equal(consumer.beat(), 'NONE');
    if (calm && JSON.stringify(consumers.map(({ epoch, assigned }) => [epoch, assigned])) === before) return;
  }
  assert.fail(`the group does not come to rest: ${harness.state.find(harness.groupId)?.state}`);
}

const shared = (...parts: readonly Named[]): number[] => parts.flatMap((part) => part['orders'] ?? []).sort((left, right) => left - right);

test('a classic group comes over with the first new heartbeat, and its members share with the new one', () => {
  const { harness, anna, bert } = classicGroup();
  const cleo = harness.consumer('cleo');
  assert.equal(cleo.beat(), 'NONE');
  assert.deepEqual([harness.group.kind, harness.group.members.size, cleo.assigned], ['consumer', 3, {}]);
  assert.equal([...harness.group.members.values()].filter(({ classic }) => classic !== null).length, 2);
  assert.equal(anna.beat(), 'REBALANCE_IN_PROGRESS');
  settle(harness, [anna, bert], [cleo]);
  assert.deepEqual(shared(anna.assigned, bert.assigned, cleo.assigned), [0, 1, 2, 3]);
  for (const { assigned } of [anna, bert, cleo]) assert.ok((assigned['orders']?.length ?? 0) >= 1);
  assert.equal(harness.group.state, 'Stable');
});

test('a group that came over is there after a restart', () => {
  const { harness, anna, bert } = classicGroup();
  const cleo = harness.consumer('cleo');
  cleo.beat();
  settle(harness, [anna, bert], [cleo]);
  harness.restart();
  assert.equal(harness.group.members.size, 3);
  assert.deepEqual([anna.beat(), bert.beat(), cleo.beat()], ['NONE', 'NONE', 'NONE']);
});

test('when the last new member leaves the group is a classic one again, and its members share the work anew', () => {
  const { harness, anna, bert } = classicGroup();
  const cleo = harness.consumer('cleo');
  cleo.beat();
  settle(harness, [anna, bert], [cleo]);
  const { groupEpoch } = harness.group;
  assert.equal(cleo.leave(), 'NONE');
  const group = harness.state.getClassicGroup(harness.groupId);
  assert.deepEqual([group.state, group.generationId, group.members.size], ['PreparingRebalance', groupEpoch, 2]);
  assert.deepEqual([anna.beat(), bert.beat()], ['REBALANCE_IN_PROGRESS', 'REBALANCE_IN_PROGRESS']);
  anna.join();
  bert.join();
  assert.deepEqual([anna.joinError, bert.joinError], ['NONE', 'NONE']);
  const leader = group.isLeader(anna.memberId) ? anna : bert;
  const follower = leader === anna ? bert : anna;
  const shares = { [anna.memberId]: assignment({ orders: [0, 1] }), [bert.memberId]: assignment({ orders: [2, 3] }) };
  follower.sync();
  leader.sync(shares);
  assert.deepEqual([anna.beat(), bert.beat()], ['NONE', 'NONE']);
  harness.restart();
  assert.deepEqual([anna.beat(), bert.beat()], ['NONE', 'NONE']);
});

test('a group that has just gone back is a classic group after a restart, with the shares that it had', () => {
  const { harness, anna, bert } = classicGroup();
  const cleo = harness.consumer('cleo');
  cleo.beat();
  settle(harness, [anna, bert], [cleo]);
  cleo.leave();
  harness.restart();
  const group = harness.state.getClassicGroup(harness.groupId);
  assert.equal(group.state, 'Stable');
  const { partitions } = decodeAssignment(group.getMember(anna.memberId).assignment);
  assert.deepEqual(Object.fromEntries(partitions.map(({ topic, partitions: list }) => [topic, list])), anna.assigned);
});

test('the last new member may also fall silent, or not let go in time', () => {
  const { harness, anna, bert } = classicGroup();
  const cleo = harness.consumer('cleo');
  cleo.beat();
  settle(harness, [anna, bert], [cleo]);
  for (let waitedMs = 0; waitedMs < 45_000; waitedMs += 5_000) {
    assert.deepEqual([anna.beat(), bert.beat()], ['NONE', 'NONE']);
    harness.advance(5_000);
  }
  assert.equal(harness.state.find(harness.groupId)?.kind, 'classic');
  assert.equal(anna.beat(), 'REBALANCE_IN_PROGRESS');
});

test('whether a group may come over, and go back, is the policy’s to say', () => {
  const refused = classicGroup({ 'group.consumer.migration.policy': 'disabled' });
  assert.equal(refused.harness.consumer('cleo').beat(), 'GROUP_ID_NOT_FOUND');
  assert.equal(refused.anna.beat(), 'NONE');
  const downOnly = classicGroup({ 'group.consumer.migration.policy': 'downgrade' });
  assert.equal(downOnly.harness.consumer('cleo').beat(), 'GROUP_ID_NOT_FOUND');
  const { harness, anna, bert } = classicGroup({ 'group.consumer.migration.policy': 'upgrade' });
  const cleo = harness.consumer('cleo');
  assert.equal(cleo.beat(), 'NONE');
  settle(harness, [anna, bert], [cleo]);
  cleo.leave();
  assert.equal(harness.group.kind, 'consumer', 'it stays what it is');
  settle(harness, [anna, bert], []);
  assert.deepEqual(shared(anna.assigned, bert.assigned), [0, 1, 2, 3]);
});

test('a group of others than consumers, of an assignor with data of its own, or of too many does not come over', () => {
  const custom = classicGroup();
  const { harness, anna, bert } = custom;
  anna.assigned = {};
  anna.join(); // the leader wants a new round
  bert.join();
  anna.sync({ [anna.memberId]: assignment({ orders: [0] }, Buffer.from('mine')), [bert.memberId]: assignment({ orders: [1] }) });
  bert.sync();
  assert.equal(harness.consumer('cleo').beat(), 'GROUP_ID_NOT_FOUND');
  const crowded = classicGroup({ 'group.consumer.max.size': '1' });
  assert.equal(crowded.harness.consumer('cleo').beat(), 'GROUP_ID_NOT_FOUND');
  const foreign = new ConsumerHarness({ 'group.initial.rebalance.delay.ms': '0' });
  foreign.state.groups.set(foreign.groupId, new ClassicGroup(foreign.groupId, foreign.wallMs));
  const worker = new ClassicMember(foreign, '');
  worker.join({ protocolType: 'connect' });
  assert.equal(foreign.consumer('cleo').beat(), 'GROUP_ID_NOT_FOUND');
});

test('members that wait in a round of joining are told to join again when the group comes over', () => {
  const { harness, anna, bert } = classicGroup();
  anna.join();
  assert.equal(anna.joinError, undefined, 'it waits for bert');
  const cleo = harness.consumer('cleo');
  assert.equal(cleo.beat(), 'NONE');
  assert.equal(anna.joinError, 'REBALANCE_IN_PROGRESS');
  settle(harness, [anna, bert], [cleo]);
  assert.deepEqual(shared(anna.assigned, bert.assigned, cleo.assigned), [0, 1, 2, 3]);
});

test('a group comes over in its first round, also when everybody has left it again', () => {
  const harness = new ConsumerHarness();
  harness.makeTopic('orders', 2);
  harness.state.groups.set(harness.groupId, new ClassicGroup(harness.groupId, harness.wallMs));
  const anna = new ClassicMember(harness, '');
  anna.join();
  assert.equal(harness.consumer('cleo').beat(), 'NONE');
  assert.equal(anna.joinError, 'REBALANCE_IN_PROGRESS');
  assert.equal(harness.group.members.size, 2);

  harness.state.groups.set(harness.groupId, new ClassicGroup(harness.groupId, harness.wallMs));
  const bert = new ClassicMember(harness, 'bert');
  bert.join({ memberId: '' });
  const [memberId = ''] = harness.state.getClassicGroup(harness.groupId).members.keys();
  assert.equal(bert.leave(memberId), 'NONE');
  assert.equal(harness.state.getClassicGroup(harness.groupId).state, 'PreparingRebalance');
  const dora = harness.consumer('dora');
  assert.equal(dora.beat(), 'NONE');
  assert.deepEqual(dora.assigned, { orders: [0, 1] });
});

test('of a partition that the leader of a classic group has given to two, one of them is the holder', () => {
  const { harness, anna, bert } = classicGroup();
  anna.join();
  bert.join();
  const all = assignment({ orders: [0, 1, 2, 3, 99] });
  const leader = harness.state.getClassicGroup(harness.groupId).isLeader(anna.memberId) ? anna : bert;
  leader.sync({ [anna.memberId]: all, [bert.memberId]: all });
  const cleo = harness.consumer('cleo');
  assert.equal(cleo.beat(), 'NONE');
  const held = [...harness.group.members.values()].flatMap(({ assigned }) => [...assigned.values()].flat());
  assert.equal(new Set(held).size, held.length);
  settle(harness, [anna, bert], [cleo]);
  assert.deepEqual(shared(anna.assigned, bert.assigned, cleo.assigned), [0, 1, 2, 3]);
});

test('a classic member joins a consumer group, in two steps where its version wants that', () => {
  const harness = new ConsumerHarness();
  harness.makeTopic('orders', 4);
  const cleo = harness.consumer('cleo');
  cleo.beat();
  const anna = new ClassicMember(harness, '');
  assert.equal(anna.join({ requiresKnownMemberId: true }), 'MEMBER_ID_REQUIRED');
  assert.equal(harness.group.members.size, 1);
  assert.equal(anna.join({ requiresKnownMemberId: true }), 'NONE');
  assert.deepEqual([anna.joined?.generationId, anna.joined?.protocolName, anna.joined?.members], [2, 'range', []]);
  assert.equal(anna.sync(), 'NONE');
  settle(harness, [anna], [cleo]);
  assert.deepEqual(shared(anna.assigned, cleo.assigned), [0, 1, 2, 3]);
  assert.equal(anna.leave(), 'NONE');
  settle(harness, [], [cleo]);
  assert.deepEqual(cleo.assigned, { orders: [0, 1, 2, 3] });
});

test('a classic member whose protocols others do not have, or whose subscription cannot be read, is not let in', () => {
  const { harness } = classicGroup();
  harness.consumer('cleo').beat();
  assert.equal(new ClassicMember(harness, '', { protocols: ['sticky'] }).join(), 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(new ClassicMember(harness, '').join({ protocolType: 'connect' }), 'INCONSISTENT_GROUP_PROTOCOL');
  assert.equal(
    new ClassicMember(harness, '').join({ protocols: [{ name: 'range', metadata: Buffer.from('x') }] }),
    'INCONSISTENT_GROUP_PROTOCOL',
  );
  assert.equal(harness.group.members.size, 3);
});

test('requests of the classic protocol that do not fit the member are refused', () => {
  const { harness, anna, bert } = classicGroup();
  const cleo = harness.consumer('cleo');
  cleo.beat();
  settle(harness, [anna, bert], [cleo]);
  const pretender = new ClassicMember(harness, 'cleo');
  pretender.generationId = cleo.epoch;
  assert.deepEqual([pretender.beat(), pretender.sync()], ['UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID']);
  anna.generationId += 1;
  assert.deepEqual([anna.beat(), anna.sync()], ['ILLEGAL_GENERATION', 'ILLEGAL_GENERATION']);
  const nobody = new ClassicMember(harness, 'nobody');
  assert.deepEqual([nobody.beat(), nobody.sync(), nobody.leave()], ['UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID']);
});

test('a classic member that does not join again, or does not ask for its share, is given up after its rebalance timeout', () => {
  const { harness, anna, bert } = classicGroup();
  const cleo = harness.consumer('cleo');
  cleo.beat();
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 5_000) {
    anna.beat();
    bert.beat();
    cleo.beat();
    if (waitedMs === 0) assert.equal(bert.join(), 'NONE');
    harness.advance(5_000);
  }
  assert.deepEqual([...harness.group.members.keys()], ['cleo'], 'anna has not joined, bert has not asked');
});

test('a static member changes its protocol and keeps what it held', () => {
  const { harness, anna, bert } = classicGroup({}, { instanceId: 'one' });
  const again = harness.consumer('anna 2', { instanceId: 'one' });
  assert.equal(again.beat(), 'NONE');
  settle(harness, [bert], [again]);
  assert.deepEqual(again.assigned, { orders: [0, 1] });
  assert.equal(anna.beat(), 'FENCED_INSTANCE_ID');
  // And back: the last member of the new protocol is one of the old again.
  const back = new ClassicMember(harness, '', { instanceId: 'one' });
  assert.equal(back.join(), 'NONE');
  assert.equal(harness.state.find(harness.groupId)?.kind, 'classic');
  assert.equal(back.sync(), 'NONE');
  assert.deepEqual([back.assigned, bert.beat()], [{ orders: [0, 1] }, 'NONE']);
});

test('a static member that goes back with another subscription has the group share the work anew', () => {
  const { harness, bert } = classicGroup({}, { instanceId: 'one' });
  harness.makeTopic('bills', 2);
  const again = harness.consumer('anna 2', { instanceId: 'one' });
  again.beat();
  settle(harness, [bert], [again]);
  const back = new ClassicMember(harness, '', { instanceId: 'one', topics: ['bills'] });
  assert.equal(back.join(), 'NONE');
  assert.equal(harness.state.getClassicGroup(harness.groupId).state, 'PreparingRebalance');
  assert.deepEqual([back.sync(), bert.beat()], ['ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'], 'either makes a client join');
  back.join();
  bert.join();
  assert.deepEqual([back.joinError, bert.joinError], ['NONE', 'NONE']);
});

test('an administrator removes a static member by its instance id alone', () => {
  const { harness, anna, bert } = classicGroup({}, { instanceId: 'one' });
  const cleo = harness.consumer('cleo');
  cleo.beat();
  settle(harness, [anna, bert], [cleo]);
  assert.equal(anna.leave(''), 'NONE');
  assert.equal(anna.beat(), 'UNKNOWN_MEMBER_ID');
  settle(harness, [bert], [cleo]);
  assert.deepEqual(shared(bert.assigned, cleo.assigned), [0, 1, 2, 3]);
});

test('of what consumers tell each other every version is read', () => {
  for (const version of [0, 1, 2, 3]) {
    const { topics, rackId } = decodeSubscription(subscription(['orders'], { orders: [1] }, version));
    assert.deepEqual([topics, rackId], [['orders'], null]);
  }
  assert.throws(() => decodeSubscription(Buffer.from([0xff, 0xff, 0, 0])));
  const later = subscription(['orders']);
  later.writeInt16BE(9);
  assert.deepEqual(decodeSubscription(Buffer.concat([later, Buffer.from('more')])).topics, ['orders']);
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), { partitions: [], userData: null });
});
