import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../base/memory/random.ts';
import { ENTRY_BYTES, halfSipHash, OffsetMap } from './offset-map.ts';

test('the hash is HalfSipHash-2-4 of 64 bits, by the vectors of its reference', () => {
  const vectors = ['218d1f59b9b83cc8', 'be552412f8387315'];
  const input = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]);
  const words = new Int32Array(2);
  for (const [length, vector] of vectors.entries()) {
    halfSipHash(input, 0, length, 0x03020100, 0x07060504, words, 0);
    assert.equal(Buffer.from(words.buffer).toString('hex'), vector, `${length} bytes`);
  }
});

test('every key has the offset it was put with last, whatever the number of keys and their lengths', () => {
  const random = new SeededRandom(7);
  const map = new OffsetMap({ hashKey: random.bytes(16), maxBytes: 200_000 * ENTRY_BYTES, loadFactor: 0.9 });
  const model = new Map<string, number>();
  for (let n = 0; n < 150_000; n += 1) {
    const key = 'k'.repeat(Math.floor(random.next() * 20)) + String(Math.floor(random.next() * 60_000));
    const bytes = Buffer.from(`##${key}#`);
    const offset = n * 1_000_003; // passes 2^32
    map.put(bytes, 2, bytes.length - 1, offset);
    model.set(key, offset);
  }
  assert.equal(map.count, model.size);
  for (const [key, offset] of model) assert.equal(map.get(Buffer.from(key), 0, Buffer.byteLength(key)), offset);
  assert.equal(map.get(Buffer.from('unknown'), 0, 7), -1);
});

test('a map is full at its load factor and no larger than it may be', () => {
  const map = new OffsetMap({ hashKey: Buffer.alloc(16, 3), maxBytes: 100_000 * ENTRY_BYTES, loadFactor: 0.9 });
  const key = Buffer.alloc(4);
  let count = 0;
  for (; !map.isFull; count += 1) {
    key.writeInt32LE(count);
    map.put(key, 0, 4, count);
  }
  assert.equal(count, 90_000);
  assert.ok(map.bytes <= 100_000 * ENTRY_BYTES);
  for (let n = 0; n < count; n += 1) {
    key.writeInt32LE(n);
    assert.equal(map.get(key, 0, 4), n);
  }
});

test('few keys take little memory, whatever the bound', () => {
  const map = new OffsetMap({ hashKey: Buffer.alloc(16, 3), maxBytes: 128 * 1024 * 1024, loadFactor: 0.9 });
  assert.ok(map.bytes < 1024 * 1024);
});
