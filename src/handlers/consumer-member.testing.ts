// A member of a consumer group (KIP-848) for tests that know topics by their names: the state machine of clients, on a connection of
// its own to a broker in memory.
import type { TestBroker } from '../assemble/broker.testing.ts';
import type { Connection } from '../client/connection.ts';
import { errorNameOf } from '../protocol/errors.ts';
import type { ConsumerGroupHeartbeatResponse } from '../protocol/messages/consumer-group-heartbeat.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { ConsumerProtocolMember, topicPartitionsOf } from './consumer-protocol-member.testing.ts';
import type { ErrorText } from './group-member.testing.ts';

const offsetFetch = { request: offsetFetchRequest, response: offsetFetchResponse };

export interface NamedMemberOptions {
  readonly groupId?: string;
  readonly memberId?: string;
  readonly topics?: readonly string[];
  readonly regex?: string | null;
  readonly assignor?: string | null;
}

let lastId = 0;

export class ConsumerMember {
  readonly #connection: Connection;
  readonly #broker: TestBroker;
  readonly #member: ConsumerProtocolMember;

  private constructor(broker: TestBroker, connection: Connection, member: ConsumerProtocolMember) {
    this.#broker = broker;
    this.#connection = connection;
    this.#member = member;
  }

  static async connect(broker: TestBroker, options: NamedMemberOptions = {}): Promise<ConsumerMember> {
    const { memberId = `member-${(lastId += 1)}`, topics = ['orders'], regex = null, assignor = null, ...more } = options;
    const member = new ConsumerProtocolMember({ ...more, memberId, serverAssignor: assignor, subscription: { names: topics, regex } });
    return new ConsumerMember(broker, await broker.connect(), member);
  }

  get memberId(): string {
    return this.#member.memberId;
  }

  get epoch(): number {
    return this.#member.memberEpoch;
  }

  /** The last one without an error. */
  get answer(): ConsumerGroupHeartbeatResponse | undefined {
    return this.#member.answer;
  }

  get refusal(): string {
    return this.#member.refusal;
  }

  /** What it reads, by name of the topic. */
  get assigned(): Record<string, readonly number[]> {
    const { image } = this.#broker.broker;
    const owned = topicPartitionsOf(this.#member.owned);
    return Object.fromEntries(owned.map(({ topicId, partitions }) => [image.findTopicById(topicId)?.name ?? topicId, partitions]));
  }

  /** Another broker has taken over, with the same disk. */
  async reconnected(broker: TestBroker): Promise<ConsumerMember> {
    return new ConsumerMember(broker, await broker.connect(), this.#member);
  }

  beat(version = 1): Promise<ErrorText> {
    return this.#member.heartbeat(this.#connection, { version });
  }

  leave(): Promise<ErrorText> {
    return this.#member.leave(this.#connection);
  }

  /** Of the first partition. */
  commit(name: string, committedOffset: number, version = 9, memberEpoch = this.epoch): Promise<ErrorText> {
    return this.#member.commit(this.#connection, `${this.#idOf(name)}:0`, committedOffset, { name, version, memberEpoch });
  }

  /** The offset of the first partition, or why it is not told. */
  async offset(name: string, version = 9, memberEpoch = this.epoch): Promise<ErrorText | number> {
    const { groupId, memberId } = this.#member;
    const topics = [{ name, topicId: this.#idOf(name), partitionIndexes: [0] }];
    const asked = { groupId: '', topics: [], groups: [{ groupId, memberId, memberEpoch, topics }] };
    const [group] = (await this.#connection.request(offsetFetch, version, asked)).groups;
    return group?.errorCode === 0 ? (group.topics[0]?.partitions[0]?.committedOffset ?? -1) : errorNameOf(group?.errorCode ?? -1);
  }

  #idOf(name: string): string {
    return this.#broker.broker.image.findTopic(name)?.id ?? '';
  }
}
