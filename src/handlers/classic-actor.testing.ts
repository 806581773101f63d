// A consumer of the classic protocol in the model of groups that mix both: joins, shares out when it leads, commits, hangs, dies. Eager or
// cooperative, as the clients of a group agree on. What it may believe to own ends as soon as the others could have gone on without it.
import type { TestBroker } from '../assemble/broker.testing.ts';
import type { Connection } from '../client/connection.ts';
import { die, live, type ConnectedActor } from './actor-life.testing.ts';
import { ClassicConsumer, type NamedPartition } from './classic-consumer.testing.ts';
import type { ActorOptions } from './consumer-actor.testing.ts';
import { HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS } from './consumer-actor.testing.ts';
import type { PartitionKey, Subscription } from './consumer-protocol-member.testing.ts';
import { isPassing, type ConsumerWorld } from './consumer-world.testing.ts';
import type { ErrorText } from './group-member.testing.ts';

/** Any client joins again after these. */
const rejoins = new Set<unknown>(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']);

export class ClassicActor implements ConnectedActor {
  readonly speaks = 'classic';
  readonly #world: ConsumerWorld;
  readonly name: string;
  readonly instanceId: string | null;
  readonly member: ClassicConsumer;
  #subscription: Subscription = { names: [], regex: null };
  alive = true;
  hangs = false;
  slow = false;
  readonly #positions = new Map<NamedPartition, number>();
  connection: Connection | undefined;
  /** When it sent what the broker is known to have taken as a sign of life, in no round. */
  #heardMs = 0;
  /** Joins are remembered in no record: a broker that starts anew may not know it, nor one that has given up its coordinator. */
  #joinedAt: TestBroker | undefined;

  constructor(world: ConsumerWorld, options: ActorOptions & { readonly cooperative: boolean }) {
    this.#world = world;
    this.name = options.name;
    this.instanceId = options.instanceId;
    this.subscription = options.subscription;
    this.member = new ClassicConsumer({
      instanceId: options.instanceId,
      cooperative: options.cooperative,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs,
    });
  }

  get subscription(): Subscription {
    return this.#subscription;
  }

  /** Expressions are for the other protocol. */
  set subscription({ names }: Subscription) {
    this.#subscription = { names, regex: null };
  }

  get goneMs(): number {
    return this.#heardMs + Math.min(SESSION_TIMEOUT_MS, this.member.rebalanceTimeoutMs);
  }

  get owned(): readonly PartitionKey[] {
    return [...this.member.owned].map((key) => this.#keyOf(key));
  }

  /** Topics keep their ids in a world that mixes protocols. */
  #keyOf(named: NamedPartition): PartitionKey {
    const [name = '', partition = ''] = named.split(':');
    return `${this.#world.topics.get(name)?.topicId ?? name}:${partition}`;
  }

  run(): Promise<void> {
    return live(this.#world, this, (connection, broker) => this.#round(connection, broker));
  }

  die(): void {
    die(this.#world, this);
  }

  /** Static members only stay away. */
  async leave(): Promise<void> {
    this.alive = false;
    this.#world.letsGoOfAll(this);
    const { connection } = this;
    if (connection === undefined) return;
    if (this.instanceId === null) await this.member.leave(connection).catch(() => undefined);
    else this.#world.unreleased.add(this.instanceId);
    connection.close();
  }

  // --- rounds

  async #round(connection: Connection, broker: TestBroker): Promise<void> {
    const world = this.#world;
    const { member } = this;
    await this.#goesOn();
    if (!this.alive || world.broker !== broker) return;
    const { names } = this.subscription;
    member.topics = names;
    if (!member.cooperative) this.#losesAll();
    if (this.instanceId !== null) world.returns(this.instanceId, this.name);
    const joined = await member.join(connection);
    if (!this.alive) return;
    if (joined !== 'NONE') return this.#triesAgain('to join', joined);
    this.#joinedAt = broker;
    if (this.instanceId !== null) world.unreleased.delete(this.instanceId);
    await this.#goesOn();
    const sentMs = world.nowMs;
    const counts = new Map([...world.topics.values()].map(({ name, partitions }) => [name, partitions]));
    const synced = await member.sync(connection, counts);
    if (!this.alive) return;
    if (synced !== 'NONE') return this.#triesAgain('to sync', synced);
    this.#heardMs = sentMs;
    if (this.#take()) return; // a cooperative one that has let go says so with another round
    while (this.alive && world.broker === broker && this.subscription.names === names) {
      if (member.isLeader && [...world.topics.values()].some(({ name, partitions }) => counts.get(name) !== partitions)) return;
      if (!(await this.#beat(connection))) return;
    }
  }

  async #goesOn(): Promise<void> {
    while ((this.hangs || (this.slow && this.#world.random.chance(0.5))) && this.alive) await this.#world.sleep(500);
  }

  /** True when it has let go of something. */
  #take(): boolean {
    const world = this.#world;
    const before = new Set(this.member.owned);
    this.member.take();
    const after = this.member.owned;
    for (const key of before) {
      if (after.has(key)) continue;
      world.letsGo(this, this.#keyOf(key));
      this.#positions.delete(key);
    }
    for (const key of after) if (!before.has(key)) world.takes(this, this.#keyOf(key));
    world.acknowledgements += 1;
    return [...before].some((key) => !after.has(key));
  }

  #losesAll(): void {
    this.#world.letsGoOfAll(this);
    this.member.owned.clear();
    this.#positions.clear();
  }

  /** False when it has to join again. */
  async #beat(connection: Connection): Promise<boolean> {
    const world = this.#world;
    await world.sleep(HEARTBEAT_INTERVAL_MS * (0.5 + world.random.next() / 2));
    await this.#goesOn();
    if (!this.alive) return false;
    for (const key of this.member.owned) if (world.random.chance(0.3) && !(await this.#commit(connection, key))) return false;
    const sentMs = world.nowMs;
    const outcome = await this.member.heartbeat(connection);
    if (!this.alive) return false;
    if (outcome === 'NONE') {
      this.#heardMs = sentMs;
      return true;
    }
    if (this.#isPassing(outcome)) return true;
    this.#refused('a heartbeat', outcome);
    return false;
  }

  /** The disk had no room for a record of the group: whoever coordinates it next knows what is in records, and no more. */
  #isPassing(outcome: ErrorText): boolean {
    if (!isPassing(outcome)) return false;
    this.#joinedAt = undefined;
    return true;
  }

  async #triesAgain(request: string, outcome: ErrorText): Promise<void> {
    this.#refused(request, outcome);
    await this.#world.sleep(100);
  }

  #refused(request: string, outcome: ErrorText): void {
    const world = this.#world;
    if (this.#isPassing(outcome) || outcome === 'REBALANCE_IN_PROGRESS') return;
    const mayBeGone = world.nowMs >= this.goneMs || this.#joinedAt !== world.broker;
    // What no record holds is forgotten: then the chair belongs to whoever had it before, and a client gives up, and is started again.
    const isForgotten = outcome === 'FENCED_INSTANCE_ID' && this.#joinedAt !== world.broker;
    const allowed = outcome === 'ILLEGAL_GENERATION' || (outcome === 'UNKNOWN_MEMBER_ID' && mayBeGone) || isForgotten;
    world.refused(this.name, request, outcome, allowed);
    this.#losesAll();
    this.member.lose();
    if (outcome === 'UNKNOWN_MEMBER_ID' || isForgotten) this.member.memberId = '';
  }

  /** False when it has to join again. It does not ask where to begin: it goes on above all that is known to be committed. */
  async #commit(connection: Connection, named: NamedPartition): Promise<boolean> {
    const world = this.#world;
    const key = this.#keyOf(named);
    const offset = Math.max(this.#positions.get(named) ?? 0, world.leastOffset(key), 0) + 1 + world.random.integer(3);
    const holder = world.ownerOf(key);
    const mayBeGone = world.nowMs >= this.goneMs || this.#joinedAt !== world.broker;
    world.attempts(key, offset);
    const outcome = await this.member.commit(connection, named, offset);
    if (outcome === 'NONE') {
      if (holder !== undefined && holder !== this)
        world.say(`a commit of ${this.name} for ${key} is taken, which belongs to ${holder.name}`);
      world.acknowledged(key, offset);
      this.#positions.set(named, offset);
    } else if (this.alive && !this.#isPassing(outcome) && !rejoins.has(outcome)) {
      world.refused(this.name, 'a commit', outcome, outcome === 'UNKNOWN_MEMBER_ID' && mayBeGone);
    }
    return outcome === 'NONE' || isPassing(outcome);
  }
}
