// Walks the batches of a segment file from a position to its end, and says where the valid ones stop and why.
// Recovery, index rebuilding and cold lookups read through here; it changes nothing.
import type { Compute, FileHandle } from '../../base/env.ts';
import {
  RECORD_BATCH_OVERHEAD,
  baseOffsetOf,
  sizeInBytesOf,
  computeCrc,
  crcOf,
  lastOffsetDeltaOf,
  magicOf,
} from '../../protocol/record-batch.ts';

/** Called with a buffer that is reused: what outlives the call must be copied. */
export type VisitBatch = (buffer: Buffer, at: number, position: number, bytes: number) => void;

export interface ScanEnd {
  /** Position after the last valid batch. */
  readonly position: number;
  /** Why the walk stopped before the end of the file; undefined when it did not. */
  readonly damage: string | undefined;
}

export interface ScanOptions {
  readonly from: number;
  /** End of the part to walk, the file's size at most. */
  readonly to: number;
  /** Batches from this offset on are checked by CRC; those before it by their framing alone. */
  readonly checkCrcFromOffset: number;
  /** The lowest base offset the next batch may have. */
  readonly nextOffset: number;
  /** From this offset on batches follow each other without gaps: nothing has been cleaned there yet. */
  readonly gaplessFrom: number;
  /** A batch at or above this offset is not wanted: the walk stops before it, and calls it damage. */
  readonly endOffset?: number;
}

const CHUNK_BYTES = 1024 * 1024;

export async function scanBatches(compute: Compute, handle: FileHandle, options: ScanOptions, visit: VisitBatch): Promise<ScanEnd> {
  let buffer = Buffer.allocUnsafe(Math.max(0, Math.min(CHUNK_BYTES, options.to - options.from)));
  let position = options.from;
  let nextOffset = options.nextOffset;
  while (position < options.to) {
    const filled = await handle.read(buffer.subarray(0, Math.min(buffer.length, options.to - position)), position);
    const left = options.to - position;
    let at = 0;
    let wanted = 0;
    while (at < filled) {
      const problem = framingProblem(buffer, at, filled, left - at, nextOffset);
      if (typeof problem === 'string') return { position: position + at, damage: problem };
      wanted = problem;
      if (at + wanted > filled) break;
      const baseOffset = baseOffsetOf(buffer, at);
      if (baseOffset > nextOffset && nextOffset >= options.gaplessFrom && !(options.from > 0 && position + at === options.from))
        return { position: position + at, damage: `offsets jump from ${nextOffset} to ${baseOffset}` };
      if (options.endOffset !== undefined && baseOffset >= options.endOffset)
        return { position: position + at, damage: 'what follows was not committed' };
      if (baseOffset >= options.checkCrcFromOffset && computeCrc(compute, buffer, at) !== crcOf(buffer, at)) {
        return { position: position + at, damage: 'the checksum does not match' };
      }
      visit(buffer, at, position + at, wanted);
      nextOffset = baseOffsetOf(buffer, at) + lastOffsetDeltaOf(buffer, at) + 1;
      at += wanted;
      wanted = 0;
    }
    if (filled === 0) return { position, damage: 'the file is shorter than it was' };
    // The next batch reaches over the end of the chunk: read again from its start, with room for all of it.
    if (at === 0 && wanted > buffer.length) buffer = Buffer.allocUnsafe(wanted);
    else if (at === 0) return { position, damage: 'the file is shorter than it was' };
    position += at;
  }
  return { position, damage: undefined };
}

/** The batch's size, or, when what stands there cannot be a batch that belongs there, the reason. `left` counts to the end of the walk. */
function framingProblem(buffer: Buffer, at: number, filled: number, left: number, nextOffset: number): number | string {
  if (left < RECORD_BATCH_OVERHEAD) return `${left} bytes are too few for a batch`;
  if (at + RECORD_BATCH_OVERHEAD > filled) return RECORD_BATCH_OVERHEAD;
  const bytes = sizeInBytesOf(buffer, at);
  if (bytes < RECORD_BATCH_OVERHEAD) return `a batch of ${bytes} bytes is too small`;
  if (magicOf(buffer, at) !== 2) return `magic ${magicOf(buffer, at)} is not 2`;
  if (bytes > left) return `a batch of ${bytes} bytes is cut after ${left}`;
  if (baseOffsetOf(buffer, at) < nextOffset) return `base offset ${baseOffsetOf(buffer, at)} is below ${nextOffset}`;
  if (lastOffsetDeltaOf(buffer, at) < 0) return 'the last offset delta is negative';
  return bytes;
}

/**
 * Is there a whole, valid batch with offsets of at least `nextOffset` anywhere behind the position? A crash tears the
 * end of a file; a valid batch behind a bad one means that something else damaged it, and nothing may be cut.
 */
export async function findValidBatchBehind(
  compute: Compute,
  handle: FileHandle,
  options: { from: number; to: number; nextOffset: number },
): Promise<number | undefined> {
  let position = options.from;
  let buffer = Buffer.allocUnsafe(Math.max(0, Math.min(CHUNK_BYTES, options.to - position)));
  while (options.to - position >= RECORD_BATCH_OVERHEAD) {
    const filled = await handle.read(buffer.subarray(0, Math.min(buffer.length, options.to - position)), position);
    if (filled < RECORD_BATCH_OVERHEAD) return undefined;
    for (let at = 0; at + RECORD_BATCH_OVERHEAD <= filled; at += 1) {
      if (magicOf(buffer, at) !== 2) continue;
      const bytes = framingProblem(buffer, at, filled, options.to - position - at, options.nextOffset);
      if (typeof bytes === 'string') continue;
      if (at + bytes <= filled) {
        if (computeCrc(compute, buffer, at) === crcOf(buffer, at)) return position + at;
        continue;
      }
      const whole = Buffer.allocUnsafe(bytes);
      if ((await handle.read(whole, position + at)) === bytes && computeCrc(compute, whole, 0) === crcOf(whole, 0)) return position + at;
    }
    position += filled - RECORD_BATCH_OVERHEAD + 1;
    if (buffer.length > options.to - position) buffer = buffer.subarray(0, Math.max(0, options.to - position));
  }
  return undefined;
}
