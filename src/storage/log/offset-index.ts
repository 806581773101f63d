// A segment's offset index: for about every `index.interval.bytes` of the segment, the last offset of a batch and the
// position at which that batch begins. Memory and file form only: the segment decides when to append, the commit writes
// what `encode` gives, recovery rebuilds what `decode` refuses.
import { invariant } from '../../base/invariant.ts';
import { DamagedFileError } from '../damaged-file.ts';

//  0                 4          8
//  | relative offset | position |   an entry; the offset counts from the segment's base offset
//  | int32           | int32    |
const ENTRY_BYTES = 8;
/** A typed array of 64 bytes still lies inside its own heap object. */
const FIRST_CAPACITY = 8;
const MAX_INT32 = 0x7fff_ffff;

/** An index file does not hold what an index can hold; the index is to be rebuilt from its segment. */
export class DamagedIndexError extends DamagedFileError {
  override readonly name = 'DamagedIndexError';

  constructor(index: string, why: string) {
    super(index, why, 'rebuild it from its segment');
  }
}

export class OffsetIndex {
  readonly baseOffset: number;
  /** Relative offset and position, alternating; absent until the first entry, as most partitions are idle. */
  #entries: Int32Array | undefined;
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

  /** The offset of the last entry; the base offset when there is none. */
  get lastOffset(): number {
    return this.baseOffset + (this.#count === 0 ? 0 : this.#relativeOffset(this.#count - 1));
  }

  /** Both must lie above those of the last entry, and fit an int32 from the base offset and from the segment's beginning. */
  append(offset: number, position: number): void {
    const relative = offset - this.baseOffset;
    invariant(relative >= 0 && relative <= MAX_INT32, 'an index entry lies within 2^31 - 1 offsets of its base');
    invariant(position >= 0 && position <= MAX_INT32, 'an index entry points into the first 2^31 - 1 bytes');
    const last = this.#count - 1;
    invariant(last < 0 || (relative > this.#relativeOffset(last) && position > this.#position(last)), 'index entries ascend');
    this.#entries = withRoomFor(this.#entries, this.#count + 1);
    this.#entries[this.#count * 2] = relative;
    this.#entries[this.#count * 2 + 1] = position;
    this.#count++;
  }

  /** The byte position to scan from to find `offset`: that of the last entry not above it, 0 when there is none. */
  lookup(offset: number): number {
    const above = this.#firstEntryFrom(offset + 1);
    return above === 0 ? 0 : this.#position(above - 1);
  }

  /** The offset of the first entry whose batch begins at `position` or later; undefined when all begin before it. */
  offsetFrom(position: number): number | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#position(middle) < position) low = middle + 1;
      else high = middle;
    }
    return low === this.#count ? undefined : this.baseOffset + this.#relativeOffset(low);
  }

  /** Forgets entries at `offset` and above. */
  truncateTo(offset: number): void {
    this.#count = this.#firstEntryFrom(offset);
    if (this.#count === 0) this.#entries = undefined;
  }

  /** The file form of the entries from number `fromEntry` on: what is to be added to a file that holds those before. */
  encode(fromEntry = 0): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, this.#count - fromEntry) * ENTRY_BYTES);
    for (let entry = fromEntry, at = 0; entry < this.#count; entry++, at += ENTRY_BYTES) {
      bytes.writeInt32BE(this.#relativeOffset(entry), at);
      bytes.writeInt32BE(this.#position(entry), at + 4);
    }
    return bytes;
  }

  /**
   * Reads a whole file. Zeros at its end are left out: a Kafka that did not close the file leaves it preallocated, and
   * no real entry is all zeros, since the first batch of a segment gets none.
   * @throws DamagedIndexError for a part of an entry, a negative number, or entries that do not ascend
   */
  static decode(baseOffset: number, bytes: Buffer): OffsetIndex {
    const name = `offset index of base offset ${baseOffset}`;
    if (bytes.length % ENTRY_BYTES !== 0)
      throw new DamagedIndexError(name, `its ${bytes.length} bytes are no whole number of entries of ${ENTRY_BYTES}`);
    const count = entriesBeforeZeros(bytes, ENTRY_BYTES);
    const index = new OffsetIndex(baseOffset);
    if (count === 0) return index;
    const entries = new Int32Array(count * 2);
    let lastOffset = -1;
    let lastPosition = -1;
    for (let entry = 0; entry < count; entry++) {
      const relative = bytes.readInt32BE(entry * ENTRY_BYTES);
      const position = bytes.readInt32BE(entry * ENTRY_BYTES + 4);
      if (relative <= lastOffset || position <= lastPosition)
        throw new DamagedIndexError(
          name,
          `entry ${entry} (offset ${baseOffset + relative}, position ${position}) does not lie above the one before it ` +
            `(offset ${baseOffset + lastOffset}, position ${lastPosition})`,
        );
      entries[entry * 2] = lastOffset = relative;
      entries[entry * 2 + 1] = lastPosition = position;
    }
    index.#entries = entries;
    index.#count = count;
    return index;
  }

  /** The number of the first entry at `offset` or above; `count` when there is none. */
  #firstEntryFrom(offset: number): number {
    const relative = offset - this.baseOffset;
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#relativeOffset(middle) < relative) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #relativeOffset(entry: number): number {
    return this.#entries?.[entry * 2] ?? 0;
  }

  #position(entry: number): number {
    return this.#entries?.[entry * 2 + 1] ?? 0;
  }
}

function withRoomFor(entries: Int32Array | undefined, count: number): Int32Array {
  if (entries === undefined) return new Int32Array(FIRST_CAPACITY * 2);
  if (entries.length >= count * 2) return entries;
  const larger = new Int32Array(entries.length * 2);
  larger.set(entries);
  return larger;
}

/** The number of entries up to and with the last that is not all zeros. */
export function entriesBeforeZeros(bytes: Buffer, entryBytes: number): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return Math.ceil(end / entryBytes);
}

/** The same bytes, for the int64 of the protocol's codec. */
export const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
