// `bucketrider topic delete`: topics go, with everything in them. Asks first.
import { deleteTopics } from '../client/admin.ts';
import type { KafkaError } from '../protocol/errors.ts';
import type { GlobalFlags } from './client-flags.ts';
import { confirm } from './confirm.ts';
import { exitCodes } from './exit-codes.ts';
import { errorJson, finish } from './outcomes.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { findTopics, type NameFlags } from './topic-names.ts';
import { withCluster } from './with-cluster.ts';

export interface TopicDeleteFlags extends GlobalFlags, NameFlags {
  readonly ifExists?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly output?: string;
}

interface Row {
  readonly name: string;
  readonly status: 'deleted' | 'would be deleted' | 'absent' | 'failed';
  readonly error: KafkaError | undefined;
}

const shape: Shape<Row> = {
  columns: [
    { title: 'TOPIC', text: ({ name }) => name },
    { title: 'STATUS', text: ({ status }) => status },
  ],
  name: ({ name }) => name,
  json: ({ name, status, error }) => ({ name, status, error: errorJson(error) }),
};

export function topicDelete(words: readonly string[], flags: TopicDeleteFlags): Promise<number> {
  const format = readFormat(flags.output);
  return withCluster(flags, async (session) => {
    const { cluster, say } = session;
    const { topics, refusals } = await findTopics(cluster, words, flags);
    const names = topics.map(({ name }) => name);
    const rows: Row[] = [...refusals].map(([name, error]) => isAbsent(name, error, flags));
    if (names.length === 0 && rows.length === 0) say('no topic matches');
    if (flags.dryRun === true) rows.push(...names.map((name): Row => ({ name, status: 'would be deleted', error: undefined })));
    else if (names.length > 0) {
      const partitions = topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
      const what = `Delete ${names.length === 1 ? `topic ${names[0] ?? ''}` : `${names.length} topics (${names.join(', ')})`}, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}, with all records?`;
      if (!(await confirm(what, flags))) {
        say('nothing was deleted');
        return exitCodes.failure;
      }
      for (const [name, error] of await deleteTopics(cluster, names))
        rows.push(error === undefined ? { name, status: 'deleted', error } : isAbsent(name, error, flags));
    }
    printRows(rows, shape, format);
    const failed = new Map(rows.flatMap(({ name, error }) => (error === undefined ? [] : [[name, error] as const])));
    return finish(rows.length - failed.size, failed, session);
  });
}

function isAbsent(name: string, error: KafkaError, { ifExists }: TopicDeleteFlags): Row {
  const absent = error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION' && ifExists === true;
  return absent ? { name, status: 'absent', error: undefined } : { name, status: 'failed', error };
}
