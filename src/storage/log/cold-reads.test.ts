// Reading what is in the files alone: when the disk does not give it, when it goes away under the reader, when many read at
// once, and beside those who write.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/memory/clock.ts';
import type { DiskOperation } from '../../base/memory/disk-faults.ts';
import { MemoryDisk } from '../../base/memory/disk.ts';
import type { TopicConfig } from '../../config/topic-configs.ts';
import { KafkaError, type ErrorName } from '../../protocol/errors.ts';
import { append, DIRECTORY, openDir, readAll, topicConfig, topicIdOf, type OpenDir } from '../log-dir.testing.ts';
import type { PartitionLog, ReadResult } from './partition-log.ts';

const VALUE = Buffer.alloc(100, 1);
const SEGMENT = /orders-0\/\d+\.log$/;

interface World {
  readonly world: OpenDir;
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly log: PartitionLog;
}

/** A log of so many batches, none of them in memory. */
async function coldLog(
  options: {
    batches?: number;
    config?: Partial<TopicConfig>;
    openFileLimit?: number;
    onOperation?: (operation: DiskOperation) => void;
  } = {},
): Promise<World> {
  const { batches = 10, config, openFileLimit = 1 } = options;
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock, modelsPowerLoss: true, ...(options.onOperation && { onOperation: options.onOperation }) });
  const world = await openDir({ disk, clock, cacheBytes: 0, openFileLimit });
  const log = await world.openLog('orders', 0, config);
  for (let n = 0; n < batches; n += 1) append(log, { values: [VALUE] });
  await world.env.settle();
  return { world, disk, clock, log };
}

/** Where one file may be open, the next reader has to open this one again. */
async function openAnother(world: OpenDir): Promise<void> {
  const other = await world.openLog('other');
  append(other);
  await world.env.settle();
}

const read = (log: PartitionLog, from = 0): ReadResult | Promise<ReadResult> =>
  log.read(from, { maxBytes: 1_000_000, atLeastOneBatch: true, isolation: 'readUncommitted', currentLeaderEpoch: -1 });

const failsWith = (errorName: ErrorName) => (thrown: unknown) => thrown instanceof KafkaError && thrown.errorName === errorName;

test('a file that the disk does not give is a storage error of that partition, and is told to the operator once, not to each reader', async () => {
  for (const code of ['EIO', 'EMFILE'] as const) {
    const { world, disk, log } = await coldLog();
    await openAnother(world);
    {
      using _broken = disk.inject({ kinds: code === 'EIO' ? ['read'] : ['create', 'open'], path: SEGMENT, code });
      for (let n = 0; n < 3; n += 1) await assert.rejects(async () => read(log), failsWith('KAFKA_STORAGE_ERROR'), code);
      await assert.rejects(log.offsetForTimestamp(1, 'readUncommitted'), failsWith('KAFKA_STORAGE_ERROR'), code);
      await assert.rejects(log.offsetOfMaxTimestamp(), failsWith('KAFKA_STORAGE_ERROR'), code);
      assert.deepEqual(world.log.messages('error'), ['a partition cannot be read: the disk refuses'], code);
    }
    // It is no more than that: nothing was given up, and the next read is tried.
    assert.equal((await readAll(log)).length, 10);
    assert.equal(log.refusal, undefined);
    assert.deepEqual(world.offline, []);
  }
});

test('a file that is shorter than the log is a storage error, not an empty answer', async () => {
  const { disk, log } = await coldLog();
  using _short = disk.inject({ kinds: ['read'], path: SEGMENT, partialBytes: 40 });
  await assert.rejects(async () => read(log), failsWith('KAFKA_STORAGE_ERROR'));
});

test('a read that loses its segment to the log start is out of range, and never an unforeseen error', async () => {
  const { world, clock, disk, log } = await coldLog({ config: { 'segment.bytes': 200 } });
  await clock.until(world.dir.checkpoint());
  await openAnother(world);
  using _slow = disk.inject({ kinds: ['open', 'create'], path: SEGMENT, delayMs: 5000, times: 1 });
  const reading = Promise.resolve(read(log)).catch((thrown: unknown) => thrown);
  await clock.until(world.dir.advanceStart(log, 5));
  assert.ok(failsWith('OFFSET_OUT_OF_RANGE')(await clock.until(reading)));
  assert.equal((await readAll(log)).length, 5);
  assert.deepEqual(world.log.messages('error'), []);
});

test('a lookup by time that loses its segment is done again in what is left', async () => {
  const { world, clock, disk, log } = await coldLog({ config: { 'segment.bytes': 200 } });
  await clock.until(world.dir.checkpoint());
  for (const look of [() => log.offsetForTimestamp(1, 'readUncommitted'), () => log.offsetOfMaxTimestamp()]) {
    await openAnother(world);
    const start = log.logStartOffset + 3;
    using _slow = disk.inject({ kinds: ['open', 'create'], path: SEGMENT, delayMs: 5000, times: 1 });
    const looking = look();
    await clock.until(world.dir.advanceStart(log, start));
    assert.equal((await clock.until(looking))?.offset, start);
  }
});

test('a read whose topic is dropped and made again gives nothing of the new one', async () => {
  const { world, clock, disk, log } = await coldLog();
  await openAnother(world);
  const slow = disk.inject({ kinds: ['open', 'create'], path: SEGMENT, delayMs: 5000, times: 1 });
  const reading = Promise.resolve(read(log)).catch((thrown: unknown) => thrown);
  await clock.until(world.dir.dropLogs([{ topic: 'orders', partition: 0 }]));
  slow[Symbol.dispose]();
  const identity = { topic: 'orders', topicId: topicIdOf('new'), partition: 0 };
  const fresh = world.dir.startLog(identity, topicConfig(), 0);
  for (let n = 0; n < 10; n += 1) append(fresh, { values: [Buffer.alloc(100, 2)] });
  await world.env.settle();
  assert.ok(failsWith('NOT_LEADER_OR_FOLLOWER')(await clock.until(reading)));
  await assert.rejects(async () => read(log), failsWith('NOT_LEADER_OR_FOLLOWER'), 'also when it is asked afterwards');
  assert.equal((await readAll(fresh)).length, 10);
});

test('hundreds of consumers that lag read one partition through few open files, and each gets all of it', async () => {
  const { world, log } = await coldLog({ batches: 200, config: { 'segment.bytes': 1000 }, openFileLimit: 4 });
  const expected = Buffer.concat((await readAll(log)).map(({ bytes }) => bytes));
  let mostOpen = 0;
  const watched = async (): Promise<void> => {
    const found: Buffer[] = [];
    for (let from = 0; from < log.highWatermark;) {
      const { buffers, bytes } = await log.read(from, {
        maxBytes: 2000,
        atLeastOneBatch: true,
        isolation: 'readUncommitted',
        currentLeaderEpoch: -1,
      });
      assert.ok(bytes > 0);
      found.push(...buffers);
      from += bytes / (expected.length / 200);
      mostOpen = Math.max(mostOpen, world.dir.openFileCount);
    }
    assert.ok(Buffer.concat(found).equals(expected));
  };
  await Promise.all(Array.from({ length: 300 }, watched));
  await world.env.settle();
  assert.ok(world.dir.openFileCount <= 4, `${world.dir.openFileCount} files are open`);
});

test('readers of a slow disk keep no append waiting', async () => {
  const { world, clock, disk, log } = await coldLog({ batches: 50, config: { 'segment.bytes': 1000 } });
  using _slow = disk.inject({ kinds: ['read'], delayMs: 60_000 });
  const readers = Array.from({ length: 100 }, async (_, n) => read(log, n % 50));
  for (let n = 0; n < 20; n += 1) {
    const ticket = append(log, { values: [VALUE] });
    await world.env.settle();
    assert.equal(ticket.committed.settled, true, 'no time has passed');
    assert.equal(log.failureOf(ticket), undefined);
  }
  assert.equal((await clock.until(Promise.all(readers))).length, 100);
});

test('a reader that follows the log while its segments roll and go reads every record once, or is told where the log begins', async () => {
  const { world, clock, log } = await coldLog({ batches: 5, config: { 'segment.bytes': 500 } });
  let next = 0;
  for (let round = 0; round < 60; round += 1) {
    append(log, { values: [`${round + 5}`.padEnd(100)] });
    await world.env.settle();
    if (round % 7 === 6) await clock.until(world.dir.advanceStart(log, log.highWatermark - 4));
    try {
      const { buffers } = await read(log, next);
      next += Buffer.concat(buffers).length > 0 ? buffers.reduce((count, buffer) => count + countBatches(buffer), 0) : 0;
    } catch (thrown) {
      assert.ok(failsWith('OFFSET_OUT_OF_RANGE')(thrown), String(thrown));
      assert.ok(next < log.logStartOffset);
      next = log.logStartOffset;
    }
  }
  assert.equal(next, log.highWatermark);
  const files = (await world.env.files.readDirectory(`${DIRECTORY}/orders-0`)).filter(({ name }) => name.endsWith('.log'));
  assert.ok(files.length <= 6, `of 65 batches ${files.length} files are left`);
});

function countBatches(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 12 + bytes.readInt32BE(at + 8)) count += 1;
  return count;
}

test('a reader that is led past what a file has lost goes on behind it, and the operator hears which offsets are missing', async () => {
  for (const policy of ['delete', 'compact'] as const) {
    const config = { 'segment.bytes': 500, 'cleanup.policy': [policy] };
    const { world, disk, clock } = await coldLog({ batches: 20, config });
    await clock.until(world.dir.close());
    const file = await disk.mount().open(`${DIRECTORY}/orders-0/00000000000000000000.log`, 'write');
    await file.truncate((await file.size()) / 2);
    const after = await openDir({ disk, clock, seed: 2, cacheBytes: 0 });
    const log = await after.openLog('orders', 0, config);
    assert.equal((await readAll(log)).length, 19);
    const told = after.log.lines
      .filter(({ level }) => level === 'error')
      .map(({ message, fields }) => [message, fields['fromOffset'], fields['toOffset']]);
    // Where the cleaner has been at work, nobody can tell.
    assert.deepEqual(
      told,
      policy === 'delete' ? [['records of a partition are missing: its file ends before the next one begins', 1, 2]] : [],
    );
  }
});
