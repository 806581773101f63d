// How fast the log cleaner is beside reading and writing the same bytes: node bench/cleaner.ts [MEGABYTES] [--data DIR]
// A compacted log is filled with commits of 1,000 groups as __consumer_offsets has them, then cleaned: in a thread of its own,
// and in turns of the event loop. The copy reads each segment in the same pieces, writes and syncs it; the walk reads them and
// steps from batch to batch, without a look into the records. Also says how long the event loop stood still meanwhile, at most.
import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { threadFile } from '../src/assemble/thread-file.ts';
import { Slabs } from '../src/base/buffers.ts';
import type { Env } from '../src/base/env.ts';
import { CollectingLogger } from '../src/base/log.ts';
import { makeCompute } from '../src/base/real/compute.ts';
import { makeRealEnv } from '../src/base/real/env.ts';
import { makeThreads } from '../src/base/real/threads.ts';
import { resolveBrokerConfig } from '../src/config/broker-configs.ts';
import { resolveTopicConfig, type TopicConfig } from '../src/config/topic-configs.ts';
import { buildCompressedRecordBatch, type RecordToWrite } from '../src/protocol/record-batch-records.ts';
import type { RecordCodec } from '../src/protocol/compression.ts';
import { LogCleaner } from '../src/storage/log-cleaner.ts';
import { LogDir } from '../src/storage/log-dir.ts';
import type { PartitionLog } from '../src/storage/log/partition-log.ts';
import { prepareOwn } from '../src/storage/log/prepare.ts';
import { TailCache } from '../src/storage/log/tail-cache.ts';
import { scratchDirectory, tell } from './alone.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string', default: tmpdir() }, rounds: { type: 'string', default: '3' } },
});
const MEGABYTES = Number(positionals[0] ?? 256);
const ROUNDS = Number(values.rounds);
const KEYS = 100_000;
const RECORDS_PER_BATCH = 100;
const PIECE_BYTES = 1024 * 1024;
/** In a batch: behind its base offset, the length of what follows. */
const LENGTH_AT = 8;
const LENGTH_END = 12;

const config: TopicConfig = {
  ...resolveTopicConfig(resolveBrokerConfig()),
  'cleanup.policy': ['compact'],
  'segment.bytes': 32 * 1024 * 1024,
  'min.cleanable.dirty.ratio': 0,
};

async function filledDir(env: Env, directory: string, codec: RecordCodec): Promise<{ dir: LogDir; log: PartitionLog }> {
  const dir = await LogDir.open({
    env,
    directory,
    log: new CollectingLogger(),
    tailCache: new TailCache({ limitBytes: 16e6, slabs: new Slabs() }),
    openFileLimit: 100,
    producerIdExpirationMs: 86_400_000,
    journaled: true,
    onOffline: (_dir, error) => {
      throw error;
    },
    onFatal: (error) => {
      throw error;
    },
  });
  const log = dir.startLog({ topic: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0 }, config, 0);
  const compute = makeCompute();
  for (let count = 0; log.bytes < MEGABYTES * 1e6; count += RECORDS_PER_BATCH) {
    const records: RecordToWrite[] = [];
    for (let n = 0; n < RECORDS_PER_BATCH; n += 1) {
      const key = `group-${(count + n) % 1000}/orders-in-some-region/${Math.floor(((count + n) * 7919) % KEYS)}`;
      records.push({ timestamp: 1_700_000_000_000 + count, key: Buffer.from(key), value: Buffer.alloc(40, count & 0xff) });
    }
    const ticket = log.append(prepareOwn(await buildCompressedRecordBatch(compute, records, codec)), {
      origin: 'coordinator',
      expectedLeaderEpoch: 0,
    });
    if (count % 20_000 === 0) await ticket.committed.wait();
  }
  await dir.checkpoint();
  return { dir, log };
}

/** The longest time between two turns of the event loop while `work` runs, and the time it took. */
async function measured(work: () => Promise<unknown>): Promise<{ seconds: number; stallMs: number; cpuSeconds: number }> {
  let last = performance.now();
  let stallMs = 0;
  const probe = setInterval(() => {
    const now = performance.now();
    stallMs = Math.max(stallMs, now - last - 1);
    last = now;
  }, 1);
  const started = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const used = process.cpuUsage(cpu);
  clearInterval(probe);
  return { seconds: (performance.now() - started) / 1000, stallMs, cpuSeconds: (used.user + used.system) / 1e6 };
}

/** Of the sealed segments: the active one is not cleaned. */
async function sealedSegments(directory: string, env: Env): Promise<string[]> {
  const names = (await env.files.readDirectory(directory)).map(({ name }) => name).filter((name) => name.endsWith('.log'));
  return names
    .sort()
    .slice(0, -1)
    .map((name) => join(directory, name));
}

async function readPieces(path: string, take: (piece: Buffer, position: number) => number | Promise<number>): Promise<number> {
  const file = await open(path, 'r');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.length, position);
    if (bytesRead === 0) break;
    position += await take(piece.subarray(0, bytesRead), position);
  }
  await file.close();
  return position;
}

async function copy(directory: string, env: Env): Promise<number> {
  let bytes = 0;
  for (const path of await sealedSegments(directory, env)) {
    const to = await open(`${path}.copy`, 'w');
    bytes += await readPieces(path, async (piece, position) => (await to.write(piece, 0, piece.length, position)).bytesWritten);
    await to.datasync();
    await to.close();
    await env.files.remove(`${path}.copy`);
  }
  return bytes;
}

/** Reads them all and steps from batch to batch; a batch that a piece cuts off is read again with the next one. */
async function walk(directory: string, env: Env): Promise<void> {
  let batches = 0;
  for (const path of await sealedSegments(directory, env)) {
    await readPieces(path, (piece) => {
      let at = 0;
      while (at + LENGTH_END <= piece.length) {
        const end = at + LENGTH_END + piece.readInt32BE(at + LENGTH_AT);
        if (end > piece.length) break;
        at = end;
        batches += 1;
      }
      if (at === 0) throw new Error('a batch is larger than a piece');
      return at;
    });
  }
  if (batches === 0) throw new Error('there was nothing to walk over');
}

async function once(codec: RecordCodec, where: 'thread' | 'event loop'): Promise<{ ratio: number; line: string }> {
  const directory = scratchDirectory(values.data, 'cleaner');
  try {
    const env = makeRealEnv({ compute: makeCompute(), ...(where === 'thread' && { threads: makeThreads(threadFile) }) });
    const { dir, log } = await filledDir(env, directory, codec);
    let copied = 0;
    const plain = await measured(async () => (copied = await copy(join(directory, 't-0'), env)));
    const walking = await measured(() => walk(join(directory, 't-0'), env));
    const cleaner = new LogCleaner({
      env,
      log: new CollectingLogger(),
      config: () => resolveBrokerConfig(),
      logDirs: [dir],
      onFatal: (error) => {
        throw error;
      },
    });
    const before = log.bytes;
    const cleaning = await measured(async () => {
      if ((await cleaner.cleanDirtiest()) !== 'cleaned') throw new Error('nothing was cleaned');
    });
    await cleaner.stop();
    await dir.close();
    const rates = { cleaner: copied / 1e6 / cleaning.seconds, copy: copied / 1e6 / plain.seconds, walk: copied / 1e6 / walking.seconds };
    for (const [party, rate] of Object.entries(rates)) tell(`${codec}, ${where}: ${party}`, rate);
    const left = `${(before / 1e6).toFixed(0)} MB became ${(log.bytes / 1e6).toFixed(0)} MB`;
    const ratio = rates.cleaner / rates.copy;
    return {
      ratio,
      line: `${codec}, ${where}: ${rates.cleaner.toFixed(0)} MB/s (${left}), copy ${rates.copy.toFixed(0)} MB/s, ratio ${ratio.toFixed(2)}, walk ${rates.walk.toFixed(0)} MB/s, ratio ${(rates.cleaner / rates.walk).toFixed(2)}; processor ${cleaning.cpuSeconds.toFixed(1)} s of ${cleaning.seconds.toFixed(1)} s (copy ${plain.cpuSeconds.toFixed(1)}, walk ${walking.cpuSeconds.toFixed(1)}); longest turn ${cleaning.stallMs.toFixed(0)} ms`,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const [codec, where] of [
  ['none', 'thread'],
  ['none', 'event loop'],
  ['lz4', 'thread'],
  ['zstd', 'thread'],
] as const) {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { ratio, line } = await once(codec, where);
    ratios.push(ratio);
    console.log(line);
  }
  const sorted = ratios.sort((left, right) => left - right);
  console.log(
    `  ratio: ${sorted.map((ratio) => ratio.toFixed(2)).join(' ')}, the middle ${sorted[Math.floor(sorted.length / 2)]?.toFixed(2)}`,
  );
}
if (process.connected) process.disconnect();
