// `bucketrider topic describe`: everything about topics: partitions with leaders and offsets, and settings with where
// they come from.
import { describeTopicConfigs, type ConfigEntry } from '../client/admin.ts';
import { UnsupportedApiError } from '../client/client-errors.ts';
import type { Cluster, PartitionMetadata, TopicMetadata } from '../client/cluster.ts';
import { listOffsets, partitionKey, type OffsetQuery } from '../client/list-offsets.ts';
import type { GlobalFlags } from './client-flags.ts';
import { finish } from './outcomes.ts';
import { formatRows, readFormat, tableOf, write, type Column } from './output.ts';
import { replicationFactorOf } from './topic-list.ts';
import { findTopics, type NameFlags } from './topic-names.ts';
import { withCluster, type Session } from './with-cluster.ts';

export interface TopicDescribeFlags extends GlobalFlags, NameFlags {
  readonly all?: boolean;
  readonly output?: string;
}

interface PartitionRow extends PartitionMetadata {
  /** Undefined where the leader could not say. */
  readonly logStartOffset: number | undefined;
  readonly highWatermark: number | undefined;
}

interface Described {
  readonly topic: TopicMetadata;
  readonly partitions: readonly PartitionRow[];
  /** Undefined where the broker does not tell. */
  readonly configs: readonly ConfigEntry[] | undefined;
}

const partitionColumns: readonly Column<PartitionRow>[] = [
  { title: 'PARTITION', text: ({ partition }) => partition },
  { title: 'LEADER', text: ({ leader }) => (leader < 0 ? 'none' : leader) },
  { title: 'EPOCH', text: ({ leaderEpoch }) => (leaderEpoch < 0 ? '-' : leaderEpoch), wide: true },
  { title: 'REPLICAS', text: ({ replicas }) => replicas.join(',') },
  { title: 'IN-SYNC', text: ({ inSyncReplicas }) => inSyncReplicas.join(',') },
  { title: 'START', text: ({ logStartOffset }) => logStartOffset ?? '-' },
  { title: 'END', text: ({ highWatermark }) => highWatermark ?? '-' },
];

const configColumns: readonly Column<ConfigEntry>[] = [
  { title: 'SETTING', text: ({ name }) => name },
  { title: 'VALUE', text: ({ value, sensitive }) => (sensitive ? '(secret)' : (value ?? '-')) },
  { title: 'FROM', text: ({ source }) => source },
];

export function topicDescribe(words: readonly string[], flags: TopicDescribeFlags): Promise<number> {
  const format = readFormat(flags.output);
  return withCluster(flags, async (session) => {
    const { topics, refusals } = await findTopics(session.cluster, words, flags);
    const described = await describe(topics, flags, session);
    if (format === 'table' || format === 'wide') write(described.map((one) => textOf(one, format === 'wide')).join('\n'));
    else write(formatRows(described, { columns: [], name: ({ topic }) => topic.name, json: jsonOf }, format));
    if (topics.length === 0 && refusals.size === 0) session.say('no topic matches');
    return finish(topics.length, refusals, session);
  });
}

async function describe(topics: readonly TopicMetadata[], flags: TopicDescribeFlags, { cluster, say }: Session): Promise<Described[]> {
  if (topics.length === 0) return [];
  const [configs, starts, ends] = await Promise.all([
    configsOf(cluster, topics, say),
    offsetsOf(cluster, topics, 'earliest'),
    offsetsOf(cluster, topics, 'latest'),
  ]);
  return topics.map((topic) => ({
    topic,
    partitions: topic.partitions.map((partition) => {
      const key = partitionKey({ topic: topic.name, partition: partition.partition });
      return { ...partition, logStartOffset: starts.get(key), highWatermark: ends.get(key) };
    }),
    configs: configs?.get(topic.name)?.filter(({ source }) => flags.all === true || source === 'topic'),
  }));
}

async function configsOf(cluster: Cluster, topics: readonly TopicMetadata[], say: Session['say']) {
  try {
    return await describeTopicConfigs(
      cluster,
      topics.map(({ name }) => name),
    );
  } catch (thrown) {
    if (!(thrown instanceof UnsupportedApiError)) throw thrown;
    say(`bucketrider: settings are not shown: ${thrown.message}`);
    return undefined;
  }
}

/** Partitions without a leader have no offsets to tell. */
function offsetsOf(cluster: Cluster, topics: readonly TopicMetadata[], at: 'earliest' | 'latest') {
  const queries = topics.flatMap(({ name, partitions }) =>
    partitions.filter(({ leader }) => leader >= 0).map(({ partition }): OffsetQuery => ({ topic: name, partition, at })),
  );
  return listOffsets(cluster, queries);
}

function textOf({ topic, partitions, configs }: Described, wide: boolean): string {
  const facts = [
    ['topic', topic.name],
    ...(topic.id === undefined ? [] : [['id', topic.id]]),
    ['partitions', topic.partitions.length],
    ['replicas', replicationFactorOf(topic)],
    ...(topic.internal ? [['internal', 'yes']] : []),
  ];
  const settings = configs === undefined || configs.length === 0 ? '' : `\n${tableOf(configs, configColumns)}`;
  const columns = partitionColumns.filter((column) => wide || column.wide !== true);
  return `${facts.map(([title, value]) => `${String(title).padEnd(12)}${value ?? ''}\n`).join('')}${settings}\n${tableOf(partitions, columns)}`;
}

function jsonOf({ topic, partitions, configs }: Described): unknown {
  return {
    name: topic.name,
    id: topic.id ?? null,
    internal: topic.internal,
    partitionCount: topic.partitions.length,
    replicationFactor: replicationFactorOf(topic),
    partitions: partitions.map(({ logStartOffset, highWatermark, ...partition }) => ({
      ...partition,
      logStartOffset: logStartOffset ?? null,
      highWatermark: highWatermark ?? null,
    })),
    configs: configs ?? null,
  };
}
