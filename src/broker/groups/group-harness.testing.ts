// One classic group for tests, without broker, disk or wire: see steps-harness.testing.ts.
import { errorNameOf } from '../../protocol/errors.ts';
import { ClassicGroup } from './classic-group.ts';
import { join, type JoinRequest } from './classic-join.ts';
import type { JoinResponse, SyncResponse } from './classic-member.ts';
import { heartbeat, leave, sync, type LeavingMember } from './classic-session.ts';
import { StepsHarness } from './steps-harness.testing.ts';

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

export class GroupHarness extends StepsHarness {
  constructor(settings: Readonly<Record<string, string>> = {}) {
    super(settings);
    this.state.groups.set(this.groupId, new ClassicGroup(this.groupId, this.wallMs));
  }

  get group(): ClassicGroup {
    return this.state.getClassicGroup(this.groupId);
  }
  get memberIds(): string[] {
    return [...this.group.members.keys()];
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
