// A member of a consumer group (KIP-848): one request, ConsumerGroupHeartbeat, joins, stays, hears of a new share, says that
// the old one is given up, and leaves. The broker shares out.
import { errorNameOf, KafkaError, NONE } from '../protocol/errors.ts';
import {
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
  type ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import { kafkaErrorOf } from './broker-link.ts';
import { byPartition, type Committer } from './committed-offsets.ts';
import { linkToCoordinator } from './coordinators.ts';
import { describeGroups } from './groups.ts';
import { persisting, type Membership, type MembershipOptions } from './group-membership.ts';
import { partitionKey, type TopicPartition } from './list-offsets.ts';

const heartbeatTables = { request: consumerGroupHeartbeatRequest, response: consumerGroupHeartbeatResponse };

const JOINING = 0;
const LEAVING = -1;
/** A static member that means to come back. */
const LEAVING_FOR_A_WHILE = -2;
/** The group does not know this member in this epoch any more: it has to come in anew. */
const fencings: ReadonlySet<string | undefined> = new Set(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID']);

type Share = readonly TopicPartition[];

export class ConsumerMembership implements Membership {
  readonly #options: MembershipOptions;
  readonly #memberId: string;
  #epoch = JOINING;
  #asked = false;
  #intervalMs: number;
  #owned: Share = [];
  /** What the broker wants it to have next. */
  #next: Share | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#intervalMs = options.heartbeatIntervalMs;
    // Chosen by the member (KIP-1082), so that a lost answer leaves nobody behind.
    this.#memberId = Buffer.from(Array.from({ length: 16 }, () => Math.floor(options.cluster.env.random() * 256))).toString('base64url');
  }

  get heartbeatIntervalMs(): number {
    return this.#intervalMs;
  }

  get committer(): Committer | undefined {
    if (this.#epoch <= JOINING) return undefined;
    return { memberId: this.#memberId, generation: this.#epoch, instanceId: this.#options.instanceId ?? null };
  }

  /** Whoever calls it reads nothing at the moment: what is not in the new share has been given up. */
  async join(): Promise<Share> {
    for (;;) {
      const answer = this.#epoch === JOINING ? await this.#beat(JOINING, []) : await this.#beat(this.#epoch, this.#next ?? this.#owned);
      if (answer === undefined) continue;
      this.#owned = this.#next ?? this.#owned;
      this.#next = await this.#shareIn(answer);
      if (this.#next === undefined || isSame(this.#next, this.#owned)) return this.#owned;
    }
  }

  async isSettled(): Promise<boolean> {
    const { cluster, groupId } = this.#options;
    const group = (await describeGroups(cluster, [groupId])).get(groupId);
    return group === undefined || group instanceof KafkaError || group.state === 'Stable';
  }

  async heartbeat(): Promise<boolean> {
    const answer = await this.#beat(this.#epoch, null);
    if (answer === undefined) return false;
    const share = await this.#shareIn(answer);
    if (share === undefined || isSame(share, this.#owned)) return true;
    this.#next = share;
    return false;
  }

  async leave(): Promise<void> {
    if (!this.#asked) return;
    this.#epoch = JOINING;
    try {
      await this.#ask(this.#options.instanceId === undefined ? LEAVING : LEAVING_FOR_A_WHILE, null);
    } catch {
      // The session times out instead.
    }
  }

  /** Undefined: it is out, and comes in anew. @throws KafkaError that will not pass, and what a link throws */
  #beat(epoch: number, owned: Share | null): Promise<ConsumerGroupHeartbeatResponse | undefined> {
    return persisting(this.#options.cluster, async () => {
      const answer = await this.#ask(epoch, owned);
      if (fencings.has(errorNameOf(answer.errorCode)) && epoch !== JOINING) {
        this.#epoch = JOINING;
        this.#owned = [];
        this.#next = undefined;
        return undefined;
      }
      if (answer.errorCode !== NONE) throw kafkaErrorOf(answer.errorCode, answer.errorMessage);
      this.#epoch = answer.memberEpoch;
      this.#intervalMs = answer.heartbeatIntervalMs;
      return answer;
    });
  }

  async #ask(memberEpoch: number, owned: Share | null): Promise<ConsumerGroupHeartbeatResponse> {
    const { cluster, groupId, instanceId = null, rebalanceTimeoutMs, topics } = this.#options;
    const joins = memberEpoch === JOINING;
    this.#asked = true; // whether it is in or not: an answer may be lost
    const topicPartitions = owned && (await this.#byId(owned));
    const link = await linkToCoordinator(cluster, groupId, 'group member');
    return link.request(heartbeatTables, {
      groupId,
      memberId: this.#memberId,
      memberEpoch,
      instanceId,
      rebalanceTimeoutMs: joins ? rebalanceTimeoutMs : -1,
      subscribedTopicNames: joins ? topics : null,
      topicPartitions,
    });
  }

  async #byId(share: Share) {
    const { cluster } = this.#options;
    const byTopic = [...Map.groupBy(share, ({ topic }) => topic)];
    return Promise.all(
      byTopic.map(async ([topic, partitions]) => {
        const { id } = await cluster.topic(topic);
        if (id === undefined) throw new KafkaError('UNKNOWN_TOPIC_ID', `${topic} has no id`);
        return { topicId: id, partitions: partitions.map(({ partition }) => partition) };
      }),
    );
  }

  /** Undefined where nothing has changed. */
  async #shareIn({ assignment }: ConsumerGroupHeartbeatResponse): Promise<Share | undefined> {
    if (assignment === null) return undefined;
    const { topics } = await this.#options.cluster.metadata(this.#options.topics);
    const names = new Map([...topics.values()].map(({ id, name }) => [id, name]));
    return assignment.topicPartitions.flatMap(({ topicId, partitions }) => {
      const topic = names.get(topicId); // one that was removed in this moment has nothing to read
      return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }));
    });
  }
}

const isSame = (a: Share, b: Share): boolean => a.length === b.length && textOf(a) === textOf(b);
const textOf = (share: Share): string => share.toSorted(byPartition).map(partitionKey).join(' ');
