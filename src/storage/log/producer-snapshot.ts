// Producer state on disk: Kafka's `<offset>.snapshot`, which keeps the last batch of every producer, and beside it our
// `<offset>.producers` with the last five, so that after a restart a resend of any of them is still recognised.
// File forms only. Kafka ignores our file; a broker that finds only Kafka's loses no more than Kafka does.
import { DamagedFileError } from '../damaged-file.ts';
import { int64At } from '../../protocol/reader.ts';
import { putInt64 } from '../../protocol/writer.ts';
import { viewOf } from './offset-index.ts';
import type { RetainedBatch, StoredProducer } from './producer-state.ts';

// .snapshot (records/files.json, ProducerSnapshot; the CRC covers what follows it)
//  0         2        6               10
//  | version | CRC-   | number of     | entries of 46 bytes: producer id, epoch, last sequence, last offset, offset delta,
//  | int16 1 | 32C    | entries int32 | timestamp, coordinator epoch, first offset of the open transaction
const SNAPSHOT_VERSION = 1;
const SNAPSHOT_HEAD_BYTES = 10;
const SNAPSHOT_ENTRY_BYTES = 46;

// .producers (ours; the CRC covers what follows it)
//  0         2        6                10            14
//  | version | CRC-   | CRC of the     | number of     | entries of 11 bytes and more: producer id, epoch, number of batches as int8,
//  | int16 1 | 32C    | .snapshot      | entries int32 | each of 24 bytes: last sequence, last offset, offset delta, max timestamp
const BATCHES_VERSION = 1;
const BATCHES_HEAD_BYTES = 14;
const BATCHES_ENTRY_BYTES = 11;
const BATCH_BYTES = 24;

const CRC_AT = 2;
const CRC_FROM = 6;
const NONE = -1;
const MAX_INT32 = 0x7fff_ffff;

/** CRC-32C of the bytes, unsigned. */
export type Crc32c = (bytes: Uint8Array) => number;

/** A snapshot cannot be used; an older one, or the log itself, has to tell the producers' state. */
export class DamagedSnapshotError extends DamagedFileError {
  override readonly name = 'DamagedSnapshotError';

  constructor(file: string, why: string) {
    super(file, why, 'take the snapshot before it, or replay the log');
  }
}

export interface EncodedProducers {
  /** Of `<offset>.snapshot`. */
  readonly snapshot: Buffer;
  /** Of `<offset>.producers`; undefined when the snapshot holds all there is to know, and no such file is needed. */
  readonly batches: Buffer | undefined;
}

/** Both files. The two belong together: `batches` is read only beside the very snapshot it was made with. */
export function encodeProducers(producers: Iterable<StoredProducer>, crc32c: Crc32c): EncodedProducers {
  const all = [...producers];
  const snapshot = Buffer.alloc(SNAPSHOT_HEAD_BYTES + all.length * SNAPSHOT_ENTRY_BYTES);
  snapshot.writeInt16BE(SNAPSHOT_VERSION, 0);
  snapshot.writeInt32BE(all.length, CRC_FROM);
  const view = viewOf(snapshot);
  let at = SNAPSHOT_HEAD_BYTES;
  for (const producer of all) {
    const last = producer.batches.at(-1);
    putInt64(view, at, producer.producerId);
    snapshot.writeInt16BE(producer.producerEpoch, at + 8);
    snapshot.writeInt32BE(last?.lastSequence ?? NONE, at + 10);
    putInt64(view, at + 14, last?.lastOffset ?? NONE);
    snapshot.writeInt32BE(last ? last.lastOffset - last.baseOffset : 0, at + 22);
    putInt64(view, at + 26, producer.lastTimestamp);
    snapshot.writeInt32BE(producer.coordinatorEpoch, at + 34);
    putInt64(view, at + 38, producer.currentTransactionFirstOffset);
    at += SNAPSHOT_ENTRY_BYTES;
  }
  const snapshotCrc = crc32c(snapshot.subarray(CRC_FROM));
  snapshot.writeUInt32BE(snapshotCrc, CRC_AT);
  return { snapshot, batches: encodeBatches(all, snapshotCrc, crc32c) };
}

function encodeBatches(all: readonly StoredProducer[], snapshotCrc: number, crc32c: Crc32c): Buffer | undefined {
  const producers = all.filter((producer) => producer.batches.length > 1);
  if (producers.length === 0) return undefined;
  const batchCount = producers.reduce((sum, producer) => sum + producer.batches.length, 0);
  const bytes = Buffer.alloc(BATCHES_HEAD_BYTES + producers.length * BATCHES_ENTRY_BYTES + batchCount * BATCH_BYTES);
  bytes.writeInt16BE(BATCHES_VERSION, 0);
  bytes.writeUInt32BE(snapshotCrc, CRC_FROM);
  bytes.writeInt32BE(producers.length, CRC_FROM + 4);
  const view = viewOf(bytes);
  let at = BATCHES_HEAD_BYTES;
  for (const { producerId, producerEpoch, batches } of producers) {
    putInt64(view, at, producerId);
    bytes.writeInt16BE(producerEpoch, at + 8);
    bytes.writeInt8(batches.length, at + 10);
    at += BATCHES_ENTRY_BYTES;
    for (const batch of batches) {
      bytes.writeInt32BE(batch.lastSequence, at);
      putInt64(view, at + 4, batch.lastOffset);
      bytes.writeInt32BE(batch.lastOffset - batch.baseOffset, at + 12);
      putInt64(view, at + 16, batch.maxTimestamp);
      at += BATCH_BYTES;
    }
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(CRC_FROM)), CRC_AT);
  return bytes;
}

/**
 * The producers of a `.snapshot`, each with at most its last batch.
 * @throws DamagedSnapshotError
 */
export function decodeProducerSnapshot(bytes: Buffer, file: string, crc32c: Crc32c): StoredProducer<never>[] {
  const count = checkHead(bytes, { file, version: SNAPSHOT_VERSION, headBytes: SNAPSHOT_HEAD_BYTES }, crc32c);
  if (bytes.length !== SNAPSHOT_HEAD_BYTES + count * SNAPSHOT_ENTRY_BYTES)
    throw new DamagedSnapshotError(file, `it should hold ${count} entries, but has ${bytes.length} bytes`);
  const producers: StoredProducer<never>[] = [];
  const view = viewOf(bytes);
  for (let at = SNAPSHOT_HEAD_BYTES; at < bytes.length; at += SNAPSHOT_ENTRY_BYTES) {
    const lastOffset = int64At(view, at + 14);
    const lastTimestamp = int64At(view, at + 26);
    const last = {
      lastSequence: bytes.readInt32BE(at + 10),
      lastOffset,
      offsetDelta: bytes.readInt32BE(at + 22),
      maxTimestamp: lastTimestamp,
    };
    producers.push({
      producerId: int64At(view, at),
      producerEpoch: bytes.readInt16BE(at + 8),
      coordinatorEpoch: bytes.readInt32BE(at + 34),
      lastTimestamp,
      currentTransactionFirstOffset: Math.max(NONE, int64At(view, at + 38)),
      batches: lastOffset < 0 ? [] : [retained(last)],
    });
  }
  return producers;
}

/**
 * The same producers, with all the batches that the `.producers` file beside that snapshot remembers.
 * @throws DamagedSnapshotError when the file is damaged or belongs to another snapshot; the snapshot by itself still holds
 */
export function addRetainedBatches(
  producers: readonly StoredProducer<never>[],
  files: { readonly snapshot: Buffer; readonly batches: Buffer; readonly name: string },
  crc32c: Crc32c,
): StoredProducer<never>[] {
  const { batches: bytes, name: file } = files;
  const count = checkHead(bytes, { file, version: BATCHES_VERSION, headBytes: BATCHES_HEAD_BYTES }, crc32c);
  // Kafka may have opened the directory in between, cut the log and written another snapshot for the same offset.
  if (bytes.readUInt32BE(CRC_FROM) !== files.snapshot.readUInt32BE(CRC_AT))
    throw new DamagedSnapshotError(file, 'it was not written together with the snapshot beside it');
  const known = new Map<number, RetainedBatch<never>[]>();
  const view = viewOf(bytes);
  let at = BATCHES_HEAD_BYTES;
  for (let entry = 0; entry < count; entry++) {
    const batchCount = at + BATCHES_ENTRY_BYTES <= bytes.length ? bytes.readInt8(at + 10) : NONE;
    const end = at + BATCHES_ENTRY_BYTES + batchCount * BATCH_BYTES;
    if (batchCount < 0 || end > bytes.length) throw new DamagedSnapshotError(file, `entry ${entry} of ${count} is cut off`);
    const batches: RetainedBatch<never>[] = [];
    known.set(int64At(view, at), batches);
    for (at += BATCHES_ENTRY_BYTES; at < end; at += BATCH_BYTES)
      batches.push(
        retained({
          lastSequence: bytes.readInt32BE(at),
          lastOffset: int64At(view, at + 4),
          offsetDelta: bytes.readInt32BE(at + 12),
          maxTimestamp: int64At(view, at + 16),
        }),
      );
  }
  if (at !== bytes.length) throw new DamagedSnapshotError(file, `${bytes.length - at} bytes follow its ${count} entries`);
  return producers.map((producer) => ({ ...producer, batches: known.get(producer.producerId) ?? producer.batches }));
}

/** The number of entries. @throws DamagedSnapshotError */
function checkHead(
  bytes: Buffer,
  { file, version, headBytes }: { file: string; version: number; headBytes: number },
  crc32c: Crc32c,
): number {
  if (bytes.length < headBytes) throw new DamagedSnapshotError(file, `it has ${bytes.length} bytes, its head alone takes ${headBytes}`);
  const found = bytes.readInt16BE(0);
  if (found !== version) throw new DamagedSnapshotError(file, `it has version ${found}, known is ${version}`);
  const stored = bytes.readUInt32BE(CRC_AT);
  const computed = crc32c(bytes.subarray(CRC_FROM));
  if (stored !== computed) throw new DamagedSnapshotError(file, `it has CRC ${computed}, but carries ${stored}`);
  const count = bytes.readInt32BE(headBytes - 4);
  if (count < 0) throw new DamagedSnapshotError(file, `it claims ${count} entries`);
  return count;
}

/** Sequences count down across 0 as they count up across 2^31 - 1; a batch without sequences (-1) has none at either end. */
function retained(batch: { lastSequence: number; lastOffset: number; offsetDelta: number; maxTimestamp: number }): RetainedBatch<never> {
  const { lastSequence, lastOffset, offsetDelta, maxTimestamp } = batch;
  const first = lastSequence - offsetDelta;
  return {
    baseSequence: lastSequence < 0 ? NONE : first < 0 ? first + MAX_INT32 + 1 : first,
    lastSequence,
    baseOffset: lastOffset - offsetDelta,
    lastOffset,
    maxTimestamp,
    commit: undefined,
  };
}
