// What is known from outside of a consumer group while its members live: who may believe to own a partition, and until when; what
// was committed; which refusals are Kafka's. Every rule that a broker breaks is written down in `wrong`.
import type { TestBroker } from '../assemble/broker.testing.ts';
import type { SeededRandom } from '../base/memory/random.ts';
import type { PartitionKey, Subscription } from './consumer-protocol-member.testing.ts';
import type { ErrorText } from './group-member.testing.ts';

/** Whoever may own partitions: a member, or the empty chair of a static member that left for a while. */
export interface Owner {
  readonly name: string;
  /** The broker may have given it up from then on. */
  readonly goneMs: number;
}

/** Whoever lives in a model of a group, by either protocol. */
export interface Actor extends Owner {
  readonly instanceId: string | null;
  readonly speaks: 'classic' | 'consumer';
  alive: boolean;
  /** Does nothing until it goes on. */
  hangs: boolean;
  /** Lets go of partitions late. */
  slow: boolean;
  subscription: Subscription;
  readonly owned: readonly PartitionKey[];
  run(): Promise<void>;
  /** As a process that is killed. */
  die(): void;
  leave(): Promise<void>;
}

export interface KnownTopic {
  readonly name: string;
  topicId: string;
  partitions: number;
}

export class ConsumerWorld {
  readonly random: SeededRandom;
  broker: TestBroker;
  /** Topics that are there, by name. */
  readonly topics = new Map<string, KnownTopic>();
  /** Instance ids whose last member is not known to have left. */
  readonly unreleased = new Set<string>();
  /** By instance id: members that have left for a while, as owners of what they will come back to. */
  readonly chairs = new Map<string, Owner>();
  /** By instance id: who asked last to join under it. */
  readonly latestJoiners = new Map<string, string>();
  /** Topics may come back under the same name: then a name does not say which is meant. */
  readonly recreates: boolean;
  /** Members of both protocols: a group that is empty in between begins to count anew, as Kafka's does. */
  readonly mixes: boolean;
  readonly wrong: string[] = [];
  readonly #owners = new Map<PartitionKey, Owner>();
  /** The largest offset whose commit was acknowledged, and the largest that was ever asked for. */
  readonly #acknowledged = new Map<PartitionKey, number>();
  readonly #attempted = new Map<PartitionKey, number>();
  /** The highest epoch that any member was told since the group began. */
  #highestEpoch = 0;
  #groupEpochs = { group: 0, assignment: 0 };
  commits = 0;
  acknowledgements = 0;
  refusals = 0;

  constructor(random: SeededRandom, broker: TestBroker, options: { recreates: boolean; mixes: boolean }) {
    this.random = random;
    this.broker = broker;
    this.recreates = options.recreates;
    this.mixes = options.mixes;
  }

  get nowMs(): number {
    return this.broker.env.clock.monotonicMs();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resume) => this.broker.env.clock.timer(ms, resume));
  }

  say(what: string): void {
    this.wrong.push(`at ${this.nowMs}: ${what}`);
  }

  // --- owners

  takes(owner: Owner, key: PartitionKey): void {
    const before = this.ownerOf(key);
    if (before !== undefined && before !== owner) this.say(`${key} belongs to ${before.name} and to ${owner.name}`);
    this.#owners.set(key, owner);
  }

  letsGo(owner: Owner, key: PartitionKey): void {
    if (this.#owners.get(key) === owner) this.#owners.delete(key);
  }

  letsGoOfAll(owner: Owner): void {
    for (const [key, other] of this.#owners) if (other === owner) this.#owners.delete(key);
  }

  /** Somebody joins under this instance id: the chair is taken again, or given away. */
  returns(instanceId: string, name: string): void {
    this.latestJoiners.set(instanceId, name);
    const chair = this.chairs.get(instanceId);
    if (chair !== undefined) this.letsGoOfAll(chair);
    this.chairs.delete(instanceId);
  }

  ownerOf(key: PartitionKey): Owner | undefined {
    const owner = this.#owners.get(key);
    return owner !== undefined && owner.goneMs > this.nowMs ? owner : undefined;
  }

  // --- offsets

  attempts(key: PartitionKey, offset: number): void {
    this.#attempted.set(key, Math.max(this.#attempted.get(key) ?? -1, offset));
  }

  acknowledged(key: PartitionKey, offset: number): void {
    this.#acknowledged.set(key, Math.max(this.#acknowledged.get(key) ?? -1, offset));
    this.commits += 1;
  }

  /** Before it is asked for: whatever is acknowledged by then has to be found. */
  leastOffset(key: PartitionKey): number {
    return this.#acknowledged.get(key) ?? -1;
  }

  found(key: PartitionKey, offset: number, least: number): void {
    if (!this.exists(key)) return; // offsets of a topic go with it
    if (offset < least) this.say(`${key} is at ${offset}, acknowledged was ${least}`);
    if (offset > (this.#attempted.get(key) ?? -1)) this.say(`${key} is at ${offset}, which nobody committed`);
  }

  exists(key: PartitionKey): boolean {
    const [topicId] = key.split(':');
    return [...this.topics.values()].some((topic) => topic.topicId === topicId);
  }

  // --- epochs

  /** Before a request is sent: what it brings is not older. */
  get highestEpoch(): number {
    return this.mixes ? 0 : this.#highestEpoch;
  }

  toldEpoch(name: string, epoch: number, least: number): void {
    if (epoch < least) this.say(`${name} is told epoch ${epoch} after ${least}`);
    this.#highestEpoch = Math.max(this.#highestEpoch, epoch);
  }

  described(epochs: { group: number; assignment: number }, least: number): void {
    const before = this.mixes ? { group: 0, assignment: 0 } : this.#groupEpochs;
    if (epochs.group < Math.max(before.group, least) || epochs.assignment < before.assignment || epochs.assignment > epochs.group)
      this.say(`the group goes from ${JSON.stringify(before)} and told epoch ${least} to ${JSON.stringify(epochs)}`);
    this.#groupEpochs = epochs;
  }

  // --- refusals

  refused(name: string, request: string, outcome: ErrorText, allowed: boolean): void {
    this.refusals += 1;
    if (!allowed) this.say(`${name} is refused ${request}: ${outcome}`);
  }
}

/** A coordinator that starts says so for a while; any client tries again. */
export const isPassing = (outcome: ErrorText): boolean =>
  outcome === 'COORDINATOR_LOAD_IN_PROGRESS' || outcome === 'NOT_COORDINATOR' || outcome === 'COORDINATOR_NOT_AVAILABLE';
