// Reads what a journal file says after a crash: the frames that still count, oldest first. A frame that the crash tore
// is not there; a hole between frames is damage, and what lies behind it still counts.
import type { Compute, FileSystem } from '../../base/env.ts';
import {
  baseOffsetOf,
  computeCrc,
  crcOf,
  lastOffsetOf,
  magicOf,
  RECORD_BATCH_OVERHEAD,
  sizeInBytesOf,
} from '../../protocol/record-batch.ts';
import { CRC_FROM, ENTRY_TAIL_BYTES, FRAME_HEADER_BYTES, MAGIC, TOPIC_ID_BYTES, type JournalEntry, type JournalFrame } from './journal.ts';

export interface JournalContent {
  readonly frames: readonly JournalFrame[];
  /** Higher than any sequence in the file. */
  readonly nextSequence: number;
  /** Something that had been written is gone from the middle. */
  readonly damaged: boolean;
}

const NOTHING: JournalContent = { frames: [], nextSequence: 0, damaged: false };

export async function readJournal(
  files: FileSystem,
  path: string,
  options: { compute: Compute; halfBytes: number },
): Promise<JournalContent> {
  if ((await files.stat(path)) === undefined) return NOTHING;
  const bytes = await files.readFile(path);
  const found = [0, options.halfBytes].flatMap((startsAt) =>
    framesOfHalf(bytes.subarray(startsAt, startsAt + options.halfBytes), options.compute),
  );
  found.sort((left, right) => left.sequence - right.sequence);
  const last = found.at(-1);
  if (last === undefined) return NOTHING;
  const frames = found.filter(({ sequence }) => sequence >= last.liveFrom);
  // Sequences have no gaps: one that is missing among those that count had been written, and is gone.
  return { frames, nextSequence: last.sequence + 1, damaged: frames.length !== last.sequence - last.liveFrom + 1 };
}

/** Every whole frame, in the order of the file, as long as sequences grow: behind the newest lie those of an earlier round. */
function framesOfHalf(half: Buffer, compute: Compute): JournalFrame[] {
  const frames: JournalFrame[] = [];
  let at = 0;
  while (at + FRAME_HEADER_BYTES <= half.length) {
    const found = half.readInt32BE(at) === MAGIC ? frameAt(half, at, compute) : undefined;
    if (found !== undefined) {
      if (found.frame.sequence > (frames.at(-1)?.sequence ?? -1)) frames.push(found.frame);
      at = found.end;
      continue;
    }
    const next = half.indexOf(MAGIC_BYTES, at + 1);
    if (next < 0) break;
    at = next;
  }
  return frames;
}

const MAGIC_BYTES = Buffer.alloc(4);
MAGIC_BYTES.writeInt32BE(MAGIC);

function frameAt(half: Buffer, at: number, compute: Compute): { frame: JournalFrame; end: number } | undefined {
  const tableEnd = at + FRAME_HEADER_BYTES + half.readInt32BE(at + 8);
  const end = tableEnd + half.readInt32BE(at + 12);
  if (tableEnd < at + FRAME_HEADER_BYTES || end < tableEnd || end > half.length) return undefined;
  if (compute.crc32c(half.subarray(at + CRC_FROM, tableEnd)) !== half.readUInt32BE(at + 4)) return undefined;
  // The checksum holds: what follows is what was written.
  const entries: JournalEntry[] = [];
  let entryAt = at + FRAME_HEADER_BYTES;
  let dataAt = tableEnd;
  for (let left = half.readInt32BE(at + 32); left > 0; left -= 1) {
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
  return { frame: { sequence: Number(half.readBigInt64BE(at + 16)), liveFrom: Number(half.readBigInt64BE(at + 24)), entries }, end };
}

/** Whole, valid batches without a gap over all the offsets? A torn frame has a valid table and data that did not arrive. */
function holdsBatches(data: Buffer, { baseOffset, endOffset }: JournalEntry, compute: Compute): boolean {
  let next = baseOffset;
  let at = 0;
  while (at < data.length) {
    if (data.length - at < RECORD_BATCH_OVERHEAD || magicOf(data, at) !== 2) return false;
    const bytes = sizeInBytesOf(data, at);
    if (bytes < RECORD_BATCH_OVERHEAD || at + bytes > data.length) return false;
    if (baseOffsetOf(data, at) !== next || computeCrc(compute, data, at) !== crcOf(data, at)) return false;
    next = lastOffsetOf(data, at) + 1;
    at += bytes;
  }
  return next === endOffset;
}
