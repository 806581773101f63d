// A member of a consumer group (KIP-848) for tests: the state machine that clients run, as the Java client has it. It says only what
// has changed, lets go of partitions before it says so, and takes what it is given at once. It holds no time and no thread: the
// test decides when it sends a heartbeat, and how long it takes to let go.
import type { Connection } from '../client/connection.ts';
import { errorNameOf } from '../protocol/errors.ts';
import {
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
  type ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import type { ErrorText } from './group-member.testing.ts';

const heartbeat = { request: consumerGroupHeartbeatRequest, response: consumerGroupHeartbeatResponse };
const offsetCommit = { request: offsetCommitRequest, response: offsetCommitResponse };
const offsetFetch = { request: offsetFetchRequest, response: offsetFetchResponse };

export const JOIN_EPOCH = 0;
export const LEAVE_EPOCH = -1;
export const LEAVE_FOR_NOW_EPOCH = -2;

/** What it subscribes to; both at once is allowed. */
export interface Subscription {
  readonly names: readonly string[];
  readonly regex: string | null;
}

export interface ConsumerMemberOptions {
  readonly groupId?: string;
  readonly memberId: string;
  readonly instanceId?: string | null;
  readonly rackId?: string | null;
  readonly rebalanceTimeoutMs?: number;
  readonly serverAssignor?: string | null;
  readonly subscription: Subscription;
}

export interface CommitOptions {
  readonly name?: string;
  readonly version?: number;
  readonly memberEpoch?: number;
}

/** One partition, as `topic id:partition`. */
export type PartitionKey = string;

export const keysOf = (topicPartitions: readonly { topicId: string; partitions: readonly number[] }[]): PartitionKey[] =>
  topicPartitions.flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId}:${partition}`)).sort();

export function topicPartitionsOf(keys: Iterable<PartitionKey>): { topicId: string; partitions: number[] }[] {
  const byTopic = Map.groupBy([...keys].sort(), (key) => key.slice(0, key.indexOf(':')));
  return [...byTopic].map(([topicId, found]) => ({
    topicId,
    partitions: found.map((key) => Number(key.slice(key.indexOf(':') + 1))).sort((left, right) => left - right),
  }));
}

/** What has been said in the requests of this membership; undefined is said again. */
interface Said {
  rebalanceTimeoutMs?: number;
  names?: string;
  regex?: string | null;
  serverAssignor?: string;
  /** The acknowledgement that was sent last. */
  acknowledged?: number;
}

export class ConsumerProtocolMember {
  readonly groupId: string;
  /** The empty text until the broker gives it one, with version 0. */
  memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  serverAssignor: string | null;
  subscription: Subscription;
  memberEpoch = JOIN_EPOCH;
  isJoining = true;
  /** What it reads. */
  readonly owned = new Set<PartitionKey>();
  /** What it was given last; undefined until it is given something, were it nothing. */
  target: readonly PartitionKey[] | undefined;
  /** The last answer without an error. */
  answer: ConsumerGroupHeartbeatResponse | undefined;
  /** What the last refusal said. */
  refusal = '';
  #said: Said = {};
  /** It said a regular expression, or took the chair of one that did, and no answer yet shows that the broker heard it taken back. */
  #mayHaveRegex: boolean;
  /** Rises with every target that has been reached, so that each is acknowledged once. */
  #reached = 0;
  #targetIsReached = true;

  constructor(options: ConsumerMemberOptions) {
    this.groupId = options.groupId ?? 'readers';
    this.memberId = options.memberId;
    this.instanceId = options.instanceId ?? null;
    this.#mayHaveRegex = this.instanceId !== null;
    this.rackId = options.rackId ?? null;
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? 30_000;
    this.serverAssignor = options.serverAssignor ?? null;
    this.subscription = options.subscription;
  }

  /** What it reads and may not read any longer. */
  get toLetGo(): PartitionKey[] {
    return [...this.owned].filter((key) => this.target?.includes(key) !== true);
  }

  /** A target was reached and the broker has not been told. */
  get hasToAcknowledge(): boolean {
    return this.#said.acknowledged !== this.#reached;
  }

  // --- the state machine

  nextRequest() {
    const { isJoining } = this;
    const said = this.#said;
    const names = JSON.stringify([...this.subscription.names].sort());
    const { regex } = this.subscription;
    const fields = {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch: this.memberEpoch,
      instanceId: this.instanceId,
      rackId: isJoining ? this.rackId : null,
      rebalanceTimeoutMs: isJoining || said.rebalanceTimeoutMs !== this.rebalanceTimeoutMs ? this.rebalanceTimeoutMs : -1,
      subscribedTopicNames: isJoining || said.names !== names ? [...this.subscription.names] : null,
      subscribedTopicRegex: this.#regexToSay(),
      serverAssignor:
        this.serverAssignor !== null && (isJoining || said.serverAssignor !== this.serverAssignor) ? this.serverAssignor : null,
      topicPartitions: isJoining || this.hasToAcknowledge ? topicPartitionsOf(this.owned) : null,
    };
    this.#mayHaveRegex ||= regex !== null;
    this.#said = {
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      names,
      regex,
      acknowledged: this.#reached,
      ...(this.serverAssignor !== null && { serverAssignor: this.serverAssignor }),
    };
    return fields;
  }

  /**
   * The empty text takes back what was said, and is said until it is answered. (The Java client says it once: where that request is
   * lost, the broker goes on giving it what the expression matches.)
   */
  #regexToSay(): string | null {
    const { regex } = this.subscription;
    if (regex === null) return this.#mayHaveRegex ? '' : null;
    return this.isJoining || this.#said.regex !== regex ? regex : null;
  }

  answered(answer: ConsumerGroupHeartbeatResponse): ErrorText {
    const outcome = errorNameOf(answer.errorCode);
    // The Java client gives up where the group is not there (any more); whoever runs it starts another.
    if (outcome === 'FENCED_MEMBER_EPOCH' || outcome === 'UNKNOWN_MEMBER_ID' || outcome === 'GROUP_ID_NOT_FOUND') this.#joinAgain();
    if (outcome !== 'NONE') {
      this.refusal = answer.errorMessage ?? '';
      this.failed();
      return outcome;
    }
    this.answer = answer;
    this.#mayHaveRegex &&= this.#said.regex !== null;
    this.isJoining = false;
    this.memberId = answer.memberId ?? this.memberId;
    this.memberEpoch = answer.memberEpoch;
    if (answer.assignment !== null) this.#giveTarget(keysOf(answer.assignment.topicPartitions));
    return outcome;
  }

  /** No answer came, or one that says to try again: everything is said again. */
  failed(): void {
    this.#said = {};
  }

  #joinAgain(): void {
    this.memberEpoch = JOIN_EPOCH;
    this.isJoining = true;
    this.owned.clear();
    this.target = undefined;
    this.#targetIsReached = true;
  }

  #giveTarget(target: readonly PartitionKey[]): void {
    if (target.join() === this.target?.join()) return;
    this.target = target;
    this.#targetIsReached = false;
  }

  /** Lets go of what is not its own any more, then takes what is new; the next heartbeat says so. */
  reconcile(): void {
    if (this.#targetIsReached) return;
    this.owned.clear();
    for (const key of this.target ?? []) this.owned.add(key);
    this.#targetIsReached = true;
    this.#reached += 1;
  }

  // --- over a connection

  /** One heartbeat, and what it brings is done at once unless `slow`. */
  async heartbeat(connection: Connection, { slow = false, version = 1 }: { slow?: boolean; version?: number } = {}): Promise<ErrorText> {
    const outcome = await this.send(connection, version);
    if (!slow) this.reconcile();
    return outcome;
  }

  /** Only the request and its answer. */
  async send(connection: Connection, version = 1): Promise<ErrorText> {
    const request = this.nextRequest();
    try {
      return this.answered(await connection.request(heartbeat, version, request));
    } catch (thrown) {
      this.failed();
      throw thrown;
    }
  }

  /** Heartbeats until there is nothing to acknowledge, ten at most. */
  async settle(connection: Connection): Promise<ErrorText> {
    for (let beat = 0; beat < 10; beat += 1) {
      const outcome = await this.heartbeat(connection);
      if (outcome !== 'NONE' || !this.hasToAcknowledge) return outcome;
    }
    throw new Error('it is given something new with every heartbeat');
  }

  /** For good (-1), or for a while as a static member (-2). It lets go first. */
  async leave(connection: Connection, epoch: typeof LEAVE_EPOCH | typeof LEAVE_FOR_NOW_EPOCH = LEAVE_EPOCH): Promise<ErrorText> {
    this.#joinAgain();
    this.failed();
    const { groupId, memberId, instanceId } = this;
    return errorNameOf((await connection.request(heartbeat, 1, { groupId, memberId, memberEpoch: epoch, instanceId })).errorCode);
  }

  /** By the id of the topic, or by its name. */
  async commit(
    connection: Connection,
    key: PartitionKey,
    committedOffset: number,
    { name, version = name === undefined ? 10 : 9, memberEpoch = this.memberEpoch }: CommitOptions = {},
  ): Promise<ErrorText> {
    const [{ topicId, partitions: [partitionIndex = 0] } = { topicId: '', partitions: [] }] = topicPartitionsOf([key]);
    const answer = await connection.request(offsetCommit, version, {
      groupId: this.groupId,
      generationIdOrMemberEpoch: memberEpoch,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      topics: [{ name: name ?? '', topicId, partitions: [{ partitionIndex, committedOffset, committedMetadata: '' }] }],
    });
    return errorNameOf(answer.topics[0]?.partitions[0]?.errorCode ?? -1);
  }

  /** Of each the offset, -1 where none is committed; or the error. */
  async offsets(connection: Connection, keys: Iterable<PartitionKey>): Promise<Map<PartitionKey, number> | ErrorText> {
    const topics = topicPartitionsOf(keys).map(({ topicId, partitions }) => ({ name: '', topicId, partitionIndexes: partitions }));
    const { groupId, memberId, memberEpoch } = this;
    const answer = await connection.request(offsetFetch, 10, {
      groups: [{ groupId, memberId, memberEpoch, topics }],
      topics: [],
      groupId: '',
    });
    const [group] = answer.groups;
    if (group === undefined || group.errorCode !== 0) return errorNameOf(group?.errorCode ?? -1);
    const offsets = new Map<PartitionKey, number>();
    for (const { topicId, partitions } of group.topics)
      for (const { partitionIndex, committedOffset, errorCode } of partitions)
        if (errorCode === 0) offsets.set(`${topicId}:${partitionIndex}`, committedOffset);
    return offsets;
  }
}
