import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { makeMemoryEnv } from '../base/memory/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { createTopics } from './admin.ts';
import { ClassicMembership } from './classic-membership.ts';
import { ConsumerMembership } from './consumer-membership.ts';
import { Cluster } from './cluster.ts';
import { fetchCommitted } from './committed-offsets.ts';
import { GroupConsumer, type GroupConsumerOptions } from './group-consumer.ts';
import { describeGroups, type GroupDescription } from './groups.ts';
import { Producer } from './producer.ts';

const compute = makeCompute();
const SESSION_MS = 10_000;
const REBALANCE_MS = 60_000;
let seed = 100;

function clusterOf({ env, port }: TestBroker): Promise<Cluster> {
  seed += 1; // each client is another program, with ids of its own
  return Cluster.connect({
    env: makeMemoryEnv({ compute, clock: env.clock, wire: env.wire, seed }),
    brokers: [{ host: 'localhost', port }],
    clientId: `client-${seed}`,
    software: { name: 'test', version: '1' },
    connectTimeoutMs: 1000,
    timeoutMs: 30_000,
  });
}

async function worldOf(partitionCount: number, texts: readonly string[]) {
  const broker = await startTestBroker({
    settings: {
      'group.initial.rebalance.delay.ms': '0',
      'offsets.topic.num.partitions': '1',
      'group.consumer.min.session.timeout.ms': String(SESSION_MS),
      'group.consumer.session.timeout.ms': String(SESSION_MS),
    },
  });
  const cluster = await clusterOf(broker);
  await broker.env.clock.until(
    createTopics(cluster, [{ name: 't', partitions: partitionCount, replicationFactor: 1, configs: new Map() }]),
  );
  await produce(broker, cluster, texts);
  return { broker, cluster };
}

/** Text by text to one partition after the other. */
async function produce({ env }: TestBroker, cluster: Cluster, texts: readonly string[]): Promise<void> {
  const topic = await env.clock.until(cluster.topic('t'));
  const producer = await env.clock.until(Producer.open({ cluster, compute, topic }));
  for (const [index, text] of texts.entries())
    void producer.send({ value: Buffer.from(text), partition: index % topic.partitions.length, timestamp: index });
  await env.clock.until(producer.flush());
}

interface Reader {
  readonly seen: string[];
  readonly consumer: GroupConsumer;
  readonly cluster: Cluster;
  readonly ended: Promise<void>;
  /** Commits and leaves. */
  close(): Promise<void>;
}

async function read(
  broker: TestBroker,
  Membership: typeof ClassicMembership | typeof ConsumerMembership,
  options: Partial<GroupConsumerOptions> & { take?: (text: string) => Promise<void> | void } = {},
): Promise<Reader> {
  const cluster = await broker.env.clock.until(clusterOf(broker));
  const { take } = options;
  const consumer = new GroupConsumer({
    cluster,
    compute,
    groupId: 'g',
    begin: 'earliest',
    membership: new Membership({
      cluster,
      groupId: 'g',
      topics: ['t'],
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      heartbeatIntervalMs: 3000,
    }),
    ...options,
  });
  const seen: string[] = [];
  const run = async (): Promise<void> => {
    for await (const { records } of consumer.records())
      for (const { value } of records) {
        const text = String(value);
        seen.push(text);
        await take?.(text);
      }
  };
  const ended = run();
  ended.catch(() => undefined);
  return {
    seen,
    consumer,
    cluster,
    ended,
    close: async () => {
      await broker.env.clock.until(consumer.close());
      await broker.env.clock.until(ended);
    },
  };
}

async function committedIn({ env }: TestBroker, cluster: Cluster): Promise<number[]> {
  const committed = (await env.clock.until(fetchCommitted(cluster, ['g']))).get('g');
  assert.ok(Array.isArray(committed));
  return committed.map(({ offset }) => offset);
}

async function describe({ env }: TestBroker, cluster: Cluster): Promise<GroupDescription> {
  const group = (await env.clock.until(describeGroups(cluster, ['g']))).get('g');
  assert.ok(group !== undefined && 'members' in group);
  return group;
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => String(from + index));
const sorted = (texts: readonly string[]): string[] => texts.toSorted((a, b) => Number(a) - Number(b));

for (const Membership of [ClassicMembership, ConsumerMembership])
  suite(`reading as a member of a group: ${Membership.name}`, () => {
    test('what was dealt with is committed, and the next member reads on behind it', async () => {
      const { broker, cluster } = await worldOf(3, numbers(0, 30));
      await using _ = broker;
      const first = await read(broker, Membership, { stopAtEnd: true });
      await broker.env.clock.until(first.ended);
      await first.close();
      assert.deepEqual(sorted(first.seen), numbers(0, 30));
      assert.deepEqual(await committedIn(broker, cluster), [10, 10, 10]);
      assert.equal((await describe(broker, cluster)).state, 'Empty', 'it left');
      await produce(broker, cluster, numbers(30, 36));
      const second = await read(broker, Membership, { stopAtEnd: true });
      await broker.env.clock.until(second.ended);
      assert.deepEqual(sorted(second.seen), numbers(30, 36));
      await second.close();
    });

    test('members share the partitions, and what one leaves another goes on with', async () => {
      const { broker, cluster } = await worldOf(4, numbers(0, 8));
      await using _ = broker;
      const anna = await read(broker, Membership);
      await broker.env.advanceMs(1000);
      const bert = await read(broker, Membership);
      await broker.env.advanceMs(10_000);
      const shares = (await describe(broker, cluster)).members.map(({ assignment }) => assignment.flatMap(({ partitions }) => partitions));
      assert.deepEqual(
        shares.map((partitions) => partitions.length),
        [2, 2],
      );
      await produce(broker, cluster, numbers(8, 28));
      await broker.env.advanceMs(1000);
      await anna.close();
      await produce(broker, cluster, numbers(28, 40));
      await broker.env.advanceMs(10_000);
      await bert.close();
      assert.deepEqual(sorted([...anna.seen, ...bert.seen]), numbers(0, 40), 'each record once');
      assert.ok(anna.seen.length > 8 && bert.seen.length > 12);
      assert.deepEqual(await committedIn(broker, cluster), [10, 10, 10, 10]);
    });

    test('however long the caller takes over a record, the member stays', async () => {
      const { broker, cluster } = await worldOf(1, ['slow', 'next']);
      await using _ = broker;
      const clock = broker.env;
      const reader = await read(broker, Membership, {
        take: () => new Promise((resolve) => void clock.clock.timer(5 * SESSION_MS, resolve)),
      });
      await broker.env.advanceMs(4 * SESSION_MS);
      assert.equal((await describe(broker, cluster)).members.length, 1);
      assert.deepEqual(reader.seen, ['slow']);
      await broker.env.advanceMs(7 * SESSION_MS);
      assert.deepEqual(reader.seen, ['slow', 'next']);
      await reader.close();
      assert.deepEqual(await committedIn(broker, cluster), [2]);
    });

    test('who breaks off within a batch commits what it has dealt with', async () => {
      const { broker, cluster } = await worldOf(1, numbers(0, 10));
      await using _ = broker;
      const reader = await read(broker, Membership, { take: () => new Promise(() => undefined) }); // takes one record, and never the next
      await broker.env.advanceMs(1000);
      reader.consumer.processed({ topic: 't', partition: 0 }, 1);
      await broker.env.clock.until(reader.consumer.close());
      assert.deepEqual(await committedIn(broker, cluster), [1]);
    });

    test('a member that vanishes is waited for as long as its session, and what it had not committed is read again', async () => {
      const { broker, cluster } = await worldOf(1, numbers(0, 5));
      await using _ = broker;
      const lost = await read(broker, Membership);
      await broker.env.advanceMs(6000); // beyond the first commit
      await produce(broker, cluster, numbers(5, 8));
      await broker.env.advanceMs(1000);
      lost.cluster.close();
      await assert.rejects(broker.env.clock.until(lost.ended));
      const heir = await read(broker, Membership);
      await broker.env.advanceMs(SESSION_MS + 5000);
      assert.deepEqual(heir.seen, numbers(5, 8));
      await heir.close();
    });

    test('commits go on while it reads, and not only at the end', async () => {
      const { broker, cluster } = await worldOf(1, numbers(0, 5));
      await using _ = broker;
      const reader = await read(broker, Membership);
      await broker.env.advanceMs(6000);
      assert.deepEqual(await committedIn(broker, cluster), [5]);
      await reader.close();
    });

    test('a broker that was killed is found again, and nothing is left out', async () => {
      const { broker, cluster } = await worldOf(2, numbers(0, 10));
      const reader = await read(broker, Membership);
      await broker.env.advanceMs(6000);
      const settings = { listeners: `PLAINTEXT://localhost:${broker.port}` };
      await using second = await broker.crash({ settings });
      await broker.env.advanceMs(2000);
      await produce(second, cluster, numbers(10, 20));
      await second.env.advanceMs(SESSION_MS + 10_000);
      assert.deepEqual(sorted(reader.seen), numbers(0, 20));
      await second.env.clock.until(reader.consumer.close());
      assert.deepEqual(await committedIn(second, cluster), [10, 10]);
    });

    test('one that ends at the end waits for the partitions that others have to let go of', async () => {
      const { broker } = await worldOf(2, numbers(0, 4));
      await using _ = broker;
      const first = await read(broker, Membership);
      await broker.env.advanceMs(10_000);
      const second = await read(broker, Membership, { stopAtEnd: true, onShare: (share) => shares.push(share.length) });
      const shares: number[] = [];
      await broker.env.clock.until(second.ended);
      await second.close();
      assert.equal(shares.at(-1), 1);
      await first.close();
    });

    test('where nothing is committed it may begin at the end', async () => {
      const { broker, cluster } = await worldOf(1, numbers(0, 5));
      await using _ = broker;
      const reader = await read(broker, Membership, { begin: 'latest' });
      await broker.env.advanceMs(1000);
      await produce(broker, cluster, numbers(5, 7));
      await broker.env.advanceMs(1000);
      assert.deepEqual(reader.seen, numbers(5, 7));
      await reader.close();
    });
  });

test('one that asks for the impossible is refused plainly', async () => {
  const { broker } = await worldOf(1, []);
  await using _ = broker;
  const cluster = await broker.env.clock.until(clusterOf(broker));
  const membership = new ClassicMembership({
    cluster,
    groupId: 'g',
    topics: ['t'],
    sessionTimeoutMs: 1,
    rebalanceTimeoutMs: REBALANCE_MS,
    heartbeatIntervalMs: 3000,
  });
  await assert.rejects(broker.env.clock.until(membership.join()), { errorName: 'INVALID_SESSION_TIMEOUT' });
});
