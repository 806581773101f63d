// Reads one segment's file: the batches behind an offset, the record behind a timestamp. Finds its way by the sparse
// indexes, then by the batch headers; nothing here knows what else the log holds.
import { KafkaError } from '../../protocol/errors.ts';
import {
  baseOffsetOf,
  lastOffsetOf,
  magicOf,
  maxTimestampOf,
  partitionLeaderEpochOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../../protocol/record-batch.ts';
import { decodeRecords } from '../../protocol/record-batch-records.ts';
import { indexesOf, rebuildIndexes, type IndexSurroundings } from './index-files.ts';
import type { Segment } from './segment.ts';

export interface OffsetAtTimestamp {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export interface BatchesRead {
  /** Whole batches, one after the other. */
  readonly bytes: Buffer;
  /** Exclusive; meaningless when there are no bytes. */
  readonly endOffset: number;
}

const NOTHING: BatchesRead = { bytes: Buffer.alloc(0), endOffset: -1 };
const FIRST_READ_BYTES = 64 * 1024;

export interface BatchesWanted {
  readonly from: number;
  /** Exclusive: a batch that reaches over it is left out. */
  readonly upTo: number;
  readonly maxBytes: number;
  readonly atLeastOneBatch: boolean;
}

/** Whole batches from the one that holds `from`, or the first behind it (compaction leaves gaps); empty when there is none. */
export async function readBatches(around: IndexSurroundings, segment: Segment, wanted: BatchesWanted): Promise<BatchesRead> {
  const position = (await indexesOf(around, segment)).offsets.lookup(wanted.from);
  try {
    return await readBatchesFrom(around, segment, position, wanted);
  } catch (thrown) {
    if (!(thrown instanceof NoBatchThereError)) throw thrown;
    if (position === 0 || !segment.indexFilesCurrent) throw new KafkaError('KAFKA_STORAGE_ERROR', thrown.message);
    // The index led astray: it is made again from the segment, and if that does not help it is the segment that is damaged.
    around.log.warn('an index does not fit its segment and is made again', { segment: segment.path, why: thrown.message });
    segment.indexes = await rebuildIndexes(around, segment);
    segment.indexFilesCurrent = false;
    return readBatches(around, segment, wanted);
  }
}

/** What stands in the file is not a batch, or not one that an index entry can have meant. */
class NoBatchThereError extends Error {
  override readonly name = 'NoBatchThereError';
}

async function readBatchesFrom(
  around: IndexSurroundings,
  segment: Segment,
  startPosition: number,
  wanted: BatchesWanted,
): Promise<BatchesRead> {
  const { from, upTo, maxBytes } = wanted;
  if (from >= upTo) return NOTHING;
  const endBytes = segment.bytes;
  let position = startPosition;
  let readBytes = Math.max(maxBytes, FIRST_READ_BYTES);
  while (position < endBytes) {
    const buffer = Buffer.allocUnsafe(Math.min(readBytes, endBytes - position));
    const filled = await around.openFiles.use(segment.path, (handle) => handle.read(buffer, position));
    let start = -1;
    let at = 0;
    let endOffset = from;
    const found = (): BatchesRead => (start < 0 ? NOTHING : { bytes: buffer.subarray(start, at), endOffset });
    while (at + RECORD_BATCH_OVERHEAD <= filled) {
      const bytes = checkedSize(segment, buffer, at, position);
      const lastOffset = lastOffsetOf(buffer, at);
      if (position + at === startPosition && startPosition > 0 && baseOffsetOf(buffer, at) > from) {
        throw new NoBatchThereError(`${segment.path} has offset ${baseOffsetOf(buffer, at)} at byte ${position + at}, behind ${from}`);
      }
      if (lastOffset >= upTo) return found();
      if (lastOffset >= from) {
        if (start < 0 && bytes > maxBytes && !wanted.atLeastOneBatch) return NOTHING;
        if (start >= 0 && at + bytes - start > maxBytes) return found();
        if (at + bytes > filled) {
          if (start >= 0) return found();
          readBytes = Math.max(readBytes, bytes);
          break;
        }
        if (start < 0) start = at;
        endOffset = lastOffset + 1;
      } else if (at + bytes > filled) {
        at += bytes; // the wanted one lies behind it: skip what was not read of this one
        break;
      }
      at += bytes;
    }
    if (start >= 0) return found();
    // What has not reached the file yet lies behind `upTo`, and that was not reached.
    if (filled < buffer.length) throw new NoBatchThereError(`${segment.path} ends at byte ${position + filled}, below offset ${upTo}`);
    if (at === 0 && buffer.length === endBytes - position) return NOTHING;
    position += at;
  }
  return NOTHING;
}

/** The first record at or after the timestamp with an offset in [from, upTo). */
export async function findTimestamp(
  around: IndexSurroundings,
  segment: Segment,
  wanted: { timestamp: number; from: number; upTo: number },
): Promise<OffsetAtTimestamp | undefined> {
  const { times } = await indexesOf(around, segment);
  const startOffset = Math.max(wanted.from, times.lookup(wanted.timestamp).offset);
  return walkBatches(around, segment, { from: startOffset, upTo: wanted.upTo }, async (batch) => {
    if (maxTimestampOf(batch, 0) < wanted.timestamp) return undefined;
    for (const { offset, timestamp } of await decodeRecords(around.env.compute, batch, MAX_DECOMPRESSED_BYTES)) {
      if (timestamp >= wanted.timestamp && offset >= wanted.from && offset < wanted.upTo) {
        return { offset, timestamp, leaderEpoch: partitionLeaderEpochOf(batch, 0) };
      }
    }
    return undefined;
  });
}

/** The first record that carries the largest timestamp among those with an offset in [from, upTo). */
export async function findMaxTimestamp(
  around: IndexSurroundings,
  segment: Segment,
  wanted: { from: number; upTo: number },
): Promise<OffsetAtTimestamp | undefined> {
  let best: OffsetAtTimestamp | undefined;
  await walkBatches(around, segment, wanted, async (batch) => {
    if (maxTimestampOf(batch, 0) <= (best?.timestamp ?? -1)) return undefined;
    for (const { offset, timestamp } of await decodeRecords(around.env.compute, batch, MAX_DECOMPRESSED_BYTES)) {
      if (timestamp > (best?.timestamp ?? -1) && offset >= wanted.from && offset < wanted.upTo) {
        best = { offset, timestamp, leaderEpoch: partitionLeaderEpochOf(batch, 0) };
      }
    }
    return undefined;
  });
  return best;
}

/** Batches come in compressed; they were walked in decompressed form when they were produced, under the same bound. */
const MAX_DECOMPRESSED_BYTES = 1024 * 1024 * 1024;

async function walkBatches<Result>(
  around: IndexSurroundings,
  segment: Segment,
  range: { from: number; upTo: number },
  visit: (batch: Buffer) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  let from = range.from;
  for (;;) {
    const { bytes: buffer } = await readBatches(around, segment, {
      from,
      upTo: range.upTo,
      maxBytes: FIRST_READ_BYTES,
      atLeastOneBatch: true,
    });
    if (buffer.length === 0) return undefined;
    for (let at = 0; at < buffer.length; at += sizeInBytesOf(buffer, at)) {
      const found = await visit(buffer.subarray(at, at + sizeInBytesOf(buffer, at)));
      if (found !== undefined) return found;
      from = lastOffsetOf(buffer, at) + 1;
    }
  }
}

function checkedSize(segment: Segment, buffer: Buffer, at: number, position: number): number {
  const bytes = sizeInBytesOf(buffer, at);
  if (magicOf(buffer, at) === 2 && bytes >= RECORD_BATCH_OVERHEAD) return bytes;
  throw new NoBatchThereError(`${segment.path} holds no batch at byte ${position + at}`);
}
