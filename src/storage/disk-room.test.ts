// A disk that fills up and gets room again: clients are told, the broker's own records go on out of the reserve, and
// everything by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { KafkaError } from '../protocol/errors.ts';
import { RESERVE_FILE } from './disk-room.ts';
import { append, DIRECTORY, openDir, readAll, type OpenDir } from './log-dir.testing.ts';
import type { PartitionLog, Ticket } from './log/partition-log.ts';

const RESERVE = 512 * 1024;
const VALUE = Buffer.alloc(10_000, 1);

interface World {
  readonly world: OpenDir;
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly log: PartitionLog;
  readonly offsets: PartitionLog;
}

const options = { reserveBytes: RESERVE, journalHalfBytes: 64 * 1024, cacheBytes: 10_000_000 };

/** A log dir with a client's partition and one of a coordinator, each with a record, and its reserve made. */
async function roomy(config = {}): Promise<World> {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock, modelsPowerLoss: true });
  const world = await openDir({ disk, clock, ...options });
  const log = await world.openLog('orders', 0, config);
  const offsets = await world.openLog('offsets');
  produce(log);
  append(offsets);
  await world.env.settle();
  await clock.until(world.dir.checkpoint());
  await world.env.settle();
  return { world, disk, clock, log, offsets };
}

const produce = (log: PartitionLog): Ticket => append(log, { values: [VALUE] }, 'client');
const isStorageError = (thrown: unknown): boolean => thrown instanceof KafkaError && thrown.errorName === 'KAFKA_STORAGE_ERROR';

/** Produces until the disk refuses; how many records were acknowledged. */
async function fill({ world, disk, log }: World, roomBytes = 45_000): Promise<number> {
  disk.capacityBytes = disk.usedBytes + roomBytes;
  for (let acknowledged = 0; ; acknowledged += 1) {
    const ticket = produce(log);
    await world.env.settle();
    if (log.failureOf(ticket) !== undefined) return acknowledged;
  }
}

const told = ({ world }: World): string[] => world.log.messages().filter((message) => /disk|room/.test(message));

test('while the disk is full clients are refused and read on, committed offsets are written, and it is said once', async () => {
  const all = await roomy();
  const { world, clock, disk, log, offsets } = all;
  const acknowledged = 1 + (await fill(all));
  for (let second = 0; second < 100; second += 1) {
    assert.throws(() => produce(log), isStorageError);
    const ticket = append(offsets);
    await world.env.settle();
    assert.equal(offsets.failureOf(ticket), undefined, `after ${second} s`);
    await world.env.advanceMs(1000);
  }
  assert.equal((await readAll(log)).length, acknowledged);
  assert.equal(world.dir.isFull, true);
  assert.equal(told(all).length, 1);
  assert.match(told(all)[0] ?? '', /the disk is full: clients’ records are refused/);

  disk.capacityBytes += RESERVE; // not enough for the reserve and some more
  await world.env.advanceMs(5000);
  assert.throws(() => produce(log), isStorageError);
  disk.capacityBytes += 2 * RESERVE;
  await world.env.advanceMs(2000);
  const ticket = produce(log);
  await world.env.settle();
  assert.equal(log.failureOf(ticket), undefined);
  assert.equal(ticket.baseOffset, acknowledged, 'the offset that was never acknowledged is given again');
  assert.match(told(all)[1] ?? '', /there is room on the disk again/);
  assert.equal(told(all).length, 2);
  assert.equal((await world.env.files.stat(`${DIRECTORY}/${RESERVE_FILE}`))?.bytes, RESERVE, 'the reserve is back');

  disk.losePower(() => false);
  const after = await openDir({ disk, clock, seed: 2, ...options });
  assert.equal((await readAll(await after.openLog('orders'))).length, acknowledged + 1);
  assert.equal((await readAll(await after.openLog('offsets'))).length, 101);
});

test('a resend of what was acknowledged before the disk was full is success, since it writes nothing', async () => {
  const all = await roomy();
  const { world, log } = all;
  const batch = { values: [VALUE], producerId: 7, producerEpoch: 0, baseSequence: 0 };
  const first = append(log, batch, 'client');
  await world.env.settle();
  await fill(all);
  const again = append(log, batch, 'client');
  assert.deepEqual([again.duplicate, again.baseOffset], [true, first.baseOffset]);
});

test('a broker stops in order on a full disk, and starts on it again', async () => {
  const all = await roomy({ 'segment.bytes': 30_000 });
  const { world, clock, disk } = all;
  const acknowledged = 1 + (await fill(all));
  disk.capacityBytes = disk.usedBytes + RESERVE; // only the reserve is left
  await clock.until(world.dir.close());
  assert.ok((await world.env.files.stat(`${DIRECTORY}/.kafka_cleanshutdown`)) !== undefined);
  disk.capacityBytes = disk.usedBytes + 30_000;
  const after = await openDir({ disk, clock, seed: 2, ...options });
  const log = await after.openLog('orders', 0, { 'segment.bytes': 30_000 });
  assert.equal(log.refusal, undefined);
  assert.equal((await readAll(log)).length, acknowledged);
});

test('a start on a full disk cuts a torn end, and has room to keep what it cuts', async () => {
  const all = await roomy();
  const { disk, clock, world } = all;
  const acknowledged = 1 + (await fill(all));
  world.env.kill();
  const other = disk.mount();
  const segment = await other.open(`${DIRECTORY}/orders-0/00000000000000000000.log`, 'write');
  disk.capacityBytes = Infinity;
  await segment.write([Buffer.alloc(1000, 7)], await segment.size());
  await segment.close();
  const reserve = await other.open(`${DIRECTORY}/${RESERVE_FILE}`, 'create');
  await reserve.write([Buffer.alloc(RESERVE, 1)], 0); // taken back before the kill
  await reserve.close();
  disk.capacityBytes = disk.usedBytes;
  const after = await openDir({ disk, clock, seed: 2, ...options });
  const found = await after.openLog('orders');
  assert.equal(found.refusal, undefined);
  assert.equal((await readAll(found)).length, acknowledged);
  assert.equal(after.dir.isFull, true);
  assert.ok((await other.readDirectory(`${DIRECTORY}/orders-0`)).some(({ name }) => name.endsWith('.cut')));
});

test('when the reserve is used up too nothing is taken, and both come back in turn', async () => {
  const all = await roomy();
  const { world, disk, log, offsets } = all;
  await fill(all);
  let written = 0;
  for (; offsets.refusal === undefined; written += 1) {
    assert.ok(written < 200);
    append(offsets, { values: [VALUE] });
    await world.env.settle();
  }
  assert.ok(written * VALUE.length > RESERVE / 4, `${written} records came out of the reserve`);
  assert.throws(() => append(offsets), isStorageError);
  await world.env.advanceMs(60_000);
  assert.deepEqual(told(all).length, 2, 'it is not said every second');
  disk.capacityBytes += 200_000;
  await world.env.advanceMs(2000);
  const ticket = append(offsets);
  await world.env.settle();
  assert.equal(offsets.failureOf(ticket), undefined);
  assert.throws(() => produce(log), isStorageError);
  disk.capacityBytes = Infinity;
  await world.env.advanceMs(2000);
  produce(log);
  await world.env.settle();
  assert.equal(log.highWatermark, log.endOffset);
});

test('a quota, which no file system tells of, is met like a full disk', async () => {
  const all = await roomy();
  const { world, disk, log, offsets } = all;
  const quota = disk.inject({ kinds: ['write'], path: /orders|reserve/, code: 'EDQUOT' });
  const refused = produce(log);
  await world.env.settle();
  assert.ok(isStorageError(log.failureOf(refused)));
  append(offsets);
  await world.env.advanceMs(10_000);
  assert.equal(offsets.highWatermark, offsets.endOffset);
  assert.throws(() => produce(log), isStorageError);
  quota[Symbol.dispose]();
  await world.env.advanceMs(2000);
  produce(log);
  await world.env.settle();
  assert.equal(log.highWatermark, log.endOffset);
});

test('a quota that refuses what the disk says is free is tried less and less often, which is said once, and lifts by itself', async () => {
  const all = await roomy();
  const { world, disk, log } = all;
  const quota = disk.inject({ kinds: ['write'], path: /orders/, code: 'EDQUOT' });
  let refusedByDisk = 0;
  /** A second of a client that goes on and on; true when the record was acknowledged. */
  const second = async (): Promise<boolean> => {
    await world.env.advanceMs(1000);
    if (log.refusal !== undefined || world.dir.isFull) return false;
    const ticket = produce(log);
    await world.env.settle();
    if (log.failureOf(ticket) === undefined) return true;
    refusedByDisk += 1;
    return false;
  };
  for (let n = 0; n < 600; n += 1) assert.equal(await second(), false);
  assert.ok(refusedByDisk >= 10 && refusedByDisk <= 20, `${refusedByDisk} times in ten minutes`);
  const said = told(all);
  assert.equal(said.filter((message) => message.includes('refuses room that it says it has')).length, 1);
  assert.ok(said.length <= 5, said.join('\n'));
  quota[Symbol.dispose]();
  let waited = 1;
  while (!(await second())) waited += 1;
  assert.ok(waited <= 62, `${waited} s until records were taken again`);
  for (let n = 0; n < 60; n += 1) assert.equal(await second(), true);
  assert.match(told(all).at(-1) ?? '', /there is room on the disk again/);
  assert.equal(told(all).length, said.length + 1);
  const again = disk.inject({ kinds: ['write'], path: /orders/, code: 'EDQUOT' });
  assert.equal(await second(), false);
  again[Symbol.dispose]();
  await second();
  assert.equal(await second(), true, 'room that has lasted is believed: the next refusal is looked into after a second');
});

test('a disk without room for a reserve is said to be one, and works until it is full', async () => {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock, capacityBytes: 200_000 });
  const world = await openDir({ disk, clock, ...options });
  const log = await world.openLog('orders');
  produce(log);
  await world.env.advanceMs(2000);
  assert.equal(log.highWatermark, 1);
  assert.match(world.log.messages('warn').join(), /there is no room for a reserve/);
  assert.equal(await world.env.files.stat(`${DIRECTORY}/${RESERVE_FILE}`), undefined);
});

test('what a checkpoint could not write for want of room is written by a later one', async () => {
  const all = await roomy({ 'segment.bytes': 25_000 });
  const { world, clock, disk, log } = all;
  log.leadFrom(3);
  for (let n = 0; n < 6; n += 1) produce(log);
  await world.env.settle();
  {
    using _full = disk.inject({ kinds: ['write'], path: /leader-epoch|index|snapshot/, code: 'ENOSPC' });
    await assert.rejects(world.dir.checkpoint(), /ENOSPC/);
  }
  await clock.until(world.dir.checkpoint());
  const names = (await world.env.files.readDirectory(`${DIRECTORY}/orders-0`)).map(({ name }) => name);
  assert.ok(names.filter((name) => name.endsWith('.timeindex')).length >= 2, names.join());
  assert.match((await world.env.files.readFile(`${DIRECTORY}/orders-0/leader-epoch-checkpoint`)).toString(), /\n3 1\n/);
});

for (const isFullStill of [false, true]) {
  test(`a clean stop in the moment in which a commit is refused leaves what was acknowledged, and the next start goes on behind it (${isFullStill ? 'still full' : 'room again'})`, async () => {
    const all = await roomy();
    const { world, disk, clock, log, offsets } = all;
    const acknowledged = log.highWatermark;
    const full = disk.inject({ kinds: ['write'], path: /orders-0.*log$|journal/, code: 'ENOSPC' });
    const keyed = { values: ['x'], producerId: 7, producerEpoch: 0, baseSequence: 0 };
    const refused = [produce(log), append(log, keyed, 'client')];
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    refused[0]?.committed.onSettled(() => {
      if (!isFullStill) full[Symbol.dispose]();
      resolve(world.dir.close());
    });
    await clock.until(stopped);
    full[Symbol.dispose]();
    for (const ticket of refused) assert.match(String(log.failureOf(ticket)), /ENOSPC/);
    assert.deepEqual(world.fatal, []);

    const again = await openDir({ disk, clock, ...options });
    const reopened = await again.openLog('orders');
    assert.equal(reopened.endOffset, acknowledged, 'what was refused is not there');
    const tickets = [produce(reopened), append(reopened, keyed, 'client')];
    await again.env.settle();
    for (const ticket of tickets) assert.equal(reopened.failureOf(ticket), undefined);
    assert.equal((await readAll(reopened)).length, acknowledged + 2);
    assert.equal((await again.openLog('offsets')).endOffset, offsets.highWatermark);
    assert.deepEqual(again.fatal, []);
  });
}
