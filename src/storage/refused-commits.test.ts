// A disk that refuses now and then, for want of room or of descriptors, under idempotent producers that send again what was refused:
// kills, power losses and clean stops at any moment of it. Whatever was acknowledged is there, once and in order, and the next start
// goes on behind it.
// Fresh seeds: REFUSAL_SEEDS=1000-1200 node --test src/storage/refused-commits.test.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { randomSurvival } from '../base/memory/power-loss.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { KafkaError } from '../protocol/errors.ts';
import { baseSequenceOf } from '../protocol/record-batch.ts';
import { append, openDir, readAll, type OpenDir } from './log-dir.testing.ts';
import type { PartitionLog, Ticket } from './log/partition-log.ts';

const PARTITIONS = 3;
const LIVES = 5;
const config = { 'segment.bytes': 3000 };
/** What needs a descriptor. */
const opening = ['open', 'create', 'readDirectory', 'syncDirectory'] as const;
/** Where it may be refused; the files beside the segments are written out of the reserve, which must be refused with them. */
const refusals = [/chaos-\d\/\d+\.log$/, /chaos-\d\//, /chaos-1\//, /journal/, /data/];

/** The one producer of a partition: each of its batches is one record, whose sequence stands in it. */
interface Producer {
  /** Acknowledged are all below. */
  acknowledged: number;
  next: number;
  readonly underWay: { sequence: number; ticket: Ticket }[];
  /** They stand behind one that was refused, and have to be refused too, whenever that is told. */
  readonly doomed: Ticket[];
}

class Life {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly world: OpenDir;
  readonly logs: readonly PartitionLog[];
  readonly producers: readonly Producer[];
  #refusing: Disposable | undefined;

  constructor(about: Pick<Life, 'seed' | 'random' | 'disk' | 'clock' | 'world' | 'logs' | 'producers'>) {
    ({
      seed: this.seed,
      random: this.random,
      disk: this.disk,
      clock: this.clock,
      world: this.world,
      logs: this.logs,
      producers: this.producers,
    } = about);
  }

  produce(partition: number): void {
    const [log, producer] = [this.logs[partition], this.producers[partition]];
    assert.ok(log && producer);
    const value = `${producer.next}:`.padEnd(10 + this.random.integer(this.random.chance(0.1) ? 5000 : 300), 'x');
    try {
      const header = { producerId: partition, producerEpoch: 0, baseSequence: producer.next, timestamp: this.clock.wallMs() };
      const ticket = append(log, { values: [value], ...header }, 'client');
      assert.equal(ticket.duplicate, false, `seed ${this.seed}: ${log.name} knows sequence ${producer.next} already`);
      producer.underWay.push({ sequence: producer.next, ticket });
      producer.next += 1;
    } catch (thrown) {
      // Refused at once: the disk is known to be full, or what went before it has been refused.
      const name = thrown instanceof KafkaError ? thrown.errorName : String(thrown);
      assert.ok(
        name === 'KAFKA_STORAGE_ERROR' || producer.underWay.length > 0,
        `seed ${this.seed}: ${log.name} refuses: ${String(thrown)}`,
      );
    }
  }

  /** A producer hears of its answers in order, and begins again at the first that was refused. */
  hear(): void {
    for (const [partition, producer] of this.producers.entries()) {
      const log = this.logs[partition];
      for (const ticket of producer.doomed)
        if (ticket.committed.settled)
          assert.notEqual(log?.failureOf(ticket), undefined, `seed ${this.seed}: taken behind what was refused`);
      for (let first = producer.underWay[0]; first?.ticket.committed.settled === true; first = producer.underWay[0]) {
        producer.underWay.shift();
        if (log?.failureOf(first.ticket) === undefined) producer.acknowledged = first.sequence + 1;
        else {
          for (const { ticket } of producer.underWay.splice(0)) producer.doomed.push(ticket);
          producer.next = first.sequence;
        }
      }
    }
  }

  refuse(): void {
    const { random } = this;
    const times = random.chance(0.5) ? { times: 1 + random.integer(3) } : {};
    const isFull = random.chance(0.7);
    this.#refusing ??= this.disk.inject({
      path: random.pick(refusals),
      ...(isFull ? { kinds: ['write'], code: 'ENOSPC', partialBytes: random.integer(200) } : { kinds: opening, code: 'EMFILE' }),
      ...times,
    });
  }

  makeRoom(): void {
    this.#refusing?.[Symbol.dispose]();
    this.#refusing = undefined;
  }

  async turn(): Promise<void> {
    const { random, clock } = this;
    const what = random.next();
    if (what < 0.7) this.produce(random.integer(PARTITIONS));
    else if (what < 0.76) this.refuse();
    else if (what < 0.82) this.makeRoom();
    else if (what < 0.95) await this.world.env.settle();
    else await clock.advanceMs(random.integer(1500));
    this.hear();
    assert.deepEqual(this.world.fatal, [], `seed ${this.seed}`);
  }

  /** In the middle of whatever is under way. */
  async end(): Promise<void> {
    const { random, world, disk, clock } = this;
    const how = random.next();
    if (how < 0.3) world.env.kill(() => random.next());
    else if (how < 0.5) disk.losePower(randomSurvival(random.fork()));
    else {
      const stopping = world.dir.close().then(
        () => true,
        () => false, // there was no room for what a clean stop writes: it ends as a kill does
      );
      if (random.chance(0.5)) this.makeRoom();
      if (!(await clock.until(stopping))) world.env.kill();
      if (random.chance(0.3)) disk.losePower(randomSurvival(random.fork()));
      this.hear();
    }
    this.makeRoom();
    assert.deepEqual(world.fatal, [], `seed ${this.seed}, at the end of a life`);
  }
}

/** What is found after a start: every sequence once and in order, all that were acknowledged among them. */
async function look(seed: number, log: PartitionLog, producer: Producer, told: string): Promise<void> {
  assert.equal(log.refusal, undefined, `seed ${seed}: ${log.name} takes no records: ${told}`);
  const found = (await readAll(log)).map(({ bytes }) => baseSequenceOf(bytes, 0));
  assert.deepEqual(
    found,
    found.map((_, at) => at),
    `seed ${seed}: ${log.name}`,
  );
  assert.ok(found.length >= producer.acknowledged, `seed ${seed}: ${log.name} has ${found.length} of ${producer.acknowledged}: ${told}`);
  // What was not acknowledged may have survived; whoever sends it again is told so.
  producer.acknowledged = found.length;
  producer.next = found.length;
  producer.underWay.length = 0;
  producer.doomed.length = 0;
}

async function live(seed: number): Promise<{ acknowledged: number; refused: number }> {
  const random = new SeededRandom(seed);
  const clock = new FakeClock();
  const latency = random.fork();
  const latencyMs = (): number => (latency.chance(0.3) ? latency.integer(50) : 0);
  const disk = new MemoryDisk({ modelsPowerLoss: true, clock, latencyMs: ({ kind }) => (kind === 'dataSync' ? latencyMs() : 0) });
  const producers = Array.from({ length: PARTITIONS }, (): Producer => ({ acknowledged: 0, next: 0, underWay: [], doomed: [] }));
  let refused = 0;
  for (let nth = 0; nth <= LIVES; nth += 1) {
    const world = await openDir({ disk, clock, seed: seed * 10 + nth, reserveBytes: 64 * 1024 });
    const logs: PartitionLog[] = [];
    for (let partition = 0; partition < PARTITIONS; partition += 1) logs.push(await world.openLog('chaos', partition, config));
    for (const [partition, log] of logs.entries()) {
      const producer = producers[partition];
      assert.ok(producer);
      await clock.until(look(seed, log, producer, world.log.messages().join('; ')));
    }
    const life = new Life({ seed, random, disk, clock, world, logs, producers });
    for (let turn = 20 + random.integer(60); turn > 0; turn -= 1) await life.turn();
    refused += world.log.messages().filter((message) => /refused|full/.test(message)).length;
    await life.end();
  }
  return { acknowledged: producers.reduce((sum, { acknowledged }) => sum + acknowledged, 0), refused };
}

const fresh = process.env['REFUSAL_SEEDS'];
const [first = 1, last = first] = (fresh ?? '1-25').split('-').map(Number);

test('whatever is refused and however the broker ends, what was acknowledged is there, once and in order', async () => {
  const all = { acknowledged: 0, refused: 0 };
  for (let seed = first; seed <= last; seed += 1) {
    const { acknowledged, refused } = await live(seed);
    all.acknowledged += acknowledged;
    all.refused += refused;
  }
  assert.ok((all.acknowledged > 1000 && all.refused > 100) || fresh !== undefined, JSON.stringify(all));
});
