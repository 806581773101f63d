// Fetch: four consumers with a partition each, from the newest batches (which this broker holds in memory), from files
// the kernel still has in memory, and from the disk itself. In turns, as produce is; the logs are written once.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext, Case } from './bench-context.ts';
import { Comparison, type Goal } from './comparison.ts';
import { inTurns, SETTLE_MS, withServers } from './in-turns.ts';
import type { FetchLoad } from './load/messages.ts';
import { bucketrider, ceiling, kafka, type Party, type RunningParty } from './parties.ts';
import { createTopic, endOffsets } from './topics.ts';
import { rateOf, remarkOn } from './turns.ts';

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
/** Of each partition, once a turn: a disk that gives 100 MB/s takes some three seconds for all of them. */
const COLD_BYTES = 64 * MIB;

const goals: Goal[] = [
  { of: bucketrider.name, to: kafka.name, wanted: 0.8, says: "0.8 of Kafka's, which has sendfile" },
  { of: bucketrider.name, to: kafka.name, wanted: 1, says: 'as much as Kafka' },
  { of: bucketrider.name, to: ceiling.name, wanted: 0.7, says: '0.7 of the ceiling, which reads its files' },
];

interface Reader {
  readonly party: Party;
  readonly server: RunningParty;
  readonly end: number;
  offsetOf(bytes: number): number;
}

export const fetchCase: Case = {
  name: 'fetch',
  title: 'Fetch, four partitions, batches of 64 KiB, 1 MiB a request',
  async run(context) {
    const about = (from: string): Comparison => new Comparison({ title: `${this.title}, ${from}`, unit: 'MB/s', goals });
    const [tail, cached, cold] = [about('the newest 8 MiB of each'), about('from files in the page cache'), about('from the disk')];
    const parties = context.present([bucketrider, ceiling, kafka]);
    await withServers(context, parties, async (servers) => {
      const readers: Reader[] = [];
      for (const party of parties) {
        const server = servers.get(party);
        if (server === undefined) continue;
        const reader = await fill(context, party, server);
        for (const load of [everything(context, reader), newest(context, reader)])
          await context.generator.run({ ...load, measureMs: context.warmUpMs / 2 });
        readers.push(reader);
        for (const comparison of [tail, cached]) comparison.enlist(party.name);
      }
      await inTurns(context.turns, readers, async (reader) => {
        await measure(context, tail, reader, newest(context, reader));
        await measure(context, cached, reader, everything(context, reader));
        if (dropFromPageCache(reader.server.dataDirectory)) await measure(context, cold, reader, fromTheDisk(reader));
      });
    });
    const measured = [tail, cached, cold].filter(({ series }) => series.length > 0);
    for (const { title, series } of measured)
      for (const { party, values } of series) context.log(`  ${party}, ${title}: ${values.map((value) => value.toFixed(0)).join(' ')}`);
    return measured;
  },
};

async function measure(context: BenchContext, comparison: Comparison, { party, server }: Reader, load: FetchLoad): Promise<void> {
  try {
    const cpuBefore = server.cpuSeconds() ?? Number.NaN;
    const result = await context.generator.run(load);
    const cpuSeconds = (server.cpuSeconds() ?? Number.NaN) - cpuBefore;
    comparison.add(party.name, rateOf(result, comparison.unit), remarkOn(result, cpuSeconds));
  } catch (thrown) {
    comparison.add(party.name, Number.NaN, `failed: ${String(thrown)}`);
    context.log(`  ${party.name}: ${String(thrown)}\n${server.lastLines()}`);
  }
}

const loadOn = ({ server: { host, port } }: Reader) => ({
  kind: 'fetch' as const,
  host,
  port,
  topic: TOPIC,
  partitions: PARTITIONS,
  connections: PARTITIONS,
  ...shape,
  maxBytes: MAX_BYTES,
});

const newest = ({ turnMs }: BenchContext, reader: Reader): FetchLoad => ({
  ...loadOn(reader),
  fromOffset: reader.end - reader.offsetOf(TAIL_BYTES),
  toOffset: reader.end,
  once: false,
  warmUpMs: SETTLE_MS,
  measureMs: turnMs,
});

const everything = (context: BenchContext, reader: Reader): FetchLoad => ({ ...newest(context, reader), fromOffset: 0 });

const fromTheDisk = (reader: Reader): FetchLoad => ({
  ...loadOn(reader),
  fromOffset: 0,
  toOffset: Math.min(reader.end, reader.offsetOf(COLD_BYTES)),
  once: true,
  warmUpMs: 0,
  measureMs: 0,
});

/** Writes the log that is then read; every partition has the offset at its end. */
async function fill(context: BenchContext, party: Party, server: RunningParty): Promise<Reader> {
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
  const recordsPerBatch = written.allRecords / written.allRequests;
  const bytesPerBatch = written.allBytes / written.allRequests;
  // The ceiling does not know offsets; its partitions differ by what one connection has in flight, at most.
  const end = party.hasTopics ? Math.min(...(await endOffsets(server, TOPIC, PARTITIONS))) : (requests / PARTITIONS - 32) * recordsPerBatch;
  return { party, server, end, offsetOf: (bytes) => Math.floor(bytes / bytesPerBatch) * recordsPerBatch };
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
