import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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
