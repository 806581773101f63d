// What a program sees of a broker in its own process: options, the broker, records. Types only, and all of them: the
// declarations of the package are made from this file, errors.ts and kafka-config.ts, and lead nowhere else.
import type { BrokerFailedError } from './errors.ts';
import type { KafkaConfig, KafkaTopicConfig } from './kafka-config.ts';

export interface BrokerOptions {
  /**
   * Where the data lives. `'memory'`, the default: nowhere; it goes when the broker stops. `{ dir }`: in that directory,
   * in Kafka's own format; what is acknowledged is on the disk, and a later start finds it.
   */
  readonly storage?: 'memory' | { readonly dir: string };
  /** The port to listen on; 0, the default, takes a free one. */
  readonly port?: number;
  /** The address to listen on; `'localhost'`, the default, is 127.0.0.1 and ::1. */
  readonly host?: string;
  /**
   * Topics that are there when the start returns: names, or names with a number of partitions or more. A topic that the
   * directory already holds is left as it is; with another number of partitions than asked for, the start is refused.
   */
  readonly topics?: readonly string[] | Readonly<Record<string, number | TopicOptions>>;
  /**
   * What settings are where nothing is said. `'test'`, the default in memory: groups form at once instead of waiting 3 s for
   * more members, and internal topics have one partition. `'production'`, the default of `storage: { dir }`: Kafka's defaults.
   */
  readonly profile?: 'test' | 'production';
  /** Settings by Kafka's names. The environment and files are not read. */
  readonly config?: KafkaConfig;
  /** Where the broker's own log goes. Left out: errors to standard error, everything else nowhere. `false`: nowhere. */
  readonly logger?: Logger | false;
  /** Stops the broker when it aborts, as `stop` does. */
  readonly signal?: AbortSignal;
  /** `true`: the broker alone does not keep the process alive. */
  readonly unref?: boolean;
  /** Called once when the broker can no longer keep its promises (the disk has failed, or the broker found itself broken). */
  readonly onFailed?: (error: BrokerFailedError) => void;
}

export interface TopicOptions {
  /** Left out: the setting `num.partitions`, 1. */
  readonly partitions?: number;
  /** Settings of the topic by Kafka's names. */
  readonly config?: KafkaTopicConfig;
}

/** The message is constant text; what varies is in `details`: an object, or a thrown value. `console` fits. */
export interface Logger {
  debug(message: string, details?: unknown): void;
  info(message: string, details?: unknown): void;
  warn(message: string, details?: unknown): void;
  error(message: string, details?: unknown): void;
}

export type BrokerState = 'running' | 'stopping' | 'stopped' | 'failed';

/** A running broker. Its methods may be handed around unbound (`afterAll(broker.stop)`). */
export interface Broker extends AsyncDisposable {
  /** `host:port`, for the client's `brokers` or `bootstrapBrokers`. */
  readonly bootstrapServers: string;
  readonly port: number;
  readonly clusterId: string;
  /** The directory of `storage: { dir }`, absolute; undefined in memory. */
  readonly dataDir: string | undefined;
  readonly state: BrokerState;
  /** Why the broker failed; undefined unless `state` is `'failed'`. */
  readonly failure: BrokerFailedError | undefined;

  /** @throws RequestRefusedError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_CONFIG, ... */
  readonly createTopic: (name: string, options?: number | TopicOptions) => Promise<void>;
  /** With all its records. @throws RequestRefusedError UNKNOWN_TOPIC_OR_PARTITION */
  readonly deleteTopic: (name: string) => Promise<void>;
  /**
   * Appends records as a producer with `acks=all` does, checked by the same rules; resolves when they are committed.
   * A record with a key goes to the partition that Kafka's own clients choose for that key, one without to the next in turn.
   * Calls append in the order in which they are made. A missing topic is created where `auto.create.topics.enable` allows it.
   * @throws RequestRefusedError MESSAGE_TOO_LARGE, UNKNOWN_TOPIC_OR_PARTITION, INVALID_RECORD, ...
   */
  readonly produce: (topic: string, ...records: readonly RecordInput[]) => Promise<RecordMetadata[]>;
  /**
   * The topic's records, by timestamp over all partitions and by offset within each. Ends at what was there when reading
   * began; with `follow` it goes on until the broker stops or `signal` aborts. Of transactions, only what is committed.
   * @throws RequestRefusedError UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE
   */
  readonly records: (topic: string, options?: ReadOptions) => AsyncIterable<StoredRecord>;
  /**
   * The first `count` records that match, as soon as they are there: those in the topic already, then those to come. The
   * topic need not exist yet.
   * @throws RecordsNotSeenError after `timeoutMs`, with a report of what was there instead
   */
  readonly waitForRecords: (topic: string, options?: WaitOptions) => Promise<StoredRecord[]>;
  /** The consumer groups that there are, by name. */
  readonly groups: () => Promise<GroupView[]>;
  /**
   * The group, as soon as it is as the options say; it need not exist yet. Without `state` it is to be `'Stable'`, which is when
   * every member has its partitions; `'Empty'` with `members: 0`; in any state where `maxLag` alone is given.
   * @throws GroupNotReadyError after `timeoutMs`, with a report of how it was instead
   */
  readonly waitForGroup: (groupId: string, options?: GroupWaitOptions) => Promise<GroupView>;
  /** Every series as it is now. */
  readonly metrics: () => MetricSample[];
  /**
   * Answers what is in hand, closes connections, syncs, and frees everything. Idempotent; resolves also after a failure.
   * Requests that take longer than `graceMs`, 5000 when left out, are cut off.
   */
  readonly stop: (options?: StopOptions) => Promise<void>;
}

/** A record to produce: a value alone, or more. */
export type RecordInput = string | Uint8Array | RecordFields;

export interface RecordFields {
  readonly key?: string | Uint8Array | null;
  /** `null` is a tombstone. */
  readonly value?: string | Uint8Array | null;
  /** Instead of `value`: anything JSON can say. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string | Uint8Array | null>>;
  /** Left out: by the key. */
  readonly partition?: number;
  /** Milliseconds since 1970. Left out: now, by the machine's clock. */
  readonly timestamp?: number | Date;
}

export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** A record as the log has it. */
export interface StoredRecord extends RecordMetadata {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
  /** The value as UTF-8; null when there is none. */
  text(): string | null;
  /** The value parsed as JSON; null when there is none. @throws SyntaxError when it is no JSON */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it expects, as with `as`
  json<Value = unknown>(): Value;
  /** The last header of that name as UTF-8; undefined when there is none, null when it has no value. */
  header(name: string): string | null | undefined;
  /** For people and test reports: key, value and headers as text. */
  toJSON(): Record<string, unknown>;
}

export interface ReadOptions {
  /** One partition; left out, all. */
  readonly partition?: number;
  /** Where to begin: `'start'`, the default; `'end'`, what comes from now on (needs `follow`); an offset (needs `partition`). */
  readonly from?: 'start' | 'end' | number;
  /** Goes on with what is yet to come, and with partitions that are added. */
  readonly follow?: boolean;
  /** Ends the reading, without an error. */
  readonly signal?: AbortSignal;
}

export interface WaitOptions {
  /** 1 when left out. */
  readonly count?: number;
  /** Which records count; all when left out. */
  readonly where?: (record: StoredRecord) => boolean;
  /** 4000 when left out: less than the 5000 after which vitest and jest give up a test without a word of what was missing. */
  readonly timeoutMs?: number;
}

export interface GroupWaitOptions {
  readonly state?: GroupState;
  /** How many members it is to have, exactly. */
  readonly members?: number;
  /** By how many records it may be behind, all its partitions together. */
  readonly maxLag?: number;
  /** 4000 when left out, as for `waitForRecords`. */
  readonly timeoutMs?: number;
}

/** `Assigning` and `Reconciling` are of the consumer protocol (KIP-848), the two with `Rebalance` of the classic one. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead';

/** A consumer group as it was when it was asked for. */
export interface GroupView {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer';
  readonly state: GroupState;
  /** `'consumer'`; empty for a group that has offsets and never had members. */
  readonly protocolType: string;
  /** How partitions are shared out; undefined while the members have not agreed. */
  readonly assignor: string | undefined;
  readonly members: readonly GroupMemberView[];
  /** Those that are committed or assigned, in order. */
  readonly partitions: readonly GroupPartitionView[];
  /** Of all partitions together. */
  readonly lag: number;
}

export interface GroupMemberView {
  readonly memberId: string;
  /** Of a static member. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly host: string;
  readonly assignment: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

export interface GroupPartitionView {
  readonly topic: string;
  readonly partition: number;
  /** The next offset that the group reads; undefined where it has committed nothing. */
  readonly committedOffset: number | undefined;
  readonly endOffset: number;
  /** Records to the end; all that there are where nothing is committed. */
  readonly lag: number;
  /** Whoever reads it. */
  readonly memberId: string | undefined;
}

export interface StopOptions {
  readonly graceMs?: number;
}

/** One series; `value` of a histogram is its count. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
