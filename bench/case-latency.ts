// Produce latency under a load that saturates nobody: a tenth of what the slower of this broker and Kafka can take, the same
// number of requests a second for all. Requests leave when they are due, whatever came back.
import type { BenchContext, Case } from './bench-context.ts';
import { clients } from './case-produce.ts';
import { Comparison, spreadOf, type Goal } from './comparison.ts';
import { inTurns, play, SETTLE_MS, warmUp, withServers, type Contender, type Servers } from './in-turns.ts';
import type { LoadResult, ProduceLoad } from './load/messages.ts';
import { bucketrider, ceiling, kafka, kafkaSynced } from './parties.ts';

const KIB = 1024;
const shape = { partitions: 1, batchBytes: 16 * KIB, recordBytes: KIB, batchesPerRequest: 1, ...clients };
/** Enough that no request waits for the answer to another. */
const PACED_IN_FLIGHT = 100;

const goals: Goal[] = [
  { of: bucketrider.name, to: kafka.name, wanted: 0.5, atMost: true, says: "at most half of Kafka's, which does not sync" },
  { of: bucketrider.name, to: kafkaSynced.name, wanted: 0.5, atMost: true, says: "at most half of Kafka's with fsync" },
];

export const latencyCase: Case = {
  name: 'latency',
  title: 'Produce latency at a tenth of saturation',
  async run(context) {
    const parties = context.present([bucketrider, ceiling, kafka, kafkaSynced]);
    return withServers(context, parties, async (servers) => {
      const contenders: Contender[] = [];
      for (const party of parties) {
        const contender = { name: party.name, party, shape };
        if ((await warmUp(context, contender, servers)) === undefined) contenders.push(contender);
      }
      const requestsPerSecond = Math.max(10, Math.round((await saturationOfTheSlower(context, contenders, servers)) / 10));
      context.log(`  ${requestsPerSecond} requests/s`);
      const about = `Produce, 16 KiB, one partition, ${requestsPerSecond} requests/s (a tenth of saturation)`;
      const p99 = new Comparison({ title: `${about}: p99`, unit: 'ms', goals });
      const p50 = new Comparison({ title: `${about}: median`, unit: 'ms' });
      for (const { name } of contenders) for (const comparison of [p99, p50]) comparison.enlist(name);
      const times = { warmUpMs: 2 * SETTLE_MS, measureMs: 2.5 * context.turnMs };
      await inTurns(context.turns, contenders, async (contender) => {
        const paced = { ...contender, shape: { ...shape, inFlight: PACED_IN_FLIGHT, requestsPerSecond } };
        const { latencyMs } = await turn(context, paced, servers, times);
        p99.add(contender.name, latencyMs.p99, `p99.9 ${latencyMs.p999.toFixed(1)}, largest ${latencyMs.max.toFixed(1)} ms`);
        p50.add(contender.name, latencyMs.p50);
      });
      for (const { party, values } of p99.series) context.log(`  ${party}, p99: ${values.map((value) => value.toFixed(1)).join(' ')} ms`);
      return [p99, p50];
    });
  },
};

async function saturationOfTheSlower(context: BenchContext, contenders: readonly Contender[], servers: Servers): Promise<number> {
  const rates = new Map<Contender, number[]>();
  const compared = contenders.filter(({ party }) => party === bucketrider || party === kafka);
  await inTurns(context.quick ? 1 : 3, compared, async (contender) => {
    const { requests, seconds } = await turn(context, contender, servers, { warmUpMs: SETTLE_MS, measureMs: context.turnMs });
    rates.set(contender, [...(rates.get(contender) ?? []), requests / seconds]);
  });
  return Math.min(...[...rates.values()].map((values) => spreadOf(values)?.median ?? Infinity));
}

async function turn(
  context: BenchContext,
  contender: Contender,
  servers: Servers,
  times: Pick<ProduceLoad, 'warmUpMs' | 'measureMs'>,
): Promise<LoadResult> {
  const server = servers.get(contender.party);
  if (server === undefined) throw new Error(`${contender.name} did not start`);
  return play(context, contender, server, times);
}
