// What a step on a group is given (the times, the settings, fresh ids) and what it gathers: records to append, and answers
// for those who wait. The shard appends, applies and delivers; a step does nothing of the kind itself.
import type { BrokerConfig } from '../../config/broker-configs.ts';
import type { KafkaError } from '../../protocol/errors.ts';
import type { Answer } from '../coordinator/shard.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { ClassicMember } from './classic-member.ts';
import type { GroupRecord } from './group-records.ts';

/** One who waits for the answer to a request that is held back. */
export interface Waiter<Response> {
  resolve(response: Response): void;
  reject(error: KafkaError): void;
}

export interface StepOptions {
  /** Of the clock on which sessions and timeouts run. */
  readonly clockMs: () => number;
  readonly wallMs: number;
  readonly config: BrokerConfig;
  readonly newUuid: () => string;
  /** Told when a deadline of the group has been set outside a step. */
  readonly onDeadline: (group: ClassicGroup) => void;
}

export class GroupStep {
  readonly nowMs: number;
  /** For what is stored. */
  readonly wallMs: number;
  readonly config: BrokerConfig;
  readonly records: GroupRecord[] = [];
  readonly answers: Answer[] = [];
  readonly #options: StepOptions;

  constructor(options: StepOptions) {
    this.nowMs = options.clockMs();
    this.wallMs = options.wallMs;
    this.config = options.config;
    this.#options = options;
  }

  newUuid(): string {
    return this.#options.newUuid();
  }

  /** Leaves at once, whatever is still being written. */
  answer<Response>(waiter: Waiter<Response>, response: Response): void {
    this.answers.push({ transient: true, deliver: () => waiter.resolve(response), fail: (error) => waiter.reject(error) });
  }

  /** Leaves when everything appended for the group so far, the records of this step among it, is durable. */
  answerWhenDurable<Response>(waiter: Waiter<Response>, response: Response): void {
    this.answers.push({ transient: false, deliver: () => waiter.resolve(response), fail: (error) => waiter.reject(error) });
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
}
