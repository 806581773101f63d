// What happens to a record batch before it may be appended: everything that needs its bytes but not the log. Kafka's rules for batches
// from clients (LogValidator, UnifiedLog.analyzeAndValidateRecords, ProduceRequest.validateRecords) in Kafka's order and with its codes.
// Sequences, transactions and offsets are the log's. Nothing here depends on what other batches are being prepared.
import { type CompressionCodec, type Env, OutputLimitError } from '../../base/env.ts';
import { codecBitsOf, compressRecords, decompressRecords, isReadByEveryClient, type RecordCodec } from '../../protocol/compression.ts';
import { KafkaError } from '../../protocol/errors.ts';
import {
  baseOffsetOf,
  baseSequenceOf,
  baseTimestampOf,
  batchLengthOf,
  checkCrc,
  codecOf,
  computeCrc,
  CRC_COVERS_FROM,
  HEADER_BYTES_UP_TO_MAGIC,
  isCompressed,
  isControl,
  isTransactional,
  lastOffsetDeltaOf,
  lastSequenceOf,
  LOG_OVERHEAD,
  MAGIC,
  magicOf,
  maxTimestampOf,
  NO_PRODUCER_ID,
  producerEpochOf,
  producerIdOf,
  readRecordBatchHeader,
  RECORD_BATCH_OVERHEAD,
  recordCountOf,
  sizeInBytesOf,
  stampTimestamp,
  type TimestampType,
  timestampTypeOf,
  withRecords,
} from '../../protocol/record-batch.ts';
import { type RecordError, RecordWalk } from './prepare-walk.ts';

export type { RecordError } from './prepare-walk.ts';

/** What the topic's settings, and the request's version, allow. */
export interface PrepareLimits {
  /** `max.message.bytes`: of the batch as sent, and again as stored when it is recompressed. */
  readonly maxMessageBytes: number;
  /** `cleanup.policy` contains compact: every record needs a key. */
  readonly keyRequired: boolean;
  /** `message.timestamp.type` */
  readonly timestampType: TimestampType;
  /** `message.timestamp.before.max.ms` and `.after.max.ms`: how far a CreateTime may lie from now. */
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  /** `compression.type` */
  readonly compressionType: 'producer' | 'uncompressed' | CompressionCodec;
  /** `compression.gzip.level` and so on, for recompression. */
  readonly compressionLevels: { readonly gzip: number; readonly lz4: number; readonly zstd: number };
  /** False for Produce below version 7. */
  readonly zstdAllowed: boolean;
  /** Absent: DEFAULT_MAX_DECOMPRESSED_BYTES. */
  readonly maxDecompressedBytes?: number;
}

/**
 * What the records of one compressed batch may take. Kafka has no such limit, because it streams; ours bounds what a bomb costs.
 * 128 times the default max.message.bytes: real data does not compress that well, and a producer whose data does is told
 * MESSAGE_TOO_LARGE, upon which the Java client splits the batch and goes on. Beyond 8 MiB, `Compute` makes one at a time.
 */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

/** A checked batch. Its bytes belong to the log from here on; only base offset and leader epoch are still to be stamped. */
export interface PreparedBatch {
  /** Exactly one batch, from 0 to the end. */
  readonly bytes: Buffer;
  readonly sizeInBytes: number;
  readonly recordCount: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  /** As in the header; the time of append with LogAppendTime. */
  readonly maxTimestamp: number;
  /** The first record with that timestamp; the last offset delta where the records were not looked at. */
  readonly offsetDeltaOfMaxTimestamp: number;
  /** -1 without a producer, as epoch and sequences then are. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** Inclusive. */
  readonly lastSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly isCompressed: boolean;
  /** For the Produce answer; -1 with CreateTime. */
  readonly logAppendTimeMs: number;
}

/** The batch is refused because of some of its records. `errorName` is INVALID_RECORD or INVALID_TIMESTAMP. */
export class InvalidRecordsError extends KafkaError {
  /** The first of the refused records (KIP-467); very many are not all listed. */
  readonly recordErrors: readonly RecordError[];

  constructor(errorName: 'INVALID_RECORD' | 'INVALID_TIMESTAMP', message: string, recordErrors: readonly RecordError[]) {
    super(errorName, message);
    this.recordErrors = recordErrors;
  }
}

type PrepareEnv = Pick<Env, 'wallMs' | 'defer' | 'compute'>;

/** Records walked in one turn of the event loop: a few milliseconds. */
const RECORDS_PER_TURN = 50_000;
/** Bytes whose checksum is made in one turn; a batch that is not larger needs no promise for it. */
const CRC_BYTES_PER_TURN = 4 * 1024 * 1024;

/**
 * Checks what a client sent for one partition and makes it ready to append. Takes the bytes over: they become the batch's, and
 * timestamps may be rewritten in place. Answers without a promise unless the batch is large, or compressed and more than small.
 * @throws KafkaError INVALID_RECORD, CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, UNSUPPORTED_COMPRESSION_TYPE; InvalidRecordsError
 */
export function prepare(bytes: Buffer, limits: PrepareLimits, env: PrepareEnv): PreparedBatch | Promise<PreparedBatch> {
  const source = checkEnvelope(bytes, limits);
  if (bytes.length > CRC_BYTES_PER_TURN)
    return computeCrcInTurns(bytes, env).then((crc) => prepareRecords(bytes, { crc, source }, limits, env));
  return prepareRecords(bytes, { crc: computeCrc(env.compute, bytes, 0), source }, limits, env);
}

function prepareRecords(
  bytes: Buffer,
  { crc, source }: { crc: number; source: RecordCodec },
  limits: PrepareLimits,
  env: PrepareEnv,
): PreparedBatch | Promise<PreparedBatch> {
  checkCrc(env.compute, bytes, 0, crc);
  checkHeader(bytes);
  const nowMs = env.wallMs();
  if (source === 'none') return walkAndFinish(bytes, bytes.subarray(RECORD_BATCH_OVERHEAD), nowMs, source, limits, env);
  const plain = decompress(bytes, source, limits, env);
  return plain instanceof Promise
    ? plain.then((records) => walkAndFinish(bytes, records, nowMs, source, limits, env))
    : walkAndFinish(bytes, plain, nowMs, source, limits, env);
}

/** Many clients may send such batches at once: each takes half a millisecond of a turn. */
async function computeCrcInTurns(bytes: Buffer, env: PrepareEnv): Promise<number> {
  let crc = 0;
  for (let at = CRC_COVERS_FROM; at < bytes.length; at += CRC_BYTES_PER_TURN) {
    if (at > CRC_COVERS_FROM) await new Promise<void>((resume) => env.defer(resume));
    crc = env.compute.crc32c(bytes.subarray(at, at + CRC_BYTES_PER_TURN), crc);
  }
  return crc;
}

/** A batch that the broker itself has made, and trusts: nothing is checked but its shape. Its bytes become the log's. */
export function prepareOwn(bytes: Buffer): PreparedBatch {
  const { sizeInBytes, timestampType, lastOffsetDelta, maxTimestamp } = readRecordBatchHeader(bytes, 0);
  if (sizeInBytes !== bytes.length) throw new KafkaError('CORRUPT_MESSAGE', `a batch of ${sizeInBytes} bytes lies in ${bytes.length}`);
  return preparedBatch(bytes, lastOffsetDelta, timestampType === 'LogAppendTime' ? maxTimestamp : -1);
}

/** One whole batch of magic 2, not too large, in a codec the client may use. */
function checkEnvelope(bytes: Buffer, limits: PrepareLimits): RecordCodec {
  const available = bytes.length;
  if (available < LOG_OVERHEAD) throw new KafkaError('INVALID_RECORD', 'a Produce request must have a record batch for each partition');
  const size = sizeInBytesOf(bytes, 0);
  if (size < LOG_OVERHEAD + SMALLEST_BATCH_LENGTH)
    throw new KafkaError('CORRUPT_MESSAGE', `batch length ${batchLengthOf(bytes, 0)} is less than any batch has`);
  if (available < HEADER_BYTES_UP_TO_MAGIC) throw new KafkaError('INVALID_RECORD', `the record batch is cut off after ${available} bytes`);
  const magic = magicOf(bytes, 0);
  if (magic < 0 || magic > MAGIC) throw new KafkaError('CORRUPT_MESSAGE', `no record batch has magic ${magic}`);
  if (size > available) throw new KafkaError('INVALID_RECORD', `the record batch says ${size} bytes, ${available} were sent`);
  if (magic !== MAGIC) throw new KafkaError('INVALID_RECORD', `record batches must have magic ${MAGIC}, this one has ${magic}`);
  if (size < RECORD_BATCH_OVERHEAD) throw new KafkaError('CORRUPT_MESSAGE', `a record batch of ${size} bytes is less than its header`);
  const codec = codecOf(bytes, 0);
  if (codec === 'zstd' && !limits.zstdAllowed)
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs Produce version 7 or newer (KIP-110)');
  // Kafka drops a cut-off second batch silently; a client that sent one would believe it stored.
  if (size < available)
    throw new KafkaError('INVALID_RECORD', `exactly one record batch per partition: ${available - size} bytes follow it`);
  if (baseOffsetOf(bytes, 0) !== 0) throw new KafkaError('INVALID_RECORD', `the base offset must be 0, it is ${baseOffsetOf(bytes, 0)}`);
  if (size > limits.maxMessageBytes)
    throw new KafkaError('MESSAGE_TOO_LARGE', `the record batch has ${size} bytes, this topic takes ${limits.maxMessageBytes}`);
  return codec;
}

/** The smallest batch length any version of the format has. */
const SMALLEST_BATCH_LENGTH = 14;

function checkHeader(bytes: Buffer): void {
  const lastOffsetDelta = lastOffsetDeltaOf(bytes, 0);
  const count = recordCountOf(bytes, 0);
  if (lastOffsetDelta < 0) throw new KafkaError('INVALID_RECORD', `last offset delta ${lastOffsetDelta} is negative`);
  if (count <= 0) throw new KafkaError('INVALID_RECORD', `a record batch must have records, this one says ${count}`);
  if (count !== lastOffsetDelta + 1) throw new KafkaError('INVALID_RECORD', `${count} records do not fill offsets 0 to ${lastOffsetDelta}`);
  if (isControl(bytes, 0)) throw new KafkaError('INVALID_RECORD', 'clients may not write control batches');
  const producerId = producerIdOf(bytes, 0);
  if (producerId > NO_PRODUCER_ID) {
    if (baseSequenceOf(bytes, 0) < 0)
      throw new KafkaError('INVALID_RECORD', `producer ${producerId} sent sequence ${baseSequenceOf(bytes, 0)}`);
    if (producerEpochOf(bytes, 0) < 0)
      throw new KafkaError('INVALID_RECORD', `producer ${producerId} sent epoch ${producerEpochOf(bytes, 0)}`);
  } else if (isTransactional(bytes, 0)) throw new KafkaError('INVALID_RECORD', 'a transactional batch needs a producer id');
}

function decompress(bytes: Buffer, codec: RecordCodec, limits: PrepareLimits, env: PrepareEnv): Buffer | Promise<Buffer> {
  const maxBytes = limits.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES;
  try {
    const plain = decompressRecords(env.compute, codec, bytes.subarray(RECORD_BATCH_OVERHEAD), maxBytes);
    return plain instanceof Promise ? plain.catch((thrown: unknown) => refuseCompression(thrown, codec)) : plain;
  } catch (thrown) {
    return refuseCompression(thrown, codec);
  }
}

/** Kafka answers UNKNOWN_SERVER_ERROR here; not retriable is what matters, since the CRC says the client meant these bytes. */
function refuseCompression(thrown: unknown, codec: RecordCodec): never {
  if (thrown instanceof OutputLimitError)
    throw new KafkaError('MESSAGE_TOO_LARGE', `the records of one batch take too much: ${thrown.message}`, { cause: thrown });
  // Only plain errors are the codec's verdict on the bytes; a TypeError or a failed allocation would be ours.
  if (thrown instanceof Error && thrown.name === 'Error')
    throw new KafkaError('INVALID_RECORD', `the records are not ${codec}: ${thrown.message}`, { cause: thrown });
  throw thrown;
}

function walkAndFinish(
  bytes: Buffer,
  plain: Buffer,
  nowMs: number,
  source: RecordCodec,
  limits: PrepareLimits,
  env: PrepareEnv,
): PreparedBatch | Promise<PreparedBatch> {
  const createTime = limits.timestampType === 'CreateTime';
  if (!createTime && timestampTypeOf(bytes, 0) === 'LogAppendTime') {
    const message = 'a producer may not set the timestamp type LogAppendTime';
    throw new InvalidRecordsError('INVALID_TIMESTAMP', message, [{ batchIndex: 0, message }]);
  }
  const walk = new RecordWalk(plain, recordCountOf(bytes, 0), {
    baseTimestamp: baseTimestampOf(bytes, 0),
    earliestTimestamp: createTime ? nowMs - limits.timestampBeforeMaxMs : -Infinity,
    latestTimestamp: createTime ? nowMs + limits.timestampAfterMaxMs : Infinity,
    keyRequired: limits.keyRequired,
  });
  if (walk.advance(RECORDS_PER_TURN)) return finish(bytes, plain, walk, nowMs, source, limits, env);
  return walkOn(walk, env).then(() => finish(bytes, plain, walk, nowMs, source, limits, env));
}

async function walkOn(walk: RecordWalk, env: PrepareEnv): Promise<void> {
  do await new Promise<void>((resume) => env.defer(resume));
  while (!walk.advance(RECORDS_PER_TURN));
}

function finish(
  bytes: Buffer,
  plain: Buffer,
  walk: RecordWalk,
  nowMs: number,
  source: RecordCodec,
  limits: PrepareLimits,
  env: PrepareEnv,
): PreparedBatch | Promise<PreparedBatch> {
  if (walk.recordErrorCount > 0) throw invalidRecords(walk);
  // A header that states another max timestamp than its records have would mislead every search by time.
  if (limits.timestampType === 'LogAppendTime') stampTimestamp(env.compute, bytes, 0, 'LogAppendTime', nowMs);
  else if (timestampTypeOf(bytes, 0) === 'LogAppendTime' || maxTimestampOf(bytes, 0) !== walk.maxTimestamp)
    stampTimestamp(env.compute, bytes, 0, 'CreateTime', walk.maxTimestamp);
  const logAppendTimeMs = limits.timestampType === 'LogAppendTime' ? nowMs : -1;
  const offsetDelta = logAppendTimeMs === -1 ? Math.max(walk.offsetDeltaOfMaxTimestamp, 0) : 0;
  const target =
    limits.compressionType === 'producer' ? source : limits.compressionType === 'uncompressed' ? 'none' : limits.compressionType;
  if (target === source && isReadByEveryClient(source, bytes.subarray(RECORD_BATCH_OVERHEAD)))
    return preparedBatch(bytes, offsetDelta, logAppendTimeMs);
  return recompress(bytes, plain, target, limits, env, (made) => preparedBatch(made, offsetDelta, logAppendTimeMs));
}

function recompress(
  bytes: Buffer,
  plain: Buffer,
  target: RecordCodec,
  limits: PrepareLimits,
  env: PrepareEnv,
  done: (made: Buffer) => PreparedBatch,
): PreparedBatch | Promise<PreparedBatch> {
  const level = target === 'none' || target === 'snappy' ? undefined : limits.compressionLevels[target];
  const wrap = (records: Buffer): PreparedBatch => {
    const made = withRecords(env.compute, bytes, records, codecBitsOf(target));
    if (made.length > limits.maxMessageBytes)
      throw new KafkaError(
        'MESSAGE_TOO_LARGE',
        `as ${target} the record batch has ${made.length} bytes, this topic takes ${limits.maxMessageBytes}`,
      );
    return done(made);
  };
  const records = compressRecords(env.compute, target, plain, level);
  return records instanceof Promise ? records.then(wrap) : wrap(records);
}

function invalidRecords(walk: RecordWalk): InvalidRecordsError {
  if (walk.anyInvalidTimestamp)
    return new InvalidRecordsError(
      'INVALID_TIMESTAMP',
      'One or more records have been rejected due to invalid timestamp',
      walk.recordErrors,
    );
  const message = `${walk.recordErrorCount} records were refused: ${walk.recordErrors[0]?.message ?? ''}`;
  return new InvalidRecordsError('INVALID_RECORD', message, walk.recordErrors);
}

function preparedBatch(bytes: Buffer, offsetDeltaOfMaxTimestamp: number, logAppendTimeMs: number): PreparedBatch {
  return {
    bytes,
    sizeInBytes: bytes.length,
    recordCount: recordCountOf(bytes, 0),
    lastOffsetDelta: lastOffsetDeltaOf(bytes, 0),
    baseTimestamp: baseTimestampOf(bytes, 0),
    maxTimestamp: maxTimestampOf(bytes, 0),
    offsetDeltaOfMaxTimestamp,
    producerId: producerIdOf(bytes, 0),
    producerEpoch: producerEpochOf(bytes, 0),
    baseSequence: baseSequenceOf(bytes, 0),
    lastSequence: lastSequenceOf(bytes, 0),
    isTransactional: isTransactional(bytes, 0),
    isControl: isControl(bytes, 0),
    isCompressed: isCompressed(bytes, 0),
    logAppendTimeMs,
  };
}
