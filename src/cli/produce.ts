// `bucketrider produce`: lines of standard input become records. Says on standard error how far it is and how it ended,
// and on standard output, when asked, where the records went.
import { makeCompute } from '../base/real/compute.ts';
import { Producer, topicToProduceTo, type Acks, type Delivery, type FailedDelivery, type RecordToSend } from '../client/producer.ts';
import type { TopicMetadata } from '../client/cluster.ts';
import type { RecordCodec } from '../protocol/compression.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { GlobalFlags } from './client-flags.ts';
import { CommandError, exitCodes, usageError } from './exit-codes.ts';
import { formatDocument, write } from './output.ts';
import { ProduceReport } from './produce-report.ts';
import { unescape } from './record-format.ts';
import { recordFromJson } from './record-json.ts';
import { missingTopic } from './record-reader.ts';
import { failureOf, reportFailure } from './report-failure.ts';
import { splitInput } from './split-input.ts';
import { withCluster, type Session } from './with-cluster.ts';

export interface ProduceFlags extends GlobalFlags {
  readonly key?: string;
  readonly keyDelimiter?: string;
  readonly header?: readonly string[];
  readonly partition?: string;
  readonly compression?: string;
  readonly json?: boolean;
  readonly tombstone?: boolean;
  readonly delimiter?: string;
  readonly acks?: string;
  readonly output?: string;
}

type MakeRecord = (line: Buffer) => RecordToSend;

const codecs: readonly RecordCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const acksByName: Readonly<Record<string, Acks>> = { all: -1, '-1': -1, '1': 1, '0': 0 };
const outputs = ['json', 'jsonl'] as const;

export function produce([name = '', ...others]: readonly string[], flags: ProduceFlags): Promise<number> {
  if (others.length > 0)
    throw usageError(`produce takes one topic, and the records from standard input; '${others[0] ?? ''}' is one word too many`);
  const makeRecord = recordMaker(flags);
  const delimiter = unescape(flags.delimiter ?? '\n');
  if (delimiter.length === 0) throw usageError('-D takes at least one letter');
  const output = outputs.find((one) => one === flags.output);
  if (flags.output !== undefined && output === undefined) throw usageError(`-o takes json or jsonl, not '${flags.output}'`);
  return withCluster(
    flags,
    async (session) => {
      const acks = acksOf(flags, session);
      const codec = codecOf(flags, session);
      const topic = await findTopic(name, flags, session);
      const report = new ProduceReport(topic.name, {
        jsonl: output === 'jsonl',
        progress: flags.quiet !== true && process.stderr.isTTY && !process.stdin.isTTY,
      });
      const producer = await Producer.open({
        cluster: session.cluster,
        compute: makeCompute(),
        topic,
        acks,
        codec,
        onDelivered: (delivery: Delivery) => report.delivered(delivery),
        onFailed: (failure: FailedDelivery) => report.failed(failure),
      });
      if (process.stdin.isTTY) session.say('one record a line; Ctrl-D ends it');
      await sendInput(producer, makeRecord, delimiter, report, session);
      await producer.flush();
      report.endProgress();
      session.say(report.summaryLine());
      if (output === 'json') write(formatDocument(report.summaryJson(), 'json'));
      return endOf(report, session);
    },
    { endsItself: true },
  );
}

/** Until the input ends, a line is none, a record is refused, or somebody interrupts. */
async function sendInput(
  producer: Producer,
  makeRecord: MakeRecord,
  delimiter: Buffer,
  report: ProduceReport,
  { interrupted }: Session,
): Promise<void> {
  const stop = (): void => void process.stdin.destroy();
  interrupted.addEventListener('abort', stop);
  let lineNumber = 0;
  try {
    for await (const lines of splitInput(process.stdin, delimiter)) {
      for (const line of lines) {
        lineNumber += 1;
        try {
          const full = producer.send(makeRecord(line));
          if (full !== undefined) await full;
        } catch (thrown) {
          report.badInput = new CommandError(
            exitCodes.failure,
            'bad-input',
            `line ${lineNumber} of the input: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
          );
          return;
        }
      }
      if (report.firstFailure !== undefined) return;
    }
  } catch (thrown) {
    if (!interrupted.aborted) throw thrown;
  } finally {
    interrupted.removeEventListener('abort', stop);
    process.stdin.destroy(); // whoever feeds us learns that no more is read
  }
}

async function findTopic(name: string, { partition }: ProduceFlags, { cluster, say }: Session): Promise<TopicMetadata> {
  try {
    const { topic, created } = await topicToProduceTo(cluster, name);
    if (created) say(`bucketrider: the topic ${name} was not there; the broker made it`);
    if (partition !== undefined && !topic.partitions.some((one) => one.partition === Number(partition)))
      throw new CommandError(exitCodes.notFound, 'partition-not-found', `${name} has no partition ${partition}`, {
        fix: [`it has ${topic.partitions.length}, counted from 0; bucketrider topic add-partitions makes more`],
      });
    return topic;
  } catch (thrown) {
    throw thrown instanceof KafkaError ? missingTopic(name, thrown) : thrown;
  }
}

function endOf(report: ProduceReport, { flags }: Session): number {
  const problem = report.badInput ?? report.firstFailure;
  if (problem === undefined) return exitCodes.ok;
  const failure = failureOf(problem);
  const exitCode = report.deliveredRecords > 0 ? exitCodes.partlyFailed : failure.exitCode;
  reportFailure({ ...failure, message: report.failureMessage(problem), exitCode }, { json: flags.jsonErrors ?? false });
  return exitCode;
}

function recordMaker({ key, keyDelimiter, header, partition, json, tombstone }: ProduceFlags): MakeRecord {
  if (partition !== undefined && !/^\d{1,9}$/.test(partition)) throw usageError(`-p takes the number of a partition, not '${partition}'`);
  if (key !== undefined && keyDelimiter !== undefined)
    throw usageError('-k gives every record the same key, -K takes it from each line; give one of them');
  if (json === true && (key !== undefined || keyDelimiter !== undefined))
    throw usageError('with --json the key stands in each line; -k and -K cannot go with it');
  const common = {
    headers: (header ?? []).map(parseHeader),
    ...(partition !== undefined && { partition: Number(partition) }),
  };
  const valueOf = (bytes: Buffer): Buffer | null => (bytes.length === 0 && tombstone === true ? null : bytes);
  if (json === true)
    return (line) => {
      const record = recordFromJson(line.toString());
      return { ...common, ...record, headers: [...common.headers, ...(record.headers ?? [])] };
    };
  if (keyDelimiter === undefined) {
    const fixedKey = key === undefined ? null : unescape(key);
    return (line) => ({ ...common, key: fixedKey, value: valueOf(line) });
  }
  const delimiter = unescape(keyDelimiter);
  if (delimiter.length === 0) throw usageError('-K takes at least one letter');
  return (line) => {
    const at = line.indexOf(delimiter);
    if (at < 0) return { ...common, key: null, value: valueOf(line) };
    return { ...common, key: line.subarray(0, at), value: valueOf(line.subarray(at + delimiter.length)) };
  };
}

/** `name=value`, or `name` alone for a header without a value. */
function parseHeader(text: string): { key: string; value: Buffer | null } {
  const equals = text.indexOf('=');
  if (equals === 0 || text === '') throw usageError(`-H takes name=value, not '${text}'`);
  return equals < 0 ? { key: text, value: null } : { key: text.slice(0, equals), value: Buffer.from(text.slice(equals + 1)) };
}

function acksOf({ acks }: ProduceFlags, { settings }: Session): Acks {
  const text = acks ?? settings.properties.get('acks') ?? 'all';
  const known = Object.hasOwn(acksByName, text) ? acksByName[text] : undefined;
  if (known === undefined) throw usageError(`--acks takes all, 1 or 0, not '${text}'`);
  return known;
}

function codecOf({ compression }: ProduceFlags, { settings }: Session): RecordCodec {
  const text = compression ?? settings.properties.get('compression.type') ?? 'none';
  const known = codecs.find((codec) => codec === text);
  if (known === undefined) throw usageError(`-z takes one of ${codecs.join(', ')}, not '${text}'`);
  return known;
}
