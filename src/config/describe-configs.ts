// What a client is told about settings: for each its value, where that comes from, and what it would be otherwise.
// Gives plain data in Kafka's terms; who may ask, and the shape on the wire, is the business of handlers/describe-configs.ts.
// The order of levels and the cutting of synonyms are Kafka 4.2's (kafka.server.ConfigHelper).

import { brokerConfigs, withNodeId, type BrokerLevels, type ConfigTexts } from './broker-configs.ts';
import { rowOf, type Row, type Table } from './config-table.ts';
import { canonicalText, type ConfigType } from './config-value.ts';
import { clientMetricsConfigs, groupConfigs } from './group-configs.ts';
import { topicConfigs } from './topic-configs.ts';

/** Where a value comes from, as DescribeConfigs numbers it. */
export const configSources = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  brokerLogger: 6,
  clientMetrics: 7,
  group: 8,
} as const;
export type ConfigSource = (typeof configSources)[keyof typeof configSources];

/** The type of a value, as DescribeConfigs numbers it from version 3 on. */
export const configTypeIds: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
};
const UNKNOWN_TYPE = 0;

export interface DescribedSynonym {
  readonly name: string;
  /** Null for a secret. */
  readonly value: string | null;
  readonly source: ConfigSource;
}

export interface DescribedConfig {
  readonly name: string;
  /** Null for a secret, and where there is neither a value nor a default. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly readOnly: boolean;
  readonly isSensitive: boolean;
  /** The value in force and those that it hides, the strongest first. Empty where only a default of the table stands. */
  readonly synonyms: readonly DescribedSynonym[];
  readonly type: number;
  readonly documentation: string | null;
}

/** The names asked for; null or an empty list asks for all (so does Kafka 4.2). Names that do not exist are left out of the answer. */
export type AskedNames = readonly string[] | null;

/** The settings in force for a topic with these overrides. */
export function describeTopicConfig(overrides: ConfigTexts, levels: BrokerLevels, names: AskedNames = null): DescribedConfig[] {
  return askedRows(topicConfigs, names).map((row) => {
    const inherited = inheritedConfig(row, levels);
    const own = overrides.get(row.name);
    if (own === undefined) return inherited;
    const value = canonicalText(row.name, row.type, own);
    return described(row, value, [{ name: row.name, value, source: configSources.topic }, ...inherited.synonyms], false);
  });
}

/** What topics without an own value are told, by the levels of their broker: tools ask for all settings of thousands of topics. */
const inheritedConfigs = new WeakMap<BrokerLevels, Map<string, DescribedConfig>>();

function inheritedConfig(row: Row, levels: BrokerLevels): DescribedConfig {
  let known = inheritedConfigs.get(levels);
  if (known === undefined) inheritedConfigs.set(levels, (known = new Map()));
  let config = known.get(row.name);
  if (config === undefined) {
    const strongest = row.synonyms[0];
    const synonyms = strongest === undefined ? [] : brokerSynonyms(strongest.name, levels);
    known.set(row.name, (config = described(row, inheritedText(row, levels), synonyms, false)));
  }
  return config;
}

/** The settings in force on this broker. Names set dynamically that are not ours are shown as secrets without a type. */
export function describeBrokerConfig(levels: BrokerLevels, names: AskedNames = null): DescribedConfig[] {
  const foreign = [...(levels.dynamicBroker?.keys() ?? []), ...(levels.dynamicDefault?.keys() ?? [])]
    .filter((name) => rowOf(brokerConfigs, name) === undefined && (names === null || names.length === 0 || names.includes(name)))
    .map((name) => foreignConfig(name, levels));
  const ours = askedRows(brokerConfigs, names).map((row) =>
    described(row, brokerText(row.name, levels), brokerSynonyms(row.name, levels), row.update === 'read-only'),
  );
  return [...ours, ...foreign];
}

/** What is set for all brokers (resource name ""): only that, and only its own level. */
export function describeDefaultBrokerConfig(levels: BrokerLevels, names: AskedNames = null): DescribedConfig[] {
  const set: BrokerLevels = { static: new Map(), dynamicDefault: levels.dynamicDefault ?? new Map() };
  return describeBrokerConfig(set, names)
    .filter(({ name }) => set.dynamicDefault?.has(name))
    .map((config) => ({
      ...config,
      synonyms: config.synonyms.filter(({ source }) => source === configSources.dynamicDefaultBroker),
    }));
}

export function describeGroupConfig(overrides: ConfigTexts, levels: BrokerLevels, names: AskedNames = null): DescribedConfig[] {
  return askedRows(groupConfigs, names).map((row) => {
    const own = overrides.get(row.name);
    const value = own === undefined ? inheritedText(row, levels) : canonicalText(row.name, row.type, own);
    const source = own === undefined ? configSources.default : configSources.group;
    return described(row, value, [{ name: row.name, value, source }], false);
  });
}

export function describeClientMetricsConfig(overrides: ConfigTexts, names: AskedNames = null): DescribedConfig[] {
  return askedRows(clientMetricsConfigs, names).map((row) => {
    const own = overrides.get(row.name);
    const value = own === undefined ? row.defaultText : canonicalText(row.name, row.type, own);
    return described(row, value, own === undefined ? [] : [{ name: row.name, value, source: configSources.clientMetrics }], false);
  });
}

function described(row: Row, value: string | null, synonyms: readonly DescribedSynonym[], readOnly: boolean): DescribedConfig {
  const isSensitive = row.type === 'password';
  return {
    name: row.name,
    value: isSensitive ? null : value,
    source: synonyms[0]?.source ?? configSources.default,
    readOnly,
    isSensitive,
    synonyms: isSensitive ? synonyms.map((synonym) => ({ ...synonym, value: null })) : synonyms,
    type: configTypeIds[row.type],
    documentation: row.doc,
  };
}

/** A name without a row may be a plug-in's password, so its value is never told (Kafka: maybeSensitive). */
function foreignConfig(name: string, levels: BrokerLevels): DescribedConfig {
  const synonyms = brokerSynonyms(name, levels).map((synonym) => ({ ...synonym, value: null }));
  return {
    name,
    value: null,
    source: synonyms[0]?.source ?? configSources.default,
    readOnly: true,
    isSensitive: true,
    synonyms,
    type: UNKNOWN_TYPE,
    documentation: null,
  };
}

function askedRows(table: Table, names: AskedNames): Row[] {
  if (names === null || names.length === 0) return Object.values(table);
  return [...new Set(names)].map((name) => rowOf(table, name)).filter((row) => row !== undefined);
}

/** Settings of the broker that stand for the same thing, the strongest first (DynamicBrokerConfig.brokerConfigSynonyms). */
const sameThing: readonly (readonly string[])[] = [
  ['log.roll.ms', 'log.roll.hours'],
  ['log.roll.jitter.ms', 'log.roll.jitter.hours'],
  ['log.retention.ms', 'log.retention.minutes', 'log.retention.hours'],
];

function namesOfSameThing(name: string): readonly string[] {
  if (name === 'log.flush.interval.ms') return [name, 'log.flush.scheduler.interval.ms'];
  return sameThing.find((names) => names.includes(name)) ?? [name];
}

/**
 * Every level at which the setting or one of its other names is set. As in Kafka, what comes before the first entry of the
 * name itself is cut off: a retention that only log.retention.hours sets shows no synonyms and counts as a default.
 */
function brokerSynonyms(name: string, levels: BrokerLevels): DescribedSynonym[] {
  const names = namesOfSameThing(name);
  const found: DescribedSynonym[] = [];
  const add = (texts: ConfigTexts | undefined, source: ConfigSource): void => {
    for (const synonym of names) {
      const value = texts?.get(synonym);
      if (value !== undefined) found.push({ name: synonym, value, source });
    }
  };
  add(levels.dynamicBroker, configSources.dynamicBroker);
  add(levels.dynamicDefault, configSources.dynamicDefaultBroker);
  add(withNodeId(levels.static), configSources.staticBroker);
  for (const synonym of names) {
    const value = rowOf(brokerConfigs, synonym)?.defaultText ?? null;
    if (value !== null) found.push({ name: synonym, value, source: configSources.default });
  }
  const own = found.findIndex((synonym) => synonym.name === name);
  return own < 0 ? [] : found.slice(own);
}

/** The text in force for a setting of the broker, all digits kept; null when it is not set and has no default. */
function brokerText(name: string, levels: BrokerLevels): string | null {
  const row = rowOf(brokerConfigs, name);
  if (row === undefined) return null;
  const text = levels.dynamicBroker?.get(name) ?? levels.dynamicDefault?.get(name) ?? withNodeId(levels.static).get(name);
  return text === undefined ? row.defaultText : canonicalText(name, row.type, text);
}

/** The text that a topic or group takes from the broker's settings, in its own unit. */
function inheritedText(row: Row, levels: BrokerLevels): string | null {
  for (const { name, factor } of row.synonyms) {
    const text = brokerText(name, levels);
    if (text === null) continue;
    if (row.name === 'retention.ms' && BigInt(text) < 0n) return '-1';
    return factor === 1 ? text : String(BigInt(text) * BigInt(factor));
  }
  return row.defaultText;
}
