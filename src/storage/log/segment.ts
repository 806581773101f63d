// One segment of a partition: the batches from its base offset up to the next segment's, in one file, with the sparse
// indexes that lead into it. Arithmetic and memory only; the partition log decides when it grows, the commit writes it.
import { join } from 'node:path';
import { OffsetIndex } from './offset-index.ts';
import { offsetFileName } from './log-names.ts';
import { TimeIndex } from './time-index.ts';
import { TransactionIndex, type AbortedTransaction } from './transaction-index.ts';

/** What the segment must know of a batch. */
export interface BatchPlace {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly bytes: number;
  readonly maxTimestamp: number;
  readonly offsetOfMaxTimestamp: number;
}

export interface SegmentLimits {
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly indexIntervalBytes: number;
  readonly segmentIndexBytes: number;
}

const OFFSET_INDEX_ENTRY_BYTES = 8;
const TIME_INDEX_ENTRY_BYTES = 12;
const MAX_RELATIVE_OFFSET = 2 ** 31 - 1;

export class Segment {
  readonly baseOffset: number;
  readonly path: string;
  /** Where the next batch goes: the end of the file once all that is staged is written. */
  bytes = 0;
  /** The name of the file is durable. */
  named = false;
  /** Wall clock when it was made; stands in for the first timestamp while it is empty. */
  readonly createdMs: number;
  firstTimestampMs = -1;
  maxTimestamp = -1;
  offsetOfMaxTimestamp = -1;
  /** Loaded for the active segment and for those lately read. */
  indexes: { offsets: OffsetIndex; times: TimeIndex } | undefined;
  /** The aborted transactions whose markers lie in this segment; undefined while there are none. */
  aborted: TransactionIndex | undefined;
  #bytesSinceIndexEntry = 0;

  constructor(options: { directory: string; baseOffset: number; createdMs: number }) {
    this.baseOffset = options.baseOffset;
    this.path = join(options.directory, offsetFileName(options.baseOffset, '.log'));
    this.createdMs = options.createdMs;
  }

  noteAborted(transaction: AbortedTransaction): void {
    this.aborted ??= new TransactionIndex(this.baseOffset);
    this.aborted.append(transaction);
  }

  startIndexes(): void {
    this.indexes = { offsets: new OffsetIndex(this.baseOffset), times: new TimeIndex(this.baseOffset) };
  }

  /** Must the batch go into a new segment? By size, by age, by the room of an index entry's 31 bits, by full indexes. */
  mustRollFor(batch: BatchPlace, limits: SegmentLimits, nowMs: number): boolean {
    if (this.bytes === 0) return batch.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET;
    if (this.bytes + batch.bytes > limits.segmentBytes) return true;
    if (batch.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET) return true;
    const waitedMs =
      this.firstTimestampMs >= 0 && batch.maxTimestamp >= 0 ? batch.maxTimestamp - this.firstTimestampMs : nowMs - this.createdMs;
    if (waitedMs > limits.segmentMs) return true;
    const indexes = this.indexes;
    if (indexes === undefined) return false;
    return (
      indexes.offsets.bytes + OFFSET_INDEX_ENTRY_BYTES > limits.segmentIndexBytes ||
      indexes.times.bytes + 2 * TIME_INDEX_ENTRY_BYTES > limits.segmentIndexBytes
    );
  }

  /** Takes the batch in behind the last; returns its position. The same call replays a file. */
  append(batch: BatchPlace, indexIntervalBytes: number): number {
    const position = this.bytes;
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = batch.maxTimestamp;
      this.offsetOfMaxTimestamp = batch.offsetOfMaxTimestamp;
    }
    if (this.firstTimestampMs < 0) this.firstTimestampMs = batch.maxTimestamp;
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      this.indexes?.offsets.append(batch.lastOffset, position);
      this.indexes?.times.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp);
      this.#bytesSinceIndexEntry = 0;
    }
    this.#bytesSinceIndexEntry += batch.bytes;
    this.bytes += batch.bytes;
    return position;
  }
}
