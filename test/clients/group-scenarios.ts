// The checks of groups whose members come and go, written once over members that are processes (member.ts), for both
// protocols. What is asked: every record is read once, by the member that owns its partition, whoever that is by then.
import assert from 'node:assert/strict';
import { recordsFrom } from './data.ts';
import type { Driver } from './driver.ts';
import { MemberProcess, type MemberOptions } from './member.ts';
import type { Scene } from './scenarios.ts';

type How = Pick<MemberOptions, 'protocol' | 'assignor'>;

const partitions = [0, 1, 2, 3];
/** Long: who takes over before it has ended was told so, and did not wait for it. */
const longSessionMs = 60_000;
/** The least that a broker allows unless told otherwise. */
const shortSessionMs = 6_000;

class Member extends MemberProcess {
  /** Every assignment it had, in order. */
  readonly history: (readonly number[])[] = [];

  constructor(name: string, driver: Driver, options: MemberOptions, readers: Readers) {
    const command = driver.member(options);
    super(name, command, {
      assigned: (owned) => {
        this.history.push(owned);
        readers.changed();
      },
      read: (partition, offset) => readers.read(name, partition, offset),
      committed: (partition, offset) => readers.committed(partition, offset),
      failed: (how) => readers.failed(`${name} ${how}`),
    });
    if (command.tellsCommits === false) readers.commitsUnseen = true;
  }
}

/** Who read what, whoever said it, and a way to wait for the next thing said. */
class Readers {
  readonly #by = new Map<string, string>();
  readonly #committed: number[] = [];
  readonly #failure = Promise.withResolvers<never>();
  #next = Promise.withResolvers<void>();
  twice: string | undefined;
  commitsUnseen = false;

  constructor() {
    this.#failure.promise.catch(() => undefined); // it may come when nobody waits any more
  }

  changed(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  failed(why: string): void {
    this.#failure.reject(new Error(why));
  }

  read(member: string, partition: number, offset: number): void {
    const record = `${partition}/${offset}`;
    const before = this.#by.get(record);
    if (before !== undefined) this.twice ??= `${record} was read by ${before} and by ${member}`;
    this.#by.set(record, member);
    this.changed();
  }

  committed(partition: number, offset: number): void {
    this.#committed[partition] = offset;
    this.changed();
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`after 20 s still not: ${what}; ${this.#by.size} records were read`)), 20_000);
    try {
      while (!holds()) await Promise.race([this.#next.promise, this.#failure.promise, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** All partitions up to the offset (exclusive), each record once, and committed. */
  async untilRead(end: number): Promise<void> {
    await this.until(`${end} records of each partition`, () => this.#by.size >= end * partitions.length);
    if (this.commitsUnseen) await new Promise((resolve) => setTimeout(resolve, 500)); // it commits five times in that time
    else await this.until(`${end} committed`, () => partitions.every((partition) => this.#committed[partition] === end));
    assert.equal(this.twice, undefined);
    assert.equal(this.#by.size, end * partitions.length, 'records that nobody has sent were read');
  }

  /** Those from the offset on, by partition, must have been read by its owner. */
  assertOwners(members: readonly Member[], from: number): void {
    for (const [record, name] of this.#by) {
      const [partition = -1, offset = -1] = record.split('/').map(Number);
      const owner = members.find(({ assigned }) => assigned.includes(partition));
      if (offset >= from) assert.equal(name, owner?.name, `who read ${record}`);
    }
  }
}

class Group {
  readonly readers = new Readers();
  readonly #scene: Scene;
  readonly #how: How;
  readonly #topic: string;
  readonly #all: Member[] = [];
  #sent = 0;

  constructor(scene: Scene, how: How) {
    this.#scene = scene;
    this.#how = how;
    this.#topic = scene.topic();
  }

  async begin(): Promise<void> {
    await this.#scene.driver.createTopic(this.#topic, { partitions: partitions.length });
  }

  join(name: string, options: Pick<MemberOptions, 'instanceId' | 'sessionTimeoutMs'> = {}): Member {
    const { driver, topic, brokers } = this.#scene;
    const where = { brokers, group: topic('group'), topic: this.#topic };
    const member = new Member(name, driver, { ...where, sessionTimeoutMs: longSessionMs, ...this.#how, ...options }, this.readers);
    this.#all.push(member);
    return member;
  }

  /** So many more records to each partition, all read and committed by whoever owns it. */
  async move(count: number, owners: readonly Member[]): Promise<void> {
    const from = this.#sent;
    for (const partition of partitions) await this.#scene.driver.produce(this.#topic, partition, recordsFrom(from, count));
    this.#sent += count;
    await this.readers.untilRead(this.#sent);
    this.readers.assertOwners(owners, from);
  }

  /** They own all of it between them, none of it twice, and each as much as the other. */
  async untilShared(members: readonly Member[]): Promise<void> {
    const names = members.map(({ name }) => name).join(' and ');
    await this.readers.until(`${names} share the partitions`, () => {
      const all = members.flatMap(({ assigned }) => assigned).sort((one, other) => one - other);
      return String(all) === String(partitions) && members.every(({ assigned }) => assigned.length === partitions.length / members.length);
    });
  }

  async leave(member: Member): Promise<void> {
    assert.equal(await member.leave(), undefined);
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((member) => member.kill()));
  }
}

const inGroup =
  (how: How, play: (group: Group) => Promise<void>) =>
  async (scene: Scene): Promise<void> => {
    const group = new Group(scene, how);
    try {
      await group.begin();
      await play(group);
    } finally {
      await group.end();
    }
  };

/** One is alone, one more comes, the first goes: three owners of the same partitions, and no record is read twice. */
export const leaves = (how: How) =>
  inGroup(how, async (group) => {
    const first = group.join('the first');
    await group.untilShared([first]);
    await group.move(50, [first]);
    const second = group.join('the second');
    await group.untilShared([first, second]);
    await group.move(50, [first, second]);
    await group.leave(first);
    await group.untilShared([second]);
    await group.move(20, [second]);
    await group.leave(second);
    const third = group.join('the third');
    await group.untilShared([third]);
    await group.move(20, [third]);
  });

export const dies = (how: How) =>
  inGroup(how, async (group) => {
    const [dying, other] = [group.join('the one that dies', { sessionTimeoutMs: shortSessionMs }), group.join('the other')];
    await group.untilShared([dying, other]);
    await group.move(50, [dying, other]);
    await dying.kill();
    await group.untilShared([other]);
    await group.move(20, [other]);
  });

/**
 * By the classic protocol whoever comes with the instance id takes the place of the one before, dead or alive. By the
 * consumer protocol the place is free when its member has said that it will be back; that is what a static member says as it leaves.
 * (One that commits as it leaves has to leave by either.)
 */
export const staticMember = (how: How) =>
  inGroup(how, async (group) => {
    const stays = group.join('the one that stays', { instanceId: 'stays' });
    const leaves = group.join('the one that leaves', { instanceId: 'leaves' });
    await group.untilShared([stays, leaves]);
    await group.move(20, [stays, leaves]);
    const [had, changes] = [leaves.assigned, stays.history.length];
    if (how.protocol === 'consumer' || group.readers.commitsUnseen) await group.leave(leaves);
    else await leaves.kill();
    const again = group.join('the one that came back', { instanceId: 'leaves' });
    await group.untilShared([stays, again]);
    await group.move(20, [stays, again]);
    assert.deepEqual(again.assigned, had, 'what it owns again');
    assert.equal(stays.history.length, changes, `the other was disturbed: ${JSON.stringify(stays.history)}`);
  });

/** Nothing that a member goes on with is taken from it on the way. */
export const cooperates = (how: How) =>
  inGroup(how, async (group) => {
    const first = group.join('the first');
    await group.untilShared([first]);
    await group.move(20, [first]);
    const before = first.history.length;
    const second = group.join('the second');
    await group.untilShared([first, second]);
    await group.move(20, [first, second]);
    const kept = first.assigned;
    for (const owned of first.history.slice(before))
      assert.ok(
        kept.every((partition) => owned.includes(partition)),
        `it kept ${kept.join()} and owned ${owned.join() || 'nothing'} on the way`,
      );
  });
