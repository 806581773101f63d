// One classic group for tests, without broker, disk or wire: steps run at once, on a clock that a test moves, and what waits
// for the disk waits until the test says that it has written.
import { resolveBrokerConfig, type BrokerConfig } from '../../config/broker-configs.ts';
import { errorNameOf } from '../../protocol/errors.ts';
import type { Answer } from '../coordinator/shard.ts';
import { ClassicGroup } from './classic-group.ts';
import { join, type JoinRequest } from './classic-join.ts';
import type { JoinResponse, SyncResponse } from './classic-member.ts';
import { expire } from './classic-rebalance.ts';
import { heartbeat, leave, sync, type LeavingMember } from './classic-session.ts';
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord } from './group-records.ts';
import { GroupStep } from './group-step.ts';
import { GroupsState } from './groups-state.ts';

export type Outcome = ReturnType<typeof errorNameOf>;

/** The answer to a request that may be held back: undefined as long as it is. */
export interface Held<Response> {
  answer: Response | undefined;
  readonly error: Outcome;
}

export interface JoinOptions extends Partial<JoinRequest> {
  /** Below 4 a member is let in at once; below 9 nobody is told to skip the assignment. */
  readonly version?: number;
}

const START_WALL_MS = Date.UTC(2024, 0, 1);

export class GroupHarness {
  readonly groupId = 'readers';
  state = new GroupsState();
  nowMs = 0;
  /** Everything appended, as it lies in the log. */
  readonly log: { readonly key: Buffer; readonly value: Buffer | null }[] = [];
  config: BrokerConfig;
  #diskIsSlow = false;
  #waiting: Answer[] = [];
  #ids = 0;

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.config = resolveBrokerConfig({ static: new Map(Object.entries(settings)) });
    this.state.live = true;
    this.state.groups.set(this.groupId, new ClassicGroup(this.groupId, START_WALL_MS));
  }

  get group(): ClassicGroup {
    return this.state.get(this.groupId);
  }
  get wallMs(): number {
    return START_WALL_MS + this.nowMs;
  }
  get memberIds(): string[] {
    return [...this.group.members.keys()];
  }

  /** From now on what must be durable waits. */
  slowDown(): void {
    this.#diskIsSlow = true;
  }

  /** What waited is durable. */
  written(): void {
    this.#diskIsSlow = false;
    for (const answer of this.#waiting.splice(0)) answer.deliver();
  }

  /** Only what lies in the log is left; sessions begin anew. */
  restart(): void {
    this.state = new GroupsState();
    for (const [offset, bytes] of this.log.entries()) {
      const record = decodeGroupRecord(bytes);
      if (record !== undefined) this.state.apply(record, { offset, producerId: -1 });
    }
    this.state.live = true;
    for (const member of this.state.find(this.groupId)?.members.values() ?? []) this.group.heardOf(member, this.nowMs);
  }

  run<Reply>(run: (step: GroupStep, state: GroupsState) => Reply): Reply {
    const step = new GroupStep({
      clockMs: () => this.nowMs,
      wallMs: this.wallMs,
      config: this.config,
      newUuid: () => `${(this.#ids += 1)}`,
      onDeadline: () => undefined,
    });
    const reply = run(step, this.state);
    for (const record of step.records) this.#append(record);
    for (const answer of step.answers) {
      if (answer.transient || !this.#diskIsSlow) answer.deliver();
      else this.#waiting.push(answer);
    }
    return reply;
  }

  #append(record: GroupRecord): void {
    this.state.apply(record, { offset: this.log.length, producerId: -1 });
    this.log.push(encodeGroupRecord(record));
  }

  join(memberId: string, options: JoinOptions = {}): Held<JoinResponse> {
    const { version = 9 } = options;
    const request: JoinRequest = {
      groupId: this.groupId,
      memberId,
      groupInstanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
      requiresKnownMemberId: version >= 4,
      supportsSkippingAssignment: version >= 9,
      ...options,
    };
    return this.#held((waiter) => this.run((step) => join(this.group, request, waiter, step)));
  }

  /** A member with an id of its own, as clients get in: undefined while the round is not over. */
  enter(options: JoinOptions = {}): Held<JoinResponse> & { readonly memberId: string } {
    const first = this.join('', options);
    if (first.error !== 'MEMBER_ID_REQUIRED') return Object.assign(first, { memberId: this.memberIds.at(-1) ?? '' });
    const memberId = first.answer?.memberId ?? '';
    return Object.assign(this.join(memberId, options), { memberId });
  }

  sync(memberId: string, assignments: Readonly<Record<string, string>> = {}, groupInstanceId: string | null = null): Held<SyncResponse> {
    const { generationId, protocolName } = this.group;
    const request = {
      groupId: this.groupId,
      memberId,
      groupInstanceId,
      generationId,
      protocolType: 'consumer',
      protocolName,
      assignments: new Map(Object.entries(assignments).map(([id, text]) => [id, Buffer.from(text)])),
    };
    return this.#held((waiter) => this.run((step) => sync(this.group, request, waiter, step)));
  }

  heartbeat(memberId: string, options: { generationId?: number; groupInstanceId?: string | null } = {}): Outcome {
    const { generationId = this.group.generationId, groupInstanceId = null } = options;
    try {
      return errorNameOf(heartbeat(this.group, { groupId: this.groupId, memberId, groupInstanceId, generationId }, this.nowMs));
    } catch (thrown) {
      return (thrown as { errorName: Outcome }).errorName;
    }
  }

  leave(...leaving: LeavingMember[]): Outcome[] {
    return this.run((step) => leave(this.group, leaving, step)).map(({ errorCode }) => errorNameOf(errorCode));
  }

  /** A group of so many members, stable, each with its own name as its share. */
  form(count: number, options: JoinOptions = {}): string[] {
    const members = Array.from({ length: count }, () => this.enter(options));
    this.advance(this.config['group.initial.rebalance.delay.ms']);
    while (this.group.state === 'PreparingRebalance') this.advance(this.config['group.initial.rebalance.delay.ms']);
    const ids = members.map(({ memberId }) => memberId);
    const shares = Object.fromEntries(ids.map((id) => [id, id]));
    for (const id of ids) this.sync(id, this.group.isLeader(id) ? shares : {});
    return ids;
  }

  /** Moves the clock, and does what comes due on the way. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let wakes = 0; wakes < 100_000; wakes += 1) {
      const group = this.state.find(this.groupId);
      if (group === undefined || group.earliestDeadlineMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, group.earliestDeadlineMs);
      this.run((step) => expire(group, step));
      group.findEarliestDeadline();
    }
    this.nowMs = untilMs;
  }

  #held<Response extends { readonly errorCode: number }>(
    start: (waiter: { resolve(response: Response): void; reject(error: { errorName: Outcome }): void }) => void,
  ): Held<Response> {
    let rejected: Outcome;
    const held = {
      answer: undefined as Response | undefined,
      get error(): Outcome {
        return this.answer === undefined ? rejected : errorNameOf(this.answer.errorCode);
      },
    };
    try {
      start({ resolve: (response) => (held.answer = response), reject: ({ errorName }) => (rejected = errorName) });
    } catch (thrown) {
      rejected = (thrown as { errorName: Outcome }).errorName;
      if (rejected === undefined) throw thrown;
    }
    return held;
  }
}
