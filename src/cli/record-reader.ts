// What `consume` and `tail` share: which partitions are meant, and their records from there on.
import { makeCompute } from '../base/real/compute.ts';
import { fetchRecords, type Assignment } from '../client/fetcher.ts';
import type { Isolation, TopicPartition } from '../client/list-offsets.ts';
import type { Cluster } from '../client/cluster.ts';
import { KafkaError } from '../protocol/errors.ts';
import { CommandError, exitCodes, usageError } from './exit-codes.ts';
import type { LocatedRecord } from './record-json.ts';
import type { Session } from './with-cluster.ts';

export interface ReadFlags {
  readonly partition?: readonly string[];
  readonly readCommitted?: boolean;
}

export function isolationOf({ readCommitted }: ReadFlags, { settings }: Pick<Session, 'settings'>): Isolation {
  const level = readCommitted === true ? 'read_committed' : (settings.properties.get('isolation.level') ?? 'read_uncommitted');
  if (level !== 'read_committed' && level !== 'read_uncommitted')
    throw usageError(`isolation.level is read_committed or read_uncommitted, not '${level}'`);
  return level;
}

/** The partitions of the topics, or those of them that the flags name. @throws CommandError when there is no such topic or partition */
export async function partitionsOf(cluster: Cluster, names: readonly string[], { partition }: ReadFlags): Promise<TopicPartition[]> {
  const wanted = partition === undefined ? undefined : new Set(partition.flatMap((text) => text.split(',')).map(partitionNumber));
  const { topics, refusals } = await cluster.metadata([...new Set(names)]);
  for (const [name, error] of refusals) throw missingTopic(name, error);
  const found = [...topics.values()].flatMap((topic) =>
    topic.partitions
      .filter((one) => wanted === undefined || wanted.has(one.partition))
      .map((one) => ({ topic: topic.name, partition: one.partition })),
  );
  for (const number of wanted ?? [])
    if (!found.some((one) => one.partition === number))
      throw new CommandError(exitCodes.notFound, 'partition-not-found', `${names.join(', ')} has no partition ${number}`, {
        fix: [`bucketrider topic describe ${names.join(' ')} shows what there is`],
      });
  return found;
}

function partitionNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw usageError(`-p takes the number of a partition, or several with commas, not '${text}'`);
  return Number(text);
}

export function missingTopic(name: string, error: KafkaError): Error {
  if (error.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION') return new KafkaError(error.errorName, `topic ${name}: ${error.message}`);
  return new CommandError(exitCodes.notFound, error.errorName, `there is no topic ${name}`, {
    fix: [`bucketrider topic create ${name} makes it; bucketrider topic list shows what there is`],
  });
}

/** Batch by batch, as they arrive. */
export async function* readRecords(
  session: Session,
  assignments: readonly Assignment[],
  isolation: Isolation,
): AsyncGenerator<LocatedRecord[], void, void> {
  const batches = fetchRecords({
    cluster: session.cluster,
    compute: makeCompute(),
    assignments,
    isolation,
    onJump: ({ topic, partition, from, to }) =>
      session.say(`bucketrider: offset ${from} of ${topic}/${partition} is not there any more; reading goes on at ${to}`),
  });
  for await (const { topic, partition, timestampType, records } of batches)
    yield records.map((record) => ({ topic, partition, timestampType, record }));
}
