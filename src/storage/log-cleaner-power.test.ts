// Random compacted logs against a plain map: the power goes at any operation of a cleaning, any part of what was not synced
// survives, and what is read afterwards comes to the same keys and values, at the offsets they always had.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompressionCodec } from '../base/env.ts';
import { FakeClock } from '../base/memory/clock.ts';
import type { DiskOperation } from '../base/memory/disk-faults.ts';
import type { MemoryEnv } from '../base/memory/env.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import {
  everySurvival,
  keepEverything,
  keepNothing,
  randomSurvival,
  type Survival,
  type UnsyncedChange,
} from '../base/memory/power-loss.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { controlRecordTypeOf } from '../protocol/record-batch-control.ts';
import { decodeRecords } from '../protocol/record-batch-records.ts';
import {
  baseOffsetOf,
  isControl,
  isTransactional,
  iterateBatches,
  lastOffsetOf,
  producerIdOf,
  sizeInBytesOf,
} from '../protocol/record-batch.ts';
import { cleanerOf, compacted, put, putMarker, type Keyed } from './log-cleaner.testing.ts';
import { compute, openDir, type OpenDir } from './log-dir.testing.ts';
import type { PartitionLog } from './log/partition-log.ts';

const config = { ...compacted, 'segment.bytes': 500, 'delete.retention.ms': 20_000 };
/** Larger than what is written, so that neighbours become one. */
const CLEANED_SEGMENT_BYTES = 1800;
const codecs: readonly (CompressionCodec | undefined)[] = [undefined, undefined, 'gzip', 'snappy', 'lz4', 'zstd'];

/** What was appended, whatever became of it. */
interface Model {
  /** `key=value` by offset; markers are not in it. */
  readonly records: Map<number, string>;
  /** What a reader of committed records comes to. */
  readonly latest: Map<string, string>;
  readonly sequences: Map<number, number>;
  endOffset: number;
  /** Where the first transaction begins that is still open. */
  lastStableOffset: number;
}

interface Written {
  readonly offset: number;
  readonly keyed: Keyed;
}

class Player {
  readonly random: SeededRandom;
  readonly model: Model = { records: new Map(), latest: new Map(), sequences: new Map(), endOffset: 0, lastStableOffset: 0 };
  readonly #open = new Map<number, Written[]>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  below(count: number): number {
    return Math.floor(this.random.next() * count);
  }

  /** Appends a few batches, of transactions that come to their end and of none. */
  async play(log: PartitionLog, steps: number, { endAll = false } = {}): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      const producerId = [-1, -1, 11, 12, 13][this.below(5)] as number;
      if (producerId >= 12 && this.#open.has(producerId) && this.below(3) === 0) this.#end(log, producerId);
      else await this.#append(log, producerId);
    }
    for (const producerId of this.#open.keys()) if (endAll || this.below(4) > 0) this.#end(log, producerId);
    this.#noteLatest();
  }

  async #append(log: PartitionLog, producerId: number): Promise<void> {
    const isTransaction = producerId >= 12;
    const keyed = Array.from({ length: 1 + this.below(4) }, (): Keyed => {
      const key = `key-${this.below(12)}`;
      return this.below(6) === 0 ? [key, null] : [key, `${this.below(1e6)}`.padEnd(10 + this.below(30), '.')];
    });
    const baseSequence = this.model.sequences.get(producerId) ?? 0;
    const codec = codecs[this.below(codecs.length)];
    const ticket = await put(log, keyed, {
      timestamp: 1000 + this.below(1e6),
      ...(codec !== undefined && { codec }),
      ...(producerId >= 0 && { producerId, producerEpoch: 0, baseSequence, isTransactional: isTransaction }),
    });
    if (producerId >= 0) this.model.sequences.set(producerId, baseSequence + keyed.length);
    const written = keyed.map((one, index) => ({ offset: ticket.baseOffset + index, keyed: one }));
    for (const one of written) this.model.records.set(one.offset, `${one.keyed[0]}=${one.keyed[1]}`);
    this.model.endOffset = ticket.lastOffset + 1;
    if (isTransaction) this.#open.set(producerId, [...(this.#open.get(producerId) ?? []), ...written]);
    else this.#commit(written);
  }

  #end(log: PartitionLog, producerId: number): void {
    const written = this.#open.get(producerId) ?? [];
    this.#open.delete(producerId);
    const commits = this.below(2) === 0;
    this.model.endOffset = putMarker(log, commits ? 'COMMIT' : 'ABORT', producerId).lastOffset + 1;
    if (commits) this.#commit(written);
  }

  readonly #committed: Written[] = [];

  #commit(written: readonly Written[]): void {
    this.#committed.push(...written);
  }

  /** The order of the log decides, not that of the markers; and nothing is read from the first open transaction on. */
  #noteLatest(): void {
    const firstOpen = Array.from(this.#open.values(), ([first]) => first?.offset ?? Infinity);
    this.model.lastStableOffset = Math.min(this.model.endOffset, ...firstOpen);
    const { latest, lastStableOffset } = this.model;
    latest.clear();
    for (const { keyed, offset } of this.#committed.toSorted((left, right) => left.offset - right.offset)) {
      if (offset >= lastStableOffset) continue;
      if (keyed[1] === null) latest.delete(keyed[0] ?? '');
      else latest.set(keyed[0] ?? '', keyed[1]);
    }
  }
}

/** A consumer of committed records, as clients are built: it drops what the answer says was aborted. */
class Reader {
  readonly seen = new Map<string, string>();
  readonly offsets: number[] = [];
  from = 0;
  readonly #log: PartitionLog;

  constructor(log: PartitionLog) {
    this.#log = log;
    this.from = log.logStartOffset;
  }

  async readToEnd(model: Model): Promise<this> {
    while (this.from < this.#log.lastStableOffset) await this.#readOnce(model);
    return this;
  }

  async #readOnce(model: Model): Promise<void> {
    const { from } = this;
    const read = await this.#log.read(from, { maxBytes: 400, atLeastOneBatch: true, isolation: 'readCommitted', currentLeaderEpoch: -1 });
    const bytes = Buffer.concat(read.buffers);
    assert.ok(bytes.length > 0, `nothing is read at ${from} of ${this.#log.lastStableOffset}`);
    const aborted = [...(read.abortedTransactions ?? [])];
    const dropping = new Set<number>();
    for (const at of iterateBatches(bytes)) {
      const batch = bytes.subarray(at, at + sizeInBytesOf(bytes, at));
      const lastOffset = lastOffsetOf(batch, 0);
      assert.ok(lastOffset >= this.from, 'no batch comes twice');
      this.from = lastOffset + 1;
      while (aborted[0] !== undefined && aborted[0].firstOffset <= lastOffset) dropping.add(aborted.shift()?.producerId ?? -1);
      const producerId = producerIdOf(batch, 0);
      const records = await decodeRecords(compute, batch, 1e7);
      if (isControl(batch, 0)) {
        if (records[0] === undefined || controlRecordTypeOf(records[0].key) === 'ABORT') dropping.delete(producerId);
        continue;
      }
      if (isTransactional(batch, 0) && dropping.has(producerId)) continue;
      for (const { offset, key, value } of records) {
        assert.ok(offset >= baseOffsetOf(batch, 0) && offset <= lastOffset);
        assert.equal(`${key?.toString()}=${value?.toString() ?? null}`, model.records.get(offset), `offset ${offset}`);
        this.offsets.push(offset);
        if (value === null) this.seen.delete(key?.toString() ?? '');
        else this.seen.set(key?.toString() ?? '', value.toString());
      }
    }
  }
}

const sorted = (map: ReadonlyMap<string, string>): [string, string][] => [...map].sort(([left], [right]) => (left < right ? -1 : 1));

async function checkFound(
  disk: MemoryDisk,
  clock: FakeClock,
  player: Player,
  about: { uncleanedFrom: number; withoutSnapshots: boolean; what: string },
): Promise<void> {
  const { uncleanedFrom, what } = about;
  const { model } = player;
  if (about.withoutSnapshots) {
    const files = disk.mount();
    for (const { name } of await clock.until(files.readDirectory('/data/t-0')))
      if (/\.(snapshot|producers)$/.test(name)) await clock.until(files.remove(`/data/t-0/${name}`));
  }
  const world = await openDir({ disk, clock, seed: 3, cacheBytes: 500 });
  const log = await world.openLog('t', 0, config);
  assert.equal(log.refusal, undefined, what);
  assert.equal(log.endOffset, model.endOffset, `${what}: the end`);
  assert.equal(log.lastStableOffset, model.lastStableOffset, `${what}: the first open transaction`);
  const reader = await clock.until(new Reader(log).readToEnd(model));
  assert.deepEqual(sorted(reader.seen), sorted(model.latest), what);
  const all = new Set(reader.offsets);
  for (const offset of [...model.records.keys()].filter(
    (one) => one >= uncleanedFrom && one < model.lastStableOffset && !abortedIn(log, one),
  ))
    assert.ok(all.has(offset), `${what}: offset ${offset} was not to be cleaned`);
  for (const { producerId, lastSequence } of log.producers.describe())
    assert.equal(lastSequence, (model.sequences.get(producerId) ?? 0) - 1, `${what}: the sequence of producer ${producerId}`);
  assert.equal(log.producers.producerCount, model.sequences.size - (model.sequences.has(-1) ? 1 : 0), what);
  const names = (await clock.until(world.env.files.readDirectory(log.directory))).map(({ name }) => name);
  assert.ok(
    names.every((name) => !/\.(cleaned|swap|deleted)$/.test(name)),
    `${what}: ${names.join(' ')}`,
  );
  await checkSegments({ env: world.env, clock }, log, what);
  // And it goes on, with another cleaning.
  await put(log, [['key-0', 'next']]);
  await world.env.settle();
  await clock.until(world.dir.checkpoint());
  const after = cleanerOf(world);
  while ((await clock.until(after.cleanDirtiest())) === 'cleaned');
  const again = await clock.until(
    new Reader(log).readToEnd({ ...model, records: new Map(model.records).set(log.endOffset - 1, 'key-0=next') }),
  );
  const latest = new Map(model.latest);
  if (model.lastStableOffset === model.endOffset) latest.set('key-0', 'next');
  assert.deepEqual(sorted(again.seen), sorted(latest), `${what}, cleaned again`);
  assert.deepEqual(world.log.messages('error'), [], what);
  assert.deepEqual([...world.fatal, ...world.offline, ...after.uncleanable], [], what);
  await clock.until(world.dir.close());
}

/** No offset lies in two files: what was replaced is gone. */
async function checkSegments({ env, clock }: { env: MemoryEnv; clock: FakeClock }, log: PartitionLog, what: string): Promise<void> {
  const names = (await clock.until(env.files.readDirectory(log.directory))).map(({ name }) => name).filter((name) => name.endsWith('.log'));
  let endOffset = -1;
  for (const name of names.sort()) {
    const base = Number(name.slice(0, 20));
    assert.ok(base >= endOffset, `${what}: ${name} begins below ${endOffset}, where the one before it ends`);
    const bytes = await clock.until(env.files.readFile(`${log.directory}/${name}`));
    for (const at of iterateBatches(bytes)) endOffset = lastOffsetOf(bytes, at) + 1;
  }
}

const abortedIn = (log: PartitionLog, offset: number): boolean =>
  log.abortedTransactions.some(({ firstOffset, lastOffset }) => firstOffset <= offset && offset <= lastOffset);

const ROUNDS = 3;
/** Of the operations that change something on the disk. */
const SAMPLED_ONE_IN = 24;
const changing: ReadonlySet<DiskOperation['kind']> = new Set([
  'create',
  'write',
  'truncate',
  'dataSync',
  'rename',
  'remove',
  'syncDirectory',
]);

async function life(seed: number): Promise<number> {
  const player = new Player(seed);
  const clock = new FakeClock({ startWallMs: 1_000_000 });
  let watching: ((operation: DiskOperation) => void) | undefined;
  const latencies = new SeededRandom(seed);
  const disk: MemoryDisk = new MemoryDisk({
    modelsPowerLoss: true,
    clock,
    // Whoever reads while it is cleaned is sometimes ahead, and sometimes behind.
    latencyMs: () => (watching === undefined ? 0 : Math.floor(latencies.next() * 4)),
    onOperation: (operation) => watching?.(operation),
  });
  const world: OpenDir = await openDir({ disk, clock, seed, cacheBytes: seed % 2 === 0 ? 500 : 50_000 });
  const log = await world.openLog('t', 0, config);
  let checked = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    await player.play(log, 40);
    await world.env.settle();
    await clock.until(world.dir.checkpoint());
    await world.env.advanceMs(player.below(30_000));
    const uncleanedFrom = log.endOfSegments(log.settledSegments);
    const found: { disk: MemoryDisk; withoutSnapshots: boolean; what: string }[] = [];
    watching = ({ kind, path }) => {
      if (!changing.has(kind) || player.below(SAMPLED_ONE_IN) > 0) return;
      const at = `seed ${seed}, round ${round}, before ${kind} of ${path}`;
      const survivals = [keepNothing, keepEverything, ...[1, 2, 3].map((n) => randomSurvival(new SeededRandom(player.below(1e9) + n)))];
      for (const [n, survives] of survivals.entries())
        found.push({ disk: disk.copyAfterPowerLoss(survives), withoutSnapshots: player.below(2) === 0, what: `${at}, survival ${n}` });
    };
    log.configure({ ...log.config, 'segment.bytes': CLEANED_SEGMENT_BYTES });
    const reader = new Reader(log);
    const [went] = await clock.until(Promise.all([cleanerOf(world).cleanDirtiest(), reader.readToEnd(player.model)]));
    watching = undefined;
    log.configure({ ...log.config, 'segment.bytes': config['segment.bytes'] });
    assert.ok(went === 'cleaned' || player.model.lastStableOffset < player.model.endOffset, went);
    assert.deepEqual(sorted(reader.seen), sorted(player.model.latest), `seed ${seed}: a reader that was under way`);
    for (const one of found) await checkFound(one.disk, clock, player, { uncleanedFrom, ...one });
    checked += found.length;
  }
  assert.deepEqual(world.log.messages('error'), []);
  return checked;
}

for (let seed = 1; seed <= 6; seed += 1) {
  test(`after a power loss at any moment of a cleaning the log comes to the same keys and values (seed ${seed})`, async () => {
    assert.ok((await life(seed)) > 0);
  });
}

test('of what a swap has not synced any part may survive', async () => {
  const clock = new FakeClock({ startWallMs: 1_000_000 });
  const player = new Player(5);
  let watching: (() => void) | undefined;
  const disk: MemoryDisk = new MemoryDisk({
    modelsPowerLoss: true,
    clock,
    onOperation: ({ kind }) => changing.has(kind) && watching?.(),
  });
  const world = await openDir({ disk, clock, cacheBytes: 500 });
  const log = await world.openLog('t', 0, config);
  await player.play(log, 14, { endAll: true });
  await world.env.settle();
  await clock.until(world.dir.checkpoint());
  log.configure({ ...log.config, 'segment.bytes': CLEANED_SEGMENT_BYTES });
  assert.ok(log.settledSegments.length >= 3);
  const found: { disk: MemoryDisk; what: string }[] = [];
  let operation = 0;
  watching = () => {
    const names = disk.unsynced().filter(({ path }) => path.startsWith('/data/t-0/'));
    const latest = names.slice(-8);
    const random = new SeededRandom(operation);
    for (const survives of latest.length <= 4 ? [...everySurvival(latest)] : Array.from({ length: 12 }, () => coinFor(latest, random)))
      found.push({ disk: disk.copyAfterPowerLoss(survives), what: `operation ${operation}, survival ${found.length}` });
    operation += 1;
  };
  assert.equal(await clock.until(cleanerOf(world).cleanDirtiest()), 'cleaned');
  watching = undefined;
  for (const one of found) await checkFound(one.disk, clock, player, { uncleanedFrom: log.endOffset, withoutSnapshots: true, ...one });
  assert.ok(found.length > 100);
});

/** Each of the changes survives or not; those before them do. */
function coinFor(changes: readonly UnsyncedChange[], random: SeededRandom): Survival {
  const lost = new Set(changes.filter(() => random.chance(0.5)).map(({ id }) => id));
  return ({ id }) => !lost.has(id);
}
