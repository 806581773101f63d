// How records are compressed inside a batch: the codec bits of its attributes, and the framings Kafka puts around the codecs.
// The arithmetic itself is the environment's (`Compute`). Only snappy differs from it: Java clients write xerial's stream of
// chunks, C and Go clients one raw block, and both are read everywhere.
import { type CompressionCodec, type Compute, OutputLimitError } from '../base/env.ts';
import { KafkaError } from './errors.ts';

export type RecordCodec = 'none' | CompressionCodec;

const codecs: readonly RecordCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** @throws KafkaError UNSUPPORTED_COMPRESSION_TYPE for the bits 5 to 7, which mean nothing */
export function codecOfAttributes(attributes: number): RecordCodec {
  const codec = codecs[attributes & 0x07];
  if (codec === undefined)
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `codec bits ${attributes & 0x07} mean no compression codec`);
  return codec;
}

export const codecBitsOf = (codec: RecordCodec): number => codecs.indexOf(codec);

/**
 * The records as they were before compression. Small inputs are answered at once. The result may share memory with `bytes`.
 * @throws OutputLimitError when they would take more than `maxBytes`; Error when the bytes are not of that codec
 */
export function decompressRecords(compute: Compute, codec: RecordCodec, bytes: Buffer, maxBytes: number): Buffer | Promise<Buffer> {
  if (codec === 'none') return bytes;
  if (codec === 'snappy' && isXerial(bytes)) return decompressXerial(compute, bytes, maxBytes);
  return compute.decompress(codec, bytes, maxBytes);
}

/** The reverse, as the Java client frames it. `level` in the codec's own scale; snappy has none. */
export function compressRecords(compute: Compute, codec: RecordCodec, bytes: Buffer, level?: number): Buffer | Promise<Buffer> {
  if (codec === 'none') return bytes;
  if (codec === 'snappy') return compressXerial(compute, bytes);
  return compute.compress(codec, bytes, level);
}

// xerial: | 82 53 4e 41 50 50 59 00 | version int32 = 1 | compatible version int32 = 1 | then chunks of | length int32 | raw snappy block |
// A whole stream (with its header) may follow another one: each flush of the Java writer's reuse did that.
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
const XERIAL_COMPATIBLE_VERSION = 1;
/** What snappy-java cuts its input into. */
const XERIAL_CHUNK_BYTES = 32 * 1024;

const isXerial = (bytes: Buffer): boolean => bytes.length >= XERIAL_HEADER_BYTES && startsWithMagic(bytes, 0);

function startsWithMagic(bytes: Buffer, at: number): boolean {
  return bytes[at] === XERIAL_MAGIC[0] && bytes.compare(XERIAL_MAGIC, 0, XERIAL_MAGIC.length, at, at + XERIAL_MAGIC.length) === 0;
}

/** The raw blocks of a xerial stream, as views. */
function xerialChunks(bytes: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + XERIAL_HEADER_BYTES <= bytes.length && startsWithMagic(bytes, at)) {
      if (bytes.readInt32BE(at + 12) > XERIAL_COMPATIBLE_VERSION) throw new Error('the snappy stream asks for a newer reader');
      at += XERIAL_HEADER_BYTES;
      continue;
    }
    if (at + 4 > bytes.length) throw new Error('the snappy stream ends inside a chunk length');
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0 || length > bytes.length - at) throw new Error(`a snappy chunk says ${length} bytes, ${bytes.length - at} are left`);
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

function decompressXerial(compute: Compute, bytes: Buffer, maxBytes: number): Buffer | Promise<Buffer> {
  return joinInOrder(xerialChunks(bytes), (chunk, soFar) => {
    if (soFar > maxBytes) throw new OutputLimitError(`a snappy stream gives more than ${maxBytes} bytes`);
    return compute.decompress('snappy', chunk, maxBytes - soFar);
  });
}

function compressXerial(compute: Compute, bytes: Buffer): Buffer | Promise<Buffer> {
  const header = Buffer.alloc(XERIAL_HEADER_BYTES);
  XERIAL_MAGIC.copy(header);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(XERIAL_COMPATIBLE_VERSION, 12);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += XERIAL_CHUNK_BYTES) pieces.push(bytes.subarray(at, at + XERIAL_CHUNK_BYTES));
  const framed = (block: Buffer): Buffer => {
    const chunk = Buffer.allocUnsafe(4 + block.length);
    chunk.writeInt32BE(block.length, 0);
    block.copy(chunk, 4);
    return chunk;
  };
  return joinInOrder([header, ...pieces], (piece) => {
    if (piece === header) return header;
    const block = compute.compress('snappy', piece);
    return block instanceof Promise ? block.then(framed) : framed(block);
  });
}

/** Turns each piece in order and joins what comes out; without a promise as long as none of them is one. */
function joinInOrder(
  pieces: readonly Buffer[],
  turn: (piece: Buffer, soFar: number) => Buffer | Promise<Buffer>,
): Buffer | Promise<Buffer> {
  const made: Buffer[] = [];
  let soFar = 0;
  for (const [index, piece] of pieces.entries()) {
    const out = turn(piece, soFar);
    if (out instanceof Promise) return joinRest(made, soFar, out, pieces.slice(index + 1), turn);
    made.push(out);
    soFar += out.length;
  }
  return made.length === 1 ? (made[0] as Buffer) : Buffer.concat(made, soFar);
}

async function joinRest(
  made: Buffer[],
  bytesMade: number,
  awaited: Promise<Buffer>,
  rest: readonly Buffer[],
  turn: (piece: Buffer, soFar: number) => Buffer | Promise<Buffer>,
): Promise<Buffer> {
  const first = await awaited;
  made.push(first);
  let soFar = bytesMade + first.length;
  for (const piece of rest) {
    const out = await turn(piece, soFar);
    made.push(out);
    soFar += out.length;
  }
  return Buffer.concat(made, soFar);
}
