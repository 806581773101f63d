// A consumer as clients write them, for the model of consumer groups: sends heartbeats, lets go slowly or at once, commits, hangs, dies,
// leaves for good or for a while. It knows how long it may believe to own what it was given, and which refusals it has earned.
import type { TestBroker } from '../assemble/broker.testing.ts';
import type { Connection } from '../client/connection.ts';
import { die, live, type ConnectedActor } from './actor-life.testing.ts';
import {
  ConsumerProtocolMember,
  LEAVE_EPOCH,
  LEAVE_FOR_NOW_EPOCH,
  type PartitionKey,
  type Subscription,
} from './consumer-protocol-member.testing.ts';
import { isPassing, type ConsumerWorld, type Owner } from './consumer-world.testing.ts';
import type { ErrorText } from './group-member.testing.ts';

export const SESSION_TIMEOUT_MS = 6000;
export const HEARTBEAT_INTERVAL_MS = 1000;

export interface ActorOptions {
  readonly name: string;
  readonly instanceId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly subscription: Subscription;
}

export class ConsumerActor implements ConnectedActor {
  readonly speaks = 'consumer';
  readonly #world: ConsumerWorld;
  readonly name: string;
  readonly instanceId: string | null;
  readonly member: ConsumerProtocolMember;
  alive = true;
  hangs = false;
  slow = false;
  /** Where it stands in each partition; unknown until it has asked. */
  readonly #positions = new Map<PartitionKey, number>();
  connection: Connection | undefined;
  #heardMs = 0;
  /** Since when it has been asked to let go of something, at the earliest. */
  #askedToLetGoMs = Number.POSITIVE_INFINITY;
  /** Since when answers are missing: what they may have asked for is not known. */
  #unsureMs = Number.POSITIVE_INFINITY;
  /** Answers are missing, or it was refused and is not back yet: the broker may know it in another epoch. */
  #isInDoubt = false;
  /** The broker may have given it up, and has not taken it again since. */
  #wasGone = false;

  constructor(world: ConsumerWorld, { name, instanceId, rebalanceTimeoutMs, subscription }: ActorOptions) {
    this.#world = world;
    this.name = name;
    this.instanceId = instanceId;
    this.member = new ConsumerProtocolMember({ memberId: name, instanceId, rebalanceTimeoutMs, subscription });
  }

  /** Counted from when it sent what the broker is known to have got: the broker counts from later. */
  get goneMs(): number {
    const timeoutMs = this.member.rebalanceTimeoutMs;
    return Math.min(this.#heardMs + SESSION_TIMEOUT_MS, this.#askedToLetGoMs + timeoutMs, this.#unsureMs + timeoutMs);
  }

  get owned(): readonly PartitionKey[] {
    return [...this.member.owned];
  }

  get subscription(): Subscription {
    return this.member.subscription;
  }

  set subscription(subscription: Subscription) {
    this.member.subscription = subscription;
  }

  run(): Promise<void> {
    return live(this.#world, this, (connection, broker) => this.#beat(connection, broker));
  }

  die(): void {
    die(this.#world, this);
  }

  /** Whatever becomes of the request, it does not read any more. */
  async leave(): Promise<void> {
    this.alive = false;
    const world = this.#world;
    const { connection } = this;
    const isSure = !this.#isInDoubt && !this.member.isJoining && world.nowMs < this.goneMs;
    const kept = [...this.member.owned].filter((key) => this.member.target?.includes(key) === true);
    world.letsGoOfAll(this);
    if (this.instanceId !== null) world.unreleased.add(this.instanceId);
    if (connection === undefined) return;
    const forNow = this.instanceId !== null && world.random.chance(0.7);
    const chair: Owner = { name: `the chair of ${this.instanceId}`, goneMs: this.#heardMs + SESSION_TIMEOUT_MS }; // leaving does not prolong it
    if (forNow && isSure) {
      for (const key of kept) world.takes(chair, key);
      world.chairs.set(this.instanceId ?? '', chair);
    }
    try {
      const outcome = await this.member.leave(connection, forNow ? LEAVE_FOR_NOW_EPOCH : LEAVE_EPOCH);
      if (outcome === 'NONE') world.unreleased.delete(this.instanceId ?? '');
      else if (!isPassing(outcome)) {
        // A broker that is slow to hear of it may have given it up, or its chair to the next one, first.
        const isReplaced = outcome === 'FENCED_INSTANCE_ID' && world.latestJoiners.get(this.instanceId ?? '') !== this.name;
        world.refused(this.name, 'to leave', outcome, !isSure || world.nowMs >= this.goneMs || isReplaced);
      }
      if (outcome !== 'NONE') world.letsGoOfAll(chair);
    } catch {
      world.letsGoOfAll(chair); // perhaps it has left, perhaps not
    } finally {
      connection.close();
    }
  }

  // --- one heartbeat, and what comes of it

  async #beat(connection: Connection, broker: TestBroker): Promise<void> {
    const world = this.#world;
    const { member } = this;
    while (this.hangs && this.alive) await world.sleep(500);
    if (!this.alive || world.broker !== broker) return;
    if (world.random.chance(0.5)) await this.#consume(connection);
    if (!this.alive) return; // it left meanwhile
    const sentMs = world.nowMs;
    const stillHolding = member.toLetGo.length > 0;
    const least = member.isJoining ? world.highestEpoch : member.memberEpoch;
    const { isJoining } = member;
    if (isJoining && this.instanceId !== null) world.returns(this.instanceId, this.name);
    let outcome: ErrorText;
    try {
      outcome = await member.send(connection);
    } catch (thrown) {
      this.#unsureMs = Math.min(this.#unsureMs, sentMs);
      this.#isInDoubt = true;
      throw thrown;
    }
    if (!this.alive) return;
    if (outcome === 'NONE') {
      world.toldEpoch(this.name, member.memberEpoch, least);
      this.#accepted(sentMs, stillHolding, isJoining);
      if (!this.slow || member.toLetGo.length === 0) await this.#reconcile(connection);
    } else this.#refused(outcome, isJoining);
    if (!member.hasToAcknowledge || outcome !== 'NONE') await world.sleep(HEARTBEAT_INTERVAL_MS * (0.5 + world.random.next() / 2));
  }

  #accepted(sentMs: number, stillHolding: boolean, joined: boolean): void {
    this.#heardMs = sentMs;
    const askedMs = Math.min(this.#unsureMs, sentMs);
    if (this.member.toLetGo.length === 0) this.#askedToLetGoMs = Number.POSITIVE_INFINITY;
    else this.#askedToLetGoMs = stillHolding ? Math.min(this.#askedToLetGoMs, askedMs) : askedMs;
    this.#unsureMs = Number.POSITIVE_INFINITY;
    this.#isInDoubt = false;
    this.#wasGone = false;
    if (joined && this.instanceId !== null) this.#world.unreleased.delete(this.instanceId);
  }

  #refused(outcome: ErrorText, joined: boolean): void {
    const world = this.#world;
    if (isPassing(outcome)) return;
    const isGone = this.#wasGone || world.nowMs >= this.goneMs;
    const allowed: Partial<Record<string, boolean>> = {
      UNKNOWN_MEMBER_ID: !joined && isGone,
      GROUP_ID_NOT_FOUND: !joined && isGone && world.mixes, // it is a classic group by now
      // An epoch that it was told is never taken back.
      FENCED_MEMBER_EPOCH: this.#isInDoubt && !this.member.refusal.includes('greater member epoch'),
      UNRELEASED_INSTANCE_ID: joined && (this.#isInDoubt || world.unreleased.has(this.instanceId ?? '')),
    };
    world.refused(this.name, joined ? 'to join' : 'a heartbeat', outcome, allowed[String(outcome)] === true);
    world.letsGoOfAll(this);
    this.#positions.clear();
    this.#isInDoubt = true;
    this.#wasGone ||= isGone;
    this.#askedToLetGoMs = Number.POSITIVE_INFINITY;
  }

  /** Commits what it lets go of, lets go, takes what is new, and looks where to begin. */
  async #reconcile(connection: Connection): Promise<void> {
    const { member } = this;
    const world = this.#world;
    for (const key of member.toLetGo) if (this.#positions.has(key)) await this.#commit(connection, key).catch(() => undefined);
    if (!this.alive || this.hangs) return;
    const before = new Set(member.owned);
    member.reconcile();
    for (const key of before) {
      if (member.owned.has(key)) continue;
      world.letsGo(this, key);
      this.#positions.delete(key);
    }
    for (const key of member.owned) if (!before.has(key)) world.takes(this, key);
    if (member.hasToAcknowledge) world.acknowledgements += 1;
  }

  async #findPositions(connection: Connection): Promise<void> {
    const world = this.#world;
    const unknown = [...this.member.owned].filter((key) => !this.#positions.has(key));
    if (unknown.length === 0) return;
    const least = new Map(unknown.map((key) => [key, world.leastOffset(key)]));
    const isGone = world.nowMs >= this.goneMs;
    const offsets = await this.member.offsets(connection, unknown);
    if (!(offsets instanceof Map)) {
      if (!isPassing(offsets)) world.refused(this.name, 'offsets', offsets, this.#mayRefuseEpoch(offsets, isGone));
      return;
    }
    for (const [key, offset] of offsets) {
      world.found(key, offset, least.get(key) ?? -1);
      this.#positions.set(key, Math.max(offset, 0));
    }
  }

  async #consume(connection: Connection): Promise<void> {
    await this.#findPositions(connection);
    for (const key of this.#positions.keys()) {
      while (this.hangs && this.alive) await this.#world.sleep(500); // between deciding and doing
      if (!this.alive) return;
      if (this.#positions.has(key) && this.#world.random.chance(0.4)) await this.#commit(connection, key);
    }
  }

  async #commit(connection: Connection, key: PartitionKey): Promise<void> {
    const world = this.#world;
    const offset = (this.#positions.get(key) ?? 0) + 1 + world.random.integer(3);
    const holder = world.ownerOf(key);
    const isGone = world.nowMs >= this.goneMs;
    const [topic] = [...world.topics.values()].filter(({ topicId }) => key.startsWith(topicId));
    const byName = topic !== undefined && !world.recreates && world.random.chance(0.3);
    world.attempts(key, offset);
    const outcome = await this.member.commit(connection, key, offset, byName ? { name: topic.name } : {});
    if (outcome === 'NONE') {
      if (holder !== undefined && holder !== this)
        world.say(`a commit of ${this.name} for ${key} is taken, which belongs to ${holder.name}`);
      world.acknowledged(key, offset);
      this.#positions.set(key, offset);
    } else if (this.alive && !isPassing(outcome)) {
      const isGoneTopic = !world.exists(key) && (outcome === 'UNKNOWN_TOPIC_ID' || outcome === 'UNKNOWN_TOPIC_OR_PARTITION');
      world.refused(this.name, 'a commit', outcome, isGoneTopic || this.#mayRefuseEpoch(outcome, isGone));
    }
  }

  #mayRefuseEpoch(outcome: ErrorText, isGone: boolean): boolean {
    // Those who speak for a classic group have generations, and no one is known by a member epoch.
    if (isGone && this.#world.mixes && outcome === 'ILLEGAL_GENERATION') return true;
    return (outcome === 'UNKNOWN_MEMBER_ID' && isGone) || (outcome === 'STALE_MEMBER_EPOCH' && this.#isInDoubt);
  }
}
