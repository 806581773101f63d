// `bucketrider group watch`: the lag of groups, again and again. On a terminal a table in the same place, elsewhere one line
// of JSON each time, for whoever keeps figures.
import type { GroupLag } from '../client/group-lag.ts';
import { parseDuration, type GlobalFlags } from './client-flags.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { viewGroups } from './group-describe.ts';
import { checkGroupsNamed, findGroups, type GroupNameFlags } from './group-names.ts';
import { durationText, groupJson, type GroupView } from './group-shapes.ts';
import { finish } from './outcomes.ts';
import { formatDocument, tableOf, write, written, type Column } from './output.ts';
import { withCluster } from './with-cluster.ts';

export interface GroupWatchFlags extends GlobalFlags, GroupNameFlags {
  readonly interval?: string;
  readonly num?: string;
}

/** A group now and the time before. */
interface Row {
  readonly group: GroupLag;
  readonly before: GroupLag | undefined;
  readonly elapsedMs: number;
}

const SHORTEST_INTERVAL_MS = 100;
const CLEAR = '\u001b[H\u001b[J';

const columns: readonly Column<Row>[] = [
  { title: 'GROUP', text: ({ group }) => group.groupId },
  { title: 'STATE', text: ({ group }) => group.state },
  { title: 'MEMBERS', text: ({ group }) => group.members.length },
  { title: 'LAG', text: ({ group }) => group.lag },
  { title: 'TIME-LAG', text: ({ group }) => durationText(group.lagTimeMs) },
  { title: 'COMMITTED/S', text: (row) => rateOf(row, ({ committedOffset }) => committedOffset) },
  { title: 'PRODUCED/S', text: (row) => rateOf(row, ({ endOffset }) => endOffset) },
];

export function groupWatch(words: readonly string[], flags: GroupWatchFlags): Promise<number> {
  checkGroupsNamed(words, flags);
  const intervalMs = flags.interval === undefined ? 2000 : parseDuration('--interval', flags.interval);
  if (intervalMs < SHORTEST_INTERVAL_MS) throw usageError(`--interval takes 100ms or more, not ${flags.interval ?? ''}`);
  const most = flags.num === undefined ? Infinity : Number(flags.num);
  if (!(most > 0)) throw usageError(`-n takes a number, not '${flags.num ?? ''}'`);
  return withCluster(flags, async (session) => {
    const { cluster, interrupted } = session;
    let before: { views: readonly GroupView[]; atMs: number } | undefined;
    for (let count = 1; ; count += 1) {
      const atMs = Date.now();
      // Groups come and go: patterns and --all-groups are looked up anew each time.
      const { views, refusals } = await viewGroups(cluster, await findGroups(cluster, words, flags));
      if (before === undefined && refusals.size > 0) return finish(0, refusals, session, 'group');
      if (process.stdout.isTTY) write(`${CLEAR}${screen(views, before, atMs)}`);
      else write(formatDocument({ timestamp: atMs, groups: views.map(groupJson) }, 'jsonl'));
      before = { views, atMs };
      if (count >= most) return exitCodes.ok;
      await written(interrupted);
      await untilDue(atMs + intervalMs - Date.now(), interrupted);
      if (interrupted.aborted) return exitCodes.interrupted;
    }
  });
}

function screen(views: readonly GroupView[], before: { views: readonly GroupView[]; atMs: number } | undefined, atMs: number): string {
  const rows = views.map(({ group }): Row => ({
    group,
    before: before?.views.find((one) => one.group.groupId === group.groupId)?.group,
    elapsedMs: atMs - (before?.atMs ?? atMs),
  }));
  return `${new Date(atMs).toLocaleTimeString()}  Ctrl-C ends it\n\n${tableOf(rows, columns) || 'no group matches\n'}`;
}

/** A second, over all partitions. */
function rateOf({ group, before, elapsedMs }: Row, offsetOf: (partition: GroupLag['partitions'][number]) => number | undefined): string {
  if (before === undefined || elapsedMs <= 0) return '-';
  const sum = ({ partitions }: GroupLag): number => partitions.reduce((total, one) => total + (offsetOf(one) ?? 0), 0);
  return String(Math.max(0, Math.round(((sum(group) - sum(before)) * 1000) / elapsedMs)));
}

function untilDue(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
