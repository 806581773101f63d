// What a start makes of a partition whose files are not as they should be: what is cut, what never is, what is made again from
// the batches, and which producers are still known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/memory/clock.ts';
import { MemoryDisk } from '../../base/memory/disk.ts';
import { keepNothing, randomSurvival } from '../../base/memory/power-loss.ts';
import { SeededRandom } from '../../base/memory/random.ts';
import type { TopicConfig } from '../../config/topic-configs.ts';
import { JOURNAL_FILE } from '../commit/journal.ts';
import { append, DIRECTORY, openDir, readAll, type OpenDir } from '../log-dir.testing.ts';
import { offsetFileName } from './log-names.ts';
import type { PartitionLog } from './partition-log.ts';

const FOLDER = `${DIRECTORY}/orders-0`;
const SEGMENT = `${FOLDER}/00000000000000000000.log`;
const VALUE = Buffer.alloc(100, 1);
/** What the clock says: older producers would be forgotten. */
const NOW = Date.UTC(2024, 0, 1);

interface World {
  disk: MemoryDisk;
  clock: FakeClock;
  dir: OpenDir;
  log: PartitionLog;
}

async function begin(config: Partial<TopicConfig> = {}, batches = 10): Promise<World> {
  const clock = new FakeClock();
  const disk = new MemoryDisk({ clock, modelsPowerLoss: true });
  const dir = await openDir({ disk, clock, cacheBytes: 0 });
  const log = await dir.openLog('orders', 0, config);
  for (let n = 0; n < batches; n += 1) append(log, { values: [VALUE] });
  await dir.env.settle();
  return { disk, clock, dir, log };
}

/** Opens what is on the disk with a new broker; the old one is dead or has stopped. */
async function again({ disk, clock }: World, config: Partial<TopicConfig> = {}, seed = 2): Promise<World> {
  const dir = await openDir({ disk, clock, seed, cacheBytes: 0 });
  return { disk, clock, dir, log: await dir.openLog('orders', 0, config) };
}

const stop = ({ clock, dir }: World): Promise<void> => clock.until(dir.dir.close());

async function change(disk: MemoryDisk, path: string, how: (bytes: Buffer) => Buffer | undefined): Promise<void> {
  const files = disk.mount();
  const bytes = how(await files.readFile(path));
  if (bytes === undefined) {
    await files.remove(path);
    return;
  }
  const file = await files.open(path, 'create');
  await file.truncate(0);
  await file.write([bytes], 0);
  await file.dataSync();
  await file.close();
}

const flip =
  (at: (bytes: Buffer) => number) =>
  (bytes: Buffer): Buffer => {
    const changed = Buffer.from(bytes);
    changed[at(bytes)] = (changed[at(bytes)] ?? 0) ^ 0x10;
    return changed;
  };
const batchBytes = (bytes: Buffer): number => 12 + bytes.readInt32BE(8);
/** A byte among the records of the nth batch; all batches are of one size. */
const inBatch = (n: number) => flip((bytes) => n * batchBytes(bytes) + 80);
const cutsIn = async ({ dir }: World): Promise<string[]> =>
  (await dir.env.files.readDirectory(FOLDER)).map(({ name }) => name).filter((name) => name.endsWith('.cut'));
const removeJournal = ({ disk }: World): Promise<void> => change(disk, `${DIRECTORY}/${JOURNAL_FILE}`, () => undefined);

test('a batch above what was promised that does not hold is cut, kept beside the segment, and said where', async () => {
  const before = await begin();
  before.dir.env.kill();
  await removeJournal(before); // nobody knows any more what was promised
  await change(before.disk, SEGMENT, inBatch(9));
  const after = await again(before);
  assert.equal(after.log.refusal, undefined);
  assert.equal(after.log.endOffset, 9);
  assert.deepEqual(await cutsIn(after), [`0-${await sizeOf(after)}.cut`]);
  assert.equal(after.dir.log.lines.find(({ message }) => message === 'cut a torn end')?.fields['fromOffset'], 9);
  const ticket = append(after.log);
  await after.dir.env.settle();
  assert.equal(ticket.baseOffset, 9);
});

const sizeOf = async ({ disk }: World): Promise<number> => (await disk.mount().stat(SEGMENT))?.bytes ?? -1;

test('a bad batch with valid ones behind it is damage and not cut: the partition is read up to it and takes no more', async () => {
  for (const [what, prepare] of [
    ['above the recovery point, without a journal', async () => undefined],
    ['below the recovery point', async (world: World) => world.clock.until(world.dir.dir.checkpoint())],
  ] as const) {
    const before = await begin();
    await prepare(before);
    append(before.log, { values: [VALUE] });
    await before.dir.env.settle();
    before.dir.env.kill();
    await removeJournal(before);
    const size = await sizeOf(before);
    await change(before.disk, SEGMENT, what.startsWith('below') ? flip((bytes) => 4 * batchBytes(bytes) + 16) : inBatch(4));
    const after = await again(before);
    assert.match(after.log.refusal ?? '', /byte/, what);
    assert.equal((await readAll(after.log)).length, 4, what);
    assert.throws(() => append(after.log), { errorName: 'KAFKA_STORAGE_ERROR' }, what);
    assert.equal(await sizeOf(after), size, what);
    assert.deepEqual(await cutsIn(after), [], what);
    assert.deepEqual(
      after.dir.log.messages('error').at(-1),
      'a partition is damaged: it can be read up to there, and takes no more records',
    );
    const other = await after.dir.openLog('other');
    append(other);
    await after.dir.env.settle();
    assert.equal(other.highWatermark, 1, 'its neighbours go on');
    // Nothing is lost by starting again and again; what is mended is served.
    await change(before.disk, SEGMENT, what.startsWith('below') ? flip((bytes) => 4 * batchBytes(bytes) + 16) : inBatch(4));
    const mended = await again(after, {}, 3);
    assert.equal((await readAll(mended.log)).length, 11, what);
  }
});

test('below the recovery point nothing is cut, also when nothing valid stands behind the damage', async () => {
  const before = await begin();
  await before.clock.until(before.dir.dir.checkpoint());
  before.dir.env.kill();
  await removeJournal(before);
  const size = await sizeOf(before);
  await change(
    before.disk,
    SEGMENT,
    flip((bytes) => 9 * batchBytes(bytes) + 16),
  ); // the magic of the last one
  const after = await again(before);
  assert.notEqual(after.log.refusal, undefined);
  assert.equal(await sizeOf(after), size);
  assert.equal((await readAll(after.log)).length, 9);
});

test('what the journal holds of a batch is put in the place of what the segment has made of it', async () => {
  const before = await begin();
  before.dir.env.kill();
  await change(before.disk, SEGMENT, inBatch(4));
  const after = await again(before);
  assert.equal(after.log.refusal, undefined);
  assert.equal((await readAll(after.log)).length, 10);
});

test('of a long torn end the first megabytes are kept', async () => {
  const before = await begin();
  before.dir.env.kill();
  await change(before.disk, SEGMENT, (bytes) => Buffer.concat([bytes, Buffer.alloc(20 * 1024 * 1024, 7)]));
  const after = await again(before);
  assert.equal(after.log.endOffset, 10);
  const [cut = ''] = await cutsIn(after);
  assert.equal((await after.dir.env.files.stat(`${FOLDER}/${cut}`))?.bytes, 16 * 1024 * 1024);
});

const besides = ['.index', '.timeindex', '.snapshot', '.producers', 'leader-epoch-checkpoint'];
const damages: [string, (bytes: Buffer) => Buffer | undefined][] = [
  ['missing', () => undefined],
  ['empty', () => Buffer.alloc(0)],
  ['cut', (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ['zeros', (bytes) => Buffer.alloc(bytes.length)],
  ['flipped', flip((bytes) => bytes.length >> 1)],
  ['longer', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
];

/** A log of several segments and epochs with three producers; what it answers to everything that may be asked. */
async function answers({ log }: World): Promise<unknown> {
  const batches = await readAll(log);
  return {
    offsets: batches.map(({ endOffset }) => endOffset),
    times: await Promise.all([0, NOW + 3, NOW + 6, NOW + 7].map((timestamp) => log.offsetForTimestamp(timestamp, 'readUncommitted'))),
    largest: await log.offsetOfMaxTimestamp(),
    epochs: [0, 1, 2, 3].map((epoch) => log.endOfLeaderEpoch(epoch)),
    duplicates: [7, 8, 9].flatMap((producerId) => [0, 1, 2, 3, 4, 5, 6].map((baseSequence) => sendAgain(log, producerId, baseSequence))),
  };
}

function sendAgain(log: PartitionLog, producerId: number, baseSequence: number): string {
  try {
    const ticket = append(log, { values: [VALUE], producerId, producerEpoch: 0, baseSequence, timestamp: NOW + baseSequence }, 'client');
    return ticket.duplicate ? `duplicate at ${ticket.baseOffset}` : 'appended';
  } catch (thrown) {
    return (thrown as { errorName?: string }).errorName ?? String(thrown);
  }
}

async function withProducers(): Promise<World> {
  const world = await begin({ 'segment.bytes': 700 }, 0);
  for (let baseSequence = 0; baseSequence < 7; baseSequence += 1) {
    if (baseSequence === 3) world.log.leadFrom(2);
    for (const producerId of [7, 8, 9])
      append(world.log, { values: [VALUE], producerId, producerEpoch: 0, baseSequence, timestamp: NOW + baseSequence }, 'client');
    await world.dir.env.settle();
  }
  return world;
}

test('an index, snapshot or epoch file that is damaged or missing changes no answer, after a clean stop and after a kill', async () => {
  const expected = await answers(await withProducers());
  let damaged = 0;
  for (const clean of [true, false]) {
    for (const suffix of besides) {
      for (const [what, how] of damages) {
        // Kafka's format has no checksum; where a time is merely another one nothing can tell.
        if (suffix === '.timeindex' && what === 'flipped') continue;
        // So it is after Kafka, whose snapshots know the last batch alone.
        if (suffix === '.producers' && what === 'missing') continue;
        const before = await withProducers();
        await before.clock.until(before.dir.dir.checkpoint());
        if (clean) await stop(before);
        else before.dir.env.kill();
        for (const { name } of await before.disk.mount().readDirectory(FOLDER)) {
          if (!name.endsWith(suffix)) continue;
          await change(before.disk, `${FOLDER}/${name}`, how);
          damaged += 1;
        }
        const dir = await openDir({ disk: before.disk, clock: before.clock, seed: 2, cacheBytes: 0 });
        const log = await dir.openLog('orders', 0, { 'segment.bytes': 700 }, 2);
        assert.deepEqual(
          await answers({ ...before, dir, log }),
          expected,
          `${suffix} is ${what}, after a ${clean ? 'clean stop' : 'kill'}`,
        );
        assert.equal(log.refusal, undefined);
      }
    }
  }
  assert.ok(damaged > 100, `${damaged} files`);
});

test('a clean stop that left a snapshot of producers beyond the end of the log is not believed', async () => {
  const before = await withProducers();
  await stop(before);
  const files = before.disk.mount();
  for (const suffix of ['.snapshot', '.producers'] as const)
    await files.rename(`${FOLDER}/${offsetFileName(21, suffix)}`, `${FOLDER}/${offsetFileName(25, suffix)}`);
  const dir = await openDir({ disk: before.disk, clock: before.clock, seed: 2, cacheBytes: 0 });
  const after = { ...before, dir, log: await dir.openLog('orders', 0, { 'segment.bytes': 700 }, 2) };
  assert.deepEqual(await answers(after), await answers(await withProducers()));
  assert.match(after.dir.log.messages('warn').join(), /not as its last clean stop left it/);
  append(after.log, { values: [VALUE] });
  await after.dir.env.settle();
  assert.equal(after.log.highWatermark, 22);
});

test('a checkpoint or journal that is damaged or missing changes no answer after a kill', async () => {
  const expected = await answers(await withProducers());
  for (const name of ['recovery-point-offset-checkpoint', 'log-start-offset-checkpoint', JOURNAL_FILE]) {
    for (const [what, how] of damages) {
      const before = await withProducers();
      await before.clock.until(before.dir.dir.checkpoint());
      before.dir.env.kill();
      if (name.startsWith('log-start')) await change(before.disk, await made(before, name), () => Buffer.from('0\n1\norders 0 0\n'));
      await change(before.disk, `${DIRECTORY}/${name}`, how);
      const dir = await openDir({ disk: before.disk, clock: before.clock, seed: 2, cacheBytes: 0 });
      const log = await dir.openLog('orders', 0, { 'segment.bytes': 700 }, 2);
      assert.deepEqual(await answers({ ...before, dir, log }), expected, `${name} is ${what}`);
    }
  }
});

async function made({ disk }: World, name: string): Promise<string> {
  const file = await disk.mount().open(`${DIRECTORY}/${name}`, 'create');
  await file.close();
  return `${DIRECTORY}/${name}`;
}

test('the last five batches of each producer are known after any restart, whatever way the one before it ended', async () => {
  const expected = await answers(await withProducers());
  const ways: ((world: World, random: SeededRandom) => Promise<void>)[] = [
    (world) => stop(world),
    async (world) => world.dir.env.kill(),
    async (world) => world.disk.losePower(keepNothing),
    async (world, random) => world.disk.losePower(randomSurvival(random)),
    async (world) => world.clock.until(world.dir.dir.checkpoint()).then(() => world.dir.env.kill()),
  ];
  for (let seed = 0; seed < 30; seed += 1) {
    const random = new SeededRandom(seed);
    let world = await withProducers();
    for (let restart = 0; restart < 4; restart += 1) {
      await ways[Math.floor(random.next() * ways.length)]?.(world, random);
      const dir = await openDir({ disk: world.disk, clock: world.clock, seed: seed * 10 + restart, cacheBytes: 0 });
      world = { ...world, dir, log: await dir.openLog('orders', 0, { 'segment.bytes': 700 }, 2) };
      assert.deepEqual(await answers(world), expected, `seed ${seed}, restart ${restart}`);
    }
  }
});

test('how far everything is durable is kept after a second, or after 64 MiB', async () => {
  const recoveryPoint = async ({ dir }: World): Promise<string | undefined> =>
    /orders 0 (\d+)/.exec((await dir.env.files.readFile(`${DIRECTORY}/recovery-point-offset-checkpoint`).catch(() => '')).toString())?.[1];
  const world = await begin();
  await world.dir.env.advanceMs(900);
  assert.equal(await recoveryPoint(world), undefined);
  await world.dir.env.advanceMs(200);
  assert.equal(await recoveryPoint(world), '10');
  const large = Buffer.alloc(1024 * 1024, 1);
  for (let n = 0; n < 65; n += 1) {
    append(world.log, { values: [large] });
    await world.dir.env.settle();
  }
  await world.dir.env.advanceMs(1);
  assert.ok(Number(await recoveryPoint(world)) > 60);
});
