// `bucketrider group list`: the groups that the brokers of a cluster keep, of every type.
import { listGroups, type ListedGroup } from '../client/groups.ts';
import type { GlobalFlags } from './client-flags.ts';
import { exitCodes } from './exit-codes.ts';
import type { GroupNameFlags } from './group-names.ts';
import { printRows, readFormat, type Shape } from './output.ts';
import { parsePattern } from './topic-names.ts';
import { withCluster } from './with-cluster.ts';

export interface GroupListFlags extends GlobalFlags, GroupNameFlags {
  readonly state?: readonly string[];
  readonly type?: readonly string[];
  readonly output?: string;
}

const shape: Shape<ListedGroup> = {
  columns: [
    { title: 'GROUP', text: ({ groupId }) => groupId },
    { title: 'TYPE', text: ({ type }) => type ?? '-' },
    { title: 'STATE', text: ({ state }) => state ?? '-' },
    { title: 'PROTOCOL', text: ({ protocolType }) => protocolType || '-' },
    { title: 'COORDINATOR', text: ({ coordinator }) => coordinator, wide: true },
  ],
  name: ({ groupId }) => groupId,
  json: ({ groupId, type, state, protocolType, coordinator }) => ({
    groupId,
    type: type ?? null,
    state: state ?? null,
    protocolType,
    coordinator,
  }),
};

export function groupList(words: readonly string[], flags: GroupListFlags): Promise<number> {
  const format = readFormat(flags.output);
  const named = [...words, ...(flags.group ?? [])];
  const patterns = flags.regex === true ? named.map(parsePattern) : undefined;
  return withCluster(flags, async ({ cluster, settings, say }) => {
    const groups = (await listGroups(cluster, { states: listOf(flags.state), types: listOf(flags.type) })).filter(
      ({ groupId }) => named.length === 0 || (patterns?.some((pattern) => pattern.test(groupId)) ?? named.includes(groupId)),
    );
    printRows(groups, shape, format);
    const missing = patterns === undefined ? named.filter((name) => !groups.some(({ groupId }) => groupId === name)) : [];
    for (const name of missing) say(`bucketrider: there is no group ${name}`);
    if (missing.length > 0) return groups.length > 0 ? exitCodes.partlyFailed : exitCodes.notFound;
    if (groups.length === 0)
      say(
        patterns !== undefined || flags.state !== undefined || flags.type !== undefined
          ? 'no group matches'
          : `there are no groups at ${settings.brokersText}; bucketrider consume TOPIC -g NAME makes one`,
      );
    return exitCodes.ok;
  });
}

/** With commas or repeated. */
const listOf = (texts: readonly string[] = []): string[] =>
  texts
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
