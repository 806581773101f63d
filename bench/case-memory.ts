// Resident memory: of a broker that nobody uses, of one under 300 MB/s, and of idle connections. Also takes in the
// benches that stand alone: codec and connections.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext, Case } from './bench-context.ts';
import { Comparison } from './comparison.ts';
import { bucketrider, bucketriderRelaxed, kafka, startParty, withDirectory, type Party, type RunningParty } from './parties.ts';
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
      goals: [{ of: bucketrider.name, to: 'budget: 80 MB', wanted: 1, atMost: true, says: '80 MB' }],
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
      comparison.add('budget: 80 MB', 80);
    }
    return [comparison];
  },
};

const loadedCase: Case = {
  name: 'memory-load',
  title: `Resident memory under ${LOAD_MB_PER_S} MB/s`,
  async run(context) {
    const limit = 250 + CACHE_MB;
    const limitName = `budget: 250 MB and the cache`;
    // Whatever comes of it, the disk must not fill up: no more than half of what is free is written.
    const { bavail, bsize } = statfsSync(context.dataParent);
    const room = Math.floor((bavail * bsize) / 2 / (LOAD_MB_PER_S * 1e6));
    const seconds = Math.min(context.quick ? 3 : context.long ? 300 : 25, room);
    const comparison = new Comparison({
      title: `Largest resident memory in ${seconds} s under at most ${LOAD_MB_PER_S} MB/s, batches of 1 MiB, 4 partitions`,
      unit: 'MB',
      goals: [bucketrider, bucketriderRelaxed].map(({ name }) => ({
        of: name,
        to: limitName,
        wanted: 1,
        atMost: true,
        says: '250 MB plus the configured cache (64 MiB)',
      })),
    });
    for (const party of context.present([bucketrider, bucketriderRelaxed, kafka])) {
      const { peakBytes, rate } = await watchUnderLoad(context, party, seconds);
      comparison.add(party.name, peakBytes / 1e6, `took ${rate.toFixed(0)} MB/s`);
      context.log(`  ${party.name}: at most ${(peakBytes / 1e6).toFixed(0)} MB at ${rate.toFixed(0)} MB/s`);
    }
    comparison.add(limitName, limit);
    return [comparison];
  },
};

function watchUnderLoad(context: BenchContext, party: Party, seconds: number): Promise<{ peakBytes: number; rate: number }> {
  return withDirectory(context.dataParent, async (parent) => {
    const server = await startParty(party, { dataDirectory: join(parent, 'data') });
    try {
      await createTopic(server, TOPIC, 4);
      const watching = watch(server);
      const result = await context.generator.run({
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
      });
      return { peakBytes: watching.stop(), rate: result.bytes / 1e6 / result.seconds };
    } finally {
      await server.end('SIGKILL');
    }
  });
}

function watch(server: RunningParty): { stop: () => number } {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, server.residentBytes() ?? Number.NaN);
  };
  const timer = setInterval(look, 200);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

/** A bench that stands alone, played in a process of its own; returns what it printed. */
async function play(file: string, words: readonly string[]): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      ...words.filter((word) => word.startsWith('--expose')),
      join(import.meta.dirname, file),
      ...words.filter((word) => !word.startsWith('--expose')),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${file} failed`);
  return said;
}

const connectionsCase: Case = {
  name: 'connections',
  title: 'Idle connections: resident memory of the server for each',
  async run(context) {
    const count = context.quick ? 1000 : 9000;
    const said = await play('connections.ts', ['--expose-gc', String(count)]);
    const each = Number(/rss .*, ([\d.]+) KiB each/.exec(said)?.[1] ?? Number.NaN);
    const comparison = new Comparison({
      title: `${count.toLocaleString('en')} idle connections: resident memory of the server for each`,
      unit: 'KiB',
      goals: [{ of: bucketrider.name, to: 'budget: 30 KiB', wanted: 1, atMost: true, says: '30 KiB each' }],
    });
    comparison.add(bucketrider.name, each, said.split('\n')[0] ?? '');
    comparison.add('budget: 30 KiB', 30);
    return [comparison];
  },
};

const codecCase: Case = {
  name: 'codec',
  title: 'Compiled codecs beside code written by hand',
  async run() {
    const said = await play('codec.ts', ['--quick']);
    const [, worst = '', what = ''] = /worst: ([\d.]+) \((.*)\)/.exec(said) ?? [];
    const comparison = new Comparison({
      title: `${this.title}: time for the same work, the worst of Produce and Fetch`,
      unit: 'times',
      goals: [{ of: 'compiled', to: 'by hand', wanted: 1.5, atMost: true, says: 'within 1.5 times' }],
    });
    comparison.add('compiled', Number(worst), what);
    comparison.add('by hand', 1);
    return [comparison];
  },
};

export const memoryCases: readonly Case[] = [idleCase, loadedCase, connectionsCase, codecCase];
