// Random appends to several partitions against a plain model, with kills and power losses in between: whatever was
// acknowledged is there afterwards, byte for byte, at the offsets it was acknowledged with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CollectingLogger } from '../base/log.ts';
import { Slabs } from '../base/buffers.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../base/memory/env.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { makeCompute } from '../base/real/compute.ts';
import { resolveBrokerConfig } from '../config/broker-configs.ts';
import { resolveTopicConfig, type TopicConfig } from '../config/topic-configs.ts';
import { buildRecordBatch } from '../protocol/record-batch-records.ts';
import { KafkaError } from '../protocol/errors.ts';
import { iterateBatches, lastOffsetOf, sizeInBytesOf } from '../protocol/record-batch.ts';
import { LogDir } from './log-dir.ts';
import type { PartitionLog, Ticket } from './log/partition-log.ts';
import { prepareOwn } from './log/prepare.ts';
import { TailCache } from './log/tail-cache.ts';

const compute = makeCompute();
const PARTITIONS = 5;
const topicId = (index: number): string => Buffer.alloc(16, index + 1).toString('base64url');

interface World {
  env: MemoryEnv;
  dir: LogDir;
  logs: PartitionLog[];
  log: CollectingLogger;
}

function config(overrides: Partial<TopicConfig>): TopicConfig {
  return { ...resolveTopicConfig(resolveBrokerConfig()), 'index.interval.bytes': 200, ...overrides };
}

async function open(
  disk: MemoryDisk,
  clock: FakeClock,
  seed: number,
  overrides: Partial<TopicConfig>,
  cacheBytes = 20_000,
): Promise<World> {
  const env = makeMemoryEnv({ seed, compute, disk, clock });
  const log = new CollectingLogger();
  const dir = await LogDir.open({
    env,
    directory: '/data',
    log,
    tailCache: new TailCache({ limitBytes: cacheBytes, slabs: new Slabs(4096) }),
    openFileLimit: 3,
    producerIdExpirationMs: 86_400_000,
    journaled: true,
    onOffline: () => undefined,
    onFatal: (error) => {
      throw error;
    },
  });
  const logs: PartitionLog[] = [];
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const identity = { topic: 'chaos', topicId: topicId(partition), partition };
    logs.push(
      dir.has('chaos', partition) ? await dir.openLog(identity, config(overrides), 0) : dir.startLog(identity, config(overrides), 0),
    );
  }
  return { env, dir, logs, log };
}

/** Everything below the high watermark, batch by batch. */
async function readAll(log: PartitionLog): Promise<{ endOffset: number; bytes: Buffer }[]> {
  const batches: { endOffset: number; bytes: Buffer }[] = [];
  let from = log.logStartOffset;
  while (from < log.highWatermark) {
    const read = await log.read(from, { maxBytes: 3000, atLeastOneBatch: true, isolation: 'readUncommitted', currentLeaderEpoch: -1 });
    assert.ok(read.bytes > 0, `nothing is read at ${from} below ${log.highWatermark}`);
    const bytes = Buffer.concat(read.buffers);
    for (const at of iterateBatches(bytes)) {
      from = lastOffsetOf(bytes, at) + 1;
      batches.push({ endOffset: from, bytes: bytes.subarray(at, at + sizeInBytesOf(bytes, at)) });
    }
  }
  return batches;
}

interface Appended {
  ticket: Ticket;
  bytes: Buffer;
  partition: number;
}

async function runChaos(
  seed: number,
  crash: (disk: MemoryDisk, env: MemoryEnv, random: SeededRandom) => void,
  overrides: Partial<TopicConfig>,
): Promise<void> {
  const random = new SeededRandom(seed);
  const clock = new FakeClock();
  const disk = new MemoryDisk({ modelsPowerLoss: true, clock });
  /** What was acknowledged, by partition: end offset -> bytes. */
  const model: Map<number, Buffer>[] = Array.from({ length: PARTITIONS }, () => new Map());
  for (let life = 0; life < 4; life += 1) {
    const world = await open(disk, clock, seed * 100 + life, overrides);
    for (const [partition, log] of world.logs.entries()) {
      assert.equal(
        log.refusal,
        undefined,
        `${log.name} takes no records after a crash: ${world.log.lines.map((line) => JSON.stringify(line)).join('\n')}`,
      );
      const found = new Map((await readAll(log)).map(({ endOffset, bytes }) => [endOffset, bytes]));
      for (const [endOffset, bytes] of model[partition] ?? []) {
        const there = found.get(endOffset);
        assert.ok(
          there !== undefined,
          `seed ${seed}, life ${life}: the batch that ends at ${endOffset} of ${log.name} was acknowledged and is gone (log end ${log.endOffset}) ${JSON.stringify(world.log.lines)}`,
        );
        assert.ok(there.equals(bytes), `seed ${seed}: the batch that ends at ${endOffset} of ${log.name} is another one`);
      }
      // What was not acknowledged may have survived; from now on it is as good as the rest.
      model[partition] = found;
    }
    const open_: Appended[] = [];
    const steps = 10 + Math.floor(random.next() * 60);
    for (let step = 0; step < steps; step += 1) {
      const partition = Math.floor(random.next() * PARTITIONS);
      const log = world.logs[partition] as PartitionLog;
      const large = random.next() < 0.15;
      const records = Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => ({
        timestamp: clock.wallMs(),
        key: null,
        value: Buffer.from(random.bytes(large ? 40_000 : Math.floor(random.next() * 300))),
        headers: [],
      }));
      const batch = prepareOwn(buildRecordBatch(compute, records));
      const ticket = log.append(batch, { origin: 'coordinator', expectedLeaderEpoch: 0 });
      // The log has stamped its own copy or these very bytes; either way they now say what the file will say.
      const bytes = Buffer.from(batch.bytes);
      bytes.writeBigInt64BE(BigInt(ticket.baseOffset), 0);
      bytes.writeInt32BE(0, 12);
      open_.push({ ticket, bytes, partition });
      if (random.next() < 0.3) await world.env.settle();
      if (random.next() < 0.1) await world.env.advanceMs(600);
    }
    for (const { ticket, bytes, partition } of open_) {
      if (!ticket.committed.settled) continue;
      assert.equal(ticket.committed.failureOf(world.logs[partition] as PartitionLog), undefined);
      (model[partition] as Map<number, Buffer>).set(ticket.lastOffset + 1, bytes);
    }
    if (life === 2) {
      await Promise.all([world.dir.close(), world.env.settle()]);
      for (const { ticket, bytes, partition } of open_) (model[partition] as Map<number, Buffer>).set(ticket.lastOffset + 1, bytes);
    } else crash(disk, world.env, random);
  }
}

/** Fixed, so that a run says the same every time; `CHAOS_SEEDS=1000:1200 node --test …` looks further. */
const [firstSeed = 1, lastSeed = 12] = (process.env['CHAOS_SEEDS'] ?? '1:12').split(':').map(Number);
const SEEDS = Array.from({ length: lastSeed - firstSeed + 1 }, (_, index) => firstSeed + index);

for (const segmentBytes of [1024 * 1024, 3000]) {
  const overrides = { 'segment.bytes': segmentBytes };
  test(`a kill at any moment loses nothing that was acknowledged (segments of ${segmentBytes} bytes)`, async () => {
    for (const seed of SEEDS) await runChaos(seed, (_disk, env, random) => env.kill(() => random.next()), overrides);
  });

  test(`a power loss at any moment loses nothing that was acknowledged (segments of ${segmentBytes} bytes)`, async () => {
    for (const seed of SEEDS) {
      await runChaos(
        seed,
        (disk, _env, random) =>
          disk.losePower(
            () => (random.next() < 0.5 ? random.next() < 0.5 : { keepSector: () => random.next() < 0.5, keepLength: random.next() < 0.5 }),
            () => random.next(),
          ),
        overrides,
      );
    }
  });
}

test('kills and power losses in any order lose nothing that was acknowledged, or that was served after a start', async () => {
  for (const seed of SEEDS) {
    await runChaos(
      seed,
      (disk, env, random) => {
        if (random.next() < 0.5) env.kill(() => random.next());
        else
          disk.losePower(
            () => random.next() < 0.5,
            () => random.next(),
          );
      },
      { 'segment.bytes': 20_000 },
    );
  }
});

test('while the disk is full appends fail and reads go on, and when there is room again appends succeed without a restart', async () => {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock });
  const world = await open(disk, clock, 1, {}, 1_000_000);
  const [log] = world.logs;
  assert.ok(log);
  const append = (): Ticket =>
    log.append(prepareOwn(buildRecordBatch(compute, [{ timestamp: 1, key: null, value: Buffer.alloc(40_000), headers: [] }])), {
      origin: 'coordinator',
      expectedLeaderEpoch: 0,
    });
  const first = append();
  await world.env.settle();
  assert.equal(first.committed.failureOf(log), undefined);
  disk.capacityBytes = disk.usedBytes + 1000;
  const second = append();
  await world.env.settle();
  assert.match(String(second.committed.failureOf(log)), /ENOSPC/);
  assert.throws(append, (thrown: unknown) => thrown instanceof KafkaError && thrown.errorName === 'KAFKA_STORAGE_ERROR');
  assert.equal((await readAll(log)).length, 1);
  disk.capacityBytes = Infinity;
  await world.env.advanceMs(2000);
  const third = append();
  await world.env.settle();
  assert.equal(third.committed.failureOf(log), undefined);
  assert.equal(third.baseOffset, 1, 'the offset that was never acknowledged is given again');
  assert.equal((await readAll(log)).length, 2);
});

test('a sync that fails takes the log dir offline: nothing is acknowledged, and the sync is not tried again', async () => {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock });
  const world = await open(disk, clock, 1, {});
  const [log, other] = world.logs;
  assert.ok(log && other);
  const append = (to: PartitionLog): Ticket =>
    to.append(prepareOwn(buildRecordBatch(compute, [{ timestamp: 1, key: null, value: Buffer.from('v'), headers: [] }])), {
      origin: 'coordinator',
      expectedLeaderEpoch: 0,
    });
  disk.inject({ kinds: ['dataSync'], code: 'EIO' });
  const ticket = append(log);
  await world.env.settle();
  assert.match(String(ticket.committed.failureOf(log)), /EIO/);
  const syncs = disk.count('dataSync');
  assert.throws(() => append(log), /takes no records/);
  assert.throws(() => append(other), /takes no records/);
  await world.env.advanceMs(10_000);
  assert.equal(disk.count('dataSync'), syncs);
});
