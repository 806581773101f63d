// The folders of a log dir: dropped, set aside, left over, not ours; with the power going at every step.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { keepEverything, keepNothing, randomSurvival } from '../base/memory/power-loss.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { append, batchOf, DIRECTORY, openDir, readAll, topicConfig, topicIdOf, type OpenDir } from './log-dir.testing.ts';

const sizeOfBatch = batchOf().bytes.length;

interface World {
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
}

function newWorld(onOperation?: () => void): World {
  const clock = new FakeClock();
  return { clock, disk: new MemoryDisk({ modelsPowerLoss: true, clock, ...(onOperation && { onOperation }) }) };
}

const open = (world: World, seed = 1): Promise<OpenDir> => openDir({ ...world, seed });

async function put(dir: OpenDir, topic: string, values: readonly string[], partition = 0): Promise<void> {
  const log = await dir.openLog(topic, partition);
  for (const value of values) append(log, { values: [value] });
  await dir.env.settle();
  assert.equal(log.highWatermark, log.endOffset);
}

const foldersIn = async (dir: OpenDir): Promise<string[]> =>
  (await dir.env.files.readDirectory(DIRECTORY))
    .filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name.replace(/[0-9a-f]{32}/, '<id>'))
    .sort();

async function write(dir: OpenDir, path: string, bytes: string | Buffer): Promise<void> {
  const file = await dir.env.files.open(path, 'create');
  await file.truncate(0);
  await file.write([Buffer.from(bytes)], 0);
  await file.close();
}

/** Runs `work` again and again on equal worlds; the power goes before its first, second, ... operation, until it comes through. */
async function withPowerLossAtEachStep<Prepared>(
  prepare: (dir: OpenDir) => Promise<Prepared>,
  work: (dir: OpenDir, prepared: Prepared) => Promise<unknown>,
  check: (after: OpenDir, done: boolean, what: string) => Promise<void>,
): Promise<void> {
  for (const [name, survival] of [
    ['nothing unsynced', () => keepNothing],
    ['everything', () => keepEverything],
    ['some', (step: number) => randomSurvival(new SeededRandom(step))],
  ] as const) {
    for (let step = 0; ; step += 1) {
      assert.ok(step < 500);
      let left = Infinity;
      let pulled = false;
      const world: World = newWorld(() => {
        if (left === 0 && !pulled) {
          pulled = true;
          world.disk.losePower(survival(step));
        }
        left -= 1;
      });
      const before = await open(world);
      const prepared = await prepare(before);
      left = step;
      // What the power interrupts may end in an error that nobody hears.
      const working = work(before, prepared).catch((thrown: unknown) => thrown);
      await before.env.settle();
      await before.env.advanceMs(10_000);
      left = Infinity;
      if (!pulled) assert.equal(await working, undefined);
      await check(await open(world, 2), !pulled, `${name} survives at step ${step}`);
      if (!pulled) break;
    }
  }
}

test('a topic that is dropped is there or gone, whenever the power goes, and the next of its name inherits nothing', async () => {
  const prepare = async (dir: OpenDir): Promise<void> => {
    await put(dir, 'orders', ['one', 'two', 'three']);
    await put(dir, 'other', ['kept']);
    const log = await dir.openLog('more', 0, { 'segment.bytes': 200 });
    for (let n = 0; n < 10; n += 1) append(log);
    await dir.env.settle();
    await dir.env.clock.until(dir.dir.advanceStart(log, 8));
    await dir.env.clock.until(dir.dir.checkpoint());
  };
  let survived = 0;
  await withPowerLossAtEachStep(
    prepare,
    (dir) =>
      dir.dir.dropLogs([
        { topic: 'orders', partition: 0 },
        { topic: 'more', partition: 0 },
      ]),
    async (after, done, what) => {
      const folders = await foldersIn(after);
      assert.ok(
        folders.every((name) => ['orders-0', 'other-0', 'more-0'].includes(name) || name.endsWith('-delete')),
        `${what}: ${folders.join()}`,
      );
      assert.equal((await readAll(await after.openLog('other'))).length, 1, what);
      for (const topic of ['orders', 'more']) {
        if (done) assert.equal(after.dir.has(topic, 0), false, what);
        else if (after.dir.has(topic, 0)) survived += 1;
        // The metadata knows the topic no more, whatever became of the folder; another of that name may come.
        await after.env.clock.until(after.dir.setAsideUnknown((name) => name !== topic));
        assert.equal(after.dir.has(topic, 0), false, what);
        assert.equal(after.dir.missingUpTo(topic, 0), undefined, what);
        await put(after, topic, ['new']);
      }
      await after.env.clock.until(after.dir.checkpoint());
      after.env.disk.losePower(keepNothing);
      const later = await openDir({ disk: after.env.disk, clock: after.env.clock, seed: 3 });
      for (const topic of ['orders', 'more']) {
        const log = await later.openLog(topic);
        assert.equal(log.refusal, undefined, what);
        assert.deepEqual([log.logStartOffset, log.endOffset], [0, 1], what);
      }
      await later.env.settle();
      assert.deepEqual(
        (await foldersIn(later)).filter((name) => name.endsWith('-delete')),
        [],
        what,
      );
    },
  );
  assert.ok(survived > 3);
});

test('a log start that somebody has seen never moves back, whenever the power goes', async () => {
  const config = { 'segment.bytes': 200 };
  let seen = 0;
  await withPowerLossAtEachStep(
    async (dir) => {
      const log = await dir.openLog('orders', 0, config);
      for (let n = 0; n < 10; n += 1) append(log);
      await dir.env.settle();
      return log;
    },
    async (dir, log) => {
      seen = 0;
      await dir.dir.advanceStart(log, 3);
      seen = log.logStartOffset;
      await dir.dir.advanceStart(log, 7);
      seen = log.logStartOffset;
    },
    async (after, done, what) => {
      const log = await after.openLog('orders', 0, config);
      assert.equal(log.refusal, undefined, what);
      assert.ok(log.logStartOffset >= seen, what);
      if (done) assert.equal(log.logStartOffset, 7, what);
      assert.equal(log.endOffset, 10, what);
      assert.equal((await readAll(log)).at(-1)?.endOffset, 10, what);
    },
  );
});

test('a smaller log start that comes behind a larger one does not take it back', async () => {
  const world = newWorld();
  const dir = await open(world);
  await put(dir, 'orders', ['0', '1', '2', '3', '4']);
  const log = await dir.openLog('orders');
  await world.clock.until(Promise.all([dir.dir.advanceStart(log, 4), dir.dir.advanceStart(log, 2)]));
  assert.equal(log.logStartOffset, 4);
  world.disk.losePower(keepNothing);
  assert.equal((await (await open(world, 2)).openLog('orders')).logStartOffset, 4);
});

test('the segments below the log start are gone from the disk, and a crash in their removal leaves nothing behind for good', async () => {
  const config = { 'segment.bytes': 200 };
  await withPowerLossAtEachStep(
    async (dir) => {
      const log = await dir.openLog('orders', 0, config);
      for (let n = 0; n < 10; n += 1) append(log);
      await dir.env.settle();
      await dir.env.clock.until(dir.dir.checkpoint());
      return log;
    },
    (dir, log) => dir.dir.advanceStart(log, 7),
    async (after, done, what) => {
      const log = await after.openLog('orders', 0, config);
      await after.env.settle();
      const bases = (await after.env.files.readDirectory(`${DIRECTORY}/orders-0`))
        .map(({ name }) => /^0*(\d+)\.(log|index|timeindex|txnindex)$/.exec(name)?.[1])
        .filter((base) => base !== undefined)
        .map(Number);
      const lowest = Math.min(...bases);
      if (done) assert.equal(log.logStartOffset, 7, what);
      assert.ok(
        log.logStartOffset === 0 ? lowest === 0 : lowest > log.logStartOffset - 3,
        `${what}: ${bases.join()} from ${log.logStartOffset}`,
      );
    },
  );
});

test('a folder of a topic that the metadata does not know is set aside, and what is in it is neither served nor lost', async () => {
  const world = newWorld();
  const before = await open(world);
  await put(before, 'orders', ['one', 'two']);
  await put(before, 'gone', ['three']);
  await world.clock.until(before.dir.close());
  const after = await open(world, 2);
  await world.clock.until(after.dir.setAsideUnknown((topic) => topic === 'orders'));
  assert.deepEqual(await foldersIn(after), ['gone-0.<id>-stray', 'orders-0']);
  assert.match(JSON.stringify(after.log.lines), /a partition was set aside.*gone-0/);
  assert.equal((await readAll(await after.openLog('gone'))).length, 0);
  await put(after, 'gone', ['new']);
  await world.clock.until(after.dir.close());
  const later = await open(world, 3);
  await world.clock.until(later.dir.setAsideUnknown(() => true));
  assert.deepEqual(await foldersIn(later), ['gone-0', 'gone-0.<id>-stray', 'orders-0']);
  assert.equal((await readAll(await later.openLog('orders'))).length, 2);
});

test('a folder of an earlier topic of the same name is set aside', async () => {
  const world = newWorld();
  const before = await open(world);
  await put(before, 'orders', ['one', 'two']);
  await world.clock.until(before.dir.close());
  const after = await open(world, 2);
  const identity = { topic: 'orders', topicId: topicIdOf('another'), partition: 0 };
  const log = await world.clock.until(after.dir.openLog(identity, topicConfig(), 0));
  assert.deepEqual([log.logStartOffset, log.endOffset], [0, 0]);
  append(log);
  await after.env.settle();
  assert.deepEqual(await foldersIn(after), ['orders-0', 'orders-0.<id>-stray']);
  world.disk.losePower(keepNothing);
  const later = await open(world, 3);
  assert.equal((await world.clock.until(later.dir.openLog(identity, topicConfig(), 0))).endOffset, 1);
});

test('a partition that does not say whose it is any more is not opened, and not taken for empty either', async () => {
  for (const damage of ['missing', 'empty', 'flipped']) {
    const world = newWorld();
    const before = await open(world);
    await put(before, 'orders', ['one', 'two']);
    await world.clock.until(before.dir.close());
    const path = `${DIRECTORY}/orders-0/partition.metadata`;
    if (damage === 'missing') await before.env.files.remove(path);
    else await write(before, path, damage === 'empty' ? '' : 'version: 0\ntopic_jd: x');
    const after = await open(world, 2);
    await assert.rejects(after.openLog('orders'), { name: 'DamagedFileError' }, damage);
    await write(after, path, `version: 0\ntopic_id: ${topicIdOf('orders')}`);
    assert.equal((await readAll(await after.openLog('orders'))).length, 2);
  }
});

/** The first write of a folder, or of a segment, is refused; the next is taken, and a checkpoint later the power goes. */
for (const isKilled of [false, true]) {
  for (const { what, before } of [
    { what: 'folder', before: 0 },
    { what: 'segment', before: 3 },
  ]) {
    test(`a ${what} whose first write was refused${isKilled ? ', and the broker killed,' : ''} is there after a power loss`, async () => {
      const config = { 'segment.bytes': 3 * sizeOfBatch };
      const clock = new FakeClock();
      const disk = new MemoryDisk({ clock, modelsPowerLoss: true });
      let world = await openDir({ disk, clock });
      let log = await world.openLog('orders', 0, config);
      for (let n = 0; n < before; n += 1) append(log);
      await world.env.settle();
      // So that no files are left to write beside the segment before it, which would sync the names of all.
      await clock.until(world.dir.close());
      world = await openDir({ disk, clock, seed: 4 });
      log = await world.openLog('orders', 0, config);
      disk.inject({ kinds: ['write'], path: /orders-0.*log$/, code: 'ENOSPC', times: 1 });
      const refused = append(log);
      await world.env.settle();
      assert.match(String(log.failureOf(refused)), /ENOSPC/);
      if (isKilled) {
        world.env.kill();
        world = await openDir({ disk, clock, seed: 2 });
        log = await world.openLog('orders', 0, config);
      } else await world.env.advanceMs(5000);
      append(log);
      await world.env.settle();
      assert.equal(log.highWatermark, before + 1);
      await clock.until(world.dir.checkpoint());
      append(log); // its frame is all that speaks of the partition by then
      await world.env.settle();
      disk.losePower(keepNothing);
      const again = await (await openDir({ disk, clock, seed: 3 })).openLog('orders', 0, config);
      assert.equal(again.refusal, undefined);
      assert.equal(again.endOffset, before + 2);
    });
  }
}

test('the folder that a start cannot do without is there with its first record, whatever else the power takes', async () => {
  const world = newWorld();
  const { dir, env } = await open(world);
  const identity = { topic: 'metadata', topicId: topicIdOf('metadata'), partition: 0 };
  const log = dir.startLog({ ...identity, irreplaceable: true }, topicConfig(), 0);
  append(log);
  await env.settle();
  assert.equal(log.highWatermark, 1);
  world.disk.losePower(keepNothing);
  assert.ok((await world.disk.mount().readDirectory(DIRECTORY)).some(({ name }) => name === 'metadata-0'));
  assert.equal((await (await open(world, 2)).openLog('metadata')).endOffset, 1);
});

test('a folder that is gone although its records were kept is missed', async () => {
  const world = newWorld();
  const before = await open(world);
  await put(before, 'orders', ['one', 'two']);
  await world.clock.until(before.dir.close());
  await before.env.files.remove(`${DIRECTORY}/orders-0`);
  const after = await open(world, 2);
  assert.equal(after.dir.has('orders', 0), false);
  assert.equal(after.dir.missingUpTo('orders', 0), 2);
  assert.equal(after.dir.missingUpTo('other', 0), undefined);
  await world.clock.until(after.dir.setAside({ topic: 'orders', partition: 0 }, 'deleted'));
  assert.equal(after.dir.missingUpTo('orders', 0), undefined);
});

test('folders that are no partitions are left alone, and spoken of unless every file system has them', async () => {
  const world = newWorld();
  const before = await open(world);
  for (const name of ['lost+found', 'notes', 'a-b-c', 'remote-log-index-cache', 'x-0.0123-future'])
    await before.env.files.makeDirectory(`${DIRECTORY}/${name}`);
  await put(before, 'orders', ['one']);
  await world.clock.until(before.dir.close());
  const after = await open(world, 2);
  await world.clock.until(after.dir.setAsideUnknown((topic) => topic === 'orders'));
  assert.deepEqual(await foldersIn(after), ['a-b-c', 'lost+found', 'notes', 'orders-0', 'remote-log-index-cache', 'x-0.0123-future']);
  assert.deepEqual(
    after.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['path']),
    ['/data/notes', '/data/a-b-c', '/data/x-0.0123-future'],
  );
});

test('what a dropped partition left is removed by the next start, also where there is much of it', async () => {
  const world = newWorld();
  const before = await open(world);
  const folder = `${DIRECTORY}/orders-0.${'ab'.repeat(16)}-delete`;
  await before.env.files.makeDirectory(folder);
  await write(before, `${folder}/00000000000000000000.log`, 'x');
  await world.clock.until(before.dir.close());
  const after = await open(world, 2);
  await after.env.settle();
  assert.deepEqual(await foldersIn(after), []);
});

for (const journaled of [true, false])
  test(`a topic that is made again says in its own folder whose it is (${journaled ? 'with' : 'without'} a journal)`, async () => {
    const world = newWorld();
    const dir = await openDir({ ...world, journaled });
    await put(dir, 'orders', ['old']);
    await world.clock.until(dir.dir.checkpoint());
    await world.clock.until(dir.dir.dropLogs([{ topic: 'orders', partition: 0 }]));
    const again = { topic: 'orders', topicId: topicIdOf('another'), partition: 0 };
    const log = dir.dir.startLog(again, topicConfig(), 0);
    append(log, { values: ['new'] });
    await dir.env.settle();
    assert.equal(log.highWatermark, 1);
    await world.clock.until(dir.dir.checkpoint());
    world.disk.losePower(keepNothing);
    const after = await openDir({ ...world, journaled, seed: 2 });
    const metadata = await after.env.files.readFile(`${DIRECTORY}/orders-0/partition.metadata`);
    assert.match(metadata.toString(), new RegExp(`topic_id: ${topicIdOf('another')}`));
  });
