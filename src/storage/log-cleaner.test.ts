import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { keepNothing } from '../base/memory/power-loss.ts';
import type { TopicConfig } from '../config/topic-configs.ts';
import type { LogCleaner } from './log-cleaner.ts';
import { deleteHorizonMsOf, iterateBatches, recordCountOf } from '../protocol/record-batch.ts';
import { cleanerOf, compacted, linesOf, put, putMarker, recordsOf, type Keyed } from './log-cleaner.testing.ts';
import { openDir, readAll, type OpenDir } from './log-dir.testing.ts';
import type { PartitionLog } from './log/partition-log.ts';

interface World extends OpenDir {
  readonly log0: PartitionLog;
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly cleaner: LogCleaner;
  /** Cleans until nothing is due; returns how often it cleaned. */
  clean(): Promise<number>;
  lines(): Promise<string[]>;
}

async function open(config: Partial<TopicConfig> = {}, more: { cacheBytes?: number; capacityBytes?: number } = {}): Promise<World> {
  const clock = new FakeClock({ startWallMs: 1_000_000 });
  const disk = new MemoryDisk({
    modelsPowerLoss: true,
    clock,
    ...(more.capacityBytes !== undefined && { capacityBytes: more.capacityBytes }),
  });
  return worldOn(disk, clock, config, more);
}

async function worldOn(
  disk: MemoryDisk,
  clock: FakeClock,
  config: Partial<TopicConfig>,
  more: { cacheBytes?: number; seed?: number } = {},
): Promise<World> {
  const world = await openDir({ disk, clock, cacheBytes: 2000, ...more });
  const log0 = await world.openLog('t', 0, { ...compacted, ...config });
  const cleaner = cleanerOf(world);
  return {
    ...world,
    log0,
    disk,
    clock,
    cleaner,
    clean: async () => {
      let times = 0;
      while ((await clock.until(cleaner.cleanDirtiest())) === 'cleaned') times += 1;
      return times;
    },
    lines: async () => linesOf(await clock.until(recordsOf(log0))),
  };
}

/** Appends, each batch a commit of its own, and lets the recovery point follow. */
async function fill(world: World, batches: readonly (readonly Keyed[])[], options: Parameters<typeof put>[2] = {}): Promise<void> {
  for (const batch of batches) {
    await put(world.log0, batch, options);
    await world.env.settle();
  }
  await world.env.settle();
  await world.clock.until(world.dir.checkpoint());
}

const padding = 'x'.repeat(60);

/** Enough records of their own keys that whatever lies before them is in segments that are full. */
const roll = (world: World): Promise<void> =>
  fill(world, [[['roll-1', padding]], [['roll-2', padding]], [['roll-3', padding]], [['roll-4', padding]], [['roll-5', padding]]]);

test('of each key the last record stays, at its offset, and the active segment is left alone', async () => {
  const world = await open();
  await fill(world, [
    [
      ['a', '1'],
      ['b', '1'],
    ],
    [['a', '2']],
    [
      ['c', '1'],
      ['b', '2'],
      ['a', '3'],
    ],
  ]);
  await roll(world);
  await fill(world, [[['roll-5', 'again']], [['roll-5', 'and again']]]);
  const end = world.log0.endOffset;
  assert.equal(await world.clean(), 1);
  const lines = await world.lines();
  assert.deepEqual(lines.slice(0, 4), ['3 c=1', '4 b=2', '5 a=3', `6 roll-1=${padding}`]);
  assert.deepEqual(lines.slice(-3), [`10 roll-5=${padding}`, '11 roll-5=again', '12 roll-5=and again'], 'the active segment');
  assert.equal(world.log0.endOffset, end);
  assert.equal(await world.clean(), 0, 'nothing is dirty any more');
});

test('a read goes to the next batch where its offset was cleaned away', async () => {
  const world = await open();
  await fill(world, [[['a', '1']], [['a', '2']], [['a', '3']], [['b', '1']]]);
  await roll(world);
  await world.clean();
  const read = await world.log0.read(0, {
    maxBytes: 1,
    atLeastOneBatch: true,
    isolation: 'readUncommitted',
    currentLeaderEpoch: -1,
  });
  assert.equal(read.buffers[0]?.readInt32BE(4), 2);
});

test('an answer of nothing but shells goes on to the next record: some clients would not get past it', async () => {
  const world = await open({}, { cacheBytes: 0 });
  for (let n = 0; n < 12; n += 1) await fill(world, [[['same', `${n} ${padding}`]]], { producerId: n, producerEpoch: 0, baseSequence: 0 });
  await roll(world);
  await world.clean();
  for (const maxBytes of [1, 100, 100_000]) {
    const read = await world.log0.read(0, { maxBytes, atLeastOneBatch: true, isolation: 'readUncommitted', currentLeaderEpoch: -1 });
    const bytes = Buffer.concat(read.buffers);
    const counts = [...iterateBatches(bytes)].map((at) => recordCountOf(bytes, at));
    assert.ok(counts.length > 2, 'the shells of several segments');
    assert.ok(counts.slice(0, 2).every((count) => count === 0));
    assert.ok((counts.at(-1) ?? 0) > 0, `a record, with ${maxBytes} bytes asked for`);
  }
});

test('a tombstone hides its key, stays for delete.retention.ms from its first cleaning on, then goes', async () => {
  const world = await open({ 'delete.retention.ms': 60_000 });
  await fill(world, [
    [
      ['a', '1'],
      ['b', '1'],
    ],
    [
      ['a', null],
      ['b', '2'],
    ],
  ]);
  await roll(world);
  const cleanedAt = world.env.wallMs();
  await world.clean();
  assert.deepEqual((await world.lines()).slice(0, 2), ['2 a', '3 b=2']);
  const [batch] = await readAll(world.log0);
  assert.equal(deleteHorizonMsOf(batch!.bytes, 0), cleanedAt + 60_000, 'the horizon is in the header (KIP-534)');
  assert.deepEqual(
    (await recordsOf(world.log0)).slice(0, 2).map(({ timestamp }) => timestamp),
    [1000, 1001],
    'timestamps are as they were',
  );

  await world.env.advanceMs(59_000);
  await roll(world);
  await world.clean();
  assert.deepEqual((await world.lines()).slice(0, 2), ['2 a', '3 b=2'], 'a second cleaning does not move the horizon');
  await world.env.advanceMs(2000);
  await roll(world);
  await world.clean();
  assert.equal((await world.lines())[0], '3 b=2');
});

test('records are compressed again in the codec they came in', async () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const world = await open();
    const value = 'value '.repeat(30);
    await fill(
      world,
      [
        [
          ['a', value],
          ['b', value],
          ['c', value],
        ],
      ],
      { codec },
    );
    await fill(world, [[['b', 'new']]]);
    await roll(world);
    await world.clean();
    assert.deepEqual((await world.lines()).slice(0, 3), [`0 a=${value}`, `2 c=${value}`, '3 b=new'], codec);
    const [batch] = await readAll(world.log0);
    assert.equal((batch!.bytes.readInt16BE(21) & 7) > 0, true, codec);
    assert.equal(batch!.endOffset, 3, 'the last offset is that of the batch as it came');
  }
});

test('the last batch of a producer stays as a shell that carries its sequence, until the producer is forgotten', async () => {
  const world = await open();
  const producer = { producerId: 7, producerEpoch: 2 };
  await fill(
    world,
    [
      [
        ['a', '1'],
        ['b', '1'],
      ],
    ],
    { ...producer, baseSequence: 0 },
  );
  await fill(
    world,
    [
      [
        ['a', '2'],
        ['b', '2'],
      ],
    ],
    { ...producer, baseSequence: 2 },
  );
  await fill(world, [
    [
      ['a', '3'],
      ['b', '3'],
    ],
  ]);
  await roll(world);
  await world.clean();
  assert.deepEqual((await world.lines()).slice(0, 2), ['4 a=3', '5 b=3']);
  const [shell] = await readAll(world.log0);
  assert.deepEqual([shell!.endOffset, recordCountOf(shell!.bytes, 0)], [4, 0]);

  // After a crash the log alone knows the producer: the next sequence is still the only one that may follow.
  world.disk.losePower(keepNothing);
  for (const { name } of await world.disk.mount().readDirectory('/data/t-0'))
    if (name.endsWith('.snapshot') || name.endsWith('.producers')) await world.disk.mount().remove(`/data/t-0/${name}`);
  const after = await worldOn(world.disk, world.clock, {}, { seed: 2 });
  assert.deepEqual(
    after.log0.producers.describe().map(({ producerId, producerEpoch, lastSequence }) => [producerId, producerEpoch, lastSequence]),
    [[7, 2, 3]],
  );
});

test('aborted records go at once, their marker and its index entry once nothing of the transaction is left', async () => {
  const world = await open({ 'delete.retention.ms': 60_000, 'segment.bytes': 900 }, { cacheBytes: 1_000_000 });
  const producer = { producerId: 9, producerEpoch: 0, isTransactional: true };
  await fill(world, [[['a', 'kept']]]);
  await fill(
    world,
    [
      [
        ['a', 'aborted'],
        ['b', 'aborted'],
      ],
    ],
    { ...producer, baseSequence: 0 },
  );
  putMarker(world.log0, 'ABORT', 9);
  await fill(world, [[['c', 'committed']]], { ...producer, baseSequence: 2 });
  putMarker(world.log0, 'COMMIT', 9);
  await roll(world);
  await roll(world);
  assert.equal(world.log0.abortedTransactions.length, 1);
  await world.clean();
  assert.deepEqual((await world.lines()).slice(0, 4), ['0 a=kept', '3 marker', '4 c=committed', '5 marker']);
  assert.equal(world.log0.abortedTransactions.length, 1, 'whoever has fetched some of it before is still told');
  await roll(world);
  await roll(world);
  await world.clean();
  assert.equal(world.log0.abortedTransactions.length, 0, 'none of its batches is left to be hidden from readers');
  assert.equal((await world.lines())[1], '3 marker');
  await world.env.advanceMs(61_000);
  await roll(world);
  await roll(world);
  await world.clean();
  assert.deepEqual((await world.lines()).slice(0, 3), ['0 a=kept', '4 c=committed', '5 marker'], 'a commit stays beside its records');

  // Recovered from the files alone, a committed reader sees the same.
  world.disk.losePower(keepNothing);
  const after = await worldOn(world.disk, world.clock, {}, { seed: 2 });
  const read = await after.clock.until(
    Promise.resolve(
      after.log0.read(0, {
        maxBytes: 10_000,
        atLeastOneBatch: true,
        isolation: 'readCommitted',
        currentLeaderEpoch: -1,
      }),
    ),
  );
  assert.deepEqual(read.abortedTransactions, []);
  assert.equal(after.log0.lastStableOffset, after.log0.highWatermark);
});

test('a shell of an aborted batch keeps its marker and its entry in the index', async () => {
  const world = await open({ 'delete.retention.ms': 0 });
  const producer = { producerId: 9, producerEpoch: 0, isTransactional: true };
  await fill(world, [[['a', 'aborted']]], { ...producer, baseSequence: 0 });
  putMarker(world.log0, 'ABORT', 9);
  await roll(world);
  await world.env.advanceMs(10);
  await world.clean();
  await roll(world);
  await world.clean();
  assert.equal((await world.lines())[0], '1 marker');
  assert.deepEqual(
    world.log0.abortedTransactions.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset]),
    [[0, 1]],
  );
  assert.ok((await world.env.files.readDirectory('/data/t-0')).some(({ name }) => name.endsWith('.txnindex')));
});

test('nothing at or above the last stable offset is cleaned', async () => {
  const world = await open();
  await fill(world, [[['a', '1']], [['a', '2']]]);
  await fill(world, [[['a', 'open']]], {
    producerId: 9,
    producerEpoch: 0,
    isTransactional: true,
    baseSequence: 0,
  });
  await roll(world);
  await roll(world);
  assert.equal(await world.clean(), 0);
  putMarker(world.log0, 'COMMIT', 9);
  await roll(world);
  assert.ok((await world.clean()) > 0);
  assert.equal((await world.lines())[0], '2 a=open');
});

test('min.compaction.lag.ms leaves young segments alone, max.compaction.lag.ms makes old ones due whatever the ratio', async () => {
  const young = await open({ 'min.compaction.lag.ms': 10_000 });
  await fill(young, [[['a', '1']], [['a', '2']]], { timestamp: young.env.wallMs() });
  await roll(young);
  assert.equal(await young.clean(), 0);
  await young.env.advanceMs(10_001);
  assert.equal(await young.clean(), 1);

  const old = await open({ 'min.cleanable.dirty.ratio': 1, 'max.compaction.lag.ms': 10_000 });
  await fill(old, [[['a', '1']], [['a', '2']]], { timestamp: old.env.wallMs() });
  for (let n = 0; n < 5; n += 1) await fill(old, [[[`r${n}`, padding]]], { timestamp: old.env.wallMs() });
  assert.equal(await old.clean(), 0);
  await old.env.advanceMs(10_001);
  assert.equal(await old.clean(), 1);
});

test('a log is cleaned once its dirty share is above min.cleanable.dirty.ratio', async () => {
  const world = await open({ 'min.cleanable.dirty.ratio': 0.5 });
  await roll(world);
  await roll(world);
  assert.equal(await world.clean(), 1, 'all of it was dirty');
  await fill(world, [[['a', padding]], [['b', padding]]]);
  assert.equal(await world.clean(), 0);
  assert.ok(world.cleaner.maxDirtyRatio <= 0.5);
  await roll(world);
  await roll(world);
  assert.equal(await world.clean(), 1);
});

test('a map of keys that is full ends the round, and the next one goes on from there', async () => {
  const world = await open({ 'segment.bytes': 4000 });
  for (let n = 0; n < 300; n += 1) await put(world.log0, [[`key-${n % 100}`, String(n)]]);
  await fill(world, []);
  // Room for 60 keys: what one round maps is less than the log.
  const cleaner = cleanerOf(world, {
    'log.cleaner.dedupe.buffer.size': 24 * 61,
    'log.cleaner.io.buffer.load.factor': 1,
  });
  let rounds = 0;
  while ((await world.clock.until(cleaner.cleanDirtiest())) === 'cleaned') rounds += 1;
  assert.ok(rounds > 2, `${rounds} rounds`);
  const seen = await recordsOf(world.log0);
  const last = new Map(seen.map(({ key, value }) => [key, value]));
  for (let n = 200; n < 300; n += 1) assert.equal(last.get(`key-${n % 100}`), String(n));
  assert.ok(seen.length < 240, `${seen.length} records are left`);
  assert.deepEqual(cleaner.uncleanable, []);
});

test('small neighbours become one segment, and what was cleaned is known to the next start', async () => {
  const world = await open({ 'segment.bytes': 300 });
  for (let n = 0; n < 40; n += 1) await put(world.log0, [['same', `${n} ${padding}`]]);
  await roll(world);
  const before = (await world.env.files.readDirectory('/data/t-0')).filter(({ name }) => name.endsWith('.log')).length;
  for (let n = 0; n < 3; n += 1) {
    await world.clean();
    await roll(world);
  }
  await world.clean();
  const names = (await world.env.files.readDirectory('/data/t-0')).map(({ name }) => name);
  assert.ok(names.filter((name) => name.endsWith('.log')).length < before);
  assert.ok(
    names.every((name) => !name.endsWith('.cleaned') && !name.endsWith('.swap') && !name.endsWith('.deleted')),
    String(names),
  );
  const checkpoint = (await world.env.files.readFile('/data/cleaner-offset-checkpoint')).toString();
  assert.match(checkpoint, /^0\n1\nt 0 \d+\n$/);
  const lines = await world.lines();
  await world.clock.until(world.dir.close());
  const after = await worldOn(world.disk, world.clock, {}, { seed: 2 });
  assert.deepEqual(await after.lines(), lines);
  assert.equal(await after.clean(), 0);
});

test('a reader that was in a segment when it was replaced goes on without a gap', async () => {
  const world = await open({ 'segment.bytes': 2000 }, { cacheBytes: 0 });
  for (let n = 0; n < 60; n += 1) await put(world.log0, [[`key-${n % 7}`, `${n} ${padding}`]]);
  await fill(world, []);
  using _slow = world.disk.inject({ kinds: ['read'], path: /\.log/, delayMs: 7 });
  const seen: number[] = [];
  let from = 0;
  const reading = (async () => {
    while (from < world.log0.highWatermark) {
      const read = await world.log0.read(from, {
        maxBytes: 150,
        atLeastOneBatch: true,
        isolation: 'readUncommitted',
        currentLeaderEpoch: -1,
      });
      const bytes = Buffer.concat(read.buffers);
      assert.ok(bytes.length > 0, `nothing is read at ${from}`);
      const last = Number(bytes.readBigInt64BE(0)) + bytes.readInt32BE(23);
      assert.ok(last >= from);
      seen.push(last);
      from = last + 1;
    }
  })();
  const cleaning = world.cleaner.cleanDirtiest();
  await world.clock.until(Promise.all([reading, cleaning]));
  assert.equal(await cleaning, 'cleaned');
  assert.deepEqual(
    [...seen].sort((left, right) => left - right),
    seen,
  );
  assert.equal(seen.at(-1), 59);
  const lasts = [...Array(7).keys()].map((key) => 59 - ((59 - key) % 7));
  for (const last of lasts) assert.ok(seen.includes(last), `the last record of a key, at ${last}, was seen`);
});

test('a read that has looked into an index before its segment was replaced, and into the segment after, begins again', async () => {
  const config = { 'segment.bytes': 3000 };
  const before = await open(config);
  for (let n = 0; n < 90; n += 1) await put(before.log0, [[n >= 10 && n < 21 ? `once-${n}` : `key-${n % 10}`, `${n} ${padding}`]]);
  await fill(before, []);
  await before.clock.until(before.dir.close());
  const world = await worldOn(before.disk, before.clock, config, { seed: 2, cacheBytes: 0 });
  using _slow = world.disk.inject({
    kinds: ['read'],
    path: /\.(index|timeindex)$/,
    delayMs: 1000,
    times: 1,
  });
  const reading = Promise.resolve(
    world.log0.read(5, {
      maxBytes: 100,
      atLeastOneBatch: true,
      isolation: 'readUncommitted',
      currentLeaderEpoch: -1,
    }),
  );
  const cleaning = world.cleaner.cleanDirtiest();
  await world.env.advanceMs(500);
  assert.equal(await cleaning, 'cleaned', 'the read is still under way');
  const read = await world.clock.until(reading);
  assert.equal(read.buffers[0]?.readInt32BE(4), 10, 'the first that is left behind offset 5');
});

test('a damaged segment is left as it is, said once, and others are still cleaned', async () => {
  const world = await open({}, { cacheBytes: 0 });
  const other = await world.openLog('u', 0, compacted);
  for (const log of [world.log0, other]) for (let n = 0; n < 20; n += 1) await put(log, [['same', `${n} ${padding}`]]);
  await fill(world, []);
  const path = '/data/t-0/00000000000000000000.log';
  const file = await world.env.files.open(path, 'write');
  await file.write([Buffer.from([0xff])], 100);
  await file.close();
  const before = await world.env.files.readFile(path);
  const cleaner = cleanerOf(world);
  for (let n = 0; n < 4; n += 1) await world.clock.until(cleaner.cleanDirtiest());
  assert.deepEqual(
    cleaner.uncleanable.map(({ partition }) => partition),
    ['t-0'],
  );
  assert.match(cleaner.uncleanable[0]?.why ?? '', /CRC/);
  assert.deepEqual(await world.env.files.readFile(path), before);
  assert.equal(world.log.messages('error').length, 1);
  assert.ok(linesOf(await recordsOf(other)).length < 10);
  assert.deepEqual(world.offline, []);
});

test('a disk that fills up in the middle leaves the log intact, and the cleaning is done once there is room', async () => {
  for (const operation of ['create', 'write', 'rename'] as const) {
    for (const skip of [0, 1, 2, 5]) {
      const world = await open();
      for (let n = 0; n < 40; n += 1) await put(world.log0, [[`key-${n % 9}`, `${n} ${padding}`]]);
      await fill(world, []);
      const lines = await world.lines();
      const full = world.disk.inject({
        kinds: [operation],
        path: /\.(cleaned|swap)$/,
        skip,
        code: 'ENOSPC',
      });
      const cleaning = world.cleaner.cleanDirtiest();
      await world.env.advanceMs(100);
      assert.equal(world.log0.refusal, undefined);
      const between = await world.lines();
      assert.deepEqual(between.slice(-9), lines.slice(-9), `the last of every key, ${operation} ${skip}`);
      if (skip === 0) assert.deepEqual(between, lines);
      full[Symbol.dispose]();
      await world.clock.until(cleaning);
      await world.clean();
      const after = await world.lines();
      assert.ok(after.length < 12, String(after.length));
      assert.deepEqual(after.slice(-9), lines.slice(-9));
      const names = (await world.env.files.readDirectory('/data/t-0')).map(({ name }) => name);
      assert.ok(
        names.every((name) => !name.endsWith('.cleaned') && !name.endsWith('.swap')),
        String(names),
      );
      assert.deepEqual(world.offline, []);
    }
  }
});

test('a stop in the middle of a swap, on a disk that is full, leaves the rest to the next start', async () => {
  const world = await open();
  for (let n = 0; n < 40; n += 1) await put(world.log0, [[`key-${n % 9}`, `${n} ${padding}`]]);
  await fill(world, []);
  const last = (await world.lines()).slice(-9);
  const cleaner = cleanerOf(world);
  using _full = world.disk.inject({ kinds: ['remove'], path: /t-0/, code: 'ENOSPC' });
  cleaner.start();
  await world.env.advanceMs(5000);
  assert.deepEqual((await world.lines()).slice(-9), last, 'it can be read all the while');
  await world.clock.until(cleaner.stop());
  await world.clock.until(world.dir.close());
  _full[Symbol.dispose]();
  assert.ok((await world.disk.mount().readDirectory('/data/t-0')).some(({ name }) => name.endsWith('.swap')));
  const after = await worldOn(world.disk, world.clock, {}, { seed: 2 });
  assert.deepEqual((await after.lines()).slice(-9), last);
  await after.clean();
  assert.deepEqual((await after.lines()).slice(-9), last);
  assert.deepEqual([...world.log.messages('error'), ...after.log.messages('error')], []);
});

test('of a log whose acks do not wait for the sync, what was cleaned is not taken for a torn end after a power loss', async () => {
  const relaxed = { 'flush.messages': 1_000_000, 'flush.ms': 1e15 };
  const world = await open(relaxed);
  for (let n = 0; n < 40; n += 1) {
    await put(world.log0, [[`key-${n % 9}`, `${n} ${padding}`]]);
    await world.env.settle();
  }
  await world.env.advanceMs(3000);
  assert.ok((await world.clean()) > 0);
  const kept = (await world.lines()).slice(0, 7);
  world.disk.losePower(keepNothing);
  const after = await worldOn(world.disk, world.clock, relaxed, { seed: 2 });
  assert.equal(after.log0.refusal, undefined);
  assert.deepEqual((await after.lines()).slice(0, 7), kept);
  assert.deepEqual(after.log.messages('error'), []);
});

test('a log that is dropped or loses its beginning in the middle of a cleaning is left to that', async () => {
  for (const what of ['drop', 'advance'] as const) {
    const world = await open({}, { cacheBytes: 0 });
    for (let n = 0; n < 40; n += 1) await put(world.log0, [[`key-${n % 9}`, `${n} ${padding}`]]);
    await fill(world, []);
    using _slow = world.disk.inject({ kinds: ['write'], path: /cleaned/, delayMs: 100 });
    const cleaning = world.cleaner.cleanDirtiest();
    await world.env.advanceMs(150);
    const interrupting = what === 'drop' ? world.dir.dropLogs([{ topic: 't', partition: 0 }]) : world.dir.advanceStart(world.log0, 30);
    await world.clock.until(Promise.all([cleaning, interrupting]));
    assert.deepEqual(world.log.messages('error'), []);
    assert.deepEqual(world.fatal, []);
    if (what === 'advance') assert.ok((await world.lines()).length > 0);
  }
});

test('the cleaner looks for work every log.cleaner.backoff.ms and is no faster than it may be', async () => {
  const world = await open({}, { cacheBytes: 0 });
  const cleaner = cleanerOf(world, { 'log.cleaner.io.max.bytes.per.second': 1000 });
  cleaner.start();
  for (let n = 0; n < 40; n += 1) await put(world.log0, [['same', `${n} ${padding}`]]);
  await world.env.settle();
  await world.clock.until(world.dir.checkpoint());
  const bytes = world.log0.bytes;
  await world.env.advanceMs(15_000);
  await world.env.advanceMs(2000);
  assert.equal(world.log0.bytes, bytes, 'some 5,000 bytes are to be read twice');
  await world.env.advanceMs(20_000);
  assert.ok(world.log0.bytes < bytes / 2);
  await world.clock.until(cleaner.stop());
});
