// Handles within a bound, also when the process may have fewer of them than the bound counts on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../base/memory/disk.ts';
import type { MemoryFiles } from '../base/memory/files.ts';
import { OpenFiles } from './open-files.ts';

const names = Array.from({ length: 30 }, (_, n) => `/f${n}`);

async function create(open: OpenFiles): Promise<void> {
  for (const name of names) await open.create(name, (handle) => handle.write([Buffer.from(name)], 0));
}

async function contentOf(open: OpenFiles, name: string): Promise<string> {
  const into = Buffer.alloc(10);
  const got = await open.use(name, (handle) => handle.read(into, 0));
  return into.toString('utf8', 0, got);
}

test('so many files stay open as the bound says, those that were used last', async () => {
  const files = new MemoryDisk().mount();
  const open = new OpenFiles(files, 5);
  await create(open);
  await contentOf(open, '/f3');
  await new Promise(setImmediate);
  assert.equal(files.openHandles, 5);
  const opened = files.disk.count('open');
  for (const name of ['/f29', '/f28', '/f3']) await contentOf(open, name);
  assert.equal(files.disk.count('open'), opened);
  await open.close();
  assert.equal(files.openHandles, 0);
});

test('where others have taken the descriptors, files make room for each other, and everybody gets his turn', async () => {
  const disk = new MemoryDisk({ mostHandles: 8 });
  const files: MemoryFiles = disk.mount();
  const open = new OpenFiles(files, 1000);
  await create(open);
  const sockets = await Promise.all(['/f1', '/f2', '/f3', '/f4', '/f5'].map((name) => files.open(name, 'read').catch(() => undefined)));
  const found = await Promise.all(names.map((name) => contentOf(open, name)));
  assert.deepEqual(found, names);
  for (const socket of sockets) await socket?.close();
  await open.close();
});

test('where nothing of ours is open that could make room, the refusal is passed on', async () => {
  const disk = new MemoryDisk({ mostHandles: 2 });
  const files = disk.mount();
  await create(new OpenFiles(disk.mount(), 1));
  const open = new OpenFiles(files, 10);
  const sockets = [await files.open('/f1', 'read'), await files.open('/f2', 'read')];
  await assert.rejects(contentOf(open, '/f3'), { code: 'EMFILE' });
  await assert.rejects(Promise.all(names.map((name) => contentOf(open, name))), { code: 'EMFILE' });
  await sockets[0]?.close();
  assert.equal(await contentOf(open, '/f3'), '/f3');
});

test('however many are asked for at once, no more than the bound and a few are open at a time', async () => {
  const files = new MemoryDisk().mount();
  const open = new OpenFiles(files, 5);
  let most = 0;
  await Promise.all(
    Array.from({ length: 500 }, (_, n) =>
      open.create(`/g${n}`, async (handle) => {
        await handle.write([Buffer.from('x')], 0);
        most = Math.max(most, files.openHandles);
      }),
    ),
  );
  assert.ok(most <= 5 + 32, `${most} were open`);
  await open.close();
  assert.equal(files.openHandles, 0);
});
