// A log dir in memory for tests: opened, written to and read back in a line each; killed, cut off from power, and opened
// again on what is left.
import assert from 'node:assert/strict';
import { Slabs } from '../base/buffers.ts';
import { CollectingLogger } from '../base/log.ts';
import type { FakeClock } from '../base/memory/clock.ts';
import type { MemoryDisk } from '../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../base/memory/env.ts';
import { makeCompute } from '../base/real/compute.ts';
import { resolveBrokerConfig } from '../config/broker-configs.ts';
import { resolveTopicConfig, type TopicConfig } from '../config/topic-configs.ts';
import { buildRecordBatch } from '../protocol/record-batch-records.ts';
import { iterateBatches, lastOffsetOf, sizeInBytesOf } from '../protocol/record-batch.ts';
import { LogDir, type LogDirOptions } from './log-dir.ts';
import type { AppendOrigin, PartitionLog, Ticket } from './log/partition-log.ts';
import { prepareOwn, type PreparedBatch } from './log/prepare.ts';
import { TailCache } from './log/tail-cache.ts';

export const compute = makeCompute();
export const DIRECTORY = '/data';

export interface OpenDir {
  readonly env: MemoryEnv;
  readonly dir: LogDir;
  readonly log: CollectingLogger;
  /** Errors with which the dir went offline. */
  readonly offline: Error[];
  readonly fatal: unknown[];
  /** The partition's log, found on the disk or begun. */
  openLog(topic: string, partition?: number, overrides?: Partial<TopicConfig>, leaderEpoch?: number): Promise<PartitionLog>;
}

export interface OpenDirOptions extends Partial<
  Pick<LogDirOptions, 'openFileLimit' | 'journaled' | 'journalHalfBytes' | 'reserveBytes' | 'directory' | 'producerIdExpirationMs'>
> {
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly seed?: number;
  readonly cacheBytes?: number;
}

export function topicConfig(overrides: Partial<TopicConfig> = {}): TopicConfig {
  return { ...resolveTopicConfig(resolveBrokerConfig()), 'index.interval.bytes': 200, ...overrides };
}

export const topicIdOf = (topic: string): string => Buffer.from(topic.padEnd(16, '.')).subarray(0, 16).toString('base64url');

export async function openDir(options: OpenDirOptions): Promise<OpenDir> {
  const { disk, clock, seed = 1, cacheBytes = 20_000, ...more } = options;
  const env = makeMemoryEnv({ seed, compute, disk, clock });
  const log = new CollectingLogger();
  const offline: Error[] = [];
  const fatal: unknown[] = [];
  const dir = await clock.until(
    LogDir.open({
      env,
      directory: DIRECTORY,
      log,
      tailCache: new TailCache({ limitBytes: cacheBytes, slabs: new Slabs(4096) }),
      openFileLimit: 3,
      producerIdExpirationMs: 86_400_000,
      journaled: true,
      journalHalfBytes: 128 * 1024,
      onOffline: (_dir, error) => offline.push(error),
      onFatal: (error) => fatal.push(error),
      ...more,
    }),
  );
  return {
    env,
    dir,
    log,
    offline,
    fatal,
    openLog: async (topic, partition = 0, overrides = {}, leaderEpoch = 0) => {
      const identity = { topic, topicId: topicIdOf(topic), partition };
      const config = topicConfig(overrides);
      return dir.has(topic, partition)
        ? clock.until(dir.openLog(identity, config, leaderEpoch))
        : dir.startLog(identity, config, leaderEpoch);
    },
  };
}

export interface BatchToBuild {
  readonly values?: readonly (string | Buffer)[];
  readonly timestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
}

export function batchOf({ values = ['v'], timestamp = 1000, ...header }: BatchToBuild = {}): PreparedBatch {
  return prepareOwn(
    buildRecordBatch(
      compute,
      values.map((value) => ({ timestamp, key: null, value: Buffer.from(value), headers: [] })),
      header,
    ),
  );
}

export function append(log: PartitionLog, batch: BatchToBuild = {}, origin: AppendOrigin['origin'] = 'coordinator'): Ticket {
  return log.append(batchOf(batch), { origin, expectedLeaderEpoch: log.leaderEpoch });
}

/** Everything below the high watermark, batch by batch. */
export async function readAll(log: PartitionLog): Promise<{ endOffset: number; bytes: Buffer }[]> {
  const batches: { endOffset: number; bytes: Buffer }[] = [];
  let from = log.logStartOffset;
  while (from < log.highWatermark) {
    const read = await log.read(from, { maxBytes: 3000, atLeastOneBatch: true, isolation: 'readUncommitted', currentLeaderEpoch: -1 });
    assert.ok(read.bytes > 0, `nothing is read at ${from} below ${log.highWatermark}`);
    const bytes = Buffer.concat(read.buffers);
    for (const at of iterateBatches(bytes)) {
      from = lastOffsetOf(bytes, at) + 1;
      batches.push({ endOffset: from, bytes: Buffer.from(bytes.subarray(at, at + sizeInBytesOf(bytes, at))) });
    }
  }
  return batches;
}
