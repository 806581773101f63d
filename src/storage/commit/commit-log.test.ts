// Group commit over a disk in memory that forgets what was not synced: the power goes at every operation of a group, and
// of what was not synced by then every subset survives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/memory/clock.ts';
import type { DiskOperation } from '../../base/memory/disk-faults.ts';
import { MemoryDisk } from '../../base/memory/disk.ts';
import { everySurvival, keepNothing, randomSurvival, type Survival, type UnsyncedChange } from '../../base/memory/power-loss.ts';
import { SeededRandom } from '../../base/memory/random.ts';
import type { TopicConfig } from '../../config/topic-configs.ts';
import { append, openDir, readAll, type OpenDir } from '../log-dir.testing.ts';
import type { PartitionLog, Ticket } from '../log/partition-log.ts';

const SMALL = Buffer.alloc(100, 1);
const LARGE = Buffer.alloc(40_000, 2);

interface Scenario {
  readonly name: string;
  readonly config?: Partial<TopicConfig>;
  readonly partitions: number;
  /** Appended, group by group, before the one that is interrupted; [partition, value]. */
  readonly before: readonly (readonly [number, Buffer][])[];
  /** A checkpoint comes between. */
  readonly checkpoint?: boolean;
  readonly group: readonly [number, Buffer][];
}

const scenarios: Scenario[] = [
  { name: 'the first small write of a partition', partitions: 1, before: [], group: [[0, SMALL]] },
  { name: 'the first large write of a partition', partitions: 1, before: [], group: [[0, LARGE]] },
  { name: 'small writes behind small ones', partitions: 1, before: [[[0, SMALL]], [[0, SMALL]]], group: [[0, SMALL]] },
  { name: 'a large write behind a small one', partitions: 1, before: [[[0, SMALL]]], group: [[0, LARGE]] },
  { name: 'a small write behind a large one', partitions: 1, before: [[[0, LARGE]]], group: [[0, SMALL]] },
  {
    name: 'several partitions in both lanes, one of them new',
    partitions: 3,
    before: [
      [
        [0, SMALL],
        [1, SMALL],
      ],
    ],
    group: [
      [0, SMALL],
      [1, LARGE],
      [2, SMALL],
    ],
  },
  {
    name: 'a roll in the middle of small writes',
    config: { 'segment.bytes': 500 },
    partitions: 1,
    before: [[[0, SMALL]]],
    group: [
      [0, SMALL],
      [0, SMALL],
      [0, SMALL],
    ],
  },
  {
    name: 'a roll between a small and a large write',
    config: { 'segment.bytes': 41_000 },
    partitions: 2,
    before: [
      [
        [0, LARGE],
        [1, SMALL],
      ],
    ],
    group: [
      [0, SMALL],
      [0, LARGE],
      [1, LARGE],
    ],
  },
  { name: 'small writes behind a checkpoint', partitions: 1, before: [[[0, SMALL]]], checkpoint: true, group: [[0, SMALL]] },
];

interface Acked {
  readonly partition: number;
  readonly endOffset: number;
  readonly bytes: Buffer;
}

interface Run {
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly acked: Acked[];
  readonly operations: number;
}

/** Plays the scenario; at operation `at` of the last group (from 0) `onReached` is called, once, with what had been acknowledged by then. */
async function play(scenario: Scenario, at: number, onReached: (run: Omit<Run, 'operations'>) => void): Promise<number> {
  const clock = new FakeClock();
  let watching = false;
  let operations = 0;
  const disk = new MemoryDisk({
    modelsPowerLoss: true,
    clock,
    onOperation: () => {
      if (!watching) return;
      if (operations === at) onReached({ disk, clock, acked: ackedNow() });
      operations += 1;
    },
  });
  const world = await openDir({ disk, clock, journalHalfBytes: 16_384 });
  const logs = await Promise.all(
    Array.from({ length: scenario.partitions }, (_, partition) => world.openLog('t', partition, scenario.config)),
  );
  const appended: { ticket: Ticket; partition: number; bytes: Buffer }[] = [];
  const ackedNow = (): Acked[] =>
    appended
      .filter(({ ticket }) => ticket.committed.settled)
      .map(({ ticket, partition, bytes }) => ({ partition, endOffset: ticket.lastOffset + 1, bytes }));
  const put = (group: readonly (readonly [number, Buffer])[]): void => {
    for (const [partition, value] of group)
      appended.push({ ticket: append(logs[partition] as PartitionLog, { values: [value] }), partition, bytes: value });
  };
  for (const group of scenario.before) {
    put(group);
    await world.env.settle();
  }
  if (scenario.checkpoint === true) await clock.until(world.dir.checkpoint());
  watching = true;
  put(scenario.group);
  await world.env.settle();
  watching = false;
  assert.deepEqual(world.fatal, []);
  assert.ok(appended.every(({ ticket, partition }) => ticket.committed.settled && logs[partition]?.failureOf(ticket) === undefined));
  return operations;
}

async function checkAfter(found: MemoryDisk, run: Omit<Run, 'operations'>, scenario: Scenario, what: string): Promise<void> {
  const world = await openDir({ disk: found, clock: run.clock, seed: 2, journalHalfBytes: 16_384 });
  for (let partition = 0; partition < scenario.partitions; partition += 1) {
    const log = await world.openLog('t', partition, scenario.config);
    assert.equal(log.refusal, undefined, what);
    const batches = await readAll(log);
    const there = new Map(batches.map(({ endOffset, bytes }) => [endOffset, bytes]));
    for (const { endOffset, bytes } of run.acked.filter((one) => one.partition === partition)) {
      const batch = there.get(endOffset);
      assert.ok(
        batch?.includes(bytes) === true,
        `${what}: the record that ends at ${endOffset} of partition ${partition} was acknowledged`,
      );
    }
    batches.forEach(({ endOffset }, index) => assert.equal(endOffset, index + 1, `${what}: offsets without gaps`));
    // And it goes on.
    const ticket = append(log, { values: ['next'] });
    await world.env.settle();
    assert.equal(log.failureOf(ticket), undefined, what);
    assert.equal(ticket.baseOffset, batches.length, what);
  }
  assert.deepEqual(world.log.messages('error'), [], what);
  assert.deepEqual(world.fatal, [], what);
}

const ALL_SUBSETS_UP_TO = 5;
const RANDOM_SURVIVALS = 10;

function* survivalsOf(changes: readonly UnsyncedChange[], seed: number): Generator<Survival> {
  if (changes.length <= ALL_SUBSETS_UP_TO) yield* everySurvival(changes);
  else {
    yield keepNothing;
    // Those of the last group come last: all subsets of them, with the older ones lost and with the older ones there.
    for (const survives of everySurvival(changes.slice(-ALL_SUBSETS_UP_TO))) yield survives;
  }
  for (let n = 0; n < RANDOM_SURVIVALS; n += 1) yield randomSurvival(new SeededRandom(seed * 1000 + n));
}

for (const scenario of scenarios) {
  test(`power may go at any moment of a group, and any part of it survive: ${scenario.name}`, async () => {
    const operations = await play(scenario, -1, () => undefined);
    assert.ok(operations >= 3);
    let checked = 0;
    for (let at = 0; at < operations; at += 1) {
      const found: MemoryDisk[] = [];
      let reached: Omit<Run, 'operations'> | undefined;
      await play(scenario, at, (run) => {
        reached = run;
        for (const survives of survivalsOf(run.disk.unsynced(), at)) found.push(run.disk.copyAfterPowerLoss(survives));
      });
      assert.ok(reached);
      for (const [index, disk] of found.entries()) {
        await checkAfter(disk, reached, scenario, `${scenario.name}, at operation ${at} of ${operations}, survival ${index}`);
        checked += 1;
      }
    }
    assert.ok(checked >= operations * RANDOM_SURVIVALS);
  });
}

async function quiet(options: { config?: Partial<TopicConfig>; operations?: DiskOperation[]; journalHalfBytes?: number } = {}): Promise<{
  world: OpenDir;
  disk: MemoryDisk;
  clock: FakeClock;
}> {
  const clock = new FakeClock();
  const disk = new MemoryDisk({
    modelsPowerLoss: true,
    clock,
    onOperation: (operation) => options.operations?.push(operation),
  });
  const world = await openDir({
    disk,
    clock,
    ...(options.journalHalfBytes !== undefined && { journalHalfBytes: options.journalHalfBytes }),
  });
  return { world, disk, clock };
}

const writesAndSyncs = (operations: readonly DiskOperation[]): string[] =>
  operations
    .filter(({ kind }) => kind === 'write' || kind === 'dataSync')
    .map(({ kind, path }) => `${kind} ${path.endsWith('journal') ? 'journal' : path.endsWith('.log') ? 'segment' : 'other'}`);

test('a small write is synced once, in the journal; a large one once in the journal and once in its segment', async () => {
  const operations: DiskOperation[] = [];
  const { world } = await quiet({ operations });
  const log = await world.openLog('t');
  append(log);
  await world.env.settle();
  operations.length = 0;
  append(log, { values: [SMALL] });
  await world.env.settle();
  assert.deepEqual(writesAndSyncs(operations), ['write segment', 'write journal', 'dataSync journal']);
  operations.length = 0;
  append(log, { values: [LARGE] });
  await world.env.settle();
  assert.deepEqual(writesAndSyncs(operations), ['write segment', 'write journal', 'dataSync journal', 'dataSync segment']);
});

test('what is staged while a group is on its way is not written to any file before that group is synced', async () => {
  const operations: DiskOperation[] = [];
  const { world, disk } = await quiet({ operations });
  const log = await world.openLog('t');
  append(log);
  await world.env.settle();
  using _slow = disk.inject({ kinds: ['dataSync'], delayMs: 50 });
  operations.length = 0;
  const first = append(log, { values: [SMALL] });
  await world.env.settle();
  const second = append(log, { values: [SMALL] });
  const third = append(log, { values: [SMALL] });
  await world.env.advanceMs(49);
  assert.deepEqual(writesAndSyncs(operations), ['write segment', 'write journal', 'dataSync journal']);
  assert.equal(first.committed.settled, false);
  assert.equal(second.committed, third.committed, 'one commit object for the group');
  await world.env.advanceMs(1);
  assert.equal(first.committed.settled, true);
  assert.deepEqual(writesAndSyncs(operations).slice(3), ['write segment', 'write journal', 'dataSync journal']);
});

test('a weaker promise is kept too: an ack after the write, a sync after so many records or so long', async () => {
  const config = { 'flush.messages': 5, 'flush.ms': 3000 };
  const operations: DiskOperation[] = [];
  const { world, clock } = await quiet({ operations });
  const log = await world.openLog('t', 0, config);
  append(log);
  await world.env.settle();
  await clock.until(world.dir.checkpoint());
  operations.length = 0;
  const ticket = append(log);
  await world.env.settle();
  assert.equal(ticket.committed.settled, true);
  assert.equal(log.highWatermark, 2);
  assert.deepEqual(writesAndSyncs(operations), ['write segment']);
  for (let n = 0; n < 4; n += 1) append(log);
  await world.env.settle();
  assert.ok(writesAndSyncs(operations).includes('dataSync segment'), 'after five records');
  operations.length = 0;
  append(log);
  await world.env.advanceMs(2900);
  assert.ok(!writesAndSyncs(operations).includes('dataSync segment'));
  await world.env.advanceMs(200);
  assert.ok(writesAndSyncs(operations).includes('dataSync segment'), 'after three seconds');
});

test("with Kafka's promise nothing is synced but full segments", async () => {
  const config = { 'flush.messages': Number.MAX_SAFE_INTEGER, 'flush.ms': Number.MAX_SAFE_INTEGER, 'segment.bytes': 1000 };
  const operations: DiskOperation[] = [];
  const { world } = await quiet({ operations });
  const log = await world.openLog('t', 0, config);
  append(log);
  await world.env.advanceMs(100_000);
  operations.length = 0;
  append(log, { values: [SMALL] });
  await world.env.advanceMs(1_000_000);
  assert.deepEqual(writesAndSyncs(operations), ['write segment']);
  for (let n = 0; n < 10; n += 1) append(log, { values: [SMALL] });
  await world.env.advanceMs(2000);
  assert.ok(writesAndSyncs(operations).includes('dataSync segment'));
});

test('a log that begins to wait for the sync leaves no hole below its first durable record', async () => {
  for (const next of [SMALL, LARGE]) {
    const { world, disk, clock } = await quiet();
    const relaxed = { 'flush.messages': 1000, 'flush.ms': 1_000_000, 'segment.bytes': 1000 };
    const log = await world.openLog('t', 0, relaxed);
    for (let n = 0; n < 12; n += 1) append(log, { values: [SMALL] });
    await world.env.settle();
    log.configure({ ...log.config, 'flush.messages': 1 });
    const ticket = append(log, { values: [next] });
    await world.env.settle();
    assert.equal(ticket.committed.settled, true);
    disk.losePower(keepNothing);
    const after = await openDir({ disk, clock, seed: 2 });
    const found = await after.openLog('t');
    assert.equal(found.refusal, undefined);
    assert.equal((await readAll(found)).length, 13);
  }
});

test('of a log whose acks do not wait for the sync a power loss takes the end, and the log goes on', async () => {
  const config = { 'flush.messages': 1000, 'flush.ms': 1_000_000 };
  const { world, disk, clock } = await quiet();
  const log = await world.openLog('t', 0, config);
  append(log);
  await world.env.settle();
  await clock.until(world.dir.checkpoint());
  for (let n = 0; n < 5; n += 1) {
    append(log, { values: [SMALL] });
    await world.env.settle();
  }
  // The third of the five writes is lost, those behind it survive.
  const lost = disk.unsynced().filter(({ kind, path }) => kind === 'write' && path.endsWith('.log'))[2];
  disk.losePower(({ id }) => id !== lost?.id);
  const after = await openDir({ disk, clock, seed: 2 });
  const found = await after.openLog('t', 0, config);
  assert.equal(found.refusal, undefined);
  assert.equal(found.endOffset, 2);
  assert.deepEqual(after.log.messages('error'), []);
});

test('a group of more partitions than one frame of the journal can name takes several', async () => {
  const { world, disk, clock } = await quiet({ journalHalfBytes: 4096 });
  const logs: PartitionLog[] = [];
  for (let partition = 0; partition < 60; partition += 1) logs.push(await world.openLog('x'.repeat(240), partition));
  const tickets = logs.map((log) => append(log, { values: ['one'] }));
  await world.env.settle();
  for (const [index, log] of logs.entries()) {
    assert.equal(tickets[index]?.committed.settled, true);
    assert.equal(log.failureOf(tickets[index]), undefined);
    assert.equal(log.highWatermark, 1);
  }
  disk.losePower(keepNothing);
  const after = await openDir({ disk, clock, seed: 2, journalHalfBytes: 4096 });
  for (let partition = 0; partition < 60; partition += 1)
    assert.equal((await readAll(await after.openLog('x'.repeat(240), partition))).length, 1);
});

test('a broken invariant in the loop fails what is staged, leaves nobody waiting, and is told once', async () => {
  const { world } = await quiet();
  const log = await world.openLog('t');
  append(log);
  await world.env.settle();
  log.takeStaged = () => {
    throw new Error('a promise that was broken');
  };
  const ticket = append(log);
  await world.env.settle();
  const next = append(log);
  await world.env.settle();
  for (const one of [ticket, next]) {
    assert.equal(one.committed.settled, true);
    assert.match(String(log.failureOf(one)), /a promise that was broken/);
  }
  assert.equal(world.fatal.length, 1);
  await log.close();
});

test('a disk that is full when a checkpoint must make room for the journal fails the group, and nothing else', async () => {
  const { world, disk, clock } = await quiet({ journalHalfBytes: 4096 });
  const log = await world.openLog('t');
  append(log);
  await world.env.settle();
  const full = disk.inject({ kinds: ['write', 'create'], path: /recovery-point/, code: 'ENOSPC' });
  const tickets: Ticket[] = [];
  for (let n = 0; n < 200 && log.refusal === undefined; n += 1) {
    tickets.push(append(log, { values: [SMALL] }));
    await world.env.settle();
  }
  assert.ok(tickets.length < 200);
  assert.match(String(log.failureOf(tickets.at(-1) as Ticket)), /ENOSPC/);
  assert.deepEqual(world.fatal, []);
  assert.deepEqual(world.offline, []);
  full[Symbol.dispose]();
  await world.env.advanceMs(3000);
  const ticket = append(log, { values: [SMALL] });
  await world.env.settle();
  assert.equal(log.failureOf(ticket), undefined);
  disk.losePower(keepNothing);
  const after = await openDir({ disk, clock, seed: 2, journalHalfBytes: 4096 });
  assert.equal((await readAll(await after.openLog('t'))).length, tickets.length + 1);
});
