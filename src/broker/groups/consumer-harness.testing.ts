// One consumer group for tests (see steps-harness.testing.ts), and consumers that send heartbeats to it as clients do: everything
// when they join, afterwards what has changed, and what they hold once they have let go of something.
import { checkHeartbeat, consumerHeartbeat, type ConsumerHeartbeatRequest, type ConsumerHeartbeatResponse } from './consumer-heartbeat.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { lookUpRegexes, takeResolvedRegexes } from './consumer-regexes.ts';
import { refusalOf, StepsHarness } from './steps-harness.testing.ts';
import { NO_PARTITIONS, type TopicPartitions } from './topic-partitions.ts';

export type Outcome = 'NONE' | ReturnType<typeof refusalOf>;

export class ConsumerHarness extends StepsHarness {
  get group(): ConsumerGroup {
    return this.state.getConsumerGroup(this.groupId);
  }

  consumer(memberId: string, options: ConsumerOptions = {}): TestConsumer {
    return new TestConsumer(this, memberId, options);
  }

  /** @throws KafkaError */
  heartbeat(request: ConsumerHeartbeatRequest): ConsumerHeartbeatResponse {
    checkHeartbeat(request, { clientMakesId: true, assignors: this.config['group.consumer.assignors'] });
    return this.run((step, state) => consumerHeartbeat(state, request, step));
  }

  /** Heartbeats go round until nobody hears anything new. */
  settle(...consumers: readonly TestConsumer[]): void {
    for (let round = 0; round < 20; round += 1) {
      const before = JSON.stringify(consumers.map(({ epoch, assigned }) => [epoch, assigned]));
      for (const consumer of consumers) consumer.beat();
      if (JSON.stringify(consumers.map(({ epoch, assigned }) => [epoch, assigned])) === before) return;
    }
    throw new Error('the group does not come to rest');
  }

  /** The lookups that were asked for are done now. */
  lookUp(): void {
    for (const { groupId, regexes, maySee } of this.refreshes.splice(0)) {
      const { names, metadataOffset: version } = this.topics;
      const lookup = lookUpRegexes(regexes, { names: [...names], maySee, version, wallMs: this.wallMs });
      let turn = lookup.next();
      while (turn.done !== true) turn = lookup.next();
      const resolved = turn.value;
      this.run((step, state) => {
        const group = state.find(groupId);
        if (group?.kind === 'consumer') takeResolvedRegexes(group, resolved, step);
      });
    }
  }

  /** By the names of the topics, for tests to read. */
  named(partitions: TopicPartitions): Record<string, readonly number[]> {
    return Object.fromEntries([...partitions].map(([topicId, list]) => [this.topics.nameOf(topicId) ?? topicId, list]));
  }
}

export interface ConsumerOptions {
  readonly topics?: readonly string[] | null;
  readonly regex?: string | null;
  readonly instanceId?: string | null;
  readonly rackId?: string | null;
  readonly assignor?: string | null;
  readonly rebalanceTimeoutMs?: number;
  readonly maySee?: (topic: string) => boolean;
  /** It does not let go of what it is asked to. */
  readonly clings?: boolean;
}

export class TestConsumer {
  readonly #harness: ConsumerHarness;
  readonly #options: ConsumerOptions;
  readonly memberId: string;
  epoch = 0;
  heartbeatIntervalMs = 0;
  /** What it holds. */
  held: TopicPartitions = NO_PARTITIONS;
  #toldHeld: TopicPartitions | undefined;
  #mustTellAll = false;

  constructor(harness: ConsumerHarness, memberId: string, options: ConsumerOptions) {
    this.#harness = harness;
    this.memberId = memberId;
    this.#options = options;
  }

  get assigned(): Record<string, readonly number[]> {
    return this.#harness.named(this.held);
  }

  /** The whole request, as when joining, with what it holds. */
  get whole(): ConsumerHeartbeatRequest {
    const {
      topics = ['orders'],
      regex = null,
      instanceId = null,
      rackId = null,
      assignor = null,
      rebalanceTimeoutMs = 30_000,
    } = this.#options;
    return {
      groupId: this.#harness.groupId,
      memberId: this.memberId,
      memberEpoch: this.epoch,
      instanceId,
      rackId,
      rebalanceTimeoutMs,
      subscribedTopicNames: topics,
      subscribedTopicRegex: regex,
      serverAssignor: assignor,
      owned: this.held,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      maySee: this.#options.maySee ?? (() => true),
    };
  }

  beat(changes: Partial<ConsumerHeartbeatRequest> = {}): Outcome {
    const { whole } = this;
    if (this.epoch === 0) {
      this.held = NO_PARTITIONS;
      return this.send({ ...whole, owned: NO_PARTITIONS, ...changes });
    }
    if (this.#mustTellAll) {
      this.#mustTellAll = false;
      return this.send({ ...whole, ...changes });
    }
    const owned = this.#toldHeld === this.held ? null : this.held;
    this.#toldHeld = this.held;
    const nothingNew = {
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
    };
    return this.send({ ...whole, ...nothingNew, owned, ...changes });
  }

  /** The answer gets lost on the way: the next heartbeat tells everything again. */
  beatInVain(): void {
    const { epoch, held } = this;
    this.beat();
    this.epoch = epoch;
    this.held = held;
    this.#mustTellAll = true;
  }

  send(request: ConsumerHeartbeatRequest): Outcome {
    try {
      const response = this.#harness.heartbeat(request);
      this.epoch = response.memberEpoch;
      this.heartbeatIntervalMs = response.heartbeatIntervalMs;
      if (response.assignment !== null && this.#options.clings !== true) this.held = response.assignment;
      else if (response.assignment !== null && this.held.size === 0) this.held = response.assignment;
      this.lastAssignment = response.assignment === null ? undefined : this.#harness.named(response.assignment);
      return 'NONE';
    } catch (thrown) {
      return refusalOf(thrown);
    }
  }

  /** Of the last answer, if there was one in it. */
  lastAssignment: Record<string, readonly number[]> | undefined;

  leave(): Outcome {
    return this.beat({ memberEpoch: -1 });
  }

  /** As a static member that will come back. */
  leaveForNow(): Outcome {
    return this.beat({ memberEpoch: -2 });
  }
}
