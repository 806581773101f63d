import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../base/memory/disk.ts';
import { makeMemoryEnv, type MemoryEnv } from '../../base/memory/env.ts';
import { stampBatch } from '../../protocol/record-batch.ts';
import { batchOf, compute } from '../log-dir.testing.ts';
import { encodeFrame, encodeHead, frameBytesOf, HEAD_BYTES, type JournalEntry } from './journal-format.ts';
import { Journal } from './journal.ts';
import { readJournal } from './journal-reader.ts';

const PATH = '/journal';
const topicId = Buffer.alloc(16, 7).toString('base64url');

function world(disk = new MemoryDisk()): MemoryEnv {
  return makeMemoryEnv({ compute, disk });
}

const begin = (env: MemoryEnv, halfBytes = 4096): Promise<Journal> =>
  Journal.begin(env.files, PATH, { compute, halfBytes, randomBytes: (count) => env.randomBytes(count) });

/** A batch of one record at that offset, as an entry with its data. */
function entry(baseOffset: number, value: string | Buffer = 'v', partition = 'orders-0'): JournalEntry {
  const { bytes } = batchOf({ values: [value] });
  stampBatch(bytes, 0, baseOffset, 3);
  return {
    partition,
    topicId,
    segmentBase: 0,
    position: baseOffset * 100,
    bytes: bytes.length,
    baseOffset,
    endOffset: baseOffset + 1,
    leaderEpoch: 3,
    data: [bytes],
  };
}

async function put(journal: Journal, ...entries: JournalEntry[]): Promise<void> {
  await journal.write(entries);
  await journal.sync();
}

const offsetsIn = async (env: MemoryEnv): Promise<{ state: string; offsets: number[] }> => {
  const { state, frames } = await readJournal(env.files, PATH, compute);
  return { state, offsets: frames.flatMap(({ entries }) => entries.map(({ baseOffset }) => baseOffset)) };
};

const flip = async (env: MemoryEnv, at: number): Promise<void> => {
  const file = await env.files.open(PATH, 'write');
  const byte = Buffer.alloc(1);
  await file.read(byte, at);
  byte[0] = (byte[0] ?? 0) ^ 0x40;
  await file.write([byte], at);
  await file.close();
};

test('frames are found as they were written, with their data and without', async () => {
  const env = world();
  const journal = await begin(env);
  await put(journal, entry(0), { ...entry(7, 'w', 'a.topic-12'), data: undefined });
  await put(journal);
  const { state, frames } = await readJournal(env.files, PATH, compute);
  assert.equal(state, 'whole');
  assert.deepEqual(
    frames.map(({ entries }) => entries.map((one) => ({ ...one, data: one.data && Buffer.concat(one.data) }))),
    [
      [
        { ...entry(0), data: entry(0).data?.[0] },
        { ...entry(7, 'w', 'a.topic-12'), data: undefined },
      ],
      [],
    ],
  );
});

test('without a file, and with one that a power loss left empty or blank, there was no journal', async () => {
  const env = world();
  assert.equal((await readJournal(env.files, PATH, compute)).state, 'absent');
  const file = await env.files.open(PATH, 'create');
  assert.equal((await readJournal(env.files, PATH, compute)).state, 'absent');
  await file.truncate(HEAD_BYTES + 100);
  assert.equal((await readJournal(env.files, PATH, compute)).state, 'absent');
});

test('what was released is gone, what was not stays through any number of rounds', async () => {
  const env = world();
  const journal = await begin(env, 1024);
  let released = 0;
  for (let offset = 0; offset < 60; offset += 1) {
    const next = entry(offset, Buffer.alloc(offset % 7 === 0 ? 400 : 20));
    if (!journal.hasRoomFor([next])) journal.releaseBelow((released = journal.nextSequence - 1));
    await put(journal, next);
    const { state, offsets } = await offsetsIn(env);
    assert.equal(state, 'whole');
    assert.deepEqual(
      offsets,
      Array.from({ length: offset + 1 - released }, (_, index) => released + index),
    );
  }
  assert.ok(released > 30);
});

test('a journal that is begun anew does not know the frames of the one before it', async () => {
  const env = world();
  await put(await begin(env), entry(0), entry(1));
  const again = await begin(env);
  assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [] });
  await put(again, entry(2));
  assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [2] });
});

test('what a client writes into a record is never taken for a frame, not even a whole one', async () => {
  const env = world();
  const journal = await begin(env);
  await put(journal, entry(0));
  const bytes = await env.files.readFile(PATH);
  // The best a client could do is to guess the id; what it can build without it is this.
  const forged = encodeFrame({ sequence: 99, liveFrom: 99, entries: [{ ...entry(66), data: undefined }] }, Buffer.alloc(16), compute);
  const stolen = Buffer.from(bytes.subarray(HEAD_BYTES, HEAD_BYTES + 20));
  await put(journal, entry(1, Buffer.concat([forged, stolen.subarray(0, 4), forged])));
  assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [0, 1] });
  // Also where a torn frame has the reader search byte by byte.
  await flip(env, HEAD_BYTES + frameBytesOf([entry(0)]) + 30);
  assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [0] });
});

test('a journal of a later version is refused, and not taken for a damaged one', async () => {
  const env = world();
  await put(await begin(env), entry(0));
  const head = (await env.files.readFile(PATH)).subarray(0, HEAD_BYTES);
  for (const at of [0, 4096]) {
    head.writeInt16BE(2, at + 8);
    head.writeUInt32BE(compute.crc32c(head.subarray(at + 8, at + 30)), at + 4);
  }
  const file = await env.files.open(PATH, 'write');
  await file.write([head], 0);
  await assert.rejects(readJournal(env.files, PATH, compute), { name: 'DamagedFileError', message: /its version is 2.*newer bucketrider/ });
});

test('a flipped bit in the head does no harm, in a frame it is torn or damage, and never another content', async () => {
  const env = world();
  const journal = await begin(env);
  for (const offset of [0, 1, 2]) await put(journal, entry(offset));
  const frameBytes = frameBytesOf([entry(0)]);
  for (const at of [0, 5, 9, 20, 28, 4096, 4101, 4120]) {
    await flip(env, at);
    assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [0, 1, 2] }, `byte ${at}`);
    await flip(env, at);
  }
  for (let at = 0; at < frameBytes; at += 1) {
    await flip(env, HEAD_BYTES + frameBytes + at);
    assert.deepEqual(await offsetsIn(env), { state: 'damaged', offsets: [0, 2] }, `byte ${at} of the middle frame`);
    await flip(env, HEAD_BYTES + frameBytes + at);
    await flip(env, HEAD_BYTES + 2 * frameBytes + at);
    assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [0, 1] }, `byte ${at} of the last frame`);
    await flip(env, HEAD_BYTES + 2 * frameBytes + at);
  }
  for (const at of [3, 4099]) await flip(env, at);
  assert.deepEqual(await offsetsIn(env), { state: 'damaged', offsets: [] }, 'both heads');
});

test('a frame that the disk refused leaves nothing that a later start would believe', async () => {
  for (const partialBytes of [0, 10, 60, 300]) {
    const env = world();
    const journal = await begin(env, 1024);
    await put(journal, entry(0, Buffer.alloc(300)));
    env.disk.inject({ kinds: ['write'], times: 1, code: 'ENOSPC', partialBytes });
    const refused = entry(1, Buffer.alloc(100));
    await assert.rejects(journal.write([refused]), /ENOSPC/);
    // The next one is too long for what is left of this half.
    const next = entry(1, Buffer.alloc(600));
    await put(journal, next);
    const { state, frames } = await readJournal(env.files, PATH, compute);
    assert.equal(state, 'whole');
    assert.deepEqual(
      frames.flatMap(({ entries }) => entries.map(({ bytes }) => bytes)),
      [entry(0, Buffer.alloc(300)).bytes, next.bytes],
      `after ${partialBytes} bytes`,
    );
  }
});

test('a disk that has no room for the journal to grow has taken nothing of the frame', async () => {
  const env = world();
  const journal = await begin(env, 1024);
  env.disk.capacityBytes = env.disk.usedBytes + 100;
  await assert.rejects(journal.write([entry(0)]), /ENOSPC/);
  assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [] });
  env.disk.capacityBytes = Infinity;
  await put(journal, entry(0, 'other'));
  assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [0] });
});

test('the head says how long a half is: a later version may choose otherwise', async () => {
  const env = world();
  const file = await env.files.open(PATH, 'create');
  const id = Buffer.alloc(16, 9);
  await file.write([encodeHead({ id, halfBytes: 512 }, compute)], 0);
  const one = entry(4);
  await file.write([encodeFrame({ sequence: 0, liveFrom: 0, entries: [one] }, id, compute), ...(one.data ?? [])], HEAD_BYTES + 512);
  assert.deepEqual(await offsetsIn(env), { state: 'whole', offsets: [4] });
});
