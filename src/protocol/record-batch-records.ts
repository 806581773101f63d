// The records inside a batch of magic 2: building a batch of them, and reading them one by one.
// For coordinators, the command line, clients and tests; what a client sends in is walked without being read (storage/log/prepare.ts).
import type { Compute } from '../base/env.ts';
import { codecBitsOf, compressRecords, decompressRecords, type RecordCodec } from './compression.ts';
import { KafkaError } from './errors.ts';
import {
  baseOffsetOf,
  baseTimestampOf,
  codecOf,
  isCompressed,
  maxTimestampOf,
  NO_TIMESTAMP,
  readRecordBatchHeader,
  RECORD_BATCH_OVERHEAD,
  type RecordBatchOptions,
  recordCountOf,
  timestampTypeOf,
  withRecords,
  writeRecordBatchHeader,
} from './record-batch.ts';
import { RecordReader, RecordWriter, sizeOfVarint, sizeOfVarlong } from './records-varint.ts';

//  record: | length varint | attributes int8 = 0 | timestamp delta varlong | offset delta varint | key | value | headers |
//  key, value: | length varint, -1 is null | bytes |      headers: | count varint | for each | key length varint | key | value as above |
//  All varints are zigzag. The deltas count from the batch's base timestamp and base offset.

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** Key, value and header values are views into the batch, or into its decompressed records. */
export interface KafkaRecord {
  readonly offset: number;
  /** The batch's where its timestamp type is LogAppendTime. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

export interface RecordToWrite {
  /** Absent: -1, no timestamp. */
  readonly timestamp?: number;
  readonly key?: Uint8Array | null;
  readonly value?: Uint8Array | null;
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  /** Absent: one more than the record before it, the first 0. */
  readonly offsetDelta?: number;
}

export interface BuildOptions extends RecordBatchOptions {
  /** Absent: the last record's. The cleaner keeps the original one, also where the last record is gone. */
  lastOffsetDelta?: number;
  /** Absent: the largest timestamp of the records. The cleaner keeps that of a batch which has lost all its records. */
  maxTimestamp?: number;
}

/** A batch of these records, uncompressed; base offset 0 and leader epoch -1 unless `options` say otherwise. */
export function buildRecordBatch(compute: Compute, records: readonly RecordToWrite[], options: BuildOptions = {}): Buffer {
  const baseTimestamp = options.deleteHorizonMs ?? records[0]?.timestamp ?? NO_TIMESTAMP;
  const bodySizes: number[] = [];
  let bytes = RECORD_BATCH_OVERHEAD;
  let offsetDelta = -1;
  let maxTimestamp = NO_TIMESTAMP;
  for (const record of records) {
    offsetDelta = record.offsetDelta ?? offsetDelta + 1;
    const timestamp = record.timestamp ?? NO_TIMESTAMP;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
    const size = bodySizeOf(record, timestamp - baseTimestamp, offsetDelta);
    bodySizes.push(size);
    bytes += sizeOfVarint(size) + size;
  }
  const buffer = Buffer.allocUnsafe(bytes);
  const writer = new RecordWriter(buffer, RECORD_BATCH_OVERHEAD);
  const summary = {
    codecBits: 0,
    lastOffsetDelta: options.lastOffsetDelta ?? Math.max(offsetDelta, 0),
    baseTimestamp,
    maxTimestamp: options.maxTimestamp ?? maxTimestamp,
    recordCount: records.length,
  };
  offsetDelta = -1;
  for (const [index, record] of records.entries()) {
    offsetDelta = record.offsetDelta ?? offsetDelta + 1;
    writer.varint(bodySizes[index] as number);
    writeBody(writer, record, (record.timestamp ?? NO_TIMESTAMP) - baseTimestamp, offsetDelta);
  }
  writeRecordBatchHeader(compute, buffer, summary, options);
  return buffer;
}

/** The same, compressed; without a promise when it is small. `level` in the codec's own scale. */
export function buildCompressedRecordBatch(
  compute: Compute,
  records: readonly RecordToWrite[],
  codec: RecordCodec,
  options: BuildOptions & { level?: number } = {},
): Buffer | Promise<Buffer> {
  const plain = buildRecordBatch(compute, records, options);
  if (codec === 'none') return plain;
  const wrap = (compressed: Buffer): Buffer => withRecords(compute, plain, compressed, codecBitsOf(codec));
  const compressed = compressRecords(compute, codec, plain.subarray(RECORD_BATCH_OVERHEAD), options.level);
  return compressed instanceof Promise ? compressed.then(wrap) : wrap(compressed);
}

function bodySizeOf(record: RecordToWrite, timestampDelta: number, offsetDelta: number): number {
  const headers = record.headers ?? [];
  let size =
    1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + sizeOfBytes(record.key ?? null) + sizeOfBytes(record.value ?? null);
  size += sizeOfVarint(headers.length);
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key);
    size += sizeOfVarint(keyBytes) + keyBytes + sizeOfBytes(value);
  }
  return size;
}

const sizeOfBytes = (value: Uint8Array | null): number => (value === null ? 1 : sizeOfVarint(value.length) + value.length);

function writeBody(writer: RecordWriter, record: RecordToWrite, timestampDelta: number, offsetDelta: number): void {
  const headers = record.headers ?? [];
  writer.byte(0);
  writer.varlong(timestampDelta);
  writer.varint(offsetDelta);
  writer.nullableBytes(record.key ?? null);
  writer.nullableBytes(record.value ?? null);
  writer.varint(headers.length);
  for (const { key, value } of headers) {
    writer.nullableBytes(Buffer.from(key));
    writer.nullableBytes(value);
  }
}

/**
 * All records of the batch that begins at 0; without a promise when it is not compressed, or small.
 * @throws KafkaError CORRUPT_MESSAGE when the bytes are no such batch, UNSUPPORTED_COMPRESSION_TYPE; OutputLimitError when the
 * records take more than `maxBytes` decompressed; Error when they do not decompress. The CRC is not looked at.
 */
export function decodeRecords(compute: Compute, batch: Buffer, maxBytes: number): KafkaRecord[] | Promise<KafkaRecord[]> {
  const size = wholeSizeOf(batch);
  const records = decompressRecords(compute, codecOf(batch, 0), batch.subarray(RECORD_BATCH_OVERHEAD, size), maxBytes);
  return records instanceof Promise ? records.then((plain) => [...recordsIn(batch, plain)]) : [...recordsIn(batch, records)];
}

/**
 * The records of the uncompressed batch that begins at 0, one by one.
 * @throws KafkaError CORRUPT_MESSAGE
 */
export function* iterateRecords(batch: Buffer): Generator<KafkaRecord, void, void> {
  if (isCompressed(batch, 0)) throw new KafkaError('CORRUPT_MESSAGE', 'a compressed batch where only uncompressed ones are written');
  yield* recordsIn(batch, batch.subarray(RECORD_BATCH_OVERHEAD, wholeSizeOf(batch)));
}

function wholeSizeOf(batch: Buffer): number {
  const { sizeInBytes } = readRecordBatchHeader(batch, 0);
  if (sizeInBytes > batch.length)
    throw new KafkaError('CORRUPT_MESSAGE', `a record batch of ${sizeInBytes} bytes is cut off at ${batch.length}`);
  return sizeInBytes;
}

function* recordsIn(batch: Buffer, plain: Buffer): Generator<KafkaRecord, void, void> {
  const baseOffset = baseOffsetOf(batch, 0);
  const baseTimestamp = baseTimestampOf(batch, 0);
  const logAppendTimeMs = timestampTypeOf(batch, 0) === 'LogAppendTime' ? maxTimestampOf(batch, 0) : undefined;
  const reader = new RecordReader(plain, 0, plain.length);
  for (let left = recordCountOf(batch, 0); left > 0; left--) yield readRecord(reader, baseOffset, baseTimestamp, logAppendTimeMs);
  if (reader.left > 0) throw new KafkaError('CORRUPT_MESSAGE', `${reader.left} bytes follow the last record of a batch`);
}

function readRecord(reader: RecordReader, baseOffset: number, baseTimestamp: number, logAppendTimeMs: number | undefined): KafkaRecord {
  const length = reader.varint();
  const end = reader.at + length;
  if (length < 0 || end > reader.end) throw new KafkaError('CORRUPT_MESSAGE', `a record of ${length} bytes, ${reader.left} are left`);
  reader.byte(); // attributes: none are defined
  const timestamp = baseTimestamp + reader.varlong();
  const offset = baseOffset + reader.varint();
  const key = reader.nullableBytes();
  const value = reader.nullableBytes();
  const headers = readHeaders(reader);
  if (reader.at !== end) throw new KafkaError('CORRUPT_MESSAGE', `a record of ${length} bytes ends ${reader.at - end} bytes off`);
  return { offset, timestamp: logAppendTimeMs ?? timestamp, key, value, headers };
}

const noHeaders: readonly RecordHeader[] = [];

function readHeaders(reader: RecordReader): readonly RecordHeader[] {
  const count = reader.varint();
  if (count === 0) return noHeaders;
  if (count < 0 || count > reader.left) throw new KafkaError('CORRUPT_MESSAGE', `a record says it has ${count} headers`);
  const headers: RecordHeader[] = [];
  for (let left = count; left > 0; left--) {
    const key = reader.bytes(reader.varint()).toString();
    headers.push({ key, value: reader.nullableBytes() });
  }
  return headers;
}
