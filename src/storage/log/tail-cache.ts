// The newest batches of all partitions, kept in memory: consumers that keep up never touch the disk. What is staged
// must be held until it is written anyway; the cache keeps it a while longer, bounded in bytes over all partitions,
// the oldest given up first.
import { joinNeighbours, type Slabs } from '../../base/buffers.ts';

export interface CachedBatch {
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  /** The batch as it is in the file; immutable once staged. */
  readonly bytes: Buffer;
}

/**
 * Batches up to this size are copied together into slabs, which are used again; a larger one keeps the buffer its frame was
 * assembled in, and leaves it to the garbage collector.
 */
const COPY_BELOW_BYTES = 128 * 1024;

/** Of all partitions that hold nothing; never written to. */
const NONE: CachedBatch[] = [];

export class TailCache {
  readonly #limitBytes: number;
  readonly #slabs: Slabs;
  /** Which partition holds the oldest batch, the second oldest, ...; a ring of references in order of arrival. */
  #order: PartitionTail[] = [];
  #orderHead = 0;
  #bytes = 0;

  constructor(options: { limitBytes: number; slabs: Slabs }) {
    this.#limitBytes = options.limitBytes;
    this.#slabs = options.slabs;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes, in a buffer that pins no more than they are worth. */
  own(bytes: Buffer): Buffer {
    if (bytes.length <= COPY_BELOW_BYTES) return this.#slabs.copy(bytes);
    // A slice of a buffer that carries much besides it would keep all of that alive.
    return bytes.length * 2 < bytes.buffer.byteLength ? Buffer.from(bytes) : bytes;
  }

  added(tail: PartitionTail, bytes: number): void {
    this.#order.push(tail);
    this.#bytes += bytes;
  }

  /** The batch goes to a reader, who may look at it for as long as its client takes to receive it. */
  lend({ bytes }: CachedBatch): void {
    this.#slabs.lend(bytes);
  }

  /** The batch is in its file, and nobody here will look at it again. */
  giveBack({ bytes }: CachedBatch): void {
    this.#slabs.giveBack(bytes);
  }

  /** So many bytes less are held: a log has given up batches by itself. */
  released(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Forgets a batch of a log that was dropped, or reopened; a write of it may still be under way. */
  abandon(batch: CachedBatch): void {
    this.#bytes -= batch.bytes.length;
    this.lend(batch);
    this.giveBack(batch);
  }

  /** Gives up the oldest batches until the bound holds; what is not in a file yet stays. */
  trim(): void {
    let scanned = 0;
    while (this.#bytes > this.#limitBytes && this.#orderHead < this.#order.length && scanned < 1024) {
      const tail = this.#order[this.#orderHead] as PartitionTail;
      const given = tail.giveUpOldest();
      if (given < 0) {
        // Its oldest is still being written: it goes to the back of the order, its turn comes again.
        this.#order.push(tail);
        scanned += 1;
      }
      this.#orderHead += 1;
      if (given > 0) this.#bytes -= given;
    }
    if (this.#orderHead > 1024 && this.#orderHead * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#orderHead);
      this.#orderHead = 0;
    }
  }
}

/** The part of one partition: its newest batches without a gap, the last of which ends at the log end. */
export class PartitionTail {
  readonly #cache: TailCache;
  /** Shared while there are none, as most partitions are idle. */
  #batches: CachedBatch[] = NONE;
  #head = 0;
  /** Batches that end at or before this offset are in the file. */
  #writtenTo: number;

  constructor(cache: TailCache, endOffset: number) {
    this.#cache = cache;
    this.#writtenTo = endOffset;
  }

  /** The first offset held, or Infinity when nothing is. */
  get startOffset(): number {
    return this.#batches[this.#head]?.baseOffset ?? Infinity;
  }

  add(batch: CachedBatch): void {
    if (this.#batches === NONE) this.#batches = [];
    this.#batches.push(batch);
    this.#cache.added(this, batch.bytes.length);
  }

  written(endOffset: number): void {
    this.#writtenTo = endOffset;
    this.#cache.trim();
  }

  /** Bytes given up; 0 when nothing is held; -1 when the oldest is not written yet. */
  giveUpOldest(): number {
    const oldest = this.#batches[this.#head];
    if (oldest === undefined) return 0;
    if (oldest.endOffset > this.#writtenTo) return -1;
    this.#cache.giveBack(oldest);
    this.#batches[this.#head] = undefined as never; // let go of the bytes now, of the slot later
    this.#head += 1;
    if (this.#head === this.#batches.length) {
      this.#batches = NONE;
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    }
    return oldest.bytes.length;
  }

  /** Forgets everything (the log was reopened or dropped). */
  clear(endOffset: number): void {
    for (let index = this.#head; index < this.#batches.length; index += 1) this.#cache.abandon(this.#batches[index] as CachedBatch);
    this.#batches = NONE;
    this.#head = 0;
    this.#writtenTo = endOffset;
  }

  /** Forgets what ends at or before the offset: the files hold less of it now. */
  forgetBelow(offset: number): void {
    let bytes = 0;
    for (let oldest = this.#batches[this.#head]; oldest !== undefined && oldest.endOffset <= offset; oldest = this.#batches[this.#head]) {
      const given = this.giveUpOldest();
      if (given < 0) break; // not written yet, and so in no segment that is full
      bytes += given;
    }
    this.#cache.released(bytes);
  }

  /**
   * Whole batches from the one that holds `from` (>= startOffset) up to `upTo` (exclusive), within `maxBytes`; with
   * `atLeastOneBatch` the first comes whatever its size.
   */
  read(from: number, upTo: number, maxBytes: number, atLeastOneBatch: boolean): { buffers: Buffer[]; bytes: number; endOffset: number } {
    let low = this.#head;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle] as CachedBatch).endOffset <= from) low = middle + 1;
      else high = middle;
    }
    const buffers: Buffer[] = [];
    let bytes = 0;
    let endOffset = from;
    for (let index = low; index < this.#batches.length; index += 1) {
      const batch = this.#batches[index] as CachedBatch;
      if (batch.endOffset > upTo) break;
      if (bytes + batch.bytes.length > maxBytes && !(atLeastOneBatch && bytes === 0)) break;
      this.#cache.lend(batch);
      buffers.push(batch.bytes);
      bytes += batch.bytes.length;
      endOffset = batch.endOffset;
    }
    // A megabyte of tiny batches is not five thousand buffers for the socket.
    return { buffers: joinNeighbours(buffers), bytes, endOffset };
  }
}
