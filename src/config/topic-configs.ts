// The settings of a topic: Kafka 4.2's 33 public names, and how a topic's value follows from its own overrides and the
// broker's settings. The resolved object is what the log, the handlers and the cleaner read.
// What a client is told about them stands in describe-configs.ts.

import type { BrokerConfig, ConfigTexts } from './broker-configs.ts';
import { gzipLevel } from './config-checks.ts';
import {
  boolean,
  bytes,
  configTable,
  days,
  double,
  durationMs,
  GiB,
  hours,
  int,
  intBytes,
  intWith,
  KiB,
  listOf,
  long,
  LONG_MAX,
  MiB,
  minutes,
  oneOf,
  parseChecked,
  replicaList,
  rowOf,
  type Row,
  type ValuesOf,
} from './config-table.ts';
import { ConfigError, parseValue, type ConfigValue } from './config-value.ts';
import { cleanupPolicies, compressionTypes, FLUSH_MESSAGES, timestampTypes } from './topic-values.ts';

export const topicConfigs = configTable({
  'cleanup.policy': listOf(cleanupPolicies, {
    default: ['delete'],
    synonyms: ['log.cleanup.policy'],
    doc: 'What happens to old records: delete drops segments past the retention limits, compact keeps the latest record of every key; both may be set, and an empty list keeps everything.',
  }),
  'compression.gzip.level': intWith(gzipLevel, {
    default: -1,
    synonyms: ['compression.gzip.level'],
    doc: 'The level at which the broker compresses where compression.type is gzip; -1 leaves it to the library.',
  }),
  'compression.lz4.level': int({
    default: 9,
    min: 1,
    max: 17,
    synonyms: ['compression.lz4.level'],
    doc: 'The level at which the broker compresses where compression.type is lz4.',
  }),
  'compression.type': oneOf(compressionTypes, {
    default: 'producer',
    synonyms: ['compression.type'],
    doc: 'The codec in which batches are stored; producer stores them as they came, any other rewrites those that came differently.',
  }),
  'compression.zstd.level': int({
    default: 3,
    min: -131_072,
    max: 22,
    synonyms: ['compression.zstd.level'],
    doc: 'The level at which the broker compresses where compression.type is zstd.',
  }),
  'delete.retention.ms': durationMs({
    default: days(1),
    min: 0,
    synonyms: ['log.cleaner.delete.retention.ms'],
    doc: 'How long a delete marker of a compacted topic stays readable after it was cleaned, so that a reader from the beginning still meets it.',
  }),
  'file.delete.delay.ms': durationMs({
    default: 60_000,
    min: 0,
    effect: 'accepted',
    synonyms: ['log.segment.delete.delay.ms'],
    doc: 'How long the file of a deleted segment stays on the disk after it left the log.',
  }),
  'flush.messages': long({
    default: FLUSH_MESSAGES,
    min: 1,
    synonyms: ['log.flush.interval.messages'],
    doc: 'How many records may be acknowledged before the log is synced to the disk. At 1, our default, an acknowledgement waits for the sync; 9223372036854775807, the default of Kafka, never syncs because of the number.',
  }),
  'flush.ms': durationMs({
    default: LONG_MAX,
    min: 0,
    synonyms: ['log.flush.interval.ms', 'log.flush.scheduler.interval.ms'],
    doc: 'How long an acknowledged record may wait for the sync to the disk, where flush.messages is above 1.',
  }),
  'follower.replication.throttled.replicas': replicaList({
    effect: 'accepted',
    doc: 'The replicas whose catching up is throttled on the follower: partition:broker pairs, or * for all.',
  }),
  'index.interval.bytes': intBytes({
    default: 4 * KiB,
    min: 0,
    synonyms: ['log.index.interval.bytes'],
    doc: 'How many bytes of records lie between two entries of the offset index: fewer make lookups exact, more make the index small.',
  }),
  'leader.replication.throttled.replicas': replicaList({
    effect: 'accepted',
    doc: 'The replicas whose catching up is throttled on the leader: partition:broker pairs, or * for all.',
  }),
  'local.retention.bytes': bytes({
    default: -2,
    min: -2,
    effect: 'accepted',
    synonyms: ['log.local.retention.bytes'],
    doc: 'With tiered storage, how many bytes of a partition stay on the local disk; -2 follows retention.bytes.',
  }),
  'local.retention.ms': durationMs({
    default: -2,
    min: -2,
    effect: 'accepted',
    synonyms: ['log.local.retention.ms'],
    doc: 'With tiered storage, how long records stay on the local disk; -2 follows retention.ms.',
  }),
  'max.compaction.lag.ms': durationMs({
    default: LONG_MAX,
    min: 1,
    synonyms: ['log.cleaner.max.compaction.lag.ms'],
    doc: 'After what time a record of a compacted topic is open to compaction in any case; the active segment rolls in time for it.',
  }),
  'max.message.bytes': intBytes({
    default: 1_048_588,
    min: 0,
    synonyms: ['message.max.bytes'],
    doc: 'The largest record batch that is taken, compressed as it is stored; a larger one is refused with MESSAGE_TOO_LARGE.',
  }),
  'message.timestamp.after.max.ms': durationMs({
    default: hours(1),
    min: 0,
    synonyms: ['log.message.timestamp.after.max.ms'],
    doc: 'How far ahead of the broker’s clock a record’s timestamp may lie before INVALID_TIMESTAMP; unused with LogAppendTime.',
  }),
  'message.timestamp.before.max.ms': durationMs({
    default: LONG_MAX,
    min: 0,
    synonyms: ['log.message.timestamp.before.max.ms'],
    doc: 'How far behind the broker’s clock a record’s timestamp may lie before INVALID_TIMESTAMP; unused with LogAppendTime.',
  }),
  'message.timestamp.type': oneOf(timestampTypes, {
    default: 'CreateTime',
    synonyms: ['log.message.timestamp.type'],
    doc: 'Whether records keep the producer’s timestamp or get the time of their append.',
  }),
  'min.cleanable.dirty.ratio': double({
    default: 0.5,
    min: 0,
    max: 1,
    synonyms: ['log.cleaner.min.cleanable.ratio'],
    doc: 'What share of a compacted log must be uncleaned before it is cleaned: lower saves space, higher saves work.',
  }),
  'min.compaction.lag.ms': durationMs({
    default: 0,
    min: 0,
    synonyms: ['log.cleaner.min.compaction.lag.ms'],
    doc: 'How long a record of a compacted topic is left alone at least.',
  }),
  'min.insync.replicas': int({
    default: 1,
    min: 1,
    synonyms: ['min.insync.replicas'],
    doc: 'How many replicas must be in sync for a write with acks=all; with fewer it is refused with NOT_ENOUGH_REPLICAS.',
  }),
  preallocate: boolean({
    default: false,
    effect: 'accepted',
    synonyms: ['log.preallocate'],
    doc: 'Whether a new segment’s file is given its full size at once.',
  }),
  'remote.log.copy.disable': boolean({
    default: false,
    effect: 'accepted',
    doc: 'With tiered storage, whether copying to it has stopped while what is there stays readable.',
  }),
  'remote.log.delete.on.disable': boolean({
    default: false,
    effect: 'accepted',
    doc: 'Whether switching tiered storage off deletes what it holds.',
  }),
  'remote.storage.enable': boolean({
    default: false,
    effect: 'accepted',
    doc: 'Whether the topic uses tiered storage, which must be on in the broker; it is not built yet, so true is refused.',
  }),
  'retention.bytes': bytes({
    default: -1,
    synonyms: ['log.retention.bytes'],
    doc: 'The size beyond which a partition’s oldest segments may go; -1 sets no limit.',
  }),
  'retention.ms': durationMs({
    default: days(7),
    min: -1,
    synonyms: ['log.retention.ms', ['log.retention.minutes', minutes(1)], ['log.retention.hours', hours(1)]],
    doc: 'The age at which a segment may go, counted from its newest record; -1 keeps all.',
  }),
  'segment.bytes': intBytes({
    default: GiB,
    min: MiB,
    synonyms: ['log.segment.bytes'],
    doc: 'The size at which the active segment is closed and the next begins; retention and compaction work on whole segments.',
  }),
  'segment.index.bytes': intBytes({
    default: 10 * MiB,
    min: 4,
    effect: 'accepted',
    synonyms: ['log.index.size.max.bytes'],
    doc: 'The largest size of the index from offsets to positions in a segment.',
  }),
  'segment.jitter.ms': durationMs({
    default: 0,
    min: 0,
    effect: 'accepted',
    synonyms: ['log.roll.jitter.ms', ['log.roll.jitter.hours', hours(1)]],
    doc: 'A random time up to this is taken off segment.ms, so that segments do not all roll at once.',
  }),
  'segment.ms': durationMs({
    default: days(7),
    min: 1,
    synonyms: ['log.roll.ms', ['log.roll.hours', hours(1)]],
    doc: 'After what time the active segment is closed even if it is not full, so that retention can reach it.',
  }),
  'unclean.leader.election.enable': boolean({
    default: false,
    effect: 'accepted',
    synonyms: ['unclean.leader.election.enable'],
    doc: 'Whether a replica that is not in sync may become leader when no other is left, at the price of lost records.',
  }),
});

export type TopicConfigName = keyof typeof topicConfigs;

/** A topic's settings as the code reads them: `config['retention.ms']`. Numbers in the unit that the name says; one shape for all topics. */
export type TopicConfig = ValuesOf<typeof topicConfigs>;

const noOverrides: ConfigTexts = new Map();
const topicDefaults = new WeakMap<BrokerConfig, TopicConfig>();

/**
 * The settings in force for a topic: its own overrides, else the broker's, else the default. Frozen; without overrides
 * the same object for every topic of one broker config.
 * Overrides were checked when they were set, perhaps by an older Kafka with wider bounds: names that are not in the table
 * are passed over and bounds are not checked again, so that an old directory opens.
 * @throws ConfigError when an override is not of its setting's type
 */
export function resolveTopicConfig(broker: BrokerConfig, overrides: ConfigTexts = noOverrides): TopicConfig {
  let inherited = topicDefaults.get(broker);
  if (inherited === undefined) {
    inherited = Object.freeze(inheritTopicConfig(broker));
    topicDefaults.set(broker, inherited);
  }
  if (overrides.size === 0) return inherited;
  const resolved: Record<string, ConfigValue> = { ...inherited };
  for (const [name, text] of overrides) {
    const row = rowOf(topicConfigs, name);
    if (row !== undefined) resolved[name] = parseValue(name, row.type, text);
  }
  return Object.freeze(resolved) as unknown as TopicConfig;
}

function inheritTopicConfig(broker: BrokerConfig): TopicConfig {
  const inherited: Record<string, ConfigValue> = {};
  for (const row of Object.values(topicConfigs)) inherited[row.name] = inheritedValue(row, broker);
  return inherited as unknown as TopicConfig;
}

/** What a topic or group takes from the broker: the first of the row's broker settings that is set, in the row's unit. */
export function inheritedValue(row: Row, broker: BrokerConfig): ConfigValue {
  for (const { name, factor } of row.synonyms) {
    const value = (broker as Readonly<Record<string, ConfigValue | undefined>>)[name];
    if (value === undefined || value === null) continue;
    if (row.name === 'retention.ms' && Number(value) < 0) return -1; // however far below zero, it says "keep all"
    return typeof value === 'number' ? value * factor : value;
  }
  return row.default as ConfigValue;
}

/**
 * Whether a client may give a topic these overrides, as Kafka's controller checks them: names, values, and what they
 * mean together with the broker's settings.
 * @throws ConfigError with Kafka's message, for INVALID_CONFIG
 */
export function checkTopicConfigs(overrides: ReadonlyMap<string, string | null>, broker: BrokerConfig): void {
  const nulls = [...overrides].filter(([, text]) => text === null).map(([name]) => name);
  if (nulls.length > 0) throw new ConfigError(`Null value not supported for topic configs: ${nulls.join(',')}`);
  const texts = new Map<string, string>();
  for (const [name, text] of overrides) {
    const row = rowOf(topicConfigs, name);
    if (row === undefined) throw new ConfigError(`Unknown topic config name: ${name}`);
    parseChecked(row, text ?? '');
    texts.set(name, text ?? '');
  }
  const config = resolveTopicConfig(broker, texts);
  const minLag = config['min.compaction.lag.ms'];
  const maxLag = config['max.compaction.lag.ms'];
  if (minLag > maxLag)
    throw new ConfigError(`conflict topic config setting min.compaction.lag.ms (${minLag}) > max.compaction.lag.ms (${maxLag})`);
  if (config['remote.storage.enable'])
    throw new ConfigError('Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.');
}
