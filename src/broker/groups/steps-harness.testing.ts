// Groups for tests, without broker, disk or wire: steps run at once, on a clock that a test moves, and what waits for the disk
// waits until the test says that it has written. Topics are made by the records of a metadata log.
import { resolveBrokerConfig, type BrokerConfig } from '../../config/broker-configs.ts';
import { resolveGroupConfig } from '../../config/group-configs.ts';
import { KafkaError } from '../../protocol/errors.ts';
import type { MetadataRecord, NewMetadataRecord } from '../../storage/metadata/metadata-records.ts';
import { newUuid } from '../../storage/directory-ids.ts';
import type { Answer } from '../coordinator/shard.ts';
import { MetadataImage, resourceTypes } from '../image/metadata-image.ts';
import { decodeGroupRecord, encodeGroupRecord, type GroupRecord } from './group-records.ts';
import { expireMembers, restartSessions } from './group-runner.ts';
import { GroupStep, type MaySee } from './group-step.ts';
import { GroupTopics } from './group-topics.ts';
import { GroupsState } from './groups-state.ts';
import { offeredAssignors } from './offered-assignors.ts';

const START_WALL_MS = Date.UTC(2024, 0, 1);
const NODE_ID = 1;

export interface RegexRefresh {
  readonly groupId: string;
  readonly regexes: readonly string[];
  readonly maySee: MaySee;
}

export class StepsHarness {
  readonly groupId = 'readers';
  readonly image = new MetadataImage();
  state = new GroupsState();
  nowMs = 0;
  /** Everything appended, as it lies in the log. */
  readonly log: { readonly key: Buffer; readonly value: Buffer | null }[] = [];
  config: BrokerConfig;
  /** The records of the last step. */
  lastRecords: readonly GroupRecord[] = [];
  /** Lookups of regular expressions that have been asked for and are not done. */
  refreshes: RegexRefresh[] = [];
  topics: GroupTopics;
  #metadataOffset = 0;
  #diskIsSlow = false;
  #waiting: Answer[] = [];
  #ids = 0;

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.config = resolveBrokerConfig({ static: new Map(Object.entries(settings)) });
    this.state.live = true;
    this.topics = this.#newTopics();
  }

  get wallMs(): number {
    return START_WALL_MS + this.nowMs;
  }

  /** From now on what must be durable waits. */
  slowDown(): void {
    this.#diskIsSlow = true;
  }

  /** What waited is durable. */
  written(): void {
    this.#diskIsSlow = false;
    for (const answer of this.#waiting.splice(0)) answer.deliver();
  }

  /** Only what lies in the log is left; sessions begin anew. */
  restart(): void {
    this.state = new GroupsState();
    this.topics = this.#newTopics();
    this.refreshes = [];
    for (const [offset, bytes] of this.log.entries()) {
      const record = decodeGroupRecord(bytes);
      if (record !== undefined) this.state.apply(record, { offset, producerId: -1 });
    }
    this.state.live = true;
    for (const group of this.state.groups.values()) restartSessions(group, this.#newStep());
  }

  run<Reply>(run: (step: GroupStep, state: GroupsState) => Reply): Reply {
    const step = this.#newStep();
    const reply = run(step, this.state);
    this.lastRecords = [...step.records];
    for (const record of step.records) this.append(record);
    for (const answer of step.answers) {
      if (answer.transient || !this.#diskIsSlow) answer.deliver();
      else this.#waiting.push(answer);
    }
    return reply;
  }

  append(record: GroupRecord): void {
    this.state.apply(record, { offset: this.log.length, producerId: -1 });
    this.log.push(encodeGroupRecord(record));
  }

  /** Moves the clock, and does what comes due on the way. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let wakes = 0; wakes < 100_000; wakes += 1) {
      const group = this.state.find(this.groupId);
      if (group === undefined || group.earliestDeadlineMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, group.earliestDeadlineMs);
      this.run((step) => expireMembers(group, step));
    }
    this.nowMs = untilMs;
  }

  // --- topics

  makeTopic(name: string, partitionCount: number): string {
    const topicId = newUuid({ randomBytes: (count) => Buffer.alloc(count, `${name}${(this.#ids += 1)}`) });
    this.changeMetadata({ type: 'TopicRecord', value: { name, topicId } });
    this.growTopic(name, partitionCount);
    return topicId;
  }

  /** To so many partitions. */
  growTopic(name: string, partitionCount: number): void {
    const topic = this.image.findTopic(name);
    if (topic === undefined) throw new Error(`there is no topic ${name}`);
    for (let partitionId = topic.partitions.length; partitionId < partitionCount; partitionId += 1)
      this.changeMetadata({
        type: 'PartitionRecord',
        value: {
          partitionId,
          topicId: topic.id,
          replicas: [NODE_ID],
          isr: [NODE_ID],
          removingReplicas: [],
          addingReplicas: [],
          leader: NODE_ID,
          leaderEpoch: 0,
          partitionEpoch: 0,
          directories: [],
        },
      });
  }

  removeTopic(name: string): void {
    this.changeMetadata({ type: 'RemoveTopicRecord', value: { topicId: this.image.findTopic(name)?.id ?? '' } });
  }

  setGroupConfig(name: string, value: string): void {
    this.changeMetadata({
      type: 'ConfigRecord',
      value: { resourceType: resourceTypes.group, resourceName: this.groupId, name, value },
    });
  }

  changeMetadata(record: NewMetadataRecord): void {
    this.#metadataOffset += 1;
    this.image.apply(record as MetadataRecord);
  }

  // --- below: how

  #newTopics(): GroupTopics {
    return new GroupTopics({ image: this.image, metadataOffset: () => this.#metadataOffset });
  }

  #newStep(): GroupStep {
    return new GroupStep({
      clockMs: () => this.nowMs,
      wallMs: this.wallMs,
      config: this.config,
      groupConfig: (groupId) => resolveGroupConfig(this.config, this.image.configOf(resourceTypes.group, groupId)),
      topics: this.topics,
      assignors: offeredAssignors(this.config['group.consumer.assignors']),
      regexRefreshes: {
        isUnderWay: (groupId) => this.refreshes.some((refresh) => refresh.groupId === groupId),
        begin: (groupId, regexes, maySee) => this.refreshes.push({ groupId, regexes, maySee }),
      },
      newUuid: () => `${(this.#ids += 1)}`,
      findGroup: (groupId) => this.state.find(groupId),
      onDeadline: () => undefined,
    });
  }
}

/** What a step was refused with. @throws whatever is no such refusal */
export function refusalOf(thrown: unknown): KafkaError['errorName'] {
  if (thrown instanceof KafkaError) return thrown.errorName;
  throw thrown;
}
