// What of a compacted log may be cleaned now, how dirty it is, and which segments become one: the rules of Kafka's
// LogCleanerManager and Cleaner, over what the log says of its segments. Decides; touches nothing.
import { maxTimestampOf, RECORD_BATCH_OVERHEAD } from '../../protocol/record-batch.ts';
import { indexesOf, type IndexSurroundings } from './index-files.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Segment } from './segment.ts';

export interface CleaningPlan {
  readonly log: PartitionLog;
  /** All that may be cleaned, from the start of the log. */
  readonly segments: readonly Segment[];
  /** Keys below have been made unique among themselves already. */
  readonly firstDirtyOffset: number;
  /** The end of the last segment, exclusive. */
  readonly firstUncleanableOffset: number;
  readonly cleanableBytes: number;
  /** Share of the bytes that no cleaning has seen. */
  readonly dirtyRatio: number;
  /** max.compaction.lag.ms asks for it, whatever the ratio. */
  readonly isOverdue: boolean;
}

/** Undefined when there is nothing that may be cleaned. */
export async function planCleaning(
  around: IndexSurroundings,
  log: PartitionLog,
  cleanedTo: number | undefined,
): Promise<CleaningPlan | undefined> {
  const firstDirtyOffset = firstDirtyOffsetOf(log, cleanedTo);
  const nowMs = around.env.wallMs();
  const segments = await cleanableSegments(around, log, firstDirtyOffset, nowMs);
  const firstUncleanableOffset = log.endOfSegments(segments);
  let cleanBytes = 0;
  let cleanableBytes = 0;
  for (const [index, segment] of segments.entries()) {
    if (segment.baseOffset < firstDirtyOffset) cleanBytes += segment.bytes;
    if ((segments[index + 1]?.baseOffset ?? firstUncleanableOffset) > firstDirtyOffset) cleanableBytes += segment.bytes;
  }
  if (cleanableBytes === 0) return undefined;
  return {
    log,
    segments,
    firstDirtyOffset,
    firstUncleanableOffset,
    cleanableBytes,
    dirtyRatio: cleanableBytes / (cleanBytes + cleanableBytes),
    isOverdue: await isOverdue(around, log, firstDirtyOffset, nowMs),
  };
}

export const isDue = ({ log, dirtyRatio, isOverdue }: CleaningPlan): boolean =>
  isOverdue || dirtyRatio > log.config['min.cleanable.dirty.ratio'];

/** A checkpoint below the start is of records that were deleted, one beyond the end of a log that was cut: all of it is dirty then. */
function firstDirtyOffsetOf(log: PartitionLog, cleanedTo: number | undefined): number {
  if (cleanedTo === undefined || cleanedTo < log.logStartOffset || cleanedTo > log.endOffset) return log.logStartOffset;
  return cleanedTo;
}

/** From the start of the log: full, synced, with no transaction open in them, and old enough. */
async function cleanableSegments(
  around: IndexSurroundings,
  log: PartitionLog,
  firstDirtyOffset: number,
  nowMs: number,
): Promise<Segment[]> {
  const settled = log.settledSegments;
  const { lastStableOffset } = log;
  const minLagMs = log.config['min.compaction.lag.ms'];
  const segments: Segment[] = [];
  for (const segment of settled) {
    const endOffset = log.endOfSegments([segment]);
    if (endOffset > lastStableOffset) break;
    if (minLagMs > 0 && endOffset > firstDirtyOffset) {
      await indexesOf(around, segment); // tells the largest timestamp of a segment that was not walked
      if (segment.maxTimestamp > nowMs - minLagMs) break;
    }
    segments.push(segment);
  }
  return segments;
}

async function isOverdue(around: IndexSurroundings, log: PartitionLog, firstDirtyOffset: number, nowMs: number): Promise<boolean> {
  const dueBelowMs = nowMs - log.config['max.compaction.lag.ms'];
  if (dueBelowMs <= 0) return false;
  for (const segment of log.settledSegments) {
    if (log.endOfSegments([segment]) <= firstDirtyOffset || segment.bytes === 0) continue;
    const timestamp = await firstTimestampOf(around, segment);
    if (timestamp > 0 && timestamp < dueBelowMs) return true;
  }
  return false;
}

async function firstTimestampOf({ openFiles }: IndexSurroundings, segment: Segment): Promise<number> {
  if (segment.firstTimestampMs >= 0) return segment.firstTimestampMs;
  const header = Buffer.alloc(RECORD_BATCH_OVERHEAD);
  const filled = await openFiles.use(segment.path, (handle) => handle.read(header, 0));
  return filled === header.length ? maxTimestampOf(header, 0) : -1;
}

export interface GroupLimits {
  readonly 'segment.bytes': number;
  readonly 'segment.index.bytes': number;
  readonly 'index.interval.bytes': number;
}

const MAX_RELATIVE_OFFSET = 2 ** 31 - 1;
const LARGEST_INDEX_ENTRY_BYTES = 12;

/** Neighbours that become one segment: no larger than a segment may be now, should nothing go, in bytes, offsets or index. */
export function groupSegments(segments: readonly Segment[], limits: GroupLimits, endOffset: number): Segment[][] {
  const interval = Math.max(limits['index.interval.bytes'], RECORD_BATCH_OVERHEAD);
  const mostBytes = Math.min(limits['segment.bytes'], Math.floor(limits['segment.index.bytes'] / LARGEST_INDEX_ENTRY_BYTES) * interval);
  const groups: Segment[][] = [];
  let group: Segment[] = [];
  let bytes = 0;
  for (const [index, segment] of segments.entries()) {
    const lastOffset = (segments[index + 1]?.baseOffset ?? endOffset) - 1;
    const first = group[0];
    if (first === undefined || bytes + segment.bytes > mostBytes || lastOffset - first.baseOffset > MAX_RELATIVE_OFFSET) {
      group = [];
      bytes = 0;
      groups.push(group);
    }
    group.push(segment);
    bytes += segment.bytes;
  }
  return groups;
}
