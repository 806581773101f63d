// `bucketrider group check`: whether groups keep up, as an exit code: 0 when they do, 7 when one is behind by more than is said.
import type { GroupLag } from '../client/group-lag.ts';
import { parseDuration, type GlobalFlags } from './client-flags.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { viewGroups } from './group-describe.ts';
import { checkGroupsNamed, findGroups, type GroupNameFlags } from './group-names.ts';
import { durationText } from './group-shapes.ts';
import { finish } from './outcomes.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { withCluster } from './with-cluster.ts';

export interface GroupCheckFlags extends GlobalFlags, GroupNameFlags {
  readonly maxLag?: string;
  readonly maxLagTime?: string;
  readonly output?: string;
}

interface Row {
  readonly group: GroupLag;
  /** Empty where it keeps up. */
  readonly excess: readonly string[];
}

const shape: Shape<Row> = {
  columns: [
    { title: 'GROUP', text: ({ group }) => group.groupId },
    { title: 'STATE', text: ({ group }) => group.state },
    { title: 'MEMBERS', text: ({ group }) => group.members.length, wide: true },
    { title: 'LAG', text: ({ group }) => group.lag },
    { title: 'TIME-LAG', text: ({ group }) => durationText(group.lagTimeMs) },
    { title: 'CHECK', text: ({ excess }) => (excess.length === 0 ? 'ok' : excess.join(', ')) },
  ],
  name: ({ group }) => group.groupId,
  json: ({ group, excess }) => ({
    groupId: group.groupId,
    state: group.state,
    memberCount: group.members.length,
    lag: group.lag,
    lagTimeMs: group.lagTimeMs ?? null,
    ok: excess.length === 0,
    reasons: excess,
  }),
};

export function groupCheck(words: readonly string[], flags: GroupCheckFlags): Promise<number> {
  checkGroupsNamed(words, flags);
  const format = readFormat(flags.output);
  const maxLag = flags.maxLag === undefined ? undefined : countOf(flags.maxLag);
  const maxLagTimeMs = flags.maxLagTime === undefined ? undefined : parseDuration('--max-lag-time', flags.maxLagTime);
  if (maxLag === undefined && maxLagTimeMs === undefined)
    throw usageError('say how far behind a group may be: --max-lag 1000, --max-lag-time 5m');
  return withCluster(flags, async (session) => {
    const { views, refusals } = await viewGroups(session.cluster, await findGroups(session.cluster, words, flags));
    const rows = views.map(({ group }): Row => ({ group, excess: excessOf(group, maxLag, maxLagTimeMs) }));
    printRows(rows, shape, format);
    if (rows.length === 0 && refusals.size === 0) session.say('no group matches');
    const failed = finish(rows.length, refusals, session, 'group');
    const behind = rows.filter(({ excess }) => excess.length > 0);
    for (const { group, excess } of behind) session.say(`bucketrider: group ${group.groupId}: ${excess.join(', ')}`);
    // What could not be looked at is worse than what was found.
    return failed === exitCodes.ok && behind.length > 0 ? exitCodes.checkSaidNo : failed;
  });
}

function excessOf({ lag, lagTimeMs, partitions }: GroupLag, maxLag: number | undefined, maxLagTimeMs: number | undefined): string[] {
  const unknown = partitions.filter((one) => one.lag === undefined);
  return [
    ...(maxLag !== undefined && lag > maxLag ? [`lag ${lag} is above ${maxLag}`] : []),
    ...(maxLagTimeMs !== undefined && (lagTimeMs ?? 0) > maxLagTimeMs
      ? [`time lag ${durationText(lagTimeMs)} is above ${durationText(maxLagTimeMs)}`]
      : []),
    // A check that cannot see does not say yes. A topic that was deleted is not behind.
    ...unknown
      .filter(({ member }) => member !== undefined)
      .map(({ topic, partition }) => `the lag of ${topic}/${partition} cannot be told`),
  ];
}

function countOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usageError(`--max-lag takes a number of records, not '${text}'`);
  return Number(text);
}
