// `bucketrider topic list`: the topics of a cluster.
import type { TopicMetadata } from '../client/cluster.ts';
import type { GlobalFlags } from './client-flags.ts';
import { finish } from './outcomes.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { findTopics, type NameFlags } from './topic-names.ts';
import { withCluster } from './with-cluster.ts';

export interface TopicListFlags extends GlobalFlags, NameFlags {
  readonly output?: string;
}

const shape: Shape<TopicMetadata> = {
  columns: [
    { title: 'TOPIC', text: ({ name }) => name },
    { title: 'PARTITIONS', text: ({ partitions }) => partitions.length },
    { title: 'REPLICAS', text: replicationFactorOf },
    { title: 'ID', text: ({ id }) => id ?? '-', wide: true },
    { title: 'INTERNAL', text: ({ internal }) => (internal ? 'yes' : 'no'), wide: true },
  ],
  name: ({ name }) => name,
  json: (topic) => ({
    name: topic.name,
    id: topic.id ?? null,
    internal: topic.internal,
    partitionCount: topic.partitions.length,
    replicationFactor: replicationFactorOf(topic),
  }),
};

export function replicationFactorOf({ partitions }: TopicMetadata): number {
  return Math.max(0, ...partitions.map(({ replicas }) => replicas.length));
}

export function topicList(words: readonly string[], flags: TopicListFlags): Promise<number> {
  const format = readFormat(flags.output);
  return withCluster(flags, async (session) => {
    const { cluster, settings, say } = session;
    const { topics, refusals } = await findTopics(cluster, words, flags);
    printRows(topics, shape, format);
    if (topics.length === 0 && refusals.size === 0)
      say(
        words.length > 0 ? 'no topic matches' : `there are no topics at ${settings.brokersText}; bucketrider topic create NAME makes one`,
      );
    return finish(topics.length, refusals, session);
  });
}
