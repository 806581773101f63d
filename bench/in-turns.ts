// Throughput of several servers in turns: each is started once and warmed up, then the load goes from one to the next in
// short turns, round after round. So other work on the machine and a disk that swings meet all of them, many rounds fit
// into a minute, and a JVM has compiled what it runs. What counts is the ratio within a round.
import { SeededRandom } from '../src/base/memory/random.ts';
import type { BenchContext } from './bench-context.ts';
import type { Comparison, Unit } from './comparison.ts';
import type { LoadResult, ProduceLoad } from './load/messages.ts';
import { startParty, withDirectory, type Party, type RunningParty } from './parties.ts';
import { createTopic } from './topics.ts';
import { orderOfRound, rateOf, remarkOn } from './turns.ts';

export type Shape = Pick<ProduceLoad, 'partitions' | 'batchBytes' | 'recordBytes' | 'batchesPerRequest' | 'connections' | 'inFlight'> &
  Partial<Pick<ProduceLoad, 'requestsPerSecond'>>;

/** One row of the table. Several may be of the same party, which then has a topic for each number of partitions. */
export interface Contender {
  readonly name: string;
  readonly party: Party;
  readonly shape: Shape;
}

/** Not counted at the head of each turn: the connections are new, and the last party's pages are on their way to the disk. */
export const SETTLE_MS = 200;

const topicOf = ({ partitions }: Shape): string => `bench-${partitions}`;

/** `besides` is what else is measured in every round. */
export async function measureInTurns(
  context: BenchContext,
  comparison: Comparison,
  contenders: readonly Contender[],
  besides: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  for (const { name } of contenders) comparison.enlist(name);
  const parties = [...new Set(contenders.map(({ party }) => party))];
  await withServers(context, parties, async (servers) => {
    const running: Contender[] = [];
    for (const contender of contenders) {
      const failure = await warmUp(context, contender, servers);
      if (failure === undefined) running.push(contender);
      else comparison.add(contender.name, Number.NaN, failure);
    }
    const failed = new Set<Contender>();
    const turn = async (contender: Contender): Promise<void> => {
      if (failed.has(contender)) return; // the others need not wait for it again
      try {
        comparison.add(contender.name, ...(await takeTurn(context, comparison.unit, contender, servers)));
      } catch (thrown) {
        failed.add(contender);
        comparison.add(contender.name, Number.NaN, `failed: ${String(thrown)}`);
      }
    };
    await inTurns(context.turns, running, turn, besides);
    for (const { party, values } of comparison.series) context.log(`  ${party}: ${values.map((value) => value.toFixed(0)).join(' ')}`);
  });
}

/** Rounds in which everybody has one turn, in another order each time. */
export async function inTurns<One>(
  rounds: number,
  contenders: readonly One[],
  turn: (contender: One) => Promise<void>,
  besides: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const random = new SeededRandom(1);
  for (let round = 0; round < rounds; round += 1) {
    for (const contender of orderOfRound(contenders, random)) await turn(contender);
    await besides();
  }
}

export type Servers = ReadonlyMap<Party, RunningParty | undefined>;

/** All of them at once, each with data of its own; one that does not start is left out and says why. */
export async function withServers<Result>(
  context: BenchContext,
  parties: readonly Party[],
  work: (servers: Servers) => Promise<Result>,
): Promise<Result> {
  const servers = new Map<Party, RunningParty | undefined>();
  const next = async (at: number): Promise<Result> => {
    const party = parties[at];
    if (party === undefined) return work(servers);
    return withDirectory(context.dataParent, async (dataDirectory) => {
      const server = await startParty(party, { dataDirectory }).catch((thrown: unknown) =>
        context.log(`  ${party.name}: ${String(thrown)}`),
      );
      servers.set(party, server ?? undefined);
      try {
        return await next(at + 1);
      } finally {
        await server?.end('SIGKILL'); // the directory goes at once; nothing need be left tidy
      }
    });
  };
  return next(0);
}

/** Returns why it could not be done. */
export async function warmUp(context: BenchContext, contender: Contender, servers: Servers): Promise<string | undefined> {
  const { party, shape, name } = contender;
  const server = servers.get(party);
  try {
    if (server === undefined) throw new Error('it did not start');
    if (party.hasTopics) await createTopic(server, topicOf(shape), shape.partitions);
    await play(context, contender, server, { warmUpMs: 0, measureMs: context.warmUpMs });
    return undefined;
  } catch (thrown) {
    const failure = `failed: ${String(thrown)}`;
    context.log(`  ${name}: ${failure}\n${server?.lastLines() ?? ''}`);
    return failure;
  }
}

export function play(
  context: BenchContext,
  { shape }: Contender,
  server: RunningParty,
  times: Pick<ProduceLoad, 'warmUpMs' | 'measureMs'>,
): Promise<LoadResult> {
  const { host, port } = server;
  return context.generator.run({
    kind: 'produce',
    host,
    port,
    topic: topicOf(shape),
    requestsPerSecond: 0,
    totalRequests: 0,
    ...shape,
    ...times,
  });
}

async function takeTurn(
  context: BenchContext,
  unit: Unit,
  contender: Contender,
  servers: Servers,
): Promise<[value: number, remark: string]> {
  const server = servers.get(contender.party);
  if (server === undefined) throw new Error('it did not start');
  const cpuBefore = server.cpuSeconds() ?? Number.NaN;
  const result = await play(context, contender, server, { warmUpMs: SETTLE_MS, measureMs: context.turnMs });
  return [rateOf(result, unit), remarkOn(result, (server.cpuSeconds() ?? Number.NaN) - cpuBefore)];
}
