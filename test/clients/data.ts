// The bytes the clients write and expect back. Every record follows from a seed and an index, by SHA-256 alone, so that
// a suite in any language makes the same ones (test/clients/python/data.py is the twin of this file).
import { createHash } from 'node:crypto';

const seed = process.env['SEED'] ?? 'bucketrider';

/** What a client hands over. `headers` keep their order and may repeat a name. */
export interface RecordToSend {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: readonly (readonly [name: string, value: Buffer | null])[];
  /** Milliseconds since 1970; the client's own clock when absent. */
  readonly timestampMs?: number;
}

/** What a client gives back. */
export interface ReadRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** `count` bytes that no codec can shorten. */
export function bytesAt(index: number, count: number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 0; block * 32 < count; block += 1) blocks.push(digest(`${seed}:${index}:${block}`));
  return Buffer.concat(blocks).subarray(0, count);
}

/** A record whose key names its index and whose value is 68 to 128 bytes of hexadecimal digits. */
export function recordAt(index: number): RecordToSend {
  const hex = digest(`${seed}:${index}`).toString('hex');
  return { key: Buffer.from(`${seed}-${index}`), value: Buffer.from((hex + hex).slice(0, 68 + (index % 61))) };
}

export const recordsFrom = (first: number, count: number): RecordToSend[] =>
  Array.from({ length: count }, (_, index) => recordAt(first + index));
