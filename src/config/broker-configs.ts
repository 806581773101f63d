// All settings of the broker in one table, and the typed object that the code reads. Rules between settings are
// broker-rules.ts. Where values come from (file, environment, flags) is read-settings.ts; what clients are told is describe-configs.ts.

import { checkBrokerRules } from './broker-rules.ts';
import { parseChecked, rowOf, type ValuesOf } from './config-table.ts';
import { ConfigError, type ConfigValue } from './config-value.ts';
import { coordinatorConfigs } from './coordinator-configs.ts';
import { logConfigs } from './log-configs.ts';
import { networkConfigs } from './network-configs.ts';
import { ownConfigs } from './own-configs.ts';

export const brokerConfigs = { ...networkConfigs, ...logConfigs, ...coordinatorConfigs, ...ownConfigs } as const;

export type BrokerConfigName = keyof typeof brokerConfigs;

/** The broker's settings as the code reads them: `config['message.max.bytes']`. Numbers in the unit that the name says. */
export type BrokerConfig = ValuesOf<typeof brokerConfigs>;

/** Settings by name, as texts; what is not set at a level is not in its map. */
export type ConfigTexts = ReadonlyMap<string, string>;

/** The levels at which a setting of the broker may be set, the strongest first. */
export interface BrokerLevels {
  /** Set for this broker while it ran. */
  readonly dynamicBroker?: ConfigTexts;
  /** Set for all brokers while they ran. */
  readonly dynamicDefault?: ConfigTexts;
  /** File, environment, flags and options, already put together (read-settings.ts). */
  readonly static: ConfigTexts;
}

const nothing: BrokerLevels = { static: new Map() };

/**
 * The settings in force. Frozen; a change of a dynamic setting makes a new object, so whoever wants to see changes asks for
 * the current one again instead of keeping values.
 * @throws ConfigError when a text is not of its setting's type, outside its bounds, or at odds with another setting
 */
export function resolveBrokerConfig(levels: BrokerLevels = nothing): BrokerConfig {
  const values: Record<string, ConfigValue> = {};
  for (const row of Object.values(brokerConfigs)) values[row.name] = row.default;
  for (const level of [withNodeId(levels.static), levels.dynamicDefault, levels.dynamicBroker]) {
    for (const [name, text] of level ?? []) {
      const row = rowOf(brokerConfigs, name);
      if (row !== undefined) values[name] = parseChecked(row, text);
    }
  }
  const config = Object.freeze(values) as unknown as BrokerConfig;
  checkBrokerRules(config);
  return config;
}

/** `node.id` and `broker.id` are one setting with two names: where one is set, the other is too (KafkaConfig.populateSynonyms). */
export function withNodeId(texts: ConfigTexts): ConfigTexts {
  const [nodeId, brokerId] = [texts.get('node.id'), texts.get('broker.id')];
  if (nodeId !== undefined && brokerId === undefined) return new Map([...texts, ['broker.id', nodeId]]);
  if (brokerId !== undefined && nodeId === undefined) return new Map([...texts, ['node.id', brokerId]]);
  return texts;
}

/**
 * Whether a client may set these texts on the running broker: for one broker by its id, or for all. Names that are not
 * ours are let through, as Kafka does for plug-ins; they have no effect and are never shown.
 * @throws ConfigError with Kafka's message, for INVALID_CONFIG
 */
export function checkDynamicBrokerConfigs(changes: ConfigTexts, levels: BrokerLevels, target: 'one-broker' | 'all-brokers'): void {
  const rows = [...changes.keys()].map((name) => rowOf(brokerConfigs, name)).filter((row) => row !== undefined);
  const fixed = rows.filter(({ update }) => update === 'read-only').map(({ name }) => name);
  if (fixed.length > 0) throw new ConfigError(`Cannot update these configs dynamically: Set(${fixed.join(', ')})`);
  const single = rows.filter(({ update }) => update === 'per-broker').map(({ name }) => name);
  if (target === 'all-brokers' && single.length > 0)
    throw new ConfigError(`Cannot update these configs at default cluster level, broker id must be specified: Set(${single.join(', ')})`);
  const level = target === 'one-broker' ? 'dynamicBroker' : 'dynamicDefault';
  resolveBrokerConfig({ ...levels, [level]: new Map([...(levels[level] ?? []), ...changes]) });
}
