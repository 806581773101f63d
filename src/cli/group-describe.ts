// `bucketrider group describe`: everything about groups: who is in them, what each member reads, and how far behind they are.
import { makeCompute } from '../base/real/compute.ts';
import type { Cluster } from '../client/cluster.ts';
import { measureGroups } from '../client/group-lag.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { GlobalFlags } from './client-flags.ts';
import { findGroups, type GroupNameFlags } from './group-names.ts';
import { groupJson, groupText, type GroupView, type Sections } from './group-shapes.ts';
import { finish } from './outcomes.ts';
import { formatRows, readFormat, write } from './output.ts';
import { withCluster } from './with-cluster.ts';

export interface GroupDescribeFlags extends GlobalFlags, GroupNameFlags {
  readonly members?: boolean;
  readonly offsets?: boolean;
  readonly state?: boolean;
  readonly verbose?: boolean;
  readonly output?: string;
}

export function groupDescribe(words: readonly string[], flags: GroupDescribeFlags): Promise<number> {
  const format = readFormat(flags.output ?? (flags.verbose === true ? 'wide' : undefined));
  return withCluster(flags, async (session) => {
    const { cluster, say } = session;
    const names = await findGroups(cluster, words, flags);
    const { views, refusals } = await viewGroups(cluster, names);
    if (format === 'table' || format === 'wide')
      write(views.map((view) => groupText(view, { wide: format === 'wide', sections: sectionsOf(flags) })).join('\n'));
    else write(formatRows(views, { columns: [], name: ({ group }) => group.groupId, json: groupJson }, format));
    if (names.length === 0) say('no group matches');
    return finish(views.length, refusals, session, 'group');
  });
}

/** Kafka's tool shows one of the three; all of it is shown when none is named. */
function sectionsOf({ members = false, offsets = false, state = false }: GroupDescribeFlags): Sections {
  const all = !members && !offsets && !state;
  return { members: all || members, partitions: all || offsets };
}

/** Groups with all that is shown of them, in the order of the names, and why the others cannot be. */
export async function viewGroups(
  cluster: Cluster,
  names: readonly string[],
): Promise<{ views: GroupView[]; refusals: ReadonlyMap<string, KafkaError> }> {
  const measured = await measureGroups(cluster, names, { times: { compute: makeCompute() } });
  const { brokers } = await cluster.metadata([]);
  const views: GroupView[] = [];
  const refusals = new Map<string, KafkaError>();
  for (const [groupId, group] of measured) {
    if (group instanceof KafkaError) refusals.set(groupId, group);
    else views.push({ group, coordinator: brokers.find(({ nodeId }) => nodeId === group.coordinator) });
  }
  return { views, refusals };
}
