// `--to`: where a group is to read on, in our words and in those of Kafka's own tool.
import type { ResetTarget } from '../client/reset-offsets.ts';
import { usageError } from './exit-codes.ts';
import { parseTime } from './offset-spec.ts';

export interface ResetToFlags {
  readonly to?: string;
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toCurrent?: boolean;
  readonly toOffset?: string;
  readonly shiftBy?: string;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly fromFile?: string;
}

/** Offsets of another group, or in a file, are looked up before they are a target. */
export type WantedReset =
  | Exclude<ResetTarget, { to: 'offsets' }>
  | { readonly to: 'group'; readonly groupId: string }
  | { readonly to: 'file'; readonly path: string };

const words: Readonly<Record<string, WantedReset>> = {
  start: { to: 'start' },
  beginning: { to: 'start' },
  earliest: { to: 'start' },
  end: { to: 'end' },
  latest: { to: 'end' },
  current: { to: 'current' },
};

const help = [
  'start, end, current, an offset (5), so many records on or back (+10, -10), a time (@2h ago, @2026-01-31, @1769817600000)',
  "group:NAME takes another group's offsets, file:PATH those that -o csv wrote",
];

/** @throws CommandError */
export function parseResetTo(flags: ResetToFlags, nowMs: number): WantedReset {
  const given = [
    ...(flags.to === undefined ? [] : [() => parseTo(flags.to ?? '', nowMs)]),
    ...(flags.toEarliest === true ? [() => ({ to: 'start' }) as const] : []),
    ...(flags.toLatest === true ? [() => ({ to: 'end' }) as const] : []),
    ...(flags.toCurrent === true ? [() => ({ to: 'current' }) as const] : []),
    ...(flags.toOffset === undefined ? [] : [() => ({ to: 'offset', offset: integer('--to-offset', flags.toOffset ?? '') }) as const]),
    ...(flags.shiftBy === undefined ? [] : [() => ({ to: 'shift', by: integer('--shift-by', flags.shiftBy ?? '') }) as const]),
    ...(flags.toDatetime === undefined ? [] : [() => atTime(kafkaDateTime(flags.toDatetime ?? ''))]),
    ...(flags.byDuration === undefined ? [] : [() => atTime(nowMs - isoDurationMs(flags.byDuration ?? ''))]),
    ...(flags.fromFile === undefined ? [] : [() => ({ to: 'file', path: flags.fromFile ?? '' }) as const]),
  ];
  const [read, more] = given;
  if (read === undefined) throw usageError('--to says where to read on, and it is missing', ...help);
  if (more !== undefined)
    throw usageError('it is said twice where to read on', 'give one of --to and the flags of Kafka that say the same');
  return read();
}

const atTime = (timestampMs: number): WantedReset => ({ to: 'time', timestampMs });

function parseTo(text: string, nowMs: number): WantedReset {
  const word = Object.hasOwn(words, text) ? words[text] : undefined;
  if (word !== undefined) return word;
  if (/^\d{1,15}$/.test(text)) return { to: 'offset', offset: Number(text) };
  if (/^[+-]\d{1,15}$/.test(text)) return { to: 'shift', by: Number(text) };
  const timestampMs = text.startsWith('@') ? parseTime(text.slice(1), nowMs, '--to') : undefined;
  if (timestampMs !== undefined) return { to: 'time', timestampMs };
  const [, kind, name] = /^(group|file):(.+)$/s.exec(text) ?? [];
  if (kind === 'group' && name !== undefined) return { to: 'group', groupId: name };
  if (kind === 'file' && name !== undefined) return { to: 'file', path: name };
  throw usageError(`--to: '${text}' is no place to read on`, ...help);
}

function integer(flag: string, text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text)) throw usageError(`${flag} takes a number, not '${text}'`);
  return Number(text);
}

/** Kafka takes a time without a zone for UTC. */
function kafkaDateTime(text: string): number {
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const timestampMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(timestampMs)) throw usageError(`--to-datetime takes a time such as 2026-01-31T10:00:00.000, not '${text}'`);
  return timestampMs;
}

function isoDurationMs(text: string): number {
  const [all, days = '0', hours = '0', minutes = '0', seconds = '0'] =
    /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,3})?)S)?)?$/.exec(text) ?? [];
  if (all === undefined || !/\d/.test(text)) throw usageError(`--by-duration takes a duration such as PT1H30M or P2D, not '${text}'`);
  return Math.round(((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000);
}
