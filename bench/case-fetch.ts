// Fetch: four consumers with a partition each, from the newest batches (which this broker holds in memory), from files
// the kernel still has in memory, and from the disk itself.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext, Case } from './bench-context.ts';
import { Comparison, type Goal } from './comparison.ts';
import type { FetchLoad, LoadResult } from './load/messages.ts';
import { bucketrider, ceiling, kafka, startParty, withDirectory, type Party, type RunningParty } from './parties.ts';
import { createTopic, endOffsets } from './topics.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const TOPIC = 'bench';
const PARTITIONS = 4;
/** As a Java producer with linger.ms and a larger batch.size would write them. */
const shape = { batchBytes: 64 * KIB, recordBytes: KIB };
/** What a consumer asks of one partition (max.partition.fetch.bytes). */
const MAX_BYTES = MIB;
/** Of each partition; all of them together stay well within the default storage.cache.bytes. */
const TAIL_BYTES = 8 * MIB;

const goals: Goal[] = [
  { of: bucketrider.name, to: kafka.name, ratio: 0.8, says: "0.8 of Kafka's, which has sendfile" },
  { of: bucketrider.name, to: ceiling.name, ratio: 0.7, says: '0.7 of the ceiling, which reads its files' },
];

export const fetchCase: Case = {
  name: 'fetch',
  title: 'Fetch, four partitions, batches of 64 KiB, 1 MiB a request',
  async run(context) {
    const about = (from: string): Comparison => new Comparison({ title: `${this.title}: ${from}`, unit: 'MB/s', goals });
    const [tail, cached, cold] = [about('the newest 8 MiB'), about('from files in the page cache'), about('from the disk')];
    for (let round = 0; round < context.rounds; round += 1) {
      for (const party of context.present([bucketrider, ceiling, kafka])) {
        try {
          const results = await runOnce(context, party);
          for (const [comparison, result] of [
            [tail, results.tail],
            [cached, results.cached],
            [cold, results.cold],
          ] as const) {
            if (result === undefined) continue;
            const rate = result.bytes / 1e6 / result.seconds;
            comparison.add(
              party.name,
              rate,
              `p99 ${result.latencyMs.p99.toFixed(1)} ms, server ${Math.round(result.serverCpu * 100)} % of a core`,
            );
            context.log(`  ${party.name}, ${comparison.title}: ${rate.toFixed(0)} MB/s`);
          }
        } catch (thrown) {
          for (const comparison of [tail, cached, cold]) comparison.add(party.name, Number.NaN, `failed: ${String(thrown)}`);
          context.log(`  ${party.name}: ${String(thrown)}`);
        }
      }
    }
    return cold.series.length === 0 ? [tail, cached] : [tail, cached, cold];
  },
};

type WithCpu = LoadResult & { serverCpu: number };

async function runOnce(context: BenchContext, party: Party): Promise<{ tail: WithCpu; cached: WithCpu; cold: WithCpu | undefined }> {
  return withDirectory(context.dataParent, async (dataDirectory) => {
    const server = await startParty(party, { dataDirectory });
    try {
      const end = await fill(context, party, server);
      const { offsetOf } = end;
      const load: Omit<FetchLoad, 'fromOffset'> = {
        kind: 'fetch',
        host: server.host,
        port: server.port,
        topic: TOPIC,
        partitions: PARTITIONS,
        connections: PARTITIONS,
        warmUpMs: 0,
        measureMs: context.measureMs,
        ...shape,
        maxBytes: MAX_BYTES,
        toOffset: end.offset,
        once: true,
      };
      const play = (one: FetchLoad): Promise<WithCpu> => withCpu(server, () => context.generator.run(one));
      // The files come first, so that everybody is warm when the tail is read for longer.
      const cached = await play({ ...load, fromOffset: 0 });
      const cold = dropFromPageCache(dataDirectory) ? await play({ ...load, fromOffset: 0 }) : undefined;
      const fromOffset = end.offset - offsetOf(TAIL_BYTES);
      const tail = await play({ ...load, fromOffset, once: false, warmUpMs: context.warmUpMs });
      return { tail, cached, cold };
    } catch (thrown) {
      throw new Error(`${thrown instanceof Error ? thrown.message : String(thrown)}\n${server.lastLines()}`, { cause: thrown });
    } finally {
      await server.end('SIGKILL');
    }
  });
}

/** Writes the log that is then read; returns an offset that every partition has. */
async function fill(
  context: BenchContext,
  party: Party,
  server: RunningParty,
): Promise<{ offset: number; offsetOf: (bytes: number) => number }> {
  if (party.hasTopics) await createTopic(server, TOPIC, PARTITIONS);
  const perPartition = (context.quick ? 64 : context.long ? 512 : 256) * MIB;
  const requests = (perPartition / shape.batchBytes) * PARTITIONS;
  const written = await context.generator.run({
    kind: 'produce',
    host: server.host,
    port: server.port,
    topic: TOPIC,
    partitions: PARTITIONS,
    connections: PARTITIONS,
    warmUpMs: 0,
    measureMs: 0,
    ...shape,
    batchesPerRequest: 1,
    inFlight: 5,
    requestsPerSecond: 0,
    totalRequests: requests,
  });
  const recordsPerBatch = written.records / written.requests;
  const bytesPerBatch = written.bytes / written.requests;
  // The ceiling does not know offsets; its partitions differ by what one connection has in flight, at most.
  const offset = party.hasTopics
    ? Math.min(...(await endOffsets(server, TOPIC, PARTITIONS)))
    : (requests / PARTITIONS - 32) * recordsPerBatch;
  return { offset, offsetOf: (bytes) => Math.floor(bytes / bytesPerBatch) * recordsPerBatch };
}

async function withCpu(server: RunningParty, work: () => Promise<LoadResult>): Promise<WithCpu> {
  const [cpuBefore, startedMs] = [server.cpuSeconds() ?? Number.NaN, performance.now()];
  const result = await work();
  return { ...result, serverCpu: ((server.cpuSeconds() ?? Number.NaN) - cpuBefore) / ((performance.now() - startedMs) / 1000) };
}

/** Makes the kernel forget what it holds of the logs in a folder; false where there is no tool for that. */
function dropFromPageCache(directory: string): boolean {
  spawnSync('sync', ['-f', directory]); // only what is on the disk can be forgotten
  const logs = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.log'));
  return logs.every((file) => {
    const path = join(directory, file);
    return spawnSync('dd', [`if=${path}`, 'of=/dev/null', 'iflag=nocache', 'count=0', 'status=none'], { stdio: 'ignore' }).status === 0;
  });
}
