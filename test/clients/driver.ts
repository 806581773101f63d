// What a client library has to be able to do to run the checks: the one interface between the checks of this folder
// and the libraries. A driver calls its library as a user would; it never speaks the protocol itself.
import type { CheckId } from './checks.ts';
import type { ReadRecord, RecordToSend } from './data.ts';
import type { MemberCommand, MemberOptions } from './member.ts';

export type Codec = 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface ProduceOptions {
  readonly acks?: 0 | 1 | -1;
  readonly codec?: Codec;
  readonly idempotent?: boolean;
}

export interface PartitionDescription {
  readonly partition: number;
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface ClusterDescription {
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
}

/** Where a record was read. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

export interface Driver {
  readonly client: string;
  readonly version: string;
  /** Checks the library has no means for, each with the reason. */
  readonly cannot: Partial<Record<CheckId, string>>;

  createTopic(name: string, options: { partitions: number; configs?: Record<string, string> }): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  createPartitions(topic: string, count: number): Promise<void>;
  listTopics(): Promise<string[]>;
  describeTopic(topic: string): Promise<PartitionDescription[]>;
  describeCluster(): Promise<ClusterDescription>;
  topicConfigs(topic: string): Promise<Map<string, string | null>>;
  setTopicConfig(topic: string, key: string, value: string): Promise<void>;
  deleteRecordsBefore(topic: string, partition: number, offset: number): Promise<void>;

  /** Resolves when the broker has acknowledged all records (with acks=0: when they have left). */
  produce(topic: string, partition: number, records: readonly RecordToSend[], options?: ProduceOptions): Promise<void>;
  /** Reads `count` records from `from` on, by assignment, without a consumer group. Rejects on the first error the broker answers. */
  read(topic: string, partition: number, from: number, count: number): Promise<ReadRecord[]>;
  /** Waits at the end of the log, calls `onceWaiting`, and gives the next record. The wait itself may last 20 s. */
  tail(topic: string, partition: number, onceWaiting: () => Promise<void>): Promise<ReadRecord>;
  /**
   * Joins the group, which begins at the earliest offset where it has committed none, reads `count` records of the topic,
   * commits them and leaves.
   */
  consume(group: string, topic: string, count: number): Promise<Place[]>;
  /** How a member of a group is started that reads and commits what it is assigned, as a process of its own. */
  member(options: MemberOptions): MemberCommand;
  /** -1 when no record has the timestamp or a later one. */
  offset(topic: string, partition: number, at: 'earliest' | 'latest' | { timestampMs: number }): Promise<number>;

  /** Kafka's name of the error a broker answered with, such as TOPIC_ALREADY_EXISTS; undefined for any other failure. */
  errorName(thrown: unknown): string | undefined;
  close(): Promise<void>;
}

/** For what a driver lists under `cannot`: reaching it is a mistake in the suite. */
export function unable(what: string): Promise<never> {
  return Promise.reject(new Error(`this client cannot ${what}; the check should not have run`));
}

/** What a broker answers while a change of its topics has not reached every part of it; consumers ask again. */
const notYet: ReadonlySet<string | undefined> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'NOT_LEADER_OR_FOLLOWER',
  'NOT_LEADER_FOR_PARTITION', // kafkajs's older name of it
  'LEADER_NOT_AVAILABLE',
]);

/** For calls below the level at which a client library repeats them by itself. Gives up after 5 s. */
export async function untilSettled<Result>(driver: Driver, attempt: () => Promise<Result>): Promise<Result> {
  for (let left = 50; ; left -= 1) {
    try {
      return await attempt();
    } catch (thrown) {
      if (left === 0 || !notYet.has(driver.errorName(thrown))) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
