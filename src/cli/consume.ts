// `bucketrider consume`: records of topics, from a place to a place or for ever, written as values, by a format, or as JSON.
// With -g as a member of a group, which is in consume-group.ts.
import type { GlobalFlags } from './client-flags.ts';
import { consumeInGroup, readGroupFlags, type GroupFlags, type GroupPlan } from './consume-group.ts';
import { exitCodes, usageError } from './exit-codes.ts';
import { parseOffsetSpecs, resolveRanges, type OffsetSpec, type PartitionRange } from './offset-spec.ts';
import { written } from './output.ts';
import { compileFormat, isoTime } from './record-format.ts';
import { recordJson, type LocatedRecord } from './record-json.ts';
import { isolationOf, partitionsOf, readRecords, type ReadFlags } from './record-reader.ts';
import { withCluster, type Session } from './with-cluster.ts';

export interface ConsumeFlags extends GlobalFlags, ReadFlags, GroupFlags {
  readonly offset?: readonly string[];
  readonly fromBeginning?: boolean;
  readonly num?: string;
  readonly maxMessages?: string;
  readonly exit?: boolean;
  readonly format?: string;
  readonly output?: string;
  readonly jsonl?: boolean;
}

const formats = ['value', 'table', 'json', 'jsonl'] as const;
type ConsumeFormat = (typeof formats)[number];
const isFormat = (text: string): text is ConsumeFormat => (formats as readonly string[]).includes(text);

/** Writes records one after the other; `end` closes what has to be closed. */
export interface RecordWriter {
  write(records: readonly LocatedRecord[]): void;
  end(): void;
}

export function consume(words: readonly string[], flags: ConsumeFlags): Promise<number> {
  // -o names a place, as with kcat and rpk, and an output format, as everywhere else: no word means both.
  const given = flags.offset ?? [];
  const places = given.filter((text) => !isFormat(text));
  if (flags.fromBeginning === true && places.length > 0)
    throw usageError('--from-beginning and -o both say where to begin; give one of them');
  const spec = parseOffsetSpecs(places, Date.now());
  const writer = writerOf(flags, given.findLast(isFormat));
  const most = countOf(flags.num ?? flags.maxMessages);
  if (flags.group !== undefined) {
    const plan = readGroupFlags(flags.group, flags);
    return readInGroup(plan, words, { flags, writer, most, begin: beginOf(spec, flags) });
  }
  return withCluster(flags, async (session) => {
    const isolation = isolationOf(flags, session);
    const partitions = await partitionsOf(session.cluster, words, flags);
    const ranges = await resolveRanges(session.cluster, partitions, spec, { isolation, stopAtEnd: flags.exit ?? false });
    sayWhatMoved(ranges, session);
    if (ranges.some(({ until }) => until === undefined) && process.stderr.isTTY && most === Infinity)
      session.say('waiting for records; Ctrl-C ends it');
    let left = most;
    try {
      if (left > 0)
        for await (const records of readRecords(session, ranges.map(assignmentOf), isolation)) {
          writer.write(records.slice(0, left));
          left -= Math.min(left, records.length);
          if (left === 0) break;
          await written(session.interrupted);
        }
    } finally {
      writer.end();
    }
    return exitCodes.ok;
  });
}

interface GroupRun {
  readonly flags: ConsumeFlags;
  readonly writer: RecordWriter;
  readonly most: number;
  readonly begin: 'earliest' | 'latest';
}

function readInGroup(plan: GroupPlan, topics: readonly string[], { flags, writer, most, begin }: GroupRun): Promise<number> {
  return withCluster(
    flags,
    (session) => {
      const isolation = isolationOf(flags, session);
      return consumeInGroup(plan, topics, { begin, stopAtEnd: flags.exit ?? false, most, isolation, writer }, session);
    },
    { endsItself: true }, // it has to leave its group
  );
}

/** Where a group begins that has committed nothing. @throws CommandError for what only a reader without a group can do */
function beginOf({ from, until }: OffsetSpec, { partition }: ConsumeFlags): 'earliest' | 'latest' {
  if (partition !== undefined) throw usageError('the group says which partitions are read, so -p cannot go with -g');
  if (until !== undefined || (from.at !== 'start' && from.at !== 'end'))
    throw usageError(
      'a group reads on where it has read to; with -g, -o start or -o end says where it begins the first time',
      'bucketrider group reset says where a group reads on',
    );
  return from.at === 'start' ? 'earliest' : 'latest';
}

const assignmentOf = ({ topic, partition, from, until }: PartitionRange) => ({
  topic,
  partition,
  from,
  ...(until !== undefined && { until }),
});

function countOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (!/^\d{1,15}$/.test(text)) throw usageError(`-n takes a number of records, not '${text}'`);
  return Number(text);
}

function sayWhatMoved(ranges: readonly PartitionRange[], { say }: Session): void {
  for (const { topic, partition, moved, from, logStartOffset, endOffset } of ranges)
    if (moved !== undefined)
      say(
        `bucketrider: ${topic}/${partition} has offsets ${logStartOffset} to ${endOffset}, not ${moved.asked}; reading begins at ${from}`,
      );
}

function writerOf({ format, output, jsonl }: ConsumeFlags, word: ConsumeFormat | undefined): RecordWriter {
  const name = jsonl === true ? 'jsonl' : (output ?? word);
  if (name !== undefined && !isFormat(name)) throw usageError(`--output takes one of ${formats.join(', ')}, not '${name}'`);
  if (name !== undefined && format !== undefined) throw usageError('-f and --output both say how a record is written; give one of them');
  if (name === 'json') return jsonListWriter();
  if (name === 'jsonl') return formatWriter((located) => `${JSON.stringify(recordJson(located))}\n`);
  if (name === 'table') return tableWriter();
  return formatWriter(compileFormat(format ?? '%v\\n'));
}

/** One write for each batch of records. */
export function formatWriter(format: (located: LocatedRecord, count: number) => Buffer | string): RecordWriter {
  let count = 0;
  return {
    write: (records) => {
      const pieces = records.map((located) => Buffer.from(format(located, (count += 1))));
      if (pieces.length > 0) process.stdout.write(Buffer.concat(pieces));
    },
    end: () => undefined,
  };
}

/** One JSON document, written as the records come. */
function jsonListWriter(): RecordWriter {
  let opening = '[\n';
  return {
    write: (records) => {
      for (const located of records) {
        process.stdout.write(`${opening}  ${JSON.stringify(recordJson(located))}`);
        opening = ',\n';
      }
    },
    end: () => void process.stdout.write(opening === '[\n' ? '[]\n' : '\n]\n'),
  };
}

/** The widths are guesses: records come before all of them are known. */
function tableWriter(): RecordWriter {
  const line = (cells: readonly (string | number)[]): string =>
    `${cells
      .map((cell, index) => String(cell).padEnd([16, 9, 9, 24, 12, 0][index] ?? 0))
      .join('  ')
      .trimEnd()}\n`;
  process.stdout.write(line(['TOPIC', 'PARTITION', 'OFFSET', 'TIME', 'KEY', 'VALUE']));
  return formatWriter(({ topic, partition, record }) =>
    line([topic, partition, record.offset, isoTime(record.timestamp), shown(record.key), shown(record.value)]),
  );
}

/** Fit for one line of a terminal. */
export function shown(bytes: Buffer | null): string {
  if (bytes === null) return '-';
  // oxlint-disable-next-line eslint/no-control-regex -- control characters are what must not reach a terminal
  return bytes.toString().replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (letter) => JSON.stringify(letter).slice(1, -1));
}
