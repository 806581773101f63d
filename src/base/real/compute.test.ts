import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { OutputLimitError } from '../env.ts';
import { xxhash32 } from './compute-xxhash32.ts';
import { makeCompute } from './compute.ts';

const compute = makeCompute();
const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const KiB = 1024;
const MiB = 1024 * KiB;

/** Small and plain (Park and Miller), so that a failing case can be made again from its seed. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** Bytes that are partly runs, partly repetitions at a distance, partly noise. */
function someBytes(seed: number, length: number): Buffer {
  const random = randomNumbers(seed);
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const piece = Math.min(1 + random(400), length - at);
    const kind = random(3);
    if (kind === 0) bytes.fill(random(256), at, at + piece);
    else if (kind === 1 && at > 0) for (let i = 0, from = random(at); i < piece; i++) bytes[at + i] = bytes[from + i]!;
    else for (let i = 0; i < piece; i++) bytes[at + i] = random(256);
    at += piece;
  }
  return bytes;
}

test('every codec gives back what it was given, whatever the bytes, sizes and levels', async () => {
  const sizes = [0, 1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16, 17, 60, 61, 64, 65, 300, 4 * KiB, 64 * KiB - 1, 64 * KiB, 64 * KiB + 1, 200_000];
  for (const codec of codecs) {
    for (const [seed, size] of sizes.entries()) {
      for (const bytes of [someBytes(seed + 1, size), Buffer.alloc(size), someBytes(seed + 1, size).map((byte) => byte & 3)]) {
        const back = await compute.decompress(codec, await compute.compress(codec, bytes), size);
        assert.ok(back.equals(bytes), `${codec}, ${size} bytes`);
      }
    }
  }
  const levels = { gzip: [-1, 1, 9], lz4: [1, 3, 9, 12, 17], zstd: [-131_072, -5, 1, 22], snappy: [] };
  const bytes = someBytes(99, 150_000);
  for (const codec of codecs)
    for (const level of levels[codec])
      assert.ok((await compute.decompress(codec, await compute.compress(codec, bytes, level), 150_000)).equals(bytes), `${codec} ${level}`);
});

test('the platform reads our gzip and zstd, and we read its', async () => {
  const bytes = someBytes(7, 100_000);
  assert.ok(gunzipSync(await compute.compress('gzip', bytes)).equals(bytes));
  assert.ok(zstdDecompressSync(await compute.compress('zstd', bytes)).equals(bytes));
  assert.ok((await compute.decompress('gzip', gzipSync(bytes), bytes.length)).equals(bytes));
  assert.ok((await compute.decompress('zstd', zstdCompressSync(bytes), bytes.length)).equals(bytes));
});

test('what is small is answered at once, what is large with a promise', () => {
  const small = someBytes(3, 16 * KiB);
  for (const codec of codecs) {
    const fresh = makeCompute();
    const compressed = fresh.compress(codec, small);
    assert.ok(Buffer.isBuffer(compressed), codec);
    assert.ok(Buffer.isBuffer(fresh.decompress(codec, compressed, 16 * KiB)), codec);
    assert.ok(fresh.compress(codec, Buffer.alloc(4 * MiB)) instanceof Promise, codec);
  }
});

test('very much small work in one turn of the event loop moves to the next ones', async () => {
  const fresh = makeCompute();
  const bytes = someBytes(3, 64 * KiB);
  const small = fresh.compress('snappy', bytes) as Buffer;
  const answers = Array.from({ length: 400 }, () => fresh.decompress('snappy', small, 64 * KiB));
  assert.ok(Buffer.isBuffer(answers[0]));
  assert.ok(answers.at(-1) instanceof Promise);
  for (const answer of answers) assert.ok((await answer).equals(bytes));
});

test('output is limited to the byte', async () => {
  for (const codec of codecs) {
    for (const size of [1, 100, 70_000, 2 * MiB]) {
      const compressed = await compute.compress(codec, Buffer.alloc(size, 'ab'));
      assert.equal((await compute.decompress(codec, compressed, size)).length, size);
      await assert.rejects(async () => compute.decompress(codec, compressed, size - 1), OutputLimitError, `${codec} ${size}`);
    }
  }
});

test('cut off or changed anywhere, compressed bytes end in an Error or in bytes within the limit', async () => {
  const bytes = someBytes(5, 600);
  for (const codec of codecs) {
    const compressed = await compute.compress(codec, bytes);
    for (let length = 0; length < compressed.length; length++) {
      if (codec === 'snappy' && length === 16) continue; // a xerial stream has no end: its header alone is a stream of nothing
      await assert.rejects(async () => compute.decompress(codec, compressed.subarray(0, length), MiB), Error, `${codec} cut at ${length}`);
    }
    const random = randomNumbers(11);
    for (let round = 0; round < 3000; round++) {
      const damaged = Buffer.from(compressed);
      for (let flips = 1 + random(3); flips > 0; flips--) damaged[random(damaged.length)] = random(256);
      try {
        assert.ok((await compute.decompress(codec, damaged, 1000)).length <= 1000);
      } catch (thrown) {
        assert.ok(thrown instanceof OutputLimitError || (thrown as Error).name === 'Error', `${codec}: ${String(thrown)}`);
      }
    }
  }
});

test('beginnings of every kind of frame, cut off at any byte and followed by noise, end in an Error or within the limit', async () => {
  const beginnings = {
    gzip: [[0x1f, 0x8b, 8, 0]],
    snappy: [[], [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]],
    lz4: [
      [0x50, 0x2a, 0x4d, 0x18],
      [4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82],
      [4, 0x22, 0x4d, 0x18, 0x6c, 0x40],
    ],
    zstd: [
      [0x50, 0x2a, 0x4d, 0x18],
      [0x28, 0xb5, 0x2f, 0xfd],
      [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x10],
    ],
  };
  const random = randomNumbers(17);
  for (const codec of codecs) {
    for (const beginning of beginnings[codec]) {
      for (let round = 0; round < 400; round++) {
        const noise = Array.from({ length: round % 40 }, () => (random(3) === 0 ? 0 : random(256)));
        try {
          assert.ok((await compute.decompress(codec, Buffer.from([...beginning, ...noise]), 1000)).length <= 1000);
        } catch (thrown) {
          assert.ok(thrown instanceof OutputLimitError || (thrown as Error).name === 'Error', `${codec}: ${String(thrown)}`);
        }
      }
    }
  }
});

test('xxHash32 gives its published values', () => {
  const of = (text: string): number => xxhash32(Buffer.from(text), 0, text.length);
  assert.equal(of(''), 0x02cc5d05);
  assert.equal(of('a'), 0x550d7456);
  assert.equal(of('abc'), 0x32d153ff);
  assert.equal(of('Nobody inspects the spammish repetition'), 0xe2293b2f);
});
