// Which groups a command means: by their names, by patterns over all that there are, or all of them.
import type { Cluster } from '../client/cluster.ts';
import { listGroups } from '../client/groups.ts';
import { usageError } from './exit-codes.ts';
import { parsePattern } from './topic-names.ts';

export interface GroupNameFlags {
  /** As Kafka's own tool says it. */
  readonly group?: readonly string[];
  readonly allGroups?: boolean;
  readonly regex?: boolean;
}

/** Groups of consumers. Share and streams groups are listed, and nothing more can be said of them here. */
const consumers = ['classic', 'consumer'];

/** @throws CommandError where none is named, and not all are meant */
export function checkGroupsNamed(words: readonly string[], flags: GroupNameFlags): void {
  const named = words.length + (flags.group?.length ?? 0);
  if (named === 0 && flags.allGroups !== true) throw usageError('no group is named', 'name one, or say --all-groups');
  if (named > 0 && flags.allGroups === true) throw usageError('--all-groups means all of them, and some are named');
}

/** Names; those that were named need not exist. All where none is. @throws CommandError when a pattern is none */
export async function findGroups(cluster: Cluster, words: readonly string[], { group = [], regex }: GroupNameFlags): Promise<string[]> {
  const named = [...new Set([...words, ...group])];
  if (named.length > 0 && regex !== true) return named;
  const patterns = named.map(parsePattern);
  const listed = await listGroups(cluster);
  return listed
    .filter(({ type }) => type === undefined || consumers.includes(type))
    .map(({ groupId }) => groupId)
    .filter((groupId) => patterns.length === 0 || patterns.some((pattern) => pattern.test(groupId)));
}
