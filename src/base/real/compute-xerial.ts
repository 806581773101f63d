// The stream of snappy blocks that snappy-java (org.xerial) writes, and with it Kafka's Java clients. Framing only; blocks are compute-snappy.ts's.

//  | 82 53 4e 41 50 50 59 00 | version int32 | compatible version int32 | then chunks: | length int32 | raw block |    all big-endian.
//  A stream may be followed by another one, with its own header.
const MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] as const;
const VERSION = 1;
export const XERIAL_HEADER_BYTES = 16;
export const XERIAL_LENGTH_BYTES = 4;
/** What snappy-java cuts its input into. */
export const XERIAL_CHUNK_BYTES = 32 * 1024;

const int32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);

/** Whether a stream's header begins at `at`. No raw block begins like it: its first element would copy from before the start. */
export const isXerial = (bytes: Uint8Array, at = 0): boolean =>
  bytes.length - at >= XERIAL_HEADER_BYTES && MAGIC.every((byte, index) => bytes[at + index] === byte);

/**
 * Where the next raw block begins when a chunk, or a stream's header, is due at `from`; -1 at the end of the bytes.
 * @throws Error when the chunk does not fit
 */
export function nextXerialBlock(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isXerial(bytes, at)) {
    if (int32(bytes, at + 12) > VERSION) throw new Error('the snappy stream asks for a newer reader');
    at += XERIAL_HEADER_BYTES;
  }
  if (at === bytes.length) return -1;
  if (at + XERIAL_LENGTH_BYTES > bytes.length) throw new Error('the snappy stream ends inside a chunk length');
  const length = int32(bytes, at);
  at += XERIAL_LENGTH_BYTES;
  if (length < 0 || length > bytes.length - at) throw new Error(`a snappy chunk says ${length} bytes, ${bytes.length - at} are left`);
  return at;
}

/** Where the block that `nextXerialBlock` found ends. */
export const xerialBlockEnd = (bytes: Uint8Array, block: number): number => block + int32(bytes, block - XERIAL_LENGTH_BYTES);

export function writeXerialHeader(output: Buffer): void {
  output.set(MAGIC);
  output.writeInt32BE(VERSION, 8);
  output.writeInt32BE(VERSION, 12);
}
