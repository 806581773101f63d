// Throughput of several servers in turns: each is started once and warmed up, then the load goes from one to the next in
// short turns, round after round. So other work on the machine and a disk that swings meet all of them, many rounds fit
// into a minute, and a JVM has compiled what it runs. What counts is the ratio within a round.
import type { BenchContext } from './bench-context.ts';
import type { Comparison } from './comparison.ts';
import type { LoadResult, ProduceLoad } from './load/messages.ts';
import { startParty, withDirectory, type Party, type RunningParty } from './parties.ts';
import { createTopic } from './topics.ts';

export type Shape = Pick<ProduceLoad, 'partitions' | 'batchBytes' | 'recordBytes' | 'batchesPerRequest' | 'connections' | 'inFlight'> &
  Partial<Pick<ProduceLoad, 'requestsPerSecond'>>;

/** One row of the table. Several may be of the same party, which then has a topic for each number of partitions. */
export interface Contender {
  readonly name: string;
  readonly party: Party;
  readonly shape: Shape;
}

/** Not counted at the head of each turn: the connections are new, and the last party's pages are on their way to the disk. */
const SETTLE_MS = 200;

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
    const running = new Set<Contender>();
    for (const contender of contenders) if (await warmUp(context, comparison, contender, servers)) running.add(contender);
    const turns = [...running];
    for (let round = 0; round < context.turns; round += 1) {
      // Whoever comes first in one round comes last in the next.
      if (turns.length > 0) turns.push(turns.shift() as Contender);
      for (const contender of turns) {
        const [value, remark] = await takeTurn(context, comparison, contender, servers).catch((thrown: unknown): [number, string] => [
          Number.NaN,
          `failed: ${String(thrown)}`,
        ]);
        comparison.add(contender.name, value, remark);
      }
      await besides();
    }
    for (const { party, values } of comparison.series) context.log(`  ${party}: ${values.map((value) => value.toFixed(0)).join(' ')}`);
  });
}

type Servers = ReadonlyMap<Party, RunningParty | undefined>;

/** All of them at once, each with data of its own; one that does not start is left out and says why. */
async function withServers(context: BenchContext, parties: readonly Party[], work: (servers: Servers) => Promise<void>): Promise<void> {
  const servers = new Map<Party, RunningParty | undefined>();
  const next = async (at: number): Promise<void> => {
    const party = parties[at];
    if (party === undefined) return work(servers);
    await withDirectory(context.dataParent, async (dataDirectory) => {
      const server = await startParty(party, { dataDirectory }).catch((thrown: unknown) =>
        context.log(`  ${party.name}: ${String(thrown)}`),
      );
      servers.set(party, server ?? undefined);
      try {
        await next(at + 1);
      } finally {
        await server?.end('SIGKILL'); // the directory goes at once; nothing need be left tidy
      }
    });
  };
  await next(0);
}

async function warmUp(context: BenchContext, comparison: Comparison, contender: Contender, servers: Servers): Promise<boolean> {
  const { party, shape, name } = contender;
  const server = servers.get(party);
  try {
    if (server === undefined) throw new Error('it did not start');
    if (party.hasTopics) await createTopic(server, topicOf(shape), shape.partitions);
    await play(context, contender, server, { warmUpMs: 0, measureMs: context.warmUpMs });
    return true;
  } catch (thrown) {
    comparison.add(name, Number.NaN, `failed: ${String(thrown)}`);
    context.log(`  ${name}: failed: ${String(thrown)}\n${server?.lastLines() ?? ''}`);
    return false;
  }
}

function play(
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
  comparison: Comparison,
  contender: Contender,
  servers: Servers,
): Promise<[value: number, remark: string]> {
  const server = servers.get(contender.party);
  if (server === undefined) throw new Error('it did not start');
  const cpuBefore = server.cpuSeconds() ?? Number.NaN;
  const result = await play(context, contender, server, { warmUpMs: SETTLE_MS, measureMs: context.turnMs });
  const cpuSeconds = (server.cpuSeconds() ?? Number.NaN) - cpuBefore;
  const megabytes = (result.bytes / 1e6) * (1 + SETTLE_MS / 1000 / result.seconds);
  const value = comparison.unit === 'MB/s' ? result.bytes / 1e6 / result.seconds : result.requests / result.seconds;
  const remark = `p99 ${result.latencyMs.p99.toFixed(1)} ms, ${((cpuSeconds * 1000) / megabytes).toFixed(1)} ms of processor a MB, generator ${Math.round(result.generatorCpu * 100)} % of a core`;
  return [value, remark];
}
