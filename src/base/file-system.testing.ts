// What every FileSystem does, said once and run unchanged over the disk and over memory.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { FileHandle, FileSystem } from './env.ts';

/** `make` gives a file system and an empty folder in it. */
export function testFileSystem(name: string, make: () => Promise<{ files: FileSystem; folder: string; clear: () => Promise<void> }>): void {
  describe(`file system: ${name}`, () => {
    const opened: (() => Promise<void>)[] = [];
    after(async () => {
      for (const clear of opened) await clear();
    });
    async function fresh(): Promise<{ files: FileSystem; at: (name: string) => string }> {
      const { files, folder, clear } = await make();
      opened.push(clear);
      return { files, at: (name) => (name === '' ? folder : join(folder, name)) };
    }
    const rejectsWith = (code: string, promise: Promise<unknown>): Promise<void> =>
      assert.rejects(promise, (error: Error) => 'code' in error && error.code === code);

    test('a created file gives back what was written, at any position', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('a.log'), 'create');
      await file.write([Buffer.from('hello '), Buffer.from('world')], 0);
      await file.write([Buffer.from('J')], 0);
      assert.equal(await file.size(), 11);
      assert.equal(await textOf(file, 3, 5), 'lo wo');
      await file.close();
      assert.equal((await files.readFile(at('a.log'))).toString(), 'Jello world');
    });

    test('a file system says how much room it has left', async () => {
      const { files, at } = await fresh();
      assert.ok((await files.freeBytes(at(''))) > 0);
    });

    test('a read ends at the end of the file', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('a'), 'create');
      await file.write([Buffer.from('abc')], 0);
      const into = Buffer.alloc(8, '.');
      assert.equal(await file.read(into, 1), 2);
      assert.equal(into.toString(), 'bc......');
      assert.equal(await file.read(into, 3), 0);
      assert.equal(await file.read(into, 400), 0);
      assert.equal(await file.read(Buffer.alloc(0), 0), 0);
      await file.close();
    });

    test('a write past the end leaves zeros between', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('a'), 'create');
      await file.write([Buffer.from('x')], 300_000);
      assert.equal(await file.size(), 300_001);
      const bytes = await files.readFile(at('a'));
      assert.equal(bytes.length, 300_001);
      assert.equal(bytes.indexOf(1), -1);
      assert.ok(bytes.subarray(0, 300_000).every((byte) => byte === 0));
      assert.equal(bytes[300_000], 'x'.charCodeAt(0));
      await file.close();
    });

    test('one write takes thousands of buffers, and empty ones', async () => {
      const { files, at } = await fresh();
      const buffers = Array.from({ length: 3_001 }, (_, index) => Buffer.from(`${index},`));
      buffers.splice(1_024, 0, Buffer.alloc(0));
      buffers.splice(10, 0, ...Array.from({ length: 2_100 }, () => Buffer.alloc(0)));
      const file = await files.open(at('a'), 'create');
      await file.write(buffers, 5);
      await file.write([], 0);
      await file.write([Buffer.alloc(0)], 0);
      assert.equal((await files.readFile(at('a'))).subarray(5).toString(), Buffer.concat(buffers).toString());
      await file.close();
    });

    test('a write of several MiB arrives whole', async () => {
      const { files, at } = await fresh();
      const bytes = Buffer.alloc(5 * 1024 * 1024 + 3);
      for (let position = 0; position < bytes.length; position += 4_099) bytes[position] = position % 251;
      const file = await files.open(at('a'), 'create');
      await file.write([bytes.subarray(0, 1_000_000), bytes.subarray(1_000_000)], 0);
      await file.dataSync();
      await file.close();
      assert.ok((await files.readFile(at('a'))).equals(bytes));
    });

    test('truncate cuts, and extends with zeros where bytes had been', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('a'), 'create');
      await file.write([Buffer.from('abcdef')], 0);
      await file.truncate(2);
      assert.equal(await file.size(), 2);
      await file.truncate(5);
      assert.deepEqual(await files.readFile(at('a')), Buffer.from('ab\0\0\0'));
      await file.truncate(200_000);
      assert.equal((await files.stat(at('a')))?.bytes, 200_000);
      await file.truncate(0);
      await file.write([Buffer.from('z')], 2);
      assert.deepEqual(await files.readFile(at('a')), Buffer.from('\0\0z'));
      await file.close();
    });

    test('open for reading or writing needs the file, create makes it and never empties it', async () => {
      const { files, at } = await fresh();
      await rejectsWith('ENOENT', files.open(at('a'), 'read'));
      await rejectsWith('ENOENT', files.open(at('a'), 'write'));
      await rejectsWith('ENOENT', files.open(at('no/a'), 'create'));
      await rejectsWith('ENOENT', files.readFile(at('a')));
      const made = await files.open(at('a'), 'create');
      await made.write([Buffer.from('kept')], 0);
      await made.close();
      const again = await files.open(at('a'), 'create');
      assert.equal(await again.size(), 4);
      await again.close();
      const writer = await files.open(at('a'), 'write');
      await writer.write([Buffer.from('K')], 0);
      await writer.close();
      const reader = await files.open(at('a'), 'read');
      assert.equal(await textOf(reader, 0, 10), 'Kept');
      await rejectsWith('EBADF', reader.write([Buffer.from('no')], 0));
      await reader.dataSync();
      await reader.close();
    });

    test('a closed handle refuses everything, and closing twice is no error', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('a'), 'create');
      await Promise.all([file.close(), file.close()]);
      await file.close();
      await rejectsWith('EBADF', file.read(Buffer.alloc(1), 0));
      await rejectsWith('EBADF', file.write([Buffer.from('x')], 0));
      await rejectsWith('EBADF', file.dataSync());
      await rejectsWith('EBADF', file.truncate(0));
      await rejectsWith('EBADF', file.size());
    });

    test('closing waits for the operations under way', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('a'), 'create');
      const writes = Array.from({ length: 20 }, (_, index) => file.write([Buffer.from([index])], index));
      const closed = file.close();
      const other = files.open(at('b'), 'create');
      await Promise.all([...writes, closed]);
      await (await other).close();
      assert.deepEqual(
        [...(await files.readFile(at('a')))],
        Array.from({ length: 20 }, (_, index) => index),
      );
      assert.equal((await files.readFile(at('b'))).length, 0);
    });

    test('folders are made with their parents, listed, and may be there already', async () => {
      const { files, at } = await fresh();
      await files.makeDirectory(at('x/y/z'));
      await files.makeDirectory(at('x/y/z'));
      await (await files.open(at('x/f'), 'create')).close();
      const listed = (await files.readDirectory(at('x'))).sort((a, b) => a.name.localeCompare(b.name));
      assert.deepEqual(listed, [
        { name: 'f', isDirectory: false },
        { name: 'y', isDirectory: true },
      ]);
      assert.deepEqual(await files.readDirectory(at('x/y/z')), []);
      await rejectsWith('ENOENT', files.readDirectory(at('nothing')));
      await rejectsWith('ENOTDIR', files.readDirectory(at('x/f')));
      await rejectsWith('EEXIST', files.makeDirectory(at('x/f')));
      await rejectsWith('ENOTDIR', files.makeDirectory(at('x/f/g')));
      await files.syncDirectory(at('x'));
      await rejectsWith('ENOENT', files.syncDirectory(at('nothing')));
    });

    test('stat tells files from folders, and says nothing of what is absent', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('f'), 'create');
      await file.write([Buffer.from('abc')], 0);
      await file.close();
      const found = await files.stat(at('f'));
      assert.equal(found?.bytes, 3);
      assert.equal(found.isDirectory, false);
      assert.ok(found.modifiedMs >= 0);
      assert.equal((await files.stat(at('')))?.isDirectory, true);
      assert.equal(await files.stat(at('none')), undefined);
      assert.equal(await files.stat(at('none/deeper')), undefined);
      assert.equal(await files.stat(at('f/below-a-file')), undefined);
    });

    test('a folder is not a file', async () => {
      const { files, at } = await fresh();
      await files.makeDirectory(at('d'));
      await rejectsWith('EISDIR', files.open(at('d'), 'write'));
      await rejectsWith('EISDIR', files.open(at('d'), 'create'));
      await rejectsWith('EISDIR', files.readFile(at('d')));
    });

    test('rename replaces a file, and moves it between folders', async () => {
      const { files, at } = await fresh();
      await write(files, at('a'), 'new');
      await write(files, at('b'), 'old');
      await files.rename(at('a'), at('b'));
      assert.equal((await files.readFile(at('b'))).toString(), 'new');
      assert.equal(await files.stat(at('a')), undefined);
      await files.makeDirectory(at('d'));
      await files.rename(at('b'), at('d/c'));
      assert.equal((await files.readFile(at('d/c'))).toString(), 'new');
      await files.rename(at('d/c'), at('d/c'));
      assert.equal((await files.readFile(at('d/c'))).toString(), 'new');
      await rejectsWith('ENOENT', files.rename(at('none'), at('x')));
      await rejectsWith('ENOENT', files.rename(at('d/c'), at('no/x')));
    });

    test('rename moves a folder with all it holds, onto an empty folder but not onto a full one', async () => {
      const { files, at } = await fresh();
      await files.makeDirectory(at('t-0/deep'));
      await write(files, at('t-0/deep/f'), 'inside');
      await files.rename(at('t-0'), at('t-0-delete'));
      assert.equal((await files.readFile(at('t-0-delete/deep/f'))).toString(), 'inside');
      await files.makeDirectory(at('empty'));
      await files.rename(at('t-0-delete'), at('empty'));
      assert.equal((await files.readFile(at('empty/deep/f'))).toString(), 'inside');
      await files.makeDirectory(at('other'));
      await rejectsWith('ENOTEMPTY', files.rename(at('other'), at('empty')));
      await write(files, at('file'), 'x');
      await rejectsWith('EISDIR', files.rename(at('file'), at('other')));
      await rejectsWith('ENOTDIR', files.rename(at('other'), at('file')));
      await rejectsWith('EINVAL', files.rename(at('empty'), at('empty/deep/inside')));
    });

    test('an open handle survives rename, replacement and removal of its name', async () => {
      const { files, at } = await fresh();
      const file = await files.open(at('a'), 'create');
      await file.write([Buffer.from('one')], 0);
      await files.rename(at('a'), at('b'));
      await file.write([Buffer.from('two')], 3);
      assert.equal((await files.readFile(at('b'))).toString(), 'onetwo');
      await write(files, at('c'), 'replacement');
      await files.rename(at('c'), at('b'));
      assert.equal(await textOf(file, 0, 100), 'onetwo');
      await file.write([Buffer.from('!')], 6);
      assert.equal((await files.readFile(at('b'))).toString(), 'replacement');
      await file.close();
      const last = await files.open(at('b'), 'write');
      await files.remove(at('b'));
      assert.equal(await files.stat(at('b')), undefined);
      await last.write([Buffer.from('R')], 0);
      await last.dataSync();
      assert.equal(await textOf(last, 0, 100), 'Replacement');
      await last.close();
    });

    test('remove takes files and whole trees, and what is absent is no error', async () => {
      const { files, at } = await fresh();
      await files.makeDirectory(at('d/e'));
      await write(files, at('d/e/f'), 'x');
      await write(files, at('d/g'), 'y');
      await files.remove(at('d/g'));
      await files.remove(at('d/g'));
      assert.deepEqual(await files.readDirectory(at('d')), [{ name: 'e', isDirectory: true }]);
      await files.remove(at('d'));
      assert.equal(await files.stat(at('d')), undefined);
      await files.remove(at('d/e/f'));
      assert.deepEqual(await files.readDirectory(at('')), []);
    });

    test('errors say which file and which operation', async () => {
      const { files, at } = await fresh();
      await assert.rejects(
        files.open(at('missing'), 'read'),
        (error: Error) => error.message.includes('missing') && error.message.startsWith('ENOENT'),
      );
      const file = await files.open(at('closed'), 'create');
      await file.close();
      await assert.rejects(file.size(), (error: Error) => error.message.includes('closed') && error.message.startsWith('EBADF'));
    });
  });
}

async function write(files: FileSystem, path: string, text: string): Promise<void> {
  const file = await files.open(path, 'create');
  await file.truncate(0);
  await file.write([Buffer.from(text)], 0);
  await file.close();
}

async function textOf(file: FileHandle, position: number, bytes: number): Promise<string> {
  const into = Buffer.alloc(bytes);
  return into.subarray(0, await file.read(into, position)).toString();
}
