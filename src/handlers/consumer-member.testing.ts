// A member of a consumer group (KIP-848) for tests: sends heartbeats over a connection of its own, holds what it is given and
// lets go of what it is not given any more.
import type { TestBroker } from '../assemble/broker.testing.ts';
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

export interface ConsumerMemberOptions {
  readonly groupId?: string;
  readonly memberId?: string;
  readonly instanceId?: string | null;
  readonly topics?: readonly string[] | null;
  readonly regex?: string | null;
  readonly assignor?: string | null;
  readonly rebalanceTimeoutMs?: number;
}

interface Held {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

let lastId = 0;

export class ConsumerMember {
  readonly #connection: Connection;
  readonly #broker: TestBroker;
  readonly #options: ConsumerMemberOptions;
  readonly groupId: string;
  memberId: string;
  epoch = 0;
  held: readonly Held[] = [];
  answer: ConsumerGroupHeartbeatResponse | undefined;

  private constructor(broker: TestBroker, connection: Connection, options: ConsumerMemberOptions) {
    this.#broker = broker;
    this.#connection = connection;
    this.#options = options;
    this.groupId = options.groupId ?? 'readers';
    this.memberId = options.memberId ?? `member-${(lastId += 1)}`;
  }

  static async connect(broker: TestBroker, options: ConsumerMemberOptions = {}): Promise<ConsumerMember> {
    return new ConsumerMember(broker, await broker.connect(), options);
  }

  /** By name of the topic. */
  get assigned(): Record<string, readonly number[]> {
    const { image } = this.#broker.broker;
    return Object.fromEntries(this.held.map(({ topicId, partitions }) => [image.findTopicById(topicId)?.name ?? topicId, partitions]));
  }

  /** Another broker has taken over, with the same disk. */
  async reconnected(broker: TestBroker): Promise<ConsumerMember> {
    const member = new ConsumerMember(broker, await broker.connect(), { ...this.#options, memberId: this.memberId });
    member.epoch = this.epoch;
    member.held = this.held;
    return member;
  }

  async beat(version = 1, memberEpoch = this.epoch): Promise<ErrorText> {
    const { groupId, memberId } = this;
    const joins = memberEpoch === 0;
    if (joins) this.held = [];
    const { topics = ['orders'], regex = null, assignor = null, instanceId = null, rebalanceTimeoutMs = 30_000 } = this.#options;
    this.answer = await this.#connection.request(heartbeat, version, {
      groupId,
      memberId,
      memberEpoch,
      instanceId,
      rackId: null,
      rebalanceTimeoutMs: joins ? rebalanceTimeoutMs : -1,
      subscribedTopicNames: joins ? topics : null,
      subscribedTopicRegex: joins && version >= 1 ? regex : null,
      serverAssignor: joins ? assignor : null,
      topicPartitions: this.held,
    });
    const outcome = errorNameOf(this.answer.errorCode);
    if (outcome !== 'NONE') return outcome;
    this.memberId = this.answer.memberId ?? this.memberId;
    this.epoch = this.answer.memberEpoch;
    if (this.answer.assignment !== null) this.held = this.answer.assignment.topicPartitions;
    return outcome;
  }

  leave(): Promise<ErrorText> {
    return this.beat(1, -1);
  }

  async commit(name: string, committedOffset: number, version = 9, memberEpoch = this.epoch): Promise<ErrorText> {
    const topicId = this.#broker.broker.image.findTopic(name)?.id ?? '';
    const answer = await this.#connection.request(offsetCommit, version, {
      groupId: this.groupId,
      generationIdOrMemberEpoch: memberEpoch,
      memberId: this.memberId,
      groupInstanceId: null,
      topics: [{ name, topicId, partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: '' }] }],
    });
    return errorNameOf(answer.topics[0]?.partitions[0]?.errorCode ?? -1);
  }

  /** The offset of the first partition, or why it is not told. */
  async offset(name: string, version = 9, memberEpoch = this.epoch): Promise<ErrorText | number> {
    const topicId = this.#broker.broker.image.findTopic(name)?.id ?? '';
    const answer = await this.#connection.request(offsetFetch, version, {
      groupId: '',
      topics: [],
      groups: [{ groupId: this.groupId, memberId: this.memberId, memberEpoch, topics: [{ name, topicId, partitionIndexes: [0] }] }],
    });
    const [group] = answer.groups;
    return group?.errorCode === 0 ? (group.topics[0]?.partitions[0]?.committedOffset ?? -1) : errorNameOf(group?.errorCode ?? -1);
  }
}
