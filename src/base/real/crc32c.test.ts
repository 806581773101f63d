import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32cByTables, loadNativeCrc32c, makeCrc32c } from './crc32c.ts';

/** RFC 3720, B.4, and the check value every CRC catalogue gives for "123456789". */
const vectors: [Uint8Array, number][] = [
  [Buffer.from(''), 0],
  [Buffer.from('123456789'), 0xe3069283],
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e],
  [Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), 0x113fdb5c],
];

test('the tables, the native module and their mixture give the published checksums', () => {
  const native = loadNativeCrc32c();
  for (const [bytes, expected] of vectors) {
    assert.equal(crc32cByTables(bytes), expected);
    assert.equal(makeCrc32c(native)(bytes), expected);
    if (native) assert.equal(native(bytes), expected);
  }
});

test('tables and native module agree on every length around their limits, and on views into larger buffers', () => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 31 + (at >>> 8)) & 0xff));
  const mixed = makeCrc32c(loadNativeCrc32c());
  for (const length of [...Array.from({ length: 300 }, (_, at) => at), 4096, 65_535, 69_990]) {
    const view = bytes.subarray(7, 7 + length);
    assert.equal(mixed(view), crc32cByTables(view), `${length} bytes`);
  }
});

test('without a native module the tables do all the work', () => {
  assert.equal(makeCrc32c(undefined)(Buffer.alloc(32)), 0x8a9136aa);
  // The mixture must really reach the module, or the limit between the two would hide a broken one.
  assert.equal(makeCrc32c(() => 7)(Buffer.alloc(4096)), 7);
});
