// Where a group is to read on: what a wish such as "from yesterday" means in each partition, in offsets that exist. Plans
// only; committed-offsets.ts writes.
import type { Cluster } from './cluster.ts';
import type { CommittedOffset } from './committed-offsets.ts';
import { measureLogs } from './group-lag.ts';
import { listOffsets, partitionKey, type TopicPartition } from './list-offsets.ts';

export type ResetTarget =
  | { readonly to: 'start' | 'end' | 'current' }
  | { readonly to: 'offset'; readonly offset: number }
  /** From what is committed, forwards or, negative, back. */
  | { readonly to: 'shift'; readonly by: number }
  /** The first record at that time or later; the end when there is none. */
  | { readonly to: 'time'; readonly timestampMs: number }
  /** Another group's, or a file's. */
  | { readonly to: 'offsets'; readonly offsets: readonly (TopicPartition & { readonly offset: number })[] };

export interface PlannedOffset extends TopicPartition {
  /** Undefined where nothing is committed. */
  readonly before: number | undefined;
  /** Undefined where the wish means nothing. */
  readonly after: number | undefined;
  readonly logStartOffset: number | undefined;
  readonly endOffset: number | undefined;
  /** Why `after` is missing, or not what was asked for. */
  readonly note:
    | 'nothing is committed'
    | 'not in what is copied'
    | 'no leader, or no such partition'
    | 'before the start'
    | 'past the end'
    | undefined;
}

/** @throws KafkaError and what a link throws */
export async function planReset(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  committed: readonly CommittedOffset[],
  target: ResetTarget,
): Promise<PlannedOffset[]> {
  const logs = await measureLogs(cluster, partitions);
  const before = new Map(committed.map((one) => [partitionKey(one), one.offset]));
  const copied = target.to === 'offsets' ? new Map(target.offsets.map((one) => [partitionKey(one), one.offset])) : undefined;
  const atTime = target.to === 'time' ? await timesOf(cluster, partitions, logs, target.timestampMs) : undefined;
  return partitions.map(({ topic, partition }): PlannedOffset => {
    const key = partitionKey({ topic, partition });
    const log = logs.get(key);
    const wish = { target, before: before.get(key), copied: copied?.get(key), atTime: atTime?.get(key) };
    const planned = log === undefined ? { after: undefined, note: 'no leader, or no such partition' as const } : planOne(wish, log);
    return { topic, partition, before: before.get(key), logStartOffset: log?.start, endOffset: log?.end, ...planned };
  });
}

function timesOf(cluster: Cluster, partitions: readonly TopicPartition[], logs: ReadonlyMap<string, unknown>, timestampMs: number) {
  const known = partitions.filter((one) => logs.has(partitionKey(one)));
  return listOffsets(
    cluster,
    known.map(({ topic, partition }) => ({ topic, partition, at: { timestampMs } })),
  );
}

interface Wish {
  readonly target: ResetTarget;
  readonly before: number | undefined;
  readonly copied: number | undefined;
  readonly atTime: number | undefined;
}

function planOne(wish: Wish, log: { readonly start: number; readonly end: number }): Pick<PlannedOffset, 'after' | 'note'> {
  const asked = offsetOf(wish, log);
  if (asked === undefined)
    return { after: undefined, note: wish.target.to === 'offsets' ? 'not in what is copied' : 'nothing is committed' };
  if (asked < log.start) return { after: log.start, note: 'before the start' };
  if (asked > log.end) return { after: log.end, note: 'past the end' };
  return { after: asked, note: undefined };
}

function offsetOf({ target, before, copied, atTime }: Wish, log: { readonly start: number; readonly end: number }): number | undefined {
  switch (target.to) {
    case 'start':
      return log.start;
    case 'end':
      return log.end;
    case 'current':
      return before;
    case 'offset':
      return target.offset;
    case 'shift':
      return before === undefined ? undefined : before + target.by;
    case 'time':
      return atTime ?? log.end;
    case 'offsets':
    default:
      return copied;
  }
}
