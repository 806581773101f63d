import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bytes, copyLiterals, copyMatch, matchLength } from './compute-copy.ts';

const counted = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 7 + (at >>> 8)) & 0xff));

test('a match is repeated as if byte by byte, at every distance and length, and writes nothing at or beyond its end', () => {
  for (const length of [1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1000]) {
    for (const offset of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 255, 256, 1000]) {
      for (const room of [0, 1, 7, 8, 20]) {
        const at = 1000;
        const expected = counted(at + length + room + 30);
        const actual = new Bytes(Buffer.from(expected));
        for (let to = at; to < at + length; to++) expected[to] = expected[to - offset]!;
        copyMatch(actual, at, offset, length, at + length + room);
        const name = `${length} bytes from ${offset} before, ${room} to spare`;
        assert.ok(expected.subarray(0, at + length).equals(actual.array.subarray(0, at + length)), name);
        assert.ok(expected.subarray(at + length + room).equals(actual.array.subarray(at + length + room)), `${name}: beyond the end`);
      }
    }
  }
});

test('literals are copied whole, from and to the very ends of what may be touched', () => {
  const source = new Bytes(counted(600));
  for (const length of [0, 1, 7, 8, 9, 100, 255, 256, 300]) {
    for (const room of [0, 3, 8]) {
      const target = new Bytes(Buffer.alloc(600, 0xee));
      copyLiterals(source, 20, 20 + length + room, target, 5, 5 + length + room, length);
      assert.deepEqual(target.array.subarray(5, 5 + length), source.array.subarray(20, 20 + length));
      assert.ok(target.array.subarray(5 + length + room).every((byte) => byte === 0xee));
      assert.ok(target.array.subarray(0, 5).every((byte) => byte === 0xee));
    }
  }
});

test('the length of a match ends at the first difference, or at the limit', () => {
  for (let equal = 4; equal < 40; equal++) {
    const bytes = Buffer.alloc(200);
    bytes[100 + equal] = 1;
    const { view } = new Bytes(bytes);
    assert.equal(matchLength(view, 0, 100, 180), equal);
    assert.equal(matchLength(view, 0, 100, 104 + (equal >>> 1)), Math.min(equal, 4 + (equal >>> 1)));
  }
});
