// `bucketrider tail`: follows topics from their end, for a person at a terminal: several topics interleaved by time, keys
// and values told apart by colour.
import type { GlobalFlags } from './client-flags.ts';
import { formatWriter, shown, type RecordWriter } from './consume.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { resolveRanges, type PartitionRange } from './offset-spec.ts';
import { written } from './output.ts';
import { compileFormat } from './record-format.ts';
import { recordJson, type LocatedRecord } from './record-json.ts';
import { isolationOf, partitionsOf, readRecords, type ReadFlags } from './record-reader.ts';
import { withCluster, type Session } from './with-cluster.ts';

export interface TailFlags extends GlobalFlags, ReadFlags {
  readonly num?: string;
  readonly format?: string;
  readonly output?: string;
}

/** What arrives within so long is put in the order of its timestamps. */
const INTERLEAVE_MS = 30;
/** More than a person reads in that time: written without waiting for it. */
const MOST_HELD = 1000;
const MOST_HELD_BYTES = 1024 * 1024;

export function tail(words: readonly string[], flags: TailFlags): Promise<number> {
  const backlog = backlogOf(flags.num);
  const writer = writerOf(flags);
  return withCluster(flags, async (session) => {
    const isolation = isolationOf(flags, session);
    const partitions = await partitionsOf(session.cluster, words, flags);
    const from = { at: 'before end', count: backlog } as const;
    const ranges = await resolveRanges(session.cluster, partitions, { from }, { isolation, stopAtEnd: false });
    if (backlog > 0) writer.write(await lastRecords(session, ranges, backlog, isolation));
    await written(session.interrupted);
    if (process.stderr.isTTY) session.say(`following ${words.join(', ')}; Ctrl-C ends it`);
    await follow(
      readRecords(
        session,
        ranges.map(({ topic, partition, endOffset }) => ({ topic, partition, from: endOffset })),
        isolation,
      ),
      writer,
      session.interrupted,
    );
    return exitCodes.ok;
  });
}

function backlogOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,6}$/.test(text)) throw usageError(`-n takes a number of records, not '${text}'`);
  return Number(text);
}

/** The last `count` of all partitions together. */
async function lastRecords(session: Session, ranges: readonly PartitionRange[], count: number, isolation: ReturnType<typeof isolationOf>) {
  const found: LocatedRecord[] = [];
  const assignments = ranges.map(({ topic, partition, from, endOffset }) => ({ topic, partition, from, until: endOffset }));
  for await (const records of readRecords(session, assignments, isolation)) for (const one of records) found.push(one);
  return found.toSorted(byTime).slice(-count);
}

const byTime = (a: LocatedRecord, b: LocatedRecord): number => a.record.timestamp - b.record.timestamp;

/** Nothing more is read while what was written waits for whoever reads it. */
async function follow(batches: AsyncGenerator<LocatedRecord[], void, void>, writer: RecordWriter, interrupted: AbortSignal): Promise<void> {
  let held: LocatedRecord[] = [];
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const release = (): void => {
    clearTimeout(timer);
    timer = undefined;
    writer.write(held.toSorted(byTime));
    held = [];
    heldBytes = 0;
  };
  try {
    for await (const records of batches) {
      for (const located of records) {
        held.push(located);
        heldBytes += (located.record.key?.length ?? 0) + (located.record.value?.length ?? 0);
      }
      if (held.length >= MOST_HELD || heldBytes >= MOST_HELD_BYTES) release();
      else timer ??= setTimeout(release, INTERLEAVE_MS);
      await written(interrupted);
    }
  } finally {
    release();
  }
}

function writerOf({ format, output = 'text' }: TailFlags): RecordWriter {
  if (output !== 'text' && output !== 'jsonl') throw usageError(`-o takes text or jsonl, not '${output}'`);
  if (output === 'jsonl') return formatWriter((located) => `${JSON.stringify(recordJson(located))}\n`);
  if (format !== undefined) return formatWriter(compileFormat(format));
  const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  return formatWriter((located) => lineOf(located, colours ? inColour : plain));
}

type Paint = (kind: 'dim' | 'key' | 'value', text: string) => string;

const plain: Paint = (_kind, text) => text;
const inColour: Paint = (kind, text) => (kind === 'value' ? text : `\u001b[${kind === 'dim' ? 2 : 36}m${text}\u001b[0m`);

function lineOf({ topic, partition, record }: LocatedRecord, paint: Paint): string {
  const { key, value, headers } = record;
  const parts = [
    paint('dim', `${clockTime(record.timestamp)} ${topic}/${partition}@${record.offset}`),
    ...(key === null ? [] : [paint('key', shown(key))]),
    value === null ? paint('dim', '(tombstone)') : paint('value', shown(value)),
    ...headers.map((header) => paint('dim', `${header.key}=${shown(header.value)}`)),
  ];
  return `${parts.join('  ')}\n`;
}

/** Local time of day, with the day before it where that is not today. */
function clockTime(timestampMs: number): string {
  if (timestampMs < 0) return '-';
  const time = new Date(timestampMs);
  const two = (part: number): string => String(part).padStart(2, '0');
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
  const today = new Date().toDateString() === time.toDateString();
  return today ? clock : `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}
