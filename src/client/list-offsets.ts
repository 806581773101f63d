// Offsets of partitions at a place in time: asked of each partition's leader, and again where the leader has moved.
import { NONE, type KafkaError } from '../protocol/errors.ts';
import { listOffsetsRequest, listOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import { kafkaErrorOf } from './broker-link.ts';
import type { Cluster } from './cluster.ts';
import { isRetriable, retrying } from './waiting.ts';

export type Isolation = 'read_uncommitted' | 'read_committed';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `timestampMs`: the first record at that time or later. */
export interface OffsetQuery extends TopicPartition {
  readonly at: 'earliest' | 'latest' | { readonly timestampMs: number };
}

const tables = { request: listOffsetsRequest, response: listOffsetsResponse };
const LATEST = -1;
const EARLIEST = -2;

export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/**
 * The offset for each query, by `partitionKey`; undefined where no record is as late as the timestamp. One query for a partition.
 * @throws KafkaError of the first partition that refuses, once repeating does not help
 */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  isolation: Isolation = 'read_uncommitted',
): Promise<Map<string, number | undefined>> {
  const offsets = new Map<string, number | undefined>();
  let left = queries;
  const options = {
    withinMs: cluster.timeoutMs,
    beforeRetry: async () => {
      await cluster.metadata([...new Set(left.map(({ topic }) => topic))]);
    },
  };
  await retrying(cluster.env, options, async () => {
    const failures: KafkaError[] = [];
    await Promise.all(
      [...(await byLeader(cluster, left))].map(([leader, asked]) => askLeader(cluster, leader, asked, isolation, offsets, failures)),
    );
    left = left.filter((query) => !offsets.has(partitionKey(query)));
    const final = failures.find((failure) => !isRetriable(failure)) ?? failures[0];
    if (final !== undefined) throw final;
  });
  return offsets;
}

async function byLeader(cluster: Cluster, queries: readonly OffsetQuery[]): Promise<Map<number, OffsetQuery[]>> {
  const groups = new Map<number, OffsetQuery[]>();
  for (const query of queries) {
    const leader = await cluster.leaderIdOf(query.topic, query.partition);
    groups.set(leader, [...(groups.get(leader) ?? []), query]);
  }
  return groups;
}

async function askLeader(
  cluster: Cluster,
  leader: number,
  queries: readonly OffsetQuery[],
  isolation: Isolation,
  offsets: Map<string, number | undefined>,
  failures: KafkaError[],
): Promise<void> {
  const link = await cluster.link(leader);
  const topics = Map.groupBy(queries, ({ topic }) => topic);
  const answer = await link.request(tables, {
    replicaId: -1,
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
    topics: [...topics].map(([name, asked]) => ({
      name,
      partitions: asked.map(({ partition, at }) => ({ partitionIndex: partition, timestamp: timestampOf(at) })),
    })),
    timeoutMs: cluster.timeoutMs,
  });
  for (const { name, partitions } of answer.topics)
    for (const { partitionIndex, errorCode, offset } of partitions) {
      if (errorCode === NONE) offsets.set(partitionKey({ topic: name, partition: partitionIndex }), offset < 0 ? undefined : offset);
      else failures.push(kafkaErrorOf(errorCode, null));
    }
}

function timestampOf(at: OffsetQuery['at']): number {
  if (typeof at === 'object') return at.timestampMs;
  return at === 'earliest' ? EARLIEST : LATEST;
}
