import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './clock.ts';
import { MemoryDisk } from './disk.ts';
import type { MemoryFiles } from './files.ts';
import { everySurvival, keepEverything, keepNothing, randomSurvival } from './power-loss.ts';
import { SeededRandom } from './random.ts';

async function put(files: MemoryFiles, path: string, text: string, position = 0): Promise<void> {
  const file = await files.open(path, 'create');
  await file.write([Buffer.from(text)], position);
  await file.close();
}

/** Every file and folder with its content. */
async function tree(files: MemoryFiles, folder = '/', found: Record<string, string> = {}): Promise<Record<string, string>> {
  for (const { name, isDirectory } of await files.readDirectory(folder)) {
    const path = folder === '/' ? `/${name}` : `${folder}/${name}`;
    if (isDirectory) {
      found[`${path}/`] = '';
      await tree(files, path, found);
    } else {
      found[path] = (await files.readFile(path)).toString();
    }
  }
  return found;
}

/** A folder /d that is durable. */
async function fresh(): Promise<{ disk: MemoryDisk; files: MemoryFiles }> {
  const disk = new MemoryDisk({ modelsPowerLoss: true });
  const files = disk.mount();
  await files.makeDirectory('/d');
  await files.syncDirectory('/');
  return { disk, files };
}

test('bytes are durable after the sync of their file, names after the sync of their folder', async () => {
  const { disk, files } = await fresh();
  const file = await files.open('/d/a', 'create');
  await file.write([Buffer.from('synced')], 0);
  await file.dataSync();
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '' });
  await files.syncDirectory('/d');
  await file.write([Buffer.from(' and not')], 6);
  await file.truncate(3);
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/d/a': 'synced' });
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepEverything).mount()), { '/d/': '', '/d/a': 'syn' });
  assert.deepEqual(
    disk.unsynced().map(({ kind, path, position, bytes }) => ({ kind, path, position, bytes })),
    [
      { kind: 'write', path: '/d/a', position: 6, bytes: 8 },
      { kind: 'truncate', path: '/d/a', position: 0, bytes: 3 },
    ],
  );
  await file.dataSync();
  assert.deepEqual(disk.unsynced(), []);
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/d/a': 'syn' });
});

test('a name without synced bytes is an empty file, or holds any of them with zeros between', async () => {
  const { disk, files } = await fresh();
  const file = await files.open('/d/a', 'create');
  await files.syncDirectory('/d');
  await file.write([Buffer.from('one')], 0);
  await file.write([Buffer.from('two')], 3);
  const found = [];
  for (const survives of everySurvival(disk.unsynced())) found.push((await tree(disk.copyAfterPowerLoss(survives).mount()))['/d/a']);
  assert.deepEqual(new Set(found), new Set(['', '\0\0\0two', 'one', 'onetwo']));
});

test('a folder whose parent was not synced is not there, with all that was synced in it', async () => {
  const { disk, files } = await fresh();
  await files.makeDirectory('/d/new/deep');
  await put(files, '/d/new/deep/a', 'x');
  await files.syncDirectory('/d/new/deep');
  await files.syncDirectory('/d/new');
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '' });
  await files.syncDirectory('/d');
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), {
    '/d/': '',
    '/d/new/': '',
    '/d/new/deep/': '',
    '/d/new/deep/a': '',
  });
});

test('a rename is whole or not at all: the old file or the new one, never both names and never none', async () => {
  const { disk, files } = await fresh();
  await put(files, '/d/config', 'old');
  const old = await files.open('/d/config', 'write');
  await old.dataSync();
  await files.syncDirectory('/d');
  await put(files, '/d/config.tmp', 'new');
  const fresher = await files.open('/d/config.tmp', 'write');
  await fresher.dataSync();
  await files.rename('/d/config.tmp', '/d/config');
  const found = new Set<string>();
  for (const survives of everySurvival(disk.unsynced())) found.add(JSON.stringify(await tree(disk.copyAfterPowerLoss(survives).mount())));
  const expected = [{ '/d/config': 'new' }, { '/d/config': 'old' }, { '/d/config': 'old', '/d/config.tmp': 'new' }];
  assert.deepEqual(found, new Set(expected.map((names) => JSON.stringify({ '/d/': '', ...names }))));
  await files.syncDirectory('/d');
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/d/config': 'new' });
  assert.deepEqual(disk.unsynced(), []);
});

test('a rename between folders is durable when either folder is', async () => {
  for (const synced of ['/d', '/e']) {
    const { disk, files } = await fresh();
    await files.makeDirectory('/e');
    await files.syncDirectory('/');
    await put(files, '/d/a', '');
    await files.syncDirectory('/d');
    await files.rename('/d/a', '/e/b');
    assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/d/a': '', '/e/': '' });
    await files.syncDirectory(synced);
    assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/e/': '', '/e/b': '' });
    assert.deepEqual(disk.unsynced(), []);
  }
});

test('what was renamed twice has one name after the loss of the first rename', async () => {
  const { disk, files } = await fresh();
  await put(files, '/d/a', '');
  await files.syncDirectory('/d');
  await files.rename('/d/a', '/d/b');
  await files.rename('/d/b', '/d/c');
  const [, second] = disk.unsynced().filter(({ kind }) => kind === 'rename');
  const found = disk.copyAfterPowerLoss(({ id }) => id === second?.id).mount();
  assert.deepEqual(await tree(found), { '/d/': '', '/d/c': '' });
});

test('a removed file comes back until its folder is synced, then its unsynced changes are nobody s', async () => {
  const { disk, files } = await fresh();
  const file = await files.open('/d/a', 'create');
  await file.write([Buffer.from('x')], 0);
  await file.dataSync();
  await files.syncDirectory('/d');
  await file.write([Buffer.from('y')], 1);
  await file.close();
  await files.remove('/d');
  assert.deepEqual(await tree(files), {});
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/d/a': 'x' });
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepEverything).mount()), {});
  await files.syncDirectory('/');
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), {});
  assert.deepEqual(disk.unsynced(), []);
  assert.equal(disk.usedBytes, 0);
});

test('a torn write keeps chosen sectors, aligned in the file, and the new length or not', async () => {
  const { disk, files } = await fresh();
  const file = await files.open('/d/a', 'create');
  await file.write([Buffer.alloc(1_000, 'o')], 0);
  await file.dataSync();
  await files.syncDirectory('/d');
  await file.write([Buffer.alloc(1_000, 'n')], 500); // sectors 500-511, 512-1023, 1024-1499
  const torn = async (kept: number[], keepLength: boolean): Promise<string> => {
    const found = disk.copyAfterPowerLoss(() => ({ keepSector: (sector) => kept.includes(sector), keepLength })).mount();
    const text = (await tree(found))['/d/a'] ?? '';
    return text.replaceAll(/(.)\1*/gs, (run) => `${run.startsWith('\0') ? '0' : run.charAt(0)}${run.length} `).trim();
  };
  assert.equal(await torn([], false), 'o1000');
  assert.equal(await torn([], true), 'o1000 0500');
  assert.equal(await torn([0], false), 'o500 n12 o488');
  assert.equal(await torn([1], true), 'o512 n512 0476');
  assert.equal(await torn([2], false), 'o1000 024 n476');
  assert.equal(await torn([0, 1, 2], true), 'o500 n1000');
});

test('every combination of the last group, with the changes before it kept', async () => {
  const { disk, files } = await fresh();
  const file = await files.open('/d/a', 'create');
  await files.syncDirectory('/d');
  await file.write([Buffer.from('old')], 0);
  const before = disk.unsynced().length;
  await file.write([Buffer.from('A')], 3);
  await file.write([Buffer.from('B')], 4);
  const found = [];
  for (const survives of everySurvival(disk.unsynced().slice(before)))
    found.push((await tree(disk.copyAfterPowerLoss(survives).mount()))['/d/a']);
  assert.deepEqual(found, ['old', 'oldA', 'old\0B', 'oldAB']);
  assert.throws(() => [...everySurvival(disk.unsynced(), { atMost: 2 })], RangeError);
});

test('the power goes: programs stop for good, and what is found is durable', async () => {
  const { disk, files } = await fresh();
  await put(files, '/d/a', 'never synced');
  const file = await files.open('/d/a', 'write');
  let went = false;
  disk.losePower(keepEverything);
  void file.write([Buffer.from('from the grave')], 0).then(() => (went = true));
  void files.remove('/d').then(() => (went = true));
  await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(went, false);
  const again = disk.mount();
  assert.deepEqual(await tree(again), { '/d/': '', '/d/a': 'never synced' });
  assert.equal(disk.usedBytes, 12);
  disk.losePower(keepNothing);
  assert.deepEqual(await tree(disk.mount()), { '/d/': '', '/d/a': 'never synced' });
});

test('after kill -9 everything written is there, and still not durable', async () => {
  const { disk, files } = await fresh();
  await put(files, '/d/a', 'written');
  files.kill();
  const again = disk.mount();
  assert.deepEqual(await tree(again), { '/d/': '', '/d/a': 'written' });
  disk.losePower(keepNothing);
  assert.deepEqual(await tree(disk.mount()), { '/d/': '' });
});

test('a sync that failed is never made good by the next one', async () => {
  const { disk, files } = await fresh();
  const file = await files.open('/d/a', 'create');
  await files.syncDirectory('/d');
  await file.write([Buffer.from('first ')], 0);
  disk.inject({ kinds: ['dataSync'], times: 1, code: 'EIO' });
  await assert.rejects(file.dataSync(), { code: 'EIO' });
  await file.write([Buffer.from('second')], 6);
  await file.dataSync();
  assert.equal((await files.readFile('/d/a')).toString(), 'first second');
  const found = disk.copyAfterPowerLoss(keepNothing).mount();
  assert.equal((await found.readFile('/d/a')).toString(), '\0\0\0\0\0\0second');
  assert.deepEqual(
    disk.unsynced().map(({ kind, lostToSync }) => ({ kind, lostToSync })),
    [{ kind: 'write', lostToSync: true }],
  );
});

test('a folder that could not be opened for want of descriptors can be synced later', async () => {
  for (const code of ['EIO', 'EMFILE'] as const) {
    const { disk, files } = await fresh();
    await (await files.open('/d/a', 'create')).close();
    disk.inject({ kinds: ['syncDirectory'], times: 1, code });
    await assert.rejects(files.syncDirectory('/d'), { code });
    await files.syncDirectory('/d');
    const found = await disk.copyAfterPowerLoss(keepNothing).mount().stat('/d/a');
    assert.equal(found !== undefined, code === 'EMFILE');
  }
});

test('a sync covers what was written before it began, and nothing that came while it ran', async () => {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ modelsPowerLoss: true, clock });
  const files = disk.mount();
  await files.makeDirectory('/d');
  await files.syncDirectory('/');
  const file = await files.open('/d/a', 'create');
  await files.syncDirectory('/d');
  await file.write([Buffer.from('before')], 0);
  const slow = disk.inject({ kinds: ['dataSync', 'syncDirectory'], delayMs: 10 });
  const syncs = Promise.all([file.dataSync(), files.syncDirectory('/d')]);
  await file.write([Buffer.from(' while')], 6);
  await put(files, '/d/b', '');
  await clock.until(syncs);
  slow[Symbol.dispose]();
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/d/a': 'before' });
  await file.dataSync();
  await files.syncDirectory('/d');
  assert.deepEqual(await tree(disk.copyAfterPowerLoss(keepNothing).mount()), { '/d/': '', '/d/a': 'before while', '/d/b': '' });
});

test('a seeded crash is the same each time, keeps what was synced, and its tempers differ', async () => {
  const crash = async (seed: number): Promise<Record<string, string>> => {
    const { disk, files } = await fresh();
    const file = await files.open('/d/a', 'create');
    await file.write([Buffer.alloc(2_000, 's')], 0);
    await file.dataSync();
    await files.syncDirectory('/d');
    for (let index = 0; index < 6; index += 1) await file.write([Buffer.alloc(700, `${index}`)], 2_000 + index * 700);
    await put(files, '/d/b', 'unsynced');
    disk.losePower(randomSurvival(new SeededRandom(seed)));
    return tree(disk.mount());
  };
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 100; seed += 1) {
    const found = await crash(seed);
    assert.deepEqual(await crash(seed), found);
    assert.ok(found['/d/a']?.startsWith('s'.repeat(2_000)), `seed ${seed}`);
    outcomes.add(JSON.stringify(found));
  }
  assert.ok(outcomes.size > 30, `${outcomes.size} different outcomes`);
  assert.ok(outcomes.has(JSON.stringify({ '/d/': '', '/d/a': 's'.repeat(2_000) })), 'nothing unsynced survives, once');
});

test('whatever is done, what was synced is found after any crash', async () => {
  // Against a model: each file's durable text, appended and synced at random, in durable folders.
  for (let seed = 0; seed < 60; seed += 1) {
    const random = new SeededRandom(seed);
    const disk = new MemoryDisk({ modelsPowerLoss: true });
    let files = disk.mount();
    await files.makeDirectory('/d');
    await files.syncDirectory('/');
    const durable = new Map<string, string>();
    for (let round = 0; round < 4; round += 1) {
      const live = new Map(durable);
      for (let step = 0; step < 12; step += 1) {
        const path = `/d/${random.integer(3)}`;
        const file = await files.open(path, 'create');
        const text = `${round}.${step};`.repeat(random.integer(200));
        await file.write([Buffer.from(text)], (live.get(path) ?? '').length);
        live.set(path, (live.get(path) ?? '') + text);
        if (random.chance(0.5)) {
          await file.dataSync();
          await files.syncDirectory('/d');
          durable.set(path, live.get(path) ?? '');
        }
        await file.close();
      }
      disk.losePower(randomSurvival(random));
      files = disk.mount();
      for (const [path, text] of durable) {
        const found = (await files.readFile(path)).toString();
        assert.ok(found.startsWith(text), `seed ${seed}, round ${round}, ${path}`);
      }
      // Go on from what was found, as a recovery that cuts to its durable end does.
      for (const { name } of await files.readDirectory('/d')) {
        const file = await files.open(`/d/${name}`, 'write');
        await file.truncate((durable.get(`/d/${name}`) ?? '').length);
        await file.dataSync();
        await file.close();
      }
    }
  }
});
