import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTemporary, makeDurableDirectory, readFileIfThere, removeDurably, replaceFile } from './files.ts';
import { FakeClock } from './memory/clock.ts';
import { MemoryDisk } from './memory/disk.ts';
import type { MemoryFiles } from './memory/files.ts';
import { everySurvival, keepNothing } from './memory/power-loss.ts';

async function fresh(): Promise<{ disk: MemoryDisk; files: MemoryFiles }> {
  const disk = new MemoryDisk({ modelsPowerLoss: true });
  const files = disk.mount();
  await makeDurableDirectory(files, '/d');
  return { disk, files };
}

test('a file is read if it is there, and only its absence is no error', async () => {
  const { disk, files } = await fresh();
  assert.equal(await readFileIfThere(files, '/d/a'), undefined);
  await replaceFile(files, '/d/a', Buffer.from('x'));
  assert.equal((await readFileIfThere(files, '/d/a'))?.toString(), 'x');
  disk.inject({ kinds: ['open'], code: 'EIO', times: 1 });
  await assert.rejects(readFileIfThere(files, '/d/a'), { code: 'EIO' });
});

test('a replaced file is durable when the call returns', async () => {
  const { disk, files } = await fresh();
  await replaceFile(files, '/d/a', Buffer.from('longer than the next'));
  await replaceFile(files, '/d/a', Buffer.from('short'));
  const found = disk.copyAfterPowerLoss(keepNothing).mount();
  assert.equal((await found.readFile('/d/a')).toString(), 'short');
  assert.deepEqual(await found.readDirectory('/d'), [{ name: 'a', isDirectory: false }]);
  assert.deepEqual(disk.unsynced(), []);
});

test('a crash at any moment of a replacement leaves the old content or the new one, whole', async () => {
  let states = 0;
  const seen = new Set<string>();
  const look = async (disk: MemoryDisk): Promise<void> => {
    for (const survives of everySurvival(disk.unsynced())) {
      const found = disk.copyAfterPowerLoss(survives).mount();
      const content = (await readFileIfThere(found, '/d/a'))?.toString() ?? 'nothing';
      assert.ok(content === 'the old one' || content === 'new', content);
      for (const { name } of await found.readDirectory('/d')) assert.ok(name === 'a' || isTemporary(name), name);
      // And it can be replaced again from there.
      await replaceFile(found, '/d/a', Buffer.from('again'));
      assert.equal((await found.readFile('/d/a')).toString(), 'again');
      states += 1;
      seen.add(content);
    }
  };
  // Every operation takes a millisecond: what is between two of them stands still while it is looked at.
  const clock = new FakeClock();
  const disk = new MemoryDisk({ modelsPowerLoss: true, clock, latencyMs: () => 1 });
  const files = disk.mount();
  await clock.until(makeDurableDirectory(files, '/d'));
  await clock.until(replaceFile(files, '/d/a', Buffer.from('the old one')));
  const over = new AbortController();
  const replaced = replaceFile(files, '/d/a', Buffer.from('new')).then(() => over.abort());
  let moments = 0;
  for (; !over.signal.aborted; moments += 1) {
    await look(disk);
    await clock.advanceMs(1);
  }
  await replaced;
  await look(disk);
  assert.equal(moments, 7); // create, truncate, write, sync, close, rename, sync of the folder
  assert.deepEqual(seen, new Set(['the old one', 'new']));
  assert.ok(states > 12, `${states} states`);
});

test('a failure at any step of a replacement leaves the old content, or the new one when only the last sync failed', async () => {
  for (const kind of ['create', 'truncate', 'write', 'dataSync', 'close', 'rename', 'syncDirectory'] as const) {
    const { disk, files } = await fresh();
    await replaceFile(files, '/d/a', Buffer.from('old'));
    disk.inject({ kinds: [kind], code: 'EIO', times: 1 });
    await assert.rejects(replaceFile(files, '/d/a', Buffer.from('new')), { code: 'EIO' });
    assert.equal((await files.readFile('/d/a')).toString(), kind === 'syncDirectory' ? 'new' : 'old', kind);
    assert.deepEqual(await files.readDirectory('/d'), [{ name: 'a', isDirectory: false }], `${kind}: nothing is left lying about`);
    assert.equal(files.openHandles, 0);
  }
});

test('a folder made durably is there after a crash, with all its parents', async () => {
  const { disk, files } = await fresh();
  await makeDurableDirectory(files, '/d/x/y/z');
  const found = disk.copyAfterPowerLoss(keepNothing).mount();
  assert.equal((await found.stat('/d/x/y/z'))?.isDirectory, true);
  const before = disk.count('syncDirectory');
  await makeDurableDirectory(files, '/d/x/y/z');
  assert.equal(disk.count('syncDirectory'), before);
  await makeDurableDirectory(files, '/');
  await replaceFile(files, '/d/file', Buffer.alloc(0));
  await assert.rejects(makeDurableDirectory(files, '/d/file'), { code: 'EEXIST' });
});

test('what was removed durably does not come back', async () => {
  const { disk, files } = await fresh();
  await makeDurableDirectory(files, '/d/x');
  await replaceFile(files, '/d/x/a', Buffer.from('x'));
  await removeDurably(files, '/d/x');
  assert.deepEqual(await disk.copyAfterPowerLoss(keepNothing).mount().readDirectory('/d'), []);
  await removeDurably(files, '/d/x');
});
