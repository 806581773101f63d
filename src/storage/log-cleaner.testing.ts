// Keyed records for tests of the cleaner: written in a line, and read back as what a consumer would see of them.
import type { CompressionCodec } from '../base/env.ts';
import type { TopicConfig } from '../config/topic-configs.ts';
import { buildEndTransactionMarker } from '../protocol/record-batch-control.ts';
import { buildCompressedRecordBatch, decodeRecords } from '../protocol/record-batch-records.ts';
import { isControl, isTransactional, producerIdOf } from '../protocol/record-batch.ts';
import { LogCleaner, type CleanerConfig } from './log-cleaner.ts';
import { compute, readAll, type OpenDir } from './log-dir.testing.ts';
import type { PartitionLog, Ticket } from './log/partition-log.ts';
import { prepareOwn } from './log/prepare.ts';

/** Null is a tombstone; a key of null is none. */
export type Keyed = readonly [key: string | null, value: string | null];

export interface KeyedBatch {
  readonly timestamp?: number;
  readonly codec?: CompressionCodec;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly logAppendTimeMs?: number;
}

const bytesOf = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));

export async function put(
  log: PartitionLog,
  records: readonly Keyed[],
  { timestamp = 1000, codec, ...header }: KeyedBatch = {},
): Promise<Ticket> {
  const toWrite = records.map(([key, value], index) => ({ timestamp: timestamp + index, key: bytesOf(key), value: bytesOf(value) }));
  const bytes = await buildCompressedRecordBatch(compute, toWrite, codec ?? 'none', header);
  return log.append(prepareOwn(bytes), { origin: 'coordinator', expectedLeaderEpoch: log.leaderEpoch });
}

export function putMarker(
  log: PartitionLog,
  outcome: 'COMMIT' | 'ABORT',
  producerId: number,
  options: { epoch?: number; timestamp?: number } = {},
): Ticket {
  const { epoch = 0, timestamp = 1000 } = options;
  const bytes = buildEndTransactionMarker(compute, outcome, { producerId, producerEpoch: epoch, coordinatorEpoch: 0, timestamp });
  const marker = { outcome: outcome === 'COMMIT' ? 'commit' : 'abort', coordinatorEpoch: 0 };
  // The log takes the marker's meaning from whoever appends it.
  return log.append({ ...prepareOwn(bytes), marker } as ReturnType<typeof prepareOwn>, {
    origin: 'coordinator',
    expectedLeaderEpoch: log.leaderEpoch,
  });
}

export interface SeenRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly isControl: boolean;
  readonly producerId: number;
  readonly isTransactional: boolean;
}

/** Every record below the high watermark, as the files and the memory of the log have them. */
export async function recordsOf(log: PartitionLog): Promise<SeenRecord[]> {
  const seen: SeenRecord[] = [];
  for (const { bytes } of await readAll(log)) {
    for (const { offset, key, value, timestamp } of await decodeRecords(compute, bytes, 1e8)) {
      seen.push({
        offset,
        key: key?.toString() ?? null,
        value: value?.toString() ?? null,
        timestamp,
        isControl: isControl(bytes, 0),
        producerId: producerIdOf(bytes, 0),
        isTransactional: isTransactional(bytes, 0),
      });
    }
  }
  return seen;
}

/** `offset key=value`, a line each; tombstones without a value, markers as `offset marker`. */
export const linesOf = (records: readonly SeenRecord[]): string[] =>
  records.map(
    ({ offset, key, value, isControl: control }) => `${offset} ${control ? 'marker' : `${key}${value === null ? '' : `=${value}`}`}`,
  );

/** Small segments, and nothing that would make a cleaning wait. */
export const compacted: Partial<TopicConfig> = { 'cleanup.policy': ['compact'], 'segment.bytes': 300, 'min.cleanable.dirty.ratio': 0 };

export const cleanerConfig: CleanerConfig = {
  'log.cleaner.enable': true,
  'log.cleaner.backoff.ms': 15_000,
  'log.cleaner.dedupe.buffer.size': 1024 * 1024,
  'log.cleaner.io.buffer.load.factor': 0.9,
  'log.cleaner.io.max.bytes.per.second': Number.MAX_VALUE,
};

export function cleanerOf({ env, dir, log, fatal }: OpenDir, config: Partial<CleanerConfig> = {}): LogCleaner {
  return new LogCleaner({
    env,
    log,
    config: () => ({ ...cleanerConfig, ...config }),
    logDirs: [dir],
    onFatal: (error) => fatal.push(error),
  });
}
