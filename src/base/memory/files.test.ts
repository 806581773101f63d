import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testFileSystem } from '../file-system.testing.ts';
import { InvariantError } from '../invariant.ts';
import { MemoryDisk } from './disk.ts';
import { FakeClock } from './clock.ts';
import type { MemoryFiles } from './files.ts';
import { SeededRandom } from './random.ts';

testFileSystem('memory', async () => {
  const files = new MemoryDisk().mount();
  await files.makeDirectory('/data');
  return { files, folder: '/data', clear: async () => {} };
});

testFileSystem('memory that models power loss', async () => {
  const files = new MemoryDisk({ modelsPowerLoss: true }).mount();
  await files.makeDirectory('/data');
  return { files, folder: '/data', clear: async () => {} };
});

testFileSystem('memory with a disk that takes time', async () => {
  const random = new SeededRandom(1);
  const clock = new FakeClock();
  // Time runs by itself: whenever nothing else can go on, the next operation is done.
  const disk = new MemoryDisk({ clock, latencyMs: () => random.integer(3) });
  const files = disk.mount();
  const driving = new AbortController();
  void (async () => {
    while (!driving.signal.aborted) await clock.advanceMs(clock.nextTimerInMs ?? 0);
  })();
  await files.makeDirectory('/data');
  return {
    files,
    folder: '/data',
    clear: async () => {
      driving.abort();
      await clock.settle();
    },
  };
});

async function freshDisk(options: ConstructorParameters<typeof MemoryDisk>[0] = {}): Promise<{ disk: MemoryDisk; files: MemoryFiles }> {
  const disk = new MemoryDisk(options);
  const files = disk.mount();
  await files.makeDirectory('/d');
  return { disk, files };
}

test('the n-th operation of a kind at a path fails, and those before and after it do not', async () => {
  const { disk, files } = await freshDisk();
  const log = await files.open('/d/a.log', 'create');
  const index = await files.open('/d/a.index', 'create');
  disk.inject({ kinds: ['write'], path: /\.log$/, skip: 2, times: 1, code: 'EIO' });
  for (let round = 0; round < 5; round += 1) {
    await index.write([Buffer.from('i')], round);
    const write = log.write([Buffer.from('l')], round);
    if (round === 2) await assert.rejects(write, { code: 'EIO', path: '/d/a.log' });
    else await write;
  }
  assert.deepEqual(await files.readFile('/d/a.log'), Buffer.from('ll\0ll'));
});

test('a fault lasts until it is disposed', async () => {
  const { disk, files } = await freshDisk();
  const fault = disk.inject({ kinds: ['open', 'create'], code: 'EMFILE' });
  await assert.rejects(files.open('/d/a', 'create'), { code: 'EMFILE' });
  await assert.rejects(files.readFile('/d/a'), { code: 'EMFILE' });
  fault[Symbol.dispose]();
  await (await files.open('/d/a', 'create')).close();
});

test('a write may come short before it fails, and a read may give less', async () => {
  const { disk, files } = await freshDisk();
  const file = await files.open('/d/a', 'create');
  disk.inject({ kinds: ['write'], times: 1, code: 'EDQUOT', partialBytes: 5 });
  await assert.rejects(file.write([Buffer.from('abc'), Buffer.from('def')], 0), { code: 'EDQUOT' });
  assert.equal((await files.readFile('/d/a')).toString(), 'abcde');
  disk.inject({ kinds: ['read'], times: 1, partialBytes: 2 });
  assert.equal(await file.read(Buffer.alloc(5), 0), 2);
  assert.equal(await file.read(Buffer.alloc(5), 0), 5);
});

test('a full disk takes what fits and refuses the rest, until room is made', async () => {
  const { disk, files } = await freshDisk({ capacityBytes: 1_000 });
  const file = await files.open('/d/a', 'create');
  await file.write([Buffer.alloc(600)], 0);
  await assert.rejects(file.write([Buffer.alloc(300), Buffer.alloc(300)], 600), { code: 'ENOSPC' });
  assert.equal(await file.size(), 1_000);
  assert.equal(disk.usedBytes, 1_000);
  await assert.rejects(file.write([Buffer.alloc(1)], 1_000), { code: 'ENOSPC' });
  await file.write([Buffer.alloc(700)], 100); // over what is there: needs no room
  await file.truncate(200);
  await file.write([Buffer.alloc(800)], 200);
  disk.capacityBytes = 1_500;
  await file.write([Buffer.alloc(500)], 1_000);
  const other = await files.open('/d/b', 'create');
  await assert.rejects(other.write([Buffer.alloc(1)], 0), { code: 'ENOSPC' });
  await files.remove('/d/a');
  await assert.rejects(other.write([Buffer.alloc(1)], 0), { code: 'ENOSPC' }, 'an open file keeps its room');
  await file.close();
  assert.equal(disk.usedBytes, 0);
  await other.write([Buffer.alloc(1_500)], 0);
});

test('a program has so many handles and no more', async () => {
  const { files } = await freshDisk({ mostHandles: 2 });
  const one = await files.open('/d/1', 'create');
  await files.open('/d/2', 'create');
  await assert.rejects(files.open('/d/3', 'create'), { code: 'EMFILE' });
  assert.equal(files.openHandles, 2);
  await one.close();
  await files.open('/d/3', 'create');
});

test('a slow disk takes its time on the clock, and a kill finds a write half done', async () => {
  const clock = new FakeClock();
  const { disk, files } = await freshDisk({ clock });
  const file = await files.open('/d/a', 'create');
  disk.inject({ kinds: ['write', 'dataSync'], delayMs: 5_000 });
  let written = false;
  const write = file.write([Buffer.from('0123456789')], 0).then(() => (written = true));
  await clock.advanceMs(4_999);
  assert.equal(written, false);
  await clock.advanceMs(1);
  await write;
  void file.write([Buffer.from('abcdefghij')], 10).then(() => assert.fail('nothing returns after a kill'));
  void file.dataSync().then(() => assert.fail('nothing returns after a kill'));
  await clock.advanceMs(4_000);
  files.kill((operation) => (operation.kind === 'write' ? 0.55 : 0));
  await clock.advanceMs(10_000);
  assert.equal((await disk.mount().readFile('/d/a')).toString(), '0123456789abcde');
  assert.equal(files.openHandles, 0);
});

test('operations are counted and can be watched', async () => {
  const seen: string[] = [];
  const { disk, files } = await freshDisk({
    onOperation: ({ index, kind, path, position, bytes }) => seen.push(`${index} ${kind} ${path} ${position}+${bytes}`),
  });
  const file = await files.open('/d/a', 'create');
  await file.write([Buffer.from('ab'), Buffer.from('c')], 7);
  await file.dataSync();
  assert.deepEqual(seen, ['0 makeDirectory /d 0+0', '1 create /d/a 0+0', '2 write /d/a 7+3', '3 dataSync /d/a 0+0']);
  assert.equal(disk.count('write'), 1);
  assert.equal(disk.count('read'), 0);
  assert.equal(disk.count(), 4);
});

test('a relative path is our own mistake', async () => {
  const { files } = await freshDisk();
  await assert.rejects(files.open('d/a', 'create'), InvariantError);
});

test('as a store of its own the memory keeps little beyond the bytes, and gives them back', async () => {
  const { disk, files } = await freshDisk();
  const file = await files.open('/d/a', 'create');
  const chunk = Buffer.alloc(1_000, 'x');
  for (let index = 0; index < 5_000; index += 1) await file.write([chunk], index * 1_000);
  assert.equal(disk.usedBytes, 5_000_000);
  assert.deepEqual(disk.unsynced(), []);
  await file.close();
  await files.remove('/d/a');
  assert.equal(disk.usedBytes, 0);
});
