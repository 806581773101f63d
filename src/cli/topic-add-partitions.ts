// `bucketrider topic add-partitions`: topics get more partitions; records that are there stay where they are.
import { createPartitions } from '../client/admin.ts';
import type { KafkaError } from '../protocol/errors.ts';
import type { GlobalFlags } from './client-flags.ts';
import { usageError } from './exit-codes.ts';
import { errorJson, finish } from './outcomes.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { findTopics } from './topic-names.ts';
import { withCluster } from './with-cluster.ts';

export interface AddPartitionsFlags extends GlobalFlags {
  readonly num?: string;
  readonly partitions?: string;
  readonly dryRun?: boolean;
  readonly output?: string;
}

interface Row {
  readonly name: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly error: KafkaError | undefined;
  readonly dryRun: boolean;
}

const statusOf = ({ error, dryRun }: Row): string => (error !== undefined ? 'failed' : dryRun ? 'valid' : 'grown');

const shape: Shape<Row> = {
  columns: [
    { title: 'TOPIC', text: ({ name }) => name },
    { title: 'STATUS', text: statusOf },
    { title: 'BEFORE', text: ({ before }) => before ?? '-' },
    { title: 'PARTITIONS', text: ({ after }) => after ?? '-' },
  ],
  name: ({ name }) => name,
  json: (row) => ({
    name: row.name,
    status: statusOf(row),
    partitionCountBefore: row.before ?? null,
    partitionCount: row.after ?? null,
    error: errorJson(row.error),
  }),
};

export function topicAddPartitions(words: readonly string[], flags: AddPartitionsFlags): Promise<number> {
  const format = readFormat(flags.output);
  const countAfter = countReader(flags);
  return withCluster(flags, async (session) => {
    const { cluster } = session;
    const { topics, refusals } = await findTopics(cluster, words, {});
    const counts = new Map(topics.map(({ name, partitions }) => [name, countAfter(partitions.length)]));
    const dryRun = flags.dryRun ?? false;
    const outcomes = counts.size === 0 ? new Map() : await createPartitions(cluster, counts, { validateOnly: dryRun });
    const rows = [
      ...[...refusals].map(([name, error]): Row => ({ name, before: undefined, after: undefined, error, dryRun })),
      ...topics.map(({ name, partitions }): Row => {
        const error = outcomes.get(name) as KafkaError | undefined;
        return { name, before: partitions.length, after: error === undefined ? counts.get(name) : partitions.length, error, dryRun };
      }),
    ];
    printRows(rows, shape, format);
    const failed = new Map(rows.flatMap(({ name, error }) => (error === undefined ? [] : [[name, error] as const])));
    return finish(rows.length - failed.size, failed, session);
  });
}

/** How many partitions a topic has afterwards, by how many it has. */
function countReader({ num, partitions }: AddPartitionsFlags): (before: number) => number {
  if ((num === undefined) === (partitions === undefined))
    throw usageError('say either -n NUMBER, how many partitions to add, or --partitions TOTAL, how many there are to be');
  const text = num ?? partitions ?? '';
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw usageError(`${num === undefined ? '--partitions' : '-n'} takes a number from 1 on, not '${text}'`);
  return num === undefined ? () => Number(text) : (before) => before + Number(text);
}
