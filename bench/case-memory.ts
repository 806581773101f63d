// Resident memory: of a broker that nobody uses, and of one under 300 MB/s for minutes; Kafka's beside it.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext, Case } from './bench-context.ts';
import { Comparison, spreadOf } from './comparison.ts';
import { bucketrider, kafka, startParty, withDirectory, type Party } from './parties.ts';
import { createTopic } from './topics.ts';

const MIB = 1024 * 1024;
const TOPIC = 'bench';
const LOAD_MB_PER_S = 300;
/** The default of storage.cache.bytes: the budget counts it on top. */
const CACHE_MB = 64 * 1.048576;

const idleCase: Case = {
  name: 'memory-idle',
  title: 'Resident memory ten seconds after the start, idle',
  async run(context) {
    const comparison = new Comparison({
      title: this.title,
      unit: 'MB',
      goals: [{ of: bucketrider.name, wanted: 80, atMost: true, says: '80 MB' }],
    });
    for (let round = 0; round < context.rounds; round += 1) {
      for (const party of context.present([bucketrider, kafka])) {
        const bytes = await withDirectory(context.dataParent, async (parent) => {
          const server = await startParty(party, { dataDirectory: join(parent, 'data') });
          await sleep(context.quick ? 2000 : 10_000);
          const resident = server.residentBytes() ?? Number.NaN;
          await server.end('SIGKILL');
          return resident;
        });
        comparison.add(party.name, bytes / 1e6);
      }
    }
    return [comparison];
  },
};

/** The log is kept small, so that five minutes fit on any disk, and so that segments roll and go meanwhile, as they do in life. */
const SMALL_LOG = [
  `log.segment.bytes=${256 * MIB}`,
  `log.retention.bytes=${512 * MIB}`,
  'log.retention.check.interval.ms=1000',
  'log.segment.delete.delay.ms=1000',
];
const SAMPLE_EVERY_MS = 200;

const loadedCase: Case = {
  name: 'memory-load',
  title: `Resident memory under ${LOAD_MB_PER_S} MB/s`,
  async run(context) {
    const seconds = context.quick ? 10 : context.long ? 300 : 120;
    const peak = (party: Party): string => `${party.name}, the most`;
    const comparison = new Comparison({
      title: `Resident memory in ${seconds} s under at most ${LOAD_MB_PER_S} MB/s, batches of 1 MiB, 4 partitions`,
      unit: 'MB',
      goals: [
        { of: peak(bucketrider), wanted: Math.round(250 + CACHE_MB), atMost: true, says: '250 MB plus the configured cache (64 MiB)' },
      ],
    });
    for (const party of context.present([bucketrider, kafka])) {
      const { peakBytes, endBytes, rate } = await watchUnderLoad(context, party, seconds);
      comparison.add(peak(party), peakBytes / 1e6, `took ${rate.toFixed(0)} MB/s`);
      comparison.add(`${party.name}, at the end`, endBytes / 1e6);
      context.log(
        `  ${party.name}: at most ${(peakBytes / 1e6).toFixed(0)} MB, ${(endBytes / 1e6).toFixed(0)} MB at the end, at ${rate.toFixed(0)} MB/s`,
      );
    }
    return [comparison];
  },
};

interface Watched {
  readonly peakBytes: number;
  /** While the load still runs: the median of the last five seconds. */
  readonly endBytes: number;
  readonly rate: number;
}

function watchUnderLoad(context: BenchContext, party: Party, seconds: number): Promise<Watched> {
  return withDirectory(context.dataParent, async (parent) => {
    const server = await startParty(party, { dataDirectory: join(parent, 'data'), settings: SMALL_LOG });
    try {
      await createTopic(server, TOPIC, 4);
      const samples: number[] = [];
      const timer = setInterval(() => samples.push(server.residentBytes() ?? Number.NaN), SAMPLE_EVERY_MS);
      const result = await context.generator
        .run({
          kind: 'produce',
          host: server.host,
          port: server.port,
          topic: TOPIC,
          partitions: 4,
          connections: 4,
          inFlight: 5,
          batchesPerRequest: 1,
          batchBytes: MIB,
          recordBytes: 1024,
          warmUpMs: 0,
          measureMs: seconds * 1000,
          requestsPerSecond: (LOAD_MB_PER_S * 1e6) / MIB,
          totalRequests: 0,
        })
        .finally(() => clearInterval(timer));
      const all = spreadOf(samples);
      const last = spreadOf(samples.slice(-5000 / SAMPLE_EVERY_MS));
      return { peakBytes: all?.max ?? Number.NaN, endBytes: last?.median ?? Number.NaN, rate: result.bytes / 1e6 / result.seconds };
    } finally {
      await server.end('SIGKILL');
    }
  });
}

export const memoryCases: readonly Case[] = [idleCase, loadedCase];
