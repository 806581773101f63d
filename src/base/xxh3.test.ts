// XXH3 gives what the reference implementation gives, for every length at which it works another way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xxh3 } from './xxh3.ts';

// Of bytes (131 i + 7 + length) mod 256; from hash-wasm 4.13.0, which compiles the reference implementation.
const expected: readonly (readonly [length: number, hash: string])[] = [
  [0, '2d06800538d394c2'],
  [2, 'a00b9f3ec7ee0e24'],
  [3, '2ce2db57fca0b60a'],
  [7, '8da91160ea6f98f7'],
  [8, 'f86e9d56067023ad'],
  [16, '066023b76e065695'],
  [17, '507628091554998f'],
  [100, '3e5782f2476b6361'],
  [128, 'a9b75c1d0d209ac8'],
  [129, 'ea72d79daf09e017'],
  [240, 'ec7b9ad95ec1efa0'],
  [241, '0bbfc43d289d622f'],
  [1024, '70bd377d9574f4bb'],
  [1025, 'f050b620f9152610'],
  [5000, '3100b7f3f87e8c52'],
];

test('XXH3 of every length is what the reference implementation gives', () => {
  for (const [length, hash] of expected) {
    const bytes = Buffer.from(Array.from({ length }, (_, at) => (at * 131 + 7 + length) & 255));
    assert.equal(xxh3(bytes).toString(16).padStart(16, '0'), hash, `of ${length} bytes`);
  }
});
