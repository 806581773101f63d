// A process that is out of file descriptors while records are written, synced, checkpointed and the log dir is closed: everything
// waits, nothing is lost, and nothing goes offline for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/memory/clock.ts';
import type { DiskOperationKind } from '../base/memory/disk-faults.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { keepNothing } from '../base/memory/power-loss.ts';
import type { TopicConfig } from '../config/topic-configs.ts';
import { append, openDir, readAll, type OpenDir } from './log-dir.testing.ts';
import type { PartitionLog, Ticket } from './log/partition-log.ts';

const SMALL = Buffer.alloc(100, 1);
const LARGE = Buffer.alloc(40_000, 2);
const opens: DiskOperationKind[] = ['open', 'create', 'syncDirectory'];

async function begin(options: { journaled?: boolean } = {}): Promise<{ disk: MemoryDisk; clock: FakeClock; world: OpenDir }> {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock, modelsPowerLoss: true });
  return { disk, clock, world: await openDir({ disk, clock, ...options }) };
}

async function isAcknowledged(world: OpenDir, log: PartitionLog, ticket: Ticket): Promise<boolean> {
  await world.env.settle();
  if (ticket.committed.settled) assert.equal(log.failureOf(ticket), undefined);
  return ticket.committed.settled;
}

const cases: {
  name: string;
  config?: Partial<TopicConfig>;
  journaled?: boolean;
  before: Buffer[];
  value: Buffer;
  kinds?: DiskOperationKind[];
}[] = [
  { name: 'the first small write of a log dir', before: [], value: SMALL },
  { name: 'the first large write of a log dir', before: [], value: LARGE },
  { name: 'a large write whose file is open, and whose name is to be synced', before: [], value: LARGE, kinds: ['syncDirectory'] },
  { name: 'a small write into the next segment', before: [LARGE], config: { 'segment.bytes': 40_200 }, value: SMALL },
  { name: 'a large write into the next segment', before: [SMALL], config: { 'segment.bytes': 40_000 }, value: LARGE },
  { name: 'a first write without a journal', journaled: false, before: [], value: SMALL },
];

for (const { name, config, journaled, before, value, kinds = opens } of cases) {
  test(`without a descriptor, ${name} waits, and is durable once there is one`, async () => {
    const { disk, clock, world } = await begin({ ...(journaled !== undefined && { journaled }) });
    const log = await world.openLog('t', 0, config);
    for (const one of before) assert.equal(await isAcknowledged(world, log, append(log, { values: [one] })), true);
    const none = disk.inject({ kinds, code: 'EMFILE' });
    const ticket = append(log, { values: [value] });
    await world.env.advanceMs(5000);
    assert.equal(await isAcknowledged(world, log, ticket), false);
    none[Symbol.dispose]();
    await world.env.advanceMs(200);
    assert.equal(await isAcknowledged(world, log, ticket), true);
    assert.equal(await isAcknowledged(world, log, append(log, { values: [value] })), true, 'and it goes on');
    assert.deepEqual([world.offline, world.fatal], [[], []]);
    disk.losePower(keepNothing);
    const after = await openDir({ disk, clock, seed: 2, ...(journaled !== undefined && { journaled }) });
    assert.equal((await readAll(await after.openLog('t'))).length, before.length + 2);
  });
}

test('a checkpoint without descriptors waits, which is said once', async () => {
  const { disk, clock, world } = await begin();
  const log = await world.openLog('t');
  assert.equal(await isAcknowledged(world, log, append(log)), true);
  const none = disk.inject({ kinds: ['create'], code: 'ENFILE' });
  await world.env.advanceMs(10_000);
  assert.equal(world.log.lines.filter(({ message }) => message.startsWith('out of file descriptors')).length, 1);
  none[Symbol.dispose]();
  await world.env.advanceMs(2000);
  assert.equal(await isAcknowledged(world, log, append(log)), true);
  assert.deepEqual([world.offline, world.fatal], [[], []]);
  disk.losePower(keepNothing);
  const after = await openDir({ disk, clock, seed: 2 });
  assert.equal((await readAll(await after.openLog('t'))).length, 2);
});

test('a partition that is dropped without descriptors is dropped once there are some, and begun anew after that', async () => {
  const { disk, clock, world } = await begin({ journaled: false }); // nothing else has to be synced first
  const log = await world.openLog('t');
  assert.equal(await isAcknowledged(world, log, append(log)), true);
  const none = disk.inject({ kinds: ['syncDirectory'], code: 'EMFILE' });
  let isDropped = false;
  const dropping = world.dir.dropLogs([{ topic: 't', partition: 0 }]).then(() => (isDropped = true));
  await world.env.advanceMs(2000);
  assert.equal(isDropped, false);
  none[Symbol.dispose]();
  await clock.until(dropping);
  const again = await world.openLog('t');
  assert.equal(again.endOffset, 0);
  assert.equal(await isAcknowledged(world, again, append(again)), true);
  disk.losePower(keepNothing);
  const after = await openDir({ disk, clock, seed: 2, journaled: false });
  assert.equal((await readAll(await after.openLog('t'))).length, 1);
});

test('files that are not in use are closed for what has to be opened otherwise', async () => {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock, modelsPowerLoss: true, mostHandles: 4 });
  const world = await openDir({ disk, clock, openFileLimit: 100 }); // one handle is the journal's
  for (let partition = 0; partition < 6; partition += 1) {
    const log = await world.openLog('t', partition);
    assert.equal(await isAcknowledged(world, log, append(log)), true);
  }
  await clock.until(world.dir.checkpoint());
  assert.deepEqual([world.offline, world.fatal], [[], []]);
});

test('a sync that the disk refuses while others wait for descriptors takes the dir offline, and nobody waits any longer', async () => {
  const { disk, world } = await begin();
  const [log, other] = [await world.openLog('t', 0), await world.openLog('t', 1)];
  assert.equal(await isAcknowledged(world, log, append(log, { values: [LARGE] })), true);
  using _none = disk.inject({ kinds: ['syncDirectory'], code: 'EMFILE' });
  using _broken = disk.inject({ kinds: ['dataSync'], path: /t-0/, code: 'EIO' });
  const tickets = [append(log, { values: [LARGE] }), append(other, { values: [LARGE] })];
  await world.env.advanceMs(500);
  assert.equal(
    tickets.every(({ committed }) => committed.settled),
    true,
  );
  assert.match(String(log.failureOf(tickets[0] as Ticket)), /EIO/);
  assert.notEqual(other.failureOf(tickets[1] as Ticket), undefined);
  assert.equal(world.offline.length, 1);
});

test('a log dir that closes waits for descriptors for a while, and no longer', async () => {
  const { disk, clock, world } = await begin();
  const log = await world.openLog('t');
  using _none = disk.inject({ kinds: opens, code: 'EMFILE' });
  const ticket = append(log);
  await clock.until(world.dir.close().catch(() => undefined));
  assert.match(String(log.failureOf(ticket)), /EMFILE/);
});

const stepsOfCleanStop: { what: string; kinds: DiskOperationKind[]; path: RegExp }[] = [
  { what: 'the indexes beside a segment', kinds: ['create'], path: /\.(time)?index/ },
  { what: 'the state of the producers', kinds: ['create'], path: /\.snapshot/ },
  { what: 'the folder of a partition', kinds: ['syncDirectory'], path: /t-0$/ },
  { what: 'the recovery points', kinds: ['create'], path: /recovery-point/ },
  { what: 'the high watermarks', kinds: ['create'], path: /replication-offset/ },
  { what: 'the mark of a clean stop', kinds: ['create'], path: /kafka_cleanshutdown/ },
  { what: 'the folder of the log dir', kinds: ['syncDirectory'], path: /^\/data$/ },
];

for (const { what, kinds, path } of stepsOfCleanStop) {
  test(`a clean stop that has no descriptor for ${what} waits for one, and is clean`, async () => {
    const { disk, clock, world } = await begin();
    const log = await world.openLog('t');
    assert.equal(await isAcknowledged(world, log, append(log)), true);
    const none = disk.inject({ kinds, path, code: 'EMFILE' });
    let isClosed = false;
    const closing = world.dir.close({ brokerEpoch: 7 }).then(() => (isClosed = true));
    closing.catch(() => undefined);
    await world.env.advanceMs(2000);
    assert.equal(isClosed, false, 'it needs one');
    none[Symbol.dispose]();
    await clock.until(closing);
    assert.deepEqual([world.offline, world.fatal], [[], []]);
    disk.losePower(keepNothing);
    assert.match((await disk.mount().readFile('/data/.kafka_cleanshutdown')).toString(), /7/);
    const after = await openDir({ disk, clock, seed: 2 });
    assert.equal((await readAll(await after.openLog('t'))).length, 1);
  });
}

test('a clean stop that gets no descriptor for long enough fails, and the next start has everything', async () => {
  const { disk, clock, world } = await begin();
  const log = await world.openLog('t');
  assert.equal(await isAcknowledged(world, log, append(log)), true);
  const none = disk.inject({ kinds: ['create'], path: /kafka_cleanshutdown/, code: 'EMFILE' });
  await assert.rejects(clock.until(world.dir.close()), /EMFILE/);
  none[Symbol.dispose]();
  const after = await openDir({ disk, clock, seed: 2 });
  assert.equal((await readAll(await after.openLog('t'))).length, 1);
});
