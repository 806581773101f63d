// Waits for records to come, and says what came instead when they do not: the report is what a failed test shows.
import type { Env } from '../base/env.ts';
import type { StoredRecord, WaitOptions } from './api.ts';
import { BrokerStoppedError, InvalidArgumentError, RecordsNotSeenError } from './errors.ts';
import { readRecords, type Reading } from './read.ts';
import { describeRecord } from './record.ts';
import { whatTopicsThereAre } from './refusal.ts';

/** vitest and jest give a test up after 5000: the report has to come before that. */
const DEFAULT_TIMEOUT_MS = 4_000;
/** Records that a report shows. */
const SHOWN_RECORDS = 10;
const SHOWN_TOPICS = 20;
const SHOWN_CONDITION_CHARACTERS = 200;

export async function waitForRecords(
  reading: Reading,
  env: Pick<Env, 'timer'>,
  topic: string,
  options: WaitOptions,
): Promise<StoredRecord[]> {
  const { count = 1, where, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError(`count is a number of records, not ${String(count)}`);
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) throw new InvalidArgumentError(`timeoutMs is a time, not ${String(timeoutMs)}`);
  const matched: StoredRecord[] = [];
  const lastSeen: StoredRecord[] = [];
  let seen = 0;
  if (count === 0) return matched;
  const deadline = new AbortController();
  using _ = env.timer(timeoutMs, () => deadline.abort());
  for await (const record of readRecords(reading, topic, { follow: true, awaitTopic: true, signal: deadline.signal })) {
    seen += 1;
    lastSeen.push(record);
    if (lastSeen.length > SHOWN_RECORDS) lastSeen.shift();
    if (where !== undefined && !where(record)) continue;
    matched.push(record);
    if (matched.length === count) return matched;
  }
  const ended = reading.ended.aborted;
  const report = describe({ reading, topic, count, where, seen, matched, lastSeen, waited: ended ? undefined : timeoutMs });
  if (ended) throw new BrokerStoppedError(report);
  throw new RecordsNotSeenError(report, { topic, expected: count, matched, lastSeen });
}

function describe(what: {
  reading: Reading;
  topic: string;
  count: number;
  where: WaitOptions['where'];
  seen: number;
  matched: readonly StoredRecord[];
  lastSeen: readonly StoredRecord[];
  waited: number | undefined;
}): string {
  const { reading, topic, count, where, seen, matched, lastSeen, waited } = what;
  const { topics } = reading.broker.image;
  const wanted = `${count} ${count === 1 ? 'record' : 'records'}${where === undefined ? '' : ' that match'} in '${topic}'`;
  const when = waited === undefined ? `the broker stopped while ${wanted} were waited for` : `waited ${waited} ms for ${wanted}`;
  const lines = [`${when}: ${matched.length} of ${count} came`];
  if (where !== undefined) lines.push(`  condition  ${oneLine(where.toString())}`);
  if (!topics.has(topic)) lines.push(`  topic      there is no topic '${topic}'. ${whatTopicsThereAre(topics, topic)}`);
  lines.push(...namedLines('topics', topicLines(reading)));
  if (seen > 0)
    lines.push(
      `  seen       ${seen} ${seen === 1 ? 'record' : 'records'} of '${topic}'${seen > lastSeen.length ? `, the last ${lastSeen.length}:` : ':'}`,
    );
  for (const record of lastSeen) lines.push(`    ${matched.includes(record) ? '+' : '-'} ${describeRecord(record)}`);
  return lines.join('\n');
}

function topicLines({ broker: { image, partitions } }: Reading): string[] {
  const lines = [...image.topics.values()].slice(0, SHOWN_TOPICS).map((topic) => {
    const ends = topic.partitions.map(({ index }) => {
      const { logStartOffset, highWatermark, lastStableOffset } = partitions.ledHere(topic, index);
      const open = highWatermark - lastStableOffset;
      return `${index}: ${logStartOffset}..${highWatermark}${open > 0 ? ` (${open} of them not committed)` : ''}`;
    });
    const shownEnds = ends.length > SHOWN_TOPICS ? [...ends.slice(0, SHOWN_TOPICS), '…'] : ends;
    return `${topic.name} (offsets by partition ${shownEnds.join(', ')})`;
  });
  if (image.topics.size > SHOWN_TOPICS) lines.push(`and ${image.topics.size - SHOWN_TOPICS} more`);
  return lines;
}

const namedLines = (name: string, lines: readonly string[]): string[] =>
  lines.map((line, index) => `  ${(index === 0 ? name : '').padEnd(11)}${line}`);

function oneLine(source: string): string {
  const text = source.replaceAll(/\s+/g, ' ');
  return text.length > SHOWN_CONDITION_CHARACTERS ? `${text.slice(0, SHOWN_CONDITION_CHARACTERS)}…` : text;
}
