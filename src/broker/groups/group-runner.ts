// Runs steps on groups: on the shard that keeps them, with what a step needs; wakes groups whose time has come; and tells those
// who wait when a shard is thrown away. Which step a request is, the coordinator decides.
import type { Env } from '../../base/env.ts';
import type { Logger } from '../../base/log.ts';
import type { BrokerConfig } from '../../config/broker-configs.ts';
import { resolveGroupConfig } from '../../config/group-configs.ts';
import { KafkaError } from '../../protocol/errors.ts';
import { AwakeClock } from '../coordinator/awake-clock.ts';
import type { Outcome, Writes } from '../coordinator/shard.ts';
import { resourceTypes, type MetadataImage } from '../image/metadata-image.ts';
import type { Partitions } from '../partitions.ts';
import type { Topics } from '../topics.ts';
import { expire } from './classic-rebalance.ts';
import { sessionTimeoutOf, STATIC_LEAVE_EPOCH } from './consumer-member.ts';
import { expireConsumerMembers } from './consumer-membership.ts';
import { watchRevocation } from './consumer-update.ts';
import { ConsumerRegexRefreshes } from './consumer-regex-refreshes.ts';
import { GroupDeadlines } from './group-deadlines.ts';
import type { GroupRecord } from './group-records.ts';
import { GroupShards, type GroupShard } from './group-shards.ts';
import { GroupStep, type Waiter } from './group-step.ts';
import { GroupTopics } from './group-topics.ts';
import { offeredAssignors } from './offered-assignors.ts';
import { groupsMachine, type Group, type GroupsState } from './groups-state.ts';

export interface GroupRunnerOptions {
  readonly env: Env;
  readonly log: Logger;
  readonly config: () => BrokerConfig;
  readonly image: MetadataImage;
  /** The offset of the metadata log up to which the image has come. */
  readonly metadataOffset: () => number;
  readonly nodeId: number;
  readonly topics: Topics;
  readonly partitions: Partitions;
  /** The records of a shard that has some groups have been read. */
  readonly onLoaded: () => void;
  /** A promise we made to ourselves is broken. */
  readonly onFatal: (error: unknown) => void;
}

/** When the log refuses what is due, it is tried again after so long. */
const RETRY_DUE_MS = 1000;

export class GroupRunner {
  readonly #options: GroupRunnerOptions;
  readonly shards: GroupShards;
  readonly #clock: AwakeClock;
  readonly #deadlines: GroupDeadlines;
  readonly #topics: GroupTopics;
  readonly #regexRefreshes: ConsumerRegexRefreshes;

  constructor(options: GroupRunnerOptions) {
    this.#options = options;
    this.#clock = new AwakeClock(options.env);
    this.#topics = new GroupTopics(options);
    this.#deadlines = new GroupDeadlines({ clock: this.#clock, onDue: (groupId) => this.#wake(groupId) });
    this.#regexRefreshes = new ConsumerRegexRefreshes({
      ...options,
      topics: this.#topics,
      step: (groupId, run) => Promise.resolve(this.step(groupId, run, { writes: 'perhaps' })),
    });
    this.shards = new GroupShards({ ...options, makeMachine: () => this.#makeMachine() });
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  get topics(): GroupTopics {
    return this.#topics;
  }

  async close(): Promise<void> {
    await this.#regexRefreshes.close();
    await this.shards.close();
    this.#deadlines.close();
  }

  /** A step whose caller is answered when its turn comes, perhaps by the step of another. */
  async held<Response>(groupId: string, run: (state: GroupsState, waiter: Waiter<Response>, step: GroupStep) => void): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    // When the log refuses the step, the step itself throws: then nobody looks at this one.
    promise.catch(() => undefined);
    await this.step(groupId, (state, step) => run(state, { resolve, reject }, step), { writes: true, transient: true });
    return promise;
  }

  /** @throws KafkaError what the step throws, and what keeps the coordinator from answering */
  step<Reply>(
    groupId: string,
    run: (state: GroupsState, step: GroupStep) => Reply,
    options: { writes: Writes; transient?: boolean | ((reply: Reply, step: GroupStep) => boolean) },
  ): Reply | Promise<Reply> {
    return this.stepOn(this.shards.shardOf(groupId), groupId, run, options);
  }

  stepOn<Reply>(
    shard: GroupShard,
    groupId: string,
    run: (state: GroupsState, step: GroupStep) => Reply,
    { writes, transient = false }: { writes: Writes; transient?: boolean | ((reply: Reply, step: GroupStep) => boolean) },
  ): Reply | Promise<Reply> {
    return shard.execute(
      groupId,
      (state): Outcome<GroupRecord, Reply> => {
        const step = this.newStep(state);
        const reply = run(state, step);
        const group = state.find(groupId);
        if (group !== undefined) this.arm(group);
        return {
          records: step.records,
          answers: step.answers,
          reply,
          transient: typeof transient === 'boolean' ? transient : transient(reply, step),
        };
      },
      { writes },
    );
  }

  newStep(state: GroupsState): GroupStep {
    const { env, config, image } = this.#options;
    const brokerConfig = config();
    return new GroupStep({
      clockMs: () => this.#clock.nowMs(),
      wallMs: env.wallMs(),
      config: brokerConfig,
      groupConfig: (groupId) => resolveGroupConfig(brokerConfig, image.configOf(resourceTypes.group, groupId)),
      topics: this.#topics,
      assignors: offeredAssignors(brokerConfig['group.consumer.assignors']),
      regexRefreshes: this.#regexRefreshes,
      newUuid: () => formatUuid(env.randomBytes(16)),
      findGroup: (groupId) => state.find(groupId),
      onDeadline: (group) => this.arm(group),
    });
  }

  /** Sees to it that the group is woken when something of it is due. */
  arm(group: Group): void {
    this.#deadlines.arm(group.groupId, group.earliestDeadlineMs);
  }

  #wake(groupId: string): void {
    let isConsumerGroup = false;
    try {
      const shard = this.shards.shardOf(groupId);
      // Silent members of a classic group go also while the disk takes nothing; only a record that follows would be refused. One of
      // a consumer group does not go without a record.
      isConsumerGroup = shard.state?.find(groupId)?.kind === 'consumer';
      const writes = isConsumerGroup ? 'perhaps' : false;
      const done = this.stepOn(shard, groupId, (state, step) => expireMembers(state.find(groupId), step), { writes, transient: true });
      if (done instanceof Promise) done.catch(this.#options.onFatal);
    } catch (thrown) {
      if (!(thrown instanceof KafkaError)) this.#options.onFatal(thrown);
      else if (isConsumerGroup) {
        // The step has armed what is due already, and would be refused again at once, without end.
        this.#deadlines.disarm(groupId);
        this.#deadlines.arm(groupId, this.#clock.nowMs() + RETRY_DUE_MS);
      }
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
    for (const group of state.groups.values()) {
      restartSessions(group, this.newStep(state));
      this.arm(group);
    }
    if (state.groups.size > 0) this.#options.onLoaded();
  }

  #dropped(state: GroupsState, error: KafkaError): void {
    for (const groupId of state.groups.keys()) this.#deadlines.disarm(groupId);
    rejectWaiting(state, error);
  }
}

/** Does what is due by now. */
export function expireMembers(group: Group | undefined, step: GroupStep): void {
  if (group === undefined) return;
  if (group.kind === 'classic') expire(group, step);
  else expireConsumerMembers(group, step);
  group.findEarliestDeadline();
}

export function restartSessions(group: Group, step: GroupStep): void {
  if (group.kind === 'classic') {
    for (const member of group.members.values()) group.heardOf(member, step.nowMs);
    return;
  }
  const config = step.groupConfig(group.groupId);
  for (const member of group.members.values()) {
    const session = group.sessionOf(member.memberId);
    session.deadlineMs = step.nowMs + sessionTimeoutOf(member, config);
    group.noteDeadline(session.deadlineMs);
    // One that has left for a while has nothing to let go of any more, though its record says that it was asked to (Kafka 4.2 gives
    // its chair away after the rebalance timeout then).
    const mustLetGo = member.state === 'unrevoked' && member.classic === null && member.memberEpoch !== STATIC_LEAVE_EPOCH;
    if (mustLetGo) watchRevocation(group, member, step);
  }
}

export function rejectWaiting(state: GroupsState, error: KafkaError): void {
  for (const group of state.groups.values()) {
    if (group.kind === 'consumer') continue; // there nobody waits for others
    for (const member of group.members.values()) {
      member.awaitingJoin?.reject(error);
      member.awaitingSync?.reject(error);
      member.awaitingJoin = undefined;
      member.awaitingSync = undefined;
    }
  }
}

/** As Java's UUID.randomUUID writes it. */
function formatUuid(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  buffer.writeUInt8((buffer.readUInt8(6) & 0x0f) | 0x40, 6);
  buffer.writeUInt8((buffer.readUInt8(8) & 0x3f) | 0x80, 8);
  return buffer.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
