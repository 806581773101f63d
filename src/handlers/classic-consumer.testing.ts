// A consumer that speaks the classic protocol, for tests of groups that move between the protocols: what it tells the group and is told
// is what Java clients write (ConsumerProtocol), eager or cooperative. It leads its group when it is asked to.
import type { Connection } from '../client/connection.ts';
import { decode, encode } from '../protocol/codec.ts';
import { errorNameOf } from '../protocol/errors.ts';
import { heartbeatRequest, heartbeatResponse } from '../protocol/messages/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse, type JoinGroupResponse } from '../protocol/messages/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../protocol/messages/leave-group.ts';
import { offsetCommitRequest, offsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import { syncGroupRequest, syncGroupResponse } from '../protocol/messages/sync-group.ts';
import { Reader, ZERO_UUID } from '../protocol/reader.ts';
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../protocol/records/consumer-protocol.ts';
import type { Decoded, Encodable, Message } from '../protocol/schema.ts';
import { Writer } from '../protocol/writer.ts';
import type { ErrorText } from './group-member.testing.ts';

const joinGroup = { request: joinGroupRequest, response: joinGroupResponse };
const syncGroup = { request: syncGroupRequest, response: syncGroupResponse };
const heartbeat = { request: heartbeatRequest, response: heartbeatResponse };
const leaveGroup = { request: leaveGroupRequest, response: leaveGroupResponse };
const offsetCommit = { request: offsetCommitRequest, response: offsetCommitResponse };

export interface ClassicConsumerOptions {
  readonly groupId?: string;
  readonly instanceId?: string | null;
  readonly topics?: readonly string[];
  /** Cooperative ones keep what they own while they join again. */
  readonly cooperative?: boolean;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  /** Of the subscription and the assignment. */
  readonly version?: number;
  readonly userData?: Buffer | null;
}

/** `topic:partition`. */
export type NamedPartition = string;

const byTopic = (partitions: Iterable<NamedPartition>): { topic: string; partitions: number[] }[] =>
  [...Map.groupBy([...partitions].sort(), (key) => key.slice(0, key.indexOf(':')))].map(([topic, found]) => ({
    topic,
    partitions: found.map((key) => Number(key.slice(key.indexOf(':') + 1))),
  }));

function versioned<M extends Message>(message: M, version: number, value: Encodable<M>): Buffer {
  const writer = new Writer();
  writer.int16(version);
  encode(message, version, value, writer);
  return Buffer.concat(writer.buffers());
}

function unversioned<M extends Message>(message: M, bytes: Buffer): Decoded<M> {
  const reader = new Reader(bytes);
  return decode(message, Math.min(reader.int16(), message.versions.max), reader);
}

export class ClassicConsumer {
  readonly groupId: string;
  readonly instanceId: string | null;
  readonly cooperative: boolean;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly version: number;
  topics: readonly string[];
  userData: Buffer | null;
  memberId = '';
  generationId = -1;
  /** What it reads. */
  readonly owned = new Set<NamedPartition>();
  /** What it was given last. */
  assigned: readonly NamedPartition[] = [];
  joined: JoinGroupResponse | undefined;

  constructor(options: ClassicConsumerOptions = {}) {
    this.groupId = options.groupId ?? 'readers';
    this.instanceId = options.instanceId ?? null;
    this.cooperative = options.cooperative ?? false;
    this.sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000;
    this.rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? 30_000;
    this.topics = options.topics ?? ['foo'];
    this.version = options.version ?? 3;
    this.userData = options.userData ?? null;
  }

  get protocolName(): string {
    return this.cooperative ? 'cooperative-sticky' : 'range';
  }

  /** What it reads and may not read any longer. */
  get toLetGo(): NamedPartition[] {
    return [...this.owned].filter((key) => !this.assigned.includes(key));
  }

  get isLeader(): boolean {
    return this.joined !== undefined && this.joined.leader !== '' && this.joined.leader === this.memberId;
  }

  /** As clients do: with the id that the first answer gives, if it gives one. An eager one has let go of everything before. */
  async join(connection: Connection, protocolType = 'consumer'): Promise<ErrorText> {
    if (!this.cooperative) this.owned.clear();
    const outcome = await this.#joinOnce(connection, protocolType);
    return outcome === 'MEMBER_ID_REQUIRED' ? this.#joinOnce(connection, protocolType) : outcome;
  }

  async #joinOnce(connection: Connection, protocolType: string): Promise<ErrorText> {
    const metadata = versioned(consumerProtocolSubscription, this.version, {
      topics: this.topics,
      userData: this.userData,
      ownedPartitions: this.cooperative ? byTopic(this.owned) : [],
      generationId: this.generationId,
      rackId: null,
    });
    const answer = await connection.request(joinGroup, 9, {
      groupId: this.groupId,
      sessionTimeoutMs: this.sessionTimeoutMs,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocolType,
      protocols: [{ name: this.protocolName, metadata }],
    });
    const outcome = errorNameOf(answer.errorCode);
    if (outcome === 'NONE' || outcome === 'MEMBER_ID_REQUIRED') this.memberId = answer.memberId;
    if (outcome === 'NONE') {
      this.joined = answer;
      this.generationId = answer.generationId;
    }
    return outcome;
  }

  /** Who leads says what everybody gets, unless told to leave that out. What is given is in `assigned` then. */
  async sync(connection: Connection, partitionCounts: ReadonlyMap<string, number>): Promise<ErrorText> {
    const leads = this.isLeader && this.joined?.skipAssignment === false;
    const answer = await connection.request(syncGroup, 5, {
      groupId: this.groupId,
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocolType: 'consumer',
      protocolName: this.joined?.protocolName ?? '',
      assignments: leads ? this.#assign(partitionCounts) : [],
    });
    if (answer.errorCode === 0) {
      const { assignedPartitions } =
        answer.assignment.length === 0 ? { assignedPartitions: [] } : unversioned(consumerProtocolAssignment, answer.assignment);
      this.assigned = assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}:${partition}`)).sort();
    }
    return errorNameOf(answer.errorCode);
  }

  /** Each partition to a subscriber in turn; a cooperative leader leaves out what another still owns (KIP-429). */
  #assign(partitionCounts: ReadonlyMap<string, number>): { memberId: string; assignment: Buffer }[] {
    const members = (this.joined?.members ?? []).map(({ memberId, metadata }) => ({
      memberId,
      subscription: unversioned(consumerProtocolSubscription, metadata),
      share: [] as NamedPartition[],
    }));
    const owners = new Map(
      members.flatMap(({ memberId, subscription }) =>
        subscription.ownedPartitions.flatMap(({ topic, partitions }) =>
          partitions.map((partition): [string, string] => [`${topic}:${partition}`, memberId]),
        ),
      ),
    );
    for (const topic of [...partitionCounts.keys()].sort()) {
      const count = partitionCounts.get(topic) ?? 0;
      const subscribers = members.filter(({ subscription }) => subscription.topics.includes(topic));
      for (let partition = 0; partition < count && subscribers.length > 0; partition += 1) {
        const key = `${topic}:${partition}`;
        const taker = subscribers[partition % subscribers.length];
        const owner = owners.get(key);
        if (taker !== undefined && (!this.cooperative || owner === undefined || owner === taker.memberId)) taker.share.push(key);
      }
    }
    return members.map(({ memberId, share }) => ({
      memberId,
      assignment: versioned(consumerProtocolAssignment, this.version, { assignedPartitions: byTopic(share), userData: this.userData }),
    }));
  }

  /** Lets go of what it was not given again, and takes what is new. */
  take(): void {
    this.owned.clear();
    for (const key of this.assigned) this.owned.add(key);
  }

  /** It was told that it is no member any more. */
  lose(): void {
    this.owned.clear();
    this.assigned = [];
    this.generationId = -1;
  }

  async heartbeat(connection: Connection): Promise<ErrorText> {
    const { groupId, generationId, memberId, instanceId: groupInstanceId } = this;
    return errorNameOf((await connection.request(heartbeat, 4, { groupId, generationId, memberId, groupInstanceId })).errorCode);
  }

  async leave(connection: Connection): Promise<ErrorText> {
    const { groupId, memberId, instanceId: groupInstanceId } = this;
    this.lose();
    const answer = await connection.request(leaveGroup, 5, { groupId, memberId: '', members: [{ memberId, groupInstanceId }] });
    return errorNameOf(answer.errorCode === 0 ? (answer.members[0]?.errorCode ?? 0) : answer.errorCode);
  }

  async commit(connection: Connection, key: NamedPartition, committedOffset: number): Promise<ErrorText> {
    const [name = '', partition = '0'] = key.split(':');
    const answer = await connection.request(offsetCommit, 8, {
      groupId: this.groupId,
      generationIdOrMemberEpoch: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      topics: [{ name, topicId: ZERO_UUID, partitions: [{ partitionIndex: Number(partition), committedOffset, committedMetadata: '' }] }],
    });
    return errorNameOf(answer.topics[0]?.partitions[0]?.errorCode ?? -1);
  }
}
