// Produce: throughput by size of batch, spread over partitions, with and without a sync before the ack. Every party meets
// the same bytes from the same generator, one after the other, in turns.
import type { Case } from './bench-context.ts';
import { Comparison, type Goal } from './comparison.ts';
import { diskRate } from './disk-rate.ts';
import { measureInTurns, type Contender, type Shape } from './in-turns.ts';
import { bucketrider, bucketriderRelaxed, ceiling, ceilingRelaxed, kafka, kafkaSynced, sink, type Party } from './parties.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const DISK = 'disk alone, written and synced';

/** Four clients with five requests each, as Java's producer has them: 20 MiB in flight of the largest. */
export const clients = { connections: 4, inFlight: 5 };
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

const large = (of: string): Goal[] => [
  { of, to: 'ceiling', wanted: 0.7, says: '0.7 of the ceiling' },
  { of, to: 'Kafka, no fsync', wanted: 1, says: 'Kafka with its defaults, which does not sync' },
  { of, to: DISK, wanted: 0.9, says: '0.9 of the disk, where that is less than Kafka' },
  { of, to: 'Kafka, fsync', wanted: 3, says: '3 times Kafka with log.flush.interval.messages=1' },
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
        { of: ours(100), to: ours(1), wanted: 0.7, says: '100 partitions: 70 % of one partition' },
        { of: ours(1000), to: ours(1), wanted: 0.5, says: '1,000 partitions: 50 % of one partition' },
        ...counts.flatMap((count): Goal[] => [
          { of: ours(count), to: spreadName(kafka, count), wanted: 1, says: `${count}: Kafka with its defaults, which does not sync` },
          { of: ours(count), to: spreadName(kafkaSynced, count), wanted: 3, says: `${count}: 3 times Kafka with fsync` },
          { of: ours(count), to: spreadName(ceiling, count), wanted: 0.7, says: `${count}: 0.7 of the ceiling (which syncs each file)` },
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
          { of: bucketriderRelaxed.name, to: kafka.name, wanted: 1, says: "at least Kafka's" },
          { of: bucketriderRelaxed.name, to: ceilingRelaxed.name, wanted: 0.7, says: '0.7 of the ceiling' },
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

const ours = bucketrider.name;
const small: Goal[] = [
  { of: ours, to: 'Kafka, no fsync', wanted: 1, says: 'Kafka with its defaults, which does not sync' },
  { of: ours, to: 'Kafka, fsync', wanted: 3, says: '3 times Kafka with log.flush.interval.messages=1' },
  { of: ours, to: 'ceiling', wanted: 0.7, says: '0.7 of the ceiling' },
];

export const produceCases: readonly Case[] = [
  produceCase('produce-1m', '1 MiB', 'MB/s', large(ours)),
  produceCase('produce-64k', '64 KiB', 'MB/s', large(ours)),
  produceCase('produce-16k', '16 KiB', 'MB/s', large(ours)),
  produceCase('produce-1k', 'one record of 1 KiB', 'requests/s', small),
  produceCase('produce-100', 'one record of 100 B', 'requests/s', small),
  spreadCase,
  relaxedCase,
];
