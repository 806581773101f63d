// Snappy blocks (google/snappy, format_description.txt), alone or in xerial's stream, read and written in slices: about every
// SLICE_BYTES, and before the end, the generators yield what the slice cost (in bytes, of decompressed output), so that whoever drives
// them can let the event loop turn.
import { OutputLimitError } from '../env.ts';
import {
  isXerial,
  writeXerialHeader,
  XERIAL_CHUNK_BYTES,
  XERIAL_HEADER_BYTES,
  XERIAL_LENGTH_BYTES,
  xerialBlocks,
} from './compute-xerial.ts';

/** About 1 ms of work. */
const SLICE_BYTES = 512 * 1024;
/** The densest element is a copy of 64 bytes in 3; a block that declares more than this much growth is not snappy. */
const MOST_GROWTH = 22;

/** One block on its way: its elements end at `inEnd`, its output goes from `outStart` to `outEnd`. */
interface Decoding {
  readonly input: Uint8Array;
  readonly output: Buffer;
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
  const places = isXerial(input) ? xerialBlocks(input) : [0, input.length];
  let length = 0;
  for (let block = 0; block < places.length; block += 2) {
    length += declaredLength(input, places[block] as number, places[block + 1] as number);
    if (length > maxBytes) throw new OutputLimitError(`snappy declares at least ${length} bytes, ${maxBytes} are allowed`);
  }
  const output = Buffer.allocUnsafe(length);
  const decoding: Decoding = { input, output, inAt: 0, inEnd: 0, outAt: 0, outStart: 0, outEnd: 0 };
  let cost = 0;
  for (let block = 0; block < places.length; block += 2) {
    decoding.inEnd = places[block + 1] as number;
    decoding.outStart = decoding.outAt;
    decoding.outEnd = decoding.outAt + declaredLength(input, places[block] as number, decoding.inEnd);
    decoding.inAt = afterLength(input, places[block] as number);
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
  let inAt = decoding.inAt;
  let outAt = decoding.outAt;
  const stopAt = outAt + most;
  while (inAt < inEnd && outAt < stopAt) {
    const tag = input[inAt++] as number;
    let length: number;
    let offset: number;
    if ((tag & 3) === 0) {
      length = (tag >>> 2) + 1;
      if (length > 60) {
        const lengthBytes = length - 60;
        if (inAt + lengthBytes > inEnd) throw new Error('the snappy block ends inside a literal length');
        length = 0;
        for (let byte = lengthBytes - 1; byte >= 0; byte--) length = length * 256 + (input[inAt + byte] as number);
        length += 1;
        inAt += lengthBytes;
      }
      if (length > inEnd - inAt || length > outEnd - outAt) throw new Error('a snappy literal runs past the end');
      if (length <= 48) for (const end = inAt + length; inAt < end;) output[outAt++] = input[inAt++] as number;
      else {
        output.set(input.subarray(inAt, inAt + length), outAt);
        inAt += length;
        outAt += length;
      }
      continue;
    }
    if ((tag & 3) === 1) {
      if (inAt >= inEnd) throw new Error('the snappy block ends inside a copy');
      length = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | (input[inAt++] as number);
    } else if ((tag & 3) === 2) {
      if (inAt + 2 > inEnd) throw new Error('the snappy block ends inside a copy');
      length = (tag >>> 2) + 1;
      offset = (input[inAt] as number) | ((input[inAt + 1] as number) << 8);
      inAt += 2;
    } else {
      if (inAt + 4 > inEnd) throw new Error('the snappy block ends inside a copy');
      length = (tag >>> 2) + 1;
      offset =
        ((input[inAt] as number) |
          ((input[inAt + 1] as number) << 8) |
          ((input[inAt + 2] as number) << 16) |
          ((input[inAt + 3] as number) << 24)) >>>
        0;
      inAt += 4;
    }
    if (offset === 0 || offset > outAt - outStart) throw new Error('a snappy copy reaches before the start');
    if (length > outEnd - outAt) throw new Error('a snappy copy runs past the end');
    for (let from = outAt - offset, end = outAt + length; outAt < end;) output[outAt++] = output[from++] as number;
  }
  decoding.inAt = inAt;
  decoding.outAt = outAt;
}

/** Compressing, relative to decompressing. */
const COST_PER_BYTE = 2;
const HASH_BITS = 14;
const table = new Uint16Array(1 << HASH_BITS);

/** The densest a block can come out, for inputs without any repetition. */
const compressedBound = (bytes: number): number => 32 + bytes + Math.ceil(bytes / 6);

/** A xerial stream, as the Java client writes it. */
export function* compressSnappy(input: Uint8Array): Generator<number, Buffer, void> {
  const chunks = Math.ceil(input.length / XERIAL_CHUNK_BYTES);
  const output = Buffer.allocUnsafe(
    XERIAL_HEADER_BYTES + chunks * (XERIAL_LENGTH_BYTES + compressedBound(0)) + compressedBound(input.length),
  );
  writeXerialHeader(output);
  let outAt = XERIAL_HEADER_BYTES;
  let cost = 0;
  for (let start = 0; start < input.length; start += XERIAL_CHUNK_BYTES) {
    const end = Math.min(start + XERIAL_CHUNK_BYTES, input.length);
    const blockAt = outAt + XERIAL_LENGTH_BYTES;
    outAt = compressBlock(input, start, end, output, blockAt);
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

/** One raw block of at most 64 KiB, so that positions in it fit 16 bits. */
function compressBlock(input: Uint8Array, start: number, end: number, output: Buffer, from: number): number {
  let outAt = from;
  let rest = end - start;
  for (; rest >= 0x80; rest >>>= 7) output[outAt++] = (rest & 0x7f) | 0x80;
  output[outAt++] = rest;
  return compressFragment(input, start, end, output, outAt);
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);

function compressFragment(input: Uint8Array, start: number, end: number, output: Buffer, from: number): number {
  let outAt = from;
  let literalFrom = start;
  const lastStart = end - 15; // close to the end nothing is gained by looking for matches
  if (lastStart > start) {
    table.fill(0);
    let at = start + 1;
    let misses = 32; // each 32 misses in a row lengthen the stride: incompressible data is skipped through
    while (at < lastStart) {
      const current = word(input, at);
      const slot = Math.imul(current, 0x1e35a7bd) >>> (32 - HASH_BITS);
      const candidate = start + (table[slot] as number);
      table[slot] = at - start;
      if (word(input, candidate) !== current || candidate >= at) {
        at += misses++ >>> 5;
        continue;
      }
      misses = 32;
      if (literalFrom < at) outAt = writeLiteral(input, literalFrom, at, output, outAt);
      let length = 4;
      while (at + length < end && input[candidate + length] === input[at + length]) length++;
      outAt = writeCopy(output, outAt, at - candidate, length);
      at += length;
      literalFrom = at;
      if (at < lastStart) table[Math.imul(word(input, at - 1), 0x1e35a7bd) >>> (32 - HASH_BITS)] = at - 1 - start;
    }
  }
  return literalFrom < end ? writeLiteral(input, literalFrom, end, output, outAt) : outAt;
}

function writeLiteral(input: Uint8Array, start: number, end: number, output: Buffer, from: number): number {
  let outAt = from;
  const count = end - start - 1;
  if (count < 60) output[outAt++] = count << 2;
  else if (count < 256) {
    output[outAt++] = 60 << 2;
    output[outAt++] = count;
  } else {
    output[outAt++] = 61 << 2;
    output[outAt++] = count & 0xff;
    output[outAt++] = count >>> 8;
  }
  if (count < 48) for (let at = start; at < end; at++) output[outAt++] = input[at] as number;
  else {
    output.set(input.subarray(start, end), outAt);
    outAt += end - start;
  }
  return outAt;
}

function writeCopy(output: Buffer, from: number, offset: number, length: number): number {
  let outAt = from;
  let rest = length;
  while (rest > 0) {
    // A copy holds 64 bytes at most; never leave a rest that the short form could not hold.
    const taken = rest > 64 ? (rest < 68 ? 60 : 64) : rest;
    if (taken >= 4 && taken < 12 && offset < 2048) {
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
