// Records as a program gives and gets them: what may be given in several forms becomes bytes here, and bytes become text
// or JSON again when somebody asks. Where records go is decided in produce.ts and read.ts.
import type { KafkaRecord, RecordToWrite } from '../protocol/record-batch-records.ts';
import type { RecordFields, RecordHeader, RecordInput, StoredRecord } from './api.ts';
import { InvalidArgumentError } from './errors.ts';

/** A record to produce, in bytes. */
export interface OutgoingRecord extends RecordToWrite {
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  /** Undefined: by the key. */
  readonly partition: number | undefined;
}

/** @throws InvalidArgumentError when the input is none */
export function outgoingRecord(input: RecordInput, nowMs: number): OutgoingRecord {
  if (typeof input === 'string' || isBytes(input))
    return { key: null, value: bytesOf(input, 'a value'), timestamp: nowMs, partition: undefined };
  if (typeof input !== 'object' || input === null)
    throw new InvalidArgumentError(`a record is a string, bytes, or an object with key, value and so on, not ${typeof input}`);
  const { key = null, headers = {}, partition } = input;
  return {
    key: bytesOf(key, 'a key'),
    value: valueOf(input),
    headers: Object.entries(headers).map(([name, value]) => ({ key: name, value: bytesOf(value, `header ${name}`) })),
    timestamp: timestampOf(input, nowMs),
    partition,
  };
}

function valueOf({ value, json }: RecordFields): Uint8Array | null {
  if (json === undefined) return bytesOf(value ?? null, 'a value');
  if (value !== undefined) throw new InvalidArgumentError('a record has either value or json, not both');
  const text: unknown = JSON.stringify(json);
  if (typeof text !== 'string') throw new InvalidArgumentError(`json of a record is what JSON can say, not ${typeof json}`);
  return Buffer.from(text);
}

function bytesOf(given: string | Uint8Array | null, what: string): Uint8Array | null {
  if (given === null) return null;
  if (typeof given === 'string') return Buffer.from(given);
  // A copy, since the caller may use its buffer again at once.
  if (isBytes(given)) return Buffer.from(given);
  throw new InvalidArgumentError(
    `${what} is a string, bytes or null, not ${typeof given}`,
    what === 'a value' ? 'An object goes into json: { json: { … } }.' : undefined,
  );
}

/** Not `instanceof`: test runners have a Uint8Array of their own, and Node's buffers are none of those. */
const isBytes = (given: unknown): given is Uint8Array =>
  ArrayBuffer.isView(given) && Object.prototype.toString.call(given) === '[object Uint8Array]';

function timestampOf({ timestamp }: RecordFields, nowMs: number): number {
  if (timestamp === undefined) return nowMs;
  const ms = typeof timestamp === 'number' ? timestamp : timestamp.getTime();
  if (!Number.isSafeInteger(ms) || ms < 0) throw new InvalidArgumentError(`${String(timestamp)} is no timestamp: milliseconds since 1970`);
  return ms;
}

/** How much of a value a report shows. */
const SHOWN_CHARACTERS = 300;

export class LogRecord implements StoredRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];

  /** Copies what it keeps: the log's memory is not the caller's, to change or to hold on to. */
  constructor(topic: string, partition: number, record: KafkaRecord) {
    this.topic = topic;
    this.partition = partition;
    this.offset = record.offset;
    this.timestamp = record.timestamp;
    this.key = copyOf(record.key);
    this.value = copyOf(record.value);
    this.headers = record.headers.map(({ key, value }) => ({ key, value: copyOf(value) }));
  }

  text(): string | null {
    return this.value === null ? null : this.value.toString();
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it expects, as with `as`
  json<Value = unknown>(): Value {
    return (this.value === null ? null : JSON.parse(this.value.toString())) as Value;
  }

  header(name: string): string | null | undefined {
    const found = this.headers.findLast(({ key }) => key === name);
    return found === undefined ? undefined : (found.value?.toString() ?? null);
  }

  toJSON(): Record<string, unknown> {
    const { topic, partition, offset, timestamp, key } = this;
    return {
      topic,
      partition,
      offset,
      timestamp,
      key: key === null ? null : key.toString(),
      value: this.text(),
      headers: this.headers.map(({ key, value }) => [key, value === null ? null : value.toString()]),
    };
  }

  /** console.log and the reports of node:test show text instead of bytes. */
  [Symbol.for('nodejs.util.inspect.custom')](): Record<string, unknown> {
    return this.toJSON();
  }
}

const copyOf = (bytes: Buffer | null): Buffer | null => (bytes === null ? null : Buffer.from(bytes));

/** One line: `orders-2@41 2026-01-05T10:00:00.000Z key "a" value "{…}"`. */
export function describeRecord(record: StoredRecord): string {
  const at = new Date(record.timestamp);
  const when = record.timestamp >= 0 && !Number.isNaN(at.getTime()) ? at.toISOString() : 'without a time';
  const key = record.key === null ? '' : ` key ${shown(record.key.toString())}`;
  const value = record.value === null ? 'no value' : `value ${shown(record.value.toString())}`;
  return `${record.topic}-${record.partition}@${record.offset} ${when}${key} ${value}`;
}

/** Text in quotes, JSON as it is. */
function shown(text: string): string {
  const begin = text.slice(0, SHOWN_CHARACTERS);
  const whole = /^[{[][\x20-\x7e]*$/.test(begin) ? begin : JSON.stringify(begin);
  return text.length > SHOWN_CHARACTERS ? `${whole}… (${text.length} characters)` : whole;
}
