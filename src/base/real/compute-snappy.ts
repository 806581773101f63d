// Snappy blocks (google/snappy, format_description.txt), alone or in xerial's stream, read and written in slices: about every
// SLICE_BYTES, and before the end, the generators yield what the slice cost (in bytes, of decompressed output), so that whoever drives
// them can let the event loop turn.
import { OutputLimitError } from '../env.ts';
import { Bytes, copyLiterals, copyMatch, matchLength } from './compute-copy.ts';
import {
  isXerial,
  nextXerialBlock,
  writeXerialHeader,
  XERIAL_CHUNK_BYTES,
  XERIAL_HEADER_BYTES,
  XERIAL_LENGTH_BYTES,
  xerialBlockEnd,
} from './compute-xerial.ts';

/** About 1 ms of work. */
const SLICE_BYTES = 512 * 1024;
/** The densest element is a copy of 64 bytes in 3; a block that declares more than this much growth is not snappy. */
const MOST_GROWTH = 22;

/** One block on its way: its elements end at `inEnd`, its output goes from `outStart` to `outEnd`. */
interface Decoding {
  readonly input: Bytes;
  readonly output: Bytes;
  inAt: number;
  inEnd: number;
  outAt: number;
  outStart: number;
  outEnd: number;
}

/**
 * One raw block, or a xerial stream of them.
 * @throws OutputLimitError when more than `maxBytes` are declared; Error when the bytes are not snappy
 */
export function* decompressSnappy(input: Uint8Array, maxBytes: number): Generator<number, Buffer, void> {
  const framed = isXerial(input);
  const first = framed ? nextXerialBlock(input, 0) : 0;
  const endOf = (block: number): number => (framed ? xerialBlockEnd(input, block) : input.length);
  const after = (end: number): number => (framed ? nextXerialBlock(input, end) : -1);
  let length = 0;
  for (let block = first; block >= 0; block = after(endOf(block))) {
    length += declaredLength(input, block, endOf(block));
    if (length > maxBytes) throw new OutputLimitError(`snappy declares at least ${length} bytes, ${maxBytes} are allowed`);
  }
  const output = Buffer.allocUnsafe(length);
  const decoding: Decoding = { input: new Bytes(input), output: new Bytes(output), inAt: 0, inEnd: 0, outAt: 0, outStart: 0, outEnd: 0 };
  let cost = 0;
  for (let block = first; block >= 0; block = after(decoding.inEnd)) {
    decoding.inEnd = endOf(block);
    decoding.outStart = decoding.outAt;
    decoding.outEnd = decoding.outAt + declaredLength(input, block, decoding.inEnd);
    decoding.inAt = afterLength(input, block);
    for (;;) {
      const before = decoding.outAt;
      decodeElements(decoding, SLICE_BYTES - cost);
      cost += BLOCK_COST + decoding.outAt - before;
      if (decoding.inAt === decoding.inEnd) break;
      yield cost;
      cost = 0;
    }
    if (decoding.outAt !== decoding.outEnd) throw new Error('a snappy block gives less than it declares');
    if (cost >= SLICE_BYTES) {
      yield cost;
      cost = 0;
    }
  }
  yield cost;
  return output;
}

/** What a block costs beside its bytes: a stream may consist of very many small ones. */
const BLOCK_COST = 64;

/** The uncompressed length that a block begins with: an unsigned varint of up to 32 bits. */
function declaredLength(input: Uint8Array, from: number, end: number): number {
  let length = 0;
  for (let at = from, factor = 1; at < end && factor <= 2 ** 28; at++, factor *= 128) {
    const byte = input[at] as number;
    length += (byte & 0x7f) * factor;
    if (byte >= 0x80) continue;
    if (length > (end - at) * MOST_GROWTH) throw new Error('a snappy block declares more than its bytes can give');
    return length;
  }
  throw new Error('a snappy block does not begin with its length');
}

function afterLength(input: Uint8Array, from: number): number {
  let at = from;
  while ((input[at] as number) >= 0x80) at++;
  return at + 1;
}

/** Runs over whole elements until the block ends or `most` bytes have been made. */
function decodeElements(decoding: Decoding, most: number): void {
  const { input, output, inEnd, outStart, outEnd } = decoding;
  const { array, view } = input;
  let inAt = decoding.inAt;
  let outAt = decoding.outAt;
  const stopAt = outAt + most;
  while (inAt < inEnd && outAt < stopAt) {
    const tag = array[inAt++] as number;
    let length: number;
    let offset: number;
    if ((tag & 3) === 0) {
      length = (tag >>> 2) + 1;
      if (length > 60) {
        const lengthBytes = length - 60;
        if (inAt + lengthBytes > inEnd) throw new Error('the snappy block ends inside a literal length');
        length = 0;
        for (let byte = lengthBytes - 1; byte >= 0; byte--) length = length * 256 + (array[inAt + byte] as number);
        length += 1;
        inAt += lengthBytes;
      }
      if (length > inEnd - inAt || length > outEnd - outAt) throw new Error('a snappy literal runs past the end');
      copyLiterals(input, inAt, inEnd, output, outAt, outEnd, length);
      inAt += length;
      outAt += length;
      continue;
    }
    if ((tag & 3) === 1) {
      if (inAt >= inEnd) throw new Error('the snappy block ends inside a copy');
      length = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | (array[inAt++] as number);
    } else if ((tag & 3) === 2) {
      if (inAt + 2 > inEnd) throw new Error('the snappy block ends inside a copy');
      length = (tag >>> 2) + 1;
      offset = (array[inAt] as number) | ((array[inAt + 1] as number) << 8);
      inAt += 2;
    } else {
      if (inAt + 4 > inEnd) throw new Error('the snappy block ends inside a copy');
      length = (tag >>> 2) + 1;
      offset = view.getUint32(inAt, true);
      inAt += 4;
    }
    if (offset === 0 || offset > outAt - outStart) throw new Error('a snappy copy reaches before the start');
    if (length > outEnd - outAt) throw new Error('a snappy copy runs past the end');
    copyMatch(output, outAt, offset, length, outEnd);
    outAt += length;
  }
  decoding.inAt = inAt;
  decoding.outAt = outAt;
}

/** Compressing, relative to decompressing. */
const COST_PER_BYTE = 2;
const HASH_BITS = 14;
const table = new Uint16Array(1 << HASH_BITS);

/** The most a block can come out as, for input without any repetition: some bytes more than it, and a sixth more. */
const MOST_OVERHEAD = 32;
const mostBytes = (bytes: number): number => MOST_OVERHEAD + bytes + Math.ceil(bytes / 6);

/** A xerial stream, as the Java client writes it. */
export function* compressSnappy(input: Uint8Array): Generator<number, Buffer, void> {
  const chunks = Math.ceil(input.length / XERIAL_CHUNK_BYTES);
  const output = Buffer.allocUnsafe(XERIAL_HEADER_BYTES + chunks * (XERIAL_LENGTH_BYTES + MOST_OVERHEAD) + mostBytes(input.length));
  const from = new Bytes(input);
  const to = new Bytes(output);
  writeXerialHeader(output);
  let outAt = XERIAL_HEADER_BYTES;
  let cost = 0;
  for (let start = 0; start < input.length; start += XERIAL_CHUNK_BYTES) {
    const end = Math.min(start + XERIAL_CHUNK_BYTES, input.length);
    const blockAt = outAt + XERIAL_LENGTH_BYTES;
    outAt = compressBlock(from, start, end, to, blockAt);
    output.writeInt32BE(outAt - blockAt, blockAt - XERIAL_LENGTH_BYTES);
    cost += (end - start) * COST_PER_BYTE;
    if (cost >= SLICE_BYTES) {
      yield cost;
      cost = 0;
    }
  }
  yield cost;
  return output.subarray(0, outAt);
}

const slotOf = (word: number): number => Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS);

/** One raw block of at most 64 KiB, so that positions in it fit 16 bits. Returns the end of the output. */
function compressBlock(input: Bytes, start: number, end: number, output: Bytes, from: number): number {
  const { view } = input;
  let outAt = from;
  let rest = end - start;
  for (; rest >= 0x80; rest >>>= 7) output.array[outAt++] = (rest & 0x7f) | 0x80;
  output.array[outAt++] = rest;
  let literalFrom = start;
  const lastStart = end - 15; // close to the end nothing is gained by looking for matches
  if (lastStart > start) {
    table.fill(0);
    let at = start + 1;
    let misses = 32; // each 32 misses in a row lengthen the stride: incompressible data is skipped through
    while (at < lastStart) {
      const current = view.getInt32(at, true);
      const slot = slotOf(current);
      const candidate = start + (table[slot] as number);
      table[slot] = at - start;
      if (view.getInt32(candidate, true) !== current) {
        at += misses++ >>> 5;
        continue;
      }
      misses = 32;
      if (literalFrom < at) outAt = writeLiteral(input, literalFrom, at, output, outAt);
      const length = matchLength(view, candidate, at, end);
      outAt = writeCopy(output.array, outAt, at - candidate, length);
      at += length;
      literalFrom = at;
      if (at < lastStart) table[slotOf(view.getInt32(at - 1, true))] = at - 1 - start;
    }
  }
  return literalFrom < end ? writeLiteral(input, literalFrom, end, output, outAt) : outAt;
}

function writeLiteral(input: Bytes, start: number, end: number, output: Bytes, from: number): number {
  const { array } = output;
  let outAt = from;
  const count = end - start - 1;
  if (count < 60) array[outAt++] = count << 2;
  else if (count < 256) {
    array[outAt++] = 60 << 2;
    array[outAt++] = count;
  } else {
    array[outAt++] = 61 << 2;
    array[outAt++] = count & 0xff;
    array[outAt++] = count >>> 8;
  }
  copyLiterals(input, start, input.array.length, output, outAt, array.length, end - start);
  return outAt + end - start;
}

function writeCopy(output: Uint8Array, from: number, offset: number, length: number): number {
  let outAt = from;
  let rest = length;
  while (rest > 0) {
    // A copy holds 64 bytes at most; never leave a rest that is too short for one.
    const taken = rest > 64 ? (rest < 68 ? 60 : 64) : rest;
    if (taken < 12 && offset < 2048) {
      output[outAt++] = ((offset >>> 8) << 5) | ((taken - 4) << 2) | 1;
      output[outAt++] = offset & 0xff;
    } else {
      output[outAt++] = ((taken - 1) << 2) | 2;
      output[outAt++] = offset & 0xff;
      output[outAt++] = offset >>> 8;
    }
    rest -= taken;
  }
  return outAt;
}
