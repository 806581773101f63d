// The group coordinator: takes a request about a group to the shard that keeps it, wakes groups whose time has come, and lets
// go of offsets that nobody needs. What a request does to a group stands in classic-*.ts and offset-steps.ts.
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import type { BrokerConfig } from '../../config/broker-configs.ts';
import { check, KafkaError } from '../../protocol/errors.ts';
import { AwakeClock } from '../coordinator/awake-clock.ts';
import type { Outcome } from '../coordinator/shard.ts';
import type { MetadataImage } from '../image/metadata-image.ts';
import type { Partitions } from '../partitions.ts';
import type { Topics } from '../topics.ts';
import { ClassicGroup } from './classic-group.ts';
import { join, type JoinRequest } from './classic-join.ts';
import type { JoinResponse, SyncResponse } from './classic-member.ts';
import { codeOf, expire } from './classic-rebalance.ts';
import { heartbeat, leave, sync, type HeartbeatRequest, type LeavingMember, type LeftMember, type SyncRequest } from './classic-session.ts';
import { GroupDeadlines } from './group-deadlines.ts';
import { describeGroup, listGroups, type DescribedGroup, type GroupFilters, type ListedGroup } from './group-descriptions.ts';
import type { GroupRecord } from './group-records.ts';
import { GroupShards, type GroupShard } from './group-shards.ts';
import { GroupStep, type Waiter } from './group-step.ts';
import { groupsMachine, type Group, type GroupsState } from './groups-state.ts';
import {
  commitOffsets,
  deleteGroup,
  deleteOffsets,
  expireOffsets,
  fetchOffsets,
  forgetGoneTopics,
  type AskedOffsets,
  type CommitRequest,
  type FetchedTopic,
} from './offset-steps.ts';

/** Groups looked at in one turn when many are. */
const GROUPS_PER_TURN = 500;

export interface GroupCoordinatorOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly config: () => BrokerConfig;
  readonly image: MetadataImage;
  readonly nodeId: number;
  readonly topics: Topics;
  readonly partitions: Partitions;
  /** A promise we made to ourselves is broken. */
  readonly onFatal: (error: unknown) => void;
}

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #shards: GroupShards;
  readonly #clock: AwakeClock;
  readonly #deadlines: GroupDeadlines;
  #cleaning: Disposable | undefined;
  #sweepIsDue = false;
  #stopping = false;
  #closed = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#clock = new AwakeClock(options.env);
    this.#deadlines = new GroupDeadlines({ clock: this.#clock, onDue: (groupId) => this.#wake(groupId) });
    this.#shards = new GroupShards({ ...options, makeMachine: () => this.#makeMachine() });
  }

  /** Begins to read what the log has, and to look for offsets that may go. */
  start(): void {
    this.#shards.loadAll();
    this.#cleanLater();
  }

  /** The broker is about to stop: nobody is kept waiting for the others of a group any more. Everything else is still answered. */
  stopWaiting(): void {
    this.#stopping = true;
    for (const { state } of this.#shards.all()) if (state !== undefined) rejectWaiting(state, stopping());
  }

  /** Steps fail from here on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cleaning?.[Symbol.dispose]();
    await this.#shards.close();
    this.#deadlines.close();
  }

  /** Node id; undefined when nobody keeps the group now. @throws KafkaError COORDINATOR_NOT_AVAILABLE */
  async findOwner(groupId: string): Promise<number | undefined> {
    await this.#shards.ensureTopic();
    return this.#shards.ownerOf(groupId);
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
    await this.#shards.ensureTopic();
    return this.#held<JoinResponse>(groupId, (state, waiter, step) => {
      const known = state.find(groupId);
      check(known !== undefined || memberId === '', 'UNKNOWN_MEMBER_ID');
      const group = known ?? new ClassicGroup(groupId, step.wallMs);
      if (known === undefined) state.groups.set(groupId, group);
      join(group, request, waiter, step);
      if (known === undefined && step.records.length === 0) step.records.push(group.bareRecord());
    });
  }

  async sync(request: SyncRequest): Promise<SyncResponse> {
    const { groupId } = request;
    if (this.#stopping) throw stopping();
    check(groupId !== '', 'INVALID_GROUP_ID');
    await this.#shards.ensureTopic();
    return this.#held<SyncResponse>(groupId, (state, waiter, step) => sync(this.#member(state, groupId), request, waiter, step));
  }

  /** The error code; without a promise unless something of the group that matters to it is still being written. */
  heartbeat(request: HeartbeatRequest): number | Promise<number> {
    check(request.groupId !== '', 'INVALID_GROUP_ID');
    const shard = this.#shards.shardOf(request.groupId);
    // No deadline is brought forward by it, and nothing is written.
    return shard.execute<number>(
      request.groupId,
      (state) => {
        try {
          const reply = heartbeat(this.#member(state, request.groupId), request, this.#clock.nowMs());
          return { records: [], reply, transient: true };
        } catch (thrown) {
          // That a member is gone or fenced may rest on what a crash could still take back.
          if (thrown instanceof KafkaError) return { records: [], reply: thrown.code };
          throw thrown;
        }
      },
      { writes: false },
    );
  }

  async leave(groupId: string, members: readonly LeavingMember[]): Promise<readonly LeftMember[]> {
    check(groupId !== '', 'INVALID_GROUP_ID');
    await this.#shards.ensureTopic();
    return this.#step(
      groupId,
      (state, step) => {
        const group = state.find(groupId);
        if (group !== undefined) return leave(group, members, step);
        return members.map((member) => ({ ...member, errorCode: codeOf('UNKNOWN_MEMBER_ID') }));
      },
      { writes: true },
    );
  }

  /** The group that a member says it belongs to. */
  #member(state: GroupsState, groupId: string): Group {
    const group = state.find(groupId);
    check(group !== undefined, 'UNKNOWN_MEMBER_ID');
    return group;
  }

  // --- offsets

  /** Error codes by topic and partition, in the order of the request. */
  async commitOffsets(request: CommitRequest): Promise<number[][]> {
    await this.#shards.ensureTopic();
    return this.#step(request.groupId, (state, step) => commitOffsets(state, request, step), { writes: true });
  }

  /** `topics` undefined asks for all. Only what is durable is answered. */
  async fetchOffsets(
    groupId: string,
    topics: readonly AskedOffsets[] | undefined,
    options: { requireStable: boolean },
  ): Promise<FetchedTopic[]> {
    await this.#shards.ensureTopic();
    return this.#shards.shardOf(groupId).query(groupId, (state) => fetchOffsets(state, groupId, topics, options.requireStable));
  }

  async deleteOffsets(groupId: string, topics: readonly { name: string; partitions: readonly number[] }[]): Promise<number[][]> {
    check(groupId !== '', 'INVALID_GROUP_ID');
    await this.#shards.ensureTopic();
    return this.#step(groupId, (state, step) => deleteOffsets(state, groupId, topics, step), { writes: true });
  }

  // --- what administrators ask

  /** What is loaded, without waiting for anything. */
  get figures(): { groups: number; offsets: number } {
    const figures = { groups: 0, offsets: 0 };
    for (const { state } of this.#shards.all()) {
      figures.groups += state?.groups.size ?? 0;
      figures.offsets += state?.offsets.count ?? 0;
    }
    return figures;
  }

  async list(filters: GroupFilters): Promise<ListedGroup[]> {
    const listed: ListedGroup[] = [];
    for (const shard of this.#shards.all()) {
      // One that has no records yet knows of no groups.
      for (const group of await shard.query(undefined, (state) => listGroups(state, filters))) listed.push(group);
    }
    return listed;
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND and what keeps the coordinator from answering */
  async describe(groupId: string): Promise<DescribedGroup> {
    await this.#shards.ensureTopic();
    return this.#shards.shardOf(groupId).query(groupId, (state) => describeGroup(state, groupId));
  }

  /** @throws KafkaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP */
  async deleteGroup(groupId: string): Promise<void> {
    await this.#shards.ensureTopic();
    await this.#step(groupId, (state, step) => deleteGroup(state, groupId, step), { writes: true });
  }

  // --- what nobody asks for

  /** Topics have been removed: what was committed for them goes too, and is gone when this resolves. Never rejects. */
  async forgetGoneTopics(): Promise<void> {
    const { image } = this.#options;
    for (const shard of this.#shards.all()) {
      if (shard.state === undefined) continue; // it looks when it is loaded
      await this.#eachGroup(shard, (state, groupId, step) => forgetGoneTopics(state, groupId, image, step));
    }
  }

  /** A crash may have come between the removal of a topic and that of its offsets. Once for all shards that are loaded together. */
  #sweepSoon(): void {
    if (this.#sweepIsDue) return;
    this.#sweepIsDue = true;
    this.#options.env.defer(() => {
      this.#sweepIsDue = false;
      this.forgetGoneTopics().catch(this.#options.onFatal);
    });
  }

  #cleanLater(): void {
    const { env, config } = this.#options;
    this.#cleaning = env.timer(
      config()['offsets.retention.check.interval.ms'],
      () => {
        this.#clean()
          .catch(this.#options.onFatal)
          .finally(() => {
            if (!this.#closed) this.#cleanLater();
          });
      },
      { unref: true },
    );
  }

  async #clean(): Promise<void> {
    for (const shard of this.#shards.all()) {
      if (shard.state === undefined) continue;
      await this.#eachGroup(shard, (state, groupId, step) => {
        const group = state.find(groupId);
        if (group !== undefined) expireOffsets(state, group, step);
      });
    }
  }

  /** A step for each group of a shard, with turns for others in between. Stops at the first that is refused; the next time comes. */
  async #eachGroup(shard: GroupShard, look: (state: GroupsState, groupId: string, step: GroupStep) => void): Promise<void> {
    const { env, log } = this.#options;
    const groupIds = [...(shard.state?.groups.keys() ?? [])];
    try {
      for (const [at, groupId] of groupIds.entries()) {
        if (this.#closed) return;
        // Seldom is there anything to do, and a step that may write is refused while the disk takes nothing.
        const state = shard.state;
        const trial = this.#newStep();
        if (state !== undefined) look(state, groupId, trial);
        if (trial.records.length > 0)
          await this.#stepOn(shard, groupId, (state, step) => look(state, groupId, step), { writes: true, transient: true });
        if (at % GROUPS_PER_TURN === GROUPS_PER_TURN - 1) await new Promise<void>((resume) => env.defer(resume));
      }
      await shard.query(undefined, () => undefined);
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) throw thrown;
      log.warn('offsets that may go stay for now', { error: thrown });
    }
  }

  // --- below: how

  /** A step whose caller is answered when its turn comes, perhaps by the step of another. */
  async #held<Response>(groupId: string, run: (state: GroupsState, waiter: Waiter<Response>, step: GroupStep) => void): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    // When the log refuses the step, the step itself throws: then nobody looks at this one.
    promise.catch(() => undefined);
    await this.#step(groupId, (state, step) => run(state, { resolve, reject }, step), { writes: true, transient: true });
    return promise;
  }

  #step<Reply>(
    groupId: string,
    run: (state: GroupsState, step: GroupStep) => Reply,
    options: { writes: boolean; transient?: boolean },
  ): Reply | Promise<Reply> {
    return this.#stepOn(this.#shards.shardOf(groupId), groupId, run, options);
  }

  #stepOn<Reply>(
    shard: GroupShard,
    groupId: string,
    run: (state: GroupsState, step: GroupStep) => Reply,
    { writes, transient = false }: { writes: boolean; transient?: boolean },
  ): Reply | Promise<Reply> {
    return shard.execute(
      groupId,
      (state): Outcome<GroupRecord, Reply> => {
        const step = this.#newStep();
        const reply = run(state, step);
        const group = state.find(groupId);
        if (group !== undefined) this.#deadlines.arm(groupId, group.earliestDeadlineMs);
        return { records: step.records, answers: step.answers, reply, transient };
      },
      { writes },
    );
  }

  #newStep(): GroupStep {
    const { env, config } = this.#options;
    return new GroupStep({
      clockMs: () => this.#clock.nowMs(),
      wallMs: env.wallMs(),
      config: config(),
      newUuid: () => formatUuid(env.randomBytes(16)),
      onDeadline: (group) => this.#deadlines.arm(group.groupId, group.earliestDeadlineMs),
    });
  }

  #wake(groupId: string): void {
    try {
      const done = this.#step(
        groupId,
        (state, step) => {
          const group = state.find(groupId);
          if (group === undefined) return;
          expire(group, step);
          group.findEarliestDeadline();
        },
        // Silent members go also while the disk takes nothing; only a record that follows would be refused.
        { writes: false, transient: true },
      );
      if (done instanceof Promise) done.catch(this.#options.onFatal);
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) this.#options.onFatal(thrown);
    }
  }

  #makeMachine() {
    return groupsMachine({
      onLoaded: (state) => this.#loaded(state),
      onDropped: (state, error) => this.#dropped(state, error),
    });
  }

  /** Members of the last generation have their session to come back; nobody knows how long the broker was away. */
  #loaded(state: GroupsState): void {
    const nowMs = this.#clock.nowMs();
    for (const group of state.groups.values()) {
      for (const member of group.members.values()) group.heardOf(member, nowMs);
      this.#deadlines.arm(group.groupId, group.earliestDeadlineMs);
    }
    if (state.groups.size > 0) this.#sweepSoon();
  }

  #dropped(state: GroupsState, error: KafkaError): void {
    for (const groupId of state.groups.keys()) this.#deadlines.disarm(groupId);
    rejectWaiting(state, error);
  }
}

const stopping = (): KafkaError => new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the broker stops');

function rejectWaiting(state: GroupsState, error: KafkaError): void {
  for (const group of state.groups.values())
    for (const member of group.members.values()) {
      member.awaitingJoin?.reject(error);
      member.awaitingSync?.reject(error);
      member.awaitingJoin = undefined;
      member.awaitingSync = undefined;
    }
}

/** As Java's UUID.randomUUID writes it. */
function formatUuid(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  buffer.writeUInt8((buffer.readUInt8(6) & 0x0f) | 0x40, 6);
  buffer.writeUInt8((buffer.readUInt8(8) & 0x3f) | 0x80, 8);
  return buffer.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
