// The group coordinator: takes a request about a group to the shard that keeps it. What a request does to a group stands in
// classic-*.ts, consumer-*.ts and offset-steps.ts; how steps run, in group-runner.ts.
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import type { BrokerConfig } from '../../config/broker-configs.ts';
import { check, KafkaError } from '../../protocol/errors.ts';
import type { MetadataImage } from '../image/metadata-image.ts';
import type { Partitions } from '../partitions.ts';
import type { Topics } from '../topics.ts';
import { ClassicGroup } from './classic-group.ts';
import { join, type JoinRequest } from './classic-join.ts';
import type { JoinResponse, SyncResponse } from './classic-member.ts';
import { codeOf } from './classic-rebalance.ts';
import { heartbeat, leave, sync, type HeartbeatRequest, type LeavingMember, type LeftMember, type SyncRequest } from './classic-session.ts';
import { heartbeatInConsumerGroup, joinConsumerGroup, leaveConsumerGroupAsClassic, syncConsumerGroup } from './consumer-classic-members.ts';
import { describeConsumerGroup, type DescribedConsumerGroup } from './consumer-descriptions.ts';
import { checkHeartbeat, consumerHeartbeat, type ConsumerHeartbeatRequest, type ConsumerHeartbeatResponse } from './consumer-heartbeat.ts';
import { describeGroup, listGroups, type DescribedGroup, type GroupFilters, type ListedGroup } from './group-descriptions.ts';
import { GroupRunner, rejectWaiting } from './group-runner.ts';
import { GroupUpkeep } from './group-upkeep.ts';
import type { Group, GroupsState } from './groups-state.ts';
import { offeredAssignors } from './offered-assignors.ts';
import {
  checkFetch,
  commitOffsets,
  deleteGroup,
  deleteOffsets,
  fetchOffsets,
  type AskedOffsets,
  type CommitRequest,
  type FetchedTopic,
  type FetchingMember,
  tombstonesOf,
} from './offset-steps.ts';

export interface GroupCoordinatorOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly config: () => BrokerConfig;
  readonly image: MetadataImage;
  /** The offset of the metadata log up to which the image has come. */
  readonly metadataOffset: () => number;
  readonly nodeId: number;
  readonly topics: Topics;
  readonly partitions: Partitions;
  /** A promise we made to ourselves is broken. */
  readonly onFatal: (error: unknown) => void;
}

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #runner: GroupRunner;
  readonly #upkeep: GroupUpkeep;
  #stopping = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#runner = new GroupRunner({ ...options, onLoaded: () => this.#upkeep.sweepSoon() });
    this.#upkeep = new GroupUpkeep({ ...options, runner: this.#runner });
  }

  /** Begins to read what the log has, and to look for offsets that may go. */
  start(): void {
    this.#runner.shards.loadAll();
    this.#upkeep.start();
  }

  /** The broker is about to stop: nobody is kept waiting for the others of a group any more. Everything else is still answered. */
  stopWaiting(): void {
    this.#stopping = true;
    for (const { state } of this.#runner.shards.all()) if (state !== undefined) rejectWaiting(state, stopping());
  }

  /** Steps fail from here on. */
  async close(): Promise<void> {
    this.#upkeep.close();
    await this.#runner.close();
  }

  /** Node id; undefined when nobody keeps the group now. @throws KafkaError COORDINATOR_NOT_AVAILABLE */
  async findOwner(groupId: string): Promise<number | undefined> {
    await this.#runner.shards.ensureTopic();
    return this.#runner.shards.ownerOf(groupId);
  }

  // --- the classic protocol

  async join(request: JoinRequest): Promise<JoinResponse> {
    const { groupId, memberId, sessionTimeoutMs } = request;
    if (this.#stopping) throw stopping();
    check(groupId !== '', 'INVALID_GROUP_ID');
    const config = this.#options.config();
    check(
      sessionTimeoutMs >= config['group.min.session.timeout.ms'] && sessionTimeoutMs <= config['group.max.session.timeout.ms'],
      'INVALID_SESSION_TIMEOUT',
    );
    await this.#runner.shards.ensureTopic();
    return this.#runner.held<JoinResponse>(groupId, (state, waiter, step) => {
      const known = state.find(groupId);
      if (known?.kind === 'consumer' && !known.isEmpty) {
        joinConsumerGroup(known, request, waiter, step);
        return;
      }
      const existing = known?.kind === 'classic' ? known : undefined;
      check(existing !== undefined || memberId === '', 'UNKNOWN_MEMBER_ID');
      // A consumer group that nobody is in any more gives way.
      if (known?.kind === 'consumer') step.records.push(...tombstonesOf(known));
      const group = existing ?? new ClassicGroup(groupId, step.wallMs);
      if (existing === undefined) state.groups.set(groupId, group);
      const before = step.records.length;
      join(group, request, waiter, step);
      if (existing === undefined && step.records.length === before) step.records.push(group.bareRecord());
    });
  }

  async sync(request: SyncRequest): Promise<SyncResponse> {
    const { groupId } = request;
    if (this.#stopping) throw stopping();
    check(groupId !== '', 'INVALID_GROUP_ID');
    await this.#runner.shards.ensureTopic();
    return this.#runner.held<SyncResponse>(groupId, (state, waiter, step) => {
      const group = groupOfMember(state, groupId);
      if (group.kind === 'classic') sync(group, request, waiter, step);
      else syncConsumerGroup(group, request, waiter, step);
    });
  }

  /** The error code; without a promise unless something of the group that matters to it is still being written. */
  heartbeat(request: HeartbeatRequest): number | Promise<number> {
    check(request.groupId !== '', 'INVALID_GROUP_ID');
    const shard = this.#runner.shards.shardOf(request.groupId);
    return shard.execute<number>(
      request.groupId,
      (state) => {
        try {
          return { records: [], reply: this.#heartbeat(state, request), transient: true };
        } catch (thrown) {
          // That a member is gone or fenced may rest on what a crash could still take back.
          if (thrown instanceof KafkaError) return { records: [], reply: thrown.code };
          throw thrown;
        }
      },
      { writes: false },
    );
  }

  /** Nothing is written. In a classic group no deadline is brought forward either. */
  #heartbeat(state: GroupsState, request: HeartbeatRequest): number {
    const group = groupOfMember(state, request.groupId);
    const { nowMs } = this.#runner;
    if (group.kind === 'classic') return heartbeat(group, request, nowMs);
    const code = heartbeatInConsumerGroup(group, request, nowMs);
    this.#runner.arm(group);
    return code;
  }

  async leave(groupId: string, members: readonly LeavingMember[]): Promise<readonly LeftMember[]> {
    check(groupId !== '', 'INVALID_GROUP_ID');
    await this.#runner.shards.ensureTopic();
    return this.#runner.step(
      groupId,
      (state, step) => {
        const group = state.find(groupId);
        if (group?.kind === 'consumer') return leaveConsumerGroupAsClassic(group, members, step);
        if (group !== undefined) return leave(group, members, step);
        return members.map((member) => ({ ...member, errorCode: codeOf('UNKNOWN_MEMBER_ID') }));
      },
      { writes: true },
    );
  }

  // --- the consumer protocol (KIP-848)

  /** One that changes nothing is answered without the disk. @throws KafkaError */
  async consumerHeartbeat(
    request: ConsumerHeartbeatRequest,
    { clientMakesId }: { clientMakesId: boolean },
  ): Promise<ConsumerHeartbeatResponse> {
    checkHeartbeat(request, { clientMakesId, assignors: [...this.#assignors.keys()] });
    await this.#runner.shards.ensureTopic();
    const outcome = await this.#runner.step(
      request.groupId,
      (state, step): { response: ConsumerHeartbeatResponse } | { refusal: KafkaError } => {
        try {
          return { response: consumerHeartbeat(state, request, step) };
        } catch (thrown) {
          // That a member is gone or fenced may rest on what a crash could still take back: it is told when that is durable.
          if (!(thrown instanceof KafkaError)) throw thrown;
          step.forget();
          return { refusal: thrown };
        }
      },
      {
        writes: 'perhaps',
        // The member knows already what this says.
        transient: (outcome, { records }) =>
          'response' in outcome &&
          records.length === 0 &&
          outcome.response.memberEpoch === request.memberEpoch &&
          outcome.response.assignment === null,
      },
    );
    if ('refusal' in outcome) throw outcome.refusal;
    return outcome.response;
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND, also for a group of another kind */
  async describeConsumerGroup(groupId: string): Promise<DescribedConsumerGroup> {
    await this.#runner.shards.ensureTopic();
    const { topics } = this.#runner;
    const offered = [...this.#assignors.keys()];
    return this.#runner.shards
      .shardOf(groupId)
      .query(groupId, (state) => describeConsumerGroup(state.getConsumerGroup(groupId), { topics, offered }));
  }

  get #assignors() {
    return offeredAssignors(this.#options.config()['group.consumer.assignors']);
  }

  // --- offsets

  /** Error codes by topic and partition, in the order of the request. */
  async commitOffsets(request: CommitRequest): Promise<number[][]> {
    await this.#runner.shards.ensureTopic();
    return this.#runner.step(request.groupId, (state, step) => commitOffsets(state, request, step), { writes: true });
  }

  /** `topics` undefined asks for all. Only what is durable is answered. */
  async fetchOffsets(
    groupId: string,
    topics: readonly AskedOffsets[] | undefined,
    options: { requireStable: boolean; member: FetchingMember },
  ): Promise<FetchedTopic[]> {
    await this.#runner.shards.ensureTopic();
    return this.#runner.shards.shardOf(groupId).query(groupId, (state) => {
      checkFetch(state, groupId, options.member);
      return fetchOffsets(state, groupId, topics, options.requireStable);
    });
  }

  async deleteOffsets(groupId: string, topics: readonly { name: string; partitions: readonly number[] }[]): Promise<number[][]> {
    check(groupId !== '', 'INVALID_GROUP_ID');
    await this.#runner.shards.ensureTopic();
    return this.#runner.step(groupId, (state, step) => deleteOffsets(state, groupId, topics, step), { writes: true });
  }

  // --- what administrators ask

  /** What is loaded, without waiting for anything. */
  get figures(): { groups: number; offsets: number } {
    const figures = { groups: 0, offsets: 0 };
    for (const { state } of this.#runner.shards.all()) {
      figures.groups += state?.groups.size ?? 0;
      figures.offsets += state?.offsets.count ?? 0;
    }
    return figures;
  }

  async list(filters: GroupFilters): Promise<ListedGroup[]> {
    const listed: ListedGroup[] = [];
    for (const shard of this.#runner.shards.all()) {
      // One that has no records yet knows of no groups.
      for (const group of await shard.query(undefined, (state) => listGroups(state, filters))) listed.push(group);
    }
    return listed;
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND and what keeps the coordinator from answering */
  async describe(groupId: string): Promise<DescribedGroup> {
    await this.#runner.shards.ensureTopic();
    return this.#runner.shards.shardOf(groupId).query(groupId, (state) => describeGroup(state, groupId));
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
  async deleteGroup(groupId: string): Promise<void> {
    await this.#runner.shards.ensureTopic();
    await this.#runner.step(groupId, (state, step) => deleteGroup(state, groupId, step), { writes: true });
  }

  // --- what nobody asks for

  /** Topics have been removed: what was committed for them goes too, and is gone when this resolves. Never rejects. */
  forgetGoneTopics(): Promise<void> {
    return this.#upkeep.forgetGoneTopics();
  }
}

const stopping = (): KafkaError => new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the broker stops');

/** The group that a member says it belongs to. */
function groupOfMember(state: GroupsState, groupId: string): Group {
  const group = state.find(groupId);
  check(group !== undefined, 'UNKNOWN_MEMBER_ID');
  return group;
}
