// What a step on a group is given (the times, the settings, the topics, fresh ids) and what it gathers: records to append,
// answers for those who wait, and what is to be noted once the records are applied. The shard appends, applies and delivers;
// a step does nothing of the kind itself.
import type { BrokerConfig } from '../../config/broker-configs.ts';
import type { GroupConfig } from '../../config/group-configs.ts';
import type { KafkaError } from '../../protocol/errors.ts';
import type { Answer } from '../coordinator/shard.ts';
import type { Assignor } from './assignors/assignor.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { ClassicMember } from './classic-member.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerSession } from './consumer-session.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupTopics } from './group-topics.ts';
import type { Group } from './groups-state.ts';

/** One who waits for the answer to a request that is held back. */
export interface Waiter<Response> {
  resolve(response: Response): void;
  reject(error: KafkaError): void;
}

/** Whether the client that asks may know of a topic. */
export type MaySee = (topic: string) => boolean;

/** Finds out, outside of steps, what regular expressions mean. */
export interface RegexRefreshes {
  isUnderWay(groupId: string): boolean;
  begin(groupId: string, regexes: readonly string[], maySee: MaySee): void;
}

export interface StepOptions {
  /** Of the clock on which sessions and timeouts run. */
  readonly clockMs: () => number;
  readonly wallMs: number;
  readonly config: BrokerConfig;
  readonly groupConfig: (groupId: string) => GroupConfig;
  readonly topics: GroupTopics;
  /** By name, the first serves members that name none. */
  readonly assignors: ReadonlyMap<string, Assignor>;
  readonly regexRefreshes: RegexRefreshes;
  readonly newUuid: () => string;
  /** As the state has it now. */
  readonly findGroup: (groupId: string) => Group | undefined;
  /** Told when a deadline of the group has been set outside a step. */
  readonly onDeadline: (group: Group) => void;
}

export class GroupStep {
  readonly nowMs: number;
  /** For what is stored. */
  readonly wallMs: number;
  readonly config: BrokerConfig;
  readonly topics: GroupTopics;
  readonly assignors: ReadonlyMap<string, Assignor>;
  readonly regexRefreshes: RegexRefreshes;
  readonly records: GroupRecord[] = [];
  readonly answers: Answer[] = [];
  readonly #options: StepOptions;

  constructor(options: StepOptions) {
    this.nowMs = options.clockMs();
    this.wallMs = options.wallMs;
    this.config = options.config;
    this.topics = options.topics;
    this.assignors = options.assignors;
    this.regexRefreshes = options.regexRefreshes;
    this.#options = options;
  }

  /** The settings in force for the group. */
  groupConfig(groupId: string): GroupConfig {
    return this.#options.groupConfig(groupId);
  }

  /** As the state has it now. */
  findGroup(groupId: string): Group | undefined {
    return this.#options.findGroup(groupId);
  }

  newUuid(): string {
    return this.#options.newUuid();
  }

  /** The step is refused after all: nothing comes of what it has gathered. */
  forget(): void {
    this.records.length = 0;
    this.answers.length = 0;
  }

  /** Leaves at once, whatever is still being written. */
  answer<Response>(waiter: Waiter<Response>, response: Response): void {
    this.answers.push({ transient: true, deliver: () => waiter.resolve(response), fail: (error) => waiter.reject(error) });
  }

  /** Leaves when everything appended for the group so far, the records of this step among it, is durable. */
  answerWhenDurable<Response>(waiter: Waiter<Response>, response: Response): void {
    this.answers.push({ transient: false, deliver: () => waiter.resolve(response), fail: (error) => waiter.reject(error) });
  }

  /**
   * Runs when the records of this step have been applied, in the same breath: for what is in no record. It does not run when
   * they were not taken.
   */
  onceApplied(run: () => void): void {
    this.answers.push({ transient: true, deliver: run, fail: () => undefined });
  }

  /** The same for what a consumer group has beside its records; the group may only come to be with the records of this step. */
  onceAppliedTo(groupId: string, run: (group: ConsumerGroup) => void): void {
    this.onceApplied(() => {
      const group = this.findGroup(groupId);
      if (group?.kind === 'consumer') run(group);
    });
  }

  /** The member's session does not run until everything appended for the group so far is durable; then it begins anew. */
  holdSession(group: ClassicGroup, member: ClassicMember): void {
    member.requestsInHand += 1;
    const release = (): void => {
      member.requestsInHand -= 1;
      group.heardOf(member, this.#options.clockMs());
      this.#options.onDeadline(group);
    };
    // If the disk refuses, the state that knows the member is thrown away.
    this.answers.push({ transient: false, deliver: release, fail: () => undefined });
  }

  /** The same for a member of a consumer group. */
  holdConsumerSession(groupId: string, memberId: string, sessionTimeoutMs: number): void {
    this.#stopConsumerSession(groupId, memberId, () => (nowMs) => nowMs + sessionTimeoutMs);
  }

  /** Its session stands still as long, and then goes on with what was left of it: the request is no sign of life (KIP-848). */
  pauseConsumerSession(groupId: string, memberId: string): void {
    this.#stopConsumerSession(groupId, memberId, (session) => {
      const leftMs = session.deadlineMs - this.nowMs;
      return (nowMs) => Math.max(session.deadlineMs, nowMs + leftMs);
    });
  }

  #stopConsumerSession(groupId: string, memberId: string, stop: (session: ConsumerSession) => (nowMs: number) => number): void {
    let goOn: (() => void) | undefined;
    this.onceAppliedTo(groupId, (group) => {
      if (!group.members.has(memberId)) return;
      const session = group.sessionOf(memberId);
      const deadlineAt = stop(session);
      session.requestsInHand += 1;
      goOn = () => {
        session.requestsInHand -= 1;
        session.deadlineMs = deadlineAt(this.#options.clockMs());
        group.noteDeadline(session.earliestDeadlineMs);
        this.#options.onDeadline(group);
      };
    });
    this.answers.push({ transient: false, deliver: () => goOn?.(), fail: () => undefined });
  }

  /** A deadline of the group has been set after the step itself. */
  noteDeadline(group: Group): void {
    this.#options.onDeadline(group);
  }
}
