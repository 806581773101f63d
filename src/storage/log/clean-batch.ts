// What the cleaner makes of one batch: left as it is, written anew with fewer records, reduced to a shell, or left out. Offsets,
// sequences and epochs never change. The rules are those of Kafka's cleaner, KIP-534's delete horizon among them.
import type { Compute } from '../../base/env.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { codecBitsOf, compressRecords, decompressRecords } from '../../protocol/compression.ts';
import { controlRecordTypeOf } from '../../protocol/record-batch-control.ts';
import { iterateRecords } from '../../protocol/record-batch-records.ts';
import {
  checkCrc,
  isCompressed,
  NO_TIMESTAMP,
  readRecordBatchHeader,
  RECORD_BATCH_OVERHEAD,
  writeRecordBatchHeader,
  type RecordBatchHeader,
} from '../../protocol/record-batch.ts';
import { RecordReader, RecordWriter, sizeOfVarint, sizeOfVarlong } from '../../protocol/records-varint.ts';
import type { CleanedTransactions, Outcome } from './cleaned-transactions.ts';
import type { OffsetMap } from './offset-map.ts';

/** Records of a batch were walked in decompressed form when they were produced, under the same bound. */
const MAX_DECOMPRESSED_BYTES = 1024 * 1024 * 1024;

/** A producer that is still known, and where it wrote last: its last sequence and epoch must not go. */
export interface LastRecord {
  /** Undefined when nothing but a marker is known of it. */
  readonly lastDataOffset: number | undefined;
  readonly producerEpoch: number;
}

export interface CleaningRules {
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  /** Where the range ends that may be cleaned, exclusive: the batch that ends there stays, if only as a shell. */
  readonly upperBoundOffset: number;
  readonly lastRecords: ReadonlyMap<number, LastRecord>;
}

export interface CleaningState {
  readonly compute: Compute;
  readonly map: OffsetMap;
  /** The map knows the keys up to and with this offset. */
  readonly latestOffset: number;
  readonly transactions: CleanedTransactions;
  readonly rules: CleaningRules;
}

export interface CleanedBatch {
  /** Undefined when the batch is left out. The same buffer when it is left as it is. */
  readonly bytes: Buffer | undefined;
  readonly recordsRead: number;
  readonly recordsKept: number;
  /** Left out for having no key: compaction cannot keep such. */
  readonly withoutKey: number;
}

/** The header, once the batch is known to be whole. @throws KafkaError CORRUPT_MESSAGE */
export function headerOf(compute: Compute, batch: Buffer): RecordBatchHeader {
  // What is written anew gets a new checksum: damage would look sound from then on.
  checkCrc(compute, batch, 0);
  return readRecordBatchHeader(batch, 0);
}

export function markerOutcomeOf(batch: Buffer): Outcome | 'other' | 'emptied' {
  for (const { key } of iterateRecords(batch)) {
    const type = controlRecordTypeOf(key);
    return type === 'COMMIT' ? 'commit' : type === 'ABORT' ? 'abort' : 'other';
  }
  return 'emptied';
}

/** The records, decompressed; without a promise when that was quick. @throws KafkaError CORRUPT_MESSAGE */
export function plainRecordsOf(compute: Compute, batch: Buffer, { codec }: RecordBatchHeader): Buffer | Promise<Buffer> {
  return decompressRecords(compute, codec, batch.subarray(RECORD_BATCH_OVERHEAD), MAX_DECOMPRESSED_BYTES);
}

/** Where the fields of a record lie that the cleaner looks at; one object for all records of a walk. */
export class RecordPlace {
  start = 0;
  end = 0;
  timestampDelta = 0;
  /** Behind the timestamp: from here on the record is copied as it is. */
  restFrom = 0;
  offsetDelta = 0;
  /** -1 for a record without a key. */
  keyFrom = -1;
  keyTo = -1;
  hasValue = false;

  /** @throws KafkaError CORRUPT_MESSAGE */
  read(reader: RecordReader): void {
    this.start = reader.at;
    const length = reader.varint();
    this.end = reader.at + length;
    if (length < 0 || this.end > reader.end)
      throw new KafkaError('CORRUPT_MESSAGE', `a record of ${length} bytes, ${reader.left} are left`);
    reader.byte();
    this.timestampDelta = reader.varlong();
    this.restFrom = reader.at;
    this.offsetDelta = reader.varint();
    const keyBytes = reader.varint();
    this.keyFrom = keyBytes < 0 ? -1 : reader.at;
    this.keyTo = keyBytes < 0 ? -1 : reader.at + keyBytes;
    if (keyBytes > 0) reader.at += keyBytes;
    this.hasValue = reader.varint() >= 0;
    if (reader.at > this.end) throw new KafkaError('CORRUPT_MESSAGE', 'a record ends inside a field');
    reader.at = this.end;
  }
}

/** Takes the batch in, in the order of the log, and says what is left of it. */
export function cleanBatch(state: CleaningState, batch: Buffer): CleanedBatch | Promise<CleanedBatch> {
  const { compute, transactions, rules } = state;
  const header = headerOf(compute, batch);
  const mayGo = header.isControl ? transactions.takeControl(header, markerOutcomeOf(batch)) : transactions.takeData(header);
  // A marker that has outlived its transaction stays as long as a tombstone: a reader may be in the middle of what it ended.
  const keepsShell = header.lastOffset + 1 === rules.upperBoundOffset || isLastOfProducer(header, rules);
  const horizonPassed = header.deleteHorizonMs !== undefined && header.deleteHorizonMs <= rules.nowMs;
  const discards = mayGo && (!header.isControl || horizonPassed);
  if (discards) {
    const bytes = keepsShell ? shellOf(compute, header, batch) : undefined;
    return { bytes, recordsRead: header.recordCount, recordsKept: 0, withoutKey: 0 };
  }
  if (header.isControl) return cleanMarker(state, batch, { header, keepsShell, isOfEmptyTransaction: mayGo });
  const plain = plainRecordsOf(compute, batch, header);
  return plain instanceof Promise
    ? plain.then((records) => cleanRecords(state, batch, { header, keepsShell, records }))
    : cleanRecords(state, batch, { header, keepsShell, records: plain });
}

/** The last batch of a producer carries its sequence and epoch. */
function isLastOfProducer(header: RecordBatchHeader, { lastRecords }: CleaningRules): boolean {
  const last = header.producerId < 0 ? undefined : lastRecords.get(header.producerId);
  if (last === undefined) return false;
  return last.lastDataOffset === undefined
    ? header.isControl && header.producerEpoch === last.producerEpoch
    : header.lastOffset === last.lastDataOffset;
}

function cleanMarker(
  { compute, rules }: CleaningState,
  batch: Buffer,
  { header, keepsShell, isOfEmptyTransaction }: { header: RecordBatchHeader; keepsShell: boolean; isOfEmptyTransaction: boolean },
): CleanedBatch {
  const { recordCount } = header;
  if (recordCount === 0) {
    const bytes = keepsShell ? shellOf(compute, header, batch) : undefined;
    return { bytes, recordsRead: 0, recordsKept: 0, withoutKey: 0 };
  }
  const all = { recordsRead: recordCount, recordsKept: recordCount, withoutKey: 0 };
  if (!isOfEmptyTransaction || header.deleteHorizonMs !== undefined) return { bytes: batch, ...all };
  const records = batch.subarray(RECORD_BATCH_OVERHEAD);
  const ranges: number[] = [];
  const place = new RecordPlace();
  const reader = new RecordReader(records, 0, records.length);
  for (let left = recordCount; left > 0; left -= 1) {
    place.read(reader);
    ranges.push(place.start, place.end);
  }
  const kept = { ranges, maxTimestamp: header.maxTimestamp };
  return { bytes: batchOf(compute, header, copyRecords(records, kept, header, horizonFrom(rules)), kept, horizonFrom(rules)), ...all };
}

const horizonFrom = ({ nowMs, deleteRetentionMs }: CleaningRules): number => Math.min(nowMs + deleteRetentionMs, Number.MAX_SAFE_INTEGER);

interface KeptRecords {
  /** Start and end of each, one after the other. */
  readonly ranges: readonly number[];
  readonly maxTimestamp: number;
}

function cleanRecords(
  state: CleaningState,
  batch: Buffer,
  { header, keepsShell, records }: { header: RecordBatchHeader; keepsShell: boolean; records: Buffer },
): CleanedBatch | Promise<CleanedBatch> {
  const { compute, map, latestOffset, rules } = state;
  const { recordCount, baseOffset, deleteHorizonMs } = header;
  const tombstonesStay = deleteHorizonMs === undefined || rules.nowMs < deleteHorizonMs;
  const reader = new RecordReader(records, 0, records.length);
  const place = new RecordPlace();
  const ranges: number[] = [];
  let maxTimestamp = NO_TIMESTAMP;
  let hasTombstone = false;
  let withoutKey = 0;
  for (let left = recordCount; left > 0; left -= 1) {
    place.read(reader);
    const offset = baseOffset + place.offsetDelta;
    if (offset <= latestOffset) {
      if (place.keyFrom < 0) {
        withoutKey += 1;
        continue;
      }
      if (!place.hasValue && !tombstonesStay) continue;
      if (offset < map.get(records, place.keyFrom, place.keyTo)) continue;
    }
    if (!place.hasValue) hasTombstone = true;
    ranges.push(place.start, place.end);
    maxTimestamp = Math.max(maxTimestamp, header.baseTimestamp + place.timestampDelta);
  }
  if (reader.left > 0) throw new KafkaError('CORRUPT_MESSAGE', `${reader.left} bytes follow the last record of a batch`);
  const recordsKept = ranges.length / 2;
  const counts = { recordsRead: recordCount, recordsKept, withoutKey };
  if (recordsKept === 0) return { bytes: keepsShell ? shellOf(compute, header, batch) : undefined, ...counts };
  const setsHorizon = hasTombstone && deleteHorizonMs === undefined;
  if (recordsKept === recordCount && !setsHorizon) return { bytes: batch, ...counts };
  const horizon = setsHorizon ? horizonFrom(rules) : deleteHorizonMs;
  const kept = { ranges, maxTimestamp };
  const plain = copyRecords(records, kept, header, horizon);
  if (!isCompressed(batch, 0)) return { bytes: batchOf(compute, header, plain, kept, horizon), ...counts };
  const compressed = compressRecords(compute, header.codec, plain.subarray(RECORD_BATCH_OVERHEAD));
  const finish = (bytes: Buffer): CleanedBatch => {
    const whole = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD + bytes.length);
    whole.set(bytes, RECORD_BATCH_OVERHEAD);
    return { bytes: batchOf(compute, header, whole, kept, horizon), ...counts };
  };
  return compressed instanceof Promise ? compressed.then(finish) : finish(compressed);
}

/**
 * The kept records behind room for a header. Timestamps count from the base timestamp, which the delete horizon takes the
 * place of: where it is new, every delta moves by the difference.
 */
function copyRecords(records: Buffer, { ranges }: KeptRecords, header: RecordBatchHeader, horizonMs: number | undefined): Buffer {
  const moveBy = horizonMs === undefined ? 0 : header.baseTimestamp - horizonMs;
  let bytes = RECORD_BATCH_OVERHEAD;
  if (moveBy === 0) {
    for (let index = 0; index < ranges.length; index += 2) bytes += (ranges[index + 1] as number) - (ranges[index] as number);
    const made = Buffer.allocUnsafe(bytes);
    let at = RECORD_BATCH_OVERHEAD;
    for (let index = 0; index < ranges.length; index += 2) at += records.copy(made, at, ranges[index], ranges[index + 1]);
    return made;
  }
  const place = new RecordPlace();
  const reader = new RecordReader(records, 0, records.length);
  const sizes: number[] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    reader.at = ranges[index] as number;
    place.read(reader);
    const size = 1 + sizeOfVarlong(place.timestampDelta + moveBy) + place.end - place.restFrom;
    sizes.push(size);
    bytes += sizeOfVarint(size) + size;
  }
  const writer = new RecordWriter(Buffer.allocUnsafe(bytes), RECORD_BATCH_OVERHEAD);
  for (let index = 0; index < ranges.length; index += 2) {
    reader.at = ranges[index] as number;
    place.read(reader);
    writer.varint(sizes[index / 2] as number);
    writer.byte(0);
    writer.varlong(place.timestampDelta + moveBy);
    writer.bytes(records.subarray(place.restFrom, place.end));
  }
  return writer.buffer;
}

/** Gives the records in `buffer` the header of the batch they came from; the last offset stays where it was. */
function batchOf(compute: Compute, header: RecordBatchHeader, buffer: Buffer, kept: KeptRecords, horizonMs: number | undefined): Buffer {
  const summary = {
    codecBits: codecBitsOf(header.codec),
    lastOffsetDelta: header.lastOffsetDelta,
    baseTimestamp: header.baseTimestamp,
    maxTimestamp: kept.maxTimestamp,
    recordCount: kept.ranges.length / 2,
  };
  writeRecordBatchHeader(compute, buffer, summary, {
    ...identityOf(header),
    ...(horizonMs !== undefined && { deleteHorizonMs: horizonMs }),
  });
  return buffer;
}

/** A batch without records, which still says whose it was, and from where to where it went. */
function shellOf(compute: Compute, header: RecordBatchHeader, batch: Buffer): Buffer {
  if (header.recordCount === 0) return batch;
  const buffer = Buffer.allocUnsafe(RECORD_BATCH_OVERHEAD);
  const { lastOffsetDelta, maxTimestamp } = header;
  const summary = { codecBits: 0, lastOffsetDelta, baseTimestamp: NO_TIMESTAMP, maxTimestamp, recordCount: 0 };
  writeRecordBatchHeader(compute, buffer, summary, identityOf(header));
  return buffer;
}

function identityOf(header: RecordBatchHeader) {
  const { baseOffset, partitionLeaderEpoch, producerId, producerEpoch, baseSequence, isTransactional, isControl } = header;
  return {
    baseOffset,
    partitionLeaderEpoch,
    producerId,
    producerEpoch,
    baseSequence,
    isTransactional,
    isControl,
    ...(header.timestampType === 'LogAppendTime' && { logAppendTimeMs: header.maxTimestamp }),
  };
}
