// lz4 frames (lz4/doc/lz4_Frame_format.md, lz4_Block_format.md), read and written in slices: about every SLICE_BYTES, and before the end,
// the generators yield what the slice cost (in bytes, of decompressed output), so that whoever drives them can let the event loop turn.
// What Kafka allows inside its batches is decided elsewhere.
import { OutputLimitError } from '../env.ts';
import { Bytes, copyLiterals, copyMatch, matchLength } from './compute-copy.ts';
import { XxHash32, xxhash32 } from './compute-xxhash32.ts';

//  | magic 04 22 4d 18 | FLG | BD | content size, 8, optional | dictionary id, 4, optional | HC |
//  then blocks: | size, 4; high bit: stored uncompressed | data | xxhash32 of data, optional |
//  then | 0, 4 | xxhash32 of the content, optional |.  All numbers little-endian.
const FRAME_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50; // to 0x184d2a5f
const INDEPENDENT_BIT = 0x20;
const BLOCK_CHECKSUM_BIT = 0x10;
const CONTENT_SIZE_BIT = 0x08;
const CONTENT_CHECKSUM_BIT = 0x04;
const RESERVED_BIT = 0x02;
const DICTIONARY_BIT = 0x01;
const STORED_BIT = 0x8000_0000;

/** About 1 ms of work; but a single block may have 4 MiB. */
const SLICE_BYTES = 512 * 1024;
/** One byte of a block gives at most 255; a buffer for more is never needed. */
const MOST_GROWTH = 255;

interface FrameHeader {
  readonly independent: boolean;
  readonly blockChecksums: boolean;
  readonly contentChecksum: boolean;
  readonly contentSize: number | undefined;
  readonly maxBlockBytes: number;
  readonly endsAt: number;
}

function readFrameHeader({ array: input, view }: Bytes, at: number): FrameHeader {
  if (input.length - at < 7) throw new Error('the lz4 frame ends inside its header');
  const flags = input[at + 4] as number;
  const blockDescriptor = input[at + 5] as number;
  if (flags >>> 6 !== 1) throw new Error(`lz4 frame version ${flags >>> 6} is unknown`);
  if ((flags & RESERVED_BIT) !== 0 || (blockDescriptor & 0x8f) !== 0) throw new Error('the lz4 frame header sets reserved bits');
  if ((flags & DICTIONARY_BIT) !== 0) throw new Error('the lz4 frame asks for a dictionary');
  const sizeCode = blockDescriptor >>> 4;
  if (sizeCode < 4) throw new Error(`lz4 block size code ${sizeCode} is unknown`);
  let endsAt = at + 6;
  let contentSize: number | undefined;
  if ((flags & CONTENT_SIZE_BIT) !== 0) {
    if (input.length - endsAt < 9) throw new Error('the lz4 frame ends inside its header');
    contentSize = view.getUint32(endsAt, true) + view.getUint32(endsAt + 4, true) * 0x1_0000_0000;
    endsAt += 8;
  }
  if (((xxhash32(input, at + 4, endsAt) >>> 8) & 0xff) !== input[endsAt]) throw new Error('the lz4 frame header has a wrong checksum');
  return {
    independent: (flags & INDEPENDENT_BIT) !== 0,
    blockChecksums: (flags & BLOCK_CHECKSUM_BIT) !== 0,
    contentChecksum: (flags & CONTENT_CHECKSUM_BIT) !== 0,
    contentSize,
    maxBlockBytes: 2 ** (8 + 2 * sizeCode), // 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB
    endsAt: endsAt + 1,
  };
}

/** From here on the buffer is as large as the limit allows: what is not written takes no memory, and copying would stall the event loop. */
const LARGE_BYTES = 8 * 1024 * 1024;

/** What comes out, in a buffer that grows by doubling, never beyond the limit. */
class Output {
  readonly maxBytes: number;
  buffer: Buffer;
  bytes: Bytes;
  length = 0;

  constructor(maxBytes: number, expectedBytes: number) {
    this.maxBytes = maxBytes;
    this.buffer = Buffer.allocUnsafe(Math.min(maxBytes, expectedBytes));
    this.bytes = new Bytes(this.buffer);
  }

  /** Makes room for up to `bytes` more, or as many as the limit leaves. */
  reserve(bytes: number): void {
    const wanted = Math.min(this.length + bytes, this.maxBytes);
    if (wanted <= this.buffer.length) return;
    const size = wanted > LARGE_BYTES ? this.maxBytes : Math.min(Math.max(wanted, this.buffer.length * 2), this.maxBytes);
    const grown = Buffer.allocUnsafe(size);
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
    this.bytes = new Bytes(grown);
  }

  /** What a block that does not fit the reserved room means. */
  overflow(): Error {
    return this.buffer.length >= this.maxBytes
      ? new OutputLimitError(`an lz4 frame gives more than ${this.maxBytes} bytes`)
      : new Error('an lz4 block gives more than its frame allows');
  }
}

/**
 * One frame or several, one after the other; skippable frames are skipped.
 * @throws OutputLimitError when more than `maxBytes` come out; Error when the bytes are not lz4 frames or a checksum is wrong
 */
export function* decompressLz4(input: Uint8Array, maxBytes: number): Generator<number, Buffer, void> {
  const bytes = new Bytes(input);
  const { view } = bytes;
  const output = new Output(maxBytes, input.length * 4);
  let at = 0;
  let yieldedAt = 0; // in input and output together: an attacker's empty blocks give no output
  do {
    if (input.length - at < 7) throw new Error('the lz4 frame ends inside its header');
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += input.length - at < 8 ? 8 : 8 + view.getUint32(at + 4, true);
      if (at > input.length) throw new Error('a skippable lz4 frame is cut off');
      continue;
    }
    if (magic !== FRAME_MAGIC) throw new Error('the bytes are no lz4 frame');
    const header = readFrameHeader(bytes, at);
    const frameFrom = output.length;
    const contentHash = new XxHash32(frameFrom);
    at = header.endsAt;
    for (;;) {
      if (input.length - at < 4) throw new Error('the lz4 frame ends before its end mark');
      const size = view.getUint32(at, true);
      at += 4;
      if (size === 0) break;
      at = readBlock(bytes, at, size, header, output, frameFrom);
      if (header.contentChecksum) contentHash.update(output.buffer, output.length);
      if (at + output.length - yieldedAt >= SLICE_BYTES) {
        yield at + output.length - yieldedAt;
        yieldedAt = at + output.length;
      }
    }
    if (header.contentChecksum) {
      if (input.length - at < 4) throw new Error('the lz4 frame ends inside its checksum');
      if (contentHash.digest(output.buffer, output.length) !== view.getUint32(at, true))
        throw new Error('the lz4 content has a wrong checksum');
      at += 4;
    }
    if (header.contentSize !== undefined && header.contentSize !== output.length - frameFrom)
      throw new Error(`the lz4 frame declares ${header.contentSize} bytes but gives ${output.length - frameFrom}`);
  } while (at < input.length);
  yield at + output.length - yieldedAt;
  return output.buffer.subarray(0, output.length);
}

/** Decodes the block of `size` (with the stored bit) at `at`; returns where the next block begins. */
function readBlock(bytes: Bytes, at: number, size: number, header: FrameHeader, output: Output, frameFrom: number): number {
  const { array: input, view } = bytes;
  const dataBytes = size % STORED_BIT;
  if (dataBytes > header.maxBlockBytes) throw new Error(`an lz4 block of ${dataBytes} bytes exceeds its frame's ${header.maxBlockBytes}`);
  const end = at + dataBytes;
  if (end + (header.blockChecksums ? 4 : 0) > input.length) throw new Error('the lz4 frame ends inside a block');
  if (header.blockChecksums && xxhash32(input, at, end) !== view.getUint32(end, true)) throw new Error('an lz4 block has a wrong checksum');
  if (size >= STORED_BIT) {
    output.reserve(dataBytes);
    if (output.buffer.length - output.length < dataBytes) throw output.overflow();
    output.buffer.set(input.subarray(at, end), output.length);
    output.length += dataBytes;
  } else {
    output.reserve(Math.min(header.maxBlockBytes, dataBytes * MOST_GROWTH));
    const outEnd = Math.min(output.buffer.length, output.length + header.maxBlockBytes);
    const reachFrom = header.independent ? output.length : frameFrom;
    const made = decodeBlock(bytes, at, end, output.bytes, output.length, outEnd, reachFrom);
    if (made < 0) throw output.overflow();
    output.length = made;
  }
  return header.blockChecksums ? end + 4 : end;
}

/** Returns the end of the output, or -1 when it would pass `outEnd`. Matches may reach back to `reachFrom`. */
function decodeBlock(bytes: Bytes, from: number, end: number, output: Bytes, outFrom: number, outEnd: number, reachFrom: number): number {
  const input = bytes.array;
  let at = from;
  let outAt = outFrom;
  for (;;) {
    if (at >= end) throw new Error('an lz4 block ends without literals');
    const token = input[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at >= end) throw new Error('an lz4 block ends inside a length');
        more = input[at++] as number;
        literals += more;
      } while (more === 255);
    }
    if (literals > end - at) throw new Error('lz4 literals run past the end of their block');
    if (literals > outEnd - outAt) return -1;
    copyLiterals(bytes, at, end, output, outAt, outEnd, literals);
    at += literals;
    outAt += literals;
    if (at === end) return outAt; // the last sequence has no match
    if (end - at < 2) throw new Error('an lz4 block ends inside a match');
    const offset = (input[at] as number) | ((input[at + 1] as number) << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more: number;
      do {
        if (at >= end) throw new Error('an lz4 block ends inside a length');
        more = input[at++] as number;
        length += more;
      } while (more === 255);
    }
    if (offset === 0 || offset > outAt - reachFrom) throw new Error('an lz4 match reaches before the start');
    if (length > outEnd - outAt) return -1;
    copyMatch(output, outAt, offset, length, outEnd);
    outAt += length;
  }
}

const BLOCK_BYTES = 64 * 1024; // what the Java client writes
/** Compressing, relative to decompressing. */
const FAST_COST_PER_BYTE = 2;
const DEEP_COST_PER_BYTE = 16;
const HASH_BITS = 14;
const slotOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
/** The newest position of a hash, relative to the block. A position never written is 0, where a match then is found or not like anywhere. */
const newest = new Uint16Array(1 << HASH_BITS);
/** For the high levels: the position before each that had its hash; its own at the end of a chain. */
const earlier = new Uint16Array(BLOCK_BYTES);

/** Kafka's default level means its fast compressor, for compatibility with its past; only other levels search deeper. */
const DEFAULT_LEVEL = 9;
/** Candidates looked at per position: more cost too much of a turn of the event loop on repetitive data. */
const MOST_ATTEMPTS = 128;

/** A frame of independent 64 KiB blocks without checksums, as Kafka's Java client writes it. `level` 1 to 17. */
export function* compressLz4(input: Uint8Array, level = DEFAULT_LEVEL): Generator<number, Buffer, void> {
  const attempts = level === DEFAULT_LEVEL || level < 3 ? 1 : Math.min(2 ** (level - 1), MOST_ATTEMPTS);
  const blocks = Math.ceil(input.length / BLOCK_BYTES);
  const output = Buffer.allocUnsafe(7 + blocks * 4 + input.length + 4);
  output.writeUInt32LE(FRAME_MAGIC, 0);
  output[4] = 0x40 | INDEPENDENT_BIT;
  output[5] = 4 << 4;
  output[6] = (xxhash32(output, 4, 6) >>> 8) & 0xff;
  const from = new Bytes(input);
  const to = new Bytes(output);
  let outAt = 7;
  let cost = 0;
  for (let start = 0; start < input.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, input.length);
    const made = compressBlock(from, start, end, to, outAt + 4, attempts);
    if (made < 0) {
      output.set(input.subarray(start, end), outAt + 4);
      output.writeUInt32LE(STORED_BIT + end - start, outAt);
      outAt += 4 + end - start;
    } else {
      output.writeUInt32LE(made - outAt - 4, outAt);
      outAt = made;
    }
    cost += (end - start) * (attempts === 1 ? FAST_COST_PER_BYTE : DEEP_COST_PER_BYTE);
    if (cost >= SLICE_BYTES) {
      yield cost;
      cost = 0;
    }
  }
  yield cost;
  output.writeUInt32LE(0, outAt);
  return output.subarray(0, outAt + 4);
}

/** Returns the end of the output, or -1 when the block would not shrink. */
function compressBlock(input: Bytes, start: number, end: number, output: Bytes, from: number, attempts: number): number {
  const { view } = input;
  const outEnd = from + (end - start) - 1;
  const lastMatchStart = end - 12; // the format: the last match starts 12 bytes before the end at the latest
  const matchEnd = end - 5; //        and the last five bytes are literals
  let outAt = from;
  let literalFrom = start;
  let misses = 64; // each 64 misses in a row lengthen the stride: incompressible data is skipped through
  newest.fill(0);
  for (let at = start + 1; at < lastMatchStart;) {
    const current = view.getInt32(at, true);
    const slot = slotOf(current);
    let candidate = start + (newest[slot] as number);
    newest[slot] = at - start;
    let length = 0;
    if (attempts > 1) {
      earlier[at - start] = candidate - start;
      candidate = longestMatch(view, start, at, candidate, matchEnd, attempts);
      if (candidate >= start) length = matchLength(view, candidate, at, matchEnd);
    } else if (view.getInt32(candidate, true) === current) length = matchLength(view, candidate, at, matchEnd);
    if (length === 0) {
      at += attempts > 1 ? 1 : misses++ >>> 6;
      continue;
    }
    misses = 64;
    outAt = writeSequence(input, literalFrom, at, at - candidate, length, output, outAt, outEnd);
    if (outAt < 0) return -1;
    const next = at + length;
    if (attempts > 1) for (let inside = at + 1; inside < next && inside < lastMatchStart; inside++) remember(view, start, inside);
    else if (next < lastMatchStart) newest[slotOf(view.getInt32(next - 2, true))] = next - 2 - start;
    at = next;
    literalFrom = at;
  }
  return writeSequence(input, literalFrom, end, 0, 0, output, outAt, outEnd);
}

function remember(view: DataView, start: number, at: number): void {
  const slot = slotOf(view.getInt32(at, true));
  earlier[at - start] = newest[slot] as number;
  newest[slot] = at - start;
}

/** Follows the chain that begins at `first`; returns where the longest match begins, or -1. */
function longestMatch(view: DataView, start: number, at: number, first: number, matchEnd: number, attempts: number): number {
  const current = view.getInt32(at, true);
  let best = -1;
  let bestLength = 0;
  for (let left = attempts, candidate = first; left > 0; left--) {
    if (view.getInt32(candidate, true) === current) {
      const length = matchLength(view, candidate, at, matchEnd);
      if (length > bestLength) {
        best = candidate;
        bestLength = length;
      }
    }
    const before = start + (earlier[candidate - start] as number);
    if (before >= candidate) break; // the block's first position, which leads to itself
    candidate = before;
  }
  return best;
}

/** Literals and a match; length 0: the last literals. Returns the end of the output, or -1 past `outEnd`. */
function writeSequence(
  input: Bytes,
  literalFrom: number,
  literalEnd: number,
  offset: number,
  length: number,
  output: Bytes,
  from: number,
  outEnd: number,
): number {
  const { array } = output;
  const literals = literalEnd - literalFrom;
  const matchCode = length === 0 ? 0 : length - 4;
  if (from + literals + 8 + (literals >>> 7) + (matchCode >>> 7) > outEnd) return -1; // more than it can take, cheaply
  let outAt = from;
  array[outAt++] = (Math.min(literals, 15) << 4) | Math.min(matchCode, 15);
  if (literals >= 15) outAt = writeLength(array, outAt, literals - 15);
  copyLiterals(input, literalFrom, input.array.length, output, outAt, array.length, literals);
  outAt += literals;
  if (length === 0) return outAt;
  array[outAt++] = offset & 0xff;
  array[outAt++] = offset >>> 8;
  return matchCode >= 15 ? writeLength(array, outAt, matchCode - 15) : outAt;
}

function writeLength(output: Uint8Array, from: number, length: number): number {
  let outAt = from;
  let rest = length;
  for (; rest >= 255; rest -= 255) output[outAt++] = 255;
  output[outAt++] = rest;
  return outAt;
}
