import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { testFileSystem } from '../file-system.testing.ts';
import { Gate, makeDiskGates, makeRealFiles } from './files.ts';

testFileSystem('the disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bucketrider-files-'));
  return { files: makeRealFiles(), folder, clear: () => rm(folder, { recursive: true, force: true }) };
});

test('a gate lets as many through as its limit, and the others in the order they came', () => {
  const gate = new Gate(2);
  const started: number[] = [];
  for (const index of [0, 1, 2, 3, 4]) gate.enter(() => started.push(index));
  assert.deepEqual(started, [0, 1]);
  gate.leave();
  assert.deepEqual(started, [0, 1, 2]);
  gate.leave();
  gate.leave();
  assert.deepEqual(started, [0, 1, 2, 3, 4]);
  assert.equal(gate.waiting, 0);
  gate.leave();
  gate.leave();
  gate.enter(() => started.push(5));
  gate.enter(() => started.push(6));
  gate.enter(() => started.push(7));
  assert.deepEqual(started, [0, 1, 2, 3, 4, 5, 6]);
});

test('a gate is left by operations that fail, so that the next ones get through', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bucketrider-gate-'));
  try {
    const files = makeRealFiles(makeDiskGates({ sync: 1, read: 1, other: 1 }));
    const tries = Array.from({ length: 10 }, (_, index) => files.open(join(folder, `none-${index}`), 'read'));
    for (const tried of await Promise.allSettled(tries)) assert.equal(tried.status, 'rejected');
    await assert.rejects(files.open('nul\0in-the-path', 'read'));
    const file = await files.open(join(folder, 'a'), 'create');
    await Promise.all(Array.from({ length: 10 }, (_, index) => file.write([Buffer.from([index])], index)));
    await Promise.all(Array.from({ length: 10 }, () => file.dataSync()));
    const reads = await Promise.all(Array.from({ length: 10 }, (_, index) => file.read(Buffer.alloc(1), index)));
    assert.deepEqual(
      reads,
      Array.from({ length: 10 }, () => 1),
    );
    await file.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('syncs and reads wait behind their own gates, and a sync that is stuck leaves room for reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bucketrider-gate-'));
  try {
    const gates = makeDiskGates({ sync: 2, read: 2, other: 64 });
    const file = await makeRealFiles(gates).open(join(folder, 'a'), 'create');
    await file.write([Buffer.alloc(10)], 0);
    const syncs = Array.from({ length: 6 }, () => file.dataSync());
    const reads = Array.from({ length: 6 }, () => file.read(Buffer.alloc(10), 0));
    const writes = Array.from({ length: 6 }, () => file.write([Buffer.alloc(10)], 0));
    assert.deepEqual([gates.sync.waiting, gates.read.waiting, gates.other.waiting], [4, 4, 0]);
    await Promise.all([...syncs, ...reads, ...writes]);
    await file.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a write the kernel takes in part goes on with the rest', { skip: process.platform === 'win32' }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bucketrider-short-'));
  try {
    // A limit on the length of files makes the kernel take what fits, and refuse the rest only when it is asked again.
    const program = `
      import { makeRealFiles } from ${JSON.stringify(import.meta.resolve('./files.ts'))};
      const file = await makeRealFiles().open(${JSON.stringify(join(folder, 'a'))}, 'create');
      const buffers = ['a', 'b', 'c', 'd', 'e'].map((letter) => Buffer.alloc(1000, letter));
      await file.write(buffers, 10).then(() => console.log('written'), (error) => console.log(error.code));
    `;
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      'ulimit -f 4; exec "$0" --input-type=module -e "$1"',
      process.execPath,
      program,
    ]);
    assert.equal(stdout.trim(), 'EFBIG');
    const found = await readFile(join(folder, 'a'));
    assert.equal(found.length, 4_096);
    assert.equal(
      found.subarray(10).toString(),
      ['a', 'b', 'c', 'd', 'e']
        .map((letter) => letter.repeat(1_000))
        .join('')
        .slice(0, 4_086),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a file that says it is empty and is not is read all the same', { skip: process.platform !== 'linux' }, async () => {
  assert.match((await makeRealFiles().readFile('/proc/self/limits')).toString(), /Max open files/);
});
