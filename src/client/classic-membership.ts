// A member of a classic group: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. The broker elects one member to share out the
// partitions; when that is us, we do. Everything is given up before a rebalance (the eager way), whoever the others are.
import { errorNameOf, KafkaError, NONE, type ErrorName } from '../protocol/errors.ts';
import { heartbeatRequest, heartbeatResponse } from '../protocol/messages/heartbeat.ts';
import { joinGroupRequest, joinGroupResponse, type JoinGroupResponse } from '../protocol/messages/join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from '../protocol/messages/leave-group.ts';
import { syncGroupRequest, syncGroupResponse } from '../protocol/messages/sync-group.ts';
import { assignors, type Assignment, type MemberWish } from './assignors.ts';
import { kafkaErrorOf, type BrokerLink } from './broker-link.ts';
import type { Committer } from './committed-offsets.ts';
import {
  CONSUMER_PROTOCOL_TYPE,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from '../protocol/consumer-protocol.ts';
import { linkToCoordinator } from './coordinators.ts';
import { persisting, type Membership, type MembershipOptions } from './group-membership.ts';
import type { TopicPartition } from './list-offsets.ts';

const joinGroup = { request: joinGroupRequest, response: joinGroupResponse };
const syncGroup = { request: syncGroupRequest, response: syncGroupResponse };
const heartbeat = { request: heartbeatRequest, response: heartbeatResponse };
const leaveGroup = { request: leaveGroupRequest, response: leaveGroupResponse };

/** From here on several leave with one request (KIP-345). */
const FIRST_VERSION_WITH_LEAVERS = 3;
/** The share is over; the group goes on with another generation. */
const overs: readonly (ErrorName | 'NONE' | undefined)[] = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'];

export class ClassicMembership implements Membership {
  readonly #options: MembershipOptions;
  #memberId = '';
  #generation = -1;
  #joined = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  get heartbeatIntervalMs(): number {
    return this.#options.heartbeatIntervalMs;
  }

  get committer(): Committer | undefined {
    if (!this.#joined) return undefined;
    return { memberId: this.#memberId, generation: this.#generation, instanceId: this.#options.instanceId ?? null };
  }

  join(): Promise<readonly TopicPartition[]> {
    return persisting(this.#options.cluster, async () => {
      for (;;) {
        const share = await this.#joinOnce();
        if (share !== undefined) return share;
      }
    });
  }

  /** All members get their whole share at once; who has to wait for a partition joins again. */
  isSettled(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async heartbeat(): Promise<boolean> {
    const { groupId, instanceId = null, cluster } = this.#options;
    const { errorCode } = await persisting(cluster, async () => {
      const link = await this.#link();
      const answer = await link.request(heartbeat, {
        groupId,
        generationId: this.#generation,
        memberId: this.#memberId,
        groupInstanceId: instanceId,
      });
      if (answer.errorCode !== NONE && !overs.includes(errorNameOf(answer.errorCode))) throw kafkaErrorOf(answer.errorCode, null);
      return answer;
    });
    if (errorCode === NONE) return true;
    this.#noteLoss(errorNameOf(errorCode));
    return false;
  }

  async leave(): Promise<void> {
    const { groupId, instanceId } = this.#options;
    // A static member stays in the group while it is away: that is what its name is for.
    if (this.#memberId === '' || instanceId !== undefined) return;
    const memberId = this.#memberId;
    this.#lose();
    try {
      // Not over the member's own link: a JoinGroup may be held back on it.
      const link = await linkToCoordinator(this.#options.cluster, groupId);
      const members = [{ memberId, groupInstanceId: null, reason: 'the consumer ends' }];
      await link.request(leaveGroup, (version) =>
        version < FIRST_VERSION_WITH_LEAVERS ? { groupId, memberId, members: [] } : { groupId, memberId: '', members },
      );
    } catch {
      // The session times out instead.
    }
  }

  #link(): Promise<BrokerLink> {
    return linkToCoordinator(this.#options.cluster, this.#options.groupId, 'group member');
  }

  /** Undefined: once more, the group has moved on. */
  async #joinOnce(): Promise<readonly TopicPartition[] | undefined> {
    this.#joined = false;
    const { groupId, topics, instanceId = null, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const link = await this.#link();
    const metadata = encodeSubscription({ topics, userData: null, ownedPartitions: [] });
    const answer = await link.request(
      joinGroup,
      {
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId: instanceId,
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocols: [...assignors.keys()].map((name) => ({ name, metadata })),
      },
      { waitMs: rebalanceTimeoutMs },
    );
    const name = errorNameOf(answer.errorCode);
    if (name === 'MEMBER_ID_REQUIRED') {
      this.#memberId = answer.memberId; // KIP-394: known before it joins, so that a lost answer leaves nobody behind
      return undefined;
    }
    if (name !== 'NONE') return this.#again(answer.errorCode);
    this.#memberId = answer.memberId;
    this.#generation = answer.generationId;
    const leads = answer.leader === answer.memberId && !answer.skipAssignment;
    return this.#sync(link, answer, leads ? await this.#shareOut(answer) : []);
  }

  async #sync(
    link: BrokerLink,
    { protocolType, protocolName }: JoinGroupResponse,
    assignments: readonly { memberId: string; assignment: Buffer }[],
  ): Promise<readonly TopicPartition[] | undefined> {
    const { groupId, instanceId = null, rebalanceTimeoutMs } = this.#options;
    const answer = await link.request(
      syncGroup,
      {
        groupId,
        generationId: this.#generation,
        memberId: this.#memberId,
        groupInstanceId: instanceId,
        protocolType: protocolType ?? CONSUMER_PROTOCOL_TYPE,
        protocolName,
        assignments,
      },
      { waitMs: rebalanceTimeoutMs },
    );
    if (answer.errorCode !== NONE) return this.#again(answer.errorCode);
    this.#joined = true;
    return decodeAssignment(answer.assignment).flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
  }

  /** We lead: who gets what, by the way that all members know. */
  async #shareOut({ protocolName, members }: JoinGroupResponse): Promise<{ memberId: string; assignment: Buffer }[]> {
    const wishes = members.map(({ memberId, groupInstanceId, metadata }): MemberWish => {
      const { topics, ownedPartitions, generationId } = decodeSubscription(metadata);
      const owned = ownedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
      return { memberId, instanceId: groupInstanceId, topics, owned, generation: generationId };
    });
    const assign = assignors.get(protocolName ?? '');
    if (assign === undefined)
      throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', `the group shares out partitions by '${protocolName ?? ''}'`);
    const { topics } = await this.#options.cluster.metadata([...new Set(wishes.flatMap((wish) => wish.topics))]);
    const given: Assignment = assign(wishes, new Map([...topics.values()].map(({ name, partitions }) => [name, partitions.length])));
    return [...given].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment(
        [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, ones]) => ({
          topic,
          partitions: ones.map(({ partition }) => partition),
        })),
      ),
    }));
  }

  /** @throws KafkaError for what joining again does not help against */
  #again(errorCode: number): undefined {
    if (!overs.includes(errorNameOf(errorCode))) throw kafkaErrorOf(errorCode, null);
    this.#noteLoss(errorNameOf(errorCode));
    return undefined;
  }

  #noteLoss(errorName: ErrorName | 'NONE' | undefined): void {
    // While the others are waited for, what was read in the old generation may still be committed.
    if (errorName === 'REBALANCE_IN_PROGRESS') return;
    const memberId = this.#memberId;
    this.#lose();
    if (errorName === 'ILLEGAL_GENERATION') this.#memberId = memberId;
  }

  #lose(): void {
    this.#memberId = '';
    this.#generation = -1;
    this.#joined = false;
  }
}
