// Members of a consumer group (KIP-848) that come, go, hang, hold on and die, topics that come, grow and go, over a broker that is
// killed, loses power and finds its disk full, from a seed. Whatever happens: no partition has two owners, no epoch goes back, no
// acknowledged commit is lost, no offset goes back, every refusal is one of Kafka's, and when it is quiet every partition has one owner.
// Fresh seeds: CONSUMER_GROUP_SEEDS=1000-1200 node --test src/handlers/consumer-groups-model.test.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker } from '../assemble/broker.testing.ts';
import { FakeClock } from '../base/memory/clock.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { randomSurvival } from '../base/memory/power-loss.ts';
import { SeededRandom } from '../base/memory/random.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../protocol/messages/consumer-group-describe.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../protocol/messages/create-partitions.ts';
import { ClassicActor } from './classic-actor.testing.ts';
import { ConsumerActor, HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS } from './consumer-actor.testing.ts';
import type { PartitionKey, Subscription } from './consumer-protocol-member.testing.ts';
import { ConsumerWorld, type Actor } from './consumer-world.testing.ts';
import { createTopics, deleteTopics } from './topic-admin.testing.ts';

const settings = {
  'offsets.topic.num.partitions': '2',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': String(SESSION_TIMEOUT_MS),
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.consumer.heartbeat.interval.ms': String(HEARTBEAT_INTERVAL_MS),
};
const topicNames = ['orders', 'order-lines', 'bills', 'users'];
const regexes = ['order.*', '[a-z-]*s', 'b.*|u.*', 'nothing'];
const describeGroup = { request: consumerGroupDescribeRequest, response: consumerGroupDescribeResponse };

function anySubscription(random: SeededRandom): Subscription {
  const names = topicNames.filter(() => random.chance(0.4));
  const regex = random.chance(0.3) ? random.pick(regexes) : null;
  return names.length === 0 && regex === null ? { names: [random.pick(topicNames)], regex } : { names, regex };
}

const subscribes = ({ names, regex }: Subscription, topic: string): boolean =>
  names.includes(topic) || (regex !== null && new RegExp(`^(?:${regex})$`).test(topic));

class Life {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly world: ConsumerWorld;
  readonly actors: Actor[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #isCooperative: boolean;
  /** While the disk has no room for records of groups. */
  #full: Disposable | undefined;
  #roomMs = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(seed: number, random: SeededRandom, world: ConsumerWorld) {
    this.seed = seed;
    this.random = random;
    this.world = world;
    this.#isCooperative = world.mixes && random.chance(0.5);
  }

  static async begin(seed: number, { mixes }: { mixes: boolean }): Promise<Life> {
    const random = new SeededRandom(seed);
    const latency = random.fork();
    const usualMs = latency.pick([0, 10, 100, 500]);
    const clock = new FakeClock();
    const disk = new MemoryDisk({
      modelsPowerLoss: true,
      clock,
      latencyMs: ({ kind }) => (kind === 'dataSync' && latency.chance(0.5) ? latency.integer(latency.chance(0.02) ? 8000 : usualMs) : 0),
    });
    const broker = await startTestBroker({ settings, disk, clock, seed });
    return new Life(seed, random, new ConsumerWorld(random, broker, { recreates: !mixes && random.chance(0.5), mixes }));
  }

  get living(): Actor[] {
    return this.actors.filter(({ alive }) => alive);
  }

  enter(): void {
    const { random, world } = this;
    // One that left, or died, may come back under the same name; two at a time would only fence each other.
    const instanceId = random.chance(0.4) ? `instance-${random.integer(3)}` : null;
    const isTaken = this.living.some((actor) => actor.instanceId === instanceId);
    this.#count += 1;
    const options = {
      name: `member-${this.#count}`,
      instanceId: isTaken ? null : instanceId,
      rebalanceTimeoutMs: random.pick([2000, 5000, 10_000]),
      subscription: anySubscription(random),
    };
    const speaksClassic = world.mixes && random.chance(0.5);
    const actor = speaksClassic
      ? new ClassicActor(world, { ...options, cooperative: this.#isCooperative })
      : new ConsumerActor(world, options);
    this.actors.push(actor);
    this.#running.push(actor.run());
  }

  // --- topics

  until<T>(work: Promise<T>): Promise<T> {
    return this.world.broker.env.clock.until(work);
  }

  async createTopic(): Promise<void> {
    const { world, random } = this;
    const name = random.pick(topicNames);
    if (world.topics.has(name) || !this.takesTopics) return;
    const [topic] = await this.until(createTopics(world.broker, [{ name, partitions: 1 + random.integer(4) }]));
    if (topic !== undefined && this.#isDone(topic.errorCode))
      world.topics.set(name, { name, topicId: topic.topicId, partitions: topic.numPartitions });
  }

  async growTopic(): Promise<void> {
    const { world, random } = this;
    const topic = random.pick([...world.topics.values(), undefined]);
    if (topic === undefined || topic.partitions > 8 || !this.takesTopics) return;
    const count = topic.partitions + 1 + random.integer(2);
    const request = { topics: [{ name: topic.name, count, assignments: null }], timeoutMs: 1000, validateOnly: false };
    const { results } = await this.until(
      world.broker.client.request({ request: createPartitionsRequest, response: createPartitionsResponse }, 3, request),
    );
    if (this.#isDone(results[0]?.errorCode)) topic.partitions = count;
  }

  async deleteTopic(): Promise<void> {
    const { world, random } = this;
    const topic = random.pick([...world.topics.values(), undefined]);
    if (topic === undefined || !world.recreates || !this.takesTopics) return;
    world.topics.delete(topic.name);
    const [answer] = await this.until(deleteTopics(world.broker, [topic.name]));
    if (!this.#isDone(answer?.errorCode)) world.topics.set(topic.name, topic);
  }

  /** A disk that has refused room which it said it had is looked at once in a minute at the least. */
  #isDone(errorCode: number | undefined): boolean {
    const outcome = errorNameOf(errorCode ?? -1);
    if (outcome === 'KAFKA_STORAGE_ERROR' && this.world.nowMs < this.#roomMs + 70_000) return false;
    assert.equal(outcome, 'NONE', `seed ${this.seed}`);
    return true;
  }

  // --- what can happen in a turn

  async turn(): Promise<void> {
    const { random, world, living } = this;
    const what = random.next();
    if (random.chance(0.2) || (what >= 0.75 && what < 0.82)) this.makeRoom(); // as late as a start
    if (what < 0.15 && living.length < 5) this.enter();
    else if (what < 0.25 && living.length > 1) {
      const going = random.pick(living);
      if (random.chance(0.6)) void going.leave();
      else going.die();
    } else if (what < 0.33) random.pick(living).hangs = true;
    else if (what < 0.42) for (const actor of living) actor.hangs = false;
    else if (what < 0.5) for (const actor of living) actor.slow = random.chance(0.3);
    else if (what < 0.6) random.pick(living).subscription = anySubscription(random);
    else if (what < 0.66) await this.createTopic();
    else if (what < 0.7) await this.growTopic();
    else if (what < 0.73) await this.deleteTopic();
    else if (what < 0.75) this.fillDisk();
    else if (what < 0.8) world.broker = await world.broker.crash(random.chance(0.5) ? {} : { survives: randomSurvival(random.fork()) });
    else if (what < 0.82) world.broker = await world.broker.restart();
    else if (what < 0.9) await this.describe();
    await world.broker.env.clock.advanceMs(random.integer(3000));
    assert.deepEqual(world.broker.failures, [], `seed ${this.seed}`);
    assert.deepEqual(world.wrong, [], `seed ${this.seed}`);
  }

  fillDisk(): void {
    this.#full ??= this.world.broker.env.disk.inject({ kinds: ['write'], path: /__consumer_offsets/, code: 'ENOSPC' });
  }

  makeRoom(): void {
    if (this.#full === undefined) return;
    this.#full[Symbol.dispose]();
    this.#full = undefined;
    this.#roomMs = this.world.nowMs;
  }

  /** The broker looks for room once in a second, and takes nothing for topics until it has found some. */
  get takesTopics(): boolean {
    return this.#full === undefined && this.world.nowMs >= this.#roomMs + 5000;
  }

  async describe() {
    const { world } = this;
    const least = world.highestEpoch;
    const asked = { groupIds: ['readers'], includeAuthorizedOperations: false };
    const answer = await this.until(world.broker.client.request(describeGroup, 1, asked));
    const [group] = answer.groups;
    if (group?.errorCode === 0) world.described({ group: group.groupEpoch, assignment: group.assignmentEpoch }, least);
    return group;
  }

  // --- the end

  async quiet(): Promise<void> {
    const { world } = this;
    this.makeRoom();
    for (const actor of this.living) {
      actor.hangs = false;
      actor.slow = false;
    }
    await world.broker.env.clock.advanceMs(120_000);
    assert.deepEqual(world.wrong, [], `seed ${this.seed}, at the end`);
    const owners = new Map<PartitionKey, string[]>();
    for (const { topicId, name, partitions } of world.topics.values())
      if (this.living.some(({ subscription }) => subscribes(subscription, name)))
        for (let partition = 0; partition < partitions; partition += 1) owners.set(`${topicId}:${partition}`, []);
    for (const { owned, name } of this.living) for (const key of owned) owners.set(key, [...(owners.get(key) ?? ['(nobody may) ']), name]);
    for (const [key, names] of owners) assert.equal(names.length, 1, `seed ${this.seed}: ${key} belongs to ${names.join() || 'nobody'}`);
    if (!this.living.some(({ speaks }) => speaks === 'consumer')) return;
    const group = await this.describe();
    assert.equal(group?.groupState, 'Stable', `seed ${this.seed}`);
    assert.equal(group.members.length, this.living.length);
  }

  async end(): Promise<void> {
    const { world } = this;
    assert.deepEqual(world.broker.failures, []);
    for (const actor of this.living) actor.die();
    await this.until(Promise.all(this.#running));
    await world.broker.stop();
  }
}

async function live(seed: number, options: { mixes: boolean }): Promise<ConsumerWorld> {
  const life = await Life.begin(seed, options);
  await life.createTopic();
  life.enter();
  life.enter();
  for (let turn = 0; turn < 80; turn += 1) await life.turn();
  await life.quiet();
  await life.end();
  return life.world;
}

function seedsOf(range: string): number[] {
  const [first = 1, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

const fresh = process.env['CONSUMER_GROUP_SEEDS'];

for (const seed of seedsOf(fresh ?? '1-3')) {
  for (const mixes of [false, true]) {
    test(`a life of members${mixes ? ' of both protocols' : ''}, their topics and their broker, seed ${seed}`, async () => {
      const world = await live(seed, { mixes });
      const much = world.commits > 20 && world.acknowledgements > 10;
      assert.ok(much || fresh !== undefined, `${world.commits} commits, ${world.acknowledgements} acknowledgements`);
    });
  }
}
