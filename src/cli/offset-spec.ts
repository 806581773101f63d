// `-o`: where to begin reading and where to stop, in the words of kcat, rpk and plain English, and what that is in each
// partition.
import type { Cluster } from '../client/cluster.ts';
import { listOffsets, partitionKey, type Isolation, type TopicPartition } from '../client/list-offsets.ts';
import { parseDuration } from './client-flags.ts';
import { usageError } from './exit-codes.ts';

export type Bound =
  | { readonly at: 'start' | 'end' }
  | { readonly at: 'offset'; readonly offset: number }
  /** So many records before the end, or after the start. */
  | { readonly at: 'before end' | 'after start'; readonly count: number }
  | { readonly at: 'time'; readonly timestampMs: number };

export interface OffsetSpec {
  readonly from: Bound;
  /** Exclusive. */
  readonly until?: Bound;
}

const words: Readonly<Record<string, Bound>> = {
  start: { at: 'start' },
  beginning: { at: 'start' },
  earliest: { at: 'start' },
  oldest: { at: 'start' },
  end: { at: 'end' },
  latest: { at: 'end' },
  newest: { at: 'end' },
};

const help = [
  'start, end, an offset (5), records from the end (-10) or the start (+10), a time (@2h ago, @2026-01-31, @1769817600000)',
  'or a range of two with a colon: 5:10, :end, @2h:@1h',
];

/**
 * Several are put together: kcat gives the two ends of a range of time as `s@` and `e@`.
 * @throws CommandError
 */
export function parseOffsetSpecs(texts: readonly string[], nowMs: number): OffsetSpec {
  let spec: OffsetSpec = { from: { at: 'start' } };
  for (const text of texts) {
    const end = text.startsWith('e@') ? parseBound(text.slice(1), nowMs) : undefined;
    if (end !== undefined) spec = { ...spec, until: end };
    else spec = { ...spec, ...parseOffsetSpec(text.replace(/^s@/, '@'), nowMs) };
  }
  return spec;
}

/** @throws CommandError */
export function parseOffsetSpec(text: string, nowMs: number): OffsetSpec {
  const whole = parseBound(text, nowMs);
  if (whole !== undefined) return { from: whole };
  // A time may hold colons itself, so every colon is tried.
  for (let colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
    const [left, right] = [text.slice(0, colon), text.slice(colon + 1)];
    const from = left === '' ? words['start'] : parseBound(left, nowMs);
    const until =
      right === '' ? undefined : (parseBound(right, nowMs) ?? (left.startsWith('@') ? parseBound(`@${right}`, nowMs) : undefined));
    if (from !== undefined && (until !== undefined || right === '')) return until === undefined ? { from } : { from, until };
  }
  throw usageError(`-o: '${text}' is no place in a topic`, ...help);
}

function parseBound(text: string, nowMs: number): Bound | undefined {
  const word = Object.hasOwn(words, text) ? words[text] : undefined;
  if (word !== undefined) return word;
  if (/^\d{1,15}$/.test(text)) return { at: 'offset', offset: Number(text) };
  if (/^-\d{1,15}$/.test(text)) return { at: 'before end', count: Number(text.slice(1)) };
  if (/^\+\d{1,15}$/.test(text)) return { at: 'after start', count: Number(text.slice(1)) };
  const timestampMs = text.startsWith('@') ? parseTime(text.slice(1), nowMs) : undefined;
  return timestampMs === undefined ? undefined : { at: 'time', timestampMs };
}

/** Milliseconds (13 digits) or seconds (10 digits) since 1970, a date, an ISO time, or a duration ago. */
export function parseTime(text: string, nowMs: number, flag = '-o'): number | undefined {
  if (/^\d{13}$/.test(text)) return Number(text);
  if (/^\d{10}$/.test(text)) return Number(text) * 1000;
  if (/^-?\d+(\.\d+)?(ms|s|m|min|h|d|w)$/.test(text)) return nowMs - parseDuration(flag, text.replace(/^-/, ''));
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)) return undefined;
  const timestampMs = Date.parse(text);
  return Number.isNaN(timestampMs) ? undefined : timestampMs;
}

export interface PartitionRange extends TopicPartition {
  readonly from: number;
  readonly until: number | undefined;
  /** The log's own ends when the command began. */
  readonly logStartOffset: number;
  readonly endOffset: number;
  /** Set when the place asked for lies outside the log and the nearest one was taken instead. */
  readonly moved: { readonly asked: number } | undefined;
}

/** What the spec means in each partition. `stopAtEnd` ends at the end as it is now where the spec goes on for ever. */
export async function resolveRanges(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  spec: OffsetSpec,
  { isolation, stopAtEnd }: { isolation: Isolation; stopAtEnd: boolean },
): Promise<PartitionRange[]> {
  const ask = (at: 'earliest' | 'latest' | { timestampMs: number }): Promise<Map<string, number | undefined>> =>
    listOffsets(
      cluster,
      partitions.map(({ topic, partition }) => ({ topic, partition, at })),
      isolation,
    );
  const timesOf = (bound: Bound | undefined) => (bound?.at === 'time' ? ask({ timestampMs: bound.timestampMs }) : undefined);
  const [starts, ends, fromTimes, untilTimes] = await Promise.all([
    ask('earliest'),
    ask('latest'),
    timesOf(spec.from),
    timesOf(spec.until),
  ]);
  return partitions.map((partition) => {
    const key = partitionKey(partition);
    const [start, end] = [starts.get(key) ?? 0, ends.get(key) ?? 0];
    const asked = offsetOf(spec.from, start, end, fromTimes?.get(key));
    const from = Math.min(Math.max(asked, start), end);
    const until = spec.until === undefined ? (stopAtEnd ? end : undefined) : offsetOf(spec.until, start, end, untilTimes?.get(key));
    return {
      ...partition,
      from,
      until: until !== undefined && stopAtEnd ? Math.min(until, end) : until,
      logStartOffset: start,
      endOffset: end,
      moved: spec.from.at === 'offset' && from !== asked ? { asked } : undefined,
    };
  });
}

/** A time later than every record is the end. */
function offsetOf(bound: Bound, start: number, end: number, atTime: number | undefined): number {
  switch (bound.at) {
    case 'start':
      return start;
    case 'end':
      return end;
    case 'offset':
      return bound.offset;
    case 'before end':
      return Math.max(start, end - bound.count);
    case 'after start':
      return start + bound.count;
    case 'time':
    default:
      return atTime ?? end;
  }
}
