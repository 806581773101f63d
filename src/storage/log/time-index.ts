// A segment's time index: the largest timestamp so far and the offset that brought it, about once every
// `index.interval.bytes` and once more when the segment is closed. Memory and file form only, as with the offset index.
import { invariant } from '../../base/invariant.ts';
import { int64At } from '../../protocol/reader.ts';
import { putInt64 } from '../../protocol/writer.ts';
import { DamagedIndexError, entriesBeforeZeros, viewOf } from './offset-index.ts';

//  0           8                 12
//  | timestamp | relative offset |   an entry: records up to the offset have no larger timestamp
//  | int64     | int32           |
const ENTRY_BYTES = 12;
const FIRST_CAPACITY = 8;
const MAX_INT32 = 0x7fff_ffff;
const NO_TIMESTAMP = -1;

/** A timestamp in ms since 1970 (-1: none) and the offset it was seen at. */
export interface TimestampOffset {
  readonly timestamp: number;
  readonly offset: number;
}

export class TimeIndex {
  readonly baseOffset: number;
  /** Absent until the first entry, as most partitions are idle. */
  #timestamps: Float64Array | undefined;
  #relativeOffsets: Int32Array | undefined;
  #count = 0;

  constructor(baseOffset: number) {
    this.baseOffset = baseOffset;
  }

  /** Entries held. */
  get count(): number {
    return this.#count;
  }

  /** Size of the whole file form. */
  get bytes(): number {
    return this.#count * ENTRY_BYTES;
  }

  /** { -1, base offset } when there is none. */
  get lastEntry(): TimestampOffset {
    return this.#entryBefore(this.#count);
  }

  /**
   * Adds an entry when `timestamp` is larger than that of the last; returns whether it did. The segment passes its
   * largest timestamp so far, so neither value may fall below the last entry's.
   */
  maybeAppend(timestamp: number, offset: number): boolean {
    // Of a segment without timestamps, or without batches: there is no offset either.
    if (timestamp <= NO_TIMESTAMP) return false;
    const last = this.#count - 1;
    const relative = offset - this.baseOffset;
    invariant(relative >= 0 && relative <= MAX_INT32, 'an index entry lies within 2^31 - 1 offsets of its base');
    invariant(last < 0 || relative >= this.#relativeOffset(last), 'time index offsets do not descend');
    invariant(last < 0 || timestamp >= this.#timestamp(last), 'time index timestamps do not descend');
    if (timestamp <= (last < 0 ? NO_TIMESTAMP : this.#timestamp(last))) return false;
    this.#makeRoom();
    if (this.#timestamps) this.#timestamps[this.#count] = timestamp;
    if (this.#relativeOffsets) this.#relativeOffsets[this.#count] = relative;
    this.#count++;
    return true;
  }

  /** The last entry whose timestamp is not above `timestamp`: no record before its offset is younger. { -1, base offset } when there is none. */
  lookup(timestamp: number): TimestampOffset {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestamp(middle) <= timestamp) low = middle + 1;
      else high = middle;
    }
    return this.#entryBefore(low);
  }

  /** Forgets entries at `offset` and above. */
  truncateTo(offset: number): void {
    const relative = offset - this.baseOffset;
    while (this.#count > 0 && this.#relativeOffset(this.#count - 1) >= relative) this.#count--;
    if (this.#count > 0) return;
    this.#timestamps = undefined;
    this.#relativeOffsets = undefined;
  }

  /** The file form of the entries from number `fromEntry` on: what is to be added to a file that holds those before. */
  encode(fromEntry = 0): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, this.#count - fromEntry) * ENTRY_BYTES);
    const view = viewOf(bytes);
    for (let entry = fromEntry, at = 0; entry < this.#count; entry++, at += ENTRY_BYTES) {
      putInt64(view, at, this.#timestamp(entry));
      bytes.writeInt32BE(this.#relativeOffset(entry), at + 8);
    }
    return bytes;
  }

  /**
   * Reads a whole file. Zeros at its end are left out: a Kafka that did not close the file leaves it preallocated.
   * (A real entry for timestamp 0 at the base offset may go with them; a lookup then scans from the same place.)
   * @throws DamagedIndexError for a part of an entry, a negative number, or entries that do not ascend
   */
  static decode(baseOffset: number, bytes: Buffer): TimeIndex {
    const name = `time index of base offset ${baseOffset}`;
    if (bytes.length % ENTRY_BYTES !== 0)
      throw new DamagedIndexError(name, `its ${bytes.length} bytes are no whole number of entries of ${ENTRY_BYTES}`);
    const count = entriesBeforeZeros(bytes, ENTRY_BYTES);
    const index = new TimeIndex(baseOffset);
    if (count === 0) return index;
    const view = viewOf(bytes);
    const timestamps = new Float64Array(count);
    const relativeOffsets = new Int32Array(count);
    let lastTimestamp = NO_TIMESTAMP;
    let lastOffset = 0;
    for (let entry = 0; entry < count; entry++) {
      const timestamp = int64At(view, entry * ENTRY_BYTES);
      const relative = bytes.readInt32BE(entry * ENTRY_BYTES + 8);
      if (timestamp <= lastTimestamp || relative < lastOffset)
        throw new DamagedIndexError(
          name,
          `entry ${entry} (timestamp ${timestamp}, offset ${baseOffset + relative}) does not lie above the one before it ` +
            `(timestamp ${lastTimestamp}, offset ${baseOffset + lastOffset})`,
        );
      timestamps[entry] = lastTimestamp = timestamp;
      relativeOffsets[entry] = lastOffset = relative;
    }
    index.#timestamps = timestamps;
    index.#relativeOffsets = relativeOffsets;
    index.#count = count;
    return index;
  }

  #entryBefore(entry: number): TimestampOffset {
    if (entry === 0) return { timestamp: NO_TIMESTAMP, offset: this.baseOffset };
    return { timestamp: this.#timestamp(entry - 1), offset: this.baseOffset + this.#relativeOffset(entry - 1) };
  }

  #timestamp(entry: number): number {
    return this.#timestamps?.[entry] ?? NO_TIMESTAMP;
  }

  #relativeOffset(entry: number): number {
    return this.#relativeOffsets?.[entry] ?? 0;
  }

  #makeRoom(): void {
    if (!this.#timestamps || !this.#relativeOffsets) {
      this.#timestamps = new Float64Array(FIRST_CAPACITY);
      this.#relativeOffsets = new Int32Array(FIRST_CAPACITY);
    } else if (this.#timestamps.length === this.#count) {
      const timestamps = new Float64Array(this.#count * 2);
      const relativeOffsets = new Int32Array(this.#count * 2);
      timestamps.set(this.#timestamps);
      relativeOffsets.set(this.#relativeOffsets);
      this.#timestamps = timestamps;
      this.#relativeOffsets = relativeOffsets;
    }
  }
}
