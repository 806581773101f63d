// The record batch of magic 2 (KIP-98): where its header fields lie, reading them in place, and the few that a broker stamps.
// The records inside are read and written in records-*.ts. Functions over (buffer, position of the batch) allocate nothing;
// whoever calls them has made sure that a whole header is there (`iterateBatches`, `readRecordBatchHeader` and `prepare` do).
import type { Compute } from '../base/env.ts';
import { codecOfAttributes, type RecordCodec } from './compression.ts';
import { KafkaError } from './errors.ts';

//  0        8        12       16      17       21       23            27          35          43         51
//  | base   | batch  | leader | magic | CRC-   | attri- | last offset | base      | max       | producer | producer
//  | offset | length | epoch  | 2     | 32C    | butes  | delta       | timestamp | timestamp | id       | epoch
//  | int64  | int32  | int32  | int8  | uint32 | int16  | int32       | int64     | int64     | int64    | int16
//                    ^ the length counts from here      ^ (21) the CRC covers from the attributes to the end
//  53              57             61
//  | base sequence | record count | records one after the other, or all of them compressed together
//  | int32         | int32        |
//
//  attributes: bits 0-2 codec, 3 timestamp type (1: LogAppendTime), 4 transactional, 5 control, 6 base timestamp is the delete horizon
const BATCH_LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
/** The CRC covers everything from here on. */
export const CRC_COVERS_FROM = ATTRIBUTES_AT;
const LAST_OFFSET_DELTA_AT = 23;
const BASE_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const BASE_SEQUENCE_AT = 53;
const RECORD_COUNT_AT = 57;

/** Base offset and batch length: what must be read to know a batch's size. */
export const LOG_OVERHEAD = 12;
/** Bytes before the records. */
export const RECORD_BATCH_OVERHEAD = 61;
/** Bytes up to and with the magic; every version of the format has them. */
export const HEADER_BYTES_UP_TO_MAGIC = 17;
export const MAGIC = 2;

export const NO_TIMESTAMP = -1;
export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
export const NO_SEQUENCE = -1;
export const NO_LEADER_EPOCH = -1;

const CODEC_MASK = 0x07;
const TIMESTAMP_TYPE_BIT = 0x08;
const TRANSACTIONAL_BIT = 0x10;
const CONTROL_BIT = 0x20;
const DELETE_HORIZON_BIT = 0x40;

export type TimestampType = 'CreateTime' | 'LogAppendTime';

/** As the message reader's: clamped to ±(2^53 - 1), so that what lies beyond is out of range, never rounded to something in range. */
function int64At(buffer: Buffer, at: number): number {
  const value = buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : value;
}

/** `value` must be a safe integer. */
function writeInt64At(buffer: Buffer, at: number, value: number): void {
  buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  buffer.writeUInt32BE(value >>> 0, at + 4);
}

export const baseOffsetOf = (buffer: Buffer, at: number): number => int64At(buffer, at);
/** Inclusive. */
export const lastOffsetOf = (buffer: Buffer, at: number): number => int64At(buffer, at) + lastOffsetDeltaOf(buffer, at);
/** The length field: the bytes after itself. */
export const batchLengthOf = (buffer: Buffer, at: number): number => buffer.readInt32BE(at + BATCH_LENGTH_AT);
/** All bytes of the batch, as the length field says. */
export const sizeInBytesOf = (buffer: Buffer, at: number): number => LOG_OVERHEAD + batchLengthOf(buffer, at);
export const partitionLeaderEpochOf = (buffer: Buffer, at: number): number => buffer.readInt32BE(at + LEADER_EPOCH_AT);
export const magicOf = (buffer: Buffer, at: number): number => buffer.readInt8(at + MAGIC_AT);
export const crcOf = (buffer: Buffer, at: number): number => buffer.readUInt32BE(at + CRC_AT);
export const attributesOf = (buffer: Buffer, at: number): number => buffer.readInt16BE(at + ATTRIBUTES_AT);
export const lastOffsetDeltaOf = (buffer: Buffer, at: number): number => buffer.readInt32BE(at + LAST_OFFSET_DELTA_AT);
/** The delete horizon where that bit is set. */
export const baseTimestampOf = (buffer: Buffer, at: number): number => int64At(buffer, at + BASE_TIMESTAMP_AT);
export const maxTimestampOf = (buffer: Buffer, at: number): number => int64At(buffer, at + MAX_TIMESTAMP_AT);
export const producerIdOf = (buffer: Buffer, at: number): number => int64At(buffer, at + PRODUCER_ID_AT);
export const producerEpochOf = (buffer: Buffer, at: number): number => buffer.readInt16BE(at + PRODUCER_EPOCH_AT);
export const baseSequenceOf = (buffer: Buffer, at: number): number => buffer.readInt32BE(at + BASE_SEQUENCE_AT);
export const recordCountOf = (buffer: Buffer, at: number): number => buffer.readInt32BE(at + RECORD_COUNT_AT);

/** @throws KafkaError UNSUPPORTED_COMPRESSION_TYPE for the codec bits 5 to 7, which mean nothing */
export const codecOf = (buffer: Buffer, at: number): RecordCodec => codecOfAttributes(attributesOf(buffer, at));
export const isCompressed = (buffer: Buffer, at: number): boolean => (attributesOf(buffer, at) & CODEC_MASK) !== 0;
export const isTransactional = (buffer: Buffer, at: number): boolean => (attributesOf(buffer, at) & TRANSACTIONAL_BIT) !== 0;
export const isControl = (buffer: Buffer, at: number): boolean => (attributesOf(buffer, at) & CONTROL_BIT) !== 0;
export const timestampTypeOf = (buffer: Buffer, at: number): TimestampType =>
  (attributesOf(buffer, at) & TIMESTAMP_TYPE_BIT) === 0 ? 'CreateTime' : 'LogAppendTime';
/** When tombstones and markers of the batch may go (KIP-534); undefined until the cleaner has set it. */
export const deleteHorizonMsOf = (buffer: Buffer, at: number): number | undefined =>
  (attributesOf(buffer, at) & DELETE_HORIZON_BIT) === 0 ? undefined : baseTimestampOf(buffer, at);

/** The sequence `by` (>= 0) steps on: they wrap from 2^31 - 1 to 0, also inside a batch. */
export const incrementSequence = (sequence: number, by: number): number => (sequence + by) % 0x8000_0000;

/** -1 for a batch without sequences. */
export function lastSequenceOf(buffer: Buffer, at: number): number {
  const base = baseSequenceOf(buffer, at);
  return base === NO_SEQUENCE ? NO_SEQUENCE : incrementSequence(base, lastOffsetDeltaOf(buffer, at));
}

/** Sets what a broker decides on append; both fields lie before the bytes the CRC covers. */
export function stampBatch(buffer: Buffer, at: number, baseOffset: number, partitionLeaderEpoch: number): void {
  writeInt64At(buffer, at, baseOffset);
  buffer.writeInt32BE(partitionLeaderEpoch, at + LEADER_EPOCH_AT);
}

/** Sets timestamp type and max timestamp, and with them the CRC; with LogAppendTime `maxTimestamp` is the time of every record. */
export function stampTimestamp(compute: Compute, buffer: Buffer, at: number, type: TimestampType, maxTimestamp: number): void {
  const attributes = attributesOf(buffer, at);
  buffer.writeInt16BE(type === 'LogAppendTime' ? attributes | TIMESTAMP_TYPE_BIT : attributes & ~TIMESTAMP_TYPE_BIT, at + ATTRIBUTES_AT);
  writeInt64At(buffer, at + MAX_TIMESTAMP_AT, maxTimestamp);
  stampCrc(compute, buffer, at);
}

/** Computes and writes the CRC of a batch whose other fields are all set. */
export function stampCrc(compute: Compute, buffer: Buffer, at: number): void {
  buffer.writeUInt32BE(computeCrc(compute, buffer, at), at + CRC_AT);
}

/** The CRC as the bytes give it. The whole batch must be in the buffer. */
export const computeCrc = (compute: Compute, buffer: Buffer, at: number): number =>
  compute.crc32c(buffer.subarray(at + ATTRIBUTES_AT, at + sizeInBytesOf(buffer, at)));

/**
 * For a batch that is known to lie whole in the buffer. `computed` where somebody has gone over the bytes already.
 * @throws KafkaError CORRUPT_MESSAGE when the bytes do not give the CRC they carry
 */
export function checkCrc(compute: Compute, buffer: Buffer, at: number, computed = computeCrc(compute, buffer, at)): void {
  const stored = crcOf(buffer, at);
  if (stored !== computed) throw new KafkaError('CORRUPT_MESSAGE', `the record batch has CRC ${computed}, but carries ${stored}`);
}

/**
 * The positions of the batches that lie one after the other in `buffer`. One that the end cuts off is left out: a fetch answer may end so.
 * @throws KafkaError CORRUPT_MESSAGE for a length no batch can have, or a magic other than 2
 */
export function* iterateBatches(buffer: Buffer, from = 0): Generator<number, void, void> {
  for (let at = from; at + HEADER_BYTES_UP_TO_MAGIC <= buffer.length;) {
    const size = sizeInBytesOf(buffer, at);
    checkShape(size, magicOf(buffer, at));
    if (at + size > buffer.length) return;
    yield at;
    at += size;
  }
}

function checkShape(size: number, magic: number): void {
  if (magic !== MAGIC) throw new KafkaError('CORRUPT_MESSAGE', `a record batch has magic ${magic}; only ${MAGIC} is understood`);
  if (size < RECORD_BATCH_OVERHEAD)
    throw new KafkaError('CORRUPT_MESSAGE', `a record batch says it has ${size} bytes, fewer than its header of ${RECORD_BATCH_OVERHEAD}`);
}

/** A header as an object, for cold paths. `lastOffset` and `lastSequence` are inclusive. */
export interface RecordBatchHeader {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly sizeInBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  readonly codec: RecordCodec;
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly deleteHorizonMs: number | undefined;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly recordCount: number;
}

/** @throws KafkaError CORRUPT_MESSAGE when no whole header of magic 2 lies at the position, UNSUPPORTED_COMPRESSION_TYPE */
export function readRecordBatchHeader(buffer: Buffer, at: number): RecordBatchHeader {
  if (at + RECORD_BATCH_OVERHEAD > buffer.length)
    throw new KafkaError('CORRUPT_MESSAGE', `a record batch header is cut off after ${buffer.length - at} bytes`);
  checkShape(sizeInBytesOf(buffer, at), magicOf(buffer, at));
  return {
    baseOffset: baseOffsetOf(buffer, at),
    lastOffset: lastOffsetOf(buffer, at),
    sizeInBytes: sizeInBytesOf(buffer, at),
    partitionLeaderEpoch: partitionLeaderEpochOf(buffer, at),
    magic: magicOf(buffer, at),
    crc: crcOf(buffer, at),
    attributes: attributesOf(buffer, at),
    codec: codecOf(buffer, at),
    timestampType: timestampTypeOf(buffer, at),
    isTransactional: isTransactional(buffer, at),
    isControl: isControl(buffer, at),
    deleteHorizonMs: deleteHorizonMsOf(buffer, at),
    lastOffsetDelta: lastOffsetDeltaOf(buffer, at),
    baseTimestamp: baseTimestampOf(buffer, at),
    maxTimestamp: maxTimestampOf(buffer, at),
    producerId: producerIdOf(buffer, at),
    producerEpoch: producerEpochOf(buffer, at),
    baseSequence: baseSequenceOf(buffer, at),
    lastSequence: lastSequenceOf(buffer, at),
    recordCount: recordCountOf(buffer, at),
  };
}

/** What a header may say beyond what follows from its records; what is absent is as in a batch of no producer at base offset 0. */
export interface RecordBatchOptions {
  baseOffset?: number;
  partitionLeaderEpoch?: number;
  producerId?: number;
  producerEpoch?: number;
  baseSequence?: number;
  isTransactional?: boolean;
  isControl?: boolean;
  /** Present: timestamp type LogAppendTime with this time. Absent: CreateTime. */
  logAppendTimeMs?: number;
  /** Present: written in place of the base timestamp, bit set (KIP-534). The record deltas must count from it. */
  deleteHorizonMs?: number;
}

/** What follows from the records of a batch. */
export interface RecordsSummary {
  codecBits: number;
  lastOffsetDelta: number;
  baseTimestamp: number;
  maxTimestamp: number;
  recordCount: number;
}

/** Writes header and CRC at the start of `buffer`, whose bytes from RECORD_BATCH_OVERHEAD to its end are the records. */
export function writeRecordBatchHeader(compute: Compute, buffer: Buffer, records: RecordsSummary, options: RecordBatchOptions): void {
  let attributes = records.codecBits;
  if (options.logAppendTimeMs !== undefined) attributes |= TIMESTAMP_TYPE_BIT;
  if (options.isTransactional === true) attributes |= TRANSACTIONAL_BIT;
  if (options.isControl === true) attributes |= CONTROL_BIT;
  if (options.deleteHorizonMs !== undefined) attributes |= DELETE_HORIZON_BIT;
  stampBatch(buffer, 0, options.baseOffset ?? 0, options.partitionLeaderEpoch ?? NO_LEADER_EPOCH);
  buffer.writeInt32BE(buffer.length - LOG_OVERHEAD, BATCH_LENGTH_AT);
  buffer.writeInt8(MAGIC, MAGIC_AT);
  buffer.writeInt16BE(attributes, ATTRIBUTES_AT);
  buffer.writeInt32BE(records.lastOffsetDelta, LAST_OFFSET_DELTA_AT);
  writeInt64At(buffer, BASE_TIMESTAMP_AT, options.deleteHorizonMs ?? records.baseTimestamp);
  writeInt64At(buffer, MAX_TIMESTAMP_AT, options.logAppendTimeMs ?? records.maxTimestamp);
  writeInt64At(buffer, PRODUCER_ID_AT, options.producerId ?? NO_PRODUCER_ID);
  buffer.writeInt16BE(options.producerEpoch ?? NO_PRODUCER_EPOCH, PRODUCER_EPOCH_AT);
  buffer.writeInt32BE(options.baseSequence ?? NO_SEQUENCE, BASE_SEQUENCE_AT);
  buffer.writeInt32BE(records.recordCount, RECORD_COUNT_AT);
  stampCrc(compute, buffer, 0);
}

/** A new batch with the header of `batch` (which begins at 0) and other bytes for its records, compressed as `codecBits` says. */
export function withRecords(compute: Compute, batch: Buffer, records: Buffer, codecBits: number): Buffer {
  const made = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + records.length);
  batch.copy(made, 0, 0, RECORD_BATCH_OVERHEAD);
  records.copy(made, RECORD_BATCH_OVERHEAD);
  made.writeInt32BE(made.length - LOG_OVERHEAD, BATCH_LENGTH_AT);
  made.writeInt16BE((attributesOf(batch, 0) & ~CODEC_MASK) | codecBits, ATTRIBUTES_AT);
  stampCrc(compute, made, 0);
  return made;
}
