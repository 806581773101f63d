import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findLock, makeRealProcessFacts, parseProcessStatus } from './process-facts.ts';

const onLinux = process.platform === 'linux';
const facts = makeRealProcessFacts();

test('this program runs, as it can find out itself', async () => {
  const self = await facts.self();
  assert.equal(self.pid, process.pid);
  assert.equal(await facts.state(self), onLinux ? 'running' : 'unknown');
});

test('a program that has ended is gone', async () => {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  assert.ok(child.pid);
  assert.equal(await facts.state({ ...(await facts.self()), pid: child.pid }), 'gone');
});

test('of a program of another machine, boot or container nothing is known', async () => {
  const self = await facts.self();
  for (const elsewhere of [{ bootId: 'another' }, { pidNamespace: 'another' }])
    assert.equal(await facts.state({ ...self, ...elsewhere }), 'unknown');
});

test('a number that was given to another program does not keep the first one alive', { skip: !onLinux }, async () => {
  assert.equal(await facts.state({ ...(await facts.self()), startedAt: '12' }), 'gone');
});

test('the start of a program is found behind any name it may have', () => {
  const rest = 'S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 811604 20 21';
  for (const name of ['(node)', '(a) Z (b c)'])
    assert.deepEqual(parseProcessStatus(`4711 ${name} ${rest}`), { startedAt: '811604', isDead: false });
  assert.equal(parseProcessStatus(`4711 (node) ${rest.replace('S', 'Z')}`)?.isDead, true);
  assert.equal(parseProcessStatus(''), undefined);
});

test('who holds a lock on a file is read from the list of all locks', () => {
  const locks = [
    '1: POSIX  ADVISORY  WRITE 4711 fd:03:2531452 0 EOF',
    '2: -> POSIX  ADVISORY  WRITE 4712 fd:03:99 0 EOF',
    '3: OFDLCK ADVISORY  READ 0 00:1f:77 0 EOF',
    '4: LEASE  ACTIVE    READ 5 fd:03:78',
    '',
  ].join('\n');
  const device = (0xfdn << 8n) | 3n;
  assert.equal(findLock(locks, { inode: 2_531_452n, device }), 4711);
  assert.equal(findLock(locks, { inode: 2_531_452n, device: device + 1n }), undefined);
  assert.equal(findLock(locks, { inode: 99n, device }), undefined);
  // An overlay: the file says device 0:33, the list 0:31.
  assert.equal(findLock(locks, { inode: 77n, device: 0x21n }), 0);
});

test('a lock names its holder, or says that it cannot be seen', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proc-'));
  try {
    const file = join(folder, '.lock');
    await writeFile(file, '');
    const { ino, dev } = await stat(file, { bigint: true });
    const place = `${((dev >> 8n) & 0xfffn).toString(16)}:${(dev & 0xffn).toString(16)}:${ino}`;
    await mkdir(join(folder, '12'));
    await writeFile(join(folder, '12', 'cmdline'), '/usr/bin/java\0-cp\0a:b:c\0kafka.Kafka\0server.properties\0');
    const look = async (pid: number): Promise<unknown> => {
      await writeFile(join(folder, 'locks'), `1: POSIX  ADVISORY  WRITE ${pid} ${place} 0 EOF\n`);
      return makeRealProcessFacts({ proc: folder }).fileLockHolder(file);
    };
    assert.deepEqual(await look(12), { pid: 12, command: 'java … kafka.Kafka server.properties' });
    assert.deepEqual(await look(13), { pid: 13, command: undefined });
    assert.deepEqual(await look(0), { pid: undefined, command: undefined });
    assert.equal(await makeRealProcessFacts({ proc: folder }).fileLockHolder(join(folder, 'absent')), undefined);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('where the platform tells nothing of processes, only the process table is believed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'proc-'));
  try {
    await symlink('nowhere', join(folder, 'self'));
    const bare = makeRealProcessFacts({ proc: folder });
    const self = await bare.self();
    assert.deepEqual({ ...self, host: '' }, { pid: process.pid, startedAt: '', bootId: '', pidNamespace: '', host: '' });
    assert.equal(await bare.state(self), 'unknown');
    assert.equal(await bare.state({ ...self, pid: 2 ** 31 - 1 }), 'gone');
    assert.equal(await bare.state({ ...self, pid: 2 ** 31 - 1, host: 'another' }), 'unknown');
    assert.equal(await bare.fileLockHolder(join(folder, 'self')), undefined);
  } finally {
    await rm(folder, { recursive: true });
  }
});
