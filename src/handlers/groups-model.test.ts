// Members that come, go, hang and fall silent, over a broker that is killed and loses power, from a seed. Whatever happens:
// no partition has two owners in one generation, no acknowledged commit is lost, no committed offset goes back, and when it
// is quiet every partition has an owner.
// Fresh seeds: CLASSIC_GROUP_SEEDS=1000-1200 node --test src/handlers/groups-model.test.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker } from '../assemble/broker.testing.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { randomSurvival } from '../base/memory/power-loss.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { makeTopic, TestMember } from './group-member.testing.ts';

const TOPIC = 'orders';
const PARTITIONS = 6;
const settings = {
  'offsets.topic.num.partitions': '2',
  'group.initial.rebalance.delay.ms': '500',
};

class World {
  readonly random: SeededRandom;
  broker: TestBroker;
  /** By generation and partition: the member that was given it. */
  readonly owners = new Map<string, string>();
  /** By partition: the largest offset whose commit was acknowledged, and the largest that was ever asked for. */
  readonly acknowledged: number[] = Array.from({ length: PARTITIONS }, () => -1);
  readonly attempted: number[] = Array.from({ length: PARTITIONS }, () => -1);
  readonly wrong: string[] = [];
  commits = 0;
  rounds = 0;

  constructor(random: SeededRandom, broker: TestBroker) {
    this.random = random;
    this.broker = broker;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resume) => this.broker.env.clock.timer(ms, resume));
  }

  gave(generationId: number, partition: number, memberId: string): void {
    const key = `${generationId}/${partition}`;
    const owner = this.owners.get(key);
    if (owner !== undefined && owner !== memberId) this.wrong.push(`${key} belongs to ${owner} and to ${memberId}`);
    this.owners.set(key, memberId);
  }

  found(partition: number, offset: number): void {
    if (offset < (this.acknowledged[partition] ?? -1))
      this.wrong.push(`partition ${partition} is at ${offset}, acknowledged was ${this.acknowledged[partition]}`);
    if (offset > (this.attempted[partition] ?? -1)) this.wrong.push(`partition ${partition} is at ${offset}, which nobody committed`);
  }
}

/** A consumer as clients write them: joins, reads where the group stands, commits and sends heartbeats, and joins again. */
class Actor {
  readonly #world: World;
  readonly instanceId: string | null;
  member: TestMember | undefined;
  owned = new Map<number, number>();
  alive = true;
  hangs = false;

  constructor(world: World, instanceId: string | null) {
    this.#world = world;
    this.instanceId = instanceId;
  }

  async run(): Promise<void> {
    let memberId = '';
    while (this.alive) {
      try {
        const { broker, random } = this.#world;
        const member = await TestMember.connect(broker, {
          instanceId: this.instanceId,
          sessionTimeoutMs: 6000,
          rebalanceTimeoutMs: random.pick([2000, 5000, 10_000]),
        });
        member.memberId = memberId;
        this.member = member;
        for (let goesOn = true; goesOn && this.alive && this.#world.broker === broker;) {
          goesOn = await this.#round(member);
          memberId = member.memberId;
        }
      } catch {
        // The broker was killed, or stopped: as any client, it tries again.
      }
      this.owned.clear();
      await this.#world.sleep(200);
    }
  }

  /** One generation, to its end. False when the member has to begin anew. */
  async #round(member: TestMember): Promise<boolean> {
    this.owned.clear();
    const joined = await member.join();
    if (joined !== 'NONE') {
      if (joined === 'UNKNOWN_MEMBER_ID' || joined === 'FENCED_INSTANCE_ID') member.memberId = '';
      await this.#world.sleep(100);
      return joined !== 'FENCED_INSTANCE_ID';
    }
    const share = await member.sync(member.isLeader && member.joined?.skipAssignment === false ? this.#assign(member) : {});
    if (!/^(\d(,\d)*)?$/.test(share)) return true; // an error: it joins again
    const partitions = share === '' ? [] : share.split(',').map(Number);
    for (const partition of partitions) this.#world.gave(member.generationId, partition, member.instanceId ?? member.memberId);
    const offsets = partitions.length === 0 ? [] : await member.offsets(TOPIC, PARTITIONS);
    for (const partition of partitions) {
      const offset = offsets[partition] ?? -1;
      this.#world.found(partition, offset);
      this.owned.set(partition, Math.max(offset, 0));
    }
    this.#world.rounds += 1;
    return this.#consume(member);
  }

  #assign(member: TestMember): Record<string, string> {
    const ids = member.joined?.members.map(({ memberId }) => memberId) ?? [];
    const shares = ids.map((): number[] => []);
    for (let partition = 0; partition < PARTITIONS; partition += 1) shares[partition % ids.length]?.push(partition);
    return Object.fromEntries(ids.map((id, at) => [id, (shares[at] ?? []).join(',')]));
  }

  async #consume(member: TestMember): Promise<boolean> {
    const { random } = this.#world;
    while (this.alive) {
      await this.#world.sleep(200 + random.integer(800));
      while (this.hangs) await this.#world.sleep(500);
      for (const [partition, at] of this.owned) {
        if (!random.chance(0.5)) continue;
        const outcome = await this.#commit(member, partition, at + 1 + random.integer(3));
        if (outcome === 'REBALANCE_IN_PROGRESS') return true;
        if (outcome !== 'NONE') break;
      }
      const heard = await member.heartbeat();
      if (heard === 'NONE') continue;
      if (heard === 'UNKNOWN_MEMBER_ID' || heard === 'FENCED_INSTANCE_ID') member.memberId = '';
      return heard !== 'FENCED_INSTANCE_ID';
    }
    return false;
  }

  async #commit(member: TestMember, partition: number, offset: number): Promise<unknown> {
    const { attempted, acknowledged } = this.#world;
    attempted[partition] = Math.max(attempted[partition] ?? -1, offset);
    const outcome = await member.commit(TOPIC, partition, offset);
    if (outcome !== 'NONE') return outcome;
    acknowledged[partition] = Math.max(acknowledged[partition] ?? -1, offset);
    this.owned.set(partition, offset);
    this.#world.commits += 1;
    return outcome;
  }
}

async function live(seed: number): Promise<World> {
  const random = new SeededRandom(seed);
  const latency = random.fork();
  const usualMs = latency.pick([10, 100, 1000]);
  const clock = new FakeClock();
  const disk = new MemoryDisk({
    modelsPowerLoss: true,
    clock,
    latencyMs: ({ kind }) => (kind === 'dataSync' && latency.chance(0.5) ? latency.integer(latency.chance(0.02) ? 8000 : usualMs) : 0),
  });
  const world = new World(random, await startTestBroker({ settings, disk, clock, seed }));
  await makeTopic(world.broker, TOPIC, PARTITIONS);
  const actors: Actor[] = [];
  const running: Promise<void>[] = [];
  const enter = (): void => {
    // One that left, or was killed, may come back under the same name; two at a time would only fence each other.
    const instanceId = random.chance(0.3) ? `instance ${random.integer(3)}` : null;
    const taken = actors.some((actor) => actor.alive && actor.instanceId === instanceId);
    const actor = new Actor(world, taken ? null : instanceId);
    actors.push(actor);
    running.push(actor.run());
  };
  enter();
  enter();
  for (let turn = 0; turn < 60; turn += 1) {
    const living = actors.filter(({ alive }) => alive);
    const what = random.next();
    if (what < 0.15 && living.length < 5) enter();
    else if (what < 0.25 && living.length > 1) {
      const going = random.pick(living);
      going.alive = false;
      if (random.chance(0.5)) void going.member?.leave().catch(() => undefined);
      else going.member?.close();
    } else if (what < 0.35) random.pick(living).hangs = true;
    else if (what < 0.5) for (const actor of living) actor.hangs = false;
    else if (what < 0.6) world.broker = await world.broker.crash(random.chance(0.5) ? {} : { survives: randomSurvival(random.fork()) });
    else if (what < 0.62) world.broker = await world.broker.restart();
    await world.broker.env.clock.advanceMs(random.integer(3000));
    assert.deepEqual(world.wrong, [], `seed ${seed}, turn ${turn}`);
  }
  for (const actor of actors) actor.hangs = false;
  await world.broker.env.clock.advanceMs(90_000);
  assert.deepEqual(world.wrong, [], `seed ${seed}, at the end`);
  const owned = actors.filter(({ alive }) => alive).flatMap((actor) => [...actor.owned.keys()]);
  assert.deepEqual(
    owned.sort((left, right) => left - right),
    Array.from({ length: PARTITIONS }, (_, at) => at),
    `seed ${seed}: every partition has one owner`,
  );
  assert.deepEqual(world.broker.failures, []);
  for (const actor of actors) {
    actor.alive = false;
    actor.member?.close();
  }
  await world.broker.env.clock.until(Promise.all(running));
  await world.broker.stop();
  return world;
}

const fresh = process.env['CLASSIC_GROUP_SEEDS'];
const [firstSeed = 1, lastSeed = firstSeed] = (fresh ?? '1-6').split('-').map(Number);

for (let seed = firstSeed; seed <= lastSeed; seed += 1) {
  test(`a life of members and of their broker, seed ${seed}`, async () => {
    const world = await live(seed);
    const much = world.commits > 20 && world.rounds > 5;
    assert.ok(much || fresh !== undefined, `${world.commits} commits in ${world.rounds} rounds`);
  });
}
