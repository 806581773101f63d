// `bucketrider cluster info`: which cluster answers, its brokers as they tell clients to reach them, and what it holds.
import type { BrokerMetadata } from '../client/cluster.ts';
import type { GlobalFlags } from './client-flags.ts';
import { exitCodes } from './exit-codes.ts';
import { formatDocument, readFormat, tableOf, write, type Column } from './output.ts';
import { withCluster } from './with-cluster.ts';

export interface ClusterInfoFlags extends GlobalFlags {
  readonly output?: string;
}

export function clusterInfo(_words: readonly string[], flags: ClusterInfoFlags): Promise<number> {
  const format = readFormat(flags.output, ['table', 'json', 'jsonl', 'yaml']);
  return withCluster(flags, async ({ cluster }) => {
    const { clusterId, controllerId, brokers, topics } = await cluster.metadata('all');
    const partitionCount = [...topics.values()].reduce((sum, { partitions }) => sum + partitions.length, 0);
    if (format === 'json' || format === 'jsonl' || format === 'yaml') {
      const listed = brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack, controller: nodeId === controllerId }));
      write(formatDocument({ clusterId, controllerId, brokers: listed, topicCount: topics.size, partitionCount }, format));
      return exitCodes.ok;
    }
    write(`cluster     ${clusterId ?? '-'}\ntopics      ${topics.size}\npartitions  ${partitionCount}\n\n`);
    const columns: Column<BrokerMetadata>[] = [
      { title: 'BROKER', text: ({ nodeId }) => nodeId },
      { title: 'ADDRESS', text: ({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`) },
      { title: 'RACK', text: ({ rack }) => rack ?? '-' },
      { title: 'CONTROLLER', text: ({ nodeId }) => (nodeId === controllerId ? 'yes' : 'no') },
    ];
    write(tableOf(brokers, columns));
    return exitCodes.ok;
  });
}
