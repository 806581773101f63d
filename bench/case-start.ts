// How long until a broker is there: on an empty directory, inside a program, and after a kill with ten thousand
// partitions; and what each of those partitions costs while nobody uses it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext, Case } from './bench-context.ts';
import { Comparison } from './comparison.ts';
import { bucketrider, freePort, kafka, onCore, startParty, withDirectory, type Party, type RunningParty } from './parties.ts';
import { createTopic, firstApiVersions, withConnection, waitForTopic } from './topics.ts';

const root = resolve(import.meta.dirname, '..');
const NODE = 'node -e 0';
const BEYOND = 'bucketrider, beyond node -e 0';

/** Starts are short: many of them, so that one that met a busy moment does not count for much. */
const startsOf = ({ quick }: BenchContext): number => (quick ? 5 : 15);

async function msToFirstAnswer(context: BenchContext, party: Party): Promise<number> {
  return withDirectory(context.dataParent, async (parent) => {
    const port = await freePort();
    const startedMs = performance.now();
    const starting = startParty(party, { dataDirectory: join(parent, 'data'), port });
    starting.catch(() => undefined); // heard below
    await firstApiVersions({ host: '127.0.0.1', port });
    const elapsedMs = performance.now() - startedMs;
    await (await starting).end('SIGKILL');
    return elapsedMs;
  });
}

const startCase: Case = {
  name: 'start',
  title: 'From the start of the process on an empty directory to the first ApiVersions answer',
  async run(context) {
    const comparison = new Comparison({
      title: this.title,
      unit: 'ms',
      goals: [{ of: BEYOND, wanted: 100, atMost: true, says: '100 ms beyond `node -e 0`' }],
    });
    await msToFirstAnswer(context, bucketrider); // the first start compiles, and keeps what it compiled
    for (let nth = 0; nth < startsOf(context); nth += 1) {
      const [program, words] = onCore(0, [process.execPath, '-e', '0']);
      const startedMs = performance.now();
      spawnSync(program, words);
      const bareMs = performance.now() - startedMs;
      const answerMs = await msToFirstAnswer(context, bucketrider);
      comparison.add(NODE, bareMs);
      comparison.add(bucketrider.name, answerMs);
      comparison.add(BEYOND, answerMs - bareMs);
    }
    for (let round = 0; round < context.rounds; round += 1)
      for (const party of context.present([kafka]))
        comparison.add(party.name, await msToFirstAnswer(context, party), 'formatting included');
    return [comparison];
  },
};

const embeddedCase: Case = {
  name: 'embedded',
  title: 'startBroker inside a program',
  async run(context) {
    const library = join(root, 'dist/lib/index.js');
    if (!existsSync(library)) {
      context.log('  left out: the package has no library yet');
      return [];
    }
    const comparison = new Comparison({
      title: 'startBroker() inside a program, in memory, until it resolves',
      unit: 'ms',
      goals: [{ of: 'startBroker()', wanted: 30, atMost: true, says: '30 ms' }],
    });
    const script = `
      const beforeMs = performance.now();
      const { startBroker } = await import(${JSON.stringify(library)});
      const importedMs = performance.now();
      const broker = await startBroker();
      const firstMs = performance.now();
      await broker.stop();
      const againMs = performance.now();
      await using second = await startBroker();
      console.log(JSON.stringify([importedMs - beforeMs, firstMs - importedMs, performance.now() - againMs]));`;
    for (let nth = 0; nth < startsOf(context); nth += 1) {
      const [program, words] = onCore(0, [process.execPath, '--input-type=module', '-e', script]);
      const outcome = spawnSync(program, words, { encoding: 'utf8' });
      if (outcome.status !== 0) throw new Error(`an embedded broker did not start: ${outcome.stderr}`);
      const [importMs = Number.NaN, firstMs = Number.NaN, secondMs = Number.NaN] = JSON.parse(outcome.stdout) as number[];
      comparison.add('import', importMs);
      comparison.add('startBroker()', firstMs, 'the first in its process');
      comparison.add('startBroker() again', secondMs);
    }
    return [comparison];
  },
};

const TOPICS = 10;
const PARTITIONS_PER_TOPIC = 1000;
const ALL = TOPICS * PARTITIONS_PER_TOPIC;
/** Idle is what nobody has asked anything for a while: by then what a start, or the making of topics, took is given back. */
const IDLE_MS = 30_000;
const topicName = (nth: number): string => `partitions-${nth}`;

const made = ({ name }: Party): string => `${name}, just made`;
const started = ({ name }: Party): string => `${name}, a tenth with data, after a kill`;

const manyPartitionsCase: Case = {
  name: 'partitions',
  title: `${ALL.toLocaleString('en')} partitions, a tenth of them with data, after a kill`,
  async run(context) {
    const ready = new Comparison({
      title: `${this.title}: until ready and every partition answers`,
      unit: 's',
      goals: [{ of: `${bucketrider.name}, ready`, wanted: 5, atMost: true, says: 'ready in 5 s' }],
    });
    const memory = new Comparison({
      title: `${ALL.toLocaleString('en')} partitions, idle for ${IDLE_MS / 1000} s: resident memory for each, beyond an empty broker`,
      unit: 'KiB',
      goals: [made(bucketrider), started(bucketrider)].map((of) => ({ of, wanted: 8, atMost: true, says: 'a few KiB each' })),
    });
    const stop = new Comparison({
      title: `${ALL.toLocaleString('en')} partitions, a tenth of them with data: a clean stop, and the start after it`,
      unit: 's',
      goals: [{ of: `${bucketrider.name}, ready again`, wanted: 5, atMost: true, says: 'ready in 5 s' }],
    });
    const parties = context.present(context.long ? [bucketrider, kafka] : [bucketrider]);
    for (let round = 0; round < context.rounds; round += 1) {
      for (const party of parties) {
        const measured = await killAndStart(context, party);
        ready.add(`${party.name}, ready`, measured.readyMs / 1000);
        ready.add(`${party.name}, every partition answers`, measured.allMs / 1000);
        memory.add(made(party), measured.bytesEachMade / 1024);
        memory.add(started(party), measured.bytesEach / 1024);
        stop.add(`${party.name}, stopped`, measured.stopMs / 1000);
        stop.add(`${party.name}, ready again`, measured.againMs / 1000);
        context.log(
          `  ${party.name}: ready ${measured.readyMs.toFixed(0)} ms, all ${measured.allMs.toFixed(0)} ms, ${(measured.bytesEachMade / 1024).toFixed(1)} KiB each when made, ${(measured.bytesEach / 1024).toFixed(1)} after the start, stopped in ${measured.stopMs.toFixed(0)} ms, ready again in ${measured.againMs.toFixed(0)} ms`,
        );
      }
    }
    return [ready, stop, memory];
  },
};

interface KilledAndStarted {
  readonly readyMs: number;
  readonly allMs: number;
  /** Of idle ones, none with data, in the broker that they were made in. */
  readonly bytesEachMade: number;
  /** Of idle ones, a tenth with data, after the kill and the start. */
  readonly bytesEach: number;
  /** Of the clean stop that follows, and until it is ready after that. */
  readonly stopMs: number;
  readonly againMs: number;
}

async function killAndStart(context: BenchContext, party: Party): Promise<KilledAndStarted> {
  return withDirectory(context.dataParent, async (parent) => {
    const dataDirectory = join(parent, 'data');
    const first = await startParty(party, { dataDirectory });
    const idleBytes = async (server: RunningParty): Promise<number> => {
      await sleep(context.quick ? 3000 : IDLE_MS);
      return server.residentBytes() ?? Number.NaN;
    };
    const emptyBytes = await idleBytes(first);
    for (let nth = 0; nth < TOPICS; nth += 1) await createTopic(first, topicName(nth), PARTITIONS_PER_TOPIC);
    const bytesEachMade = ((await idleBytes(first)) - emptyBytes) / ALL;
    await context.generator.run({
      kind: 'produce',
      host: first.host,
      port: first.port,
      topic: topicName(0),
      partitions: PARTITIONS_PER_TOPIC,
      connections: 4,
      inFlight: 5,
      batchesPerRequest: 50,
      batchBytes: 4096,
      recordBytes: 1024,
      warmUpMs: 0,
      measureMs: 0,
      requestsPerSecond: 0,
      totalRequests: 200,
    });
    await first.end('SIGKILL');
    const startedMs = performance.now();
    const second = await startParty(party, { dataDirectory });
    const readyMs = performance.now() - startedMs;
    await withConnection(second, async (connection) => {
      for (let nth = 0; nth < TOPICS; nth += 1) await waitForTopic(connection, topicName(nth), PARTITIONS_PER_TOPIC);
    });
    const allMs = performance.now() - startedMs;
    const bytesEach = ((await idleBytes(second)) - emptyBytes) / ALL;
    const stoppedMs = performance.now();
    await second.end();
    const stopMs = performance.now() - stoppedMs;
    const third = await startParty(party, { dataDirectory });
    await third.end('SIGKILL');
    return { readyMs, allMs, bytesEachMade, bytesEach, stopMs, againMs: third.readyMs };
  });
}

export const startCases: readonly Case[] = [startCase, embeddedCase, manyPartitionsCase];
