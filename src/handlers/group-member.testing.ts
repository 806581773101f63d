// A member of a classic group for tests: speaks the protocol over a connection of its own, and remembers what it is told.
import type { TestBroker } from '../assemble/broker.testing.ts';
import type { Connection } from '../client/connection.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { createTopicsRequest, createTopicsResponse } from '../protocol/messages/create-topics.ts';
import { heartbeatRequest, heartbeatResponse } from '../protocol/messages/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse, type JoinGroupResponse } from '../protocol/messages/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../protocol/messages/leave-group.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import { offsetFetchRequest, offsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { syncGroupRequest, syncGroupResponse } from '../protocol/messages/sync-group.ts';

const createTopics = { request: createTopicsRequest, response: createTopicsResponse };
const joinGroup = { request: joinGroupRequest, response: joinGroupResponse };
const syncGroup = { request: syncGroupRequest, response: syncGroupResponse };
const heartbeat = { request: heartbeatRequest, response: heartbeatResponse };
const leaveGroup = { request: leaveGroupRequest, response: leaveGroupResponse };
const offsetCommit = { request: offsetCommitRequest, response: offsetCommitResponse };
const offsetFetch = { request: offsetFetchRequest, response: offsetFetchResponse };

export type ErrorText = ReturnType<typeof errorNameOf>;

export async function makeTopic({ client, env }: TestBroker, name: string, numPartitions: number): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }];
  await env.clock.until(client.request(createTopics, 7, { topics }));
}

export interface MemberOptions {
  readonly groupId?: string;
  readonly instanceId?: string | null;
  readonly protocols?: readonly { readonly name: string; readonly metadata: Buffer }[];
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
}

export class TestMember {
  readonly #connection: Connection;
  readonly groupId: string;
  readonly instanceId: string | null;
  protocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  memberId = '';
  generationId = -1;
  joined: JoinGroupResponse | undefined;

  private constructor(connection: Connection, options: MemberOptions) {
    this.#connection = connection;
    this.groupId = options.groupId ?? 'readers';
    this.instanceId = options.instanceId ?? null;
    this.protocols = options.protocols ?? [{ name: 'range', metadata: Buffer.from('topics') }];
    this.sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000;
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? 30_000;
  }

  static async connect(broker: Pick<TestBroker, 'connect'>, options: MemberOptions = {}): Promise<TestMember> {
    return new TestMember(await broker.connect(), options);
  }

  get isLeader(): boolean {
    return this.joined?.leader === this.memberId;
  }

  /** One request, whatever comes of it. */
  async joinOnce(version = 9): Promise<ErrorText> {
    this.joined = await this.#connection.request(joinGroup, version, {
      groupId: this.groupId,
      sessionTimeoutMs: this.sessionTimeoutMs,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      memberId: this.memberId,
      groupInstanceId: version >= 5 ? this.instanceId : null,
      protocolType: 'consumer',
      protocols: this.protocols,
    });
    if (this.joined.memberId !== '') this.memberId = this.joined.memberId;
    this.generationId = this.joined.generationId;
    return errorNameOf(this.joined.errorCode);
  }

  /** As clients do: with the id that the first answer gives, if it gives one. */
  async join(version = 9): Promise<ErrorText> {
    const outcome = await this.joinOnce(version);
    return outcome === 'MEMBER_ID_REQUIRED' ? this.joinOnce(version) : outcome;
  }

  /** The assignment it gets, or the error. */
  async sync(assignments: Readonly<Record<string, string | Buffer>> = {}, version = 5): Promise<string> {
    const answer = await this.#connection.request(syncGroup, version, {
      groupId: this.groupId,
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: version >= 3 ? this.instanceId : null,
      protocolType: version >= 5 ? 'consumer' : null,
      protocolName: version >= 5 ? (this.joined?.protocolName ?? '') : null,
      assignments: Object.entries(assignments).map(([memberId, text]) => ({
        memberId,
        assignment: typeof text === 'string' ? Buffer.from(text) : text,
      })),
    });
    return answer.errorCode === 0 ? answer.assignment.toString() : String(errorNameOf(answer.errorCode));
  }

  async heartbeat(version = 4): Promise<ErrorText> {
    const { groupId, generationId, memberId } = this;
    const groupInstanceId = version >= 3 ? this.instanceId : null;
    return errorNameOf(
      (await this.#connection.request(heartbeat, version, { groupId, generationId, memberId, groupInstanceId })).errorCode,
    );
  }

  async leave(): Promise<ErrorText> {
    const { groupId, memberId, instanceId: groupInstanceId } = this;
    const answer = await this.#connection.request(leaveGroup, 5, { groupId, memberId: '', members: [{ memberId, groupInstanceId }] });
    return errorNameOf(answer.errorCode === 0 ? (answer.members[0]?.errorCode ?? 0) : answer.errorCode);
  }

  async commit(name: string, partitionIndex: number, committedOffset: number, metadata: string | null = ''): Promise<ErrorText> {
    const answer = await this.#connection.request(offsetCommit, 9, {
      groupId: this.groupId,
      generationIdOrMemberEpoch: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      topics: [
        {
          name,
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          partitions: [{ partitionIndex, committedOffset, committedMetadata: metadata }],
        },
      ],
    });
    return errorNameOf(answer.topics[0]?.partitions[0]?.errorCode ?? -1);
  }

  /** Offsets of a topic's first partitions; -1 where none is committed. */
  async offsets(name: string, count: number): Promise<number[]> {
    const answer = await this.#connection.request(offsetFetch, 7, {
      groupId: this.groupId,
      topics: [{ name, partitionIndexes: Array.from({ length: count }, (_, index) => index) }],
      groups: [],
    });
    if (answer.errorCode !== 0) throw new Error(String(errorNameOf(answer.errorCode)));
    return answer.topics[0]?.partitions.map(({ committedOffset }) => committedOffset) ?? [];
  }

  close(): void {
    this.#connection.close();
  }
}
