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
    assert.equal(makeCrc32c(() => native)(bytes), expected);
    if (native) assert.equal(native(bytes), expected);
  }
});

test('tables and native module agree on every length around their limits, and on views into larger buffers', () => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 31 + (at >>> 8)) & 0xff));
  const mixed = makeCrc32c();
  mixed(bytes); // from here on the native module has its part
  for (const length of [...Array.from({ length: 300 }, (_, at) => at), 4096, 65_535, 69_990]) {
    const view = bytes.subarray(7, 7 + length);
    assert.equal(mixed(view), crc32cByTables(view), `${length} bytes`);
  }
});

test('without a native module the tables do all the work', () => {
  const crc32c = makeCrc32c(() => undefined);
  for (let times = 0; times < 3; times += 1) assert.equal(crc32c(Buffer.alloc(65_536)), crc32cByTables(Buffer.alloc(65_536)));
});

test('the native module is loaded once, when it is worth it, and then has what is not small', () => {
  let loaded = 0;
  const crc32c = makeCrc32c(() => {
    loaded += 1;
    return () => 7;
  });
  for (let times = 0; times < 63; times += 1) assert.equal(crc32c(Buffer.alloc(1024)), crc32cByTables(Buffer.alloc(1024)));
  for (let times = 0; times < 10_000; times += 1) crc32c(Buffer.alloc(100));
  assert.equal(loaded, 0);
  assert.equal(crc32c(Buffer.alloc(1024)), 7);
  assert.equal(crc32c(Buffer.alloc(4096)), 7);
  assert.equal(crc32c(Buffer.alloc(100)), crc32cByTables(Buffer.alloc(100)));
  assert.equal(loaded, 1);
});

test('a checksum goes on from that of the bytes before, in pieces of any size', () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 31 + (at >>> 8)) & 0xff));
  for (const crc32c of [crc32cByTables, makeCrc32c()]) {
    for (const pieceBytes of [1, 191, 192, 4096, 150_000]) {
      let crc = 0;
      for (let at = 0; at < bytes.length; at += pieceBytes) crc = crc32c(bytes.subarray(at, at + pieceBytes), crc);
      assert.equal(crc, crc32cByTables(bytes), `${pieceBytes} bytes`);
    }
  }
});
