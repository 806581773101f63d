// What consumer groups cost the broker: heartbeats and commits that it takes, how long a rebalance keeps a group, and how
// long a coordinator needs to know a million committed offsets again after a kill.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { offsetFetchRequest, offsetFetchResponse } from '../src/protocol/messages/offset-fetch.ts';
import { ZERO_UUID } from '../src/protocol/reader.ts';
import type { BenchContext, Case } from './bench-context.ts';
import { Comparison } from './comparison.ts';
import { notYet } from './load/consumer-groups.ts';
import { groupNames } from './load/groups.ts';
import type { GroupLoad, LoadResult } from './load/messages.ts';
import { bucketrider, kafka, kafkaSynced, startParty, withDirectory, type Party, type RunningParty } from './parties.ts';
import { createTopic, withConnection } from './topics.ts';

const TOPIC = 'bench';
/** Members of a real group come within moments of each other; so do these, and both brokers wait for them alike. */
const settings = ['group.initial.rebalance.delay.ms=300', 'offsets.topic.num.partitions=50', 'group.consumer.max.size=10000'];

async function withParty<Result>(context: BenchContext, party: Party, work: (server: RunningParty) => Promise<Result>): Promise<Result> {
  return withDirectory(context.dataParent, async (parent) => {
    const server = await startParty(party, { dataDirectory: join(parent, 'data'), settings });
    try {
      return await work(server);
    } finally {
      await server.end('SIGKILL');
    }
  });
}

type Played = LoadResult & { readonly serverCpuSeconds: number };

async function play(context: BenchContext, party: Party, load: Partial<GroupLoad>): Promise<Played> {
  return withParty(context, party, async (server) => {
    await createTopic(server, TOPIC, load.partitions ?? 10);
    const cpuBefore = server.cpuSeconds() ?? Number.NaN;
    const result = await context.generator.run({
      kind: 'group',
      what: 'heartbeat',
      host: server.host,
      port: server.port,
      topic: TOPIC,
      partitions: 10,
      connections: 0,
      warmUpMs: context.warmUpMs,
      measureMs: context.measureMs,
      groups: 10,
      membersPerGroup: 10,
      rebalances: 0,
      ...load,
    });
    return { ...result, serverCpuSeconds: (server.cpuSeconds() ?? Number.NaN) - cpuBefore };
  });
}

const rateCase = (what: GroupLoad['what'], title: string, parties: readonly Party[]): Case => ({
  name: `groups-${what}s`,
  title,
  async run(context) {
    const rates = new Comparison({ title, unit: 'requests/s', goals: goalsAgainst(parties, false) });
    const costs = new Comparison({
      title: `${title}: processor time of the broker for each`,
      unit: 'µs',
      goals: goalsAgainst(parties, true),
    });
    for (let round = 0; round < context.rounds; round += 1) {
      for (const party of context.present(parties)) {
        const played = await play(context, party, { what });
        const perSecond = played.requests / played.seconds;
        // The processor time is that of the whole run, so everything that was answered in it counts.
        const microseconds = (played.serverCpuSeconds * 1e6) / played.allRequests;
        rates.add(party.name, perSecond, `p99 ${played.latencyMs.p99.toFixed(2)} ms`);
        costs.add(party.name, microseconds);
        const generator = Math.round(played.generatorCpu * 100);
        context.log(
          `  ${party.name}: ${Math.round(perSecond)} a second, ${microseconds.toFixed(0)} µs each, generator ${generator} % of its core`,
        );
      }
    }
    return [rates, costs];
  },
});

const goalsAgainst = (parties: readonly Party[], atMost: boolean) =>
  parties
    .filter(({ name }) => name !== bucketrider.name)
    .map(({ name }) => ({ of: bucketrider.name, to: name, wanted: 1, atMost, says: `beside ${name}` }));

type Rebalance = 'rebalance' | 'consumer-rebalance' | 'consumer-join';

/**
 * Done means the same for both brokers: in the classic protocol the last member has its share of one generation that holds
 * them all; in the consumer protocol all members have one epoch, have told the broker what they own, and own every partition.
 */
const rebalanceTitles: Record<Rebalance, (members: number) => string> = {
  rebalance: (members) =>
    `A classic group of ${members.toLocaleString('en')} members rebalances, from the first JoinGroup to the last share`,
  'consumer-rebalance': (members) =>
    `One more comes to ${(members - 1).toLocaleString('en')} members of the consumer protocol, until all has settled`,
  'consumer-join': (members) => `${members.toLocaleString('en')} members of the consumer protocol come at once, until all has settled`,
};

const rebalanceCase = (what: Rebalance, members: number): Case => ({
  name: `groups-${what}-${members}`,
  title: rebalanceTitles[what](members),
  async run(context) {
    const parties = [bucketrider, kafka];
    const comparison = new Comparison({ title: this.title, unit: 'ms', goals: goalsAgainst(parties, true) });
    // The median of several: the first meets a broker that has not done it before, and takes several times as long in both.
    const rebalances = context.quick ? 1 : members > 100 ? 3 : 10;
    const failed = new Set<Party>();
    for (let round = 0; round < context.rounds; round += 1) {
      for (const party of context.present(parties).filter((one) => !failed.has(one))) {
        const load = { what, groups: 1, membersPerGroup: members, partitions: members, rebalances };
        try {
          const played = await play(context, party, load);
          comparison.add(party.name, played.latencyMs.p50, `slowest ${played.latencyMs.max.toFixed(0)} ms`);
          context.log(`  ${party.name}: ${played.latencyMs.p50.toFixed(1)} ms, generator ${Math.round(played.generatorCpu * 100)} %`);
        } catch (thrown) {
          failed.add(party);
          comparison.add(party.name, Number.NaN, `failed: ${String(thrown)}`);
          context.log(`  ${party.name}: ${String(thrown)}`);
        }
      }
    }
    return [comparison];
  },
});

const TOPICS = 10;
const PARTITIONS_PER_TOPIC = 100;
const GROUPS = 1000;
const OFFSETS = TOPICS * PARTITIONS_PER_TOPIC * GROUPS;

const loadingCase: Case = {
  name: 'groups-loading',
  title: `${OFFSETS.toLocaleString('en')} committed offsets of ${GROUPS.toLocaleString('en')} groups, after a kill: until every group answers`,
  async run(context) {
    const parties = [bucketrider, kafka];
    const ready = new Comparison({ title: `${this.title}, from the ready line`, unit: 's', goals: goalsAgainst(parties, true) });
    const whole = new Comparison({ title: `${this.title}, from the start of the process`, unit: 's', goals: goalsAgainst(parties, true) });
    for (let round = 0; round < context.rounds; round += 1) {
      for (const party of context.present(parties)) {
        const { readyMs, answeredMs, residentBytes } = await killAndLoad(context, party);
        ready.add(party.name, (answeredMs - readyMs) / 1000);
        whole.add(party.name, answeredMs / 1000, `${Math.round(residentBytes / 1e6)} MB resident`);
        context.log(`  ${party.name}: ready ${Math.round(readyMs)} ms, all groups ${Math.round(answeredMs)} ms`);
      }
    }
    return [ready, whole];
  },
};

async function killAndLoad(context: BenchContext, party: Party): Promise<{ readyMs: number; answeredMs: number; residentBytes: number }> {
  return withDirectory(context.dataParent, async (parent) => {
    const dataDirectory = join(parent, 'data');
    const groups = context.quick ? GROUPS / 10 : GROUPS;
    const topics = Array.from({ length: TOPICS }, (_, nth) => `${TOPIC}-${nth}`);
    const first = await startParty(party, { dataDirectory, settings });
    for (const topic of topics) await createTopic(first, topic, PARTITIONS_PER_TOPIC);
    const { host, port } = first;
    const where = { host, port, topic: TOPIC, partitions: PARTITIONS_PER_TOPIC, connections: 1, warmUpMs: 0, measureMs: 0 };
    const written = await context.generator.run({ kind: 'commit-all', ...where, topics, groups });
    context.log(
      `  ${party.name}: ${Math.round(written.records / written.seconds)} offsets a second in requests of ${PARTITIONS_PER_TOPIC}`,
    );
    await first.end('SIGKILL');
    const startedMs = performance.now();
    const second = await startParty(party, { dataDirectory, settings });
    const readyMs = performance.now() - startedMs;
    await untilEveryGroupAnswers(second, groupNames(groups));
    const answeredMs = performance.now() - startedMs;
    const residentBytes = second.residentBytes() ?? Number.NaN;
    await second.end('SIGKILL');
    return { readyMs, answeredMs, residentBytes };
  });
}

async function untilEveryGroupAnswers(server: RunningParty, groups: readonly string[]): Promise<void> {
  await withConnection(server, async (connection) => {
    for (const groupId of groups) {
      for (;;) {
        const answer = await connection.request({ request: offsetFetchRequest, response: offsetFetchResponse }, 8, {
          groupId: '',
          topics: null,
          groups: [{ groupId, topics: [{ name: `${TOPIC}-0`, topicId: ZERO_UUID, partitionIndexes: [0] }] }],
          requireStable: false,
        });
        const { errorCode = -1, topics = [] } = answer.groups[0] ?? {};
        if (errorCode === 0) {
          if (topics[0]?.partitions[0]?.committedOffset !== 1_000_000) throw new Error(`${groupId} has lost what it committed`);
          break;
        }
        if (!notYet.has(errorCode)) throw new Error(`OffsetFetch answers error ${errorCode}`);
        await sleep(5);
      }
    }
  });
}

export const groupCases: readonly Case[] = [
  rateCase('heartbeat', 'Heartbeats of 100 members in 10 groups, each sends the next when one is answered', [bucketrider, kafka]),
  rateCase('commit', 'Commits of 100 members in 10 groups, one offset each, likewise', [bucketrider, kafka, kafkaSynced]),
  rateCase('consumer-heartbeat', 'Heartbeats of the consumer protocol, 100 members in 10 groups, likewise', [bucketrider, kafka]),
  rebalanceCase('rebalance', 100),
  rebalanceCase('rebalance', 1000),
  rebalanceCase('consumer-rebalance', 100),
  rebalanceCase('consumer-rebalance', 1000),
  rebalanceCase('consumer-join', 100),
  rebalanceCase('consumer-join', 1000),
  loadingCase,
];
