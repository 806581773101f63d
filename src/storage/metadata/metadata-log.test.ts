import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../base/memory/disk.ts';
import { FakeClock } from '../../base/memory/clock.ts';
import { keepEverything, keepNothing, randomSurvival } from '../../base/memory/power-loss.ts';
import { SeededRandom } from '../../base/memory/random.ts';
import { replaceFile } from '../../base/files.ts';
import { DamagedFileError } from '../damaged-file.ts';
import { encodePartitionMetadata, PARTITION_METADATA_FILE } from '../log/partition-metadata.ts';
import { decodeQuorumState } from '../quorum-state.ts';
import { buildControlBatch, buildMetadataBatch, readMetadataBatches } from './metadata-batches.ts';
import { METADATA_TOPIC_ID, type MetadataLimits } from './metadata-log.ts';
import { encodeMetadataRecord, type NewMetadataRecord } from './metadata-records.ts';
import {
  compute,
  featureLevel,
  leaderChange,
  METADATA_FOLDER,
  openMetadataWorld,
  removal,
  topicRecords,
  type MetadataWorld,
  type WorldOptions,
} from './metadata-world.testing.ts';

const FIRST_SEGMENT = `${METADATA_FOLDER}/00000000000000000000.log`;
const metadataVersion = featureLevel('metadata.version', 29);

const worldOf = (): { disk: MemoryDisk; clock: FakeClock } => {
  const clock = new FakeClock();
  return { clock, disk: new MemoryDisk({ modelsPowerLoss: true, clock }) };
};

/** Stops, and opens again what is left. */
async function reopen(world: MetadataWorld, options: WorldOptions = {}): Promise<MetadataWorld> {
  await world.stop();
  world.env.kill();
  return openMetadataWorld({ disk: world.env.disk, clock: world.env.clock, ...options });
}

const namesIn = async (world: MetadataWorld, folder = METADATA_FOLDER): Promise<string[]> =>
  (await world.env.files.readDirectory(folder)).map(({ name }) => name).sort();
const snapshotsIn = async (world: MetadataWorld): Promise<string[]> =>
  (await namesIn(world)).filter((name) => name.includes('.checkpoint'));

async function change(world: MetadataWorld, path: string, edit: (bytes: Buffer) => Buffer): Promise<void> {
  const bytes = edit(Buffer.from(await world.env.files.readFile(path)));
  const file = await world.env.files.open(path, 'create');
  await file.truncate(0);
  await file.write([bytes], 0);
  await file.dataSync();
  await file.close();
  await world.env.files.syncDirectory(path.slice(0, path.lastIndexOf('/')));
}

async function refused(world: { disk: MemoryDisk; clock: FakeClock }, message: RegExp, options: WorldOptions = {}): Promise<void> {
  const outcome = openMetadataWorld({ ...options, disk: world.disk, clock: world.clock });
  await assert.rejects(outcome, (error: Error) => {
    assert.ok(error instanceof DamagedFileError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

test('what was appended is there after a restart, in an epoch of its own', async () => {
  const first = await openMetadataWorld();
  assert.equal(first.metadata.epoch, 1);
  await first.append(metadataVersion, ...topicRecords(1, 2));
  await first.append(leaderChange(1, 1));
  const second = await reopen(first);
  assert.equal(second.metadata.epoch, 2);
  assert.deepEqual(second.applied.records(), first.applied.records());
  assert.deepEqual(second.metadata.folded.findPartition('dG9waWMwMDAwMDAwMDAwMQ', 1)?.leaderEpoch, 1);
  await second.append(removal(1));
  const third = await reopen(second);
  assert.equal(third.metadata.epoch, 3);
  assert.deepEqual(third.applied.records(), [metadataVersion]);
});

test('an epoch begins as with Kafka: a leader change in the log, and the epoch in quorum-state', async () => {
  const world = await reopen(await openMetadataWorld());
  await world.append(metadataVersion);
  const batches = [...readMetadataBatches(compute, await world.env.files.readFile(FIRST_SEGMENT))];
  assert.deepEqual(
    batches.map(({ epoch, baseOffset, control }) => [epoch, baseOffset, control[0]?.type]),
    [
      [1, 0, 'LEADER_CHANGE'],
      [2, 1, 'LEADER_CHANGE'],
      [2, 2, undefined],
    ],
  );
  const [change1] = batches[1]?.control ?? [];
  const self = { voterId: 1, voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA' };
  assert.deepEqual(change1?.value, { version: 0, leaderId: 1, voters: [self], grantingVoters: [self] });
  await world.stop();
  assert.deepEqual(decodeQuorumState(await world.env.files.readFile(`${METADATA_FOLDER}/quorum-state`)), {
    leaderId: 1,
    leaderEpoch: 2,
    votedId: -1,
    format: { version: 0, voters: [1] },
  });
});

test('the epoch is above that of every witness: the log, the vote, a snapshot', async () => {
  const world = await openMetadataWorld();
  await world.append(metadataVersion);
  await world.stop();
  const path = `${METADATA_FOLDER}/quorum-state`;
  await change(world, path, (bytes) => Buffer.from(bytes.toString().replace('"leaderEpoch":1', '"leaderEpoch":7')));
  const second = await openMetadataWorld(world.env);
  assert.equal(second.metadata.epoch, 8);
  await second.stop();
  await second.env.files.remove(path);
  assert.equal((await openMetadataWorld(second.env)).metadata.epoch, 9);
});

test('a vote that cannot be read refuses the start by its path', async () => {
  const world = await openMetadataWorld();
  await world.stop();
  await change(world, `${METADATA_FOLDER}/quorum-state`, () => Buffer.from('{'));
  await refused(world.env, /^\/data\/__cluster_metadata-0\/quorum-state: it is no JSON/);
});

test('two who append at the same offset do not both succeed', async () => {
  const world = await openMetadataWorld();
  const { metadata } = world;
  const end = metadata.endOffset;
  const first = metadata.append([metadataVersion], end);
  await assert.rejects(metadata.append([metadataVersion], end), /NOT_CONTROLLER|the metadata log ends at/);
  await first;
});

test('many records are a transaction of batches, of which a crash leaves all or none', async () => {
  const limits = { batchBytes: 500 };
  const written = await (async () => {
    const world = await openMetadataWorld({ limits });
    await world.append(metadataVersion);
    const before = world.metadata.endOffset;
    await world.append(...topicRecords(1, 30));
    const types = [...readMetadataBatches(compute, await world.env.files.readFile(FIRST_SEGMENT))]
      .filter(({ baseOffset }) => baseOffset >= before)
      .map(({ records }) => records.map(({ type }) => type));
    assert.ok(types.length > 4);
    assert.equal(types[0]?.[0], 'BeginTransactionRecord');
    assert.equal(types.at(-1)?.at(-1), 'EndTransactionRecord');
    return world.applied.records();
  })();
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 40; seed += 1) {
    const { disk, clock } = worldOf();
    const world = await openMetadataWorld({ disk, clock, limits });
    await world.append(metadataVersion);
    const attempt = world.append(...topicRecords(1, 30)).catch(() => undefined);
    const random = new SeededRandom(seed);
    // The power goes at some operation of the commit.
    for (let turns = random.integer(12); turns > 0; turns -= 1) await Promise.resolve();
    if (seed % 2 === 0) await Promise.race([attempt, world.env.settle()]);
    disk.losePower(randomSurvival(random, { sectorBytes: 64 }));
    const found = await openMetadataWorld({ disk, clock, limits });
    const records = found.applied.records();
    assert.ok([1, written.length].includes(records.length), `seed ${seed}: ${records.length} records`);
    outcomes.add(`${records.length}`);
    // What was unfinished is ended, and the next start finds nothing open.
    await found.append(...topicRecords(2));
    const again = await reopen(found, { limits });
    assert.equal(again.applied.records().length, records.length + 2);
  }
  assert.equal(outcomes.size, 2);
});

test('what an earlier leader left unfinished is aborted, and never counts', async () => {
  const world = await openMetadataWorld();
  await world.append(metadataVersion, { type: 'BeginTransactionRecord', value: { name: 'Bootstrap records' } }, ...topicRecords(1));
  const second = await reopen(world);
  assert.deepEqual(second.applied.records(), [metadataVersion]);
  await second.append(...topicRecords(2));
  const third = await reopen(second);
  assert.deepEqual(
    third.applied.records().map(({ type }) => type),
    ['FeatureLevelRecord', 'TopicRecord', 'PartitionRecord'],
  );
});

/** Small enough that a few changes bring a snapshot. */
const smallLimits: Partial<MetadataLimits> = { snapshotBytes: 2_000, segmentBytes: 1_500 };

let topics = 100_000;

/** Appends until so many more snapshots have been written. */
async function grow(world: MetadataWorld, snapshots: number): Promise<void> {
  const written = (): number => world.log.messages('info').filter((message) => message === 'a snapshot of the metadata was written').length;
  const wanted = written() + snapshots;
  const made: number[] = [];
  while (written() < wanted) {
    topics += 1;
    made.push(topics);
    await world.append(...topicRecords(topics, 3));
    await world.append(leaderChange(topics));
    if (made.length > 5) await world.append(removal(made.shift() ?? 0));
    await world.env.settle();
    assert.ok(topics < 200_000, 'snapshots come');
  }
}

test('a log that grows is cut short by snapshots, and says the same after a restart', async () => {
  const first = await openMetadataWorld({ limits: smallLimits });
  await first.append(metadataVersion);
  await grow(first, 4);
  assert.deepEqual((await snapshotsIn(first)).length, 2, 'the newest and the one before it');
  const second = await reopen(first, { limits: smallLimits });
  assert.deepEqual(second.applied.records(), first.applied.records());
  assert.ok(second.metadata.beganBySnapshot);
  const segments = (await namesIn(second)).filter((name) => name.endsWith('.log'));
  assert.ok(!segments.includes('00000000000000000000.log') && segments.length <= 5, segments.join());
  await grow(second, 2);
  const third = await reopen(second, { limits: smallLimits });
  assert.deepEqual(third.applied.records(), second.applied.records());
});

test('records do not wait for a snapshot longer than an hour, and without records there is none', async () => {
  const world = await openMetadataWorld();
  await world.append(metadataVersion);
  await world.env.advanceMs(59 * 60_000);
  assert.deepEqual(await snapshotsIn(world), []);
  await world.env.advanceMs(60_000);
  await world.env.settle();
  const written = await snapshotsIn(world);
  assert.deepEqual(written, ['00000000000000000002-0000000001.checkpoint']);
  await world.env.advanceMs(5 * 60 * 60_000);
  assert.deepEqual(await snapshotsIn(world), written);
});

test('a damaged snapshot is set aside, and the one before it and the log say the same', async () => {
  const first = await openMetadataWorld({ limits: smallLimits });
  await first.append(metadataVersion);
  await grow(first, 3);
  await first.stop();
  const [older = '', newest = ''] = await snapshotsIn(first);
  await change(first, `${METADATA_FOLDER}/${newest}`, (bytes) => bytes.fill(0xff, 100, 101));
  const second = await openMetadataWorld({ ...first.env, limits: smallLimits });
  assert.deepEqual(second.applied.records(), first.applied.records());
  assert.deepEqual(second.log.messages('error'), [
    'a snapshot of the metadata is damaged; what it stands for was read from the log instead',
  ]);
  assert.deepEqual(await snapshotsIn(second), [older, newest.replace('.checkpoint', '.checkpoint.damaged')]);
  await grow(second, 2);
  await second.stop();
  for (const name of await snapshotsIn(second))
    if (name.endsWith('.checkpoint')) await change(second, `${METADATA_FOLDER}/${name}`, (bytes) => bytes.subarray(0, 50));
  await refused(
    second.env,
    /^\/data\/__cluster_metadata-0\/\d{20}-\d{10}.checkpoint: it ends at byte 0 without its end; restore it from a backup/,
  );
});

test('a log whose beginning is gone, and no snapshot in its place, refuses the start', async () => {
  const world = await openMetadataWorld({ limits: smallLimits });
  await world.append(metadataVersion);
  await grow(world, 3);
  await world.stop();
  for (const name of await snapshotsIn(world)) await world.env.files.remove(`${METADATA_FOLDER}/${name}`);
  await refused(
    world.env,
    /^\/data\/__cluster_metadata-0: the log begins at offset \d+, and no snapshot stands for what was before; restore the folder/,
  );
});

test('a log whose end is gone, while a snapshot knows of it, refuses the start', async () => {
  const world = await openMetadataWorld({ limits: { snapshotBytes: 2_000 } });
  await world.append(metadataVersion);
  await grow(world, 1);
  await world.stop();
  await change(world, FIRST_SEGMENT, (bytes) => bytes.subarray(0, 91));
  await world.env.files.remove('/data/recovery-point-offset-checkpoint');
  await world.env.files.remove('/data/.kafka_cleanshutdown');
  await refused(
    world.env,
    /the snapshot \d{20}-0000000001.checkpoint stands for offsets up to \d+, and the log ends at 1: the end of the log is missing/,
  );
});

test('every byte of the log is vouched for: a change of any refuses the start, or changes nothing', async () => {
  const world = await openMetadataWorld();
  await world.append(metadataVersion, ...topicRecords(1));
  await world.append(leaderChange(1));
  await world.stop();
  const whole = await world.env.files.readFile(FIRST_SEGMENT);
  const expected = world.applied.records();
  let refusals = 0;
  for (let at = 0; at < whole.length; at += 1) {
    const disk = world.env.disk.copyAfterPowerLoss(keepNothing);
    const files = { ...world, env: { ...world.env, files: disk.mount() } } as MetadataWorld;
    await change(files, FIRST_SEGMENT, (bytes) => {
      bytes[at] = (bytes[at] ?? 0) ^ 0x20;
      return bytes;
    });
    const outcome = await openMetadataWorld({ disk, lead: false }).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      assert.ok(outcome instanceof DamagedFileError, `byte ${at}: ${outcome.stack}`);
      assert.match(outcome.message, /^\/data\/__cluster_metadata-0/);
      refusals += 1;
    } else {
      assert.deepEqual((outcome as MetadataWorld).applied.records(), expected, `byte ${at}`);
    }
  }
  assert.ok(refusals > whole.length * 0.9, `${refusals} of ${whole.length}`);
});

test('a damaged batch is named with its file and offset', async () => {
  const world = await openMetadataWorld();
  await world.append(metadataVersion);
  await world.append(...topicRecords(1));
  await world.stop();
  await change(world, FIRST_SEGMENT, (bytes) => bytes.fill(0xff, 170, 171));
  await refused(world.env, /^\/data\/__cluster_metadata-0(\/00000000000000000000.log)?: .*offset 1.*; restore /);
});

test('a segment that is missing in the middle refuses the start', async () => {
  const world = await openMetadataWorld({ limits: { segmentBytes: 300 } });
  await world.append(metadataVersion);
  for (let number = 0; number < 8; number += 1) await world.append(...topicRecords(number));
  await world.stop();
  const segments = (await namesIn(world)).filter((name) => name.endsWith('.log'));
  assert.ok(segments.length >= 4);
  await world.env.files.remove(`${METADATA_FOLDER}/${segments[1]}`);
  await refused(world.env, /^\/data\/__cluster_metadata-0.*(missing|is not|damage)/);
});

test('metadata that is lost is not begun again beside partitions that are there', async () => {
  await refused(
    worldOf(),
    /^\/data\/__cluster_metadata-0: the metadata log tells of nothing, and there is the partition \/data\/orders-0/,
    {
      witness: '/data/orders-0',
    },
  );
  const sound = await openMetadataWorld();
  await sound.append(metadataVersion);
  await reopen(sound, { witness: '/data/orders-0' });
});

/** A log as another has written it. */
async function withLog(batches: readonly Buffer[]): Promise<{ disk: MemoryDisk; clock: FakeClock }> {
  const world = worldOf();
  const files = world.disk.mount();
  await files.makeDirectory(METADATA_FOLDER);
  const file = await files.open(FIRST_SEGMENT, 'create');
  await file.write(batches, 0);
  await file.close();
  await replaceFile(files, `${METADATA_FOLDER}/${PARTITION_METADATA_FILE}`, encodePartitionMetadata(METADATA_TOPIC_ID));
  return world;
}
const kafkasBatch = (baseOffset: number, ...records: NewMetadataRecord[]): Buffer =>
  buildMetadataBatch(
    compute,
    records.map((record) => encodeMetadataRecord(record, 29)),
    1,
    { baseOffset, epoch: 1 },
  );
const voter = (voterId: number): { voterId: number; voterDirectoryId: string } => ({ voterId, voterDirectoryId: 'AAAAAAAAAAAAAAAAAAAAAA' });

test('what a quorum of several decided is not for one of them alone to say', async () => {
  const value = { version: 0, leaderId: 2, voters: [voter(1), voter(2), voter(3)], grantingVoters: [voter(2)] };
  const leader = buildControlBatch(compute, [{ type: 'LEADER_CHANGE', value }], 1, { baseOffset: 0, epoch: 1 });
  await refused(
    await withLog([leader]),
    /the metadata belongs to a quorum of the nodes 1, 2, 3, and this node alone cannot know what it decided; let Apache Kafka/,
  );
  const own = { version: 0, leaderId: 5, voters: [voter(5)], grantingVoters: [voter(5)] };
  const alone = buildControlBatch(compute, [{ type: 'LEADER_CHANGE', value: own }], 1, { baseOffset: 0, epoch: 1 });
  await refused(await withLog([alone]), /a quorum of the nodes 5/);
  assert.equal((await openMetadataWorld({ ...(await withLog([alone])), nodeId: 5 })).metadata.epoch, 2);
});

test('what only a newer Kafka knows is not passed over: the start says which, where, and what to do', async () => {
  const strange = buildMetadataBatch(compute, [Buffer.from([1, 77, 0])], 1, { baseOffset: 1, epoch: 1 });
  await refused(
    await withLog([kafkasBatch(0, metadataVersion), strange]),
    /^\/data\/__cluster_metadata-0\/00000000000000000000.log: at offset 1: the metadata record type 77 is not known; a newer Kafka has used this log dir: open it with that$/,
  );
  await refused(
    await withLog([kafkasBatch(0, featureLevel('metadata.version', 30))]),
    /at offset 0: metadata.version is 30, and 29 is the highest that is known here; a newer Kafka/,
  );
});

test('records that do not make sense together refuse the start', async () => {
  await refused(await withLog([kafkasBatch(0, metadataVersion, removal(1))]), /at offset 0: there is no topic with the id .*; restore it/);
  await refused(await withLog([kafkasBatch(0, { type: 'EndTransactionRecord', value: {} })]), /a transaction ends that has not begun/);
});

test('an older metadata.version is kept, and records are written as it has them', async () => {
  const world = await openMetadataWorld(await withLog([kafkasBatch(0, featureLevel('metadata.version', 14))]));
  await world.append(...topicRecords(1));
  assert.deepEqual(world.metadata.folded.findPartition('dG9waWMwMDAwMDAwMDAwMQ', 0)?.directories, ['AAAAAAAAAAAAAAAAAAAAAA']);
  assert.equal((await reopen(world)).metadata.folded.metadataVersion, 14);
});

test('at every step of a snapshot a crash leaves metadata that says the same', async () => {
  const before = await openMetadataWorld({ limits: smallLimits });
  await before.append(metadataVersion);
  await grow(before, 2);
  await before.stop();
  const again = async (): Promise<MetadataWorld> => {
    const disk = before.env.disk.copyAfterPowerLoss(keepEverything);
    return openMetadataWorld({ disk, clock: before.env.clock, limits: smallLimits });
  };
  const operations = await (async () => {
    const world = await again();
    const count = world.env.disk.count();
    await grow(world, 1);
    return world.env.disk.count() - count;
  })();
  assert.ok(operations > 40);
  for (let step = 0; step < operations; step += 1) {
    const world = await again();
    const { disk, clock } = world.env;
    const target = disk.count() + step;
    let acknowledged = world.applied.records();
    // At that operation the file system stops to answer, until the power goes.
    disk.inject({ skip: step, times: 1, delayMs: 1e12 });
    const work = (async () => {
      for (let number = 10; disk.count() <= target; number += 1) {
        await world.append(...topicRecords(number));
        acknowledged = world.applied.records();
      }
    })();
    await Promise.race([work, world.env.settle()]);
    disk.losePower(randomSurvival(new SeededRandom(step)));
    const found = await openMetadataWorld({ disk, clock, limits: smallLimits });
    const records = found.applied.records();
    assert.ok(records.length >= acknowledged.length, `step ${step}`);
    assert.deepEqual(records.slice(0, acknowledged.length), acknowledged, `step ${step}`);
    await found.append(...topicRecords(1_000));
    await found.env.settle();
    assert.ok(
      (await snapshotsIn(found)).every((name) => name.endsWith('.checkpoint')),
      'nothing unfinished stays',
    );
  }
});

test('a disk without room for a snapshot costs nothing but time: it is tried again a minute later', async () => {
  const world = await openMetadataWorld({ limits: smallLimits });
  await world.append(metadataVersion);
  {
    using _full = world.env.disk.inject({ path: /checkpoint\.part$/, kinds: ['write'], code: 'ENOSPC' });
    for (let number = 0; number < 20; number += 1) await world.append(...topicRecords(number));
    await world.env.settle();
    assert.deepEqual(await snapshotsIn(world), []);
    assert.equal(world.log.messages('warn').filter((message) => /a snapshot of the metadata could not be written/.test(message)).length, 1);
  }
  await world.append(...topicRecords(100));
  await world.env.settle();
  assert.deepEqual(await snapshotsIn(world), [], 'not at once');
  await world.env.advanceMs(60_000);
  await world.append(...topicRecords(101));
  await world.env.settle();
  assert.equal((await snapshotsIn(world)).length, 1);
});
