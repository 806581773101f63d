// The requests as all areas make them, and what they have in common: keys, ids, a topic that both brokers have.
import { makeCompute } from '../../src/base/real/compute.ts';
import { apis } from '../../src/handlers/index.ts';
import { ZERO_UUID } from '../../src/protocol/reader.ts';
import { buildRecordBatch, type BuildOptions } from '../../src/protocol/record-batch-records.ts';
import { stampCrc } from '../../src/protocol/record-batch.ts';
import type { Answer, Body, Duel, Party } from './duel.ts';

export const compute = makeCompute();
export const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAAw';
/** Known to both, well within what either takes as a time. */
export const TIME = Date.now() - 100_000;

export const key = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  describeGroups: 15,
  listGroups: 16,
  createTopics: 19,
  deleteTopics: 20,
  initProducerId: 22,
  offsetForLeaderEpoch: 23,
  describeConfigs: 32,
  createPartitions: 37,
  deleteGroups: 42,
  offsetDelete: 47,
  describeCluster: 60,
  describeTopicPartitions: 75,
} as const;

export function versionsOf(apiKey: number): number[] {
  const { minVersion, maxVersion } = apis.get(apiKey) ?? { minVersion: 0, maxVersion: -1 };
  return Array.from({ length: maxVersion - minVersion + 1 }, (_, at) => minVersion + at);
}

export const field = (answer: Answer, name: string): unknown => (typeof answer === 'string' ? undefined : answer[name]);

/** Asks until the answer is no longer that the broker is not ready for it. */
export async function settled(
  ask: () => Promise<Answer>,
  codeOf: (answer: Answer) => unknown = (answer) => field(answer, 'errorCode'),
): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (![14, 15, 16].includes(codeOf(await ask()) as number)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface NewTopic {
  readonly name: string;
  readonly partitions?: number;
  readonly replicas?: number;
  readonly assignments?: readonly (readonly [number, readonly number[]])[];
  readonly configs?: Readonly<Record<string, string | null>>;
}

export const creation = (topics: readonly NewTopic[], validateOnly = false): Body => ({
  topics: topics.map(({ name, partitions, replicas, assignments, configs }) => ({
    name,
    numPartitions: partitions ?? (assignments === undefined ? 1 : -1),
    replicationFactor: replicas ?? (assignments === undefined ? 1 : -1),
    assignments: (assignments ?? []).map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs ?? {}).map(([name, value]) => ({ name, value })),
  })),
  timeoutMs: 5000,
  validateOnly,
});

/** Creates a topic on both and learns its ids. */
export async function create(duel: Duel, topic: NewTopic): Promise<void> {
  const { ours, kafka } = await duel.ask(key.createTopics, 7, `create ${topic.name}`, creation([topic]), {
    ignore: ['topicId', 'configs'],
  });
  for (const [party, answer] of [
    [duel.ours, ours],
    [duel.kafka, kafka],
  ] as const) {
    const [made] = (field(answer, 'topics') as { topicId: string }[] | undefined) ?? [];
    party.learn(`the id of ${topic.name}`, made?.topicId);
  }
  // Kafka answers before the other half of it knows of the topic.
  for (let tries = 0; tries < 100; tries++) {
    const answer = await duel.kafka.ask(key.metadata, 12, metadataBody([{ name: topic.name }]));
    const [told] = (field(answer, 'topics') as { errorCode: number; partitions: { leaderId: number }[] }[] | undefined) ?? [];
    if (told?.errorCode === 0 && told.partitions.every(({ leaderId }) => leaderId >= 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export const metadataBody = (topics: readonly { name?: string | null; topicId?: string }[] | null, more: Body = {}): Body => ({
  topics: topics?.map(({ name = null, topicId = ZERO_UUID }) => ({ name, topicId })) ?? null,
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
  ...more,
});

export const batch = (
  values: readonly (string | null)[],
  options: BuildOptions & { timestamp?: number; key?: string | null } = {},
): Buffer =>
  buildRecordBatch(
    compute,
    values.map((value, at) => ({
      timestamp: (options.timestamp ?? TIME) + at,
      key: options.key == null ? null : Buffer.from(options.key),
      value: value === null ? null : Buffer.from(value),
      headers: [],
    })),
    options,
  );

/** The batch with a number written over it, and the checksum made right again. */
export function forged(source: Buffer, at: number, bytes: 1 | 2 | 4 | 8, value: number | bigint): Buffer {
  const copy = Buffer.from(source);
  const wide = Buffer.alloc(8);
  wide.writeBigInt64BE(BigInt(value));
  wide.copy(copy, at, 8 - bytes);
  if (at > 20) stampCrc(compute, copy, 0);
  return copy;
}

export const production = (party: Party, version: number, topic: string, partition: number, records: Buffer | null, acks = -1): Body => ({
  transactionalId: null,
  acks,
  timeoutMs: 5000,
  topicData: [
    {
      name: version < 13 ? topic : '',
      topicId: version < 13 ? ZERO_UUID : topic === 'nowhere' ? UNKNOWN_ID : (party.valueOf(`the id of ${topic}`) as string),
      partitionData: [{ index: partition, records: records === null ? null : Buffer.from(records) }],
    },
  ],
});
