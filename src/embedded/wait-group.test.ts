import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMemoryEnv } from '../base/memory/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { ClassicMembership } from '../client/classic-membership.ts';
import { Cluster } from '../client/cluster.ts';
import { ConsumerMembership } from '../client/consumer-membership.ts';
import { GroupConsumer } from '../client/group-consumer.ts';
import { startTestEmbedded, type TestEmbedded } from './embedded.testing.ts';
import { BrokerStoppedError, GroupNotReadyError, InvalidArgumentError } from './errors.ts';

const compute = makeCompute();
let seed = 1;

interface ConsumeOptions {
  readonly groupId?: string;
  readonly clientId?: string;
  readonly Membership?: typeof ClassicMembership | typeof ConsumerMembership;
}

/** Reads `orders` until it is closed. */
async function consume({ env, broker }: TestEmbedded, options: ConsumeOptions = {}): Promise<GroupConsumer> {
  const { groupId = 'billing', clientId = 'app', Membership = ClassicMembership } = options;
  seed += 1;
  const cluster = await env.clock.until(
    Cluster.connect({
      env: makeMemoryEnv({ compute, clock: env.clock, wire: env.wire, seed }),
      brokers: [{ host: 'localhost', port: broker.port }],
      clientId,
      software: { name: 'test', version: '1' },
      connectTimeoutMs: 1000,
      timeoutMs: 10_000,
    }),
  );
  const timing = { sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 60_000, heartbeatIntervalMs: 1000 };
  const membership = new Membership({ cluster, groupId, topics: ['orders'], ...timing });
  const consumer = new GroupConsumer({ cluster, compute, groupId, membership, begin: 'earliest', commitIntervalMs: 500 });
  Array.fromAsync(consumer.records()).catch(() => undefined);
  return consumer;
}

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.catch((thrown: unknown) => thrown);

test('a group is waited for until every member has its partitions', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 3 } });
  const { broker } = embedded;
  const waiting = broker.waitForGroup('billing');
  await consume(embedded);
  const group = await embedded.until(waiting);
  assert.equal(group.state, 'Stable');
  assert.deepEqual(
    group.members.map(({ clientId, host, assignment }) => [clientId, host, assignment]),
    [['app', group.members[0]?.host, [{ topic: 'orders', partitions: [0, 1, 2] }]]],
  );
  await consume(embedded, { clientId: 'other' });
  const two = await embedded.until(broker.waitForGroup('billing', { members: 2 }));
  assert.deepEqual(
    two.members.map(({ assignment }) => assignment.flatMap(({ partitions }) => partitions).length).toSorted((a, b) => a - b),
    [1, 2],
  );
});

test('a group of the consumer protocol is waited for like any other', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 3 } });
  const { broker } = embedded;
  await broker.produce('orders', 'a', 'b', 'c');
  await consume(embedded, { Membership: ConsumerMembership });
  await consume(embedded, { clientId: 'other', Membership: ConsumerMembership });
  const group = await embedded.until(broker.waitForGroup('billing', { members: 2, maxLag: 0, timeoutMs: 30_000 }));
  assert.deepEqual([group.type, group.state, group.assignor, group.lag], ['consumer', 'Stable', 'uniform', 0]);
  const shares = group.members.map(({ assignment }) => assignment.flatMap(({ partitions }) => partitions).length);
  assert.deepEqual(
    shares.toSorted((a, b) => a - b),
    [1, 2],
  );
});

test('a group is waited for until it has read and committed everything, also where it then ends', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 2 } });
  const { broker } = embedded;
  await broker.produce('orders', 'a', 'b', 'c');
  const waiting = broker.waitForGroup('billing', { maxLag: 0 });
  const consumer = await consume(embedded);
  const group = await embedded.until(waiting);
  assert.deepEqual(
    group.partitions.map(({ partition, committedOffset, endOffset, lag }) => [partition, committedOffset, endOffset, lag]),
    [
      [0, 2, 2, 0],
      [1, 1, 1, 0],
    ],
  );
  await embedded.until(consumer.close());
  assert.equal((await embedded.until(broker.waitForGroup('billing', { members: 0, maxLag: 0 }))).state, 'Empty');
  await broker.produce('orders', 'd');
  assert.equal((await embedded.until(broker.groups()))[0]?.lag, 1);
});

test('how a group was instead is reported: state, members with what each reads, lag by partition, other groups', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 2 } });
  const { broker, env } = embedded;
  await broker.produce('orders', 'a', 'b', 'c');
  await consume(embedded);
  await embedded.until(broker.waitForGroup('billing', { maxLag: 0 }));
  const startedMs = env.clock.monotonicMs();
  const error = await embedded.until(failureOf(broker.waitForGroup('billing', { members: 2, maxLag: 1, timeoutMs: 250 })));
  assert.ok(error instanceof GroupNotReadyError);
  assert.equal(env.clock.monotonicMs() - startedMs, 250);
  assert.deepEqual([error.code, error.groupId, error.group?.members.length], ['GROUP_NOT_READY', 'billing', 1]);
  const [member] = error.group?.members ?? [];
  assert.equal(
    error.message,
    [
      "waited 250 ms for group 'billing' to be Stable with 2 members and a lag of at most 1: it is Stable with 1 member and a lag of 0",
      '  group      billing (classic, consumer, range)',
      `  members    ${member?.memberId} (client 'app' at ${member?.host}): orders-0, orders-1`,
      '  partitions orders-0 committed 2 of 2, lag 0, read by app',
      '             orders-1 committed 1 of 1, lag 0, read by app',
    ].join('\n'),
  );
  await consume(embedded, { groupId: 'audit' });
  await embedded.until(broker.waitForGroup('audit'));
  await assert.rejects(embedded.until(broker.waitForGroup('billing', { state: 'Empty' })), {
    message: /^waited 4000 ms for group 'billing' to be Empty: it is Stable[^]*\n {2}others {5}audit \(Stable, 1 member\)$/,
  });
});

test('a group that is not there is reported with those that are, and is not made by waiting', async () => {
  await using embedded = await startTestEmbedded({ topics: { orders: 2 } });
  const { broker } = embedded;
  assert.deepEqual(await broker.groups(), []);
  await assert.rejects(embedded.until(broker.waitForGroup('billing')), {
    name: 'GroupNotReadyError',
    message:
      "waited 4000 ms for group 'billing' to be Stable: there is no such group. There are no groups.\n  topics     orders (ends by partition 0: 0, 1: 0)",
  });
  assert.equal(broker.internals.image.findTopic('__consumer_offsets'), undefined);
  await consume(embedded);
  await embedded.until(broker.waitForGroup('billing'));
  await assert.rejects(embedded.until(broker.waitForGroup('biling')), { message: /there is no such group\. Did you mean 'billing'\?/ });
});

test('a wait ends with the broker, and says what it waited for', async () => {
  const embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker, env } = embedded;
  const waiting = failureOf(broker.waitForGroup('billing', { maxLag: 5 }));
  await env.settle();
  await embedded.until(broker.stop());
  const error = await waiting;
  assert.ok(error instanceof BrokerStoppedError);
  assert.match(
    error.message,
    /^the broker stopped while group 'billing' to have a lag of at most 5 was waited for: there is no such group/,
  );
  await assert.rejects(broker.groups(), BrokerStoppedError);
  assert.equal(env.clock.pendingTimers, 0);
});

test('nothing is left of a wait that is over', async () => {
  await using embedded = await startTestEmbedded({ topics: ['orders'] });
  const { broker, env } = embedded;
  const consumer = await consume(embedded);
  await embedded.until(broker.waitForGroup('billing'));
  await embedded.until(consumer.close());
  await env.clock.advanceMs(10_000);
  const timers = env.clock.pendingTimers;
  await embedded.until(broker.waitForGroup('billing', { state: 'Empty' }));
  assert.equal(env.clock.pendingTimers, timers);
});

test('a number or a time that is none is refused', async () => {
  await using embedded = await startTestEmbedded();
  const { broker } = embedded;
  await assert.rejects(broker.waitForGroup('g', { members: -1 }), InvalidArgumentError);
  await assert.rejects(broker.waitForGroup('g', { maxLag: 0.5 }), InvalidArgumentError);
  await assert.rejects(broker.waitForGroup('g', { timeoutMs: Number.NaN }), InvalidArgumentError);
});

test('the profile says whether groups wait for more members, and a setting that is given wins', async () => {
  const delayOf = async (options: Parameters<typeof startTestEmbedded>[0]): Promise<unknown> => {
    await using embedded = await startTestEmbedded(options);
    return embedded.broker.internals.config['group.initial.rebalance.delay.ms'];
  };
  assert.equal(await delayOf({}), 0);
  assert.equal(await delayOf({ profile: 'production' }), 3000);
  assert.equal(await delayOf({ profile: 'test', config: { 'group.initial.rebalance.delay.ms': '1s' } }), 1000);
  // @ts-expect-error there is no such profile
  await assert.rejects(startTestEmbedded({ profile: 'fast' }), InvalidArgumentError);
});
