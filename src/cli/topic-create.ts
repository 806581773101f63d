// `bucketrider topic create`: new topics, all with the same partitions, replicas and settings.
import { createTopics, type CreateOutcome } from '../client/admin.ts';
import type { GlobalFlags } from './client-flags.ts';
import { usageError } from './exit-codes.ts';
import { errorJson, finish } from './outcomes.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { withCluster } from './with-cluster.ts';

export interface TopicCreateFlags extends GlobalFlags {
  readonly partitions?: string;
  readonly replicationFactor?: string;
  readonly config?: readonly string[];
  readonly compact?: boolean;
  readonly ifNotExists?: boolean;
  readonly dryRun?: boolean;
  readonly output?: string;
}

interface Row extends CreateOutcome {
  readonly name: string;
  readonly status: 'created' | 'exists' | 'valid' | 'failed';
}

const shape: Shape<Row> = {
  columns: [
    { title: 'TOPIC', text: ({ name }) => name },
    { title: 'STATUS', text: ({ status }) => status },
    { title: 'PARTITIONS', text: ({ partitions }) => partitions ?? '-' },
    { title: 'REPLICAS', text: ({ replicationFactor }) => replicationFactor ?? '-' },
    { title: 'ID', text: ({ topicId }) => topicId ?? '-', wide: true },
  ],
  name: ({ name }) => name,
  json: ({ name, status, partitions, replicationFactor, topicId, error }) => ({
    name,
    status,
    id: topicId ?? null,
    partitionCount: partitions ?? null,
    replicationFactor: replicationFactor ?? null,
    error: errorJson(error),
  }),
};

export function topicCreate(words: readonly string[], flags: TopicCreateFlags): Promise<number> {
  const format = readFormat(flags.output);
  const names = [...new Set(words)];
  const common = {
    partitions: countOf('--partitions', flags.partitions),
    replicationFactor: countOf('--replication-factor', flags.replicationFactor),
    configs: configsOf(flags),
  };
  return withCluster(flags, async (session) => {
    const { cluster } = session;
    const wanted = names.map((name) => ({ name, ...common }));
    const outcomes = await createTopics(cluster, wanted, { validateOnly: flags.dryRun ?? false });
    const rows = names.flatMap((name): Row[] => {
      const outcome = outcomes.get(name);
      if (outcome === undefined) return [];
      const { error } = outcome;
      if (error === undefined) return [{ name, ...outcome, status: flags.dryRun === true ? 'valid' : 'created' }];
      const isThere = error.errorName === 'TOPIC_ALREADY_EXISTS' && flags.ifNotExists === true;
      return [{ name, ...outcome, error: isThere ? undefined : error, status: isThere ? 'exists' : 'failed' }];
    });
    printRows(rows, shape, format);
    const refusals = new Map(rows.flatMap(({ name, error }) => (error === undefined ? [] : [[name, error] as const])));
    return finish(rows.length - refusals.size, refusals, session);
  });
}

/** -1, the broker's own default, where nothing is said. */
function countOf(flag: string, text: string | undefined): number {
  if (text === undefined) return -1;
  if (!/^[1-9]\d{0,4}$/.test(text)) throw usageError(`${flag} takes a number from 1 on, not '${text}'`);
  return Number(text);
}

function configsOf({ config = [], compact }: TopicCreateFlags): Map<string, string> {
  const configs = new Map<string, string>(compact === true ? [['cleanup.policy', 'compact']] : []);
  for (const pair of config) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw usageError(`-c takes key=value, not '${pair}'`, 'for instance -c retention.ms=86400000');
    configs.set(pair.slice(0, equals).trim(), pair.slice(equals + 1));
  }
  return configs;
}
