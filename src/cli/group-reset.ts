// `bucketrider group reset`: says where groups are to read on. Shows what it would do; does it with --execute.
import type { Cluster } from '../client/cluster.ts';
import { commitOffsets, fetchCommitted, type CommittedOffset } from '../client/committed-offsets.ts';
import { describeGroups, type GroupDescription } from '../client/groups.ts';
import { partitionKey, type TopicPartition } from '../client/list-offsets.ts';
import { planReset, type PlannedOffset, type ResetTarget } from '../client/reset-offsets.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { GlobalFlags } from './client-flags.ts';
import { confirm } from './confirm.ts';
import { CommandError, exitCodes, usageError } from './exit-codes.ts';
import { checkGroupsNamed, findGroups, type GroupNameFlags } from './group-names.ts';
import { formatOffsets, readOffsetsFile, type WrittenOffset } from './offsets-file.ts';
import { errorJson, finish } from './outcomes.ts';
import { formatRows, readFormat, write, type OutputFormat, type Shape } from './output.ts';
import { parsePartitions, resolvePartitions, type WantedPartitions } from './partition-words.ts';
import { parseResetTo, type ResetToFlags, type WantedReset } from './reset-words.ts';
import { withCluster, type Session } from './with-cluster.ts';

export interface GroupResetFlags extends GlobalFlags, GroupNameFlags, ResetToFlags {
  readonly topic?: readonly string[];
  readonly allTopics?: boolean;
  readonly execute?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly export?: boolean;
  readonly output?: string;
}

interface Row extends PlannedOffset {
  readonly groupId: string;
  readonly status: 'unchanged' | 'would change' | 'changed' | 'skipped' | 'failed';
  readonly error: KafkaError | undefined;
}

interface Plan {
  readonly groupId: string;
  readonly group: GroupDescription | undefined;
  readonly rows: readonly Row[];
}

const difference = ({ before, after }: Row): string => {
  if (before === undefined || after === undefined) return '-';
  return after > before ? `+${after - before}` : String(after - before);
};

const shape: Shape<Row> = {
  columns: [
    { title: 'GROUP', text: ({ groupId }) => groupId },
    { title: 'TOPIC', text: ({ topic }) => topic },
    { title: 'PARTITION', text: ({ partition }) => partition },
    { title: 'BEFORE', text: ({ before }) => before ?? '-' },
    { title: 'AFTER', text: ({ after }) => after ?? '-' },
    { title: 'CHANGE', text: difference },
    { title: 'START', text: ({ logStartOffset }) => logStartOffset ?? '-', wide: true },
    { title: 'END', text: ({ endOffset }) => endOffset ?? '-', wide: true },
    { title: 'STATUS', text: ({ status, note }) => (note === undefined ? status : `${status} (${note})`) },
  ],
  name: ({ topic, partition }) => `${topic}/${partition}`,
  json: (row) => ({
    groupId: row.groupId,
    topic: row.topic,
    partition: row.partition,
    before: row.before ?? null,
    after: row.after ?? null,
    logStartOffset: row.logStartOffset ?? null,
    endOffset: row.endOffset ?? null,
    status: row.status,
    note: row.note ?? null,
    error: errorJson(row.error),
  }),
};

export function groupReset(words: readonly string[], flags: GroupResetFlags): Promise<number> {
  const csv = flags.export === true || flags.output === 'csv';
  const format = csv ? 'csv' : readFormat(flags.output);
  const wanted = parseResetTo(flags, Date.now());
  const selection = parsePartitions(flags.topic ?? []);
  if (selection.length > 0 && flags.allTopics === true) throw usageError('--all-topics means all of them, and --topic names some');
  if (flags.dryRun === true && flags.execute === true) throw usageError('--dry-run and --execute say the opposite of each other');
  const execute = flags.dryRun !== true && (flags.execute === true || flags.yes === true);
  const written = wanted.to === 'file' ? readOffsetsFile(wanted.path) : [];
  const inFile = written.flatMap(({ groupId }) => groupId ?? []);
  if (inFile.length === 0 || words.length > 0) checkGroupsNamed(words, flags);
  return withCluster(flags, async (session) => {
    const { cluster, say } = session;
    const unnamed = words.length === 0 && flags.group === undefined && flags.allGroups !== true;
    const names = unnamed ? [...new Set(inFile)] : await findGroups(cluster, words, flags);
    const plans = await makePlans(session, names, { wanted, selection, written });
    if (!execute) {
      show(plans, format);
      say(
        plans.some(({ rows }) => rows.some(({ status }) => status === 'would change'))
          ? 'nothing was changed; --execute does it'
          : 'there is nothing to change',
      );
      for (const plan of plans) if (plan.group !== undefined && plan.group.members.length > 0) say(`bucketrider: ${membersOf(plan.group)}`);
      return exitCodes.ok;
    }
    for (const { group } of plans)
      if (group !== undefined && group.members.length > 0)
        throw new CommandError(exitCodes.failure, 'NON_EMPTY_GROUP', membersOf(group), {
          fix: [`stop its consumers, then try again; bucketrider group describe ${group.groupId} shows them`],
        });
    if (process.stdin.isTTY && process.stderr.isTTY && flags.yes !== true) {
      process.stderr.write(formatPlans(plans, 'table'));
      if (!(await confirm('Commit these offsets?', flags))) {
        say('nothing was changed');
        return exitCodes.failure;
      }
    }
    const done = [];
    for (const plan of plans) done.push(await carryOut(cluster, plan));
    show(done, format);
    return outcomeOf(done, session);
  });
}

const membersOf = ({ groupId, state, members }: GroupDescription): string => {
  const shown = members.slice(0, 3).map(({ clientId, host }) => `${clientId || 'a client'} at ${host.replace(/^\//, '')}`);
  const more = members.length > shown.length ? `, and ${members.length - shown.length} more` : '';
  const count = members.length === 1 ? '1 member' : `${members.length} members`;
  return `group ${groupId} is ${state} with ${count} (${shown.join(', ')}${more}): its offsets can only be reset while nobody reads`;
};

interface Wishes {
  readonly wanted: WantedReset;
  readonly selection: readonly WantedPartitions[];
  readonly written: readonly WrittenOffset[];
}

async function makePlans({ cluster, say }: Session, names: readonly string[], wishes: Wishes): Promise<Plan[]> {
  const { wanted, selection } = wishes;
  const source = wanted.to === 'group' ? wanted.groupId : undefined;
  const [descriptions, committed] = await Promise.all([
    describeGroups(cluster, names),
    fetchCommitted(cluster, [...names, ...(source === undefined ? [] : [source])]),
  ]);
  const selected = selection.length === 0 ? undefined : await resolvePartitions(cluster, selection);
  const copied = source === undefined ? undefined : offsetsOf(committed, source);
  if (copied?.length === 0)
    throw new CommandError(exitCodes.notFound, 'GROUP_ID_NOT_FOUND', `group ${source ?? ''} has committed nothing that could be copied`);
  const plans: Plan[] = [];
  for (const groupId of names) {
    const description = descriptions.get(groupId);
    const missing = description instanceof KafkaError;
    if (missing && description.errorName !== 'GROUP_ID_NOT_FOUND') throw description;
    const own = offsetsOf(committed, groupId);
    const target = targetOf(groupId, wishes, copied);
    const partitions = selected ?? (target.to === 'offsets' ? target.offsets : own);
    if (missing && partitions.length === 0)
      throw new CommandError(exitCodes.notFound, 'GROUP_ID_NOT_FOUND', `there is no group ${groupId}`, {
        fix: ['bucketrider group list shows what there is; --topic NAME makes a group that begins there'],
      });
    if (missing) say(`bucketrider: there is no group ${groupId} yet`);
    if (partitions.length === 0) say(`bucketrider: group ${groupId} has committed nothing; --topic names what it is to read`);
    const planned = await planReset(cluster, partitions.map(bare), own, target);
    plans.push({
      groupId,
      group: missing ? undefined : description,
      rows: planned.map((one): Row => ({ ...one, groupId, status: statusOf(one), error: undefined })),
    });
  }
  return plans;
}

const bare = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition });

function statusOf({ before, after }: PlannedOffset): Row['status'] {
  if (after === undefined) return 'skipped';
  return after === before ? 'unchanged' : 'would change';
}

/** @throws KafkaError when they could not be had */
function offsetsOf(committed: ReadonlyMap<string, CommittedOffset[] | KafkaError>, groupId: string): CommittedOffset[] {
  const offsets = committed.get(groupId) ?? [];
  if (offsets instanceof KafkaError) throw offsets;
  return offsets;
}

function targetOf(groupId: string, { wanted, written }: Wishes, copied: readonly CommittedOffset[] | undefined): ResetTarget {
  if (wanted.to === 'group') return { to: 'offsets', offsets: copied ?? [] };
  if (wanted.to === 'file')
    return { to: 'offsets', offsets: written.filter((one) => one.groupId === undefined || one.groupId === groupId) };
  return wanted;
}

async function carryOut(cluster: Cluster, plan: Plan): Promise<Plan> {
  const changes = plan.rows.flatMap(({ topic, partition, after, status }) =>
    status === 'would change' && after !== undefined ? [{ topic, partition, offset: after }] : [],
  );
  if (changes.length === 0) return plan;
  const outcomes = await commitOffsets(cluster, plan.groupId, changes);
  const rows = plan.rows.map((row): Row => {
    if (row.status !== 'would change') return row;
    const error = outcomes.get(partitionKey(row));
    return error === undefined ? { ...row, status: 'changed' } : { ...row, status: 'failed', error };
  });
  return { ...plan, rows };
}

function outcomeOf(plans: readonly Plan[], session: Session): number {
  const failed = new Map<string, KafkaError>();
  for (const { groupId, rows } of plans) {
    const first = rows.find(({ error }) => error !== undefined);
    if (first?.error === undefined) continue;
    // A coordinator that does not know who commits has members since.
    const joined = ['UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'STALE_MEMBER_EPOCH'].includes(
      first.error.errorName,
    );
    failed.set(groupId, joined ? new KafkaError('NON_EMPTY_GROUP') : first.error);
  }
  const changed = plans.some(({ rows }) => rows.some(({ status }) => status === 'changed'));
  return finish(changed || failed.size === 0 ? 1 : 0, failed, session, 'group');
}

function show(plans: readonly Plan[], format: OutputFormat | 'csv'): void {
  write(formatPlans(plans, format));
}

function formatPlans(plans: readonly Plan[], format: OutputFormat | 'csv'): string {
  const rows = plans.flatMap((plan) => plan.rows);
  const several = plans.length > 1;
  if (format === 'csv') {
    const offsets = rows.flatMap(({ groupId, topic, partition, after }) =>
      after === undefined ? [] : [{ groupId, topic, partition, offset: after }],
    );
    return formatOffsets(offsets, { withGroups: several });
  }
  return formatRows(rows, several ? shape : { ...shape, columns: shape.columns.slice(1) }, format);
}
