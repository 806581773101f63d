// Committed offsets by the million: how long a broker takes to load them, how far the log cleaner takes their log down, and
// what that does to everybody else: the longest turn of the event loop, in processor time of its own thread, so that other
// work of the machine does not count. node bench/offsets.ts [OFFSETS] [--data DIR]
import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { assembleBroker, type RunningBroker } from '../src/assemble/start-broker.ts';
import { threadFile } from '../src/assemble/thread-file.ts';
import { NO_MEMBER } from '../src/broker/groups/offset-steps.ts';
import { CollectingLogger } from '../src/base/log.ts';
import { makeCompute } from '../src/base/real/compute.ts';
import { makeRealEnv } from '../src/base/real/env.ts';
import { makeRealNetwork } from '../src/base/real/network.ts';
import { makeThreads } from '../src/base/real/threads.ts';
import { Connection } from '../src/client/connection.ts';
import { createTopicsRequest, createTopicsResponse } from '../src/protocol/messages/create-topics.ts';
import { scratchDirectory, tell } from './alone.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { data: { type: 'string', default: tmpdir() } } });
const OFFSETS = Number(positionals[0] ?? 1_000_000);
const PARTITIONS = 1000;
const GROUPS = Math.ceil(OFFSETS / PARTITIONS);

/** The longest turn while `work` runs, in processor time and on the clock; and what it took. */
async function watched<Result>(work: () => Promise<Result>): Promise<{ result: Result; seconds: number; turnMs: number; wallMs: number }> {
  let last = process.threadCpuUsage();
  let lastMs = performance.now();
  let turnMs = 0;
  let wallMs = 0;
  const probe = setInterval(() => {
    const now = process.threadCpuUsage();
    turnMs = Math.max(turnMs, (now.user + now.system - last.user - last.system) / 1000);
    wallMs = Math.max(wallMs, performance.now() - lastMs);
    last = now;
    lastMs = performance.now();
  }, 1);
  const startedMs = performance.now();
  const result = await work();
  clearInterval(probe);
  return { result, seconds: (performance.now() - startedMs) / 1000, turnMs, wallMs };
}

const directory = scratchDirectory(values.data, 'offsets');
const log = new CollectingLogger();

async function start(settings: Readonly<Record<string, string>> = {}): Promise<RunningBroker> {
  const env = makeRealEnv({ compute: makeCompute(), threads: makeThreads(threadFile) });
  const texts = {
    'log.dirs': directory,
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'offsets.topic.num.partitions': '4',
    'offsets.topic.segment.bytes': String(16 * 1024 * 1024),
    'log.cleaner.backoff.ms': '200',
    ...settings,
  };
  return assembleBroker({ env, levels: { static: new Map(Object.entries(texts)) }, log, onFailed: (error) => assert.fail(String(error)) });
}

async function commitAll(running: RunningBroker, round: number): Promise<void> {
  const { groups, image } = running.broker;
  const topicId = image.findTopic('orders')?.id ?? '';
  for (let group = 0; group < GROUPS; group += 20) {
    await Promise.all(
      Array.from({ length: Math.min(20, GROUPS - group) }, (_, at) =>
        groups.commitOffsets({
          groupId: `group-${group + at}`,
          memberId: '',
          groupInstanceId: null,
          generationId: -1,
          retentionTimeMs: -1,
          knowsGroupIdNotFound: true,
          knowsMemberEpochs: true,
          topics: [
            {
              name: 'orders',
              topicId,
              partitions: Array.from({ length: PARTITIONS }, (_partition, index) => ({
                partitionIndex: index,
                committedOffset: round * 1000 + index,
                committedLeaderEpoch: -1,
                committedMetadata: '',
              })),
            },
          ],
        }),
      ),
    );
  }
}

async function committed(running: RunningBroker, group: number): Promise<number> {
  for (;;) {
    try {
      const [topic] = await running.broker.groups.fetchOffsets(`group-${group}`, undefined, { requireStable: false, member: NO_MEMBER });
      return (topic?.partitions ?? []).length;
    } catch (thrown) {
      if ((thrown as { errorName?: string }).errorName !== 'COORDINATOR_LOAD_IN_PROGRESS') throw thrown;
      await sleep(5);
    }
  }
}

const bytesOfLogs = (): number =>
  readdirSync(directory)
    .filter((name) => name.startsWith('__consumer_offsets-'))
    .flatMap((name) => readdirSync(join(directory, name)).map((file) => join(directory, name, file)))
    .filter((file) => file.endsWith('.log'))
    .reduce((sum, file) => sum + statSync(file).size, 0);

try {
  let running = await start({ 'log.cleaner.enable': 'false' });
  const [{ port } = { port: 0 }] = running.server.listeners;
  const client = await Connection.connect({ network: makeRealNetwork(), host: '127.0.0.1', port, clientId: 'bench' });
  await client.request({ request: createTopicsRequest, response: createTopicsResponse }, 7, {
    topics: [{ name: 'orders', numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
    validateOnly: false,
  });
  client.close();
  for (let round = 0; round < 3; round += 1) await commitAll(running, round);
  await running.stop();
  console.log(`${GROUPS * PARTITIONS} offsets, each committed three times: ${(bytesOfLogs() / 1e6).toFixed(0)} MB`);

  const load = async (what: string): Promise<RunningBroker> => {
    const { result, seconds, turnMs, wallMs } = await watched(async () => {
      const started = await start(what === 'cleaned' ? { 'log.cleaner.enable': 'false' } : {});
      for (let group = 0; group < GROUPS; group += 1) assert.equal(await committed(started, group), PARTITIONS);
      return started;
    });
    const state = what === 'cleaned' ? what : 'uncleaned';
    tell(`seconds, ${state}`, seconds);
    tell(`turn ms, ${state}`, turnMs);
    console.log(
      `loading them, ${what}: ${seconds.toFixed(1)} s from the start of the broker; longest turn ${turnMs.toFixed(0)} ms (${wallMs.toFixed(0)} ms on the clock)`,
    );
    return result;
  };
  running = await load('uncleaned, and cleaning begins meanwhile');
  const cleaning = await watched(async () => {
    for (let quietMs = 0, cleaned = -1; quietMs < 3000;) {
      await sleep(100);
      const count = log.messages('info').filter((message) => message === 'a log was cleaned').length;
      quietMs = count === cleaned ? quietMs + 100 : 0;
      cleaned = count;
    }
  });
  tell('turn ms, cleaning', cleaning.turnMs);
  console.log(
    `cleaning: ${(cleaning.seconds - 3).toFixed(1)} s more; ${(bytesOfLogs() / 1e6).toFixed(0)} MB are left; longest turn ${cleaning.turnMs.toFixed(0)} ms (${cleaning.wallMs.toFixed(0)} ms on the clock)`,
  );
  await running.stop();
  running = await load('cleaned');
  await running.stop();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
if (process.connected) process.disconnect();
