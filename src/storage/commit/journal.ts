// The journal of a log dir: one preallocated, recycled file that is synced once for all the files a group commit
// touches. Small batches lie in it whole, large ones are named only; either way its last frame says which bytes of
// which segments the last group wrote, and so which bytes a crash may have torn and which it may not.
//
//   file     two halves of the same size; frames fill one, then the other, once all that lies in it is synced elsewhere
//   frame    0  magic 'BRJ1'       4  CRC-32C of the bytes from 8 to the end of the table
//            8  table bytes        12  data bytes
//            16 sequence int64     24 live from int64: frames before that one say nothing that is not synced elsewhere
//            32 entry count int32
//   table    an entry for each contiguous range of a segment: int16 length of the partition folder's name, the name,
//            topic id 16 bytes, segment base int64, position int64, bytes int32, base offset int64, end offset int64,
//            leader epoch int32, int8 1 when its data follow
//   data     of the entries that have them, one after the other; every batch carries its own checksum
//
// Recovery writes the data to its place again (the same bytes: it may be done any number of times) and syncs it; only
// then is the journal begun anew.
import type { Compute, FileHandle, FileSystem } from '../../base/env.ts';
import { invariant } from '../../base/invariant.ts';

export const JOURNAL_FILE = 'bucketrider.journal';

/** A contiguous range of one segment that a group wrote. */
export interface JournalEntry {
  /** Folder name. */
  readonly partition: string;
  readonly topicId: string;
  readonly segmentBase: number;
  readonly position: number;
  readonly bytes: number;
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly leaderEpoch: number;
  /** The bytes themselves; undefined when the segment was synced instead. */
  readonly data: readonly Buffer[] | undefined;
}

export interface JournalFrame {
  readonly sequence: number;
  readonly liveFrom: number;
  readonly entries: readonly JournalEntry[];
}

/** 'BRJ1' */
export const MAGIC = 0x42524a31;
export const FRAME_HEADER_BYTES = 36;
export const CRC_FROM = 8;
export const TOPIC_ID_BYTES = 16;
/** Of an entry, behind name and topic id. */
export const ENTRY_TAIL_BYTES = 41;
const ENTRY_BYTES = 2 + TOPIC_ID_BYTES + ENTRY_TAIL_BYTES;
/** Blocks that the file does not have yet are written as zeros, so many at a time: an overwrite syncs almost twice as fast as an append. */
const ZEROS = Buffer.alloc(1024 * 1024);

const tableBytesOf = (entries: readonly JournalEntry[]): number =>
  entries.reduce((sum, { partition }) => sum + ENTRY_BYTES + partition.length, FRAME_HEADER_BYTES);
const dataBytesOf = (entries: readonly JournalEntry[]): number =>
  entries.reduce((sum, { data, bytes }) => sum + (data === undefined ? 0 : bytes), 0);

interface Half {
  readonly startsAt: number;
  filledBytes: number;
  /** The sequence of the last frame in it; -1 while it has none. */
  lastSequence: number;
}

export class Journal {
  readonly #handle: FileHandle;
  readonly #compute: Compute;
  readonly #halfBytes: number;
  #active: Half;
  #other: Half;
  #nextSequence: number;
  #liveFrom: number;
  #allocatedBytes: number;
  /** Of the frame that waits for its sync. */
  #writtenBytes = 0;

  private constructor(options: { handle: FileHandle; compute: Compute; halfBytes: number; nextSequence: number; allocatedBytes: number }) {
    this.#handle = options.handle;
    this.#compute = options.compute;
    this.#halfBytes = options.halfBytes;
    this.#active = { startsAt: 0, filledBytes: 0, lastSequence: -1 };
    this.#other = { startsAt: options.halfBytes, filledBytes: 0, lastSequence: -1 };
    this.#nextSequence = options.nextSequence;
    this.#liveFrom = options.nextSequence;
    this.#allocatedBytes = options.allocatedBytes;
  }

  /** Opens the file when nothing in it is needed any more: new, or after recovery has done what it said. */
  static async open(
    files: FileSystem,
    path: string,
    options: { compute: Compute; halfBytes: number; nextSequence: number },
  ): Promise<Journal> {
    const handle = await files.open(path, 'create');
    return new Journal({ handle, ...options, allocatedBytes: await handle.size() });
  }

  /** The sequence the next frame gets: what is synced by then is `releaseBelow` it. */
  get nextSequence(): number {
    return this.#nextSequence;
  }

  /** Bytes a crash now would make the next start look at, at most. */
  get filledBytes(): number {
    return this.#active.filledBytes + (this.#other.lastSequence >= this.#liveFrom ? this.#other.filledBytes : 0);
  }

  /** The largest data that a frame with those many entries of usual names can carry, with room to spare. */
  get maxDataBytes(): number {
    return this.#halfBytes >> 1;
  }

  /** May a frame be written now? If not, what lies in the other half has to be synced in its segments first. */
  hasRoomFor(entries: readonly JournalEntry[]): boolean {
    return this.#fits(tableBytesOf(entries) + dataBytesOf(entries)) || this.#other.lastSequence < this.#liveFrom;
  }

  /** Everything in frames below the sequence is synced in its segments. */
  releaseBelow(sequence: number): void {
    invariant(sequence <= this.#nextSequence, 'only frames that were written are released');
    this.#liveFrom = Math.max(this.#liveFrom, sequence);
  }

  /** Writes a frame behind the last synced one. A disk that is full refuses it, and can be asked again. */
  async write(entries: readonly JournalEntry[]): Promise<void> {
    const bytes = tableBytesOf(entries) + dataBytesOf(entries);
    invariant(bytes <= this.#halfBytes, 'a frame fits into half of the journal');
    if (!this.#fits(bytes)) {
      invariant(this.#other.lastSequence < this.#liveFrom, 'what lies in the other half of the journal is synced elsewhere');
      [this.#active, this.#other] = [this.#other, this.#active];
      this.#active.filledBytes = 0;
    }
    const buffers: Buffer[] = [this.#encodeTable(entries)];
    for (const { data } of entries) if (data !== undefined) buffers.push(...data);
    const position = this.#active.startsAt + this.#active.filledBytes;
    const end = position + bytes;
    const allocate = end > this.#allocatedBytes ? Math.min(ZEROS.length, 2 * this.#halfBytes - end) : 0;
    if (allocate > 0) buffers.push(ZEROS.subarray(0, allocate));
    await this.#handle.write(buffers, position);
    this.#allocatedBytes = Math.max(this.#allocatedBytes, end + allocate);
    this.#writtenBytes = bytes;
  }

  /** Makes the frame durable. After an error nothing is known of it, and the journal may not be used again. */
  async sync(): Promise<void> {
    await this.#handle.dataSync();
    this.#active.filledBytes += this.#writtenBytes;
    this.#active.lastSequence = this.#nextSequence;
    this.#nextSequence += 1;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #fits(bytes: number): boolean {
    return this.#active.filledBytes + bytes <= this.#halfBytes;
  }

  #encodeTable(entries: readonly JournalEntry[]): Buffer {
    const table = Buffer.allocUnsafe(tableBytesOf(entries));
    table.writeInt32BE(MAGIC, 0);
    table.writeInt32BE(table.length - FRAME_HEADER_BYTES, 8);
    table.writeInt32BE(dataBytesOf(entries), 12);
    table.writeBigInt64BE(BigInt(this.#nextSequence), 16);
    table.writeBigInt64BE(BigInt(this.#liveFrom), 24);
    table.writeInt32BE(entries.length, 32);
    let at = FRAME_HEADER_BYTES;
    for (const entry of entries) {
      table.writeInt16BE(entry.partition.length, at);
      at += 2 + table.write(entry.partition, at + 2, 'latin1');
      at += table.write(entry.topicId, at, TOPIC_ID_BYTES, 'base64url');
      table.writeBigInt64BE(BigInt(entry.segmentBase), at);
      table.writeBigInt64BE(BigInt(entry.position), at + 8);
      table.writeInt32BE(entry.bytes, at + 16);
      table.writeBigInt64BE(BigInt(entry.baseOffset), at + 20);
      table.writeBigInt64BE(BigInt(entry.endOffset), at + 28);
      table.writeInt32BE(entry.leaderEpoch, at + 36);
      table.writeInt8(entry.data === undefined ? 0 : 1, at + 40);
      at += ENTRY_TAIL_BYTES;
    }
    table.writeUInt32BE(this.#compute.crc32c(table.subarray(CRC_FROM)), 4);
    return table;
  }
}
