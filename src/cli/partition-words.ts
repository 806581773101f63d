// Partitions as a command line names them: `orders`, all of a topic, or `orders:0,2`, some of it.
import type { Cluster } from '../client/cluster.ts';
import type { TopicPartition } from '../client/list-offsets.ts';
import { CommandError, exitCodes, usageError } from './exit-codes.ts';
import { missingTopic } from './record-reader.ts';

export interface WantedPartitions {
  readonly topic: string;
  /** All of it when left out. */
  readonly partitions: readonly number[] | undefined;
}

/** @throws CommandError */
export function parsePartitions(texts: readonly string[]): WantedPartitions[] {
  return texts.map((text) => {
    const [, topic, numbers] = /^([^:,\s]+)(?::(\d{1,9}(?:,\d{1,9})*))?$/.exec(text) ?? [];
    if (topic === undefined) throw usageError(`--topic takes a topic, or topic:partition,partition, not '${text}'`);
    return { topic, partitions: numbers?.split(',').map(Number) };
  });
}

/** @throws CommandError when there is no such topic or partition */
export async function resolvePartitions(cluster: Cluster, wanted: readonly WantedPartitions[]): Promise<TopicPartition[]> {
  const { topics, refusals } = await cluster.metadata([...new Set(wanted.map(({ topic }) => topic))]);
  for (const [name, error] of refusals) throw missingTopic(name, error);
  const found = new Map<string, TopicPartition>();
  for (const { topic, partitions } of wanted) {
    const known = topics.get(topic)?.partitions.map(({ partition }) => partition) ?? [];
    for (const partition of partitions ?? known) {
      if (!known.includes(partition))
        throw new CommandError(exitCodes.notFound, 'partition-not-found', `${topic} has no partition ${partition}`, {
          fix: [`bucketrider topic describe ${topic} shows what there is`],
        });
      found.set(`${topic}:${partition}`, { topic, partition });
    }
  }
  return [...found.values()];
}
