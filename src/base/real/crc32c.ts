// CRC-32C (Castagnoli), the checksum of record batches and of Kafka's small files.
// The native module of @node-rs/crc32 when its binary loads, else tables; both give the same answer. Nothing else lives here.
import { createRequire } from 'node:module';

export type Crc32c = (bytes: Uint8Array, before?: number) => number;

/** Below this many bytes the tables beat the price of a call into native code; bench/batches.ts prints both. */
const NATIVE_FROM_BYTES = 192;

const POLYNOMIAL = 0x82f63b78; // Castagnoli, bit-reversed

/** Eight tables of 256: table k holds the CRC of a byte followed by k zero bytes (slicing by 8). */
const tables = makeTables();

function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    made[byte] = crc;
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number);
  }
  return made;
}

/** The portable form. Unsigned. `before` is that of the bytes before these. */
export function crc32cByTables(bytes: Uint8Array, before = 0): number {
  const table = tables;
  const length = bytes.length;
  let crc = ~before;
  let at = 0;
  for (const end = length - 7; at < end; at += 8) {
    crc ^= (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    crc =
      (table[1792 + (crc & 0xff)] as number) ^
      (table[1536 + ((crc >>> 8) & 0xff)] as number) ^
      (table[1280 + ((crc >>> 16) & 0xff)] as number) ^
      (table[1024 + (crc >>> 24)] as number) ^
      (table[768 + (bytes[at + 4] as number)] as number) ^
      (table[512 + (bytes[at + 5] as number)] as number) ^
      (table[256 + (bytes[at + 6] as number)] as number) ^
      (table[bytes[at + 7] as number] as number);
  }
  for (; at < length; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number);
  return ~crc >>> 0;
}

/** The native form, or undefined where the package ships no binary for this platform. */
export function loadNativeCrc32c(): Crc32c | undefined {
  try {
    const native = createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Crc32c };
    // A binary that loads but answers wrongly must never be trusted with data: the vector is RFC 3720, B.4.
    return native.crc32c(Buffer.alloc(32)) === 0x8a9136aa ? native.crc32c : undefined;
  } catch {
    return undefined;
  }
}

/** The tables give way to native code after so many bytes: loading it takes 4 ms, and a broker that idles never needs it. */
const LOAD_AFTER_BYTES = 64 * 1024;

/** What `load` gives, once it is worth it; tables alone where it gives nothing. */
export function makeCrc32c(load: () => Crc32c | undefined = loadNativeCrc32c): Crc32c {
  let byTables = 0;
  let large: Crc32c = (bytes, before) => {
    byTables += bytes.length;
    if (byTables < LOAD_AFTER_BYTES) return crc32cByTables(bytes, before);
    large = load() ?? crc32cByTables;
    return large(bytes, before);
  };
  return (bytes, before) => (bytes.length < NATIVE_FROM_BYTES ? crc32cByTables(bytes, before) : large(bytes, before));
}
