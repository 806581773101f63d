// `bucketrider group delete-offsets`: a group forgets how far it has read some topics. Asks first.
import { deleteOffsets, fetchCommitted } from '../client/committed-offsets.ts';
import { partitionKey, type TopicPartition } from '../client/list-offsets.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { GlobalFlags } from './client-flags.ts';
import { confirm } from './confirm.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { errorJson, finish } from './outcomes.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { parsePartitions } from './partition-words.ts';
import { reportFailure } from './report-failure.ts';
import { withCluster, type Session } from './with-cluster.ts';

export interface DeleteOffsetsFlags extends GlobalFlags {
  readonly group?: readonly string[];
  readonly topic?: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly output?: string;
}

interface Row extends TopicPartition {
  readonly committedOffset: number;
  readonly status: 'deleted' | 'would be deleted' | 'failed';
  readonly error: KafkaError | undefined;
}

const shape: Shape<Row> = {
  columns: [
    { title: 'TOPIC', text: ({ topic }) => topic },
    { title: 'PARTITION', text: ({ partition }) => partition },
    { title: 'COMMITTED', text: ({ committedOffset }) => committedOffset },
    { title: 'STATUS', text: ({ status }) => status },
  ],
  name: ({ topic, partition }) => `${topic}/${partition}`,
  json: ({ topic, partition, committedOffset, status, error }) => ({ topic, partition, committedOffset, status, error: errorJson(error) }),
};

export function groupDeleteOffsets(words: readonly string[], flags: DeleteOffsetsFlags): Promise<number> {
  const [groupId, more] = [...words, ...(flags.group ?? [])];
  if (groupId === undefined || more !== undefined) throw usageError('name one group');
  const wanted = parsePartitions(flags.topic ?? []);
  if (wanted.length === 0)
    throw usageError('--topic says what is to be forgotten; bucketrider group delete makes a group forget everything');
  const format = readFormat(flags.output);
  return withCluster(flags, async (session) => {
    const { cluster, say } = session;
    const committed = (await fetchCommitted(cluster, [groupId])).get(groupId) ?? [];
    if (committed instanceof KafkaError) throw committed;
    // By what is committed, not by what topics there are: a topic may be gone, and its offsets left.
    const chosen = committed.filter(({ topic, partition }) =>
      wanted.some((one) => one.topic === topic && (one.partitions?.includes(partition) ?? true)),
    );
    if (chosen.length === 0) return nothingThere(groupId, committed.length > 0, session);
    const rowOf = (one: (typeof chosen)[number], status: Row['status'], error?: KafkaError): Row => ({
      topic: one.topic,
      partition: one.partition,
      committedOffset: one.offset,
      status,
      error,
    });
    if (flags.dryRun === true) {
      printRows(
        chosen.map((one) => rowOf(one, 'would be deleted')),
        shape,
        format,
      );
      return exitCodes.ok;
    }
    const count = chosen.length === 1 ? '1 offset' : `${chosen.length} offsets`;
    if (!(await confirm(`Delete ${count} that group ${groupId} has committed?`, flags))) {
      say('nothing was deleted');
      return exitCodes.failure;
    }
    const outcomes = await deleteOffsets(cluster, groupId, chosen);
    const rows = chosen.map((one) => {
      const error = outcomes.get(partitionKey(one));
      return rowOf(one, error === undefined ? 'deleted' : 'failed', error);
    });
    printRows(rows, shape, format);
    const error = rows.find((row) => row.error !== undefined)?.error;
    const done = rows.filter(({ status }) => status === 'deleted').length;
    return finish(done, error === undefined ? new Map() : new Map([[groupId, error]]), session, 'group');
  });
}

function nothingThere(groupId: string, knowsOthers: boolean, { flags }: Session): number {
  const message = knowsOthers ? `group ${groupId} has committed nothing there` : `group ${groupId} has committed nothing`;
  const fix = [`bucketrider group describe ${groupId} shows what it has committed`];
  reportFailure({ exitCode: exitCodes.notFound, code: 'offsets-not-found', message, fix }, { json: flags.jsonErrors ?? false });
  return exitCodes.notFound;
}
