// How the journal of a log dir looks on the disk, written and read here alone. The file holds
//
//   a head of 8 KiB, then two halves of the same size; frames fill one half from its beginning, then the other
//
//   head     0  magic 'BRJH'      4  CRC-32C of the 22 bytes behind it
//            8  version int16 1  10  id 16 bytes   26  half bytes int32; all of it once more at 4096
//   frame    0  magic 'BRJ1'      4  id of the journal     20 CRC-32C of the bytes from 24 to the end of the table
//            24 table bytes int32     28 data bytes int32      32 sequence int64
//            40 live from int64: frames before that one say nothing that is not synced elsewhere
//            48 entry count int32
//   table    an entry for each contiguous range of a segment: int16 length of the partition folder's name, the name,
//            topic id 16 bytes, segment base int64, position int64, bytes int32, base offset int64, end offset int64,
//            leader epoch int32, int8 1 when its data follow
//   data     of the entries that have them, one after the other; every batch carries its own checksum
//
// The id is drawn anew each time a journal is begun. It tells its frames from those of its forerunner in the same file,
// and from whatever a client may have written into a record: no client can know it.
import type { Compute } from '../../base/env.ts';
import {
  baseOffsetOf,
  computeCrc,
  crcOf,
  lastOffsetOf,
  magicOf,
  partitionLeaderEpochOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../../protocol/record-batch.ts';
import { DamagedFileError } from '../damaged-file.ts';

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

export interface JournalHead {
  readonly id: Buffer;
  readonly halfBytes: number;
}

const HEAD_MAGIC = 0x42524a48; // 'BRJH'
const HEAD_VERSION = 1;
/** It may hold what was acknowledged last, and nobody here can read it. */
const OPEN_WITH_NEWER = 'a newer bucketrider has used this log dir: open it with that, or let that stop in order first';
const HEAD_USED_BYTES = 30;
const HEAD_COPY_AT = 4096;
export const HEAD_BYTES = 8192;

const FRAME_MAGIC = 0x42524a31; // 'BRJ1'
export const JOURNAL_ID_BYTES = 16;
const CRC_AT = 20;
const CRC_FROM = 24;
export const FRAME_HEADER_BYTES = 52;
const TOPIC_ID_BYTES = 16;
/** Of an entry, behind name and topic id. */
const ENTRY_TAIL_BYTES = 41;
const ENTRY_BYTES = 2 + TOPIC_ID_BYTES + ENTRY_TAIL_BYTES;

/** Without its data. */
export const tableBytesOf = ({ partition }: Pick<JournalEntry, 'partition'>): number => ENTRY_BYTES + partition.length;

export const frameBytesOf = (entries: readonly JournalEntry[]): number =>
  entries.reduce((sum, entry) => sum + tableBytesOf(entry), FRAME_HEADER_BYTES) + dataBytesOf(entries);

const dataBytesOf = (entries: readonly JournalEntry[]): number =>
  entries.reduce((sum, { data, bytes }) => sum + (data === undefined ? 0 : bytes), 0);

/** Two copies, in sectors of their own: one that rots leaves the other. */
export function encodeHead({ id, halfBytes }: JournalHead, compute: Compute): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeInt32BE(HEAD_MAGIC, 0);
  bytes.writeInt16BE(HEAD_VERSION, 8);
  id.copy(bytes, 10);
  bytes.writeInt32BE(halfBytes, 26);
  bytes.writeUInt32BE(compute.crc32c(bytes.subarray(8, HEAD_USED_BYTES)), 4);
  bytes.copy(bytes, HEAD_COPY_AT, 0, HEAD_USED_BYTES);
  return bytes;
}

/** Undefined when neither copy holds. */
export function decodeHead(bytes: Buffer, compute: Compute, file: string): JournalHead | undefined {
  for (const at of [0, HEAD_COPY_AT]) {
    const copy = bytes.subarray(at, at + HEAD_USED_BYTES);
    if (copy.length < HEAD_USED_BYTES || copy.readInt32BE(0) !== HEAD_MAGIC) continue;
    if (compute.crc32c(copy.subarray(8)) !== copy.readUInt32BE(4)) continue;
    const version = copy.readInt16BE(8);
    if (version !== HEAD_VERSION) throw new DamagedFileError(file, `its version is ${version}, known is ${HEAD_VERSION}`, OPEN_WITH_NEWER);
    return { id: copy.subarray(10, 26), halfBytes: copy.readInt32BE(26) };
  }
  return undefined;
}

/** Header and table; the entries' data follow them in the file. */
export function encodeFrame({ sequence, liveFrom, entries }: JournalFrame, id: Buffer, compute: Compute): Buffer {
  const dataBytes = dataBytesOf(entries);
  const frame = Buffer.allocUnsafe(frameBytesOf(entries) - dataBytes);
  frame.writeInt32BE(FRAME_MAGIC, 0);
  id.copy(frame, 4);
  frame.writeInt32BE(frame.length - FRAME_HEADER_BYTES, 24);
  frame.writeInt32BE(dataBytes, 28);
  frame.writeBigInt64BE(BigInt(sequence), 32);
  frame.writeBigInt64BE(BigInt(liveFrom), 40);
  frame.writeInt32BE(entries.length, 48);
  let at = FRAME_HEADER_BYTES;
  for (const entry of entries) {
    frame.writeInt16BE(entry.partition.length, at);
    at += 2 + frame.write(entry.partition, at + 2, 'latin1');
    at += frame.write(entry.topicId, at, TOPIC_ID_BYTES, 'base64url');
    frame.writeBigInt64BE(BigInt(entry.segmentBase), at);
    frame.writeBigInt64BE(BigInt(entry.position), at + 8);
    frame.writeInt32BE(entry.bytes, at + 16);
    frame.writeBigInt64BE(BigInt(entry.baseOffset), at + 20);
    frame.writeBigInt64BE(BigInt(entry.endOffset), at + 28);
    frame.writeInt32BE(entry.leaderEpoch, at + 36);
    frame.writeInt8(entry.data === undefined ? 0 : 1, at + 40);
    at += ENTRY_TAIL_BYTES;
  }
  frame.writeUInt32BE(compute.crc32c(frame.subarray(CRC_FROM)), CRC_AT);
  return frame;
}

/** Every whole frame of the journal in one of its halves, in the order of the half. */
export function framesOfHalf(half: Buffer, id: Buffer, compute: Compute): JournalFrame[] {
  const mark = Buffer.alloc(4 + JOURNAL_ID_BYTES);
  mark.writeInt32BE(FRAME_MAGIC, 0);
  id.copy(mark, 4);
  const frames: JournalFrame[] = [];
  // Frames follow each other. Where one is torn or damaged the next is looked for; behind the newest lie those of an earlier round.
  for (let at = half.indexOf(mark); at >= 0;) {
    const found = frameAt(half, at, compute);
    if (found !== undefined && found.frame.sequence > (frames.at(-1)?.sequence ?? -1)) frames.push(found.frame);
    at = half.indexOf(mark, found?.end ?? at + 1);
  }
  return frames;
}

function frameAt(half: Buffer, at: number, compute: Compute): { frame: JournalFrame; end: number } | undefined {
  if (at + FRAME_HEADER_BYTES > half.length) return undefined;
  const tableEnd = at + FRAME_HEADER_BYTES + half.readInt32BE(at + 24);
  const end = tableEnd + half.readInt32BE(at + 28);
  if (tableEnd < at + FRAME_HEADER_BYTES || end < tableEnd || end > half.length) return undefined;
  if (compute.crc32c(half.subarray(at + CRC_FROM, tableEnd)) !== half.readUInt32BE(at + CRC_AT)) return undefined;
  // The checksum holds: what follows is what was written.
  const entries: JournalEntry[] = [];
  let entryAt = at + FRAME_HEADER_BYTES;
  let dataAt = tableEnd;
  for (let left = half.readInt32BE(at + 48); left > 0; left -= 1) {
    const nameBytes = half.readInt16BE(entryAt);
    const partition = half.toString('latin1', entryAt + 2, entryAt + 2 + nameBytes);
    entryAt += 2 + nameBytes;
    const topicId = half.toString('base64url', entryAt, entryAt + TOPIC_ID_BYTES);
    entryAt += TOPIC_ID_BYTES;
    const bytes = half.readInt32BE(entryAt + 16);
    const hasData = half.readInt8(entryAt + 40) === 1;
    const entry: JournalEntry = {
      partition,
      topicId,
      segmentBase: Number(half.readBigInt64BE(entryAt)),
      position: Number(half.readBigInt64BE(entryAt + 8)),
      bytes,
      baseOffset: Number(half.readBigInt64BE(entryAt + 20)),
      endOffset: Number(half.readBigInt64BE(entryAt + 28)),
      leaderEpoch: half.readInt32BE(entryAt + 36),
      data: hasData ? [half.subarray(dataAt, dataAt + bytes)] : undefined,
    };
    entryAt += ENTRY_TAIL_BYTES;
    if (hasData && !holdsBatches(half.subarray(dataAt, dataAt + bytes), entry, compute)) return undefined;
    if (hasData) dataAt += bytes;
    entries.push(entry);
  }
  return { frame: { sequence: Number(half.readBigInt64BE(at + 32)), liveFrom: Number(half.readBigInt64BE(at + 40)), entries }, end };
}

/** Whole, valid batches without a gap over all the offsets? A torn frame has a valid table and data that did not arrive. */
function holdsBatches(data: Buffer, { baseOffset, endOffset, leaderEpoch }: JournalEntry, compute: Compute): boolean {
  let next = baseOffset;
  let at = 0;
  while (at < data.length) {
    if (data.length - at < RECORD_BATCH_OVERHEAD || magicOf(data, at) !== 2) return false;
    const bytes = sizeInBytesOf(data, at);
    if (bytes < RECORD_BATCH_OVERHEAD || at + bytes > data.length) return false;
    // Base offset and leader epoch lie before the bytes that the checksum covers.
    if (baseOffsetOf(data, at) !== next || partitionLeaderEpochOf(data, at) !== leaderEpoch) return false;
    if (computeCrc(compute, data, at) !== crcOf(data, at)) return false;
    next = lastOffsetOf(data, at) + 1;
    at += bytes;
  }
  return next === endOffset;
}
