// A metadata log in memory for tests: opened over a disk that can fail and lose power, with a record of everything it said it
// holds. Records that make a topic, to fill it with.
import { Slabs } from '../../base/buffers.ts';
import { CollectingLogger } from '../../base/log.ts';
import { FakeClock } from '../../base/memory/clock.ts';
import { MemoryDisk } from '../../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../../base/memory/env.ts';
import { makeCompute } from '../../base/real/compute.ts';
import { resolveBrokerConfig } from '../../config/broker-configs.ts';
import { LogDir } from '../log-dir.ts';
import { TailCache } from '../log/tail-cache.ts';
import { FoldedMetadata } from './folded-metadata.ts';
import { MetadataLog, type MetadataLimits } from './metadata-log.ts';
import type { NewMetadataRecord } from './metadata-records.ts';

export const METADATA_FOLDER = '/data/__cluster_metadata-0';
export const compute = makeCompute();

export interface MetadataWorld {
  readonly env: MemoryEnv;
  readonly dir: LogDir;
  readonly metadata: MetadataLog;
  readonly log: CollectingLogger;
  /** What it handed out, folded. */
  readonly applied: FoldedMetadata;
  append(...records: NewMetadataRecord[]): Promise<void>;
  /** As a clean stop does. */
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly disk?: MemoryDisk;
  readonly clock?: FakeClock;
  readonly limits?: Partial<MetadataLimits>;
  readonly witness?: string;
  readonly nodeId?: number;
  /** False: opened and not led. */
  readonly lead?: boolean;
}

export async function openMetadataWorld(options: WorldOptions = {}): Promise<MetadataWorld> {
  const clock = options.clock ?? new FakeClock();
  const disk = options.disk ?? new MemoryDisk({ modelsPowerLoss: true, clock });
  const env = makeMemoryEnv({ compute, disk, clock });
  const log = new CollectingLogger();
  const dir = await LogDir.open({
    env,
    directory: '/data',
    log,
    tailCache: new TailCache({ limitBytes: 100_000, slabs: new Slabs(4096) }),
    openFileLimit: 10,
    producerIdExpirationMs: 86_400_000,
    journaled: false,
    onOffline: () => undefined,
    onFatal: (error) => {
      throw error;
    },
  });
  const applied = new FoldedMetadata();
  const about = { env, log, dir, config: resolveBrokerConfig(), nodeId: options.nodeId ?? 1, witness: options.witness };
  const metadata = await MetadataLog.open({ ...about, ...(options.limits && { limits: options.limits }) }, (record) =>
    applied.apply(record),
  );
  if (options.lead !== false) await metadata.lead();
  return {
    env,
    dir,
    metadata,
    log,
    applied,
    append: async (...records) => {
      for (const record of await metadata.append(records, metadata.endOffset)) applied.apply(record);
    },
    stop: async () => {
      await metadata.close();
      await dir.close();
    },
  };
}

export const featureLevel = (name: string, level: number): NewMetadataRecord => ({
  type: 'FeatureLevelRecord',
  value: { name, featureLevel: level },
});

export const topicId = (number: number): string => Buffer.from(`topic${String(number).padStart(11, '0')}`).toString('base64url');

export function topicRecords(number: number, partitionCount = 1): NewMetadataRecord[] {
  const id = topicId(number);
  return [
    { type: 'TopicRecord', value: { name: `topic-${number}`, topicId: id } },
    ...Array.from({ length: partitionCount }, (_, partitionId): NewMetadataRecord => ({
      type: 'PartitionRecord',
      value: {
        partitionId,
        topicId: id,
        replicas: [1],
        isr: [1],
        removingReplicas: [],
        addingReplicas: [],
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
        directories: ['LTgjaufeaQUZzug7jJPQLw'],
      },
    })),
  ];
}

/** A topic as it is changed and removed. */
export const removal = (number: number): NewMetadataRecord => ({ type: 'RemoveTopicRecord', value: { topicId: topicId(number) } });
export const leaderChange = (number: number, partitionId = 0): NewMetadataRecord => ({
  type: 'PartitionChangeRecord',
  value: { topicId: topicId(number), partitionId, leader: 1 },
});
