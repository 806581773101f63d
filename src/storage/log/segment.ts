// One segment of a partition: the batches from its base offset up to the next segment's, in one file, with the sparse
// indexes that lead into it. Arithmetic and memory only; the partition log decides when it grows, the commit writes it.
import { join } from 'node:path';
import type { TopicConfig } from '../../config/topic-configs.ts';
import { offsetFileName, type FileMark } from './log-names.ts';
import { OffsetIndex } from './offset-index.ts';
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

export type SegmentLimits = Pick<TopicConfig, 'segment.bytes' | 'segment.ms' | 'segment.index.bytes'>;

export interface Indexes {
  readonly offsets: OffsetIndex;
  readonly times: TimeIndex;
}

const OFFSET_INDEX_ENTRY_BYTES = 8;
const TIME_INDEX_ENTRY_BYTES = 12;
const MAX_RELATIVE_OFFSET = 2 ** 31 - 1;

export class Segment {
  readonly baseOffset: number;
  readonly directory: string;
  /** Of a segment that the cleaner has made, until it has taken its place: the name it has meanwhile. */
  path: string;
  readonly indexIntervalBytes: number;
  /** Wall clock when it was made; stands in for the first timestamp while it is empty. */
  readonly createdMs: number;
  /** Where the next batch goes: the end of the file once all that is staged is written. */
  bytes = 0;
  /** The name of the file is durable. */
  named = false;
  /** No longer part of the log: under its path may lie nothing, or another topic's file. What is read from it does not count. */
  gone = false;
  firstTimestampMs = -1;
  /** Of a segment that was not walked, known with its indexes. */
  maxTimestamp = -1;
  offsetOfMaxTimestamp = -1;
  /** In memory for the active segment, and for those lately read. */
  indexes: Indexes | undefined;
  /** The aborted transactions whose markers lie in the segment; always in memory, undefined while there are none. */
  aborted: TransactionIndex | undefined;
  /** The files beside the segment say what the indexes say. */
  indexFilesCurrent = false;
  #bytesSinceIndexEntry = 0;

  constructor(options: { directory: string; baseOffset: number; createdMs: number; indexIntervalBytes: number; mark?: FileMark }) {
    this.baseOffset = options.baseOffset;
    this.directory = options.directory;
    this.path = join(options.directory, offsetFileName(options.baseOffset, '.log', options.mark));
    this.createdMs = options.createdMs;
    this.indexIntervalBytes = options.indexIntervalBytes;
  }

  /** An empty one in the same place. */
  likeNew(): Segment {
    const { directory, baseOffset, createdMs, indexIntervalBytes } = this;
    return new Segment({ directory, baseOffset, createdMs, indexIntervalBytes });
  }

  startIndexes(): void {
    this.indexes = { offsets: new OffsetIndex(this.baseOffset), times: new TimeIndex(this.baseOffset) };
  }

  /** Indexes as their files have them. */
  takeIndexes(indexes: Indexes): void {
    this.indexes = indexes;
    this.indexFilesCurrent = true;
    const { timestamp, offset } = indexes.times.lastEntry;
    if (timestamp <= this.maxTimestamp) return;
    this.maxTimestamp = timestamp;
    this.offsetOfMaxTimestamp = offset;
  }

  noteAborted(transaction: AbortedTransaction): void {
    this.aborted ??= new TransactionIndex(this.baseOffset);
    this.aborted.append(transaction);
  }

  /** Must the batch go into a new segment? By size, by age, by the room of an index entry's 31 bits, by full indexes. */
  mustRollFor(batch: BatchPlace, limits: SegmentLimits, nowMs: number): boolean {
    if (batch.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET) return true;
    if (this.bytes === 0) return false;
    if (this.bytes + batch.bytes > limits['segment.bytes']) return true;
    const waitedMs =
      this.firstTimestampMs >= 0 && batch.maxTimestamp >= 0 ? batch.maxTimestamp - this.firstTimestampMs : nowMs - this.createdMs;
    if (waitedMs > limits['segment.ms']) return true;
    const { indexes } = this;
    if (indexes === undefined) return false;
    return (
      indexes.offsets.bytes + OFFSET_INDEX_ENTRY_BYTES > limits['segment.index.bytes'] ||
      indexes.times.bytes + 2 * TIME_INDEX_ENTRY_BYTES > limits['segment.index.bytes']
    );
  }

  /** Takes the batch in behind the last; returns its position. The same call replays a file. */
  append(batch: BatchPlace): number {
    const position = this.bytes;
    if (batch.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = batch.maxTimestamp;
      this.offsetOfMaxTimestamp = batch.offsetOfMaxTimestamp;
    }
    if (this.firstTimestampMs < 0) this.firstTimestampMs = batch.maxTimestamp;
    if (this.#bytesSinceIndexEntry > this.indexIntervalBytes) {
      this.indexes?.offsets.append(batch.lastOffset, position);
      this.indexes?.times.maybeAppend(this.maxTimestamp, this.offsetOfMaxTimestamp);
      this.#bytesSinceIndexEntry = 0;
    }
    this.#bytesSinceIndexEntry += batch.bytes;
    this.bytes += batch.bytes;
    this.indexFilesCurrent = false;
    return position;
  }
}
