// The settings of a group (resource type 32, KIP-848 and after) and of a client metrics subscription (type 16, KIP-714).
// Rows, the resolved object, and what a client may set; what groups do with them is the coordinators' business.

import type { BrokerConfig, ConfigTexts } from './broker-configs.ts';
import { configTable, int, intMs, list, minutes, oneOf, parseChecked, rowOf, seconds, string, type ValuesOf } from './config-table.ts';
import { ConfigError, invalidValue, parseValue, type ConfigValue } from './config-value.ts';
import { inheritedValue } from './topic-configs.ts';

const AUTO_OFFSET_RESET = /^(earliest|latest|by_duration:P(?!$)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?)$/;

export const groupConfigs = configTable({
  'consumer.heartbeat.interval.ms': intMs({
    default: seconds(5),
    min: 1,
    synonyms: ['group.consumer.heartbeat.interval.ms'],
    doc: 'How often members of this consumer group are told to send heartbeats.',
  }),
  'consumer.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    synonyms: ['group.consumer.session.timeout.ms'],
    doc: 'After what silence a member of this consumer group is removed.',
  }),
  'share.auto.offset.reset': string({
    default: 'latest',
    effect: 'accepted',
    check(name, value) {
      if (typeof value === 'string' && AUTO_OFFSET_RESET.test(value)) return;
      const why = `Invalid value \`${String(value)}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`;
      throw invalidValue(name, String(value), why);
    },
    valid: '[latest, earliest, by_duration:PnDTnHnMn.nS]',
    doc: 'Where this share group begins in a partition that it has not read yet.',
  }),
  'share.heartbeat.interval.ms': intMs({
    default: seconds(5),
    min: 1,
    effect: 'accepted',
    synonyms: ['group.share.heartbeat.interval.ms'],
    doc: 'How often members of this share group are told to send heartbeats.',
  }),
  'share.isolation.level': oneOf(['read_committed', 'read_uncommitted'], {
    default: 'read_uncommitted',
    effect: 'accepted',
    doc: 'Whether this share group is given records of transactions that were aborted or are still open.',
  }),
  'share.record.lock.duration.ms': intMs({
    default: seconds(30),
    min: 1000,
    effect: 'accepted',
    synonyms: ['group.share.record.lock.duration.ms'],
    doc: 'How long a consumer of this share group may hold a record.',
  }),
  'share.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    effect: 'accepted',
    synonyms: ['group.share.session.timeout.ms'],
    doc: 'After what silence a member of this share group is removed.',
  }),
  'streams.heartbeat.interval.ms': intMs({
    default: seconds(5),
    min: 1,
    effect: 'accepted',
    synonyms: ['group.streams.heartbeat.interval.ms'],
    doc: 'How often members of this streams group are told to send heartbeats.',
  }),
  'streams.initial.rebalance.delay.ms': intMs({
    default: seconds(3),
    min: 0,
    effect: 'accepted',
    synonyms: ['group.streams.initial.rebalance.delay.ms'],
    doc: 'How long the first assignment of this streams group waits for further members.',
  }),
  'streams.num.standby.replicas': int({
    default: 0,
    min: 0,
    effect: 'accepted',
    synonyms: ['group.streams.num.standby.replicas'],
    doc: 'How many standby copies each task of this streams group has.',
  }),
  'streams.session.timeout.ms': intMs({
    default: seconds(45),
    min: 1,
    effect: 'accepted',
    synonyms: ['group.streams.session.timeout.ms'],
    doc: 'After what silence a member of this streams group is removed.',
  }),
});

export type GroupConfig = ValuesOf<typeof groupConfigs>;

/**
 * The settings in force for a group: its own, else the broker's. Frozen. Stored texts are not checked against bounds again.
 * @throws ConfigError when an override is not of its setting's type
 */
export function resolveGroupConfig(broker: BrokerConfig, overrides: ConfigTexts = new Map()): GroupConfig {
  const values: Record<string, ConfigValue> = {};
  for (const row of Object.values(groupConfigs)) {
    const text = overrides.get(row.name);
    values[row.name] = text === undefined ? inheritedValue(row, broker) : parseValue(row.name, row.type, text);
  }
  return Object.freeze(values) as unknown as GroupConfig;
}

/**
 * Whether a client may give a group these settings (Kafka's GroupConfig.validate): each within the broker's limits, and
 * heartbeats shorter than the session. Other than in Kafka, what is not set counts as the broker has it, not as the default.
 * @throws ConfigError with Kafka's message, for INVALID_CONFIG
 */
export function checkGroupConfigs(overrides: ReadonlyMap<string, string | null>, broker: BrokerConfig): void {
  const nulls = [...overrides].filter(([, text]) => text === null).map(([name]) => name);
  if (nulls.length > 0) throw new ConfigError(`Null value not supported for group configs: ${nulls.join(',')}`);
  const texts = new Map<string, string>();
  for (const [name, text] of overrides) {
    const row = rowOf(groupConfigs, name);
    if (row === undefined) throw new ConfigError(`Unknown group config name: ${name}`);
    parseChecked(row, text ?? '');
    texts.set(name, text ?? '');
  }
  const group = resolveGroupConfig(broker, texts);
  for (const [name, bound, limit] of limits) {
    const [value, most] = [group[name], broker[limit]];
    if (bound === 'least' && value < most) throw new ConfigError(`${name} must be greater than or equal to ${limit}`);
    if (bound === 'most' && value > most) throw new ConfigError(`${name} must be less than or equal to ${limit}`);
  }
  for (const kind of ['consumer', 'share', 'streams'] as const)
    if (group[`${kind}.session.timeout.ms`] <= group[`${kind}.heartbeat.interval.ms`])
      throw new ConfigError(`${kind}.session.timeout.ms must be greater than ${kind}.heartbeat.interval.ms`);
}

const limitsOf = <const Kind extends 'consumer' | 'share' | 'streams'>(kind: Kind) =>
  [
    [`${kind}.heartbeat.interval.ms`, 'least', `group.${kind}.min.heartbeat.interval.ms`],
    [`${kind}.heartbeat.interval.ms`, 'most', `group.${kind}.max.heartbeat.interval.ms`],
    [`${kind}.session.timeout.ms`, 'least', `group.${kind}.min.session.timeout.ms`],
    [`${kind}.session.timeout.ms`, 'most', `group.${kind}.max.session.timeout.ms`],
  ] as const;

const limits = [
  ...limitsOf('consumer'),
  ...limitsOf('share'),
  ['share.record.lock.duration.ms', 'least', 'group.share.min.record.lock.duration.ms'],
  ['share.record.lock.duration.ms', 'most', 'group.share.max.record.lock.duration.ms'],
  ...limitsOf('streams'),
  ['streams.num.standby.replicas', 'most', 'group.streams.max.standby.replicas'],
] as const;

export const clientMetricsConfigs = configTable({
  'interval.ms': intMs({ default: minutes(5), effect: 'accepted', doc: 'How often clients of this subscription push their metrics.' }),
  match: list({
    default: [],
    effect: 'accepted',
    doc: 'Which clients the subscription is for, as name=pattern; all when it is empty.',
  }),
  metrics: list({
    default: [],
    effect: 'accepted',
    doc: 'Which metrics are asked for, by the beginnings of their names; * for all.',
  }),
});

const matchable = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
];

/**
 * Whether a client may define a client metrics subscription like this (Kafka's ClientMetricsConfigs.validate).
 * @throws ConfigError with Kafka's message and error
 */
export function checkClientMetricsConfigs(overrides: ConfigTexts): void {
  for (const name of overrides.keys())
    if (rowOf(clientMetricsConfigs, name) === undefined)
      throw new ConfigError(`Unknown client metrics configuration: ${name}`, 'INVALID_REQUEST');
  for (const [name, text] of overrides) {
    const row = rowOf(clientMetricsConfigs, name);
    const value = row === undefined ? null : parseChecked(row, text);
    if (typeof value === 'number' && (value < 100 || value > 3_600_000))
      throw new ConfigError(`Invalid value ${value} for ${name}, interval must be between 100 and 3600000 (1 hour)`, 'INVALID_REQUEST');
    if (name === 'match' && Array.isArray(value)) for (const pattern of value) checkMatch(pattern);
  }
}

/** The pattern itself is not compiled: a client's pattern only ever runs in an engine that cannot be made to hang, where it is used. */
function checkMatch(pattern: string): void {
  const parts = pattern.split('=');
  if (parts.length !== 2 || !matchable.includes(parts[0]?.trim() ?? ''))
    throw new ConfigError(`Illegal client matching pattern: ${pattern}`);
}
