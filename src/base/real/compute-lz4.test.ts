import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lz4Contents, lz4Frame } from './compute-lz4.testing.ts';
import { makeCompute } from './compute.ts';

const compute = makeCompute();
const names = ['everyChecksum', 'linkedBlocks', 'largeBlocks', 'emptyContent'] as const;
const decompress = async (bytes: Uint8Array, maxBytes = 1_000_000): Promise<Buffer> => compute.decompress('lz4', bytes, maxBytes);

test('frames of liblz4 with linked and large blocks, content size and all checksums are read', async () => {
  for (const name of names) assert.equal((await decompress(lz4Frame(name))).toString(), lz4Contents[name], name);
});

test('frames that follow each other are one content, and skippable frames are skipped', async () => {
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const all = Buffer.concat([skippable, ...names.map(lz4Frame), skippable]);
  assert.equal((await decompress(all)).toString(), names.map((name) => lz4Contents[name]).join(''));
});

test('a linked block does not reach into the frame before its own', async () => {
  // One literal, then a match at distance 2: only the frame before could satisfy it.
  const before = lz4Frame('everyChecksum');
  const reaching = Buffer.concat([
    lz4Frame('linkedBlocks').subarray(0, 7),
    Buffer.from([8, 0, 0, 0, 0x10, 65, 2, 0, 0x30, 65, 65, 65, 0, 0, 0, 0, 0, 0, 0, 0]),
  ]);
  await assert.rejects(decompress(Buffer.concat([before, reaching])), /reaches before the start/);
});

test('every byte of a frame with all its checksums matters', async () => {
  const whole = lz4Frame('everyChecksum');
  for (let at = 0; at < whole.length; at++) {
    const damaged = lz4Frame('everyChecksum');
    damaged[at]! ^= 0x41;
    await assert.rejects(decompress(damaged), Error, `byte ${at}`);
  }
});

test('a declared content size is not believed, neither for memory nor as a promise', async () => {
  const whole = lz4Frame('everyChecksum');
  whole.writeBigUInt64LE(2n ** 50n, 6);
  const { xxhash32 } = await import('./compute-xxhash32.ts');
  whole[14] = (xxhash32(whole, 4, 14) >>> 8) & 0xff;
  await assert.rejects(decompress(whole), /declares 1125899906842624 bytes but gives/);
});

test('a frame is written as the Java client writes it: independent blocks of 64 KiB, no checksums', () => {
  const frame = compute.compress('lz4', Buffer.alloc(10)) as Buffer;
  assert.deepEqual([...frame.subarray(0, 7)], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
});

test('a higher level compresses tighter, and level 9 is the fast one, as in Kafka', async () => {
  const text = Buffer.from(
    lz4Contents.linkedBlocks
      .split('\n')
      .sort()
      .join('\n')
      .slice(0, 60_000)
      .replaceAll('o', (_, at: number) => String(at)),
  );
  const sizes = await Promise.all([1, 9, 12].map(async (level) => (await compute.compress('lz4', text, level)).length));
  assert.equal(sizes[0], sizes[1]);
  assert.ok(sizes[2]! < sizes[1]! * 0.95, String(sizes));
});
