import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { OutputLimitError } from '../base/env.ts';
import { lz4Frame } from '../base/real/compute-lz4.testing.ts';
import { makeCompute } from '../base/real/compute.ts';
import { codecBitsOf, codecOfAttributes, compressRecords, decompressRecords, isReadByEveryClient } from './compression.ts';

const compute = makeCompute();
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const text = Buffer.from(Array.from({ length: 1500 }, (_, index) => `record ${index * index} of a longer text;`).join(' '));
const decompress = async (codec: (typeof codecs)[number], bytes: Buffer, maxBytes = 1_000_000): Promise<Buffer> =>
  decompressRecords(compute, codec, bytes, maxBytes);

const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const chunk = (block: Uint8Array, length = block.length): Buffer => {
  const framed = Buffer.alloc(4 + block.length);
  framed.writeInt32BE(length);
  framed.set(block, 4);
  return framed;
};
/** A raw block of up to 32 KiB, taken out of the stream we write. */
const block = async (bytes: Buffer): Promise<Buffer> => (await compute.compress('snappy', bytes)).subarray(20);
const lz4Of = async (bytes: Buffer): Promise<Buffer> => compute.compress('lz4', bytes);

test('codecs and attribute bits correspond; bits 5 to 7 mean nothing', () => {
  for (const [bits, codec] of codecs.entries()) {
    assert.equal(codecBitsOf(codec), bits);
    assert.equal(codecOfAttributes(bits | 0x78), codec);
  }
  for (const bits of [5, 6, 7]) assert.throws(() => codecOfAttributes(bits), { errorName: 'UNSUPPORTED_COMPRESSION_TYPE' });
});

test('what another client compresses we read, and what we compress it reads', async () => {
  for (const codec of codecs) {
    const other = compressionsAlgorithms[codec];
    assert.deepEqual(await decompress(codec, other.compressSync(text)), text, codec);
    assert.deepEqual(Buffer.from(other.decompressSync(await compressRecords(compute, codec, text))), text, codec);
  }
});

test('snappy is read raw and in xerial frames, also several streams one after the other, and written in xerial frames of 32 KiB', async () => {
  const raw = Buffer.from(compressionsAlgorithms.snappy.compressSync(text));
  assert.notEqual(raw[0], 0x82);
  assert.deepEqual(await decompress('snappy', raw), text);
  const written = await compressRecords(compute, 'snappy', text);
  assert.deepEqual(written.subarray(0, 16), XERIAL_HEADER);
  assert.deepEqual(await decompress('snappy', Buffer.concat([written, written])), Buffer.concat([text, text]));
  let chunks = 0;
  for (let at = 16; at < written.length; at += 4 + written.readInt32BE(at)) chunks++;
  assert.equal(chunks, Math.ceil(text.length / 32_768));
});

test('a stream without chunks is empty', async () => {
  assert.equal((await decompress('snappy', XERIAL_HEADER)).length, 0);
  assert.equal((await compressRecords(compute, 'snappy', Buffer.alloc(0))).length, 16);
});

test('chunk lengths that are negative, too large or cut off are refused before anything is read', async () => {
  const good = chunk(await block(text.subarray(0, 20_000)));
  for (const [name, bytes] of Object.entries({
    negative: Buffer.concat([XERIAL_HEADER, chunk(Buffer.alloc(4), -1)]),
    'too large': Buffer.concat([XERIAL_HEADER, chunk(Buffer.alloc(4), 2 ** 31 - 1)]),
    'cut off in the length': Buffer.concat([XERIAL_HEADER, good, Buffer.alloc(3)]),
    'cut off in the block': Buffer.concat([XERIAL_HEADER, good]).subarray(0, -1),
    'empty block': Buffer.concat([XERIAL_HEADER, chunk(Buffer.alloc(0))]),
    'newer version': Buffer.concat([XERIAL_HEADER.subarray(0, 15), Buffer.from([2]), good]),
  }))
    await assert.rejects(decompress('snappy', bytes), (thrown: Error) => thrown.name === 'Error', name);
});

test('the limit counts over all chunks, frames and members together', async () => {
  const half = Buffer.alloc(600, 'ab');
  const xerial = Buffer.concat([XERIAL_HEADER, chunk(await block(half)), chunk(await block(half))]);
  const lz4 = Buffer.concat([await lz4Of(half), await lz4Of(half)]);
  const streams = {
    snappy: xerial,
    lz4,
    gzip: Buffer.concat([gzipSync(half), gzipSync(half)]),
    zstd: Buffer.concat([zstdCompressSync(half), zstdCompressSync(half)]),
  };
  for (const codec of ['snappy', 'lz4', 'gzip', 'zstd'] as const) {
    assert.equal((await decompress(codec, streams[codec], 1200)).length, 1200);
    await assert.rejects(decompress(codec, streams[codec], 1199), OutputLimitError, codec);
  }
});

test('zstd frames that say nothing of their size, skippable ones and very many are met with what they deserve', async () => {
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]);
  const frame = zstdCompressSync(Buffer.from('x'));
  assert.equal((await decompress('zstd', Buffer.concat([skippable, frame, skippable]))).toString(), 'x');
  assert.equal((await decompress('zstd', skippable)).length, 0);
  assert.equal((await decompress('zstd', Buffer.concat(Array(1000).fill(frame)))).length, 1000);
  await assert.rejects(decompress('zstd', Buffer.concat(Array(1001).fill(frame))), /more than 1000 zstd frames/);
  await assert.rejects(decompress('zstd', Buffer.concat([frame, Buffer.from('trailing')])), Error);
});

test('bombs of every codec stop at the limit, and cost little more memory than it', async () => {
  const gibibyte = 2 ** 30;
  const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);
  const lz4Blocks = (await lz4Of(zeros(4 * 2 ** 20))).subarray(7, -4);
  const snappyChunk = chunk(await block(zeros(32_768)));
  const bombs = {
    gzip: gzipSync(zeros(gibibyte / 8), { level: 1 }),
    zstd: zstdCompressSync(zeros(gibibyte)),
    lz4: Buffer.concat([(await lz4Of(zeros(1))).subarray(0, 7), ...Array<Buffer>(256).fill(lz4Blocks)]),
    snappy: Buffer.concat([XERIAL_HEADER, ...Array<Buffer>(8192).fill(snappyChunk)]),
  };
  const limit = 16 * 2 ** 20;
  const before = process.memoryUsage.rss();
  for (const codec of ['gzip', 'zstd', 'lz4', 'snappy'] as const) {
    const attempts = Array.from({ length: 6 }, async () => assert.rejects(decompress(codec, bombs[codec], limit), OutputLimitError, codec));
    await Promise.all(attempts);
  }
  // Measured: 65 to 220 MiB, as the garbage collector pleases; without a limit, one round of one codec alone would take 1.5 to 6 GiB.
  const grown = Math.round((process.memoryUsage.rss() - before) / 2 ** 20);
  assert.ok(grown < 500, `${grown} MiB`);
});

test('a raw snappy block that declares gigabytes is refused by its declaration', async () => {
  const declares = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), Buffer.alloc(40)]);
  await assert.rejects(decompress('snappy', declares, 2 ** 33), /more than its bytes can give/);
  const zeros = await block(Buffer.alloc(32_768));
  await assert.rejects(decompress('snappy', zeros, 32_767), OutputLimitError);
});

test('lz4 in linked blocks, or in several frames, is told from what Java clients read', async () => {
  const own = await compressRecords(compute, 'lz4', text);
  assert.equal(isReadByEveryClient('lz4', own), true);
  assert.equal(isReadByEveryClient('lz4', lz4Frame('everyChecksum')), true);
  assert.equal(isReadByEveryClient('lz4', lz4Frame('largeBlocks')), true);
  assert.equal(isReadByEveryClient('lz4', lz4Frame('linkedBlocks')), false);
  assert.equal(isReadByEveryClient('lz4', Buffer.concat([own, own])), false);
  assert.equal(isReadByEveryClient('snappy', await compressRecords(compute, 'snappy', text)), true);
});
