// A record as programs see it: the shape that `consume` prints and `produce --json` reads, so that what one wrote the
// other takes. Bytes that are no text are base64 and say so beside them.
import { isUtf8 } from 'node:buffer';
import type { RecordToSend } from '../client/producer.ts';
import type { TimestampType } from '../protocol/record-batch.ts';
import type { KafkaRecord } from '../protocol/record-batch-records.ts';

export interface LocatedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestampType: TimestampType;
  readonly record: KafkaRecord;
}

/** See docs/cli.md, "Records as JSON". */
export function recordJson({ topic, partition, timestampType, record }: LocatedRecord): Record<string, unknown> {
  return {
    topic,
    partition,
    offset: record.offset,
    timestamp: record.timestamp,
    timestampType,
    ...bytesJson('key', record.key),
    ...bytesJson('value', record.value),
    headers: record.headers.map(({ key, value }) => ({ key, ...bytesJson('value', value) })),
  };
}

function bytesJson(name: 'key' | 'value', bytes: Buffer | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  return isUtf8(bytes) ? { [name]: bytes.toString() } : { [name]: bytes.toString('base64'), [`${name}Encoding`]: 'base64' };
}

/**
 * A record from a line of JSON: `key`, `value`, `headers`, `partition`, `timestamp`; whatever else a consumer wrote is passed
 * over. A value that is no text is sent as the JSON it is; null is a tombstone.
 * @throws Error saying what is wrong with the line
 */
export function recordFromJson(line: string): RecordToSend {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (thrown) {
    throw new Error(`it is not JSON: ${thrown instanceof Error ? thrown.message : ''}`, { cause: thrown });
  }
  if (!isObject(parsed)) throw new Error('it is not a JSON object such as {"key":"a","value":"b"}');
  const { partition, timestamp } = parsed;
  if (partition !== undefined && (!Number.isInteger(partition) || Number(partition) < 0))
    throw new Error('its partition is not a number from 0 on');
  const timestampMs = typeof timestamp === 'string' ? Date.parse(timestamp) : timestamp;
  if (timestamp !== undefined && !Number.isSafeInteger(timestampMs))
    throw new Error('its timestamp is neither milliseconds since 1970 nor an ISO time');
  return {
    key: bytesFrom(parsed, 'key'),
    value: bytesFrom(parsed, 'value'),
    headers: headersFrom(parsed['headers']),
    ...(partition !== undefined && { partition: Number(partition) }),
    ...(timestamp !== undefined && { timestamp: Number(timestampMs) }),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function bytesFrom(source: Record<string, unknown>, name: 'key' | 'value'): Buffer | null {
  const content = source[name];
  if (content === undefined || content === null) return null;
  const encoding = source[`${name}Encoding`];
  if (encoding !== undefined && encoding !== 'base64') throw new Error(`its ${name}Encoding is not base64`);
  if (encoding === 'base64') {
    if (typeof content !== 'string') throw new Error(`its ${name} is not base64`);
    return Buffer.from(content, 'base64');
  }
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
}

function headersFrom(headers: unknown): { key: string; value: Buffer | null }[] {
  if (headers === undefined || headers === null) return [];
  if (isObject(headers)) return Object.keys(headers).map((key) => ({ key, value: bytesFrom({ value: headers[key] }, 'value') }));
  if (!Array.isArray(headers)) throw new Error('its headers are neither a list nor an object');
  return headers.map((header: unknown) => {
    if (!isObject(header) || typeof header['key'] !== 'string') throw new Error('one of its headers has no key');
    return { key: header['key'], value: bytesFrom(header, 'value') };
  });
}
