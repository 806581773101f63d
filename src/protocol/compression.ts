// How records are compressed inside a batch: the codec bits of its attributes, and what of a codec every client can read.
// The arithmetic itself, with xerial's framing of snappy as the Java client writes it, is the environment's (`Compute`).
import type { CompressionCodec, Compute } from '../base/env.ts';
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
  return codec === 'none' ? bytes : compute.decompress(codec, bytes, maxBytes);
}

/** The reverse, as the Java client frames it. `level` in the codec's own scale; snappy has none. */
export function compressRecords(compute: Compute, codec: RecordCodec, bytes: Buffer, level?: number): Buffer | Promise<Buffer> {
  return codec === 'none' ? bytes : compute.compress(codec, bytes, level);
}

/**
 * False for records that decompress here, but not in every client. Java's lz4 reader, and with it Apache Kafka's broker, knows one
 * frame of independent blocks; some writers (python-lz4 unless told otherwise) link the blocks once there are two.
 */
export function isReadByEveryClient(codec: RecordCodec, bytes: Buffer): boolean {
  return codec !== 'lz4' || isOneIndependentLz4Frame(bytes);
}

const LZ4_MAGIC = 0x184d2204;

/** Of bytes that are known to be lz4 frames (the layout is drawn in base/real/compute-lz4.ts). */
function isOneIndependentLz4Frame(bytes: Buffer): boolean {
  const flags = bytes[4] ?? 0;
  const [independent, blockChecksums, contentSize, contentChecksum] = [0x20, 0x10, 0x08, 0x04].map((bit) => (flags & bit) !== 0);
  if (bytes.readUInt32LE(0) !== LZ4_MAGIC || independent !== true) return false;
  let at = contentSize === true ? 15 : 7;
  for (let size = 1; size > 0;) {
    size = bytes.readUInt32LE(at) & 0x7fff_ffff;
    at += 4 + size + (size > 0 && blockChecksums === true ? 4 : 0);
  }
  return at + (contentChecksum === true ? 4 : 0) === bytes.length;
}
