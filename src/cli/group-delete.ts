// `bucketrider group delete`: groups go, with all that they have committed. Asks first.
import { deleteGroups, describeGroups } from '../client/groups.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { GlobalFlags } from './client-flags.ts';
import { confirm } from './confirm.ts';
import { exitCodes } from './exit-codes.ts';
import { checkGroupsNamed, findGroups, type GroupNameFlags } from './group-names.ts';
import { errorJson, finish } from './outcomes.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { withCluster } from './with-cluster.ts';

export interface GroupDeleteFlags extends GlobalFlags, GroupNameFlags {
  readonly ifExists?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly output?: string;
}

interface Row {
  readonly groupId: string;
  readonly status: 'deleted' | 'would be deleted' | 'absent' | 'failed';
  readonly error: KafkaError | undefined;
}

const shape: Shape<Row> = {
  columns: [
    { title: 'GROUP', text: ({ groupId }) => groupId },
    { title: 'STATUS', text: ({ status }) => status },
  ],
  name: ({ groupId }) => groupId,
  json: ({ groupId, status, error }) => ({ groupId, status, error: errorJson(error) }),
};

export function groupDelete(words: readonly string[], flags: GroupDeleteFlags): Promise<number> {
  checkGroupsNamed(words, flags);
  const format = readFormat(flags.output);
  return withCluster(flags, async (session) => {
    const { cluster, say } = session;
    const names = await findGroups(cluster, words, flags);
    const rows: Row[] = [];
    const there: string[] = [];
    for (const [groupId, outcome] of await describeGroups(cluster, names)) {
      if (outcome instanceof KafkaError) rows.push(failed(groupId, outcome, flags));
      else if (outcome.members.length > 0) rows.push(failed(groupId, new KafkaError('NON_EMPTY_GROUP'), flags));
      else there.push(groupId);
    }
    if (names.length === 0) say('no group matches');
    if (flags.dryRun === true) rows.push(...there.map((groupId): Row => ({ groupId, status: 'would be deleted', error: undefined })));
    else if (there.length > 0) {
      const what = there.length === 1 ? `group ${there[0] ?? ''}` : `${there.length} groups (${there.join(', ')})`;
      if (!(await confirm(`Delete ${what}, with all committed offsets?`, flags))) {
        say('nothing was deleted');
        return exitCodes.failure;
      }
      for (const [groupId, outcome] of await deleteGroups(cluster, there))
        rows.push(outcome instanceof KafkaError ? failed(groupId, outcome, flags) : { groupId, status: 'deleted', error: undefined });
    }
    printRows(rows, shape, format);
    const refusals = new Map(rows.flatMap(({ groupId, error }) => (error === undefined ? [] : [[groupId, error] as const])));
    return finish(rows.length - refusals.size, refusals, session, 'group');
  });
}

function failed(groupId: string, error: KafkaError, { ifExists }: GroupDeleteFlags): Row {
  const absent = error.errorName === 'GROUP_ID_NOT_FOUND' && ifExists === true;
  return absent ? { groupId, status: 'absent', error: undefined } : { groupId, status: 'failed', error };
}
