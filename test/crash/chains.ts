// Moves records through a chain of consumer groups (topic, group, topic, group, ..., topic) made of real client libraries,
// while members join, leave, die and stand still, and while the built program is killed and started again. Every record must
// come out at the other end, at least once and in order; no committed offset may go back, over all of it.
//
//   node test/crash/chains.ts [--records 100000] [--events 24] [--seed 1] [--chain LINK,LINK,...] [--set KEY=VALUE ...]
//
// A link is a client and how it joins: kafkajs-eager, platformatic-eager, platformatic-cooperative, platformatic-consumer,
// librdkafka-eager, librdkafka-cooperative, librdkafka-consumer. What happens, and after how many records at the far end, is
// drawn from the seed, so that load decides the moment and not a clock.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import kafkajs from 'kafkajs';
import { SeededRandom } from '../../src/base/memory/random.ts';
import { createTopicsRequest, createTopicsResponse } from '../../src/protocol/messages/create-topics.ts';
import { freePort, startProgram, type RunningProgram } from '../clients/program.ts';
import { ensurePythonEnvironment } from '../clients/python/environment.ts';
import { GroupMembers, nameOf, type Link } from './chain-members.ts';
import { CommittedOffsets, connect, endOffsets, keepLooking, ReadOnce, valueOf } from './chain-witness.ts';

const { values: flags } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    events: { type: 'string', default: '24' },
    seed: { type: 'string', default: '1' },
    chain: { type: 'string', default: 'kafkajs-eager,platformatic-eager,librdkafka-cooperative,librdkafka-consumer' },
    program: { type: 'string', default: 'dist/bin.cjs' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

const PARTITIONS = 6;
const MOST_MEMBERS = 4;
const SESSION_TIMEOUT_MS = 3_000;
/** How far the source runs ahead of the far end: every link of the chain has something in hand when something happens. */
const WINDOW_RECORDS = 12_000;
const PER_BATCH = 100;
/** Nothing arriving for so long is a hang: a session, its rebalance and a start of the broker end long before. */
const STALL_MS = 60_000;

function linkOf(text: string): Link {
  const [, client, how] = /^(kafkajs|platformatic|librdkafka)-(eager|cooperative|consumer)$/.exec(text) ?? [];
  if (client === undefined || (client === 'kafkajs' && how !== 'eager')) throw new Error(`there is no link ${text}`);
  return {
    client: client as Link['client'],
    protocol: how === 'consumer' ? 'consumer' : 'classic',
    assignor: how === 'eager' ? 'eager' : 'cooperative',
  };
}

const links = flags.chain.split(',').map(linkOf);
if (links.some(({ client }) => client === 'librdkafka')) ensurePythonEnvironment();
const perPartition = Math.ceil(Number(flags.records) / PARTITIONS);
const total = perPartition * PARTITIONS;
const topicOf = (nth: number): string => `chain-${nth}`;
const groupOf = (nth: number): string => `group-${nth}`;
const firstTopic = topicOf(0);
const lastTopic = topicOf(links.length);

const random = new SeededRandom(Number(flags.seed));
const draw = (below: number): number => Math.floor(random.next() * below);

const happenings = ['kill the broker', 'join', 'leave', 'die', 'kill the broker', 'stand still', 'all stand still'] as const;
type Happening = (typeof happenings)[number];

/** All kinds as often as each other, the broker's death twice as often, in an order drawn from the seed. */
function drawHappenings(count: number): Happening[] {
  const all = Array.from({ length: count }, (_, nth) => happenings[nth % happenings.length] as Happening);
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = draw(at + 1);
    [all[at], all[other]] = [all[other] as Happening, all[at] as Happening];
  }
  return all;
}

const settings = [
  'group.min.session.timeout.ms=1000',
  'group.initial.rebalance.delay.ms=0',
  ...(links.some(({ protocol }) => protocol === 'consumer')
    ? [
        'group.consumer.min.session.timeout.ms=1000',
        `group.consumer.session.timeout.ms=${SESSION_TIMEOUT_MS}`,
        'group.consumer.min.heartbeat.interval.ms=100',
        'group.consumer.heartbeat.interval.ms=200',
      ]
    : []),
  ...flags.set,
];
const program = resolve(import.meta.dirname, '../..', flags.program);
const dataDirectory = mkdtempSync(join(tmpdir(), 'bucketrider-chains-'));
const port = await freePort();
const start = (): Promise<RunningProgram> => startProgram({ file: program, port, dataDirectory, settings });

async function createTopics(): Promise<void> {
  const connection = await connect(port);
  const answer = await connection.request({ request: createTopicsRequest, response: createTopicsResponse }, 7, {
    topics: Array.from({ length: links.length + 1 }, (_, nth) => ({
      name: topicOf(nth),
      numPartitions: PARTITIONS,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })),
    timeoutMs: 10_000,
    validateOnly: false,
  });
  connection.close();
  for (const { name, errorCode } of answer.topics) assert.equal(errorCode, 0, `creating ${name}`);
}

const farEnd = new ReadOnce(lastTopic, PARTITIONS);
const offsets = new CommittedOffsets(new Map(links.map((_, nth) => [groupOf(nth), topicOf(nth)])));
const over = new AbortController();
const failure = Promise.withResolvers<never>();
failure.promise.catch(() => undefined);
const fail = (why: string): void => {
  over.abort();
  failure.reject(new Error(why));
};

const groups = links.map(
  (link, nth) =>
    new GroupMembers({
      link,
      member: {
        brokers: `localhost:${port}`,
        group: groupOf(nth),
        topic: topicOf(nth),
        to: topicOf(nth + 1),
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
      },
      committed: (partition, offset) => offsets.acknowledge(groupOf(nth), partition, offset),
      failed: fail,
    }),
);

/** Writes the first topic, each batch after the one before it is acknowledged, and waits for the far end to follow. */
async function feed(): Promise<void> {
  const kafka = new kafkajs.Kafka({
    clientId: 'source',
    brokers: [`localhost:${port}`],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 200 },
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  for (let first = 0; first < perPartition && !over.signal.aborted; first += PER_BATCH) {
    while (first * PARTITIONS - farEnd.records > WINDOW_RECORDS && !over.signal.aborted) await sleep(10);
    const numbers = Array.from({ length: Math.min(PER_BATCH, perPartition - first) }, (_, index) => first + index);
    const messages = Array.from({ length: PARTITIONS }, (_, partition) =>
      numbers.map((n) => ({ partition, key: `${partition} ${n % 7}`, value: valueOf(partition, n) })),
    ).flat();
    await producer.send({ topic: firstTopic, messages, acks: -1 });
  }
  await producer.disconnect();
}

/** Resolves when that many records have come out; rejects when none comes any more. */
async function until(what: string, holds: () => boolean): Promise<void> {
  let records = -1;
  let atMs = performance.now();
  while (!holds() && !over.signal.aborted) {
    if (farEnd.records !== records) [records, atMs] = [farEnd.records, performance.now()];
    if (performance.now() - atMs > STALL_MS) fail(`nothing has come for ${STALL_MS} ms, waiting for ${what}, at ${records} records`);
    await Promise.race([sleep(10), failure.promise]);
  }
  if (!holds()) await failure.promise;
}

let broker = await start();
let passed = 0;
const kills: number[] = [];

async function happen(what: Happening): Promise<string> {
  const group = groups[draw(groups.length)] as GroupMembers;
  const nth = draw(MOST_MEMBERS);
  if (what === 'kill the broker') {
    await broker.kill();
    broker = await start();
    kills.push(Math.round(broker.readyMs));
    return `the broker was killed, ready again in ${Math.round(broker.readyMs)} ms`;
  }
  if (what === 'all stand still') {
    // As on a machine with too much to do. When they go on, the group has given all of them up, and nobody is there to tell them.
    const name = group.pauseAll();
    await sleep(SESSION_TIMEOUT_MS + 1_000);
    group.resume();
    return `all of ${name} stood still for longer than their session`;
  }
  // A group that would be left without members, or with too many, has the opposite happen to it.
  if (group.count < 2 || (what === 'join' && group.count < MOST_MEMBERS)) return `${group.join()} joined`;
  if (what === 'die') return `${await group.die(nth)} died`;
  if (what === 'stand still') return `${group.pause(nth)} stands still`;
  return `${await group.leave(nth)} left`;
}

async function play(): Promise<void> {
  await createTopics();
  for (const group of groups) for (const _ of [1, 2]) group.join();
  const source = feed().catch((thrown: unknown) => fail(`the source: ${String(thrown)}`));
  const looking = [
    keepLooking(
      () => port,
      over.signal,
      (connection) => farEnd.readOn(connection),
    ),
    keepLooking(
      () => port,
      over.signal,
      async (connection) => {
        await offsets.look(connection);
        await sleep(50);
      },
    ),
  ].map((look) => look.catch((thrown: unknown) => fail(thrown instanceof Error ? thrown.message : String(thrown))));

  const planned = drawHappenings(Number(flags.events));
  for (const [nth, what] of planned.entries()) {
    const due = Math.floor(((nth + 0.5 + random.next() / 2) * total) / (planned.length + 1));
    await until(`${due} records before the next happening`, () => farEnd.records >= due);
    for (const group of groups) group.resume();
    console.log(`ok - at ${farEnd.records} records ${await happen(what)}`);
    passed += 1;
  }
  await until(`all ${total} records`, () => farEnd.records === total);
  for (const group of groups) group.resume();
  await source;
  await everythingCommitted();
  await Promise.all(groups.map((group) => group.leaveAll()));
  over.abort();
  await Promise.all(looking);
}

/** Once quiet, every group has committed up to the end of its topic. */
async function everythingCommitted(): Promise<void> {
  const connection = await connect(port);
  const deadlineMs = performance.now() + STALL_MS;
  for (;;) {
    const ends = await Promise.all(links.map((_, nth) => endOffsets(connection, topicOf(nth), PARTITIONS)));
    const open = links.flatMap((_, nth) => (String(ends[nth]) === String(offsets.of(groupOf(nth))) ? [] : [nth]));
    if (open.length === 0) break;
    const [nth = 0] = open;
    assert.ok(performance.now() < deadlineMs, `${groupOf(nth)} has committed ${String(offsets.of(groupOf(nth)))} of ${String(ends[nth])}`);
    await Promise.race([sleep(100), failure.promise]);
  }
  connection.close();
}

const startedMs = performance.now();
try {
  await Promise.race([play(), failure.promise]);
  await Promise.race([failure.promise, sleep(0)]); // what failed while the last of it came to rest
  assert.equal(await broker.stop(), undefined);
  broker = await start();
  const connection = await connect(port);
  await offsets.look(connection);
  connection.close();
  assert.equal(await broker.stop(), undefined);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  const chain = links.map(nameOf).join(' - ');
  console.log(`ok - ${farEnd.records} records came through ${chain}, in order, ${farEnd.again} of them again, over ${kills.length} kills`);
  console.log(
    `# ${seconds} s, ${groups.reduce((sum, { troubles }) => sum + troubles, 0)} errors that members went on after, seed ${flags.seed}`,
  );
  rmSync(dataDirectory, { recursive: true, force: true });
  console.log(`${passed + 1} passed, 0 failed`);
} catch (thrown) {
  console.log(`not ok - ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
  console.log(groups.map((group) => group.describe()).join('\n'));
  console.log(`the data is kept in ${dataDirectory}; the broker said:\n${broker.lastLines()}`);
  await Promise.all(groups.map((group) => group.killAll()));
  await broker.kill();
  console.log(`${passed} passed, 1 failed`);
  process.exitCode = 1;
}
process.exit();
