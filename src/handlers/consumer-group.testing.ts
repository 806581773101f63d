// What tests of consumer groups (KIP-848) share: a broker with topics, members on connections of their own, requests as they stand on
// the wire, and answers in a line.
import type { TestBroker } from '../assemble/broker.testing.ts';
import { startTestBroker } from '../assemble/broker.testing.ts';
import type { Connection } from '../client/connection.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../protocol/messages/consumer-group-describe.ts';
import {
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import { listGroupsRequest, listGroupsResponse } from '../protocol/messages/list-groups.ts';
import { createPartitionsRequest, createPartitionsResponse } from '../protocol/messages/create-partitions.ts';
import { ConsumerProtocolMember, keysOf, type ConsumerMemberOptions, type PartitionKey } from './consumer-protocol-member.testing.ts';
import type { ErrorText } from './group-member.testing.ts';
import { createTopics, deleteTopics } from './topic-admin.testing.ts';

const heartbeat = { request: consumerGroupHeartbeatRequest, response: consumerGroupHeartbeatResponse };
const describe = { request: consumerGroupDescribeRequest, response: consumerGroupDescribeResponse };
const listGroups = { request: listGroupsRequest, response: listGroupsResponse };
const createPartitions = { request: createPartitionsRequest, response: createPartitionsResponse };

export const consumerSettings = {
  'offsets.topic.num.partitions': '2',
  'group.initial.rebalance.delay.ms': '0',
};

export type HeartbeatAsked = Partial<ConsumerGroupHeartbeatRequest>;

/** The fields with which a member joins, and what it says otherwise. */
export const joining = (fields: HeartbeatAsked): HeartbeatAsked => ({
  memberEpoch: 0,
  rebalanceTimeoutMs: 30_000,
  subscribedTopicNames: ['foo'],
  topicPartitions: [],
  ...fields,
});

export class TestGroup implements AsyncDisposable {
  broker: TestBroker;
  readonly #connections = new Map<object, { broker: TestBroker; connection: Connection }>();
  readonly #topicNames = new Map<string, string>();

  constructor(broker: TestBroker) {
    this.broker = broker;
  }

  static async start(
    topics: Readonly<Record<string, number>> = { foo: 3 },
    settings: Readonly<Record<string, string>> = {},
  ): Promise<TestGroup> {
    const group = new TestGroup(await startTestBroker({ settings: { ...consumerSettings, ...settings } }));
    for (const [name, partitions] of Object.entries(topics)) await group.createTopic(name, partitions);
    return group;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop();
  }

  until<T>(work: Promise<T>): Promise<T> {
    return this.broker.env.clock.until(work);
  }

  wait(ms: number): Promise<void> {
    return this.broker.env.clock.advanceMs(ms);
  }

  // --- topics

  async createTopic(name: string, partitions = 1): Promise<string> {
    const [topic] = await this.until(createTopics(this.broker, [{ name, partitions }]));
    if (topic === undefined || topic.errorCode !== 0) throw new Error(`${name}: ${errorNameOf(topic?.errorCode ?? -1)}`);
    this.#topicNames.set(topic.topicId, name);
    return topic.topicId;
  }

  async growTopic(name: string, count: number): Promise<void> {
    const topics = [{ name, count, assignments: null }];
    await this.until(this.broker.client.request(createPartitions, 3, { topics, timeoutMs: 1000, validateOnly: false }));
  }

  async deleteTopic(name: string): Promise<void> {
    await this.until(deleteTopics(this.broker, [name]));
  }

  /** `foo:0 foo:1`, in order. */
  shown(keys: Iterable<PartitionKey>): string {
    const named = [...keys].map((key) => {
      const [topicId = '', partition = ''] = key.split(':');
      return `${this.#topicNames.get(topicId) ?? topicId}:${partition}`;
    });
    return named.sort().join(' ');
  }

  keys(text: string): PartitionKey[] {
    const ids = new Map([...this.#topicNames].map(([topicId, name]) => [name, topicId]));
    return text
      .split(' ')
      .filter((part) => part !== '')
      .map((part) => part.replace(/^[^:]*/, (name) => ids.get(name) ?? name));
  }

  // --- requests as they stand on the wire

  async raw(fields: HeartbeatAsked, version = 1): Promise<ConsumerGroupHeartbeatResponse> {
    return this.until(this.broker.client.request(heartbeat, version, { groupId: 'readers', memberId: 'anna', memberEpoch: 0, ...fields }));
  }

  /** `member epoch [assignment]`, or the error with its message. */
  async said(fields: HeartbeatAsked, version = 1): Promise<string> {
    const answer = await this.raw(fields, version);
    if (answer.errorCode !== 0) return `${errorNameOf(answer.errorCode)} ${answer.errorMessage ?? ''}`.trimEnd();
    const share = answer.assignment === null ? '' : ` [${this.shown(keysOf(answer.assignment.topicPartitions))}]`;
    return `${answer.memberEpoch}${share}`;
  }

  // --- members

  member(memberId: string, options: Partial<ConsumerMemberOptions> = {}): ConsumerProtocolMember {
    return new ConsumerProtocolMember({ memberId, subscription: { names: ['foo'], regex: null }, ...options });
  }

  async connectionOf(member: object): Promise<Connection> {
    const known = this.#connections.get(member);
    if (known?.broker === this.broker) return known.connection;
    const connection = await this.until(this.broker.connect());
    this.#connections.set(member, { broker: this.broker, connection });
    return connection;
  }

  /** One heartbeat of each, in turn: `epoch [owned]` of the last, or the error. */
  async beat(...members: ConsumerProtocolMember[]): Promise<string> {
    let outcome: ErrorText;
    for (const member of members) outcome = await this.until(member.heartbeat(await this.connectionOf(member)));
    const last = members.at(-1);
    return outcome === 'NONE' && last !== undefined ? `${last.memberEpoch} [${this.shown(last.owned)}]` : String(outcome);
  }

  /** As `beat`, and nobody lets go of anything. */
  async beatSlowly(member: ConsumerProtocolMember): Promise<string> {
    const outcome = await this.until(member.heartbeat(await this.connectionOf(member), { slow: true }));
    return outcome === 'NONE' ? `${member.memberEpoch} [${this.shown(member.target ?? [])}]` : String(outcome);
  }

  /** Heartbeats in turns until nobody has anything new. */
  async settle(...members: ConsumerProtocolMember[]): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      const before = members.map(({ memberEpoch, owned }) => `${memberEpoch} ${[...owned].join()}`).join('; ');
      for (const member of members) {
        const outcome = await this.until(member.heartbeat(await this.connectionOf(member)));
        if (outcome !== 'NONE') throw new Error(`${member.memberId}: ${outcome}`);
      }
      const after = members.map(({ memberEpoch, owned }) => `${memberEpoch} ${[...owned].join()}`).join('; ');
      if (before === after && members.every(({ hasToAcknowledge }) => !hasToAcknowledge)) return;
    }
    throw new Error('the group does not come to rest');
  }

  async describe(groupId = 'readers') {
    const answer = await this.until(this.broker.client.request(describe, 1, { groupIds: [groupId], includeAuthorizedOperations: false }));
    const [group] = answer.groups;
    if (group === undefined) throw new Error('nothing is described');
    return group;
  }

  /** `consumer Stable` or `classic Empty`, as groups are listed. */
  async listed(groupId = 'readers'): Promise<string> {
    const asked = { statesFilter: [], typesFilter: [] };
    const { groups } = await this.until(this.broker.client.request(listGroups, 5, asked));
    const found = groups.find((group) => group.groupId === groupId);
    return found === undefined ? 'nothing' : `${found.groupType} ${found.groupState}`;
  }

  /** `Stable 2/2`: the state, the group epoch and that of the assignment; or the error. */
  async state(groupId = 'readers'): Promise<string> {
    const { errorCode, groupState, groupEpoch, assignmentEpoch } = await this.describe(groupId);
    return errorCode === 0 ? `${groupState} ${groupEpoch}/${assignmentEpoch}` : String(errorNameOf(errorCode));
  }
}
