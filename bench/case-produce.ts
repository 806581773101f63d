// Produce: throughput by size of batch, spread over partitions, with and without a sync before the ack, and latency at
// a tenth of what saturates. Every party meets the same bytes from the same generator, one after the other, in turns.
import type { BenchContext, Case } from './bench-context.ts';
import { Comparison, type Goal } from './comparison.ts';
import { diskRate } from './disk-rate.ts';
import { measureInTurns, type Contender, type Shape } from './in-turns.ts';
import type { LoadResult } from './load/messages.ts';
import {
  bucketrider,
  bucketriderRelaxed,
  ceiling,
  ceilingRelaxed,
  kafka,
  kafkaSynced,
  sink,
  startParty,
  withDirectory,
  type Party,
} from './parties.ts';
import { createTopic } from './topics.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const TOPIC = 'bench';
const DISK = 'disk alone, written and synced';

/** Four clients with five requests each, as Java's producer has them: 20 MiB in flight of the largest. */
const clients = { connections: 4, inFlight: 5 };
const shapes: Record<string, Shape> = {
  '1 MiB': { partitions: 1, batchBytes: MIB, recordBytes: KIB, batchesPerRequest: 1, ...clients },
  '64 KiB': { partitions: 1, batchBytes: 64 * KIB, recordBytes: KIB, batchesPerRequest: 1, ...clients },
  '16 KiB': { partitions: 1, batchBytes: 16 * KIB, recordBytes: KIB, batchesPerRequest: 1, ...clients },
  // Many small clients: what is in flight is what one commit can take together.
  'one record of 1 KiB': { partitions: 1, batchBytes: 0, recordBytes: KIB, batchesPerRequest: 1, connections: 20, inFlight: 5 },
  'one record of 100 B': { partitions: 1, batchBytes: 0, recordBytes: 100, batchesPerRequest: 1, connections: 20, inFlight: 5 },
};

/** A request of about 1 MiB over so many partitions, 64 of them at most, as a producer that batches by broker sends it. */
function spreadShape(partitions: number): Shape {
  const batchesPerRequest = Math.min(partitions, 64);
  return { partitions, batchBytes: Math.floor(MIB / batchesPerRequest), recordBytes: KIB, batchesPerRequest, ...clients };
}

/** One run of one party with data of its own. */
async function runOnce(context: BenchContext, party: Party, shape: Shape): Promise<LoadResult> {
  return withDirectory(context.dataParent, async (dataDirectory) => {
    const server = await startParty(party, { dataDirectory });
    try {
      if (party.hasTopics) await createTopic(server, TOPIC, shape.partitions);
      return await context.generator.run({
        kind: 'produce',
        host: server.host,
        port: server.port,
        topic: TOPIC,
        warmUpMs: context.warmUpMs,
        measureMs: context.measureMs,
        requestsPerSecond: 0,
        totalRequests: 0,
        ...shape,
      });
    } catch (thrown) {
      throw new Error(`${thrown instanceof Error ? thrown.message : String(thrown)}\n${server.lastLines()}`, { cause: thrown });
    } finally {
      await server.end('SIGKILL'); // the directory goes at once; nothing need be left tidy
    }
  });
}

const large = (of: string): Goal[] => [
  { of, to: 'ceiling', ratio: 0.7, says: '0.7 of the ceiling' },
  { of, to: 'Kafka, no fsync', ratio: 1, says: 'Kafka with its defaults, which does not sync' },
  { of, to: DISK, ratio: 0.9, says: '0.9 of the disk, where that is less than Kafka' },
  { of, to: 'Kafka, fsync', ratio: 3, says: '3 times Kafka with log.flush.interval.messages=1' },
];

function produceCase(name: string, size: string, unit: 'MB/s' | 'requests/s', goals: readonly Goal[]): Case {
  const shape = shapes[size] as Shape;
  return {
    name,
    title: `Produce, ${size}, one partition, fsync before ack`,
    async run(context) {
      const comparison = new Comparison({ title: this.title, unit, goals });
      // Of large batches the generator makes more than any server takes; of single records it might not.
      const parties = [bucketrider, ceiling, kafka, kafkaSynced, ...(unit === 'requests/s' ? [sink] : [])];
      const contenders = context.present(parties).map((party): Contender => ({ name: party.name, party, shape }));
      await measureInTurns(context, comparison, contenders, async () => {
        if (unit !== 'MB/s') return;
        const rate = await diskRate(context.dataParent, { chunkBytes: 4 * MIB, forMs: context.turnMs });
        comparison.add(DISK, rate, 'appends of 4 MiB');
      });
      return [comparison];
    },
  };
}

const spreadName = (party: Party, partitions: number): string => `${party.name}, ${partitions} partition${partitions === 1 ? '' : 's'}`;

const spreadCase: Case = {
  name: 'spread',
  title: 'Produce spread over partitions, requests of 1 MiB with up to 64 batches, fsync before ack',
  async run(context) {
    const counts = [1, 10, 100, 1000];
    const ours = (partitions: number): string => spreadName(bucketrider, partitions);
    const comparison = new Comparison({
      title: this.title,
      unit: 'MB/s',
      goals: [
        { of: ours(100), to: ours(1), ratio: 0.7, says: '100 partitions: 70 % of one partition' },
        { of: ours(1000), to: ours(1), ratio: 0.5, says: '1,000 partitions: 50 % of one partition' },
        ...counts.flatMap((count): Goal[] => [
          { of: ours(count), to: spreadName(kafka, count), ratio: 1, says: `${count}: Kafka with its defaults, which does not sync` },
          { of: ours(count), to: spreadName(kafkaSynced, count), ratio: 3, says: `${count}: 3 times Kafka with fsync` },
          { of: ours(count), to: spreadName(ceiling, count), ratio: 0.7, says: `${count}: 0.7 of the ceiling (which syncs each file)` },
        ]),
      ],
    });
    const contenders = counts.flatMap((count) =>
      context
        .present([bucketrider, ceiling, kafka, kafkaSynced])
        .map((party): Contender => ({ name: spreadName(party, count), party, shape: spreadShape(count) })),
    );
    await measureInTurns(context, comparison, contenders);
    return [comparison];
  },
};

const relaxedCase: Case = {
  name: 'relaxed',
  title: 'Produce with fsync relaxed, one partition',
  async run(context) {
    const comparisons: Comparison[] = [];
    for (const size of ['1 MiB', '16 KiB']) {
      const comparison = new Comparison({
        title: `Produce, ${size}, one partition, fsync relaxed`,
        unit: 'MB/s',
        goals: [
          { of: bucketriderRelaxed.name, to: kafka.name, ratio: 1, says: "at least Kafka's" },
          { of: bucketriderRelaxed.name, to: ceilingRelaxed.name, ratio: 0.7, says: '0.7 of the ceiling' },
        ],
      });
      const shape = shapes[size] as Shape;
      const contenders = context
        .present([bucketriderRelaxed, ceilingRelaxed, kafka])
        .map((party): Contender => ({ name: party.name, party, shape }));
      await measureInTurns(context, comparison, contenders);
      comparisons.push(comparison);
    }
    return comparisons;
  },
};

/** The rate is the same for all: a tenth of what the slower of the two that are compared can take. */
const latencyCase: Case = {
  name: 'latency',
  title: 'Produce latency at a tenth of saturation',
  async run(context) {
    const shape: Shape = { ...(shapes['16 KiB'] as Shape), inFlight: 100 };
    const parties = context.present([bucketrider, ceiling, kafka, kafkaSynced]);
    let saturation = Infinity;
    for (const party of parties.filter(({ name }) => name === bucketrider.name || name === kafka.name)) {
      const result = await runOnce(context, party, shapes['16 KiB'] as Shape);
      saturation = Math.min(saturation, result.requests / result.seconds);
    }
    const requestsPerSecond = Math.max(10, Math.round(saturation / 10));
    context.log(`  ${requestsPerSecond} requests/s`);
    const about = `Produce, 16 KiB, one partition, ${requestsPerSecond} requests/s (a tenth of saturation)`;
    const p99 = new Comparison({
      title: `${about}: p99`,
      unit: 'ms',
      goals: [
        { of: bucketrider.name, to: kafka.name, ratio: 0.5, atMost: true, says: "at most half of Kafka's, which does not sync" },
        { of: bucketrider.name, to: kafkaSynced.name, ratio: 0.5, atMost: true, says: "at most half of Kafka's with fsync" },
      ],
    });
    const p50 = new Comparison({ title: `${about}: median`, unit: 'ms' });
    for (let round = 0; round < context.rounds; round += 1) {
      for (const party of parties) {
        try {
          const result = await runOnce(context, party, { ...shape, requestsPerSecond });
          const { latencyMs } = result;
          p99.add(party.name, latencyMs.p99, `p99.9 ${latencyMs.p999.toFixed(1)}, max ${latencyMs.max.toFixed(1)} ms`);
          p50.add(party.name, latencyMs.p50);
          context.log(
            `  ${party.name}: p50 ${latencyMs.p50.toFixed(2)} p99 ${latencyMs.p99.toFixed(2)} max ${latencyMs.max.toFixed(1)} ms`,
          );
        } catch (thrown) {
          p99.add(party.name, Number.NaN, `failed: ${String(thrown)}`);
          context.log(`  ${party.name}: ${String(thrown)}`);
        }
      }
    }
    return [p99, p50];
  },
};

const ours = bucketrider.name;
const small: Goal[] = [
  { of: ours, to: 'Kafka, no fsync', ratio: 1, says: 'Kafka with its defaults, which does not sync' },
  { of: ours, to: 'Kafka, fsync', ratio: 3, says: '3 times Kafka with log.flush.interval.messages=1' },
  { of: ours, to: 'ceiling', ratio: 0.7, says: '0.7 of the ceiling' },
];

export const produceCases: readonly Case[] = [
  produceCase('produce-1m', '1 MiB', 'MB/s', large(ours)),
  produceCase('produce-64k', '64 KiB', 'MB/s', large(ours)),
  produceCase('produce-16k', '16 KiB', 'MB/s', large(ours)),
  produceCase('produce-1k', 'one record of 1 KiB', 'requests/s', small),
  produceCase('produce-100', 'one record of 100 B', 'requests/s', small),
  spreadCase,
  relaxedCase,
  latencyCase,
];
